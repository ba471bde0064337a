import { lazily } from '../problem/load.js';
import { mergeTokens } from '../problem/spans.js';
import type { GpuData, HostData, Lengths, RunOptions, Shape } from '../problem/types.js';
import type { Raw } from '../run/runner.js';
import type {
  CtcReaderOptions,
  DecodePrepareOptions,
  Disposes,
  FrameLabels,
  HostResults,
  ReadInput,
  Scores,
} from './contracts.js';
import { DecodeStream } from './decode-stream.js';
import { type Definition, Operation, open } from './operation.js';
import { type About, LengthTask } from './task.js';
import type { AnyTask, Encodes } from './task-parts.js';

const plans = lazily('both', () => import('../plan/align-plan.js'));

/** One batch. */
export type DecodeInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> & {
  readonly inputLengths?: Lengths | undefined;
};

/** What was read in one sequence: the best class of each frame, repeats merged, blanks left out. */
export interface Reading {
  readonly ids: Int32Array;
  /** First frame of each, and the one after its last. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Mean over its frames of the natural logarithm of its probability. */
  readonly scores: Float32Array;
}

/** The best class of each frame, and what was read, if the results are arrays. */
export type Decoding<D extends HostData | GpuData = HostData> = FrameLabels<D> &
  (D extends HostData ? { readonly readings: readonly Reading[] } : unknown);

/** Greedy reading for one shape of problem. */
export interface DecodeTask extends AnyTask, Encodes<ReadInput<GpuData>> {
  /** Frames of each sequence; all T until this is called. @throws TypeError, RangeError */
  setLengths(inputLengths: Lengths): void;
  /**
   * Reads one batch. Runs of one task follow each other; what they are given is read as by a `CtcTask`. Arrays in, arrays out; buffers in,
   * buffers out, or arrays with `results: 'host'`.
   */
  run(input: ReadInput<HostData | GpuData> & HostResults, options?: RunOptions): Promise<Decoding>;
  run<D extends HostData | GpuData>(input: ReadInput<D>, options?: RunOptions): Promise<Decoding<D>>;
}

/**
 * Greedy decoding (Graves et al. 2006, section 3.2, best path): the best class of each frame, the first of equals; repeats
 * merged, then blanks left out. The emissions stay on the device: what is read back are eight bytes a frame.
 */
export class CtcDecoder extends Operation {
  /**
   * Finds a device, or takes the one that is given.
   *
   * @throws TypeError, RangeError for a wrong option; CtcError `no-webgpu` where `device` asks for a GPU and there is none, `load-failed`.
   */
  static async create(options?: CtcReaderOptions): Promise<CtcDecoder & Disposes> {
    return new CtcDecoder(definition, await open(definition, options)) as CtcDecoder & Disposes;
  }

  /**
   * Plans, allocates and compiles for one shape of problem.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: DecodePrepareOptions<S>): Promise<DecodeTask> {
    const task = await this.prepareTask<LengthTask & DecodeTask>(options);
    task.setLengths();
    return task;
  }

  /**
   * One batch, memory and all. Arrays in, arrays out; buffers in, buffers out, or arrays with `results: 'host'`.
   *
   * @throws what `prepare`, `setLengths` and `run` of a task throw.
   */
  async run<const S extends Shape>(
    input: DecodeInput<S, HostData | GpuData> & HostResults,
    options?: RunOptions,
  ): Promise<Decoding>;
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: DecodeInput<S, D>,
    options?: RunOptions,
  ): Promise<Decoding<D>>;
  async run(input: object, options?: RunOptions): Promise<Decoding> {
    return this.runOnce(input, options);
  }

  /**
   * Reads one recording while it is heard, on the CPU.
   * @param classes C
   * @throws TypeError, RangeError if there is no class for the blank among them.
   */
  stream(classes: number): DecodeStream {
    return new DecodeStream(classes, this.blank);
  }
}

const definition: Definition = {
  settings: [],
  sizes: [],
  inputs: [],
  hasTargets: false,
  absent: {},
  Task: LengthTask,
  answer: withReadings,
  empty({ sequences }) {
    const [labels, scores] = [new Int32Array(), new Float32Array()];
    return {
      labels,
      scores,
      readings: Array.from({ length: sequences }, () => readingOf(labels, scores, 0)),
    };
  },
  async plan(shape, limits, tuning) {
    return (await plans()).planGreedy(shape, limits, tuning);
  },
};

/** What came out, and what it reads. */
function withReadings(raw: Raw, { task, inputLengths }: About): object {
  const { labels, scores } = raw as { labels: Int32Array; scores: Float32Array };
  const { frames, blank } = task;
  const readings = inputLengths.map((length, n) => {
    const range = [n * frames, n * frames + length] as const;
    return readingOf(labels.subarray(...range), scores.subarray(...range), blank);
  });
  return { ...raw, readings };
}

function readingOf(labels: Int32Array, scores: Float32Array, blank: number): Reading {
  const spans = mergeTokens(labels, scores, blank);
  return {
    ids: Int32Array.from(spans, ({ label }) => label),
    starts: Int32Array.from(spans, ({ start }) => start),
    ends: Int32Array.from(spans, ({ end }) => end),
    scores: Float32Array.from(spans, ({ score }) => score),
  };
}
