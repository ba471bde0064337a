// The words of the best path and their seconds; some moved by hand.
import { type TimedText, type TimedWord, wordsOf } from 'webgpu-ctc/text';
import type { Analysis } from '../engine/analysis.js';
import { toAligner } from '../engine/star.js';
import type { Source } from '../sources/source.js';
import { type Stars, spelledIn } from '../sources/spelled.js';

/** None where there is no path, or nobody knows how long a frame is. */
export function wordsIn(
  { alignment, problem }: Pick<Analysis, 'alignment' | 'problem'>,
  source: Source,
  { text, ...stars }: Stars & { readonly text: string },
): TimedText | undefined {
  const { frameSeconds, vocabulary } = source;
  if (!alignment || frameSeconds === undefined) return undefined;
  const transcript = { ...spelledIn(text, vocabulary, stars), blank: problem.blank };
  // another class may have been made the blank: what it spelled is left out
  if (transcript.targets.length !== problem.labels.length) return undefined;
  const labels = toAligner(alignment.labels, problem);
  return wordsOf(transcript, { labels, scores: alignment.scores }, { frameSeconds });
}

/** Times of words, by their places, that somebody has set. */
export type Moved = ReadonlyMap<number, { readonly start: number; readonly end: number }>;

/** What was moved, after the text has changed: words of before and after are the same from both ends on, and those between, if as many. */
export function carried(moved: Moved, before: readonly string[], after: readonly string[]): Moved {
  const more = after.length - before.length;
  const shorter = Math.min(before.length, after.length);
  let same = 0;
  while (same < shorter && before[same] === after[same]) same++;
  let last = 0;
  while (last < shorter - same && before.at(-1 - last) === after.at(-1 - last)) last++;
  return new Map(
    [...moved].flatMap(([i, times]) => {
      if (i < same || more === 0) return [[i, times]];
      return i >= before.length - last ? [[i + more, times]] : [];
    }),
  );
}

/** The words, some of them with other times, and their characters stretched with them. What was not moved gives way. */
export function withMoved({ words, characters }: TimedText, moved: Moved): TimedText {
  const stretched = [...characters];
  const changed = words.map((word, i): TimedWord => {
    const to = moved.get(i) ?? between(word, moved.get(i - 1)?.end, moved.get(i + 1)?.start);
    if (to.start === word.start && to.end === word.end) return word;
    const scale = (to.end - to.start) / (word.end - word.start);
    characters.forEach((character, k) => {
      if (character.start < word.start || character.end > word.end) return;
      const at = (seconds: number) => to.start + scale * (seconds - word.start);
      stretched[k] = { ...character, start: at(character.start), end: at(character.end) };
    });
    return { ...word, ...to };
  });
  return { words: changed, characters: stretched };
}

function between({ start, end }: TimedWord, from = start, to = end): { start: number; end: number } {
  const first = Math.max(start, from);
  return { start: first, end: Math.max(first, Math.min(end, to)) };
}
