import { wrongValue } from '../problem/errors.js';
import { onTimeline, type Spoken, type TimedWord } from './timed.js';

export interface SubtitleOptions {
  /** `caption` (default): words grouped into cues of at most two lines; `word`: a cue for each word. */
  readonly split?: 'caption' | 'word';
}

/** What subtitlers keep to: 42 characters a line, two lines, 7 seconds. */
const lineWidth = 42;
const longestCue = 7000;
const longestPause = 800;
const sentenceEnd = /[.!?…。！？]["'”’»)\]]*$/u;

/** SubRip: cues, numbered, with a comma before the milliseconds. */
export function writeSrt(words: readonly TimedWord[], options?: SubtitleOptions): string {
  return cuesOf(words, options)
    .map((cue, i) => `${i + 1}\n${span(cue, ',')}\n${linesOf(cue).join('\n').replaceAll('-->', '→')}\n`)
    .join('\n');
}

/** WebVTT, https://www.w3.org/TR/webvtt1/. */
export function writeVtt(words: readonly TimedWord[], options?: SubtitleOptions): string {
  const cues = cuesOf(words, options).map(
    (cue) => `${span(cue, '.')}\n${escaped(linesOf(cue).join('\n'))}\n`,
  );
  return ['WEBVTT\n', ...cues].join('\n');
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function cuesOf(words: readonly TimedWord[], { split = 'caption' }: SubtitleOptions = {}): Spoken[][] {
  if (split !== 'caption' && split !== 'word') throw wrongValue('split', "'caption' or 'word'", split);
  const spoken = onTimeline(words);
  if (split === 'word') return spoken.map((word) => [word]);
  const sentences: Spoken[][] = [];
  for (const word of spoken) {
    const last = sentences.at(-1)?.at(-1);
    if (last && word.start - last.end <= longestPause && !sentenceEnd.test(last.text))
      sentences.at(-1)!.push(word);
    else sentences.push([word]);
  }
  return sentences.flatMap(halved);
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
  if (cue.reduce((sum, { text }) => sum + 1 + width(text), -1) > 2 * lineWidth + 1) return false;
  return linesOf(cue).every((line) => width(line) <= lineWidth);
}

const width = (line: string) => [...line].length;

/** The text in one line if it fits, else in two as even as can be. */
function linesOf(cue: readonly Spoken[]): string[] {
  const texts = cue.map(({ text }) => text);
  const whole = [texts.join(' ')];
  if (texts.length === 1 || width(whole[0]) <= lineWidth) return whole;
  const breaks = texts
    .slice(1)
    .map((_, i) => [texts.slice(0, i + 1).join(' '), texts.slice(i + 1).join(' ')]);
  const widest = (lines: string[]) => Math.max(...lines.map(width));
  return breaks.reduce((best, lines) => (widest(lines) < widest(best) ? lines : best));
}

function span(cue: readonly Spoken[], point: string): string {
  return `${clock(cue[0].start, point)} --> ${clock(cue.at(-1)!.end, point)}`;
}

function clock(ms: number, point: string): string {
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1000) % 60].map((value) =>
    String(Math.floor(value)).padStart(2, '0'),
  );
  return `${hours}:${minutes}:${seconds}${point}${String(ms % 1000).padStart(3, '0')}`;
}
