/**
 * Keeps the runs of a task apart: they follow each other, each with the targets that were set when it was asked for.
 */
export class Turns {
  readonly #place: (records: Uint32Array<ArrayBuffer>) => void;
  #records: Uint32Array<ArrayBuffer> | undefined;
  /** Those in memory; others than `#records` while runs that began with older targets are pending. */
  #placed: Uint32Array | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #over = false;

  /** `place` puts records where the kernels find them. */
  constructor(place: (records: Uint32Array<ArrayBuffer>) => void) {
    this.#place = place;
  }

  /** Effective for runs that are asked for after it. */
  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#records = records;
    if (this.#pending === 0) this.#put(records);
  }

  /** @throws TypeError if no targets were set. */
  get records(): Uint32Array<ArrayBuffer> {
    if (!this.#records) throw new TypeError('targets: expected a call of setTargets before this, got none');
    return this.#records;
  }

  get busy(): boolean {
    return this.#pending > 0;
  }

  /** When the runs so far have ended, well or not. */
  get quiet(): Promise<unknown> {
    return this.#tail;
  }

  /** `check` may throw before anything is done. */
  take<T>(check: () => void, work: () => Promise<T>): Promise<T> {
    const { records } = this;
    this.#pending++;
    const turn = this.#tail.then(() => {
      check();
      if (this.#placed !== records) this.#put(records);
      return work();
    });
    const leave = () => {
      this.#pending--;
      if (this.#pending === 0 && this.#records && this.#placed !== this.#records && !this.#over)
        this.#put(this.#records);
    };
    this.#tail = turn.then(leave, leave);
    return turn;
  }

  /** No more records are put anywhere. */
  end(): void {
    this.#over = true;
  }

  #put(records: Uint32Array<ArrayBuffer>) {
    this.#place(records);
    this.#placed = records;
  }
}
