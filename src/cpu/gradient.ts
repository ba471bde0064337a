import { FRAME, INFEASIBLE, type Kernel, REGULAR, TOTAL } from './buffers.js';
import { Sequence } from './sequence.js';

/** Twin of shaders/gradient.wgsl. */
export const gradient: Kernel = (problem, { grid, constants }, bindings) => {
  const { targets, scores, frames, lattice, totals, gradOutput, grad } = bindings;
  const { classes, blank } = problem;
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const part = n - problem.firstSequence;
    const sequence = new Sequence(problem, targets, n);
    const status = totals[n * TOTAL.words + TOTAL.status];
    const weight = totals[n * TOTAL.words + TOTAL.weight] * gradOutput[n * problem.gradOutputStride];
    for (let t = problem.boxFrame; t < problem.boxEnd; t++) {
      const row = t * problem.frameStride + n * problem.sequenceStride - problem.firstRow;
      if (row < 0 || row >= problem.rowCount) continue;
      const start = row * classes;
      const used = t < sequence.inputLength;
      if (!used || status !== REGULAR) {
        const none = !used || (status === INFEASIBLE && problem.zeroInfinity !== 0);
        grad.fill(none ? 0 : Number.NaN, start, start + classes);
        continue;
      }
      const place =
        2 *
        (problem.labels + 1) *
        (part * problem.alphaRows + ((t - problem.alphaFrame) % problem.alphaRows));
      const first = sequence.firstPair(t);
      const last = sequence.lastPair(t);
      let blanks = 0;
      let labels = 0;
      for (let i = first; i <= last; i++) {
        blanks += lattice.m[place + 2 * i];
        labels += lattice.m[place + 2 * i + 1];
      }
      const sum = blanks + labels;
      const frame = (part * problem.frames + t) * FRAME.words;
      const unit = frames[frame + FRAME.unit];
      const normaliser = frames[frame + FRAME.normaliser];
      const softmax = (x: number) => {
        if (constants.LOGITS) return Math.exp(x - unit) / normaliser;
        const p = Math.exp(x);
        // the gradient is float32
        return p >= 2 ** 128 ? Number.POSITIVE_INFINITY : p;
      };
      const write = (c: number, posterior: number) => {
        const value = constants.SOFTMAX ? softmax(scores[start + c]) - posterior : -posterior;
        grad[start + c] = value === 0 && Number.isFinite(weight) ? 0 : value * weight;
      };
      for (let c = 0; c < classes; c++) write(c, 0);
      write(blank, blanks / sum);
      sequence.forEachClass((label, from, end) => {
        let posterior = 0;
        for (let j = from; j < end; j++) {
          const i = sequence.place(j);
          if (i >= first && i <= last) posterior += lattice.m[place + 2 * i + 1];
        }
        write(label, posterior / sum);
      });
    }
  }
};
