import { belowBest, STAR } from '../../../problem/star.js';
import { FRAME, type Kernel } from '../buffers.js';
import { Sequence } from '../sequence.js';
import { NO_END } from '../ways.js';

/** In place of a class, where there is no answer. */
export const NO_LABEL = 2 ** 32 - 1;

/** Twin of shaders/spell.wgsl. */
export const spell: Kernel = (problem, { grid, constants }, bindings) => {
  const { targets, scores, frames, labels, labelScores, ends } = bindings;
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const part = n - problem.firstSequence;
    const sequence = new Sequence(problem, targets, n);
    for (let t = problem.boxFrame; t < problem.boxEnd; t++) {
      const row = t * problem.frameStride + n * problem.sequenceStride - problem.firstRow;
      if (row < 0 || row >= problem.rowCount) continue;
      const place = n * problem.frames + t;
      const used = t < sequence.inputLength;
      if (!used || ends[part] >= NO_END) {
        labels[place] = NO_LABEL;
        labelScores[place] = used && ends[part] > NO_END ? Number.NaN : 0;
        continue;
      }
      const s = labels[place];
      const c = sequence.classOf(s & 1 ? sequence.slotAt(s >> 1) : 0);
      const frame = (part * problem.frames + t) * FRAME.words;
      labels[place] = c;
      const isStar = c === STAR >>> 0;
      const largest = frames[frame + FRAME.unit];
      const below = belowBest(scores[row * problem.classes + problem.blank] === largest);
      const score = isStar ? largest - below : scores[row * problem.classes + c];
      // in this order: beside a large unit the normaliser would be nothing
      labelScores[place] = constants.LOGITS
        ? score - frames[frame + FRAME.unit] - frames[frame + FRAME.lnNormaliser]
        : score;
    }
  }
};
