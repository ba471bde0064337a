import type { LossStrategy } from '../plan/strategies.js';
import type {
  Dtype,
  GpuBuffer,
  GpuData,
  GpuDevice,
  HostData,
  Layout,
  Shape,
  TargetLengths,
  Targets,
  Tensor,
} from '../problem/types.js';

/**
 * How the lattice is computed. `step`: alpha, then beta, a barrier or a dispatch per frame. `fused`: many frames per dispatch, from both
 * ends of a sequence at once, a workgroup for each. `tiled`: the same, with several workgroups for a wide target.
 * `auto` chooses.
 */
export type Strategy = 'auto' | LossStrategy;

/**
 * One of three keys, with what it says the numbers are.
 *
 * - `logits`: what a model gives before a softmax; the log-softmax is done for you
 * - `logProbs`: the result of a log-softmax
 * - `probs`: the result of a softmax, as many OCR models end in one
 */
export type OneOfScores<T> =
  | { readonly logProbs: T; readonly logits?: undefined; readonly probs?: undefined }
  | { readonly logits: T; readonly logProbs?: undefined; readonly probs?: undefined }
  | { readonly probs: T; readonly logProbs?: undefined; readonly logits?: undefined };

/** The same of a task, which was prepared for one of them. */
export interface ScoresOfTask<D> {
  readonly logProbs?: D | undefined;
  readonly logits?: D | undefined;
  readonly probs?: D | undefined;
}

/** Exactly one of `logits`, `logProbs` and `probs`: the key says what the numbers are. */
export type Scores<S extends Shape, D extends HostData | GpuData> = OneOfScores<Tensor<S, D>> & {
  /** Class of the blank. Default: that of the instance. */
  readonly blank?: number | undefined;
};

/** Results as arrays, whatever goes in: what a caller who reads the results wants of scores on the GPU. */
export interface HostResults {
  readonly results: 'host';
}

/** What ran, and why. */
export interface Backend {
  readonly device: 'gpu' | 'cpu';
  /** The adapter's own description. */
  readonly adapter: string;
  /** Before a task is prepared: what was asked for. */
  readonly strategy: Strategy;
  readonly reason: string;
}

/** Of an operation without targets. */
export type DecodePrepareOptions<S extends Shape = Shape> = OneOfScores<S> & {
  readonly layout?: Layout | undefined;
  readonly dtype?: Dtype | undefined;
  /** Class of the blank. Default: that of the instance. */
  readonly blank?: number | undefined;
};

/** Of an operation with targets. */
export type AlignPrepareOptions<S extends Shape = Shape> = DecodePrepareOptions<S> & {
  /** Room for the labels of a sequence. */
  readonly maxTargetLength: number;
};

/** `using`, where the program's library has it. */
export type Disposes = SymbolConstructor extends { readonly dispose: infer D extends symbol }
  ? { [K in D]: () => void }
  : object;

/** Options of `CtcAligner`, `CtcDecoder` and `CtcPosterior`. */
export interface CtcReaderOptions {
  /** As of a `CtcLoss`. */
  readonly device?: GpuDevice | 'auto' | 'gpu' | 'cpu' | undefined;
  /** Class of the blank. Default 0. */
  readonly blank?: number | undefined;
  /**
   * Loads all parts of the library that this device may need now rather than when each is first needed: for a page that goes offline. Default
   * false.
   */
  readonly preload?: boolean | undefined;
}

/** What ran, and why, of an operation that has no strategies. */
export type ReaderBackend = Omit<Backend, 'strategy'>;

/** One batch with its targets. */
export type AlignInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> &
  TargetLengths & { readonly targets: Targets };

/** Scores of a prepared task, and where its results go if the scores are on the GPU: buffers with usage `COPY_DST`. */
export interface ReadInput<D extends HostData | GpuData> extends ScoresOfTask<D> {
  /** int32, [N, T]. */
  readonly labels?: GpuData | undefined;
  /** float32, [N, T]. */
  readonly scores?: GpuData | undefined;
}

/** For each frame a class and its log-probability, [N, T] whatever the layout of the scores. Arrays in, arrays out. */
export interface FrameLabels<D extends HostData | GpuData = HostData> {
  readonly backend: ReaderBackend;
  /** Class at each frame, the blank among them; −1 beyond the input length, and where there is no answer. */
  readonly labels: D extends HostData ? Int32Array : GpuBuffer;
  /** Natural logarithm of its probability; 0 beyond the input length, and where there is no answer. */
  readonly scores: D extends HostData ? Float32Array : GpuBuffer;
}
