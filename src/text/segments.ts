import { checkObject } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { endsSentence, joinedText } from './script.js';
import type { TimedWord } from './words.js';

/**
 * Words in sentences: one ends with a full stop, an exclamation or question mark, or before a pause. Its confidence is the
 * mean of its aligned words', weighted by how long they take, or plain where they take no time, and so are its times theirs; a
 * sentence without any is not aligned.
 *
 * @param words in the order of their starts; they may overlap
 * @param options.pauseSeconds silence that ends a sentence if it is longer. Default 1.
 * @throws TypeError, RangeError for a wrong argument.
 */
export function segmentsOf(
  words: readonly TimedWord[],
  options: { readonly pauseSeconds?: number } = {},
): TimedWord[] {
  if (!Array.isArray(words)) throw wrongKind('words', 'an array of words', words);
  for (let w = 0; w < words.length; w++) checkWord(words[w], w, words[w - 1]);
  checkObject('options', options, ['pauseSeconds']);
  const { pauseSeconds = 1 } = options;
  if (typeof pauseSeconds !== 'number') throw wrongKind('pauseSeconds', 'seconds', pauseSeconds);
  if (!(pauseSeconds >= 0)) throw wrongValue('pauseSeconds', 'seconds ≥ 0', pauseSeconds);
  const sentences: TimedWord[][] = [];
  let ended = true;
  let spokenUntil: number | undefined;
  for (const word of words) {
    if (ended || (word.aligned && word.start - (spokenUntil ?? Infinity) > pauseSeconds)) sentences.push([]);
    sentences[sentences.length - 1].push(word);
    ended = endsSentence(word.text);
    if (word.aligned) spokenUntil = Math.max(spokenUntil ?? word.end, word.end);
  }
  return sentences.map(segmentOf);
}

function checkWord(word: unknown, w: number, before?: TimedWord): void {
  if (typeof word !== 'object' || word === null) throw wrongKind(`words[${w}]`, 'a timed word', word);
  const kinds = { text: 'string', start: 'number', end: 'number', confidence: 'number' };
  for (const [key, kind] of Object.entries(kinds)) {
    const value: unknown = Reflect.get(word, key);
    if (typeof value !== kind) throw wrongKind(`words[${w}].${key}`, `a ${kind}`, value);
  }
  const { start, end, confidence, aligned } = word as TimedWord;
  if (typeof aligned !== 'boolean' && aligned !== 'part')
    throw wrongKind(`words[${w}].aligned`, "a boolean, or 'part'", aligned);
  if (!Number.isFinite(start)) throw wrongValue(`words[${w}].start`, 'seconds', start);
  if (before && start < before.start)
    throw wrongValue(`words[${w}].start`, `seconds ≥ ${before.start} (the start of the word before)`, start);
  if (!(end >= start && end < Infinity))
    throw wrongValue(`words[${w}].end`, `seconds ≥ ${start} (its start)`, end);
  if (!(confidence >= 0 && confidence <= mostConfidence))
    throw wrongValue(`words[${w}].confidence`, 'a number from 0 to 1', confidence);
}

/** Posteriors summed in float32 may come out a little above 1. */
const mostConfidence = 1.0005;

function segmentOf(words: readonly TimedWord[]): TimedWord {
  const aligned = words.filter((word) => word.aligned !== false);
  const timed = aligned.length > 0 ? aligned : words;
  return {
    text: joinedText(words),
    start: timed[0].start,
    end: timed.reduce((last, { end }) => Math.max(last, end), timed[0].end),
    confidence: meanConfidence(aligned),
    aligned: aligned.length > 0,
  };
}

/** The mean of the words' confidences, weighted by how long they take, or plain where they take no time; 0 of no words. */
export function meanConfidence(aligned: readonly TimedWord[]): number {
  if (aligned.length === 0) return 0;
  const inAll = aligned.reduce((sum, { start, end }) => sum + end - start, 0);
  const weightOf = ({ start, end }: TimedWord) => (inAll > 0 && inAll < Infinity ? end - start : 1);
  const weights = aligned.reduce((sum, word) => sum + weightOf(word), 0);
  const sure = aligned.reduce((sum, word) => sum + weightOf(word) * word.confidence, 0);
  return Math.min(1, sure / weights);
}
