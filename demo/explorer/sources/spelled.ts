import { STAR, type Transcript, tokenise, type Vocabulary } from 'webgpu-ctc/text';

/** The letters and signs of a text that no symbol spells, each once. */
export function unspelledIn(text: string, vocabulary: Vocabulary): string[] {
  const parts = text.split(/\s+/u).flatMap((word) => vocabulary.spell(word));
  return [...new Set(parts.filter(({ label }) => label === STAR).map(({ text }) => text))];
}

/** Where anything may be said: for a `*` of the text, and before and behind it. */
export interface Stars {
  readonly star: boolean;
  readonly free: boolean;
}

/**
 * A text with stars where they are asked for, and then also for what cannot be spelled, as `webgpu-ctc align` has it; else without what
 * cannot be spelled. Words that are left out keep their place among the words.
 */
export function spelledIn(text: string, vocabulary: Vocabulary, { star, free }: Stars): Transcript {
  if (star || free)
    return tokenise(text, vocabulary, { star: star ? '*' : undefined, freeStart: free, freeEnd: free });
  const { words, spelled = [] } = tokenise(text, vocabulary);
  const kept = words.flatMap((_, w) => (spelled[w] === false ? [] : [w]));
  const { blank, ...part } = tokenise(kept.map((w) => words[w]).join(' '), vocabulary);
  const places = part.targets.flatMap((label, i) => (label === STAR ? [] : [i]));
  return {
    ...{ words, blank, spelled: spelled.map((whole) => whole !== false) },
    targets: places.map((i) => part.targets[i]!),
    wordOf: places.map((i) => kept[part.wordOf[i]!] ?? -1),
    textOf: places.map((i) => part.textOf[i]!),
  };
}

/** What labels spell, as one types it; what is none of the vocabulary's is a star. Tokens that are numbers are set apart where the vocabulary has no space, letters are not. */
export function textOfLabels(labels: readonly number[], vocabulary: Vocabulary): string {
  const tokens = labels.map((label) => (label < vocabulary.size ? vocabulary.read(label) : '*'));
  const areNumbers = vocabulary.delimiter === undefined && tokens.every((token) => /^\d+$/.test(token));
  return tokens.join(areNumbers ? ' ' : '').trim();
}
