import { placeIn } from './n-gram-tables.js';
import { Flag, Kind, type KnowledgeTables, noWord, OTHER, SPACE } from './tables.js';

/**
 * What is known of a text while it grows: where it is in the trie of words, in the model and in the hotwords, and the hash by which it is told
 * from other texts. `move` goes on by a class and says what that is worth; the fields are then those of the longer text.
 */
export class Knowledge {
  readonly tables: KnowledgeTables;
  node = 0;
  lm = 0;
  hot = 0;
  /** 64 bits of the text, and of the text up to the word that has not ended. */
  low = 0;
  high = 0;
  baseLow = 0;
  baseHigh = 0;
  readonly isSpelled: boolean;
  readonly #outside: number;
  readonly #isLabels: boolean;
  readonly #isTokens: boolean;
  readonly #hasLm: boolean;
  readonly #hasHot: boolean;
  readonly #isAdjacent: boolean;
  /** Whether no class is a space and more. */
  readonly #spaceIsAlone: boolean;
  /** Children of the node where words begin, which has many, and is asked most often. */
  readonly #roots: Uint32Array;
  readonly #hotRoots: Uint32Array;
  /** What a class that is a letter changes where a word begins. */
  readonly #firsts: Float64Array;
  /** What a space changes in each state of the hotwords, once it was asked. */
  readonly #spaces: Float64Array;

