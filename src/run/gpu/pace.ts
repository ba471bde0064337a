/** Wall time that one submission aims at, in milliseconds. */
const target = 25;

/**
 * How much work to put into the next submission. A wait says little by itself: it may have a floor that has nothing to
 * do with the work (Firefox completes waits on a 100 ms timer, its bug 1870699). But the cost of a unit of work lies
 * between what a wait took beyond the shortest one seen, and all that it took; the estimate is kept in these bounds.
 */
export class Pace {
  #size: number;
  #cost = 0;
  #floor = Number.POSITIVE_INFINITY;

  constructor(first: number) {
    this.#size = first;
  }

  get size(): number {
    return this.#size;
  }

  learn(size: number, time: number): void {
    this.#floor = Math.min(this.#floor, time);
    // no browser's floor is that high
    const beyond = time > 8 * target ? time : time - this.#floor;
    // what is no longer confirmed fades, so that a floor's jitter is not taken for work for ever
    this.#cost = Math.min(Math.max(0.8 * this.#cost, beyond / size), time / size);
    const growth = beyond > 0 ? 1.5 : 2;
    this.#size = Math.min(growth * size, Math.max(size / 8, target / this.#cost));
  }
}
