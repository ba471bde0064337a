import { checkInteger, held } from '../problem/check.js';
import { lazily } from '../problem/load.js';
import type { GpuBuffer, GpuData, HostData, Lengths, RunOptions, Shape } from '../problem/types.js';
import type {
  AlignPrepareOptions,
  CtcReaderOptions,
  Disposes,
  HostResults,
  ReaderBackend,
  Scores,
  ScoresOfTask,
} from './contracts.js';
import { Operation, open } from './operation.js';
import type { Candidates, Ranking } from './ranking.js';
import type { AnyTask, Encodes } from './task-parts.js';

export type { CandidateList, Candidates, Ranking } from './ranking.js';

const part = lazily('both', () => import('./ranking.js'));

/** Arrays in, rankings out, one for each recording; buffers in, buffers out. */
export type RankResult<D extends HostData | GpuData = HostData> = {
  readonly backend: ReaderBackend;
  /** The best class of each frame, int32, [N, T]; −1 beyond the input length, and where there is no answer. */
  readonly labels: D extends HostData ? Int32Array : GpuBuffer;
} & (D extends HostData
  ? { readonly rankings: readonly Ranking[] }
  : {
      /** float32, [N, K]; Infinity where a recording has fewer candidates. */
      readonly losses: GpuBuffer;
    });

/** Scores of a prepared task, and where its results go if the scores are on the GPU. Offsets: multiples of 256. */
export interface RankInput<D extends HostData | GpuData> extends ScoresOfTask<D> {
  /** float32, [N, K]. */
  readonly losses?: GpuData | undefined;
  /** int32, [N, T]. */
  readonly labels?: GpuData | undefined;
}

/** How many candidates a recording may have, and how long they may be. */
export type RankPrepareOptions<S extends Shape = Shape> = AlignPrepareOptions<S> & {
  /** Room for K candidates of each recording. */
  readonly candidates: number;
};

/** Ranking for one shape of problem. */
export interface RankTask extends AnyTask, Encodes<RankInput<GpuData>> {
  /**
   * Checks candidates and lengths and puts them on the device. Effective for runs and encodes after it, and for no others.
   * @throws TypeError, RangeError naming the argument, recording and candidate; CtcError `device-lost`, `destroyed`.
   */
  setCandidates(candidates: Candidates, lengths?: { readonly inputLengths?: Lengths | undefined }): void;
  /**
   * Runs of one task follow each other; what they are given is read as by a `CtcTask`. Arrays in, rankings out; buffers in, buffers out, or
   * rankings with `results: 'host'`.
   */
  run(input: RankInput<HostData | GpuData> & HostResults, options?: RunOptions): Promise<RankResult>;
  run<D extends HostData | GpuData>(input: RankInput<D>, options?: RunOptions): Promise<RankResult<D>>;
}

/** One batch with its candidates. */
export type RankRunInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> & {
  readonly candidates: Candidates;
  /** Frames of each recording. Default: all T. */
  readonly inputLengths?: Lengths | undefined;
};

/** Options of `CtcRanker`. */
export interface CtcRankerOptions extends CtcReaderOptions {
  /**
   * The class between words, where candidates are texts: a candidate then stands for all label sequences that read as it does, a run
   * of delimiters as one, delimiters at the ends as none. By default it stands for itself alone.
   */
  readonly delimiter?: number | undefined;
  /**
   * Whether rankings tell besides how likely what is said begins with each candidate: `prefixLosses`. They are computed on the host, for which
   * a buffer of scores has to have usage `COPY_SRC`, too. Default false.
   */
  readonly prefixes?: boolean | undefined;
}

/**
 * Which of many texts was said: the exact loss of each of K candidates over one recording. The probabilities of all label sequences sum
 * to 1, so that the losses tell besides the best candidate how much of what is heard is any of them. All candidates share the
 * recording: nothing of the size K · T · C is made, and the softmax is taken once.
 */
export class CtcRanker extends Operation {
  /**
   * Finds a device, or takes the one that is given.
   *
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none, `load-failed`.
   */
  static async create(options?: CtcRankerOptions): Promise<CtcRanker & Disposes> {
    const given = held(options);
    const { definition } = await part();
    const opened = await open(definition, given);
    if (opened.settings.delimiter !== undefined) checkInteger('delimiter', opened.settings.delimiter, 0);
    return new CtcRanker(definition, opened) as CtcRanker & Disposes;
  }

  /**
   * Plans, allocates and compiles for one shape of problem and a number of candidates.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: RankPrepareOptions<S>): Promise<RankTask> {
    return this.prepareTask(options);
  }

  /**
   * One batch, memory and all. Arrays in, rankings out; buffers in, buffers out, or rankings with `results: 'host'`.
   *
   * @throws what `prepare`, `setCandidates` and `run` of a task throw.
   */
  async run<const S extends Shape>(
    input: RankRunInput<S, HostData | GpuData> & HostResults,
    options?: RunOptions,
  ): Promise<RankResult>;
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: RankRunInput<S, D>,
    options?: RunOptions,
  ): Promise<RankResult<D>>;
  async run(input: object, options?: RunOptions): Promise<unknown> {
    return this.runOnce(input, options);
  }
}
