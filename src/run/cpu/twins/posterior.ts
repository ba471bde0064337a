import { type Kernel, REGULAR, TOTAL } from '../buffers.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/posterior.wgsl. */
export const posterior: Kernel = (problem, { grid }, { targets, lattice, totals }) => {
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const sequence = new Sequence(problem, targets, n);
    const regular = totals[n * TOTAL.words + TOTAL.status] === REGULAR;
    for (let t = problem.boxFrame; t < Math.min(problem.boxEnd, sequence.inputLength); t++) {
      const row =
        (n - problem.firstSequence) * problem.alphaRows + ((t - problem.alphaFrame) % problem.alphaRows);
      const place = 2 * problem.pairs * row;
      const from = place + 2 * sequence.firstPair(t);
      const end = place + 2 * sequence.lastPair(t) + 2;
      let sum = 0;
      for (let state = from; state < end; state++) sum += lattice.m[state];
      for (let state = from; state < end; state++)
        lattice.m[state] = regular ? lattice.m[state] / sum : Number.NaN;
    }
  }
};
