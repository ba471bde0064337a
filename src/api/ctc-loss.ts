import { strategies, strategyFor } from '../plan/strategies.js';
import { checkKept, held } from '../problem/check.js';
import { wrongValue } from '../problem/errors.js';
import type {
  DeviceLattice,
  GpuData,
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
  Backend,
  CtcLossOptions,
  CtcTask,
  Disposes,
  LossInput,
  LossResult,
  PrepareOptions,
} from './contracts.js';
import { type About, type Definition, Operation, open } from './operation.js';
import { reduced } from './reduced.js';
import { TargetTask } from './task.js';

/**
 * The CTC loss and its gradient (Graves et al. 2006, equations 6 to 16), with the semantics of
 * `torch.nn.functional.ctc_loss`. Holds options and a device; `prepare` makes tasks for a shape of problem.
 */
export class CtcLoss<R extends Reduction = Reduction, G extends Gradient = Gradient> extends Operation {
  /**
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none.
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
   * Loss and gradient of one batch, memory and all. For many batches of one shape, `prepare` once.
   * @throws what `prepare`, `setTargets` and `run` of a task throw.
   */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: LossInput<S, D>,
    options?: RunOptions,
  ): Promise<LossResult<R, G, S, D>> {
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
  return { loss: isOne ? losses[0] : Float32Array.from(losses), ...(grad && { grad }) };
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
