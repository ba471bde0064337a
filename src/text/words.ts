import { checkChoice, checkInteger, checkObject, isList } from '../problem/check.js';
import { shown, wrongKind, wrongValue } from '../problem/errors.js';
import { mergeTokens, type TokenSpan } from '../problem/spans.js';
import { STAR } from '../problem/star.js';
import { howMuch, type Transcript } from './transcript.js';

/** A stretch of text and when it was spoken. */
export interface TimedWord {
  readonly text: string;
  /** Seconds. */
  readonly start: number;
  /** Seconds. */
  readonly end: number;
  /** Geometric mean of the probabilities of its labels over their frames, from 0 to 1, whatever stands for what has none; 0 without labels. */
  readonly confidence: number;
  /**
   * Whether its labels spell it: `'part'` where a star stands for a part of it, false where it has none. Its times are then those of the star; or,
   * where nobody says it or the star heard nothing, those between its neighbours.
   */
  readonly aligned: boolean | 'part';
  /** Whether no space stands between it and the word before, as in a text without spaces. */
  readonly joined?: boolean;
}

/** The words of a text and their parts, each with its times. */
export interface TimedText {
  readonly words: TimedWord[];
  /** What each label spells, usually a letter; in the words of a vocabulary of pieces, a piece. */
  readonly characters: TimedWord[];
}

/** What makes seconds of frames. */
export interface Timing {
  /** Seconds from one frame to the next. */
  readonly frameSeconds: number;
  /** When the first frame begins, for a part of a longer recording. Default 0. */
  readonly offsetSeconds?: number;
}

/** Options of `wordsOf`. */
export interface WordsOptions extends Timing {
  /**
   * Where characters end and begin: `'labels'`, the default, at the frames that their labels take, of which CTC models often need one alone; or
   * `'midpoints'`, in the middle between them and their neighbours in the same word, nearer to what is seen of a glyph, or heard.
   */
  readonly spans?: 'labels' | 'midpoints' | undefined;
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
  aligned: boolean | 'part' = true,
): TimedWord {
  let [frames, sum] = [0, 0];
  for (const { label, start, end, score } of spans) {
    // what a star heard says nothing of the text
    if (label === STAR && aligned !== true) continue;
    frames += end - start;
    sum += (end - start) * score;
  }
  return {
    text,
    start: offsetSeconds + spans[0].start * frameSeconds,
    end: offsetSeconds + spans[spans.length - 1].end * frameSeconds,
    // a log-probability may be rounded to one above 0
    confidence: frames === 0 ? 0 : Math.min(1, Math.exp(sum / frames)),
    aligned,
  };
}

/**
 * When each word and character of a transcript was spoken. A word without targets gets the time between its neighbours
 * (several share it by length; at either end up to the beginning or end of the input), as do all words where no path exists.
 *
 * @throws TypeError, RangeError for a wrong argument, or if the path is not one of the transcript's targets.
 */
export function wordsOf(transcript: Transcript, path: Path, options: WordsOptions): TimedText {
  checkTranscript(transcript);
  if (typeof path !== 'object' || path === null) throw wrongKind('path', '{ labels, scores }', path);
  const { targets, wordOf, textOf, blank } = transcript;
  const spans = mergeTokens(path.labels, path.scores, blank);
  checkObject('options', options, ['frameSeconds', 'offsetSeconds', 'spans']);
  const { spans: where = 'labels', ...times } = options;
  checkChoice('spans', where, ['labels', 'midpoints']);
  const timing = checkTiming(times, path.labels.length);
  const frames = Array.from(path.labels).filter((label) => label !== -1).length;
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
  const words = transcript.words.map((text, w) => {
    const of = ofWord[w];
    const aligned = transcript.spelled?.[w] ?? of.length > 0;
    return of.length > 0 && !(aligned === false && heardNothing(of))
      ? timedBy(of, text, timing, aligned)
      : text;
  });
  shareStars(words, transcript);
  const end = timing.offsetSeconds + (frames || path.labels.length) * timing.frameSeconds;
  return {
    words: placed(words, timing.offsetSeconds, end),
    characters: characters.map(({ word, text, spans }, i) => {
      const timed = timedBy(spans, text, timing, transcript.spelled?.[word] === true || howMuch(spans));
      if (where === 'labels') return timed;
      const [before, after] = [characters[i - 1], characters[i + 1]];
      const at = (frame: number) => timing.offsetSeconds + frame * timing.frameSeconds;
      return {
        ...timed,
        ...(before?.word === word && { start: at((before.spans.at(-1)!.end + spans[0].start) / 2) }),
        ...(after?.word === word && { end: at((spans.at(-1)!.end + after.spans[0].start) / 2) }),
      };
    }),
  };
}

