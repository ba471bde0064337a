import { checkInteger, isList } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { columnsOf, endsSentence, joinedText } from '../text/script.js';
import { unitsOf } from '../text/units.js';
import { oneLine, onTimeline, type Spoken, type TimedWord } from './timed.js';

export interface SubtitleOptions {
  /**
   * `caption` (default): words grouped into cues of at most two lines; `word`: a cue for each word; or how many words each cue has, or each
   * line of each cue: `[3, [2, 4]]` is a cue of a line of three words, and one of two lines.
   */
  readonly split?: 'caption' | 'word' | readonly (number | readonly number[])[] | undefined;
  /** Seconds of the recording: no cue is shown for longer. */
  readonly duration?: number | undefined;
  /** Of the text, as `Intl` names it: where words of a script without spaces begin. Default: that of the locale. */
  readonly language?: string | undefined;
  /** When the characters of the words are spoken, in order: where a word of a script without spaces may be cut. */
  readonly characters?: readonly TimedWord[] | undefined;
}

/** What subtitlers keep to: 42 columns a line, two lines, 7 seconds, and 20 columns a second to read them. */
const lineWidth = 42;
const longestCue = 7000;
const longestPause = 800;
const readColumns = 20;
/** A frame of video. */
const shortestCue = 42;

/** SubRip: cues, numbered, with a comma before the milliseconds. */
export function writeSrt(words: readonly TimedWord[], options?: SubtitleOptions): string {
  return cuesOf(words, options)
    .map((cue, i) => `${i + 1}\n${span(cue, ',')}\n${cue.lines.join('\n').replaceAll('-->', '→')}\n`)
    .join('\n');
}

