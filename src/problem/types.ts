/**
 * WebGPU's own types where the program has them (the DOM library of TypeScript ≥ 6, or `@webgpu/types`),
 * otherwise the least that the library looks for. Nothing here needs either to be installed.
 */
type Global<Name extends string, Otherwise = object> =
  typeof globalThis extends Record<Name, { prototype: infer T }> ? T : Otherwise;

/** WebGPU's `GPUDevice`. */
export type GpuDevice = Global<'GPUDevice'>;
/** WebGPU's `GPUBuffer`. */
export type GpuBuffer = Global<'GPUBuffer', { readonly size: number; readonly usage: number; unmap(): void }>;
/** WebGPU's `GPUCommandEncoder`. */
export type GpuCommandEncoder = Global<'GPUCommandEncoder'>;
type Signal = Global<'AbortSignal', { readonly aborted: boolean; readonly reason: unknown }>;
type Half = Global<'Float16Array', never>;

/** `none`: one loss per sequence; `sum`; `mean`: mean over the batch of loss / max(target length, 1). */
export type Reduction = 'none' | 'sum' | 'mean';

/**
 * `logits`: PyTorch's, exp(logProbs) − posterior, the gradient with respect to the logits;
 * `logProbs`: the partial derivative with respect to the log-probabilities, −posterior; `none`: loss only.
 */
export type Gradient = 'logits' | 'logProbs' | 'none';

/** Order of the axes in memory: time, batch, classes. `TC` is one sequence without a batch axis. */
export type Layout = 'TNC' | 'NTC' | 'TC';

/** How a score is stored. */
export type Dtype = 'float32' | 'float16' | 'bfloat16';

/** `[T, N, C]` in the order of the layout, or `[T, C]`. */
export type Shape = readonly [number, number, number] | readonly [number, number];

/** A whole buffer, or a range of it in bytes. `offset`: a multiple of 4; of 256 for losses and upstream gradients. */
export type GpuData =
  | GpuBuffer
  | { readonly buffer: GpuBuffer; readonly offset?: number | undefined; readonly size?: number }
  | undefined;

/** float32; float16 as `Float16Array`, or its bits in a `Uint16Array` with `dtype: 'float16'`; bfloat16 as bits with `dtype: 'bfloat16'`. */
export type HostData = Float32Array | Uint16Array | Half;

/** Scores with their shape: an array, or a buffer of the device. */
export interface Tensor<S extends Shape = Shape, D extends HostData | GpuData = HostData | GpuData> {
  readonly data: D;
  readonly shape: S;
  /** Default `TNC`, or `TC` for two dimensions. */
  readonly layout?: Layout | undefined;
  /** Default `float32`, or what the array's own type says. */
  readonly dtype?: Dtype | undefined;
}

/**
 * Rows (`[[1, 2], [3]]`; lengths from the rows unless given), padded (`{ data, shape: [N, S] }`),
 * or concatenated (flat; `targetLengths` must add up).
 */
export type Targets =
  | readonly Integers[]
  | Integers
  | { readonly data: Integers; readonly shape: readonly [number, number] };

/** Integers in a list or a typed array of any kind, `BigInt64Array` too. */
export type Integers = ArrayLike<number> | ArrayLike<bigint>;

/** One length for each sequence, or one number for all. */
export type Lengths = Integers | number;

/** How long the sequences of a batch are. */
export interface TargetLengths {
  /** Frames of each sequence. Default: all T. */
  readonly inputLengths?: Lengths | undefined;
  /** Labels of each sequence. Default: the length of its row. */
  readonly targetLengths?: Lengths | undefined;
}

/** How a run is watched and ended. */
export interface RunOptions {
  readonly signal?: Signal | undefined;
  /** Share of the work that is done, from 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/** The lattices that can be kept. */
export type Kept = 'alpha' | 'beta' | 'posterior';

/** A piece of a kept lattice on the device: some sequences, some frames. */
export interface LatticeBlock {
  /** Half-open range of sequences. */
  readonly sequences: readonly [first: number, end: number];
  /** Half-open range of frames. */
  readonly frames: readonly [first: number, end: number];
  /**
   * For `createBindGroup`: the bindings that the snippet declares. They belong to the task. A pipeline with `layout: 'auto'`
   * leaves out what its shader does not use: keep only what it reads, or give it a layout.
   */
  readonly entries: {
    readonly binding: number;
    readonly resource: { readonly buffer: GpuBuffer; readonly offset: number; readonly size: number };
  }[];
}

/** A kept lattice on the device: one block, unless the device's limits made the plan split it. */
export interface DeviceLattice {
  readonly blocks: readonly LatticeBlock[];
  /**
   * WGSL for a shader of yours. Declares the bindings of `group` (default 0) and, of what was kept,
   * `alphaLog(n, t, s)`, `betaLog(n, t, s)` (natural logarithms; −3.4e38 for a probability of zero) and
   * `posterior(n, t, s)`, for the sequences and frames of the block that is bound; besides `ctcClass(n, s)`,
   * `ctcInputLength(n)` and `ctcTargetLength(n)`.
   */
  wgsl(group?: number): string;
}
