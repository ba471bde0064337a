import { type HotwordAutomaton, OTHER, SPACE } from './tables.js';

interface Node {
  readonly parent: number;
  readonly depth: number;
  readonly arcs: Map<number, number>;
  weight: number | undefined;
  share: number;
}

/** @param phrases symbols of each phrase, words separated by `SPACE`, and its weight */
export function hotwordAutomaton(
  phrases: Iterable<readonly [symbols: readonly number[], weight: number]>,
): HotwordAutomaton {
  const nodes: Node[] = [0, 1].map(() => ({
    parent: 0,
    depth: 0,
    arcs: new Map(),
    weight: undefined,
    share: 0,
  }));
  for (const [symbols, weight] of phrases) {
    let at = 0;
    for (const symbol of [...symbols, SPACE]) {
      const { arcs, depth } = nodes[at]!;
      let next = arcs.get(symbol);
      if (next === undefined) {
        next = nodes.push({ parent: at, depth: depth + 1, arcs: new Map(), weight: undefined, share: 0 }) - 1;
        arcs.set(symbol, next);
      }
      at = next;
      const node = nodes[at]!;
      node.share = Math.max(node.share, (weight * node.depth) / (symbols.length + 1));
    }
    nodes[at]!.weight = weight;
  }
  return new Automaton(nodes).tables();
}

/** The states in ascending order of their depth, so that what one fails to is done before it. */
class Automaton {
  readonly #nodes: readonly Node[];
  readonly #fail: Uint32Array;
  readonly #gain: Float64Array;

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    this.#fail = new Uint32Array(nodes.length);
    this.#gain = new Float64Array(nodes.length);
  }

  tables(): HotwordAutomaton {
    const nodes = this.#nodes;
    const order = nodes.map((_, s) => s).sort((a, b) => nodes[a]!.depth - nodes[b]!.depth);
    const end = new Float32Array(nodes.length);
    const worth = new Float32Array(nodes.length);
    for (const s of order.slice(2)) {
      this.#resolve(s);
      end[s] = this.#gain[s]! + end[this.#fail[s]!]!;
      worth[s] = Math.max(end[s]!, nodes[s]!.share);
    }
    const most = new Float32Array(nodes.length);
    for (const s of order) {
      if (s === 1) continue;
      const children = [...nodes[s]!.arcs.values()].map((next) => worth[next]! - worth[s]!);
      const fail = this.#fail[s]!;
      const failing = s === 0 ? 0 : this.#gain[s]! + worth[fail]! - worth[s]! + most[fail]!;
      most[s] = Math.max(0, failing, ...children);
    }
    const sorted = nodes.map(({ arcs }) => [...arcs].sort(([a], [b]) => a - b));
    let count = 0;
    const start = Uint32Array.from([0, ...sorted.map((arcs) => (count += arcs.length))]);
    return {
      ...{ start, fail: this.#fail, gain: Float32Array.from(this.#gain), worth, end, most },
      symbol: Uint32Array.from(sorted.flat(), ([symbol]) => symbol),
      next: Uint32Array.from(sorted.flat(), ([, next]) => next),
    };
  }

  /** Where a state fails to: the longest phrase at its beginning is found, or its first word is none; the rest is walked anew. */
  #resolve(s: number) {
    const path: number[] = [];
    for (let at = s; at !== 0; at = this.#nodes[at]!.parent) path.unshift(at);
    const symbols = path.map((at) => this.#symbolOf(at));
    const found = path.findLastIndex((at) => this.#nodes[at]!.weight !== undefined);
    const taken = found >= 0 ? found : symbols.indexOf(SPACE);
    if (taken < 0) {
      this.#fail[s] = 1;
      return;
    }
    let gain = found >= 0 ? this.#nodes[path[found]!]!.weight! : 0;
    let at = 0;
    for (const symbol of symbols.slice(taken + 1)) {
      let next = this.#arc(at, symbol);
      while (next === undefined) {
        gain += this.#gain[at]!;
        at = this.#fail[at]!;
        next = this.#arc(at, symbol);
      }
      at = next;
    }
    this.#fail[s] = at;
    this.#gain[s] = gain;
  }

  #symbolOf(s: number): number {
    const { parent } = this.#nodes[s]!;
    for (const [symbol, next] of this.#nodes[parent]!.arcs) if (next === s) return symbol;
    return OTHER;
  }

  #arc(at: number, symbol: number): number | undefined {
    return this.#nodes[at]!.arcs.get(symbol) ?? (at > 1 ? undefined : symbol === SPACE ? 0 : 1);
  }
}
