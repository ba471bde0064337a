import { isEncoder } from '../problem/check.js';
import { CtcError, wrongKind } from '../problem/errors.js';
import type { Runner } from '../run/runner.js';

/**
 * Keeps what a task does apart: runs follow each other, each with the targets that were set when it was asked for, and nothing is
 * encoded while one has not ended, nor is a run begun while something encoded may still come.
 */
export class Turns {
  readonly #runner: Runner;
  #records: Uint32Array<ArrayBuffer> | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /** Bytes of the targets of what is encoded, besides those of the plan. */
  get memory(): number {
    return this.#runner.slots?.memory ?? 0;
  }

  /** Effective for what is asked for after it. */
  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#runner.slots?.set(records);
    this.#records = records;
  }

  /** @throws TypeError if no targets were set. */
  get records(): Uint32Array<ArrayBuffer> {
    if (!this.#records) throw new TypeError('targets: expected a call of setTargets before this, got none');
    return this.#records;
  }

  /** A run with the targets that are set now. `check` may throw before anything is done. */
  run<T>(check: () => void, work: () => Promise<T>): Promise<T> {
    const { records } = this;
    return this.take(check, () => {
      this.#runner.setRecords(records);
      return work();
    });
  }

  /** A turn that leaves the targets where they are. */
  take<T>(check: () => void, work: () => Promise<T>): Promise<T> {
    this.#pending++;
    const turn = this.#tail.then(async () => {
      check();
      await this.#runner.slots?.settle();
      check();
      return work();
    });
    const leave = () => {
      this.#pending--;
    };
    this.#tail = turn.then(leave, leave);
    return turn;
  }

  /** What is true of every `encode`. `reason`: why this runs where it runs. */
  checkEncode(encoder: unknown, reason: string): asserts encoder is GPUCommandEncoder {
    const { slots } = this.#runner;
    if (!slots) throw new CtcError('no-webgpu', `encode: this runs on the CPU (${reason}); use run`);
    slots.check();
    if (this.#pending > 0) {
      throw new CtcError(
        'busy',
        'encode: a run of this task has not ended, and both use its memory; await it, or prepare a second task',
      );
    }
    if (!isEncoder(encoder)) throw wrongKind('encoder', 'a GPUCommandEncoder', encoder);
    void this.records;
  }
}
