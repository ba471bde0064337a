import { type Kernel, REGULAR, TOTAL } from '../buffers.js';
import { lastStep, placeIn, stepRow } from '../middle.js';
import { Sequence } from '../sequence.js';

declare module '../buffers.js' {
  interface Bindings {
    /** Of each label, its posteriors in units of 2^−30. */
    readonly sums: Float64Array;
    readonly durations: Float32Array;
    readonly confidences: Float32Array;
  }
}

/** Units of a sum of posteriors, as shaders/shared/fixed.wgsl has them: integers, whose sums are exact in any order. */
const UNITS = 2 ** 30;

/** Twin of shaders/durations.wgsl. */
export const durations: Kernel = (problem, { grid, constants }, bindings, integer) => {
  const { targets, sums, durations, confidences, lattice, totals } = bindings;
  const first = problem.boxFrame + integer * problem.segment;
  const end = Math.min(first + problem.segment, problem.boxEnd);
  for (let part = 0; part < grid[1]; part++) {
    const n = problem.firstSequence + part;
    const sequence = new Sequence(problem, targets, n);
    const { inputLength, targetLength } = sequence;
    const own = sums.subarray(part * problem.labels, (part + 1) * problem.labels);
    const row = durations.subarray(n * problem.labels, (n + 1) * problem.labels);
    const peaks = confidences.subarray(n * problem.labels, (n + 1) * problem.labels);
    if (constants.FIRST && integer === 0) {
      own.fill(0);
      row.fill(0);
      peaks.fill(0);
    }
    if (totals[n * TOTAL.words + TOTAL.status] !== REGULAR) {
      row.fill(Number.NaN, 0, targetLength);
      peaks.fill(Number.NaN, 0, targetLength);
      continue;
    }
    if (inputLength === 0) continue;
    for (const sweep of [0, 1]) {
      // the middle frame counts once
      const steps = Math.min(end, lastStep(sequence, sweep) + 1 - sweep);
      for (let k = first; k < steps; k++) {
        const at = stepRow(problem, 2 * part + sweep, k);
        const last = Math.min(sequence.lastPair(k), targetLength - 1);
        for (let pair = sequence.firstPair(k); pair <= last; pair++) {
          const i = placeIn(sweep, sequence, pair);
          const share = lattice[at + pair];
          own[i] += (share * UNITS + 0.5) | 0;
          peaks[i] = Math.max(peaks[i], share);
        }
      }
    }
    for (let i = 0; i < targetLength; i++) row[i] = own[i] / UNITS;
  }
};
