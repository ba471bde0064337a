import { checkInteger, isList } from './check.js';
import { wrongKind, wrongValue } from './errors.js';
import { STAR } from './star.js';

/** One label of an alignment. */
export interface TokenSpan {
  /** Class of the label, or `STAR`. */
  readonly label: number;
  /** First frame. */
  readonly start: number;
  /** Frame after the last. */
  readonly end: number;
  /** Mean of the frames' scores: of log-probabilities, the mean log-probability. */
  readonly score: number;
}

/**
 * The labels of a path with the frames that they cover, with the semantics of `torchaudio.functional.merge_tokens`: equal
 * labels that follow each other are one span, blanks none. The spans of an alignment are its targets, one for one, since a
 * path has a blank between two equal labels. Frames with a negative label, which lie beyond the input, are passed over; those of the star are a
 * span.
 *
 * @param labels class at each frame, [T]
 * @param scores score of that class at each frame, [T]
 * @throws TypeError, RangeError if the two are not lists of the same length, or not of numbers.
 */
export function mergeTokens(labels: ArrayLike<number>, scores: ArrayLike<number>, blank = 0): TokenSpan[] {
  if (!isList(labels)) throw wrongKind('labels', 'the class of each frame', labels);
  if (!isList(scores)) throw wrongKind('scores', 'the score of each frame', scores);
  if (scores.length !== labels.length)
    throw wrongValue('scores', `${labels.length} values, one for each frame of labels`, scores.length);
  checkInteger('blank', blank, 0);
  const spans: TokenSpan[] = [];
  for (let start = 0, end = 0; start < labels.length; start = end) {
    const label = labels[start]!;
    if (!Number.isInteger(label))
      throw wrongValue(`labels[${start}]`, 'a class, or a negative integer', label);
    let sum = 0;
    for (; end < labels.length && labels[end] === label; end++) {
      if (typeof scores[end] !== 'number') throw wrongKind(`scores[${end}]`, 'a number', scores[end]);
      sum += scores[end]!;
    }
    if (label !== blank && (label >= 0 || label === STAR))
      spans.push({ label, start, end, score: sum / (end - start) });
  }
  return spans;
}
