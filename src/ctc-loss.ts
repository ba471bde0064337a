import {
  checkAxes,
  checkDtype,
  checkInteger,
  checkKeep,
  checkObject,
  checkSettings,
  type Settings,
  scoresKey,
} from './check.js';
import { describe, limitsOf, type OpenDevice, sharedDevice } from './device.js';
import { CtcError } from './errors.js';
import { GpuRunner } from './gpu/runner.js';
import { defaultTuning, type Limits, planStep, type Tuning } from './plan.js';
import { checkTargets } from './targets.js';
import { Task } from './task.js';
import type {
  Backend,
  CtcLossOptions,
  CtcTask,
  GpuData,
  GpuDevice,
  Gradient,
  HostData,
  LossInput,
  LossResult,
  PrepareOptions,
  Reduction,
  RunOptions,
  Shape,
  TargetLengths,
  Targets,
  TaskInput,
  Tensor,
} from './types.js';

/** Sizes for tests: small ones make small cases take every path. Not part of the public interface. */
export interface Forced {
  readonly limits?: Partial<Limits>;
  readonly tuning?: Partial<Tuning>;
}

export const forced = new WeakMap<CtcLoss, Forced>();

/**
 * The CTC loss and its gradient (Graves et al. 2006, equations 6 to 16), with the semantics of
 * `torch.nn.functional.ctc_loss`. Holds options and a device; `prepare` makes tasks for a shape of problem.
 */
export class CtcLoss<R extends Reduction = Reduction, G extends Gradient = Gradient> {
  readonly #settings: Settings;
  readonly #open: OpenDevice | undefined;
  readonly #backend: Backend;
  readonly #tasks = new Set<{ destroy(): void }>();
  #destroyed = false;

  /**
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none.
   */
  static async create<const R extends Reduction = 'mean', const G extends Gradient = 'logits'>(
    options?: CtcLossOptions<R, G>,
  ): Promise<CtcLoss<R, G>> {
    const settings = checkSettings(options);
    const { device } = settings;
    if (device === 'cpu') return new CtcLoss(settings, undefined, 'asked for');
    if (typeof device === 'object') {
      const given = device as GPUDevice;
      return new CtcLoss(
        settings,
        { device: given, adapter: describe(given.adapterInfo), reason: 'the device that was given' },
        '',
      );
    }
    try {
      return new CtcLoss(settings, await sharedDevice(), '');
    } catch (error) {
      if (device === 'gpu' || !(error instanceof CtcError)) throw error;
      return new CtcLoss(settings, undefined, error.message);
    }
  }

  private constructor(settings: Settings, open: OpenDevice | undefined, whyCpu: string) {
    this.#settings = settings;
    this.#open = open;
    this.#backend = open
      ? { device: 'gpu', adapter: open.adapter, strategy: 'step', reason: open.reason }
      : { device: 'cpu', adapter: 'float64 on one thread', strategy: 'step', reason: whyCpu };
  }

  /** The device in use: the caller's or the shared one; undefined on the CPU. */
  get device(): GpuDevice | undefined {
    return this.#open?.device as GpuDevice | undefined;
  }

  /** What runs, and why. */
  get backend(): Backend {
    return this.#backend;
  }

  /**
   * Plans, allocates and compiles for one shape of problem.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: PrepareOptions<S>): Promise<CtcTask<R, G, S>> {
    this.#alive();
    checkObject('options', options, ['logProbs', 'logits', 'layout', 'dtype', 'maxTargetLength', 'keep']);
    const { blank, reduction, zeroInfinity, gradient } = this.#settings;
    const scores = scoresKey(options);
    if (scores === 'logits' && gradient === 'logProbs') {
      throw new RangeError("gradient: expected 'logits' or 'none' when logits go in, got 'logProbs'");
    }
    const task = {
      ...checkAxes(scores, options[scores]!, options.layout, blank),
      scores,
      dtype: checkDtype('options', options.dtype),
      maxTargetLength: checkInteger('maxTargetLength', options.maxTargetLength, 0),
      keep: checkKeep(options.keep),
      blank,
      reduction,
      zeroInfinity,
      gradient,
    };
    const { limits, tuning } = forced.get(this) ?? {};
    const device = this.#open?.device;
    const plan = planStep(
      task,
      { ...(device ? limitsOf(device) : unlimited), ...limits },
      { ...defaultTuning, ...tuning },
    );
    const runner = device
      ? await GpuRunner.create(device, plan, this.#backend)
      : new (await import('./cpu/runner.js')).CpuRunner(plan, this.#backend);
    const prepared = new Task<R, G, S>(plan, runner, this.#settings, () => this.#tasks.delete(prepared));
    if (this.#destroyed) prepared.destroy();
    this.#alive();
    this.#tasks.add(prepared);
    return prepared as unknown as CtcTask<R, G, S>;
  }

  /**
   * Loss and gradient of one batch, memory and all. For many batches of one shape, `prepare` once.
   * @throws what `prepare`, `setTargets` and `run` of a task throw.
   */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: LossInput<S, D>,
    options?: RunOptions,
  ): Promise<LossResult<R, G, S, D>> {
    this.#alive();
    const keys = [
      'logProbs',
      'logits',
      'targets',
      'inputLengths',
      'targetLengths',
      'gradOutput',
      'loss',
      'grad',
    ];
    checkObject('input', input, keys);
    const key = scoresKey(input);
    const tensor = input[key] as Tensor<S, D>;
    checkObject(key, tensor, ['data', 'shape', 'layout', 'dtype']);
    const { data, shape, layout } = tensor;
    const { blank } = this.#settings;
    const axes = checkAxes(key, shape, layout, blank);
    const dtype = checkDtype(key, tensor.dtype, data);
    const { inputLengths, targetLengths, targets, gradOutput, loss, grad } = input;
    const lengths = {
      ...(inputLengths !== undefined && { inputLengths }),
      ...(targetLengths !== undefined && { targetLengths }),
    };
    const batch = checkTargets(targets, lengths, axes, blank);
    const maxTargetLength = batch.targetLengths.reduce((most, length) => Math.max(most, length), 0);
    const shapes = {
      [key]: shape,
      layout: axes.layout,
      dtype,
      maxTargetLength,
    } as unknown as PrepareOptions<S>;
    const task = await this.prepare(shapes);
    try {
      task.setTargets(targets, lengths);
      const given: Record<string, unknown> = { [key]: data, gradOutput, loss, grad };
      return await task.run(given as TaskInput<D>, options);
    } finally {
      task.destroy();
    }
  }

  /** Destroys the tasks that are left. A device that was given stays, and so does the shared one. May be called again. */
  destroy(): void {
    this.#destroyed = true;
    for (const task of [...this.#tasks]) task.destroy();
  }

  #alive() {
    if (this.#destroyed) throw new CtcError('destroyed', 'this CtcLoss was destroyed');
  }
}

if (Symbol.dispose)
  Object.defineProperty(CtcLoss.prototype, Symbol.dispose, { value: CtcLoss.prototype.destroy });

const unlimited: Limits = {
  maxStorageBufferBindingSize: 2 ** 40,
  maxBufferSize: 2 ** 40,
  maxComputeWorkgroupsPerDimension: 2 ** 31,
};

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
  const ctc = await CtcLoss.create<R, G>(options);
  try {
    const lengths = {
      ...(inputLengths !== undefined && { inputLengths }),
      ...(targetLengths !== undefined && { targetLengths }),
    };
    return await ctc.run({ logProbs, targets, ...lengths } as LossInput<S, D>);
  } finally {
    ctc.destroy();
  }
}
