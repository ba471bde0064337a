import type { BufferRange } from './check.js';
import type { Backend, DeviceLattice, Kept, RunOptions } from './types.js';

/** The caller's tensors for one run, checked. Host arrays give host results, buffers stay on the device. */
export interface RunInput {
  readonly scores: Float32Array | Uint16Array | BufferRange;
  readonly gradOutput?: Float64Array | BufferRange;
  readonly losses?: BufferRange;
  readonly grad?: BufferRange;
}

/** Losses as float64, one for each sequence or the reduced one; or buffers, where buffers went in. */
export interface RunOutput {
  readonly losses: Float64Array | GPUBuffer;
  readonly grad?: Float32Array | GPUBuffer;
}

/** What runs a plan: the scheduler on a GPU, the twins on the CPU. */
export interface Runner {
  readonly backend: Backend;
  setRecords(records: Uint32Array<ArrayBuffer>): void;
  run(input: RunInput, options: RunOptions): Promise<RunOutput>;
  /** Only on a GPU. */
  encode?(encoder: GPUCommandEncoder, input: RunInput): void;
  /** Log-values (alpha, beta) or probabilities of a kept lattice, [N, T, L], as the last run left them; its records. */
  read(kept: Kept, records: Uint32Array): Promise<Float64Array>;
  /** The kept lattice for a shader of the caller's. */
  lattice(): DeviceLattice;
  destroy(): void;
}
