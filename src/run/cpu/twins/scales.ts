import { FRAME, type Kernel } from '../buffers.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/scales.wgsl. */
export const scales: Kernel = (problem, { grid, constants }, bindings) => {
  for (let part = 0; part < grid[0]; part++) {
    const sequence = new Sequence(problem, bindings.targets, problem.firstSequence + part);
    let sum = 0;
    for (let t = 0; t < sequence.inputLength; t++) {
      const frame = (part * problem.frames + t) * FRAME.words;
      sum += constants.LOGITS
        ? -bindings.frames[frame + FRAME.lnNormaliser]
        : bindings.frames[frame + FRAME.unit];
      bindings.scales[part * problem.frames + t] = sum;
    }
  }
};
