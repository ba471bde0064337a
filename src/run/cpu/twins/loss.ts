import * as arrivals from '../arrivals.js';
import { FRAME, INFEASIBLE, INVALID, type Kernel, REGULAR, TOTAL } from '../buffers.js';
import * as ends from '../ends.js';
import { ln } from '../extended.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/loss.wgsl. */
export const loss: Kernel = (problem, { grid, constants }, bindings) => {
  const { targets, frames, totals } = bindings;
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
    let z = { m: 1, e: 0 };
    if (sequence.inputLength > 0)
      z = constants.MIDDLE
        ? arrivals.pathsOf(problem, sequence, bindings.states, part)
        : ends.pathsOf(bindings.ends, part);
    const status = invalid ? INVALID : !sequence.feasible || z.m === 0 ? INFEASIBLE : REGULAR;
    const infinity = problem.zeroInfinity ? 0 : Number.POSITIVE_INFINITY;
    const place = n * TOTAL.words;
    totals[place + TOTAL.zm] = z.m;
    totals[place + TOTAL.ze] = z.e;
    totals[place + TOTAL.scale] = scale;
    totals[place + TOTAL.status] = status;
    const loss = 0 - (scale + ln(z.m, z.e));
    // of logits a path's probability is at most 1, whatever rounding made of it
    const finite = constants.LOGITS ? Math.max(loss, 0) : loss;
    totals[place + TOTAL.loss] = status === REGULAR ? finite : status === INVALID ? Number.NaN : infinity;
    totals[place + TOTAL.weight] = problem.mean
      ? 1 / (problem.sequences * Math.max(sequence.targetLength, 1))
      : 1;
    if (constants.STORE) {
      const { states, posteriors } = bindings;
      arrivals.shareOut(problem, sequence, states, posteriors, part, status === REGULAR ? z : undefined);
    }
  }
};
