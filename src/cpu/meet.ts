import { forEachArrival, stateRow } from './arrivals.js';
import { type Kernel, REGULAR, TOTAL } from './buffers.js';
import { DOWN, UP } from './extended.js';
import { Sequence } from './sequence.js';

/** Twin of shaders/meet.wgsl. */
export const meet: Kernel = (problem, { grid }, { targets, states, totals, posteriors }) => {
  for (let row = 0; row < grid[1]; row++) {
    const n = problem.firstSequence + (row >> 1);
    const sequence = new Sequence(problem, targets, n);
    const place = stateRow(problem, row);
    posteriors.fill(0, place, place + 2 * problem.pairs);
    const total = n * TOTAL.words;
    if (sequence.inputLength === 0 || totals[total + TOTAL.status] !== REGULAR) continue;
    const zm = totals[total + TOTAL.zm];
    const ze = totals[total + TOTAL.ze];
    forEachArrival(problem, sequence, states, row, (state, m, e) => {
      const shift = e - ze;
      const share = m / zm;
      // |shift| > 1 only where the posterior is far below the smallest float32
      posteriors[place + state] =
        shift === 0 ? share : shift === 1 ? share * UP : shift === -1 ? share * DOWN : 0;
    });
  }
};
