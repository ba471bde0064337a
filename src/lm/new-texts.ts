import { addLogs } from '../problem/logs.js';
import { Places } from './places.js';

/** Ways to texts that are not there yet: as many as are wanted, the best ones; those to one text are one. */
export class Ways {
  count = 0;
  /** What a way has to be worth to be among the best: grows while better ones come. */
  least = -Infinity;
  readonly slot: Int32Array;
  readonly label: Int32Array;
  readonly exit: Int32Array;
  readonly ctc: Float64Array;
  readonly known: Float64Array;
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #width: number;
  readonly #places: Places;

  constructor(width: number) {
    const room = 4 * width;
    const words = () => new Int32Array(room);
    [this.slot, this.label, this.exit, this.#low, this.#high] = [words(), words(), words(), words(), words()];
    [this.ctc, this.known] = [new Float64Array(room), new Float64Array(room)];
    this.#width = width;
    this.#places = new Places(room);
  }

  clear(least: number): void {
    this.count = 0;
    this.least = least;
    this.#places.clear();
  }

  add(
    low: number,
    high: number,
    label: number,
    slot: number,
    exit: number,
    ctc: number,
    known: number,
  ): void {
    const there = this.#places.find(low, high, label);
    if (there >= 0) {
      this.ctc[there] = addLogs(this.ctc[there]!, ctc);
      return;
    }
    const i = this.count++;
    this.#places.add(low, high, label, i);
    [this.#low[i], this.#high[i], this.label[i], this.slot[i], this.exit[i]] = [low, high, label, slot, exit];
    [this.ctc[i], this.known[i]] = [ctc, known];
    if (this.count === this.ctc.length) this.#thin();
  }

  score(i: number): number {
    return this.ctc[i]! + this.known[i]!;
  }

  /** Leaves the best, in their order. */
  #thin(): void {
    const scores = Float64Array.from(this.ctc, (_, i) => this.score(i)).sort();
    this.least = Math.max(this.least, scores[scores.length - this.#width]!);
    const all = this.count;
    // of equal ones there may be any number, which must not take the places of better ones behind them
    let equal = 2 * this.#width - scores.filter((score) => score > this.least).length;
    this.count = 0;
    this.#places.clear();
    for (let i = 0; i < all; i++) {
      const score = this.score(i);
      if (score < this.least || (score === this.least && equal-- <= 0)) continue;
      const to = this.count++;
      this.#places.find(this.#low[i]!, this.#high[i]!, this.label[i]!);
      this.#places.add(this.#low[i]!, this.#high[i]!, this.label[i]!, to);
      for (const array of [this.slot, this.label, this.exit, this.#low, this.#high, this.ctc, this.known])
        array[to] = array[i]!;
    }
  }
}
