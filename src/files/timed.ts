import { wrongKind, wrongValue } from '../problem/errors.js';

/** A word, or a character, and when it is spoken. */
export interface TimedWord {
  readonly text: string;
  /** Seconds. */
  readonly start: number;
  /** Seconds. */
  readonly end: number;
  /** From 0 to 1. */
  readonly confidence?: number;
  /** Whether no space stands between it and the word before. */
  readonly joined?: boolean;
}

/** A word as files have it: one line of text, whole milliseconds. */
export interface Spoken {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly confidence?: number;
  readonly joined?: boolean;
}

/** Whole milliseconds beyond this are no longer told apart. */
const latest = Math.floor(Number.MAX_SAFE_INTEGER / 1000);

/** Seconds, from `least` to what a file can hold. */
export function checkSeconds(argument: string, seconds: unknown, least: number, what = ''): void {
  const expected = `seconds ≥ ${least}${what}`;
  if (typeof seconds !== 'number') throw wrongKind(argument, expected, seconds);
  if (!(seconds >= least && seconds < Infinity)) throw wrongValue(argument, expected, seconds);
  if (seconds > latest) throw wrongValue(argument, `seconds ≤ ${latest}`, seconds);
}

/**
 * Words as all formats can hold them: rounded to milliseconds once, one after another, none shorter than 1 ms, none without text.
 * Where two overlap, the earlier ends as the later starts.
 *
 * @throws TypeError, RangeError naming the word and the field.
 */
export function onTimeline(words: readonly TimedWord[], argument = 'words'): Spoken[] {
  if (!Array.isArray(words)) throw wrongKind(argument, 'an array of { text, start, end }', words);
  // a gap in the list, too, is no word
  for (const [i, word] of (words as readonly (TimedWord | null)[]).entries()) {
    if (typeof word !== 'object' || word === null)
      throw wrongKind(`${argument}[${i}]`, '{ text, start, end }', word);
    const { text, start, end, confidence } = word;
    if (typeof text !== 'string') throw wrongKind(`${argument}[${i}].text`, 'a string', text);
    const earliest = words[i - 1]?.start ?? 0;
    checkSeconds(
      `${argument}[${i}].start`,
      start,
      earliest,
      i === 0 ? '' : ' (the start of the word before)',
    );
    checkSeconds(`${argument}[${i}].end`, end, start, ' (its start)');
    // posteriors summed in float32 may come out a little above 1
    if (confidence !== undefined && typeof confidence !== 'number')
      throw wrongKind(`${argument}[${i}].confidence`, 'a number from 0 to 1', confidence);
    if (confidence !== undefined && !(confidence >= 0 && confidence < 1.0005))
      throw wrongValue(`${argument}[${i}].confidence`, 'a number from 0 to 1', confidence);
  }
  const spoken = words
    .map((word) => ({ ...word, text: oneLine(word.text) }))
    .filter(({ text }) => text !== '');
  let now = 0;
  return spoken.map((word, i) => {
    const start = Math.max(now, milliseconds(word.start));
    const next = milliseconds(spoken[i + 1]?.start ?? Infinity);
    now = Math.max(start + 1, Math.min(milliseconds(word.end), next));
    return { ...word, start, end: now };
  });
}

/** Text without line breaks, controls and spaces at its ends. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp} ]+/gu, ' ').trim();

export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** Seconds with three decimals. */
export function decimal(ms: number): string {
  return (ms / 1000).toFixed(3);
}
