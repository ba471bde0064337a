import { FRAME, type Kernel } from '../buffers.js';
import { Sequence } from '../sequence.js';
import { NO_END } from '../ways.js';

/** Twin of shaders/arrive.wgsl. */
export const arrive: Kernel = (problem, { grid }, { targets, frames, stateCosts, ends }) => {
  for (let part = 0; part < grid[0]; part++) {
    const sequence = new Sequence(problem, targets, problem.firstSequence + part);
    let invalid = 0;
    for (let t = 0; t < sequence.inputLength; t++)
      invalid |= frames[(part * problem.frames + t) * FRAME.words + FRAME.invalid];
    const labels = sequence.targetLength;
    const row = 2 * part * problem.pairs;
    let end = 2 * labels;
    let cost = Number.POSITIVE_INFINITY;
    if (sequence.feasible && sequence.inputLength > 0) {
      // with a frame for each label and none to spare, no path comes to the last blank
      if (labels < sequence.inputLength) cost = stateCosts[row + labels];
      const label = labels > 0 ? stateCosts[row + problem.pairs + labels - 1] : Number.POSITIVE_INFINITY;
      if (labels > 0 && !(cost < label)) {
        end--;
        cost = label;
      }
    }
    ends[part] = invalid || cost === Number.POSITIVE_INFINITY ? NO_END + invalid : end;
  }
};
