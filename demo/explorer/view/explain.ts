// What a state means, in words and in numbers.
import {
  type Analysis,
  type Cell,
  type CellValues,
  classAt,
  frameOf,
  isPossible,
  numberOf,
  type Problem,
  predecessors,
  reachOf,
  statesOf,
} from '../engine/analysis.js';
import { countPaths, leastFrames, plural, repeatsIn, sayCount, sayProbability } from '../engine/ways.js';

export type NameOf = (c: number) => string;

/** What the class between words is called. */
export const space = 'space';

/** A state as one says it: `e`, `the second l`, `the blank between the two l's`. */
export function nameState({ problem }: Analysis, s: number, nameOf: NameOf): string {
  const { labels } = problem;
  const at = (i: number) => nameOf(labels[i]!);
  if (s % 2 === 1) {
    const i = s >> 1;
    // of a part nobody knows how often it was said before
    if (problem.firstLabel !== undefined) return `${at(i)}, label ${numberOf(problem, i)}`;
    const same = labels.flatMap((label, j) => (label === labels[i] ? [j] : []));
    if (same.length === 1) return at(i);
    const nth = same.indexOf(i);
    const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth'];
    return ordinals[nth] ? `the ${ordinals[nth]} ${at(i)}` : `${at(i)}, number ${nth + 1}`;
  }
  const after = s / 2;
  if (labels.length === 0) return 'the blank';
  if (after === 0) return `the blank before ${at(0)}`;
  if (after === labels.length) return `the blank after ${at(after - 1)}`;
  if (labels[after] === labels[after - 1]) return `the blank between the two ${at(after)}'s`;
  return `the blank between ${at(after - 1)} and ${at(after)}`;
}

/** The one sentence that comes first. */
export function sayState(analysis: Analysis, { t, s }: Cell, posterior: number, nameOf: NameOf): string {
  const { problem } = analysis;
  const { labels, frames } = problem;
  if (!isPossible(problem, { t, s })) {
    return t < reachOf(problem).earliest[s]!
      ? `No path is here so soon: frame ${frameOf(problem, t)} is too early for so many letters.`
      : `No path is here so late: the ${plural(frames - t - 1, 'frame')} left have no room for the rest.`;
  }
  if (Number.isNaN(posterior)) return 'A score that is no number makes all of this unknown.';
  if (s % 2 === 1) {
    const name = nameState(analysis, s, nameOf);
    const i = s >> 1;
    if (labels[i] === problem.star?.c)
      return `Here anything may be said in frame ${frameOf(problem, t)}: ${name} has nearly the score of its best symbol, whichever that is.`;
    if (i > 0 && labels[i] === labels[i - 1])
      return `To reach ${name}, a path must first rest on the blank before it. From the ${nameOf(labels[i]!)} before it would only say that one longer.`;
    return `Here a path says ${name} in frame ${frameOf(problem, t)}. It may say it again in the next, rest, or go on.`;
  }
  const after = s / 2;
  if (after > 0 && after < labels.length && labels[after] === labels[after - 1])
    return `Without this gap the two ${nameOf(labels[after]!)}'s would merge.`;
  if (labels.length === 0) return 'Nothing is to be spelled: the only path says nothing in every frame.';
  if (after === 0) return `A path may wait here before it says ${nameOf(labels[0]!)}.`;
  if (after === labels.length)
    return `A path that has said ${nameOf(labels[after - 1]!)} may wait here for the end.`;
  return `A path may rest here between ${nameOf(labels[after - 1]!)} and ${nameOf(labels[after]!)}, or pass by.`;
}

/** A part of a sentence. What is `strong` stands out; `more` is left out where there is no room. */
interface Part {
  readonly text: string;
  readonly strong?: boolean;
  readonly more?: boolean;
}

/** Under the header, always. `unspelled`: what of the text has no symbol. */
export function sayAll(
  { problem, loss }: Pick<Analysis, 'problem' | 'loss'>,
  text: string,
  unspelled: readonly string[],
): Part[] {
  const { frames, labels } = problem;
  const least = leastFrames(labels);
  if (labels.length === 0 && unspelled.length > 0)
    return [
      { text: shortened(text), strong: true },
      { text: ' cannot be spelled: the recogniser has no symbol for ' },
      { text: listed(unspelled) },
      { text: '.' },
    ];
  if (labels.length === 0)
    return [{ text: 'Type a word: CTC will lay it over the frames in every possible way.' }];
  if (least > frames) {
    const repeats = repeatsIn(labels);
    return [
      { text: shortened(text), strong: true },
      ...without(unspelled),
      { text: ` needs at least ${plural(least, 'frame')}: ${plural(labels.length, 'label')}` },
      { text: repeats ? ` + ${plural(repeats, 'repeat')}` : '' },
      { text: `. Here ${frames === 1 ? 'is' : 'are'} only ${frames}.` },
    ];
  }
  const ways = countPaths(frames, labels);
  if (problem.star)
    return [
      { text: `In ${plural(frames, 'frame')} there are ` },
      { text: sayCount(ways), strong: true },
      { text: ' ways to spell ' },
      { text: shortened(text), strong: true },
      ...without(unspelled),
      { text: ' with * for anything. What they add up to is no probability; its logarithm is ' },
      { text: (-loss).toFixed(2).replace('-', '−'), strong: true },
      { text: '.' },
    ];
  const [verb, noun, those] = ways === 1n ? ['is', 'way', 'it has'] : ['are', 'ways', 'together they have'];
  return [
    { text: `In ${plural(frames, 'frame')} there ${verb} ` },
    { text: sayCount(ways), strong: true },
    { text: ` ${noun} to spell ` },
    { text: shortened(text), strong: true },
    ...without(unspelled),
    { text: `; ${those} probability ` },
    { text: sayProbability(-loss), strong: true },
    { text: ', a loss of ', more: true },
    { text: sayLoss(loss), strong: true, more: true },
    { text: '.' },
  ];
}

