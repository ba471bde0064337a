import { open, Reader } from './reader.js';
import type { Labelled, ReadingTask } from './reading-task.js';
import { mergeTokens } from './spans.js';
import { checkTargets } from './targets.js';
import type {
  CtcReaderOptions,
  DecodeInput,
  DecodePrepareOptions,
  DecodeTask,
  Decoding,
  Disposes,
  GpuCommandEncoder,
  GpuData,
  GpuDevice,
  HostData,
  Lengths,
  ReaderBackend,
  ReadInput,
  Reading,
  RunOptions,
  Shape,
} from './types.js';

/**
 * Greedy decoding (Graves et al. 2006, section 3.2, best path): the best class of each frame, the first of equals; repeats
 * merged, then blanks left out. The emissions stay on the device: what is read back are eight bytes a frame.
 */
export class CtcDecoder {
  readonly #reader: Reader;

  /** @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none. */
  static async create(options?: CtcReaderOptions): Promise<CtcDecoder & Disposes> {
    return new CtcDecoder(new Reader('decode', await open(options))) as CtcDecoder & Disposes;
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
  async prepare<const S extends Shape>(options: DecodePrepareOptions<S>): Promise<DecodeTask> {
    const task = new Decoder(await this.#reader.prepare(options));
    task.setLengths();
    return task as unknown as DecodeTask;
  }

  /** One batch, memory and all. @throws what `prepare`, `setLengths` and `run` of a task throw. */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: DecodeInput<S, D>,
    options?: RunOptions,
  ): Promise<Decoding<D>> {
    return this.#reader.run(
      input,
      ['inputLengths'],
      async (shape) => {
        const batch = checkTargets(Array(shape.sequences).fill([]), input, shape, this.#reader.blank);
        const task = await this.#reader.make({ ...shape, maxTargetLength: 0 });
        task.setBatch(batch);
        return task;
      },
      (task, data) => new Decoder(task).run(data as ReadInput<D>, options),
    );
  }

  /** Destroys the tasks that are left. A device that was given stays, and so does the shared one. May be called again. */
  destroy(): void {
    this.#reader.destroy();
  }
}

class Decoder implements Omit<DecodeTask, symbol> {
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

  setLengths(inputLengths?: Lengths): void {
    const { task } = this.#task.plan;
    this.#task.setBatch(
      checkTargets(
        Array(task.sequences).fill([]),
        { ...(inputLengths !== undefined && { inputLengths }) },
        task,
        task.blank,
      ),
    );
  }

  async run<D extends HostData | GpuData>(input: ReadInput<D>, options?: RunOptions): Promise<Decoding<D>> {
    return this.#result(await this.#task.run(input, options)) as Decoding<D>;
  }

  encode(encoder: GpuCommandEncoder, input: ReadInput<GpuData>): void {
    this.#task.encode(encoder, input);
  }

  #result({ labels, labelScores: scores, inputLengths }: Labelled): object {
    const { backend } = this;
    if (!ArrayBuffer.isView(scores)) return { labels, scores, backend };
    const { frames, blank } = this.#task.plan.task;
    const readings = inputLengths.map((length, n) => {
      const range = [n * frames, n * frames + length] as const;
      return readingOf((labels as Int32Array).subarray(...range), scores.subarray(...range), blank);
    });
    return { labels, scores, readings, backend };
  }

  destroy(): void {
    this.#task.destroy();
  }
}

for (const { prototype } of [CtcDecoder, Decoder])
  if (Symbol.dispose) Object.defineProperty(prototype, Symbol.dispose, { value: prototype.destroy });

function readingOf(labels: Int32Array, scores: Float32Array, blank: number): Reading {
  const spans = mergeTokens(labels, scores, blank);
  return {
    ids: Int32Array.from(spans, ({ label }) => label),
    starts: Int32Array.from(spans, ({ start }) => start),
    ends: Int32Array.from(spans, ({ end }) => end),
    scores: Float32Array.from(spans, ({ score }) => score),
  };
}
