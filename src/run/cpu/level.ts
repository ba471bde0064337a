import { type Extended, store } from './extended.js';

/** Added to what divides: nothing beside a state of a level row, and 0 / 0 becomes 0. */
export const TINY = 2 ** -1022;
const LEAST = 2 ** -960;
const MOST = 2 ** 1000;
const scales = Float64Array.from({ length: 7 }, (_, i) => 2 ** (256 * (i - 3)));

/**
 * Keeps the exponents of some states, a row of blanks and one of labels, out of the loop over them: most often all
 * can have one in common, and then the mantissas are plain numbers. Twin of the idea of shaders/shared/four.wgsl.
 */
export class Level {
  /** Whether the mantissas go by `e`, and the exponents in memory say nothing. */
  on = false;
  e = 0;
  /** The number that comes in from the left, in the same units. */
  m = 0;
  /** What a step may multiply by at most. */
  readonly most: number;
  readonly #rows: readonly Extended[];
  /** No state is less, but for zeros, and none more. */
  #low = 1;
  #high = 1;
  #rest = 0;

  constructor(most: number, ...rows: Extended[]) {
    this.most = most;
    this.#rows = rows;
  }

  /**
   * Before a step: leaves the common exponent if the step might leave the range of doubles, and takes one up if it may be kept for a while.
   * The states are those from `first` to `last`; m · 2^(256 e) comes in from the left. The step multiplies what is not 0 by at least `least`
   * and at most `most`. `even`: no emission has an exponent.
   */
  before(first: number, last: number, m: number, e: number, least: number, even: boolean): void {
    if (this.on && !(even && this.#admit(m, e) && this.#allows(least))) this.settle(first, last);
    if (this.on || !even || this.#rest-- > 0) return;
    this.on = this.#raise(first, last, m, e);
    if (this.on && !this.#allows(least)) this.settle(first, last);
    // where exponents lie far apart they do so for a while
    if (!this.on) this.#rest = 16;
  }

  /** Back to an exponent for each state. */
  settle(first: number, last: number): void {
    if (!this.on) return;
    this.on = false;
    for (const row of this.#rows) for (let i = first; i <= last; i++) store(row, i, row.m[i], this.e);
  }

  #allows(least: number): boolean {
    this.#low *= least;
    this.#high *= this.most;
    return this.#low > LEAST && this.#high < MOST;
  }

  #admit(m: number, e: number): boolean {
    this.m = 0;
    if (m === 0) return true;
    if (Math.abs(e - this.e) > 3) return false;
    this.m = m * scales[e - this.e + 3];
    this.#low = Math.min(this.#low, this.m);
    this.#high = Math.max(this.#high, this.m);
    return true;
  }

  #raise(first: number, last: number, m: number, e: number): boolean {
    let least = m === 0 ? Number.POSITIVE_INFINITY : e;
    let most = m === 0 ? Number.NEGATIVE_INFINITY : e;
    for (const row of this.#rows) {
      for (let i = first; i <= last; i++) {
        if (row.m[i] === 0) continue;
        if (row.e[i] < least) least = row.e[i];
        if (row.e[i] > most) most = row.e[i];
      }
    }
    // no state at all, or too far apart
    if (!(most - least <= 6)) return false;
    this.e = (least + most) >> 1;
    let low = Number.POSITIVE_INFINITY;
    let high = 0;
    for (const row of this.#rows) {
      for (let i = first; i <= last; i++) {
        if (row.m[i] === 0) continue;
        const size = row.m[i] * scales[row.e[i] - this.e + 3];
        row.m[i] = size;
        if (size < low) low = size;
        if (size > high) high = size;
      }
    }
    this.#low = low;
    this.#high = high;
    return this.#admit(m, e);
  }
}
