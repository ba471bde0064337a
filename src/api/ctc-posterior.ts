import { lazily } from '../problem/load.js';
import type { GpuBuffer, GpuData, HostData, RunOptions, Shape } from '../problem/types.js';
import type {
  AlignInput,
  AlignPrepareOptions,
  CtcReaderOptions,
  Disposes,
  HostResults,
  ReaderBackend,
  ScoresOfTask,
} from './contracts.js';
import { type Definition, Operation, open } from './operation.js';
import { TargetTask } from './task.js';
import type { AnyTargetTask, Encodes } from './task-parts.js';

const plans = lazily('both', () => import('../plan/posterior-plan.js'));

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
export interface PosteriorInput<D extends HostData | GpuData> extends ScoresOfTask<D> {
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
  /**
   * Runs of one task follow each other; what they are given is read as by a `CtcTask`. Arrays in, arrays out; buffers in, buffers out, or
   * arrays with `results: 'host'`.
   */
  run(
    input: PosteriorInput<HostData | GpuData> & HostResults,
    options?: RunOptions,
  ): Promise<PosteriorResult>;
  run<D extends HostData | GpuData>(
    input: PosteriorInput<D>,
    options?: RunOptions,
  ): Promise<PosteriorResult<D>>;
}

/** How many alignments are drawn, and from which seed. */
interface Drawn {
  readonly samples?: number;
  readonly seed?: number;
}

/**
 * What the posterior over all paths (Graves et al. 2006, equation 14) says of a target: how long each of its labels is
 * expected to last, how sure each is, and whole alignments drawn from it.
 */
export class CtcPosterior extends Operation {
  /**
   * Finds a device, or takes the one that is given.
   *
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none, `load-failed`.
   */
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

  /**
   * One batch, memory and all. Arrays in, arrays out; buffers in, buffers out, or arrays with `results: 'host'`.
   *
   * @throws what `prepare`, `setTargets` and `run` of a task throw.
   */
  async run<const S extends Shape>(
    input: AlignInput<S, HostData | GpuData> & Drawn & HostResults,
    options?: RunOptions,
  ): Promise<PosteriorResult>;
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: AlignInput<S, D> & Drawn,
    options?: RunOptions,
  ): Promise<PosteriorResult<D>>;
  async run(input: object, options?: RunOptions): Promise<PosteriorResult> {
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
    return (await plans()).planPosterior(shape, limits, tuning);
  },
};
