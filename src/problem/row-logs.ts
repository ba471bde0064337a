import type { ScoresKey } from './check.js';

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
