import { held } from '../problem/check.js';
import { lazily } from '../problem/load.js';
import type {
  GpuData,
  HostData,
  RunOptions,
  Shape,
  TargetLengths,
  Targets,
  Tensor,
} from '../problem/types.js';
import type { Raw } from '../run/runner.js';
import type {
  AlignInput,
  AlignPrepareOptions,
  CtcReaderOptions,
  Disposes,
  FrameLabels,
  HostResults,
  ReadInput,
} from './contracts.js';
import { type Definition, Operation, open } from './operation.js';
import { type About, TargetTask } from './task.js';
import type { AnyTargetTask, Encodes } from './task-parts.js';

const plans = lazily('both', () => import('../plan/align-plan.js'));

/** The best path of each sequence. */
export type Alignment<S extends Shape = Shape, D extends HostData | GpuData = HostData> = FrameLabels<D> &
  (D extends HostData
    ? {
        /**
         * ln of the path's probability: the sum of `scores`, in float64. −Infinity where the target has no path of a
         * probability above 0, NaN where a score that counts is NaN or +Infinity. A number for `[T, C]`, else one for each sequence.
         */
        readonly score: S extends readonly [number, number] ? number : Float64Array;
      }
    : unknown);

/** Alignment for one shape of problem. */
export interface AlignTask<S extends Shape = Shape> extends AnyTargetTask, Encodes<ReadInput<GpuData>> {
  /**
   * The best paths of one batch. Runs of one task follow each other; what they are given is read as by a `CtcTask`. Arrays in, arrays out;
   * buffers in, buffers out, or arrays with `results: 'host'`.
   */
  run(input: ReadInput<HostData | GpuData> & HostResults, options?: RunOptions): Promise<Alignment<S>>;
  run<D extends HostData | GpuData>(input: ReadInput<D>, options?: RunOptions): Promise<Alignment<S, D>>;
}

/**
 * Forced alignment: the best path of each sequence through its target (Viterbi), with the semantics of
 * `torchaudio.functional.forced_align`. Of equal paths it takes the one that stays in its state rather than moves on, that steps
 * to the next state rather than skips a blank, and that ends in the last label rather than in the blank after it. There is one
 * difference: where a step and a skip are equal and better than to stay, torchaudio stays, on a path that is not the best.
 *
 * A cost is how far a score is below the best of its frame, counted in units of 2^−26 nats: up to 2^27 nats sums are whole
 * numbers, so that no rounding decides between paths. Where a path has to go through masks such as −1e10 or the lowest float,
 * they count as large as they are, to the digits of a float32, and the rest of the path to 2^−10 nats. GPU and CPU agree to the
 * bit. Only −Infinity is a probability of 0.
 */
export class CtcAligner extends Operation {
  /**
   * Finds a device, or takes the one that is given.
   *
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none, `load-failed`.
   */
  static async create(options?: CtcReaderOptions): Promise<CtcAligner & Disposes> {
    return new CtcAligner(definition, await open(definition, options)) as CtcAligner & Disposes;
  }

  /**
   * Plans, allocates and compiles for one shape of problem.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: AlignPrepareOptions<S>): Promise<AlignTask<S>> {
    return this.prepareTask(options);
  }

  /**
   * One batch, memory and all. For many batches of one shape, `prepare` once. Arrays in, arrays out; buffers in, buffers out, or arrays with
   * `results: 'host'`.
   *
   * @throws what `prepare`, `setTargets` and `run` of a task throw.
   */
  async run<const S extends Shape>(
    input: AlignInput<S, HostData | GpuData> & HostResults,
    options?: RunOptions,
  ): Promise<Alignment<S>>;
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: AlignInput<S, D>,
    options?: RunOptions,
  ): Promise<Alignment<S, D>>;
  async run(input: object, options?: RunOptions): Promise<Alignment> {
    return this.runOnce(input, options);
  }
}

const definition: Definition = {
  settings: [],
  sizes: ['maxTargetLength'],
  inputs: [],
  hasTargets: true,
  stars: true,
  absent: {},
  Task: TargetTask,
  answer: withScore,
  async plan(shape, limits, tuning) {
    return (await plans()).planAlign(shape, limits, tuning);
  },
};

/** What came out, and what the whole path scores. */
function withScore(raw: Raw, { task, inputLengths, targetLengths }: About): object {
  const { labels, scores } = raw as { labels: Int32Array; scores: Float32Array };
  const { frames, sequences, layout } = task;
  const score = Float64Array.from({ length: sequences }, (_, n) => {
    let sum = 0;
    for (let i = n * frames; i < (n + 1) * frames; i++) sum += scores[i]!;
    const none = inputLengths[n]! > 0 ? labels[n * frames] === -1 : targetLengths[n]! > 0;
    return none && !Number.isNaN(sum) ? Number.NEGATIVE_INFINITY : sum;
  });
  return { ...raw, score: layout === 'TC' ? score[0] : score };
}

/**
 * The one-liner, in the argument order of `torchaudio.functional.forced_align`.
 * @throws what `CtcAligner.create` and `run` throw.
 */
export async function forcedAlign<const S extends Shape, D extends HostData | GpuData>(
  logProbs: Tensor<S, D>,
  targets: Targets,
  inputLengths?: TargetLengths['inputLengths'],
  targetLengths?: TargetLengths['targetLengths'],
  options?: CtcReaderOptions,
): Promise<Alignment<S, D>> {
  const input = held({ logProbs, targets, inputLengths, targetLengths });
  const aligner = await CtcAligner.create(options);
  try {
    return await aligner.run(input as AlignInput<S, D>);
  } finally {
    aligner.destroy();
  }
}
