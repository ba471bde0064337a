import { checkInteger } from './check.js';
import { wrongValue } from './errors.js';
import { open, Reader } from './reader.js';
import { TargetTask } from './reading-task.js';
import { checkTargets } from './targets.js';
import type {
  AlignInput,
  AlignPrepareOptions,
  CtcReaderOptions,
  Disposes,
  GpuData,
  HostData,
  PosteriorInput,
  PosteriorResult,
  PosteriorTask,
  RunOptions,
  Shape,
} from './types.js';

/**
 * What the posterior over all paths (Graves et al. 2006, equation 14) says of a target: how long each of its labels is
 * expected to last, how sure each is, and whole alignments drawn from it.
 */
export class CtcPosterior extends Reader {
  /** @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none. */
  static async create(options?: CtcReaderOptions): Promise<CtcPosterior & Disposes> {
    return new CtcPosterior(await open(options)) as CtcPosterior & Disposes;
  }

  /**
   * Plans, allocates and compiles for one shape of problem and a number of samples.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(
    options: AlignPrepareOptions<S> & { readonly samples?: number },
  ): Promise<PosteriorTask> {
    const { samples = 0, ...shape } = options;
    const task = await this.make(
      this.shapeOf(shape, 'maxTargetLength'),
      { posterior: checkInteger('samples', samples, 0) },
      Expecting,
    );
    return task as unknown as PosteriorTask;
  }

  /** One batch, memory and all. @throws what `prepare`, `setTargets` and `run` of a task throw. */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: AlignInput<S, D> & { readonly samples?: number; readonly seed?: number },
    options?: RunOptions,
  ): Promise<PosteriorResult<D>> {
    const { samples = 0, seed } = input;
    const { shape, data } = this.inputOf(
      input,
      'targets',
      'inputLengths',
      'targetLengths',
      'samples',
      'seed',
    );
    const batch = checkTargets(input.targets, input, shape, this.blank);
    const maxTargetLength = batch.labels.reduce((most, { length }) => Math.max(most, length), 0);
    const kind = { posterior: checkInteger('samples', samples, 0) };
    const task = await this.make({ ...shape, maxTargetLength }, kind, Expecting);
    try {
      task.setBatch(batch);
      return await task.run({ ...data, ...(seed !== undefined && { seed }) } as PosteriorInput<D>, options);
    } finally {
      task.destroy();
    }
  }
}

class Expecting extends TargetTask {
  async run<D extends HostData | GpuData>(
    input: PosteriorInput<D>,
    options?: RunOptions,
  ): Promise<PosteriorResult<D>> {
    const { seed, ...scores } = input;
    const draws = 'samples' in this.plan.results;
    if (seed !== undefined && !draws) throw wrongValue('seed', 'none where no samples are drawn', seed);
    const word = checkInteger('seed', seed ?? 0, 0, 2 ** 32 - 1);
    const { output } = await this.read(scores, options, (machine) => draws && machine.setWord('seed', word));
    return { ...output, backend: this.backend } as unknown as PosteriorResult<D>;
  }
}

for (const { prototype } of [CtcPosterior, Expecting])
  if (Symbol.dispose) Object.defineProperty(prototype, Symbol.dispose, { value: prototype.destroy });