/** WebVTT, https://www.w3.org/TR/webvtt1/. */
export function writeVtt(words: readonly TimedWord[], options?: SubtitleOptions): string {
  const cues = cuesOf(words, options).map((cue) => `${span(cue, '.')}\n${escaped(cue.lines.join('\n'))}\n`);
  return ['WEBVTT\n', ...cues].join('\n');
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** What is shown at once. */
interface Shown {
  /** Milliseconds. */
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

function cuesOf(words: readonly TimedWord[], options: SubtitleOptions = {}): Shown[] {
  const { split = 'caption', duration } = options;
  const whole = typeof duration === 'number' ? 1000 * duration : Number.POSITIVE_INFINITY;
  const shown = (cues: Spoken[][], longest: number, lines?: readonly (readonly string[])[]) =>
    readable(cues, longest, whole).map((cue, i): Shown => {
      const [{ start }, { end }] = [cue[0], cue.at(-1)!];
      return { start, end, lines: lines?.[i] ?? linesOf(cue) };
    });
  if (split === 'caption') return shown(captionsOf(words, options), longestCue);
  if (split === 'word')
    return shown(
      onTimeline(words).map((word) => [word]),
      Number.POSITIVE_INFINITY,
    );
  if (!isList(split)) throw wrongValue('split', "'caption', 'word' or how many words each cue has", split);
  const cues = cuesOfCounts(words, split);
  return shown(
    onTimeline(cues).map((cue) => [cue]),
    Number.POSITIVE_INFINITY,
    cues.map(({ lines }) => lines),
  );
}

/** A caption ends with its sentence, before a pause, or where it is full. */
function captionsOf(words: readonly TimedWord[], options: SubtitleOptions): Spoken[][] {
  const sentences: Spoken[][] = [];
  for (const word of onTimeline(piecesOf(words, options))) {
    const last = sentences.at(-1)?.at(-1);
    if (last && word.start - last.end <= longestPause && !endsSentence(last.text))
      sentences.at(-1)!.push(word);
    else sentences.push([word]);
  }
  return sentences.flatMap(halved);
}

/** Words that fit into a line, of scripts without spaces as well. */
function piecesOf(words: readonly TimedWord[], { language, characters = [] }: SubtitleOptions): TimedWord[] {
  // what is no list of words is refused by its name where the times are looked at
  if (!Array.isArray(words)) return words as TimedWord[];
  let at = 0;
  return words.flatMap((word: TimedWord) => {
    if (typeof word?.text !== 'string') return [word];
    const first = at;
    for (let text = ''; at < characters.length && text.length < word.text.length; at++) {
      if (!word.text.includes(characters[at].text)) break;
      text += characters[at].text;
    }
    return unitsOf(word, characters.slice(first, at), { language, widest: lineWidth });
  });
}

/** A cue for each count of words, or a line of one, though it be wider than a screen. */
function cuesOfCounts(
  words: readonly TimedWord[],
  counts: readonly (number | readonly number[])[],
): (TimedWord & { readonly lines: readonly string[] })[] {
  const lengths = Array.from(counts, (count, i) =>
    isList(count)
      ? Array.from(count, (one, j) => checkInteger(`split[${i}][${j}]`, one, 0))
      : [checkInteger(`split[${i}]`, count, 0)],
  );
  const sum = lengths.flat().reduce((all, count) => all + count, 0);
  if (!Array.isArray(words)) throw wrongKind('words', 'an array of { text, start, end }', words);
  if (sum !== words.length) throw wrongValue('split', `cues of ${words.length} words in all`, sum);
  onTimeline(words);
  let at = 0;
  return lengths.flatMap((counts) => {
    const first = at;
    const lines = counts
      .map((count) => {
        at += count;
        return oneLine(joinedText(words.slice(at - count, at)));
      })
      .filter(Boolean);
    const of = words.slice(first, at);
    if (lines.length === 0) return [];
    return { ...of[0], text: lines.join(' '), lines, end: Math.max(...of.map(({ end }) => end)) };
  });
}

/** Halves until each part fits, so that no word is left alone at the end of a long sentence. */
function halved(words: Spoken[]): Spoken[][] {
  if (words.length === 1 || fits(words)) return [words];
  const middle = words.length >> 1;
  return [...halved(words.slice(0, middle)), ...halved(words.slice(middle))];
}

function fits(cue: readonly Spoken[]): boolean {
  if (cue.at(-1)!.end - cue[0].start > longestCue) return false;
  // what is longer than two lines and the space between them is not tried at every place where it could break
  if (cue.reduce((sum, { text }) => sum + columnsOf(text), 0) > 2 * lineWidth) return false;
  return linesOf(cue).every((line) => columnsOf(line) <= lineWidth);
}

/** As long as they can be read, where nothing else is shown then; none shorter than a frame of video, and none too long. */
function readable(cues: Spoken[][], longest: number, whole: number): Spoken[][] {
  let now = 0;
  return cues.map((cue, i) => {
    const [first, last] = [cue[0], cue.at(-1)!];
    const start = Math.max(first.start, now);
    const next = cues[i + 1]?.[0].start ?? Math.max(whole, last.end);
    const columns = cue.reduce((sum, { text }) => sum + columnsOf(text), 0);
    const long = Math.max(
      last.end,
      Math.min(next, start + Math.min(longestCue, (1000 * columns) / readColumns)),
    );
    now = Math.round(Math.max(start + shortestCue, Math.min(long, start + longest)));
    if (cue.length === 1) return [{ ...first, start, end: now }];
    return [{ ...first, start }, ...cue.slice(1, -1), { ...last, end: now }];
  });
}

/** The text in one line if it fits, else in two as even as can be. */
function linesOf(cue: readonly Spoken[]): string[] {
  const whole = joinedText(cue);
  if (cue.length === 1 || columnsOf(whole) <= lineWidth) return [whole];
  const breaks = cue.slice(1).map((_, i) => [joinedText(cue.slice(0, i + 1)), joinedText(cue.slice(i + 1))]);
  const widest = (lines: string[]) => Math.max(...lines.map(columnsOf));
  return breaks.reduce((best, lines) => (widest(lines) < widest(best) ? lines : best));
}

function span({ start, end }: Shown, point: string): string {
  return `${clock(start, point)} --> ${clock(end, point)}`;
}

function clock(ms: number, point: string): string {
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((value) =>
    String(Math.floor(value)).padStart(2, '0'),
  );
  return `${hours}:${minutes}:${seconds}${point}${String(ms % 1000).padStart(3, '0')}`;
}
