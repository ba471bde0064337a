/** Words as UTF-8, one after another, each found by its bytes. */
export class WordIndex {
  bytes = new Uint8Array(4096);
  ends = new Uint32Array(0);
  count = 0;
  /** Of each slot: one more than its word, or 0. */
  #slots = new Uint32Array(1);

  /** The word of these bytes, −1 if there is none. */
  find(bytes: Uint8Array, from: number, to: number): number {
    return this.#slots[this.#slotOf(bytes, from, to)]! - 1;
  }

  /** @returns its number */
  add(bytes: Uint8Array, from: number, to: number): number {
    const begin = this.count === 0 ? 0 : this.ends[this.count - 1]!;
    const end = begin + to - from;
    if (end > this.bytes.length) this.bytes = grown(this.bytes, 2 * end);
    this.bytes.set(bytes.subarray(from, to), begin);
    if (this.count === this.ends.length) {
      this.ends = grown(this.ends, Math.max(1024, 2 * this.count));
      this.#index();
    }
    this.#slots[this.#slotOf(bytes, from, to)] = this.count + 1;
    this.ends[this.count] = end;
    return this.count++;
  }

  /** For as many words as there is room for. */
  #index(): void {
    this.#slots = new Uint32Array(slotsFor(this.ends.length));
    for (let word = 0, from = 0; word < this.count; from = this.ends[word++]!)
      this.#slots[this.#slotOf(this.bytes, from, this.ends[word]!)] = word + 1;
  }

  /** Where the word is, or would be. */
  #slotOf(bytes: Uint8Array, from: number, to: number): number {
    let hash = 0x811c9dc5;
    for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#slots[slot]! > 0 && !this.#is(this.#slots[slot]! - 1, bytes, from, to))
      slot = (slot + 1) & mask;
    return slot;
  }

  #is(word: number, bytes: Uint8Array, from: number, to: number): boolean {
    const begin = word === 0 ? 0 : this.ends[word - 1]!;
    if (this.ends[word]! - begin !== to - from) return false;
    for (let i = from; i < to; i++) if (this.bytes[begin + i - from] !== bytes[i]) return false;
    return true;
  }
}

/** A power of two that leaves half of the slots free. */
export const slotsFor = (count: number) => 2 ** Math.ceil(Math.log2(2 * count + 2));

type Growable = Uint8Array | Uint32Array | Float32Array;

/** A longer array with the same beginning. */
export function grown<T extends Growable>(array: T, length: number): T {
  const longer = new (array.constructor as new (length: number) => T)(length);
  longer.set(array);
  return longer;
}
