// The words of two texts side by side.

import { differenceOf } from '../engine/difference.js';
import type { Beside } from '../engine/engine.js';
import { fitsOf, type LabelFit } from '../engine/label-fits.js';
import type { Source } from '../sources/source.js';
import { type Stars, spelledIn } from '../sources/spelled.js';

export interface SpokenWord {
  readonly text: string;
  /** Its classes. */
  readonly key: string;
  /** The place of its first label. */
  readonly label: number;
  /** Geometric mean of the probabilities in its frames; none where there is no path, or it stands for anything. */
  readonly confidence?: number;
}

/** The words of a text that are spelled. */
export function wordsIn(
  { vocabulary, classes }: Source,
  text: string,
  stars: Stars,
  beside: Pick<Beside, 'problem' | 'logProbs' | 'alignment'>,
): SpokenWord[] {
  const { words, targets, wordOf } = spelledIn(text, vocabulary, stars);
  const { blank, star, labels } = beside.problem;
  const kept = [...targets.keys()].filter((i) => targets[i] !== blank && targets[i]! < classes);
  const fits = beside.alignment && fitsOf(beside);
  return words.flatMap((word, w) => {
    const own = [...kept.keys()].filter((label) => wordOf[kept[label]!] === w);
    if (own.length === 0) return [];
    const isStar = own.every((label) => labels[label] === star?.c);
    const spoken = fits && !isStar ? own.map((label) => fits[label]!) : undefined;
    const sum = (of: (fit: LabelFit) => number) => spoken!.reduce((all, fit) => all + of(fit), 0);
    const logs = ({ first, end, confidence }: LabelFit) => (end - first) * Math.log(confidence);
    const confidence = spoken && Math.exp(sum(logs) / sum(({ first, end }) => end - first));
    return {
      ...{ text: word, key: own.map((label) => labels[label]).join(), label: own[0]! },
      ...(confidence !== undefined && { confidence }),
    };
  });
}

export interface WordRow {
  readonly same: boolean;
  readonly one: SpokenWord | undefined;
  readonly two: SpokenWord | undefined;
}

/** Rows that are all shown; of more those near a difference, and so many beside each. */
const [fewRows, around] = [30, 2];

/** Words that go together in a row each; `more` for words that are the same, far from any difference. */
export function rowsOf(own: readonly SpokenWord[], others: readonly SpokenWord[]): (WordRow | 'more')[] {
  const ids = new Map<string, number>();
  const idOf = ({ key }: SpokenWord) => {
    if (!ids.has(key)) ids.set(key, ids.size);
    return ids.get(key)!;
  };
  const rows = differenceOf(own.map(idOf), others.map(idOf)).flatMap(({ same, text, heard }) =>
    Array.from({ length: Math.max(text.end - text.first, heard.end - heard.first) }, (_, i): WordRow => {
      const [a, b] = [text.first + i, heard.first + i];
      return { same, one: a < text.end ? own[a] : undefined, two: b < heard.end ? others[b] : undefined };
    }),
  );
  if (rows.length <= fewRows) return rows;
  const isNear = (i: number) => rows.slice(Math.max(0, i - around), i + around + 1).some(({ same }) => !same);
  return rows.flatMap((row, i): (WordRow | 'more')[] =>
    isNear(i) ? [row] : i === 0 || isNear(i - 1) ? ['more'] : [],
  );
}
