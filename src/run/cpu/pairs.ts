import type { Problem } from '../../kernels/uniforms.js';
import type { Extended } from './extended.js';
import type { Sequence } from './sequence.js';

/** Twin of shaders/shared/pairs.wgsl: adds the posteriors of a frame to `sums`, by slot. */
export function addPosteriors(
  { alphaFrame, alphaRows, pairs }: Problem,
  { m }: Extended,
  sequence: Sequence,
  part: number,
  t: number,
  slots: Int32Array,
  sums: Float64Array,
): void {
  const row = 2 * pairs * (part * alphaRows + ((t - alphaFrame) % alphaRows));
  const last = sequence.lastPair(t);
  let blanks = 0;
  for (let i = sequence.firstPair(t); i <= last; i++) {
    blanks += m[row + 2 * i];
    if (i < slots.length) sums[slots[i]] += m[row + 2 * i + 1];
  }
  sums[0] += blanks;
}
