import type { Problem } from '../problem.js';

/** The twin of shaders/shared/sequence.wgsl: a sequence's record, read. */
export class Sequence {
  readonly inputLength: number;
  readonly targetLength: number;
  readonly feasible: boolean;
  readonly #targets: Uint32Array;
  readonly #labels: number;
  readonly #starts: number;
  readonly #places: number;

  constructor(problem: Problem, targets: Uint32Array, n: number) {
    const base = (n - problem.firstSequence) * problem.recordWords;
    this.inputLength = targets[base];
    this.targetLength = targets[base + 1];
    this.feasible = targets[base + 2] !== 0;
    this.#targets = targets;
    this.#labels = base + 3;
    this.#starts = this.#labels + problem.labels;
    this.#places = this.#starts + problem.labels + 1;
  }

  labelAt(i: number): number {
    return this.#targets[this.#labels + i] & 0x7fffffff;
  }

  maySkip(i: number): boolean {
    return this.#targets[this.#labels + i] >>> 31 === 1;
  }

  /** Emissions below 2^−range count as zero. */
  get range(): number {
    return Math.min(2 ** 20, Math.floor(2 ** 29 / Math.max(this.inputLength, 1)));
  }

  /** First and last pair that a path can be in at frame t and still reach both ends; first > last if none. */
  firstPair(t: number): number {
    return Math.max(0, this.targetLength + t - this.inputLength);
  }

  lastPair(t: number): number {
    return Math.min(t, this.targetLength);
  }

  /** Calls back with each distinct class and the range of its places; `place` turns an index into a place. */
  forEachClass(callback: (label: number, first: number, end: number) => void): void {
    let first = 0;
    for (let j = 0; first < this.targetLength; j++) {
      const end = this.#targets[this.#starts + j + 1];
      callback(this.labelAt(this.place(first)), first, end);
      first = end;
    }
  }

  place(index: number): number {
    return this.#targets[this.#places + index];
  }
}
