import { addLogs } from '../problem/logs.js';
import { type KnowledgeTables, SPACE } from './tables.js';

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

export type Edge = readonly [from: number, to: number, label: number];

export function graphOf(places: number, edges: readonly Edge[], ends: readonly number[]): TextGraph {
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

  /**
   * What labels read as: runs of spaces are one, and none is at the ends.
   * @param isInWord whether a letter comes before, so that a space at the beginning is one
   */
  symbolsOf(labels: readonly number[], isInWord = false): number[] {
    const { symbolStart, symbols } = this.#tables;
    const text: number[] = [];
    for (const label of labels)
      for (let i = symbolStart[label]!; i < symbolStart[label + 1]!; i++)
        if (symbols[i] !== SPACE || (text.length > 0 ? text.at(-1) !== SPACE : isInWord))
          text.push(symbols[i]!);
    if (text.at(-1) === SPACE) text.pop();
    return text;
  }

  /** How far labels come in a text, and whether they end in a word. */
  placeOf(
    labels: readonly number[],
    isInWord: boolean,
  ): { readonly place: number; readonly isInWord: boolean } {
    const { symbolStart, symbols } = this.#tables;
    let place = 0;
    for (const label of labels)
      for (let i = symbolStart[label]!; i < symbolStart[label + 1]!; i++) {
        if (symbols[i] !== SPACE || isInWord) place++;
        isInWord = symbols[i] !== SPACE;
      }
    return { place, isInWord };
  }

  /**
   * All label sequences that read as a text: place i is in front of its symbol i; the last one is behind a space at its end.
   * @param isInWord whether a letter comes before
   */
  graph(text: readonly number[], isInWord = false): TextGraph {
    const after = text.length + 1;
    const isStart = (place: number) =>
      place === 0 ? !isInWord : place === after || text[place - 1] === SPACE;
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
    return graphOf(text.length + 2, edges, text.length === 0 && !isInWord ? [0] : [text.length, after]);
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
  const size = (graph.to.length + graph.places) * frames.count;
  const isLarge = size > mostStates;
  const [sum, scale] = shareOf(graph, frames, isLarge);
  const isSure = isLarge ? sum > 0 : sum > least * 1e20 * size;
  return isSure ? Math.log(sum) + scale + frames.best : slowly(graph, frames);
}

/** States of all frames, beyond which what is far behind the others of its frame is left out, whatever comes later. */
const mostStates = 2 ** 24;

/** The sum, and ln of what it has to be multiplied by. @param isScaled whether what is small is so beside the others of its frame */
function shareOf(
  graph: TextGraph,
  { shares, count, classes, blank }: Frames,
  isScaled: boolean,
): [sum: number, scale: number] {
  const { places, ends, from, label, start, isRepeated } = graph;
  const masses = (count = places) => new Float64Array(count);
  let [blanks, ofEdges, totals] = [masses(), masses(from.length), masses()];
  let [nextBlanks, nextEdges, nextTotals] = [masses(), masses(from.length), masses()];
  blanks[0] = totals[0] = 1;
  let [first, end] = [0, 1];
  let scale = 0;
  const floor = isScaled ? 0 : least;
  // an edge may lead over several places
  const reach = graph.to.reduce((most, to, e) => Math.max(most, to - graph.from[e]!), 1);
  for (let t = 0; t < count; t++) {
    const row = t * classes;
    const blankShare = shares[row + blank]!;
    const last = Math.min(places, end + reach);
    let [lowest, highest, most] = [last, 0, 0];
    for (let place = first; place < last; place++) {
      const ofBlank = totals[place]! * blankShare;
      let total = ofBlank > floor ? ofBlank : 0;
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
        nextEdges[e] = value > floor ? value : 0;
        total += nextEdges[e]!;
      }
      nextTotals[place] = total;
      most = Math.max(most, total);
      if (total > 0) {
        if (lowest === last) lowest = place;
        highest = place + 1;
      }
    }
    if (highest === 0) return [0, 0];
    // there are more paths than a number can count, or all of them have become unlikely
    if (isScaled || most > 1e60) {
      const scaled = (value: number) => (value > least * most ? value / most : 0);
      for (let place = lowest; place < highest; place++) {
        nextBlanks[place] = scaled(nextBlanks[place]!);
        nextTotals[place] = scaled(nextTotals[place]!);
      }
      for (let e = start[lowest]!; e < start[highest]!; e++) nextEdges[e] = scaled(nextEdges[e]!);
      while (nextTotals[lowest] === 0) lowest++;
      while (nextTotals[highest - 1] === 0) highest--;
      scale += Math.log(most);
    }
    // what lies before is never reached again
    for (let place = first; place < lowest; place++) {
      blanks[place] = nextBlanks[place] = totals[place] = nextTotals[place] = 0;
      ofEdges.fill(0, start[place]!, start[place + 1]!);
      nextEdges.fill(0, start[place]!, start[place + 1]!);
    }
    [first, end] = [lowest, isScaled ? highest : Math.max(end, highest)];
    [blanks, nextBlanks, ofEdges, nextEdges, totals, nextTotals] = [
      nextBlanks,
      blanks,
      nextEdges,
      ofEdges,
      nextTotals,
      totals,
    ];
  }
  return [ends.reduce((sum, place) => sum + totals[place]!, 0), scale];
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

/** The states of a frame that were looked at: the places from one to before another, and the edges that lead to them. */
interface Looked {
  readonly first: number;
  readonly end: number;
  /** Where each was before, the places first. */
  readonly came: Int32Array;
}

/** Of states that are this far behind the best one of their frame, in nats, a long text's path is in none, if it is in any. */
const far = 1000;

/**
 * The best path of a text, of equal ones the one that stays longest; undefined where there is none.
 * @param before the class of the frame before the first one, which only a blank parts from itself
 */
export function bestPath(graph: TextGraph, frames: Frames, before = -1): PathSpan[] | undefined {
  if ((graph.places + graph.from.length) * frames.count <= mostStates)
    return pathWithin(graph, frames, before, Infinity);
  // silence may be likelier than a text until its very end
  for (let least = far; least < far ** 2; least *= 8) {
    const path = pathWithin(graph, frames, before, least);
    if (path) return path;
  }
  return undefined;
}

/** @param least how far behind the best one of its frame a state is left out, in nats */
function pathWithin(
  graph: TextGraph,
  { logs, count, classes, blank }: Frames,
  before: number,
  least: number,
): PathSpan[] | undefined {
  const { places, from, to, label, ends, start } = graph;
  // a state is a place after a blank, or an edge
  const states = () => new Float64Array(places + from.length).fill(-Infinity);
  let [now, next] = [states(), states()];
  now[0] = 0;
  const reach = to.reduce((most, place, e) => Math.max(most, place - from[e]!), 1);
  const looked: Looked[] = [];
  let [first, end] = [0, 1];
  for (let t = 0; t < count; t++) {
    const row = t * classes;
    end = Math.min(places, end + reach);
    const [firstEdge, endEdge] = [start[first]!, start[end]!];
    const came = new Int32Array(end - first + endEdge - firstEdge);
    let most = -Infinity;
    for (let place = first; place < end; place++) {
      let best = place;
      for (let e = start[place]!; e < start[place + 1]!; e++)
        if (now[places + e]! > now[best]!) best = places + e;
      next[place] = now[best]! + logs[row + blank]!;
      came[place - first] = best;
      most = Math.max(most, next[place]!);
    }
    for (let e = firstEdge; e < endEdge; e++) {
      let best = places + e;
      const place = from[e]!;
      if (now[place]! > now[best]! && (t > 0 || label[e] !== before)) best = place;
      for (let other = start[place]!; other < start[place + 1]!; other++)
        if (label[other] !== label[e] && now[places + other]! > now[best]!) best = places + other;
      next[places + e] = now[best]! + logs[row + label[e]!]!;
      came[end - first + e - firstEdge] = best;
      most = Math.max(most, next[places + e]!);
    }
    looked.push({ first, end, came });
    const isFar = (place: number) => {
      let own = next[place]!;
      for (let e = start[place]!; e < start[place + 1]!; e++) own = Math.max(own, next[places + e]!);
      return own < most - least;
    };
    const leave = (place: number) => {
      for (const array of [now, next]) {
        array[place] = -Infinity;
        array.fill(-Infinity, places + start[place]!, places + start[place + 1]!);
      }
    };
    while (isFar(first)) leave(first++);
    while (isFar(end - 1)) leave(--end);
    [now, next] = [next, now];
  }
  let state = -1;
  for (const place of ends)
    for (let e = start[place]! - 1; e < start[place + 1]!; e++) {
      const other = e < start[place]! ? place : places + e;
      if (now[other]! > -Infinity && (state < 0 || now[other]! > now[state]!)) state = other;
    }
  if (state < 0) return undefined;
  const spans: PathSpan[] = [];
  let last = count;
  for (let t = count - 1; t >= 0; t--) {
    const { first, end, came } = looked[t]!;
    const came0 = state < places ? state - first : end - first + state - places - start[first]!;
    const before = came[came0]!;
    if (before === state) continue;
    if (state >= places)
      spans.push({ label: label[state - places]!, start: t, end: last, place: to[state - places]! });
    last = t;
    state = before;
  }
  return spans.reverse();
}
