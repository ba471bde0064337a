import { INFEASIBLE, INVALID, type Kernel, TOTAL } from '../buffers.js';

/** Twin of shaders/reduce.wgsl. */
export const reduce: Kernel = (problem, { constants }, { totals, losses }) => {
  let sum = 0;
  let infinite = false;
  let invalid = false;
  for (let n = 0; n < problem.sequences; n++) {
    const place = n * TOTAL.words;
    const loss = totals[place + TOTAL.loss];
    if (!constants.REDUCE) losses[n] = loss;
    infinite ||= totals[place + TOTAL.status] === INFEASIBLE && problem.zeroInfinity === 0;
    invalid ||= totals[place + TOTAL.status] === INVALID;
    sum += loss * totals[place + TOTAL.weight];
  }
  if (constants.REDUCE) losses[0] = invalid ? Number.NaN : infinite ? Number.POSITIVE_INFINITY : sum;
};
