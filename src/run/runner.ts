import type { Runs } from '../api/turns.js';
import type { NamedRange } from '../problem/check.js';
import type { Backend, DeviceLattice, Kept, RunOptions } from '../problem/types.js';

/** The caller's tensors for one run, checked. Host arrays give host results, buffers stay on the device. */
export interface RunInput {
  readonly scores: Float32Array | Uint16Array | NamedRange;
  readonly gradOutput?: Float64Array | NamedRange;
  readonly losses?: NamedRange;
  readonly grad?: NamedRange;
}

/** Losses as float64, one for each sequence or the reduced one; or buffers, where buffers went in. */
export interface RunOutput {
  readonly losses: Float64Array | GPUBuffer;
  readonly grad?: Float32Array | GPUBuffer;
}

/** What runs a plan: the scheduler on a GPU, the twins on the CPU. */
export interface Runner extends Runs {
  readonly backend: Backend;
  run(input: RunInput, options: RunOptions): Promise<RunOutput>;
  /** Only on a GPU. */
  encode?(encoder: GPUCommandEncoder, input: RunInput): void;
  /** Log-values (alpha, beta) or probabilities of a kept lattice, [N, T, L], as the last submission left them. */
  read(kept: Kept): Promise<Float64Array>;
  /** The kept lattice for a shader of the caller's. */
  lattice(): DeviceLattice;
  destroy(): void;
}
