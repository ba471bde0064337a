import type { ScoresKey } from './check.js';
import { wrongValue } from './errors.js';

/**
 * The largest score of a frame.
 * @param where the frame is, for errors
 * @throws RangeError for a NaN, for +Infinity, for a probability below 0, and for logits of which none is finite
 */
export function checkRow(
  kind: ScoresKey,
  scores: ArrayLike<number>,
  start: number,
  classes: number,
  where: string,
): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < classes; c++) {
    const score = scores[start + c]!;
    if (!(score < Number.POSITIVE_INFINITY) || (kind === 'probs' && score < 0))
      throw wrongValue(kind, `finite scores in ${where}`, score);
    if (score > largest) largest = score;
  }
  if (kind === 'logits' && largest === Number.NEGATIVE_INFINITY)
    throw wrongValue(kind, `a finite score in ${where}`, largest);
  return largest;
}

/**
 * Natural logarithms of the probabilities of a frame's classes, in float64. NaN among the scores, or +Infinity among logits, is in the answer.
 * @param start where in `scores` the frame begins, and `at` where in `logs`
 */
export function rowLogs(
  kind: ScoresKey,
  scores: ArrayLike<number>,
  start: number,
  classes: number,
  logs: Float64Array,
  at: number,
): void {
  let normaliser = 0;
  if (kind === 'logits') {
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, scores[start + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(scores[start + c]! - largest);
    normaliser = largest + Math.log(sum);
  }
  for (let c = 0; c < classes; c++) {
    const score = scores[start + c]!;
    logs[at + c] = kind === 'probs' ? Math.log(score) : score - normaliser;
  }
}
