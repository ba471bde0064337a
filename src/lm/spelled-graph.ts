// What only lexicons with spellings need, in a part of its own.

import { wrongValue } from '../problem/errors.js';
import type { Known } from './known.js';
import { type Edge, graphOf, type TextGraph } from './text-graph.js';

/** Classes that can be symbols of spellings: of 16 bits, of which two have another meaning. */
const mostClasses = 0xfffd;

/** @throws RangeError for a lexicon whose spellings are no labels of the vocabulary, and for what excludes them. */
export function checkSpelled({ vocabulary, lm, units, lexicon }: Known): void {
  const { size, blank, delimiter } = vocabulary!;
  if (lm && units === 'tokens')
    throw wrongValue('lexicon', 'words without spellings for a model of tokens', 'spellings');
  if (delimiter === undefined && lexicon!.open)
    throw wrongValue(
      'lexicon',
      'a closed one, where no delimiter stands between spelled words',
      'an open one',
    );
  if (size > mostClasses) throw wrongValue('lexicon', `spellings for at most ${mostClasses} classes`, size);
  for (const { word, spellings } of lexicon!.words)
    for (const label of spellings.flat())
      if (label >= size || label === blank || label === delimiter)
        throw wrongValue(
          `lexicon: spelling of ${word}`,
          `classes below ${size}, neither blank nor delimiter`,
          label,
        );
}

/**
 * All label sequences that spell words, each by any of its spellings.
 * @param isBehindWord whether a word comes before, which a delimiter parts from the first one
 */
export function spelledGraph(
  words: readonly (readonly (readonly number[])[])[],
  delimiter: number | undefined,
  isBehindWord = false,
): { readonly graph: TextGraph; readonly wordEnds: readonly number[] } {
  const wordEnds: number[] = [];
  const edges: Edge[] = [];
  let places = 1;
  let start = 0;
  let ends = [0];
  const loop = (place: number) => delimiter !== undefined && edges.push([place, place, delimiter]);
  if (isBehindWord && delimiter !== undefined) {
    edges.push([0, 1, delimiter]);
    [places, start, ends] = [2, 1, [0, 1]];
  }
  loop(start);
  for (const spellings of words) {
    const inside = new Map<string, number>();
    // the end of a word comes behind all places in it
    const paths = spellings.map((spelling) => spelling.slice(0, -1));
    for (const path of paths)
      for (let i = 1; i <= path.length; i++) {
        const key = path.slice(0, i).join();
        if (inside.has(key)) continue;
        inside.set(key, places);
        edges.push([i === 1 ? start : inside.get(path.slice(0, i - 1).join())!, places++, path[i - 1]!]);
      }
    const end = places++;
    const last = new Set(spellings.map((spelling) => spelling.join()));
    for (const key of last) {
      const spelling = key.split(',').map(Number);
      const before = spelling.slice(0, -1).join();
      edges.push([before === '' ? start : inside.get(before)!, end, spelling.at(-1)!]);
    }
    ends = [end];
    wordEnds.push(end);
    start = end;
    if (delimiter === undefined) continue;
    start = places++;
    edges.push([end, start, delimiter]);
    loop(start);
    ends.push(start);
  }
  return { graph: graphOf(places, edges, ends), wordEnds };
}

/**
 * The same label sequences, each in one way: where the spellings of words can be cut in several ways, a sequence would count as often. A
 * place is a set of the other's places, as many as a label can lead to.
 */
export function determined(graph: TextGraph): TextGraph {
  const { from, to, label, ends } = graph;
  const leading: number[][] = Array.from({ length: graph.places }, () => []);
  from.forEach((place, e) => {
    leading[place]!.push(e);
  });
  if (leading.every((edges) => new Set(edges.map((e) => label[e])).size === edges.length)) return graph;
  const numbers = new Map([['0', 0]]);
  const sets: (readonly number[])[] = [[0]];
  const found: Edge[] = [];
  const firsts: number[] = [];
  for (let at = 0; at < sets.length; at++) {
    firsts.push(found.length);
    const next = new Map<number, Set<number>>();
    for (const e of sets[at]!.flatMap((place) => leading[place]!))
      next.set(label[e]!, (next.get(label[e]!) ?? new Set()).add(to[e]!));
    for (const [own, places] of next) {
      const set = [...places].sort((a, b) => a - b);
      const key = set.join();
      if (!numbers.has(key)) numbers.set(key, sets.push(set) - 1);
      found.push([at, numbers.get(key)!, own]);
    }
  }
  // in an order in which edges lead onwards: what all that leads to it comes before
  const waits = new Uint32Array(sets.length);
  for (const [a, b] of found) if (a !== b) waits[b]!++;
  const order = [0];
  for (const at of order)
    for (let e = firsts[at]!; found[e]?.[0] === at; e++) {
      const next = found[e]![1];
      if (next !== at && --waits[next]! === 0) order.push(next);
    }
  const places = new Map(order.map((at, i) => [at, i]));
  return graphOf(
    order.length,
    found.map(([a, b, own]) => [places.get(a)!, places.get(b)!, own]),
    order.flatMap((at, i) => (sets[at]!.some((place) => ends.includes(place)) ? i : [])),
  );
}

/** This part, for who is given it. */
export interface Spelling {
  readonly checkSpelled: typeof checkSpelled;
  readonly determined: typeof determined;
  readonly spelledGraph: typeof spelledGraph;
}
