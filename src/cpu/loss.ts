import { FRAME, INFEASIBLE, INVALID, type Kernel, REGULAR, TOTAL } from './buffers.js';
import { aligned, ln } from './extended.js';
import { Sequence } from './sequence.js';

/** Twin of shaders/loss.wgsl. */
export const loss: Kernel = (problem, { grid, constants }, { targets, frames, ends, totals }) => {
  for (let part = 0; part < grid[0]; part++) {
    const n = problem.firstSequence + part;
    const sequence = new Sequence(problem, targets, n);
    let scale = 0;
    let invalid = false;
    for (let t = 0; t < sequence.inputLength; t++) {
      const frame = (part * problem.frames + t) * FRAME.words;
      scale += constants.LOGITS ? -frames[frame + FRAME.lnNormaliser] : frames[frame + FRAME.unit];
      invalid ||= frames[frame + FRAME.invalid] !== 0;
    }
    let zm = 1;
    let ze = 0;
    if (sequence.inputLength > 0) {
      const e0 = ends.e[2 * part];
      const e1 = ends.e[2 * part + 1];
      ze = Math.max(e0, e1);
      zm = aligned(ends.m[2 * part], e0, ze) + aligned(ends.m[2 * part + 1], e1, ze);
    }
    const status = invalid ? INVALID : !sequence.feasible || zm === 0 ? INFEASIBLE : REGULAR;
    const infinity = problem.zeroInfinity ? 0 : Number.POSITIVE_INFINITY;
    const place = n * TOTAL.words;
    totals[place + TOTAL.zm] = zm;
    totals[place + TOTAL.ze] = ze;
    totals[place + TOTAL.scale] = scale;
    totals[place + TOTAL.status] = status;
    totals[place + TOTAL.loss] =
      status === REGULAR ? 0 - (scale + ln(zm, ze)) : status === INVALID ? Number.NaN : infinity;
    totals[place + TOTAL.weight] = problem.mean
      ? 1 / (problem.sequences * Math.max(sequence.targetLength, 1))
      : 1;
  }
};
