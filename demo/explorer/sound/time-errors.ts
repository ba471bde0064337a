// How far words lie from where a reference has them.
import type { TimedWord } from 'webgpu-ctc/text';
import { differenceOf } from '../engine/difference.js';
import type { ReferenceWord } from '../sources/source.js';

/** Milliseconds by which a word begins and ends after its reference: below 0 before it. Undefined where the reference does not say. */
export interface TimeError {
  readonly start?: number;
  readonly end?: number;
}

/** Of all errors of one kind, in milliseconds. */
export interface Summary {
  readonly count: number;
  /** With their signs: below 0 where most run ahead. */
  readonly bias: number;
  // of their sizes
  readonly median: number;
  readonly mean: number;
  /** 95 of 100 are at most so large; between two of them in proportion. */
  readonly percentile95: number;
}

export interface TimeErrors {
  /** Of each word; undefined where the reference does not have it, or it was not aligned. */
  readonly errors: readonly (TimeError | undefined)[];
  readonly starts: Summary | undefined;
  readonly ends: Summary | undefined;
  /** Words that are the same in both. */
  readonly matched: number;
  /** Words that the reference does not have, and such as it alone has. */
  readonly extra: readonly string[];
  readonly missing: readonly string[];
}

/** Words of one times words of the other that are compared. */
const mostCompared = 2e7;

/** What of a word counts: its letters and digits, in any case. */
function keyOf(word: string): string {
  const letters = word
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]/gu, '');
  return letters || word;
}

/** @throws RangeError where there are too many words to tell which belong together. */
export function timeErrors(words: readonly TimedWord[], reference: readonly ReferenceWord[]): TimeErrors {
  if (words.length * reference.length > mostCompared)
    throw new RangeError(
      `expected at most ${mostCompared.toLocaleString('en')} pairs of words, got ${words.length} × ${reference.length}`,
    );
  const ids = new Map<string, number>();
  const idOf = ({ text }: { readonly text: string }) => {
    const key = keyOf(text);
    if (!ids.has(key)) ids.set(key, ids.size);
    return ids.get(key)!;
  };
  const errors = words.map((): TimeError | undefined => undefined);
  const [extra, missing]: [string[], string[]] = [[], []];
  let matched = 0;
  for (const { same, text, heard } of differenceOf(words.map(idOf), reference.map(idOf))) {
    if (!same) {
      extra.push(...words.slice(text.first, text.end).map((word) => word.text));
      missing.push(...reference.slice(heard.first, heard.end).map((word) => word.text));
      continue;
    }
    for (let i = text.first; i < text.end; i++) {
      matched++;
      const word = words[i]!;
      const { start, end } = reference[heard.first + i - text.first]!;
      // what no label spells has no time of its own
      if (word.aligned === false) continue;
      errors[i] = {
        ...(start !== undefined && { start: 1000 * (word.start - start) }),
        ...(end !== undefined && { end: 1000 * (word.end - end) }),
      };
    }
  }
  const of = (edge: 'start' | 'end') => errors.flatMap((error) => error?.[edge] ?? []);
  return { errors, starts: summaryOf(of('start')), ends: summaryOf(of('end')), matched, extra, missing };
}

/** The larger of both errors of a word. */
export const worstOf = (error: TimeError | undefined): number =>
  Math.max(Math.abs(error?.start ?? -1), Math.abs(error?.end ?? -1));

function summaryOf(errors: readonly number[]): Summary | undefined {
  if (errors.length === 0) return undefined;
  const ordered = errors.toSorted((a, b) => a - b);
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  return {
    count: errors.length,
    bias: quantile(ordered, 0.5),
    median: quantile(sizes, 0.5),
    mean: sizes.reduce((sum, size) => sum + size, 0) / sizes.length,
    percentile95: quantile(sizes, 0.95),
  };
}

/** Between two values in proportion, as NumPy has it by default. */
function quantile(ordered: readonly number[], q: number): number {
  const place = q * (ordered.length - 1);
  const low = Math.floor(place);
  const next = ordered[Math.min(low + 1, ordered.length - 1)]!;
  return ordered[low]! + (place - low) * (next - ordered[low]!);
}
