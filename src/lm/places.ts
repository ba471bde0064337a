/** Finds numbers by 64 bits and a class, which they are asked for. Emptied at once. */
export class Places {
  readonly #mask: number;
  readonly #stamps: Uint32Array;
  readonly #values: Int32Array;
  readonly #low: Int32Array;
  readonly #high: Int32Array;
  readonly #label: Int32Array;
  #now = 0;
  /** Where the last search that found nothing ended. */
  #free = 0;

  constructor(most: number) {
    const size = 2 ** Math.ceil(Math.log2(4 * most + 16));
    this.#mask = size - 1;
    this.#stamps = new Uint32Array(size);
    [this.#values, this.#low, this.#high, this.#label] = Array.from(
      { length: 4 },
      () => new Int32Array(size),
    ) as [Int32Array, Int32Array, Int32Array, Int32Array];
  }

  clear(): void {
    this.#now++;
  }

  /** −1 where there is none. */
  find(low: number, high: number, label: number): number {
    let i = (low ^ Math.imul(label, 0x9e3779b1)) & this.#mask;
    while (this.#stamps[i] === this.#now) {
      if (this.#low[i] === low && this.#high[i] === high && this.#label[i] === label) return this.#values[i]!;
      i = (i + 1) & this.#mask;
    }
    this.#free = i;
    return -1;
  }

  /** Puts there what `find` has just not found. */
  add(low: number, high: number, label: number, value: number): void {
    const i = this.#free;
    this.#stamps[i] = this.#now;
    this.#low[i] = low;
    this.#high[i] = high;
    this.#label[i] = label;
    this.#values[i] = value;
  }
}
