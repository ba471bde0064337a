import { strategies, strategyFor } from '../plan/strategies.js';
import { checkKept, held } from '../problem/check.js';
import { wrongValue } from '../problem/errors.js';
import type {
  DeviceLattice,
  GpuBuffer,
  GpuCommandEncoder,
  GpuData,
  GpuDevice,
  Gradient,
  HostData,
  Kept,
  Reduction,
  RunOptions,
  Shape,
  TargetLengths,
  Targets,
  Tensor,
} from '../problem/types.js';
import type { Raw } from '../run/runner.js';
import type {
  AlignPrepareOptions,
  Backend,
  Disposes,
  HostResults,
  Scores,
  ScoresOfTask,
  Strategy,
} from './contracts.js';
import { type Definition, Operation, open } from './operation.js';
import { reduced } from './reduced.js';
import { type About, TargetTask } from './task.js';

/** Options of `CtcLoss.create` and of `ctcLoss`. */
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
  /**
   * Loads all parts of the library that this device may need now rather than when each is first needed: for a page that goes offline. Default
   * false.
   */
  readonly preload?: boolean | undefined;
}

/** Upstream gradient of the reduced loss: N values for `none`, one for `sum` and `mean`. Default: ones. */
export type GradOutput = number | ArrayLike<number> | GpuData;

/** Where results go when the scores are on the GPU: float32, N or 1 losses, gradient in the layout of the scores. */
export interface Outputs {
  readonly loss?: GpuData | undefined;
  readonly grad?: GpuData | undefined;
}

/** One batch with its targets, and where results go if the scores are on the GPU. */
export type LossInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> &
  TargetLengths &
  Outputs & { readonly targets: Targets; readonly gradOutput?: GradOutput | undefined };

/** A number, or with `reduction: 'none'` one for each sequence. */
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
  /** With `zeroInfinity`, of scores on the host: whether each sequence has a path. Those that have none are the zeros. */
  readonly feasible?: readonly boolean[];
} & (G extends 'none' ? unknown : { readonly grad: D extends HostData ? Float32Array : GpuBuffer });

/** Of the loss: a shape of problem, and which of its lattices is kept. */
export type PrepareOptions<S extends Shape = Shape> = AlignPrepareOptions<S> & {
  /** What must survive a run, to be read back or used on the device. Default none. */
  readonly keep?: readonly Kept[] | undefined;
};

/** Scores of a prepared task, whose shape is known: data alone. */
export interface TaskInput<D extends HostData | GpuData> extends Outputs, ScoresOfTask<D> {
  readonly gradOutput?: GradOutput | undefined;
}

/** What `encode` binds: everything on the device. */
export interface EncodeInput extends ScoresOfTask<GpuData> {
  readonly loss?: GpuData | undefined;
  readonly grad?: GpuData | undefined;
  readonly gradOutput?: GpuData | undefined;
}

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
   * (those given as `loss` and `grad`, else new ones that are the caller's), or arrays with `results: 'host'`. Everything is read and copied at once, but scores of more
   * than 4 MiB, which are read while the run goes on: leave those as they are until it has ended.
   * @throws TypeError, RangeError naming the argument, also of ranges that overlap where one is written; CtcError `busy` if something that
   * this task encoded has not been submitted, `device-lost`, `out-of-memory`, `gpu-validation`, `destroyed`.
   */
  run(input: TaskInput<HostData | GpuData> & HostResults, options?: RunOptions): Promise<LossResult<R, G, S>>;
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

/**
 * The CTC loss and its gradient (Graves et al. 2006, equations 6 to 16), with the semantics of
 * `torch.nn.functional.ctc_loss`. Holds options and a device; `prepare` makes tasks for a shape of problem.
 */
export class CtcLoss<R extends Reduction = Reduction, G extends Gradient = Gradient> extends Operation {
  /**
   * Finds a device, or takes the one that is given.
   *
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none, `load-failed`.
   */
  static async create<const R extends Reduction = 'mean', const G extends Gradient = 'logits'>(
    options?: CtcLossOptions<R, G>,
  ): Promise<CtcLoss<R, G> & Disposes> {
    return new CtcLoss<R, G>(definition, await open(definition, options)) as CtcLoss<R, G> & Disposes;
  }

  /** What runs, and why. Before a task is prepared the strategy is what was asked for. */
  override get backend(): Backend {
    return super.backend as Backend;
  }

  /**
   * Plans, allocates and compiles for one shape of problem.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: PrepareOptions<S>): Promise<CtcTask<R, G, S>> {
    return this.prepareTask(options);
  }

  /**
   * Loss and gradient of one batch, memory and all. For many batches of one shape, `prepare` once. Arrays in, arrays out; buffers in, buffers
   * out, or arrays with `results: 'host'`.
   *
   * @throws what `prepare`, `setTargets` and `run` of a task throw.
   */
  async run<const S extends Shape>(
    input: LossInput<S, HostData | GpuData> & HostResults,
    options?: RunOptions,
  ): Promise<LossResult<R, G, S>>;
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: LossInput<S, D>,
    options?: RunOptions,
  ): Promise<LossResult<R, G, S, D>>;
  async run(input: object, options?: RunOptions): Promise<unknown> {
    return this.runOnce(input, options);
  }
}

