import { type Cluster, clustersOf, type Form, formsOf, isAccent, isSaid } from './letters.js';

/** A token as letters. */
export interface Token {
  readonly label: number;
  readonly letters: readonly string[];
  /** How far its letters are from those it is listed with. */
  readonly cost: number;
}

/** A label and the part of the word that it spells; without a label, a part that is said and that no token spells. */
export interface SpelledPart {
  readonly label: number | undefined;
  readonly text: string;
}

interface Ending {
  readonly label: number;
  readonly cost: number;
}

/** Tokens as a tree of letters: from a node by a letter to the node one letter deeper. The root is 0. */
class Tree {
  readonly #children: Map<string, number>[] = [new Map()];
  readonly #endings: (Ending | undefined)[] = [undefined];

  constructor(tokens: Iterable<Token>) {
    for (const { letters, label, cost } of tokens) {
      let node = 0;
      for (const letter of letters) node = this.child(node, letter) ?? this.#grow(node, letter);
      const known = this.#endings[node];
      if (!known || cost < known.cost) this.#endings[node] = { label, cost };
    }
  }

  child(node: number, letter: string): number | undefined {
    return this.#children[node].get(letter);
  }

  /** The token whose letters end here. */
  ending(node: number): Ending | undefined {
    return this.#endings[node];
  }

  #grow(node: number, letter: string): number {
    const grown = this.#children.push(new Map()) - 1;
    this.#children[node].set(letter, grown);
    this.#endings.push(undefined);
    return grown;
  }
}

/** From one place between letters to a later one by a letter. */
interface Arc {
  readonly letter: string;
  readonly to: number;
  readonly cost: number;
  readonly share: number;
}

/** A word as a graph: every way from its first place to its last is a way to write it. */
interface Graph {
  /** For each place the ways on. */
  readonly arcs: Arc[][];
  /** For each place the letter with its marks that begins there or is under way; −1 before the first. */
  readonly cluster: number[];
  /** Whether a letter begins there. */
  readonly begins: boolean[];
}

/** What a spelling costs, the dearest first: letters that are said and left out, others that are left out, other forms, labels. */
type Cost = readonly [said: number, silent: number, forms: number, labels: number];

interface Step {
  readonly cost: Cost;
  readonly from: number;
  readonly label?: number;
  /** What is left out. */
  readonly skips?: string;
}

const plus = (a: Cost, b: Cost): Cost => [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]];

function isLess(a: Cost, b: Cost): boolean {
  const i = a.findIndex((x, i) => x !== b[i]);
  return i >= 0 && a[i]! < b[i]!;
}

/** What leaving out an accent costs among the other forms. */
const accentCost = 6;

/** What stands at the beginning and at the end of a word in the tokens, where they say it. */
export interface Marks {
  readonly begin?: string;
  readonly end?: string;
}

const unspoken: readonly Form[] = [{ letters: [''], cost: 0 }];

/** One letter with its marks more, in all its forms: the places within them lie before the place behind it. */
function extend({ arcs, cluster, begins }: Graph, index: number, forms: readonly Form[]): void {
  const from = arcs.length - 1;
  const behind = from + 1 + forms.reduce((sum, { letters }) => sum + letters.length - 1, 0);
  let inner = from + 1;
  for (const { letters, cost, share = 1 } of forms) {
    let at = from;
    letters.forEach((letter, i) => {
      const to = i === letters.length - 1 ? behind : inner++;
      arcs[at]!.push({ letter, to, cost: i === 0 ? cost : 0, share });
      at = to;
      if (to !== behind) {
        arcs[to] = [];
        cluster[to] = index;
        begins[to] = false;
      }
    });
  }
  cluster[from] = index;
  begins[from] = true;
  arcs[behind] = [];
  cluster[behind] = index + 1;
  begins[behind] = true;
}

/** What it costs to leave a letter out. */
function skipping({ letter, cost, share }: Arc): Cost {
  if (letter === '') return [0, 0, cost, 0];
  if (isAccent(letter)) return [0, 0, cost + accentCost, 0];
  return isSaid(letter) ? [share, 0, cost, 0] : [0, 1, cost, 0];
}

