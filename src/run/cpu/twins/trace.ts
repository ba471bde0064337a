import type { Kernel } from '../buffers.js';
import { Sequence } from '../sequence.js';
import { NO_END, wayPlace, weights } from '../ways.js';

/** Twin of shaders/trace.wgsl. */
export const trace: Kernel = (problem, _dispatch, { targets, labels, ways, ends, masks }, integer) => {
  for (let part = 0; part < problem.count; part++) {
    const n = problem.firstSequence + part;
    const sequence = new Sequence(problem, targets, n);
    let s = ends[part];
    const first = problem.boxFrame + integer * problem.segment;
    if (first === 0) masks[part] = 0;
    if (s >= NO_END) continue;
    const end = Math.min(first + problem.segment, problem.boxEnd, sequence.inputLength);
    for (let k = end - 1; k >= first; k--) {
      labels[n * problem.frames + k] = s;
      const pair = s >>> 1;
      const ofFour = Math.floor(
        ways[wayPlace(problem, part, k, pair)] / weights[(k - problem.emissionFrame) % 3],
      );
      const way = Math.floor((ofFour % 1296) / 6 ** (3 - (pair & 3))) % 6;
      if (k > 0) s -= s & 1 ? way >> 1 : way & 1;
    }
    ends[part] = s;
  }
};
