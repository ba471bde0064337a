import type { Problem } from '../../kernels/uniforms.js';
import { placeIn, stepOf, stepRow, sweepOf, sweepRow } from './middle.js';
import type { Sequence } from './sequence.js';

/** Twin of shaders/shared/quads.wgsl: adds the posteriors of a frame to `sums`, by slot. */
export function addPosteriors(
  problem: Problem,
  lattice: Float64Array,
  sequence: Sequence,
  part: number,
  t: number,
  slots: Int32Array,
  sums: Float64Array,
): void {
  const sweep = sweepOf(sequence, t);
  const k = stepOf(sequence, sweep, t);
  const row = stepRow(problem, sweepRow(part, sweep), k);
  const first = sequence.firstPair(k);
  const end = Math.min(sequence.lastPair(k) + 1, sequence.targetLength);
  // the first pair has the sum of all blanks
  sums[0] += lattice[row + problem.pairs + first];
  if (sweep === 0) for (let i = first; i < end; i++) sums[slots[i]] += lattice[row + i];
  else for (let i = first; i < end; i++) sums[slots[placeIn(1, sequence, i)]] += lattice[row + i];
}
