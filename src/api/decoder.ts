import { type Axes, checkRunOptions } from '../problem/check.js';
import { type Batch, checkTargets } from '../problem/targets.js';
import type {
  CtcReaderOptions,
  DecodeInput,
  DecodePrepareOptions,
  DecodeTask,
  Decoding,
  Disposes,
  GpuData,
  HostData,
  Lengths,
  ReadInput,
  Reading,
  RunOptions,
  Shape,
} from '../problem/types.js';
import { mergeTokens } from '../text/spans.js';
import { open, Reader } from './reader.js';
import { ReadingTask } from './reading-task.js';

/**
 * Greedy decoding (Graves et al. 2006, section 3.2, best path): the best class of each frame, the first of equals; repeats
 * merged, then blanks left out. The emissions stay on the device: what is read back are eight bytes a frame.
 */
export class CtcDecoder extends Reader {
  /** @internal */
  protected readonly kind = 'CtcDecoder';

  /** @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none. */
  static async create(options?: CtcReaderOptions): Promise<CtcDecoder & Disposes> {
    return new CtcDecoder(await open(options)) as CtcDecoder & Disposes;
  }

  /**
   * Plans, allocates and compiles for one shape of problem.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: DecodePrepareOptions<S>): Promise<DecodeTask> {
    const task = await this.make(this.shapeOf(options), 'decode', Decoder);
    task.setLengths();
    return task as unknown as DecodeTask;
  }

  /** One batch, memory and all. @throws what `prepare`, `setLengths` and `run` of a task throw. */
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: DecodeInput<S, D>,
    options?: RunOptions,
  ): Promise<Decoding<D>> {
    const { shape, data } = this.inputOf(input, 'inputLengths');
    const asked = checkRunOptions(options);
    const batch = batchOf(shape, input.inputLengths, this.blank);
    return this.once({ ...shape, maxTargetLength: 0 }, 'decode', Decoder, (task) => {
      task.setBatch(batch);
      return task.run(data as ReadInput<D>, asked);
    });
  }
}

/** Lengths alone. */
const batchOf = (axes: Axes, inputLengths: Lengths | undefined, blank: number): Batch =>
  checkTargets(Array(axes.sequences).fill([]), { inputLengths }, axes, blank);

class Decoder extends ReadingTask {
  setLengths(inputLengths?: Lengths): void {
    this.alive();
    const { task } = this.plan;
    this.setBatch(batchOf(task, inputLengths, task.blank));
  }

  async run<D extends HostData | GpuData>(input: ReadInput<D>, options?: RunOptions): Promise<Decoding<D>> {
    const { output, inputLengths } = await this.read(input, options);
    const { labels, scores } = output;
    const result = { ...output, backend: this.backend };
    if (!(labels instanceof Int32Array && scores instanceof Float32Array)) return result as Decoding<D>;
    const { frames, blank } = this.plan.task;
    const readings = inputLengths.map((length, n) => {
      const range = [n * frames, n * frames + length] as const;
      return readingOf(labels.subarray(...range), scores.subarray(...range), blank);
    });
    return { ...result, readings } as unknown as Decoding<D>;
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
