import type { Problem } from '../problem.js';

/** The twin of shaders/shared/sequence.wgsl: a sequence's record, read. */
export class Sequence {
  readonly inputLength: number;
  readonly targetLength: number;
  readonly feasible: boolean;
  readonly labels: Uint32Array;
  readonly #starts: Uint32Array;
  readonly #places: Uint32Array;

  constructor(problem: Problem, targets: Uint32Array, n: number) {
    const base = (n - problem.firstSequence) * problem.recordWords;
    this.inputLength = targets[base];
    this.targetLength = targets[base + 1];
    this.feasible = targets[base + 2] !== 0;
    this.labels = targets.subarray(base + 3, base + 3 + this.targetLength);
    const starts = base + 3 + problem.labels;
    this.#starts = targets.subarray(starts, starts + problem.labels + 1);
    this.#places = targets.subarray(starts + problem.labels + 1, starts + 2 * problem.labels + 1);
  }

  labelAt(i: number): number {
    return this.labels[i] & 0x7fffffff;
  }

  maySkip(i: number): boolean {
    return this.labels[i] >>> 31 === 1;
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
      const end = this.#starts[j + 1];
      callback(this.labelAt(this.#places[first]), first, end);
      first = end;
    }
  }

  place(index: number): number {
    return this.#places[index];
  }
}