/** How a vocabulary spells words. */
export class Speller {
  readonly #tree: Tree;
  readonly #letters = new Set<string>();
  /** Of letters that were met before. */
  readonly #forms = new Map<string, readonly Form[]>();

  readonly #isTurkish: boolean;

  /** @param isTurkish whether i and ı are two letters, in both cases; by default where the tokens have both */
  constructor(tokens: readonly Token[], isTurkish?: boolean) {
    this.#tree = new Tree(tokens);
    for (const { letters } of tokens) for (const letter of letters) this.#letters.add(letter);
    this.#isTurkish = isTurkish ?? (this.#letters.has('ı') || this.#letters.has('İ'));
  }

  /**
   * The cheapest way through the word: a step is a token, in any form of the letters, or a letter that is left out. Fewest letters are left
   * out, then the forms are nearest to what is written, then there are fewest labels.
   */
  spell(word: string, marks: Marks = {}): SpelledPart[] {
    const clusters = clustersOf(word);
    const graph = this.#graphOf(clusters, marks);
    return partsOf(this.#cheapest(graph), graph, clusters);
  }

  #graphOf(clusters: readonly Cluster[], { begin, end }: Marks): Graph {
    const graph: Graph = { arcs: [[]], cluster: [], begins: [] };
    const knows = (letter: string) => this.#letters.has(letter);
    if (begin !== undefined) extend(graph, -1, [{ letters: [begin], cost: 0 }]);
    clusters.forEach((cluster, i) => {
      const key = `${cluster.isLast} ${cluster.text}`;
      const forms = cluster.isQuote
        ? unspoken
        : (this.#forms.get(key) ?? formsOf(cluster, knows, this.#isTurkish));
      this.#forms.set(key, forms);
      extend(graph, i, forms);
    });
    if (end !== undefined) extend(graph, clusters.length, [{ letters: [end], cost: 0 }]);
    return graph;
  }

  /** For each place the last step of the cheapest way to it. */
  #cheapest({ arcs }: Graph): (Step | undefined)[] {
    const best: (Step | undefined)[] = [{ cost: [0, 0, 0, 0], from: -1 }];
    const offer = (to: number, step: Step) => {
      const known = best[to];
      if (!known || isLess(step.cost, known.cost)) best[to] = step;
    };
    for (let from = 0; from < arcs.length; from++) {
      const here = best[from];
      if (!here) continue;
      for (const arc of arcs[from]) {
        offer(arc.to, { cost: plus(here.cost, skipping(arc)), from, skips: arc.letter });
      }
      // all tokens that begin here
      const open = [{ place: from, node: 0, forms: 0 }];
      for (let state = open.pop(); state; state = open.pop()) {
        for (const { letter, to, cost } of arcs[state.place]) {
          const node = this.#tree.child(state.node, letter);
          if (node === undefined) continue;
          const forms = state.forms + cost;
          const ending = this.#tree.ending(node);
          if (ending) {
            const spelled = plus(here.cost, [0, 0, forms + ending.cost, 1]);
            offer(to, { cost: spelled, from, label: ending.label });
          }
          open.push({ place: to, node, forms });
        }
      }
    }
    return best;
  }
}

/** The cheapest way, found from its end to its beginning: which label spells what. */
function partsOf(
  best: readonly (Step | undefined)[],
  { cluster, begins }: Graph,
  clusters: readonly Cluster[],
): SpelledPart[] {
  const steps: (Step & { readonly to: number })[] = [];
  for (let to = best.length - 1; to > 0; to = steps.at(-1)!.from) steps.push({ ...best[to]!, to });
  steps.reverse();
  const parts: { readonly label: number | undefined; text: string }[] = [];
  /** The first letter whose text no part has yet. */
  let next = 0;
  for (const { from, to, label, skips = '' } of steps) {
    if (label === undefined && !isSaid(skips)) continue;
    let text = '';
    const end = begins[to] ? cluster[to]! : cluster[to]! + 1;
    for (next = Math.max(next, cluster[from]!); next < Math.min(end, clusters.length); next++)
      text += clusters[next]!.text;
    const last = parts.at(-1);
    // what is missing side by side is one part
    if (label === undefined && last && last.label === undefined) last.text += text;
    else parts.push({ label, text });
  }
  return parts;
}
