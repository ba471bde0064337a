import { wrongKind } from '../problem/errors.js';
import { mergeTokens, type TokenSpan } from '../problem/spans.js';
import { Vocabulary } from './vocabulary.js';
import { checkTiming, type TimedText, type TimedWord, type Timing, timedBy } from './words.js';

export interface Reading extends TimedText {
  readonly text: string;
}

/**
 * What the best class of each frame says (greedy, or best path decoding: Graves et al. 2006, section 3.2): repeats are one,
 * blanks nothing, delimiters spaces. White space of any kind at either end of a token parts words, as in a transcript.
 *
 * @param labels best class of each frame, [T]
 * @param scores its log-probability, [T]
 * @throws TypeError, RangeError for a wrong argument.
 */
export function readingOf(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  vocabulary: Vocabulary,
  options: Timing,
): Reading {
  if (!(vocabulary instanceof Vocabulary)) throw wrongKind('vocabulary', 'a Vocabulary', vocabulary);
  const spans = mergeTokens(labels, scores, vocabulary.blank);
  const timing = checkTiming(options, labels.length);
  let text = '';
  const words: { text: string; spans: TokenSpan[] }[] = [];
  const characters: TimedWord[] = [];
  let isNew = true;
  for (const span of spans) {
    const read = vocabulary.read(span.label);
    text += read;
    if (/^\s/u.test(read)) isNew = true;
    const spelled = read.trim();
    if (spelled === '') continue;
    characters.push(timedBy([span], spelled, timing));
    if (isNew) words.push({ text: '', spans: [] });
    isNew = /\s$/u.test(read);
    const word = words[words.length - 1];
    word.text += spelled;
    word.spans.push(span);
  }
  return {
    text: text.trim(),
    words: words.map((word) => timedBy(word.spans, word.text, timing)),
    characters,
  };
}
