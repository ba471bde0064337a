/** Fields of a node: its parent, its class, the exit of the word before it, and how many stand on it. */
const fields = 4;

/** The beginnings of all texts that are still there. What nothing stands on any more makes room. */
export class Tree {
  #nodes = new Int32Array(fields * 64);
  readonly #free: number[] = [];
  #count = 0;

  /** A node that one stands on. @returns its number; −1 is the parent of first ones */
  add(parent: number, label: number, exit: number): number {
    const at = this.#free.pop() ?? this.#count++;
    if (fields * at === this.#nodes.length) {
      const larger = new Int32Array(2 * this.#nodes.length);
      larger.set(this.#nodes);
      this.#nodes = larger;
    }
    this.#nodes.set([parent, label, exit, 1], fields * at);
    if (parent >= 0) this.#nodes[fields * parent + 3]!++;
    return at;
  }

  leave(at: number): void {
    while (at >= 0 && --this.#nodes[fields * at + 3]! === 0) {
      this.#free.push(at);
      at = this.#nodes[fields * at]!;
    }
  }

  /** The nodes behind `base` on the way to this one, which is the last of them. */
  path(at: number, base: number): number[] {
    const nodes: number[] = [];
    for (; at !== base; at = this.#nodes[fields * at]!) nodes.push(at);
    return nodes.reverse();
  }

  step(at: number): Step {
    return { label: this.#nodes[fields * at + 1]!, exit: this.#nodes[fields * at + 2]! };
  }
}

/** A class of a text; before it, where words are spelled, the word that ended, by its number among those that could: −1 for none. */
export interface Step {
  readonly label: number;
  readonly exit: number;
}
