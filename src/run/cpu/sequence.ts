import type { Problem } from '../../kernels/uniforms.js';
import { STAR } from '../../problem/star.js';

/** As a word. */
const STAR_WORD = STAR >>> 0;

/** The twin of shaders/shared/sequence.wgsl: a sequence's record, read. */
export class Sequence {
  readonly inputLength: number;
  readonly targetLength: number;
  readonly feasible: boolean;
  /** The blank's and one for each distinct label. */
  readonly slots: number;
  readonly #targets: Uint32Array;
  readonly #labels: number;
  readonly #classes: number;
  readonly #starts: number;
  readonly #places: number;

  constructor(problem: Problem, targets: Uint32Array, n: number) {
    const base = (n - problem.firstSequence) * problem.recordWords;
    this.inputLength = targets[base];
    this.targetLength = targets[base + 1];
    this.feasible = targets[base + 2] !== 0;
    this.slots = targets[base + 3] + 1;
    this.#targets = targets;
    this.#labels = base + 4;
    this.#classes = this.#labels + problem.labels;
    this.#starts = this.#classes + problem.distinct + 1;
    this.#places = this.#starts + problem.distinct + 1;
  }

  /** Whether the star, which then has the last slot, is among the targets. */
  get hasStar(): boolean {
    return this.classOf(this.slots - 1) === STAR_WORD;
  }

  slotAt(i: number): number {
    return this.#targets[this.#labels + i] & 0x3fffffff;
  }

  maySkip(i: number): boolean {
    return this.#targets[this.#labels + i] >>> 31 === 1;
  }

  classOf(slot: number): number {
    return this.#targets[this.#classes + slot];
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

  /** The labels of slot j are at the places start(j) to start(j + 1); `place` turns an index into a place. */
  start(slot: number): number {
    return this.#targets[this.#starts + slot - 1];
  }

  place(index: number): number {
    return this.#targets[this.#places + index];
  }
}
