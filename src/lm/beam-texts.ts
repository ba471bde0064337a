import type { Knowledge } from './knowledge.js';

/** Moves of a text that are remembered, a power of two. */
const remembered = 64;
const kinds = 4;

/** Texts of a search, each in a slot, and what is known of them. */
export class Texts {
  readonly #knowledge: Knowledge;
  /** The last class of a text, −1 of none, and its node in the tree of texts. */
  readonly last: Int32Array;
  readonly at: Int32Array;
  /** What is known of a text, and ln of the probability that it has come to be, with a blank at its end and without. */
  readonly known: Float64Array;
  readonly ofBlank: Float64Array;
  readonly ofLabel: Float64Array;
  /** 64 bits of the text. */
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly #node: Int32Array;
  readonly #lm: Int32Array;
  readonly #hot: Int32Array;
  readonly #baseLow: Int32Array;
  readonly #baseHigh: Int32Array;
  readonly #bounds: Float64Array;
  readonly #kinds: readonly number[];
  readonly #moves: Int32Array;
  /** Of a remembered move: the bits of the text that it makes, and what it adds; NaN where only the bits are known. */
  readonly moveLow: Int32Array;
  readonly moveHigh: Int32Array;
  readonly #moveWorth: Float64Array;

  constructor(knowledge: Knowledge, slots: number) {
    const words = (count = slots) => new Int32Array(count);
    const logs = (count = slots) => new Float64Array(count);
    this.#knowledge = knowledge;
    [this.last, this.at, this.low, this.high] = [words(), words(), words(), words()];
    [this.known, this.ofBlank, this.ofLabel] = [logs(), logs(), logs()];
    [this.#node, this.#lm, this.#hot, this.#baseLow, this.#baseHigh] = [
      words(),
      words(),
      words(),
      words(),
      words(),
    ];
    this.#kinds = [...new Set(knowledge.tables.kinds.length > 0 ? knowledge.tables.kinds : [0])];
    this.#bounds = logs(kinds * slots);
    [this.#moves, this.moveLow, this.moveHigh] = [remembered, remembered, remembered].map((n) =>
      words(n * slots),
    ) as [Int32Array, Int32Array, Int32Array];
    this.#moveWorth = logs(remembered * slots);
  }

  /** Puts the text that the knowledge stands at into a slot. */
  enter(slot: number, last: number, at: number, known: number): void {
    const knowledge = this.#knowledge;
    const { node, lm, hot } = knowledge;
    [this.last[slot], this.at[slot], this.known[slot]] = [last, at, known];
    [this.low[slot], this.high[slot]] = [knowledge.low, knowledge.high];
    [this.#baseLow[slot], this.#baseHigh[slot]] = [knowledge.baseLow, knowledge.baseHigh];
    [this.#node[slot], this.#lm[slot], this.#hot[slot]] = [node, lm, hot];
    this.#moves.fill(-1, slot * remembered, (slot + 1) * remembered);
    const leaving = knowledge.leaving(node, lm);
    for (const kind of this.#kinds)
      this.#bounds[kinds * slot + kind] = knowledge.bound(kind, node, hot, leaving);
  }

  /** Lets the knowledge stand at a text. */
  stand(slot: number): void {
    const knowledge = this.#knowledge;
    knowledge.node = this.#node[slot]!;
    knowledge.lm = this.#lm[slot]!;
    knowledge.hot = this.#hot[slot]!;
    knowledge.low = this.low[slot]!;
    knowledge.high = this.high[slot]!;
    knowledge.baseLow = this.#baseLow[slot]!;
    knowledge.baseHigh = this.#baseHigh[slot]!;
  }

  node(slot: number): number {
    return this.#node[slot]!;
  }

  /** The most that a move of a text by a class of this kind adds. */
  bound(slot: number, kind: number): number {
    return this.#bounds[kinds * slot + kind]!;
  }

  less(slot: number, label: number): number {
    return this.#knowledge.less(label, this.#hot[slot]!);
  }

  /** The most that any move adds. */
  most(slot: number): number {
    let most = -Infinity;
    for (const kind of this.#kinds) most = Math.max(most, this.#bounds[kinds * slot + kind]!);
    return most;
  }

  /** Where the bits of the text are that a move makes. */
  move(slot: number, label: number, exit: number): number {
    const name = (label << 12) | (exit + 1);
    const i = slot * remembered + ((label + 29 * (exit + 1)) & (remembered - 1));
    if (this.#moves[i] === name) return i;
    this.stand(slot);
    this.#moves[i] = name;
    this.#moveWorth[i] = this.#knowledge.isSpelled ? this.#knowledge.move(label, exit) : Number.NaN;
    if (!this.#knowledge.isSpelled) this.#knowledge.write(label);
    this.moveLow[i] = this.#knowledge.low;
    this.moveHigh[i] = this.#knowledge.high;
    return i;
  }

  /** What it adds. */
  worth(slot: number, label: number, exit: number): number {
    const i = this.move(slot, label, exit);
    if (!Number.isNaN(this.#moveWorth[i]!)) return this.#moveWorth[i]!;
    this.stand(slot);
    const worth = this.#knowledge.move(label, exit);
    this.#moveWorth[i] = worth;
    return worth;
  }
}
