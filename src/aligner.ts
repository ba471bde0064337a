import { checkObject } from './check.js';
import { open, Reader } from './reader.js';
import type { Labelled, ReadingTask } from './reading-task.js';
import { checkTargets } from './targets.js';
import type {
  AlignInput,
  Alignment,
  AlignPrepareOptions,
  AlignTask,
  CtcReaderOptions,
  Disposes,
  GpuCommandEncoder,
  GpuData,
  GpuDevice,
  HostData,
  ReaderBackend,
  ReadInput,
  RunOptions,
  Shape,
  TargetLengths,
  Targets,
  Tensor,
} from './types.js';

/**
 * Forced alignment: the best path of each sequence through its target (Viterbi), with the semantics and the ties of
 * `torchaudio.functional.forced_align`: a path stays in its state unless the step from the state before, or the skip over
 * a blank, is strictly better than both others, and ends in the last blank only if that is strictly better. Unlike there,
 * a path whose other ways have probability 0 takes the step when step and skip are equal.
 *
 * Costs are integers, 2^−26 nats below the best score of their frame, so that no rounding of a sum decides between paths,
 * and GPU and CPU agree. A score that is more than 2^27 / T nats below counts as that far.
 */
export class CtcAligner {
  readonly #reader: Reader;

  /** @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none. */
  static async create(options?: CtcReaderOptions): Promise<CtcAligner & Disposes> {
    return new CtcAligner(new Reader('align', await open(options))) as CtcAligner & Disposes;
  }

  /** @internal */
  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** The device in use: the caller's or the shared one; undefined on the CPU. */
  get device(): GpuDevice | undefined {
    return this.#reader.device;
  }

  /** What runs, and why. */
  get backend(): ReaderBackend {
    return this.#reader.backend;
  }

  /**
   * Plans, allocates and compiles for one shape of problem.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: AlignPrepareOptions<S>): Promise<AlignTask<S>> {
    return new Aligning<S>(await this.#reader.prepare(options)) as unknown as AlignTask<S>;
  }

  /**
   * One batch, memory and all. For many batches of one shape, `prepare` once.
   * @throws what `prepare`, `setTargets` and `run` of a task throw.
   */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: AlignInput<S, D>,
    options?: RunOptions,
  ): Promise<Alignment<S, D>> {
    const { blank } = this.#reader;
    return this.#reader.run(
      input,
      ['targets', 'inputLengths', 'targetLengths'],
      async (shape) => {
        const batch = checkTargets(input.targets, input, shape, blank);
        const maxTargetLength = batch.labels.reduce((most, { length }) => Math.max(most, length), 0);
        const task = await this.#reader.make({ ...shape, maxTargetLength });
        task.setBatch(batch);
        return task;
      },
      (task, data) => new Aligning<S>(task).run(data as ReadInput<D>, options),
    );
  }

  /** Destroys the tasks that are left. A device that was given stays, and so does the shared one. May be called again. */
  destroy(): void {
    this.#reader.destroy();
  }
}

class Aligning<S extends Shape> implements Omit<AlignTask<S>, symbol> {
  readonly #task: ReadingTask;

  constructor(task: ReadingTask) {
    this.#task = task;
  }

  get backend(): ReaderBackend {
    return this.#task.backend;
  }

  get memory(): number {
    return this.#task.memory;
  }

  setTargets(targets: Targets, lengths: TargetLengths = {}): void {
    this.#task.alive();
    checkObject('lengths', lengths, ['inputLengths', 'targetLengths']);
    const { task } = this.#task.plan;
    this.#task.setBatch(checkTargets(targets, lengths, task, task.blank, task.maxTargetLength));
  }

  async run<D extends HostData | GpuData>(
    input: ReadInput<D>,
    options?: RunOptions,
  ): Promise<Alignment<S, D>> {
    return this.#result(await this.#task.run(input, options)) as Alignment<S, D>;
  }

  encode(encoder: GpuCommandEncoder, input: ReadInput<GpuData>): void {
    this.#task.encode(encoder, input);
  }

  #result({ labels, labelScores: scores, inputLengths, targetLengths }: Labelled): object {
    const { backend } = this;
    if (!ArrayBuffer.isView(scores)) return { labels, scores, backend };
    const { frames, sequences, layout } = this.#task.plan.task;
    const score = Float64Array.from({ length: sequences }, (_, n) => {
      let sum = 0;
      for (let i = n * frames; i < (n + 1) * frames; i++) sum += scores[i]!;
      const none = inputLengths[n]! > 0 ? (labels as Int32Array)[n * frames] === -1 : targetLengths[n]! > 0;
      return none && !Number.isNaN(sum) ? Number.NEGATIVE_INFINITY : sum;
    });
    return { labels, scores, score: layout === 'TC' ? score[0] : score, backend };
  }

  destroy(): void {
    this.#task.destroy();
  }
}

for (const { prototype } of [CtcAligner, Aligning])
  if (Symbol.dispose) Object.defineProperty(prototype, Symbol.dispose, { value: prototype.destroy });

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
  const aligner = await CtcAligner.create(options);
  try {
    return await aligner.run({ logProbs, targets, inputLengths, targetLengths } as AlignInput<S, D>);
  } finally {
    aligner.destroy();
  }
}
