import { FRAME, INFEASIBLE, type Kernel, REGULAR, TOTAL } from '../buffers.js';
import { expDown } from '../exponential.js';
import * as middle from '../middle.js';
import * as pairs from '../pairs.js';
import * as quads from '../quads.js';
import { Sequence } from '../sequence.js';
import * as whole from '../whole.js';

/** Twin of shaders/gradient.wgsl. */
export const gradient: Kernel = (problem, { grid, constants }, bindings) => {
  const { targets, scores, frames, lattice, totals, gradOutput, grad } = bindings;
  const { sweepOf, stepOf, isHeld } = constants.MIDDLE ? middle : whole;
  const { addPosteriors } = constants.MIDDLE ? quads : pairs;
  const { SOFTMAX, LOGITS } = constants;
  const { classes } = problem;
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const part = n - problem.firstSequence;
    const sequence = new Sequence(problem, targets, n);
    const status = totals[n * TOTAL.words + TOTAL.status];
    const weight = totals[n * TOTAL.words + TOTAL.weight] * gradOutput[n * problem.gradOutputStride];
    const slots = Int32Array.from({ length: sequence.targetLength }, (_, i) => sequence.slotAt(i));
    const classOf = Int32Array.from({ length: sequence.slots }, (_, slot) => sequence.classOf(slot));
    const sums = new Float64Array(sequence.slots);
    for (let t = problem.boxFrame; t < problem.boxEnd; t++) {
      const row = t * problem.frameStride + n * problem.sequenceStride - problem.firstRow;
      if (row < 0 || row >= problem.rowCount) continue;
      const start = row * classes;
      const end = start + classes;
      const used = t < sequence.inputLength;
      // unused frames belong to the first slice
      if (!isHeld(problem, used ? stepOf(sequence, sweepOf(sequence, t), t) : 0)) continue;
      if (!used || status !== REGULAR) {
        const none = !used || (status === INFEASIBLE && problem.zeroInfinity !== 0);
        grad.fill(none ? 0 : Number.NaN, start, end);
        continue;
      }
      sums.fill(0);
      addPosteriors(problem, lattice, sequence, part, t, slots, sums);
      let sum = 0;
      for (let slot = 0; slot < sums.length; slot++) sum += sums[slot];

      // a zero times the weight is never −0, and NaN where the weight is Infinity
      const frame = (part * problem.frames + t) * FRAME.words;
      const unit = frames[frame + FRAME.unit];
      const normaliser = frames[frame + FRAME.normaliser];
      if (!SOFTMAX) grad.fill(0 * weight + 0, start, end);
      else if (LOGITS) softmax(grad, scores, start, end, unit, weight / normaliser);
      else exponentials(grad, scores, start, end, weight);
      for (let slot = 0; slot < sums.length; slot++) {
        const c = start + classOf[slot];
        let p = 0;
        if (SOFTMAX) p = LOGITS ? expDown(scores[c] - unit) / normaliser : exp(scores[c]);
        grad[c] = (p - sums[slot] / sum) * weight + 0;
      }
    }
  }
};

function softmax(
  grad: Float32Array,
  scores: Float32Array,
  start: number,
  end: number,
  unit: number,
  factor: number,
) {
  for (let c = start; c < end; c++) grad[c] = expDown(scores[c] - unit) * factor + 0;
}

function exponentials(grad: Float32Array, scores: Float32Array, start: number, end: number, weight: number) {
  for (let c = start; c < end; c++) grad[c] = exp(scores[c]) * weight + 0;
}

/** exp(x) as the gradient, which is float32, can have it. */
function exp(x: number): number {
  return x < 88 ? expDown(x) : expUp(x);
}

function expUp(x: number): number {
  const p = Math.exp(x);
  return p >= 2 ** 128 ? Number.POSITIVE_INFINITY : p;
}
