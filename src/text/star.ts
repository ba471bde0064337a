import { checkChoice, checkInteger, kindOf } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import type { Transcript } from './transcript.js';

/**
 * How much less the star has where the blank is best. It must pass through the silence between the words that it stands for,
 * yet leave silence at its ends to the blank: with the same, it would spread into it; with the best of the other classes
 * alone, it would break off at the first pause.
 */
const reluctance = 0.01;

/**
 * Log-probabilities with one class more, the star of `tokenise`, which matches anything: at each frame it has the
 * log-probability of the best class (of the blank 0.01 less). So it never beats a class that is right, and its confidence
 * says how sure the model was of what it heard there.
 *
 * @param scores float32, [frames, classes]
 * @param kind what the scores are; of logits the log-softmax is taken first, in float64
 * @param transcript what `tokenise` returned: which class is its star, which the blank. Or the class of the blank alone: then
 *   nobody sees whether the star is the right class.
 * @returns log-probabilities, float32, [frames, classes + 1]. No distribution: to align, not to train.
 * @throws TypeError, RangeError for a wrong argument, and where the transcript's star is another class than that one more: its
 *   vocabulary then has to be told `classes`, how many the model has.
 */
export function withStar(
  scores: Float32Array,
  frames: number,
  classes: number,
  kind: 'logProbs' | 'logits',
  transcript: Pick<Transcript, 'star' | 'blank'> | number,
): Float32Array<ArrayBuffer> {
  if (kindOf(scores) !== 'Float32Array') throw wrongKind('scores', 'a Float32Array', scores);
  checkInteger('frames', frames, 0);
  checkInteger('classes', classes, 1);
  checkChoice('kind', kind, ['logProbs', 'logits']);
  const given = typeof transcript === 'number' ? { star: undefined, blank: transcript } : transcript;
  if (typeof given !== 'object' || given === null)
    throw wrongKind('transcript', 'what tokenise returns, or the class of the blank', transcript);
  const { star, blank } = given;
  checkInteger('transcript.blank', blank, 0, classes - 1, ' (classes − 1)');
  if (star !== undefined && checkInteger('transcript.star', star, 1) !== classes)
    throw wrongValue(
      'transcript.star',
      `class ${classes}, as Vocabulary.from(…, { classes: ${classes} }) has it`,
      star,
    );
  if (scores.length !== frames * classes)
    throw wrongValue('scores', `${frames * classes} values (frames × classes)`, scores.length);
  const starred = new Float32Array(frames * (classes + 1));
  for (let t = 0; t < frames; t++) {
    const row = scores.subarray(t * classes, (t + 1) * classes);
    const normaliser = kind === 'logits' ? logSumExp(row) : 0;
    const to = starred.subarray(t * (classes + 1), (t + 1) * (classes + 1));
    let best = -Infinity;
    row.forEach((score, c) => {
      to[c] = score - normaliser;
      best = Math.max(best, c === blank ? to[c] - reluctance : to[c]);
    });
    to[classes] = best;
  }
  return starred;
}

function logSumExp(row: Float32Array): number {
  const top = row.reduce((a, b) => Math.max(a, b), -Infinity);
  return top + Math.log(row.reduce((sum, score) => sum + Math.exp(score - top), 0));
}
