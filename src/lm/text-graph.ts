import { addLogs } from '../problem/logs.js';
import { SPACE } from './hotword-automaton.js';
import type { KnowledgeTables } from './tables.js';

/**
 * All label sequences that are one text, as a graph: an edge is a label between two places of the text. Edges are sorted by where they lead to,
 * and lead onwards or back to where they begin.
 */
export interface TextGraph {
  readonly places: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly label: Int32Array;
  /** Edges that lead to a place: from `start[place]` to `start[place + 1]`. */
  readonly start: Int32Array;
  /** Whether a label equal to the edge's leads to where it begins: only a blank parts the two. */
  readonly isRepeated: Uint8Array;
  /** Places at which the text may end. */
  readonly ends: readonly number[];
}

type Edge = readonly [from: number, to: number, label: number];

function graphOf(places: number, edges: readonly Edge[], ends: readonly number[]): TextGraph {
  const sorted = [...edges].sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  const column = (i: 0 | 1 | 2) => Int32Array.from(sorted, (edge) => edge[i]);
  const [from, to, label] = [column(0), column(1), column(2)];
  const start = new Int32Array(places + 1);
  for (const place of to) start[place + 1]!++;
  for (let place = 0; place < places; place++) start[place + 1]! += start[place]!;
  const isRepeated = Uint8Array.from(from, (place, e) =>
    Number(label.subarray(start[place], start[place + 1]).includes(label[e]!)),
  );
  return { places, from, to, label, start, isRepeated, ends };
}

/**
 * The same label sequences, each in one way: where the spellings of words can be cut in several ways, a sequence would count as often. A
 * place is a set of the other's places, as many as a label can lead to.
 */
export function determined(graph: TextGraph): TextGraph {
  const { from, to, label, ends } = graph;
  const isTwice = (_: number, e: number) =>
    from.some(
      (place, other) => other < e && place === from[e] && label[other] === label[e] && to[other] !== to[e],
    );
  if (!from.some(isTwice)) return graph;
  const numbers = new Map([['0', 0]]);
  const sets: (readonly number[])[] = [[0]];
  const found: Edge[] = [];
  for (let at = 0; at < sets.length; at++) {
    const next = new Map<number, Set<number>>();
    from.forEach((place, e) => {
      if (sets[at]!.includes(place)) next.set(label[e]!, (next.get(label[e]!) ?? new Set()).add(to[e]!));
    });
    for (const [own, places] of next) {
      const set = [...places].sort((a, b) => a - b);
      const key = set.join();
      if (!numbers.has(key)) numbers.set(key, sets.push(set) - 1);
      found.push([at, numbers.get(key)!, own]);
    }
  }
  // in an order in which edges lead onwards: what all that leads to it comes before
  const order = new Map<number, number>();
  while (order.size < sets.length)
    for (const at of sets.keys())
      if (!order.has(at) && found.every(([a, b]) => b !== at || a === at || order.has(a)))
        order.set(at, order.size);
  const isEnd = (at: number) => sets[at]!.some((place) => ends.includes(place));
  return graphOf(
    sets.length,
    found.map(([a, b, own]) => [order.get(a)!, order.get(b)!, own]),
    [...order.keys()].filter(isEnd).map((at) => order.get(at)!),
  );
}

/** One label sequence. */
export function labelGraph(labels: readonly number[]): TextGraph {
  return graphOf(
    labels.length + 1,
    labels.map((label, i) => [i, i + 1, label]),
    [labels.length],
  );
}

/** Classes by the first symbol that they read as, and those that read as nothing. */
export class Reads {
  readonly #tables: KnowledgeTables;
  readonly #byFirst = new Map<number, number[]>();
  readonly #silent: number[] = [];

  constructor(tables: KnowledgeTables, blank: number) {
    this.#tables = tables;
    const { symbolStart, symbols } = tables;
    for (let label = 0; label < symbolStart.length - 1; label++) {
      if (label === blank) continue;
      if (symbolStart[label] === symbolStart[label + 1]) this.#silent.push(label);
      else {
        const first = symbols[symbolStart[label]!]!;
        const there = this.#byFirst.get(first);
        if (there) there.push(label);
        else this.#byFirst.set(first, [label]);
      }
    }
  }

  /** What labels read as: runs of spaces are one, and none is at the ends. */
  symbolsOf(labels: readonly number[]): number[] {
    const { symbolStart, symbols } = this.#tables;
    const text: number[] = [];
    for (const label of labels)
      for (let i = symbolStart[label]!; i < symbolStart[label + 1]!; i++)
        if (symbols[i] !== SPACE || (text.length > 0 && text.at(-1) !== SPACE)) text.push(symbols[i]!);
    if (text.at(-1) === SPACE) text.pop();
    return text;
  }

