import { strategyFor, tuningFor } from '../plan/tuning.js';
import {
  checkAxes,
  checkDtype,
  checkInteger,
  checkKeep,
  checkObject,
  checkSettings,
  held,
  type Settings,
  scoresKey,
} from '../problem/check.js';
import { CtcError, wrongValue } from '../problem/errors.js';
import type {
  Backend,
  CtcLossOptions,
  CtcTask,
  Disposes,
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
  Tensor,
} from '../problem/types.js';
import { adapterOf, deviceFor, limitsOf } from '../run/device.js';
import { forced } from './forced.js';
import { Task, type TaskShape } from './task.js';

/**
 * The CTC loss and its gradient (Graves et al. 2006, equations 6 to 16), with the semantics of
 * `torch.nn.functional.ctc_loss`. Holds options and a device; `prepare` makes tasks for a shape of problem.
 */
export class CtcLoss<R extends Reduction = Reduction, G extends Gradient = Gradient> {
  readonly #settings: Settings;
  readonly #device: GPUDevice | undefined;
  readonly #backend: Backend;
  readonly #tasks = new Set<{ destroy(): void }>();
  #destroyed = false;

  /**
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none.
   */
  static async create<const R extends Reduction = 'mean', const G extends Gradient = 'logits'>(
    options?: CtcLossOptions<R, G>,
  ): Promise<CtcLoss<R, G> & Disposes> {
    const settings = checkSettings(options);
    return new CtcLoss<R, G>(settings, await deviceFor(settings.device)) as CtcLoss<R, G> & Disposes;
  }

  private constructor(settings: Settings, { device, ...found }: Awaited<ReturnType<typeof deviceFor>>) {
    this.#settings = settings;
    this.#device = device;
    this.#backend = { device: device ? 'gpu' : 'cpu', strategy: settings.strategy, ...found };
  }

  /** The device in use: the caller's or the shared one; undefined on the CPU. */
  get device(): GpuDevice | undefined {
    return this.#device as GpuDevice | undefined;
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
    checkObject('options', options, ['logProbs', 'logits', 'layout', 'dtype', 'maxTargetLength', 'keep']);
    const scores = scoresKey(options);
    const task = await this.#prepare<S>({
      ...checkAxes(scores, '', options[scores]!, options.layout, this.#settings.blank),
      scores,
      dtype: checkDtype('dtype', options.dtype),
      maxTargetLength: checkInteger('maxTargetLength', options.maxTargetLength, 0),
      keep: checkKeep(options.keep),
    });
    return task as unknown as CtcTask<R, G, S>;
  }

  async #prepare<S extends Shape>(shape: TaskShape): Promise<Task<R, G, S>> {
    this.#alive();
    if (shape.scores === 'logits' && this.#settings.gradient === 'logProbs') {
      throw wrongValue('gradient', "'logits' or 'none' when logits go in", 'logProbs');
    }
    const { limits, tuning } = forced.get(this) ?? {};
    const device = this.#device;
    const room = { ...limitsOf(device), ...limits };
    const task = { ...this.#settings, ...shape };
    const sizes = { ...tuningFor(adapterOf(device)), ...tuning };
    const strategy = strategyFor(this.#settings.strategy, task, sizes);
    // a strategy is a chunk of its own: its plan and its kernels
    const plan =
      strategy === 'step'
        ? (await import('../plan/step-plan.js')).planStep(task, room, sizes)
        : (await import('../plan/sweeps-plan.js')).planSweeps(task, room, sizes, strategy);
    const backend = { ...this.#backend, strategy };
    const runner = device
      ? await (await import('../run/gpu/gpu-runner.js')).GpuRunner.create(device, plan, backend)
      : new (await import('../run/cpu/cpu-runner.js')).CpuRunner(plan, backend);
    const made = new Task<R, G, S>(plan, runner, () => this.#tasks.delete(made));
    this.#tasks.add(made);
    if (this.#destroyed) made.destroy();
    this.#alive();
    return made;
  }

  /**
   * Loss and gradient of one batch, memory and all. For many batches of one shape, `prepare` once.
   * @throws what `prepare`, `setTargets` and `run` of a task throw.
   */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: LossInput<S, D>,
    options?: RunOptions,
  ): Promise<LossResult<R, G, S, D>> {
    const own = [held(input), held(options)] as const;
    const { runBatch } = await import('./batch.js');
    const prepare = (shape: TaskShape) => this.#prepare<S>(shape);
    return runBatch(this.#settings.blank, prepare, ...own);
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
