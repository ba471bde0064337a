/** Wall time that one submission aims at, in milliseconds. */
const target = 25;

/**
 * How much work to put into the next submission. The cost of work is learnt from the difference between
 * two sizes, never from one wait: a wait has a floor (Firefox completes waits on a 100 ms timer, its bug
 * 1870699), and a floor says nothing about the work.
 */
export class Pace {
  #size: number;
  #floor: { size: number; time: number } | undefined;

  constructor(first: number) {
    this.#size = first;
  }

  get size(): number {
    return this.#size;
  }

  learn(size: number, time: number): void {
    if (!this.#floor || time < this.#floor.time) this.#floor = { size, time };
    const slope = (time - this.#floor.time) / (size - this.#floor.size);
    const known = size > this.#floor.size && time > 1.5 * this.#floor.time && slope > 0;
    const wanted = known ? target / slope : Number.POSITIVE_INFINITY;
    // a size of this time or less is not yet told apart from the floor: try a larger one
    this.#size = Math.min(2 * size, Math.max(size / 2, wanted));
  }
}
