// The words of the best path and their seconds; some moved by hand.
import { type TimedText, type TimedWord, wordsOf } from 'webgpu-ctc/text';
import type { Analysis } from '../engine/analysis.js';
import type { Source } from '../sources/source.js';
import { spelledIn } from '../sources/spelled.js';

/** None where there is no path, or nobody knows how long a frame is. */
export function wordsIn(analysis: Analysis, source: Source, text: string): TimedText | undefined {
  const { alignment, problem } = analysis;
  const { frameSeconds, vocabulary } = source;
  if (!alignment || frameSeconds === undefined) return undefined;
  const transcript = { ...spelledIn(text, vocabulary), blank: problem.blank };
  // another class may have been made the blank: what it spelled is left out
  if (transcript.targets.length !== problem.labels.length) return undefined;
  return wordsOf(transcript, alignment, { frameSeconds });
}

/** The words, some of them with other times, and their characters stretched with them. */
export function withMoved(
  { words, characters }: TimedText,
  moved: ReadonlyMap<number, { readonly start: number; readonly end: number }>,
): TimedText {
  const stretched = [...characters];
  const changed = words.map((word, i): TimedWord => {
    const to = moved.get(i);
    if (!to) return word;
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