/** A task whose lattice may be kept. */
class LossTask extends TargetTask {
  get lattice(): DeviceLattice {
    this.alive();
    if (this.plan.task.keep.length === 0)
      throw new TypeError("lattice: nothing was kept; prepare with keep: ['alpha', 'beta', 'posterior']");
    this.runner.slots?.check();
    return this.runner.lattice();
  }

  async read(kept: Kept): Promise<Float64Array> {
    this.alive();
    const { keep } = this.plan.task;
    if (!keep.includes(checkKept('kept', kept))) {
      throw new TypeError(
        `read: '${kept}' was not kept; prepare with keep: ['${[...keep, kept].join("', '")}']`,
      );
    }
    const check = () => {
      this.alive();
      if (!this.hasRun) throw new TypeError('read: expected a run before this, got none');
    };
    return this.unlessDestroyed(this.turns.take(check, () => this.runner.read(kept)));
  }
}

const withoutGradient = "with gradient: 'none'";

const definition: Definition = {
  settings: ['reduction', 'zeroInfinity', 'gradient', 'strategy'],
  sizes: ['maxTargetLength', 'keep'],
  inputs: ['gradOutput', 'loss', 'grad'],
  hasTargets: true,
  absent: { gradOutput: withoutGradient, grad: withoutGradient },
  Task: LossTask,
  answer: lossesOf,
  async plan(shape, limits, tuning, strategy) {
    if (shape.scores === 'logits' && shape.gradient === 'logProbs')
      throw wrongValue('gradient', "'logits' or 'none' when logits go in", 'logProbs');
    return strategies[strategyFor(strategy, shape, tuning)].plan(shape, limits, tuning);
  },
};

/** The losses reduced as asked for, and the gradient as it is. */
function lossesOf({ loss, grad }: Raw, { task, targetLengths }: About): object {
  const losses = reduced(loss as Float64Array, task, targetLengths);
  const isOne = task.reduction !== 'none' || task.layout === 'TC';
  const each = Array.from(loss as Float64Array, (one) => one !== Number.POSITIVE_INFINITY);
  return {
    loss: isOne ? losses[0] : Float32Array.from(losses),
    ...(grad && { grad }),
    ...(task.zeroInfinity && { feasible: each }),
  };
}

/**
 * The one-liner, in the argument order of `torch.nn.functional.ctc_loss`: log-probabilities, targets, lengths.
 * @throws what `CtcLoss.create` and `run` throw.
 */
export async function ctcLoss<
  const S extends Shape,
  D extends HostData | GpuData,
  const R extends Reduction = 'mean',
  const G extends Gradient = 'logits',
>(
  logProbs: Tensor<S, D>,
  targets: Targets,
  inputLengths?: TargetLengths['inputLengths'],
  targetLengths?: TargetLengths['targetLengths'],
  options?: CtcLossOptions<R, G>,
): Promise<LossResult<R, G, S, D>> {
  const input = held({ logProbs, targets, inputLengths, targetLengths });
  const ctc = await CtcLoss.create<R, G>(options);
  try {
    return await ctc.run(input as LossInput<S, D>);
  } finally {
    ctc.destroy();
  }
}
