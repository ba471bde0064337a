import { held } from '../problem/check.js';
import { lazily } from '../problem/load.js';
import type { GpuBuffer, GpuData, HostData, Integers, Lengths, RunOptions, Shape } from '../problem/types.js';
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
import type { AnyTask, Encodes } from './task-parts.js';

const part = lazily('both', () => import('./ranking.js'));

/** Labels of K candidates: rows (`[[1, 2], [3]]`, the lengths from the rows), or `{ data, shape: [K, S] }` where all are equally long. */
export type CandidateList =
  | readonly Integers[]
  | { readonly data: Integers; readonly shape: readonly [number, number] };

/** One list of candidates for all recordings, or a list of such lists, one for each recording; these may be of several lengths. */
export type Candidates = CandidateList | readonly CandidateList[];

/** Of one recording: how well each of its K candidates fits. */
export interface Ranking {
  /** −ln P of each candidate, [K]: the bits of a `CtcLoss` run of it alone. Infinity where it has no path; NaN where a score that counts is none. */
  readonly losses: Float64Array;
  /** What each is among the candidates, [K]: P over the sum of all P. They sum to 1; all 0 where no candidate has a path, NaN where a loss is. */
  readonly probabilities: Float64Array;
  /** The sum of P, a candidate that is given twice counted once: how much of all that the model hears is any of them, from 0 to 1. */
  readonly mass: number;
  /** Index of the candidate with the smallest loss, the first of equals; −1 where none has a path, or a loss is NaN. */
  readonly best: number;
  /** What is read where nothing is given: the labels of the best class of each frame, and their loss. */
  readonly free: { readonly labels: Int32Array; readonly loss: number };
  /** How far each candidate is behind that, in nats, [K]: its loss less that of `free`. Infinity where it has no path. */
  readonly distances: Float64Array;
}

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
  static async create(options?: CtcReaderOptions): Promise<CtcRanker & Disposes> {
    const given = held(options);
    const { definition } = await part();
    return new CtcRanker(definition, await open(definition, given)) as CtcRanker & Disposes;
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
