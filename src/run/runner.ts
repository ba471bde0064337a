import type { NamedRange } from '../problem/check.js';
import type { DeviceLattice, GpuBuffer, Kept, RunOptions } from '../problem/types.js';

/** What a caller gives for an input: scores as they are in memory, numbers, or a range of a buffer. */
export type Given = Float32Array | Uint16Array | Float64Array | NamedRange;

/** The ports of a plan that a call fills, checked. */
export interface Call {
  readonly inputs: Readonly<Record<string, Given>>;
  /** Whether results go to the host: those of scores on the host do, those of buffers where it is asked for. */
  readonly toHost?: boolean;
  readonly outputs: Readonly<Record<string, NamedRange>>;
}

/** What came out, by the names of the plan's outputs: losses in float64, one for each sequence; or buffers, where buffers went in. */
export type Raw = Readonly<Record<string, Float32Array | Float64Array | Int32Array | GpuBuffer>>;

/** What runs a plan: the scheduler on a GPU, the twins on the CPU. */
export interface Runner {
  /** Puts records where the kernels find them. */
  setRecords(records: Uint32Array<ArrayBuffer>): void;
  /** Words of a buffer of the plan's own that no run changes. */
  fill(buffer: string, words: Uint32Array<ArrayBuffer>): void;
  /** Only on a GPU: the bytes of a range of the caller's. */
  download?(range: NamedRange): Promise<Uint8Array<ArrayBuffer>>;
  run(call: Call, options: RunOptions): Promise<Raw>;
  /** Only on a GPU. */
  encode?(encoder: GPUCommandEncoder, call: Call): void;
  /** Only on a GPU: the targets of what is encoded. */
  readonly slots?:
    | {
        readonly memory: number;
        /** @throws CtcError `device-lost`, `out-of-memory` */
        check(): void;
        set(records: Uint32Array<ArrayBuffer>): void;
        /** Resolves once all that was encoded has been executed. @throws CtcError `busy` */
        settle(): Promise<void>;
      }
    | undefined;
  /** Log-values (alpha, beta) or probabilities of a kept lattice, [N, T, L], as the last submission left them. */
  read(kept: Kept): Promise<Float64Array>;
  /** The kept lattice for a shader of the caller's. */
  lattice(): DeviceLattice;
  destroy(): void;
}
