import type { Problem } from '../../kernels/uniforms.js';
import { aligned, DOWN, type Extended, extended, store, UP, ZERO } from './extended.js';
import { lastStep } from './middle.js';
import type { Sequence } from './sequence.js';

/** Where the blanks of a sweep's row of states start; its labels start behind them. */
export function stateRow({ pairs }: Problem, row: number): number {
  return 2 * pairs * row;
}

/** First and last pair of a sweep that may have arrived. */
function arrived(sequence: Sequence, sweep: number): { first: number; last: number } {
  const k = lastStep(sequence, sweep);
  return { first: sequence.firstPair(k), last: sequence.lastPair(k) };
}

/**
 * Twin of shaders/shared/arrivals.wgsl: calls back with the product of what both sweeps bring to each state at the
 * middle frame, in the order of the sweep of `row`.
 */
export function forEachArrival(
  problem: Problem,
  sequence: Sequence,
  { m, e }: Extended,
  row: number,
  callback: (state: number, m: number, e: number) => void,
): void {
  const labels = sequence.targetLength;
  const own = arrived(sequence, row % 2);
  const other = arrived(sequence, (row ^ 1) % 2);
  for (const label of [0, 1]) {
    const from = stateRow(problem, row) + label * problem.pairs;
    const to = stateRow(problem, row ^ 1) + label * problem.pairs;
    // label i is label S − 1 − i seen from the other end, blank i is blank S − i
    const last = labels - label;
    for (let i = Math.max(own.first, last - other.last); i <= Math.min(own.last, last - other.first); i++) {
      store(product, 0, m[from + i] * m[to + last - i], e[from + i] + e[to + last - i]);
      callback(label * problem.pairs + i, product.m[0], product.e[0]);
    }
  }
}

/** The sum over all paths: at the middle frame each is in one state. */
export function pathsOf(
  problem: Problem,
  sequence: Sequence,
  states: Extended,
  part: number,
): { m: number; e: number } {
  const sum = extended(1);
  store(sum, 0, 0, ZERO);
  forEachArrival(problem, sequence, states, 2 * part, (_, m, e) => {
    const top = Math.max(e, sum.e[0]);
    store(sum, 0, aligned(sum.m[0], sum.e[0], top) + aligned(m, e, top), top);
  });
  return { m: sum.m[0], e: sum.e[0] };
}

/** The posterior at the middle frame, in the order of each sweep; none where the loss is not finite. */
export function shareOut(
  problem: Problem,
  sequence: Sequence,
  states: Extended,
  posteriors: Float64Array,
  part: number,
  z: { m: number; e: number } | undefined,
): void {
  for (const row of [2 * part, 2 * part + 1]) {
    const place = stateRow(problem, row);
    posteriors.fill(0, place, place + 2 * problem.pairs);
    if (!z || sequence.inputLength === 0) continue;
    forEachArrival(problem, sequence, states, row, (state, m, e) => {
      const shift = e - z.e;
      const share = m / z.m;
      // |shift| > 1 only where the posterior is far below the smallest float32
      posteriors[place + state] =
        shift === 0 ? share : shift === 1 ? share * UP : shift === -1 ? share * DOWN : 0;
    });
  }
}

const product = extended(1);
