import { checkObject } from '../check.js';
import { wrongKind, wrongValue } from '../errors.js';
import type { TimedWord } from './words.js';

const endsSentence = /[.!?…。！？؟।]["'”’»)\]]*$/u;

/**
 * Words in sentences: one ends with a full stop, an exclamation or question mark, or before a pause. Its confidence is the
 * mean of its aligned words', weighted by how long they take, and so are its times theirs; a sentence without any is not
 * aligned.
 *
 * @param options.pauseSeconds silence that ends a sentence if it is longer. Default 1.
 * @throws TypeError, RangeError for a wrong argument.
 */
export function segmentsOf(
  words: readonly TimedWord[],
  options: { readonly pauseSeconds?: number } = {},
): TimedWord[] {
  if (!Array.isArray(words)) throw wrongKind('words', 'an array of words', words);
  for (const [w, word] of words.entries()) checkWord(word, w);
  checkObject('options', options, ['pauseSeconds']);
  const { pauseSeconds = 1 } = options;
  if (typeof pauseSeconds !== 'number') throw wrongKind('pauseSeconds', 'seconds', pauseSeconds);
  if (!(pauseSeconds >= 0)) throw wrongValue('pauseSeconds', 'seconds ≥ 0', pauseSeconds);
  const sentences: TimedWord[][] = [];
  let ended = true;
  let silentFrom = Infinity;
  for (const word of words) {
    if (ended || (word.aligned && word.start - silentFrom > pauseSeconds)) sentences.push([]);
    sentences[sentences.length - 1].push(word);
    ended = endsSentence.test(word.text);
    if (word.aligned) silentFrom = word.end;
  }
  return sentences.map(segmentOf);
}

function checkWord(word: unknown, w: number): void {
  if (typeof word !== 'object' || word === null) throw wrongKind(`words[${w}]`, 'a timed word', word);
  const kinds = { text: 'string', start: 'number', end: 'number', confidence: 'number', aligned: 'boolean' };
  for (const [key, kind] of Object.entries(kinds)) {
    const value: unknown = Reflect.get(word, key);
    if (typeof value !== kind) throw wrongKind(`words[${w}].${key}`, `a ${kind}`, value);
  }
}

function segmentOf(words: readonly TimedWord[]): TimedWord {
  const aligned = words.filter((word) => word.aligned);
  const timed = aligned.length > 0 ? aligned : words;
  const seconds = aligned.reduce((sum, { start, end }) => sum + end - start, 0);
  const sure = aligned.reduce((sum, { start, end, confidence }) => sum + (end - start) * confidence, 0);
  return {
    text: words.map(({ text }) => text).join(' '),
    start: timed[0].start,
    end: timed[timed.length - 1].end,
    confidence: aligned.length > 0 ? Math.min(1, sure / seconds) : 0,
    aligned: aligned.length > 0,
  };
}