  /** All label sequences that read as a text: place i is in front of its symbol i; the last one is behind a space at its end. */
  graph(text: readonly number[]): TextGraph {
    const after = text.length + 1;
    const isStart = (place: number) => place === 0 || place === after || text[place - 1] === SPACE;
    const edges: Edge[] = [];
    for (let place = 0; place <= after; place++) {
      for (const label of this.#silent) edges.push([place, place, label]);
      const firsts = isStart(place) ? [SPACE, text[place]] : [place === text.length ? SPACE : text[place]];
      for (const first of new Set(firsts))
        for (const label of (first !== undefined && this.#byFirst.get(first)) || []) {
          const to = this.#read(label, text, place, isStart);
          if (to >= 0) edges.push([place, to, label]);
        }
    }
    return graphOf(text.length + 2, edges, text.length === 0 ? [0] : [text.length, after]);
  }

  /** Where a label leads to from a place; −1 where it does not fit. */
  #read(label: number, text: readonly number[], place: number, isStart: (place: number) => boolean): number {
    const { symbolStart, symbols } = this.#tables;
    let at = place;
    for (let i = symbolStart[label]!; i < symbolStart[label + 1]!; i++) {
      const symbol = symbols[i]!;
      if (symbol === SPACE && isStart(at)) continue;
      if (symbol !== (at < text.length ? text[at] : at === text.length ? SPACE : -1)) return -1;
      at++;
    }
    return at;
  }
}

/** All label sequences that spell words, each by any of its spellings. */
export function spelledGraph(
  words: readonly (readonly (readonly number[])[])[],
  delimiter: number | undefined,
): { readonly graph: TextGraph; readonly wordEnds: readonly number[] } {
  const wordEnds: number[] = [];
  const edges: Edge[] = [];
  let places = 1;
  let start = 0;
  let ends = [0];
  const loop = (place: number) => delimiter !== undefined && edges.push([place, place, delimiter]);
  loop(0);
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

/** ln of the probability of each class, frame after frame, and for each frame the largest. */
export interface Frames {
  readonly logs: Float64Array;
  readonly count: number;
  readonly classes: number;
  readonly blank: number;
  /** e^(log − largest). */
  readonly shares: Float64Array;
  /** The sum of all frames' largest logarithms. */
  readonly best: number;
}

export function framesOf(logs: Float64Array, classes: number, blank: number): Frames {
  const count = logs.length / classes;
  const shares = new Float64Array(logs.length);
  let best = 0;
  for (let t = 0; t < count; t++) {
    let most = -Infinity;
    for (let i = t * classes; i < (t + 1) * classes; i++) most = Math.max(most, logs[i]!);
    if (most === -Infinity) most = 0;
    best += most;
    for (let i = t * classes; i < (t + 1) * classes; i++) shares[i] = Math.exp(logs[i]! - most);
  }
  return { logs, count, classes, blank, shares, best };
}

/** Smaller shares than this of a text's probability are left out, if they make no difference. */
const least = 1e-140;

/**
 * ln of the probability of a text: the sum over all its label sequences and all their paths. Probabilities are relative to those of the best path, and
 * what is so small that it makes no difference is not followed; where the text is so unlikely that it does, logarithms are.
 */
export function logProbability(graph: TextGraph, frames: Frames): number {
  const sum = shareOf(graph, frames);
  return sum > least * 1e20 * (graph.to.length + graph.places) * frames.count
    ? Math.log(sum) + frames.best
    : slowly(graph, frames);
}

function shareOf(graph: TextGraph, { shares, count, classes, blank }: Frames): number {
  const { places, ends, from, label, start, isRepeated } = graph;
  let [blanks, ofEdges, totals] = [
    new Float64Array(places),
    new Float64Array(from.length),
    new Float64Array(places),
  ];
  let [nextBlanks, nextEdges, nextTotals] = [
    new Float64Array(places),
    new Float64Array(from.length),
    new Float64Array(places),
  ];
  blanks[0] = totals[0] = 1;
  let [first, end] = [0, 1];
  // an edge may lead over several places
  const reach = graph.to.reduce((most, to, e) => Math.max(most, to - graph.from[e]!), 1);
  for (let t = 0; t < count; t++) {
    const row = t * classes;
    const blankShare = shares[row + blank]!;
    const last = Math.min(places, end + reach);
    let [lowest, highest] = [last, 0];
    for (let place = first; place < last; place++) {
      const ofBlank = totals[place]! * blankShare;
      let total = ofBlank > least ? ofBlank : 0;
      nextBlanks[place] = total;
      for (let e = start[place]!; e < start[place + 1]!; e++) {
        const before = from[e]!;
        let came = before < first ? 0 : totals[before]!;
        if (isRepeated[e]) {
          came = blanks[before]!;
          for (let other = start[before]!; other < start[before + 1]!; other++)
            if (label[other] !== label[e]) came += ofEdges[other]!;
        }
        const value = (ofEdges[e]! + came) * shares[row + label[e]!]!;
        nextEdges[e] = value > least ? value : 0;
        total += nextEdges[e]!;
      }
      nextTotals[place] = total;
      if (total > 0) {
        if (lowest === last) lowest = place;
        highest = place + 1;
      }
    }
    if (highest === 0) return 0;
    // what lies before is never reached again
    for (let place = first; place < lowest; place++) {
      blanks[place] = nextBlanks[place] = totals[place] = nextTotals[place] = 0;
      ofEdges.fill(0, start[place]!, start[place + 1]!);
      nextEdges.fill(0, start[place]!, start[place + 1]!);
    }
    [first, end] = [lowest, Math.max(end, highest)];
    [blanks, nextBlanks, ofEdges, nextEdges, totals, nextTotals] = [
      nextBlanks,
      blanks,
      nextEdges,
      ofEdges,
      nextTotals,
      totals,
    ];
  }
  return ends.reduce((sum, place) => sum + totals[place]!, 0);
}

/** The same in logarithms. */
function slowly(graph: TextGraph, { logs, count, classes, blank }: Frames): number {
  const { places, from, label, ends, start, isRepeated } = graph;
  let blanks = new Float64Array(places).fill(-Infinity);
  let ofEdges = new Float64Array(from.length).fill(-Infinity);
  blanks[0] = 0;
  const totalOf = (place: number, except = -1) => {
    let total = blanks[place]!;
    for (let e = start[place]!; e < start[place + 1]!; e++)
      if (label[e] !== except) total = addLogs(total, ofEdges[e]!);
    return total;
  };
  for (let t = 0; t < count; t++) {
    const row = t * classes;
    const totals = Float64Array.from({ length: places }, (_, place) => totalOf(place));
    const next = ofEdges.map((value, e) => {
      const came = isRepeated[e] ? totalOf(from[e]!, label[e]) : totals[from[e]!]!;
      return addLogs(value, came) + logs[row + label[e]!]!;
    });
    blanks = totals.map((total) => total + logs[row + blank]!);
    ofEdges = next;
  }
  return ends.reduce((sum, place) => addLogs(sum, totalOf(place)), -Infinity);
}

/** A label of a text with the frames that its best path gives it. */
export interface PathSpan {
  readonly label: number;
  readonly start: number;
  readonly end: number;
  /** The place of the text behind it. */
  readonly place: number;
}

/** The best path of a text, of equal ones the one that stays longest; undefined where there is none. */
export function bestPath(graph: TextGraph, { logs, count, classes, blank }: Frames): PathSpan[] | undefined {
  const { places, from, label, ends, start } = graph;
  const states = places + from.length;
  // a state is a place after a blank, or an edge
  let now = new Float64Array(states).fill(-Infinity);
  now[0] = 0;
  const came = new Int32Array(states * count);
  for (let t = 0; t < count; t++) {
    const row = t * classes;
    const next = new Float64Array(states);
    for (let place = 0; place < places; place++) {
      let best = place;
      for (let e = start[place]!; e < start[place + 1]!; e++)
        if (now[places + e]! > now[best]!) best = places + e;
      next[place] = now[best]! + logs[row + blank]!;
      came[t * states + place] = best;
    }
    for (let e = 0; e < from.length; e++) {
      let best = places + e;
      const place = from[e]!;
      if (now[place]! > now[best]!) best = place;
      for (let other = start[place]!; other < start[place + 1]!; other++)
        if (label[other] !== label[e] && now[places + other]! > now[best]!) best = places + other;
      next[places + e] = now[best]! + logs[row + label[e]!]!;
      came[t * states + places + e] = best;
    }
    now = next;
  }
  let state = -1;
  for (const place of ends)
    for (const other of [
      place,
      ...Array.from({ length: start[place + 1]! - start[place]! }, (_, i) => places + start[place]! + i),
    ])
      if (now[other]! > -Infinity && (state < 0 || now[other]! > now[state]!)) state = other;
  if (state < 0) return undefined;
  const spans: PathSpan[] = [];
  let end = count;
  for (let t = count - 1; t >= 0; t--) {
    const before = came[t * states + state]!;
    if (before === state) continue;
    if (state >= places)
      spans.push({ label: label[state - places]!, start: t, end, place: graph.to[state - places]! });
    end = t;
    state = before;
  }
  return spans.reverse();
}
