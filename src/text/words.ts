import { checkInteger, checkObject, isList } from '../problem/check.js';
import { shown, wrongKind, wrongValue } from '../problem/errors.js';
import { mergeTokens, type TokenSpan } from '../problem/spans.js';
import type { Transcript } from './transcript.js';

/** A stretch of text and when it was spoken. */
export interface TimedWord {
  readonly text: string;
  /** Seconds. */
  readonly start: number;
  /** Seconds. */
  readonly end: number;
  /** Geometric mean of the probabilities of its labels over their frames, from 0 to 1; 0 without labels. */
  readonly confidence: number;
  /** False where the alignment says nothing about it, and the times are those between its neighbours. */
  readonly aligned: boolean;
}

export interface TimedText {
  readonly words: TimedWord[];
  /** What each label spells, usually a letter; in the words of a vocabulary of pieces, a piece. */
  readonly characters: TimedWord[];
}

export interface Timing {
  /** Seconds from one frame to the next. */
  readonly frameSeconds: number;
  /** When the first frame begins, for a part of a longer recording. Default 0. */
  readonly offsetSeconds?: number;
}

/** Class of the path at each frame (−1 beyond the input) and its log-probability, [T] each. */
export interface Path {
  readonly labels: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
}

/** @param frames of the path, so that all its times are numbers */
export function checkTiming(options: Timing, frames: number): Required<Timing> {
  checkObject('options', options, ['frameSeconds', 'offsetSeconds']);
  const { frameSeconds, offsetSeconds = 0 } = options;
  if (typeof frameSeconds !== 'number') throw wrongKind('frameSeconds', 'seconds', frameSeconds);
  if (!(frameSeconds > 0 && frameSeconds < Infinity))
    throw wrongValue('frameSeconds', 'seconds > 0', frameSeconds);
  if (typeof offsetSeconds !== 'number') throw wrongKind('offsetSeconds', 'seconds', offsetSeconds);
  if (!Number.isFinite(offsetSeconds)) throw wrongValue('offsetSeconds', 'seconds', offsetSeconds);
  if (!Number.isFinite(offsetSeconds + frames * frameSeconds))
    throw wrongValue('frameSeconds', `seconds of which ${frames} frames have a finite sum`, frameSeconds);
  return { frameSeconds, offsetSeconds };
}

/** What spans of frames, in order and at least one, say of the text that they spell. */
export function timedBy(
  spans: readonly TokenSpan[],
  text: string,
  { frameSeconds, offsetSeconds }: Required<Timing>,
): TimedWord {
  let [frames, sum] = [0, 0];
  for (const { start, end, score } of spans) {
    frames += end - start;
    sum += (end - start) * score;
  }
  return {
    text,
    start: offsetSeconds + spans[0].start * frameSeconds,
    end: offsetSeconds + spans[spans.length - 1].end * frameSeconds,
    // a log-probability may be rounded to one above 0
    confidence: Math.min(1, Math.exp(sum / frames)),
    aligned: true,
  };
}

/**
 * When each word and character of a transcript was spoken. A word without targets gets the time between its neighbours
 * (several share it by length; at either end up to the beginning or end of the input), as do all words where no path exists.
 *
 * @throws TypeError, RangeError for a wrong argument, or if the path is not one of the transcript's targets.
 */
export function wordsOf(transcript: Transcript, path: Path, options: Timing): TimedText {
  checkTranscript(transcript);
  if (typeof path !== 'object' || path === null) throw wrongKind('path', '{ labels, scores }', path);
  const { targets, wordOf, textOf, blank } = transcript;
  const spans = mergeTokens(path.labels, path.scores, blank);
  const timing = checkTiming(options, path.labels.length);
  const frames = Array.from(path.labels).filter((label) => label >= 0).length;
  if (frames > 0 && (spans.length !== targets.length || spans.some(({ label }, i) => label !== targets[i])))
    throw wrongValue(
      'labels',
      `a path of the transcript's targets, ${shown(targets)}`,
      spans.map(({ label }) => label),
    );

  const ofWord = transcript.words.map((): TokenSpan[] => []);
  const characters: { word: number; text: string; spans: TokenSpan[] }[] = [];
  spans.forEach((span, i) => {
    const word = wordOf[i];
    if (word < 0) return;
    ofWord[word].push(span);
    const before = characters[characters.length - 1];
    if (textOf[i] === '' && before?.word === word) before.spans.push(span);
    else characters.push({ word, text: textOf[i], spans: [span] });
  });
  const words = transcript.words.map((text, w) =>
    ofWord[w].length > 0 ? timedBy(ofWord[w], text, timing) : text,
  );
  const end = timing.offsetSeconds + (frames || path.labels.length) * timing.frameSeconds;
  return {
    words: placed(words, timing.offsetSeconds, end),
    characters: characters.map(({ text, spans }) => timedBy(spans, text, timing)),
  };
}

function checkTranscript(transcript: Transcript): void {
  if (typeof transcript !== 'object' || transcript === null || !isList(transcript.targets))
    throw wrongKind('transcript', 'what tokenise returns', transcript);
  const { words, targets, wordOf, textOf, star, blank } = transcript;
  if (!Array.isArray(words)) throw wrongKind('transcript.words', 'an array of words', words);
  for (const [w, word] of words.entries())
    if (typeof word !== 'string') throw wrongKind(`transcript.words[${w}]`, 'a word', word);
  checkInteger('transcript.blank', blank, 0);
  // of version 0.1 it was whether there is one
  if (star !== undefined && typeof star !== 'boolean') checkInteger('transcript.star', star, 1);
  for (const [name, list] of Object.entries({ wordOf, textOf })) {
    if (!isList(list)) throw wrongKind(`transcript.${name}`, 'an array', list);
    if (list.length !== targets.length)
      throw wrongValue(`transcript.${name}`, `${targets.length} values, one for each target`, list.length);
  }
  for (let i = 0; i < targets.length; i++) {
    checkInteger(`transcript.wordOf[${i}]`, wordOf[i], -1, words.length - 1, ' (its last word)');
    if (typeof textOf[i] !== 'string') throw wrongKind(`transcript.textOf[${i}]`, 'text', textOf[i]);
  }
}

/** Gives the words that are text alone the time between their neighbours. */
function placed(words: readonly (TimedWord | string)[], begin: number, end: number): TimedWord[] {
  let [until, length] = [end, 0];
  const rooms = words.toReversed().map((word) => {
    length = typeof word === 'string' ? length + word.length : 0;
    if (typeof word !== 'string') until = word.start;
    return { until, length };
  });
  rooms.reverse();
  let start = begin;
  return words.map((word, w) => {
    if (typeof word === 'string') {
      const room = rooms[w];
      const rest = ((room.until - start) * (room.length - word.length)) / room.length;
      const to = Math.max(start, room.until - rest);
      word = { text: word, start, end: to, confidence: 0, aligned: false };
    }
    start = word.end;
    return word;
  });
}
