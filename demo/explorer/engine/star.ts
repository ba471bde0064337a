// A label that stands for anything: a class behind those of the recogniser, at the price that the library's aligner gives its star.
import { STAR } from 'webgpu-ctc/text';
import { logSumExp } from '../../../learning/best-path.js';
import type { Problem } from './analysis.js';

/** How far it lies below the best class of a frame, in nats: below the blank, and below any other. */
const below = { blank: 0.01, other: 0.02 } as const;

/** How it is shown. */
export const starName = '*';

/**
 * The problem with the star as its last class where `STAR` is among the labels, else as it is. A star has a price beside all
 * classes of its frame, so that these are no distribution any more: scores are given as log-probabilities.
 */
export function withStar(problem: Problem): Problem {
  if (!problem.labels.includes(STAR)) return problem;
  const { logits, frames, classes, blank, labels } = problem;
  const star = { c: classes, logits };
  const scores = new Float32Array(frames * (classes + 1));
  for (let t = 0; t < frames; t++) {
    const row = logits.subarray(t * classes, (t + 1) * classes);
    const normaliser = logSumExp(row);
    const best = row[bestOf(problem, t)]!;
    row.forEach((x, c) => {
      scores[t * (classes + 1) + c] = x - normaliser;
    });
    const price = best === row[blank] ? below.blank : below.other;
    scores[t * (classes + 1) + classes] = best - price - normaliser;
  }
  const own = labels.map((label) => (label === STAR ? classes : label));
  return { ...problem, classes: classes + 1, labels: own, logits: scores, star };
}

/** The class whose score the star has, nearly: of equal ones the blank. */
function bestOf(
  { logits, classes, blank }: Pick<Problem, 'logits' | 'classes' | 'blank'>,
  t: number,
): number {
  let best = blank;
  for (let c = 0; c < classes; c++) if (logits[t * classes + c]! > logits[t * classes + best]!) best = c;
  return best;
}

/**
 * The gradient of the loss by the recogniser's logits, [frames, classes], from softmax − posterior of all classes. What a star is
 * worth comes from the best class of its frame: its share of the paths pulls there. The star itself is no score, and has none.
 */
export function gradientWithStar(
  { star, frames, classes, blank }: Problem,
  logProbs: Float32Array,
  grad: Float32Array<ArrayBuffer>,
): Float32Array<ArrayBuffer> {
  if (!star) return grad;
  const own = { logits: star.logits, classes: classes - 1, blank };
  const moved = grad.slice();
  for (let t = 0; t < frames; t++) {
    const at = t * classes + star.c;
    moved[t * classes + bestOf(own, t)]! -= Math.exp(logProbs[at]!) - grad[at]!;
    moved[at] = 0;
  }
  return moved;
}

/** Classes as the library's aligner takes them, and gives them back. */
export const toAligner = (labels: Iterable<number>, { star }: Problem): number[] =>
  Array.from(labels, (c) => (c === star?.c ? STAR : c));
export const fromAligner = (labels: Int32Array, { star }: Problem): Int32Array =>
  star ? labels.map((c) => (c === STAR ? star.c : c)) : labels;
