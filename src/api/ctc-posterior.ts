import { checkInteger, checkRunOptions } from '../problem/check.js';
import { peek, wrongValue } from '../problem/errors.js';
import { checkTargets, longest } from '../problem/targets.js';
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
} from '../problem/types.js';
import { open, Reader } from './reader.js';
import { TargetTask } from './reading-task.js';

/**
 * What the posterior over all paths (Graves et al. 2006, equation 14) says of a target: how long each of its labels is
 * expected to last, how sure each is, and whole alignments drawn from it.
 */
export class CtcPosterior extends Reader {
  /** @internal */
  protected readonly kind = 'CtcPosterior';

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
    const shape = this.shapeOf(options, 'maxTargetLength', 'samples');
    const task = await this.make(shape, drawing(options), Expecting);
    return task as unknown as PosteriorTask;
  }

  /** One batch, memory and all. @throws what `prepare`, `setTargets` and `run` of a task throw. */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: AlignInput<S, D> & { readonly samples?: number; readonly seed?: number },
    options?: RunOptions,
  ): Promise<PosteriorResult<D>> {
    const keys = ['targets', 'inputLengths', 'targetLengths', 'samples', 'seed'];
    const { shape, data } = this.inputOf(input, ...keys);
    const asked = checkRunOptions(options);
    const batch = checkTargets(input.targets, input, shape, this.blank);
    const purpose = drawing(input);
    const seed = checkSeed(input.seed, purpose.posterior > 0);
    return this.once({ ...shape, maxTargetLength: longest(batch) }, purpose, Expecting, (task) => {
      task.setBatch(batch);
      return task.run({ ...data, ...(seed !== undefined && { seed }) } as PosteriorInput<D>, asked);
    });
  }
}

const drawing = ({ samples }: { readonly samples?: number }) => ({
  posterior: samples === undefined ? 0 : checkInteger('samples', samples, 0),
});

function checkSeed(seed: number | undefined, draws: boolean): number | undefined {
  if (seed === undefined) return seed;
  if (!draws) throw wrongValue('seed', 'none where no samples are drawn', seed);
  return checkInteger('seed', seed, 0, 2 ** 32 - 1);
}

class Expecting extends TargetTask {
  protected override readonly moreKeys = ['seed'];

  async run<D extends HostData | GpuData>(
    input: PosteriorInput<D>,
    options?: RunOptions,
  ): Promise<PosteriorResult<D>> {
    this.alive();
    const draws = 'samples' in this.plan.results;
    // an input that is none is refused with the scores
    const word = checkSeed(peek(input, 'seed') as number | undefined, draws) ?? 0;
    const { output } = await this.read(input, options, (machine) => draws && machine.setWord('seed', word));
    return { ...output, backend: this.backend } as unknown as PosteriorResult<D>;
  }
}

for (const { prototype } of [CtcPosterior, Expecting])
  if (Symbol.dispose) Object.defineProperty(prototype, Symbol.dispose, { value: prototype.destroy });
