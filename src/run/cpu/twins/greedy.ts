import type { Kernel } from '../buffers.js';
import { Sequence } from '../sequence.js';
import { lookAt } from './rows.js';
import { NO_LABEL } from './spell.js';

/** Twin of shaders/greedy.wgsl. */
export const greedy: Kernel = (problem, { grid, constants }, { targets, scores, labels, labelScores }) => {
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const sequence = new Sequence(problem, targets, n);
    for (let t = problem.boxFrame; t < problem.boxEnd; t++) {
      const row = t * problem.frameStride + n * problem.sequenceStride - problem.firstRow;
      if (row < 0 || row >= problem.rowCount) continue;
      const place = n * problem.frames + t;
      labels[place] = NO_LABEL;
      labelScores[place] = 0;
      if (t >= sequence.inputLength) continue;
      const start = row * problem.classes;
      const end = start + problem.classes;
      let best = start;
      let some = true;
      for (let i = start; i < end; i++) {
        if (scores[i] > scores[best]) best = i;
        if (Number.isNaN(scores[i])) some = false;
      }
      if (constants.LOGITS && !Number.isFinite(scores[best])) some = false;
      labelScores[place] = !some
        ? Number.NaN
        : constants.LOGITS
          ? -Math.log1p(lookAt(scores, start, end).rest)
          : scores[best];
      if (some) labels[place] = best - start;
    }
  }
};
