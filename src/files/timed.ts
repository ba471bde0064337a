import { wrongKind, wrongValue } from '../errors.js';

/** A word, or a character, and when it is spoken. */
export interface TimedWord {
  readonly text: string;
  /** Seconds. */
  readonly start: number;
  /** Seconds. */
  readonly end: number;
  /** From 0 to 1. */
  readonly confidence?: number;
}

/** A word as files have it: one line of text, whole milliseconds. */
export interface Spoken {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly confidence?: number;
}

/**
 * Words as all formats can hold them: rounded to milliseconds once, one after another, none shorter than 1 ms, none without text.
 * Where two overlap, the earlier ends as the later starts.
 *
 * @throws TypeError, RangeError naming the word and the field.
 */
export function onTimeline(words: readonly TimedWord[], argument = 'words'): Spoken[] {
  words.forEach(({ text, start, end, confidence }, i) => {
    if (typeof text !== 'string') throw wrongKind(`${argument}[${i}].text`, 'a string', text);
    const earliest = words[i - 1]?.start ?? 0;
    if (!(start >= earliest && start < Infinity))
      throw wrongValue(
        `${argument}[${i}].start`,
        i === 0 ? 'seconds ≥ 0' : `seconds ≥ ${earliest} (the start of the word before)`,
        start,
      );
    if (!(end >= start && end < Infinity))
      throw wrongValue(`${argument}[${i}].end`, `seconds ≥ ${start} (its start)`, end);
    // posteriors summed in float32 may come out a little above 1
    if (confidence !== undefined && !(confidence >= 0 && confidence < 1.0005))
      throw wrongValue(`${argument}[${i}].confidence`, 'a number from 0 to 1', confidence);
  });
  const spoken = words
    .map((word) => ({ ...word, text: word.text.replace(/[\p{Cc}\p{Zl}\p{Zp} ]+/gu, ' ').trim() }))
    .filter(({ text }) => text !== '');
  let now = 0;
  return spoken.map((word, i) => {
    const start = Math.max(now, milliseconds(word.start));
    const next = milliseconds(spoken[i + 1]?.start ?? Infinity);
    now = Math.max(start + 1, Math.min(milliseconds(word.end), next));
    return { ...word, start, end: now };
  });
}

export function milliseconds(seconds: number): number {
  return Math.round(seconds * 1000);
}

/** Seconds with three decimals. */
export function decimal(ms: number): string {
  return (ms / 1000).toFixed(3);
}
