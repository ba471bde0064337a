// Texts beside the one that is spelled: which of them the recogniser might have meant, and how likely each is.
import { collapse } from '../../../learning/best-path.js';
import type { Analysis } from './analysis.js';

/** How a text comes from the one that is spelled. */
export type Change =
  /** The text itself. */
  | { readonly kind: 'same' }
  /** What the best symbols of the frames read. */
  | { readonly kind: 'free' }
  /** Without a label, with a label twice, or with another class in its place. `at`: the label's place. */
  | { readonly kind: 'without' | 'doubled' | 'exchanged'; readonly at: number }
  /** What was heard in the place of some words. `piece`: which of the differences. */
  | { readonly kind: 'repaired'; readonly piece: number };

export interface Rival {
  readonly change: Change;
  readonly labels: readonly number[];
}

/** Texts of an exchanged label, together: each label is tried with as many classes as that leaves. */
const mostExchanges = 1000;
/** Classes that are tried in the place of each label, at least. */
const leastExchanges = 3;

/**
 * The text, the free reading, `repairs`, and texts of one label less, one
 * label twice or one label exchanged, each text once. Where there are more than `most`, those are kept that the likeliest path
 * makes likely.
 */
export function rivalsOf(analysis: Analysis, most: number, repairs: readonly Rival[] = []): Rival[] {
  const { problem, logProbs } = analysis;
  const { labels, blank } = problem;
  const free = collapse(analysis.greedy, blank);
  const estimated = labels.flatMap((_, i) => besides(analysis, i));
  estimated.sort((a, b) => b.estimate - a.estimate);
  const rivals = new Map<string, Rival>();
  const add = (rival: Rival) => {
    const key = rival.labels.join();
    if (!rivals.has(key) && rivals.size < most) rivals.set(key, rival);
  };
  add({ change: { kind: 'same' }, labels });
  if (!logProbs.some(Number.isNaN)) add({ change: { kind: 'free' }, labels: free });
  for (const rival of repairs) add(rival);
  for (const rival of estimated) add(rival);
  return [...rivals.values()];
}

/** What can stand beside the text at one label, and how much likelier that makes its likeliest path, in nats. */
function besides({ problem, logProbs, alignment }: Analysis, i: number): (Rival & { estimate: number })[] {
  const { labels, classes, blank } = problem;
  const label = labels[i]!;
  const frames = alignment
    ? [...alignment.states.keys()].filter((t) => alignment.states[t] === 2 * i + 1)
    : [];
  const gainOf = (t: number, c: number) => logProbs[t * classes + c]! - logProbs[t * classes + label]!;
  const gain = (c: number) => frames.reduce((sum, t) => sum + gainOf(t, c), 0);
  const inside = frames.slice(1, -1).map((t) => gainOf(t, blank));
  const spliced = (remove: number, ...added: number[]) => [
    ...labels.slice(0, i),
    ...added,
    ...labels.slice(i + remove),
  ];
  const others = Array.from({ length: classes }, (_, c) => ({ c, estimate: gain(c) }))
    .filter(({ c }) => c !== label && c !== blank)
    .sort((a, b) => b.estimate - a.estimate)
    .slice(0, Math.max(leastExchanges, Math.floor(mostExchanges / labels.length)));
  return [
    { change: { kind: 'without', at: i }, labels: spliced(1), estimate: gain(blank) },
    // between the two a blank has to fit
    {
      change: { kind: 'doubled', at: i },
      labels: spliced(1, label, label),
      estimate: inside.length > 0 ? Math.max(...inside) : Number.NEGATIVE_INFINITY,
    },
    ...others.map(({ c, estimate }) => ({
      change: { kind: 'exchanged' as const, at: i },
      labels: spliced(1, c),
      estimate,
    })),
  ];
}
