import type { Problem } from '../problem.js';
import { stepOf, stepRow, sweepOf, sweepRow } from './middle.js';
import type { Sequence } from './sequence.js';

/** Twin of shaders/shared/quads.wgsl: adds the posteriors of a frame to `sums`, by slot. */
export function addPosteriors(
  problem: Problem,
  lattice: Float64Array,
  sequence: Sequence,
  part: number,
  t: number,
  slotsOf: readonly Int32Array[],
  sums: Float64Array,
): void {
  const sweep = sweepOf(sequence, t);
  const slots = slotsOf[sweep];
  const k = stepOf(sequence, sweep, t);
  const row = stepRow(problem, sweepRow(part, sweep), k);
  const last = sequence.lastPair(k);
  let blanks = 0;
  for (let i = sequence.firstPair(k); i <= last; i++) {
    sums[slots[i]] += lattice[row + i];
    blanks += lattice[row + problem.pairs + i];
  }
  sums[0] += blanks;
}
