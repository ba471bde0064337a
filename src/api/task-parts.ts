// What the types of tasks are made of. The package exports those, not these.
import type { GpuCommandEncoder, TargetLengths, Targets } from '../problem/types.js';
import type { Disposes, ReaderBackend } from './contracts.js';

/** What a task of any operation has. */
export interface AnyTask extends Disposes {
  readonly backend: ReaderBackend;
  /** Bytes that the task holds besides the scores, known before anything runs. */
  readonly memory: number;
  /** Frees the task's memory; a run that has not ended rejects. May be called again. */
  destroy(): void;
}

/** What a task of an operation with targets has. */
export interface AnyTargetTask extends AnyTask {
  /**
   * Checks targets and lengths and puts them on the device. Effective for runs and encodes after it, and for no others.
   * @throws TypeError, RangeError naming the argument, sequence and position; CtcError `device-lost`, `destroyed`.
   */
  setTargets(targets: Targets, lengths?: TargetLengths): void;
}

/** What a task has that can be encoded. */
export interface Encodes<I> {
  /**
   * Into a command encoder of the caller's, as `encode` of a `CtcTask`.
   * @throws TypeError, RangeError; CtcError `no-webgpu`, `busy`, `device-lost`, `destroyed`.
   */
  encode(encoder: GpuCommandEncoder, input: I): void;
}
