import type { GpuData, HostData, RunOptions, Shape } from '../problem/types.js';
import type {
  AlignInput,
  AlignPrepareOptions,
  CtcReaderOptions,
  Disposes,
  PosteriorResult,
  PosteriorTask,
} from './contracts.js';
import { type Definition, Operation, open } from './operation.js';
import { TargetTask } from './task.js';

/**
 * What the posterior over all paths (Graves et al. 2006, equation 14) says of a target: how long each of its labels is
 * expected to last, how sure each is, and whole alignments drawn from it.
 */
export class CtcPosterior extends Operation {
  /** @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none. */
  static async create(options?: CtcReaderOptions): Promise<CtcPosterior & Disposes> {
    return new CtcPosterior(definition, await open(definition, options)) as CtcPosterior & Disposes;
  }

  /**
   * Plans, allocates and compiles for one shape of problem and a number of samples.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(
    options: AlignPrepareOptions<S> & { readonly samples?: number },
  ): Promise<PosteriorTask> {
    return this.prepareTask(options);
  }

  /** One batch, memory and all. @throws what `prepare`, `setTargets` and `run` of a task throw. */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: AlignInput<S, D> & { readonly samples?: number; readonly seed?: number },
    options?: RunOptions,
  ): Promise<PosteriorResult<D>> {
    return this.runOnce(input, options);
  }
}

const withoutSamples = 'where no samples are drawn';

const definition: Definition = {
  settings: [],
  sizes: ['maxTargetLength', 'samples'],
  inputs: ['samples', 'seed'],
  hasTargets: true,
  absent: { seed: withoutSamples, samples: withoutSamples },
  Task: TargetTask,
  answer: (raw) => raw,
  async plan(shape, limits, tuning) {
    return (await import('../plan/posterior-plan.js')).planPosterior(shape, limits, tuning);
  },
};
