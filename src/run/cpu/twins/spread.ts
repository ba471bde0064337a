import { stateRow } from '../arrivals.js';
import { edgeOf, hasRight, labelsOf, spanOf } from '../block.js';
import type { Kernel } from '../buffers.js';
import { lastStep, stepRow } from '../middle.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/spread.wgsl; instead of the blanks of four pairs it sums those of a pair and all to its right. */
export const spread: Kernel = (
  problem,
  { grid, constants },
  { targets, posteriors, edges, lattice },
  integer,
) => {
  const size = 4 * (constants.LANES as number);
  const { pairs } = problem;
  for (let row = 0; row < grid[1]; row++) {
    const sweep = row % 2;
    const sequence = new Sequence(problem, targets, problem.firstSequence + (row >> 1));
    const { skips } = labelsOf(problem, sequence, sweep);
    const place = stateRow(problem, row);
    const blankOf = posteriors.subarray(place, place + pairs);
    const labelOf = posteriors.subarray(place + pairs, place + 2 * pairs);
    for (let group = 0; group < grid[0]; group++) {
      for (let block = (group + 1) * problem.blocks - 1; block >= group * problem.blocks; block--) {
        const left = block * size;
        const span = spanOf(problem, sequence, lastStep(sequence, sweep), integer - group, left, size);
        for (let k = span.end - 1; k >= span.first; k--) {
          const first = Math.max(left, sequence.firstPair(k));
          const last = Math.min(left + size - 1, sequence.lastPair(k));
          const at = stepRow(problem, row, k);
          let right = 0;
          let blanks = 0;
          if (hasRight(sequence, left + size, k)) {
            right = edges.m[edgeOf(problem, row, block + 1, size, k)];
            blanks = lattice[at + pairs + left + size];
          }
          for (let i = last; i >= first; i--) {
            const blank = blankOf[i];
            const label = labelOf[i];
            const stayed = lattice[at + pairs + i] * label;
            const rest = label - stayed;
            const skipped = skips[i] * rest;
            const x = blank + skipped;
            const toLeft = lattice[at + i] * x;
            lattice[at + i] = label;
            blanks += blank;
            lattice[at + pairs + i] = blanks;
            blankOf[i] = x - toLeft + (rest - skipped);
            labelOf[i] = stayed + right;
            right = toLeft;
          }
          if (first > left) labelOf[first - 1] = right;
          else edges.m[edgeOf(problem, row, block, size, k)] = right;
        }
      }
    }
  }
};