  constructor(tables: KnowledgeTables) {
    this.tables = tables;
    const { flags, nodeStart, nodeNext, nodeSymbol, ahead, hot } = tables;
    const has = (flag: number) => (flags & flag) !== 0;
    this.#isLabels = has(Flag.labels);
    this.#isTokens = has(Flag.tokens);
    this.isSpelled = has(Flag.spelled);
    this.#isAdjacent = has(Flag.adjacent);
    this.#hasLm = has(Flag.lm);
    this.#hasHot = has(Flag.hotwords);
    this.#outside = ahead.length - 1;
    const { kinds, symbolStart, symbols } = tables;
    this.#spaceIsAlone = kinds.every(
      (kind, c) => kind !== Kind.space || symbolStart[c + 1]! - symbolStart[c]! === 1,
    );
    const end = nodeStart[1]!;
    this.#roots = byKey(nodeSymbol.subarray(0, end), nodeNext);
    this.#hotRoots = byKey(hot.symbol.subarray(0, hot.start[1]), hot.next);
    this.#firsts = Float64Array.from(kinds, (kind, c) =>
      kind === Kind.letter ? hot.worth[this.#hotRoots[symbols[symbolStart[c]!]!] ?? 0]! : 0,
    );
    this.#spaces = new Float64Array(hot.worth.length).fill(Number.NaN);
  }

  /** The empty text. */
  begin(): void {
    this.node = this.hot = 0;
    this.lm = this.tables.lmBegin;
    this.low = this.baseLow = 0x9e3779b9 | 0;
    this.high = this.baseHigh = 0x7f4a7c15;
  }

  /** Ways in which the word that has not ended may end. */
  exits(node: number): number {
    const { exitStart } = this.tables;
    return node === 0 ? 0 : exitStart[node + 1]! - exitStart[node]!;
  }

  /** Moves by a class: without an end of a word that a choice is made of, −1; where words are spelled, also one for each word that can end. */
  choices(label: number, node: number): { readonly from: number; readonly end: number } {
    if (!this.isSpelled) return once;
    const isDelimiter = label === this.tables.delimiter;
    const exits = this.exits(node);
    if (isDelimiter) return node === 0 ? once : { from: 0, end: exits };
    return { from: -1, end: this.#isAdjacent ? exits : 0 };
  }

  /** Goes on by a class, and by the end of a word if `exit` is none of −1. What that adds to the objective, −Infinity where it cannot be. */
  move(label: number, exit: number): number {
    if (this.isSpelled) return this.#moveSpelled(label, exit);
    const { symbolStart, symbols, classWord, classPrice } = this.tables;
    let sum = 0;
    if (this.#isLabels) this.#mix(label + 1);
    if (this.#isTokens) sum += classPrice[label]! + this.#word(classWord[label]!);
    for (let i = symbolStart[label]!; i < symbolStart[label + 1]!; i++) {
      const symbol = symbols[i]!;
      if (symbol !== SPACE) sum += this.#letter(symbol);
      else if (this.node !== 0) sum += this.#leave(0);
      else continue;
      if (!this.#isLabels) this.#mix(symbol);
      if (this.#hasHot) sum += this.#hear(symbol);
      if (sum === -Infinity) break;
    }
    return sum;
  }

  /** The bits alone of `move`, where no words are spelled. */
  write(label: number): void {
    if (this.#isLabels) {
      this.#mix(label + 1);
      return;
    }
    const { symbolStart, symbols } = this.tables;
    let isInWord = this.node !== 0;
    for (let i = symbolStart[label]!; i < symbolStart[label + 1]!; i++) {
      const symbol = symbols[i]!;
      if (symbol === SPACE && !isInWord) continue;
      isInWord = symbol !== SPACE;
      this.#mix(symbol);
    }
  }

  #moveSpelled(label: number, exit: number): number {
    const isDelimiter = label === this.tables.delimiter;
    const sum = exit >= 0 ? this.#endWord(exit) : 0;
    if (isDelimiter || sum === -Infinity) return sum;
    this.#mix(label + 2);
    return sum + this.#letter(label + 2);
  }

  /** The word that is spelled ends: the text is then its words, however they are spelled. */
  #endWord(exit: number): number {
    const { exitStart, exitName, letterStart, letters } = this.tables;
    const name = exitName[exitStart[this.node]! + exit]!;
    let sum = this.#leave(exit);
    if (name !== noWord) [this.low, this.high] = [this.baseLow, this.baseHigh];
    this.#mix(name === noWord ? 1 : name + 0x1000000);
    [this.baseLow, this.baseHigh] = [this.low, this.high];
    if (this.#hasHot) {
      if (name === noWord) sum += this.#hear(OTHER);
      else for (let i = letterStart[name]!; i < letterStart[name + 1]!; i++) sum += this.#hear(letters[i]!);
      sum += this.#hear(SPACE);
    }
    return sum;
  }

  /** The text ends here, with the word that has not ended if there is one. */
  end(exit: number): number {
    const { hot, lmEnd } = this.tables;
    let sum = 0;
    if (this.node !== 0) {
      if (this.isSpelled) sum += this.#endWord(exit);
      else sum += this.#leave(exit) + (this.#hasHot ? this.#hear(SPACE) : 0);
    }
    if (this.#hasLm) sum += this.#word(lmEnd);
    return this.#hasHot ? sum + hot.end[this.hot]! - hot.worth[this.hot]! : sum;
  }

  /**
   * The most that a class can add to a text in this state, by its kind, without asking it.
   * @param leaving what the end of its word adds
   */
  bound(kind: number, node: number, hot: number, leaving: number): number {
    const { mostFirst, mostLeaving, mostHeard, mostToken } = this.tables;
    const isInside = kind === Kind.letter || kind === Kind.inside;
    const first = node === 0 || !isInside ? Math.max(0, mostFirst) : 0;
    const left = isInside ? 0 : Math.max(0, kind === Kind.space ? leaving : mostLeaving);
    if (!this.#hasHot) return mostToken + first + left;
    const heard =
      kind === Kind.letter
        ? this.tables.hot.most[hot]!
        : kind === Kind.space && this.#spaceIsAlone && node !== 0
          ? this.#hearSpace(hot)
          : mostHeard;
    return mostToken + first + left + heard;
  }

  /** What the end of its word adds to a text in this state, the hotwords aside. */
  leaving(node: number, lm: number): number {
    if (node === 0) return 0;
    [this.node, this.lm] = [node, lm];
    return this.#leave(0);
  }

  #letter(symbol: number): number {
    const { nodeStart, nodeSymbol, nodeNext, ahead } = this.tables;
    const { node } = this;
    let next = this.#outside;
    if (node === 0) next = this.#roots[symbol] || next;
    else if (node !== next) {
      const at = placeIn(nodeSymbol, symbol, nodeStart[node]!, nodeStart[node + 1]!);
      if (at >= 0) next = nodeNext[at]!;
    }
    this.node = next;
    return ahead[next]! - ahead[node]!;
  }

  /** The word ends in the way `exit`. */
  #leave(exit: number): number {
    const { exitStart, exitWord, exitPrice, ahead } = this.tables;
    const { node } = this;
    const at = exitStart[node]! + exit;
    this.node = 0;
    if (at >= exitStart[node + 1]!) return -Infinity;
    const word = this.#hasLm && !this.#isTokens ? this.#word(exitWord[at]!) : 0;
    return exitPrice[at]! + word - ahead[node]!;
  }

  /** The model's weight of a word, and the context behind it. */
  #word(word: number): number {
    const { lmStart, lmWord, lmNext, lmLog, lmFail, lmFailLog } = this.tables;
    let sum = 0;
    for (let context = this.lm; context !== 0; context = lmFail[context]!) {
      const at = placeIn(lmWord, word, lmStart[context]!, lmStart[context + 1]!);
      if (at >= 0) {
        this.lm = lmNext[at]!;
        return sum + lmLog[at]!;
      }
      sum += lmFailLog[context]!;
    }
    this.lm = lmNext[word]!;
    return sum + lmLog[word]!;
  }

  /** By how much less than `bound` a letter adds where a word begins. */
  less(label: number, hot: number): number {
    return this.#hasHot && hot === 0 && this.tables.kinds[label] === Kind.letter
      ? this.tables.hot.most[0]! - this.#firsts[label]!
      : 0;
  }

  #hearSpace(hot: number): number {
    if (Number.isNaN(this.#spaces[hot]!)) {
      this.hot = hot;
      this.#spaces[hot] = this.#hear(SPACE);
    }
    return this.#spaces[hot]!;
  }

  #hear(symbol: number): number {
    const { start, symbol: symbols, next, fail, gain, worth } = this.tables.hot;
    const before = worth[this.hot]!;
    let sum = 0;
    for (let state = this.hot; ; state = fail[state]!) {
      // where a word begins, and in a word of no phrase
      if (state < 2) {
        this.hot = symbol === SPACE ? 0 : (state === 0 && this.#hotRoots[symbol]) || 1;
        break;
      }
      const at = placeIn(symbols, symbol, start[state]!, start[state + 1]!);
      if (at >= 0) {
        this.hot = next[at]!;
        break;
      }
      sum += gain[state]!;
    }
    return sum + worth[this.hot]! - before;
  }

  #mix(value: number): void {
    const low = Math.imul(this.low ^ value, 0x9e3779b1);
    const high = Math.imul(this.high ^ (value + 0x165667b1), 0x85ebca77);
    this.low = low ^ (low >>> 15) ^ high;
    this.high = high ^ (high >>> 13) ^ Math.imul(low, 0xc2b2ae3d);
  }
}

/** Values by their keys; 0 where there is none. */
function byKey(keys: Uint32Array, values: Uint32Array): Uint32Array {
  const found = new Uint32Array(keys.reduce((a, b) => Math.max(a, b + 1), 0));
  keys.forEach((key, i) => {
    found[key] = values[i]!;
  });
  return found;
}

const once = { from: -1, end: 0 } as const;