/** Words that are not spelled, one after another without a delimiter, have one star for all: they share its time by length. */
function shareStars(words: (TimedWord | string)[], { spelled, wordOf, targets }: Transcript): void {
  const stars = new Set(wordOf.filter((_, i) => targets[i] === STAR));
  words.forEach((first, w) => {
    if (typeof first === 'string' || first.aligned !== false) return;
    let end = w + 1;
    while (
      end < words.length &&
      typeof words[end] === 'string' &&
      spelled?.[end] === false &&
      !stars.has(end)
    )
      end++;
    const texts = words.slice(w, end).map((word) => (typeof word === 'string' ? word : word.text));
    const lengths = texts.map((text) => (/[\p{L}\p{N}]/u.test(text) ? text.length : 0));
    const all = lengths.reduce((sum, length) => sum + length, 0);
    if (end === w + 1 || all === 0) return;
    let start = first.start;
    texts.forEach((text, i) => {
      const to = start + ((first.end - first.start) * lengths[i]) / all;
      words[w + i] = { ...first, text, start, end: i === texts.length - 1 ? first.end : to };
      start = to;
    });
  });
}

/** A star takes a frame, though it be of silence: where in the silence says nothing. */
const heardNothing = (spans: readonly TokenSpan[]) => spans.every(({ start, end }) => end - start === 1);

function checkTranscript(transcript: Transcript): void {
  if (typeof transcript !== 'object' || transcript === null || !isList(transcript.targets))
    throw wrongKind('transcript', 'what tokenise returns', transcript);
  const { words, targets, wordOf, textOf, spelled, blank } = transcript;
  if (!Array.isArray(words)) throw wrongKind('transcript.words', 'an array of words', words);
  for (const [w, word] of words.entries())
    if (typeof word !== 'string') throw wrongKind(`transcript.words[${w}]`, 'a word', word);
  checkInteger('transcript.blank', blank, 0);
  if (spelled !== undefined && !(Array.isArray(spelled) && spelled.length === words.length))
    throw wrongKind('transcript.spelled', 'an array of a value for each word', spelled);
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

/** Seconds that a letter takes, at the least, where nothing is known of its word. */
const secondsPerLetter = 0.06;

/**
 * Gives the words that are text alone the time between their neighbours. Before the first word that is known, and behind the last, there may
 * be silence of any length: there they lie next to it, as long as it takes to say them.
 */
function placed(words: readonly (TimedWord | string)[], begin: number, end: number): TimedWord[] {
  const isKnown = (word: TimedWord | string) => typeof word !== 'string';
  const [first, last] = [words.findIndex(isKnown), words.findLastIndex(isKnown)];
  const lengthOf = (from: number, to: number) =>
    words.slice(from, to).reduce((sum, word) => sum + (word as string).length, 0);
  const spoken = (from: number, to: number) => secondsPerLetter * lengthOf(from, to);
  if (first >= 0) {
    begin = Math.max(begin, (words[first] as TimedWord).start - spoken(0, first));
    end = Math.min(end, (words[last] as TimedWord).end + spoken(last + 1, words.length));
  }
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