/** In nats. */
const sayLoss = (loss: number) =>
  Number.isFinite(loss) ? loss.toFixed(loss < 100 ? 2 : 0) : Number.isNaN(loss) ? 'NaN' : '∞';

const shortened = (text: string) => (text.length > 40 ? `${text.slice(0, 38)}…` : text);

const listed = (parts: readonly string[]) => `${parts.slice(0, 8).join(' ')}${parts.length > 8 ? ' …' : ''}`;

const without = (unspelled: readonly string[]) =>
  unspelled.length > 0 ? [{ text: ` without ${listed(unspelled)} (no symbol)` }] : [];

export function sayTooLarge(problem: Problem, mostCells: number): string {
  const number = (n: number) => n.toLocaleString('en');
  return `${plural(problem.frames, 'frame')} times ${plural(statesOf(problem), 'state')} are more than the ${number(mostCells)} cells that are shown here. A shorter text has fewer.`;
}

/** A line of a sum. */
export interface Term {
  readonly what: string;
  readonly value: string;
  readonly total?: boolean;
}

export interface Sum {
  readonly title: string;
  readonly note: string;
  readonly terms: readonly Term[];
}

/** The cells whose numbers `sumsOf` needs: the cell itself, and those before and after it. */
export function neighbours(analysis: Analysis, cell: Cell): { before: Cell[]; after: Cell[] } {
  const { problem } = analysis;
  const next = [0, 1, 2].map((step) => ({ t: cell.t + 1, s: cell.s + step }));
  const after = next.filter(
    (to) =>
      to.t < problem.frames &&
      to.s < statesOf(problem) &&
      predecessors(analysis, to).some(({ s }) => s === cell.s),
  );
  return { before: predecessors(analysis, cell), after };
}

/** The forward, the backward, the posterior and the gradient of one cell, term by term. */
export function sumsOf(
  analysis: Analysis,
  cell: Cell,
  values: {
    own: CellValues;
    before: readonly (CellValues & Cell)[];
    after: readonly (CellValues & Cell)[];
    /** ln Σ alpha · beta in this frame. */
    frameSum: number;
  },
  nameOf: NameOf,
): Sum[] {
  const { problem, logProbs, grad, loss } = analysis;
  const { t, s } = cell;
  const at = frameOf(problem, t);
  const { classes, star } = problem;
  const c = classAt(problem, s);
  const what = c === star?.c ? 'price' : 'probability';
  const y = (frame: number, state: number) => logProbs[frame * classes + classAt(problem, state)]!;
  const { own, before, after, frameSum } = values;
  const share = (part: number, all: number) =>
    Number.isFinite(all) ? ` (${sayProbability(part - all)})` : '';
  const said = (log: number) => sayProbability(log);
  const arrived = own.alpha - y(t, s);
  const start = t === 0 && s < 2;
  const softmax = Math.exp(logProbs[t * classes + c]!);
  const gradient = grad[t * classes + c]!;
  const fixed = (x: number) => (Number.isFinite(x) ? x.toFixed(4) : String(x));
  return [
    {
      title: 'Forward: all ways to get here',
      note: 'α(t, s): the probability of the paths from the start to this state, this frame included.',
      terms: [
        ...(start ? [{ what: 'the start', value: '1' }] : []),
        ...before.map((from) => ({
          what: `from ${nameState(analysis, from.s, nameOf)}${share(from.alpha, arrived)}`,
          value: said(from.alpha),
        })),
        { what: `× ${what} of ${nameOf(c)} in frame ${at}`, value: said(y(t, s)) },
        { what: 'α', value: said(own.alpha), total: true },
      ],
    },
    {
      title: 'Backward: all ways to go on',
      note: 'β(t, s): the probability of the paths from here to the end, this frame not included.',
      terms: [
        ...(t === problem.frames - 1 ? [{ what: 'the end', value: '1' }] : []),
        ...after.map((to) => ({
          what: `to ${nameState(analysis, to.s, nameOf)}${share(to.beta + y(t + 1, to.s), own.beta)}`,
          value: said(to.beta + y(t + 1, to.s)),
        })),
        { what: 'β', value: said(own.beta), total: true },
      ],
    },
    {
      title: 'Share of the path mass',
      note: 'γ = α · β / P. The sum of α · β over the states is P in every frame:',
      terms: [
        { what: `Σ α · β in frame ${at}`, value: said(frameSum) },
        { what: 'P, all paths', value: said(-loss) },
        { what: 'γ', value: said(Math.log(own.posterior)), total: true },
      ],
    },
    {
      title: `Gradient of ${nameOf(c)} in frame ${at}`,
      ...(c === star?.c
        ? {
            note: `${nameOf(c)} is no score of the recogniser’s: what passes here pulls at the best symbol of the frame, whose score it has.`,
            terms: [],
          }
        : {
            note: `Softmax − posterior of all states of the class${star ? ', and of * where this is the best symbol' : ''}: where to push the score, and how hard.`,
            terms: [
              { what: 'softmax', value: fixed(softmax) },
              { what: '− posterior', value: fixed(softmax - gradient) },
              { what: 'gradient', value: fixed(gradient), total: true },
            ],
          }),
    },
  ];
}
