import { likeliest } from '../../../lm/likeliest.js';
import type { Bindings, Kernel } from '../buffers.js';
import { Sequence } from '../sequence.js';
import { lookAt } from '../twins/rows.js';
import { NO_LABEL } from '../twins/spell.js';
import { floatOf } from './bits.js';

/** What a search has besides. */
export interface Tops extends Bindings {
  readonly topLabels: Uint32Array;
  readonly topScores: Float32Array;
}

/** In place of a log-probability where there is none. */
const LOWEST = -3.4028234663852886e38;

/** Twin of shaders/prune.wgsl. */
export const prune: Kernel = (problem, { grid, constants }, bindings) => {
  const { targets, scores, topLabels, topScores } = bindings as Tops;
  const tops = constants.TOPS as number;
  const leastLikely = floatOf(constants.LEAST_TOKEN as number);
  const labels = new Int32Array(tops);
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const sequence = new Sequence(problem, targets, n);
    const end = Math.min(problem.boxEnd, sequence.inputLength);
    for (let t = problem.boxFrame; t < end; t++) {
      const row = t * problem.frameStride + n * problem.sequenceStride - problem.firstRow;
      if (row < 0 || row >= problem.rowCount) continue;
      const start = row * problem.classes;
      const count = likeliest(scores, start, problem.classes, labels);
      const { largest, rest } = lookAt(scores, start, start + problem.classes);
      const normaliser = constants.LOGITS ? Math.log1p(rest) + largest : 0;
      const isNone = !(largest < Number.POSITIVE_INFINITY) || (constants.LOGITS && !(rest >= 0)) || count < 0;
      const place = ((n - problem.firstSequence) * problem.frames + t) * tops;
      for (let i = 0; i < tops; i++) {
        const score = i < count ? scores[start + labels[i]!]! - normaliser : Number.NEGATIVE_INFINITY;
        const isLikely = !isNone && score > Number.NEGATIVE_INFINITY && (i === 0 || score >= leastLikely);
        topLabels[place + i] = isLikely ? labels[i]! : NO_LABEL;
        topScores[place + i] = isLikely ? score : LOWEST;
      }
      const listed = topLabels.subarray(place, place + tops);
      const score = scores[start + problem.blank]! - normaliser;
      const isThere = tops === 1 || listed.includes(problem.blank);
      if (isNone || isThere || score === Number.NEGATIVE_INFINITY) continue;
      const first = listed.indexOf(NO_LABEL);
      const last = place + (first < 0 ? tops - 1 : first);
      topLabels[last] = problem.blank;
      topScores[last] = score;
    }
  }
};
