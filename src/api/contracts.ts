import type { LossStrategy } from '../plan/strategies.js';
import type {
  DeviceLattice,
  Dtype,
  GpuBuffer,
  GpuCommandEncoder,
  GpuData,
  GpuDevice,
  Gradient,
  HostData,
  Kept,
  Layout,
  Lengths,
  Reduction,
  RunOptions,
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

/** Exactly one of `logProbs` and `logits`: the key says what the numbers are. */
export type Scores<S extends Shape, D extends HostData | GpuData> = (
  | { readonly logProbs: Tensor<S, D>; readonly logits?: undefined }
  | { readonly logits: Tensor<S, D>; readonly logProbs?: undefined }
) & {
  /** Class of the blank. Default: that of the instance. */
  readonly blank?: number | undefined;
};

export interface CtcLossOptions<R extends Reduction = Reduction, G extends Gradient = Gradient> {
  /**
   * A `GPUDevice` of yours (never destroyed by the library), or `auto` (default: WebGPU if there is any,
   * else the CPU), `gpu` (WebGPU or an error), `cpu`.
   */
  readonly device?: GpuDevice | 'auto' | 'gpu' | 'cpu' | undefined;
  /** Class of the blank. Default 0. */
  readonly blank?: number | undefined;
  /** Default `mean`. */
  readonly reduction?: R | undefined;
  /** Infeasible sequences get loss 0 and gradient 0. Default false. */
  readonly zeroInfinity?: boolean | undefined;
  /** Default `logits`, as PyTorch. */
  readonly gradient?: G | undefined;
  /** Default `auto`. */
  readonly strategy?: Strategy | undefined;
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

/** Upstream gradient of the reduced loss: N values for `none`, one for `sum` and `mean`. Default: ones. */
export type GradOutput = number | ArrayLike<number> | GpuData;

/** Where results go when the scores are on the GPU: float32, N or 1 losses, gradient in the layout of the scores. */
export interface Outputs {
  readonly loss?: GpuData | undefined;
  readonly grad?: GpuData | undefined;
}

export type LossInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> &
  TargetLengths &
  Outputs & { readonly targets: Targets; readonly gradOutput?: GradOutput | undefined };

export type LossValue<R extends Reduction, S extends Shape> = R extends 'none'
  ? S extends readonly [number, number]
    ? number
    : Float32Array
  : number;

/** Arrays in, arrays out; buffers in, buffers out. */
export type LossResult<
  R extends Reduction = Reduction,
  G extends Gradient = Gradient,
  S extends Shape = Shape,
  D extends HostData | GpuData = HostData,
> = {
  readonly backend: Backend;
  readonly loss: D extends HostData ? LossValue<R, S> : GpuBuffer;
} & (G extends 'none' ? unknown : { readonly grad: D extends HostData ? Float32Array : GpuBuffer });

type ScoresShape<S extends Shape> = (
  | { readonly logProbs: S; readonly logits?: undefined }
  | { readonly logits: S; readonly logProbs?: undefined }
) & {
  readonly layout?: Layout | undefined;
  readonly dtype?: Dtype | undefined;
  /** Class of the blank. Default: that of the instance. */
  readonly blank?: number | undefined;
};

/** Of an operation with targets. */
export type AlignPrepareOptions<S extends Shape = Shape> = ScoresShape<S> & {
  /** Room for the labels of a sequence. */
  readonly maxTargetLength: number;
};

export type PrepareOptions<S extends Shape = Shape> = AlignPrepareOptions<S> & {
  /** What must survive a run, to be read back or used on the device. Default none. */
  readonly keep?: readonly Kept[] | undefined;
};

/** Scores of a prepared task, whose shape is known: data alone. */
export interface TaskInput<D extends HostData | GpuData> extends Outputs {
  readonly logProbs?: D | undefined;
  readonly logits?: D | undefined;
  readonly gradOutput?: GradOutput | undefined;
}

/** What `encode` binds: everything on the device. */
export interface EncodeInput {
  readonly logProbs?: GpuData | undefined;
  readonly logits?: GpuData | undefined;
  readonly loss?: GpuData | undefined;
  readonly grad?: GpuData | undefined;
  readonly gradOutput?: GpuData | undefined;
}

/** `using`, where the program's library has it. */
export type Disposes = SymbolConstructor extends { readonly dispose: infer D extends symbol }
  ? { [K in D]: () => void }
  : object;

/** One shape of problem with its memory and compiled kernels, used again at every training step. */
export interface CtcTask<
  R extends Reduction = Reduction,
  G extends Gradient = Gradient,
  S extends Shape = Shape,
> extends Disposes {
  readonly backend: Backend;
  /**
   * Bytes that the task holds besides scores and gradient, known before anything runs. On a CPU, whose numbers are wider,
   * it takes up to twice that. Grows by the targets of what is encoded and not yet executed.
   */
  readonly memory: number;
  /**
   * The kept lattice for a shader of the caller's, as the last submission leaves it, with the targets of that.
   * @throws TypeError if nothing is kept; CtcError `no-webgpu` on the CPU, `device-lost`.
   */
  readonly lattice: DeviceLattice;
  /**
   * Checks targets and lengths and puts them on the device. Effective for runs and encodes after it, and for no others.
   * @throws TypeError, RangeError naming the argument, sequence and position; CtcError `device-lost`, `destroyed`.
   */
  setTargets(targets: Targets, lengths?: TargetLengths): void;
  /**
   * Loss and gradient of one batch. Runs of one task follow each other. Arrays in, arrays out; buffers in, buffers out
   * (those given as `loss` and `grad`, else new ones that are the caller's). Everything is read and copied at once, but scores of more
   * than 4 MiB, which are read while the run goes on: leave those as they are until it has ended.
   * @throws TypeError, RangeError naming the argument, also of ranges that overlap where one is written; CtcError `busy` if something that
   * this task encoded has not been submitted, `device-lost`, `out-of-memory`, `gpu-validation`, `destroyed`.
   */
  run<D extends HostData | GpuData>(
    input: TaskInput<D>,
    options?: RunOptions,
  ): Promise<LossResult<R, G, S, D>>;
  /**
   * The same into a command encoder of the caller's, with the targets that are set now: no submission, no readback, no write to the
   * queue. What is encoded holds its targets until it has been executed; while it is not submitted, the task does not `run`.
   * @throws TypeError, RangeError as `run`; CtcError `no-webgpu` on the CPU, `busy` while a `run` of this task has not ended,
   * `device-lost`, `destroyed`.
   */
  encode(encoder: GpuCommandEncoder, input: EncodeInput): void;
  /**
   * A kept lattice, float64, [N, T, L] with L = 2·maxTargetLength + 1. Alpha and beta as natural logarithms (−Infinity
   * outside the band of states that lie on a whole path, and beyond the input length), the posterior as probabilities (0
   * there; NaN for a sequence without a finite loss). beta(t, s) does not include the emission at t.
   * Of the last submission, with its targets, whatever was set since.
   * @throws TypeError if it was not kept, or nothing has run, or the last run failed; CtcError `busy` if something that this task encoded
   * has not been submitted.
   */
  read(kept: Kept): Promise<Float64Array>;
  /** Frees the task's memory; a run that has not ended rejects. May be called again. */
  destroy(): void;
}

export interface CtcReaderOptions {
  /** As of a `CtcLoss`. */
  readonly device?: GpuDevice | 'auto' | 'gpu' | 'cpu' | undefined;
  /** Class of the blank. Default 0. */
  readonly blank?: number | undefined;
}

/** What ran, and why, of an operation that has no strategies. */
export type ReaderBackend = Omit<Backend, 'strategy'>;

export type DecodePrepareOptions<S extends Shape = Shape> = ScoresShape<S>;

export type AlignInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> &
  TargetLengths & { readonly targets: Targets };

export type DecodeInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> & {
  readonly inputLengths?: Lengths | undefined;
};

/** Scores of a prepared task, and where its results go if the scores are on the GPU: buffers with usage `COPY_DST`. */
export interface ReadInput<D extends HostData | GpuData> {
  readonly logProbs?: D | undefined;
  readonly logits?: D | undefined;
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

/** The best path of each sequence. */
export type Alignment<S extends Shape = Shape, D extends HostData | GpuData = HostData> = FrameLabels<D> &
  (D extends HostData
    ? {
        /**
         * ln of the path's probability: the sum of `scores`, in float64. −Infinity where the target has no path of a
         * probability above 0, NaN where a score that counts is NaN or +Infinity. A number for `[T, C]`, else one for each sequence.
         */
        readonly score: S extends readonly [number, number] ? number : Float64Array;
      }
    : unknown);

/** What was read in one sequence: the best class of each frame, repeats merged, blanks left out. */
export interface Reading {
  readonly ids: Int32Array;
  /** First frame of each, and the one after its last. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Mean over its frames of the natural logarithm of its probability. */
  readonly scores: Float32Array;
}

export type Decoding<D extends HostData | GpuData = HostData> = FrameLabels<D> &
  (D extends HostData ? { readonly readings: readonly Reading[] } : unknown);

/** What a task of any operation has. */
interface AnyTask extends Disposes {
  readonly backend: ReaderBackend;
  /** Bytes that the task holds besides the scores, known before anything runs. */
  readonly memory: number;
  /** Frees the task's memory; a run that has not ended rejects. May be called again. */
  destroy(): void;
}

/** What a task of an operation with targets has. */
interface AnyTargetTask extends AnyTask {
  /**
   * Checks targets and lengths and puts them on the device. Effective for runs and encodes after it, and for no others.
   * @throws TypeError, RangeError naming the argument, sequence and position; CtcError `device-lost`, `destroyed`.
   */
  setTargets(targets: Targets, lengths?: TargetLengths): void;
}

interface Encodes<I> {
  /**
   * Into a command encoder of the caller's, as `encode` of a `CtcTask`.
   * @throws TypeError, RangeError; CtcError `no-webgpu`, `busy`, `device-lost`, `destroyed`.
   */
  encode(encoder: GpuCommandEncoder, input: I): void;
}

/** What the posterior says of each label, [N, S] with S the longest target, or `maxTargetLength`. */
export interface PosteriorResult<D extends HostData | GpuData = HostData> {
  readonly backend: ReaderBackend;
  /** Frames that each label is expected to last: its posterior summed over time; 0 beyond the target, NaN where no loss is finite. */
  readonly durations: D extends HostData ? Float32Array : GpuBuffer;
  /** The largest posterior of each label in a frame, from 0 to 1. */
  readonly confidences: D extends HostData ? Float32Array : GpuBuffer;
  /**
   * Alignments drawn from the posterior, the class at each frame, [N, samples, T]; −1 beyond the
   * input length and where there is no path. Only with `samples`. The same seed gives the same on the same device.
   */
  readonly samples?: D extends HostData ? Int32Array : GpuBuffer | undefined;
}

/** Scores of a prepared task, and where its results go if the scores are on the GPU: buffers with usage `COPY_DST`. */
export interface PosteriorInput<D extends HostData | GpuData> {
  readonly logProbs?: D | undefined;
  readonly logits?: D | undefined;
  /** Of the samples: an integer from 0 to 2^32 − 1. Default 0. */
  readonly seed?: number | undefined;
  /** float32, [N, S]. */
  readonly durations?: GpuData | undefined;
  /** float32, [N, S]. */
  readonly confidences?: GpuData | undefined;
  /** int32, [N, samples, T]. */
  readonly samples?: GpuData | undefined;
}

/** Expectations over the posterior for one shape of problem. */
export interface PosteriorTask extends AnyTargetTask, Encodes<PosteriorInput<GpuData>> {
  /** Runs of one task follow each other; what they are given is read as by a `CtcTask`. */
  run<D extends HostData | GpuData>(
    input: PosteriorInput<D>,
    options?: RunOptions,
  ): Promise<PosteriorResult<D>>;
}

/** Alignment for one shape of problem. */
export interface AlignTask<S extends Shape = Shape> extends AnyTargetTask, Encodes<ReadInput<GpuData>> {
  /** The best paths of one batch. Runs of one task follow each other; what they are given is read as by a `CtcTask`. */
  run<D extends HostData | GpuData>(input: ReadInput<D>, options?: RunOptions): Promise<Alignment<S, D>>;
}

/** Greedy reading for one shape of problem. */
export interface DecodeTask extends AnyTask, Encodes<ReadInput<GpuData>> {
  /** Frames of each sequence; all T until this is called. @throws TypeError, RangeError */
  setLengths(inputLengths: Lengths): void;
  /** Reads one batch. Runs of one task follow each other; what they are given is read as by a `CtcTask`. */
  run<D extends HostData | GpuData>(input: ReadInput<D>, options?: RunOptions): Promise<Decoding<D>>;
}
