import { type BeamOptions, beamKeys, type CheckedBeam, checkBeam } from '../lm/beam-options.js';
import type { Hypothesis } from '../lm/beam-search.js';
import { BeamStream } from '../lm/beam-stream.js';
import { type Compiled, compile } from '../lm/compile.js';
import { Knowledge } from '../lm/knowledge.js';
import { logsOf } from '../lm/read-scores.js';
import { type BeamReading, Reader } from '../lm/reader.js';
import { Flag } from '../lm/tables.js';
import { framesOf } from '../lm/text-graph.js';
import type { ProblemShape } from '../plan/plan.js';
import { checkObject } from '../problem/check.js';
import { wrongValue } from '../problem/errors.js';
import { lazily } from '../problem/load.js';
import { tellDoubts } from '../problem/probabilities.js';
import type { GpuBuffer, GpuData, HostData, Lengths, RunOptions, Shape } from '../problem/types.js';
import type { Call, Raw } from '../run/runner.js';
import type {
  CtcReaderOptions,
  DecodePrepareOptions,
  Disposes,
  HostResults,
  ReaderBackend,
  Scores,
  ScoresOfTask,
} from './contracts.js';
import { hostScores, rowAt } from './host-scores.js';
import { type Definition, Operation, open } from './operation.js';
import { type About, LengthTask } from './task.js';
import type { AnyTask, Encodes } from './task-parts.js';

const plans = lazily('both', () => import('../plan/beam-plan.js'));
const packing = lazily('both', () => import('../lm/packed-tables.js'));
const automata = lazily('both', () => import('../lm/hotword-automaton.js'));
const spellings = lazily('both', () => import('../lm/spelled-graph.js'));
const doubts = lazily('both', () => import('../lm/mismatch.js'));
const twins = lazily('cpu', () => import('../run/cpu/search/twins.js'));

/** Options of `CtcBeamDecoder.create`. */
export type CtcBeamOptions = CtcReaderOptions & BeamOptions;

/** Scores of a prepared task, and where its results go if the scores are on the GPU: buffers with usage `COPY_DST`. */
export interface BeamInput<D extends HostData | GpuData> extends ScoresOfTask<D> {
  /** int32, [N, M, T]: see `BeamResult`. */
  readonly labels?: GpuData | undefined;
  /** float32, [N, M]. */
  readonly scores?: GpuData | undefined;
  /** int32, [N, M]. */
  readonly exits?: GpuData | undefined;
}

/** Arrays in, readings out; buffers in, buffers out. M is the larger of 32 and 4 · `nbest`, at most the width. */
export type BeamResult<D extends HostData | GpuData = HostData> = {
  readonly backend: ReaderBackend;
} & (D extends HostData
  ? {
      /** Of each sequence its best texts, at most `nbest`, the best first; none where nothing is possible. */
      readonly readings: readonly (readonly BeamReading[])[];
    }
  : {
      /**
       * The classes of the best texts, int32, [N, M, T], −1 behind the last. Where a lexicon spells words, the upper 12 bits are one more than the number
       * of the word that ends before the class, among those that could.
       */
      readonly labels: GpuBuffer;
      /** What they are worth by the sums of the search, float32, [N, M]; −Infinity where there is none. */
      readonly scores: GpuBuffer;
      /** Where a lexicon spells words: the number of the last word among those that could end there; int32, [N, M]. */
      readonly exits: GpuBuffer;
    });

/** One batch. */
export type BeamRunInput<S extends Shape, D extends HostData | GpuData> = Scores<S, D> & {
  readonly inputLengths?: Lengths | undefined;
};

/** Beam search for one shape of problem. */
export interface BeamTask extends AnyTask, Encodes<BeamInput<GpuData>> {
  /** Frames of each sequence; all T until this is called. @throws TypeError, RangeError */
  setLengths(inputLengths: Lengths): void;
  /**
   * Reads one batch. Runs of one task follow each other; what they are given is read as by a `CtcTask`. Arrays in, readings out; buffers in,
   * buffers out, or readings with `results: 'host'`, for which the buffer has to have usage `COPY_SRC`, too.
   */
  run(input: BeamInput<HostData | GpuData> & HostResults, options?: RunOptions): Promise<BeamResult>;
  run<D extends HostData | GpuData>(input: BeamInput<D>, options?: RunOptions): Promise<BeamResult<D>>;
}

/**
 * Reading with knowledge: prefix beam search over texts (Graves 2012; Hannun et al. 2014) with a language model, a lexicon and hotwords. What is
 * maximised is ln P of the text by the recogniser + alpha · ln P by the model + beta · words + what lexicon and hotwords add. Texts that read
 * alike are one, however they are labelled; the best ones are then scored by all their paths.
 */
export class CtcBeamDecoder extends Operation {
  /** What suggests that the model and the vocabulary do not belong together, in words. */
  readonly notes: readonly string[];
  readonly #beam: CheckedBeam;
  readonly #compiled: Compiled;

  /** @internal */
  constructor(
    definition: Definition,
    opened: Awaited<ReturnType<typeof open>>,
    beam: CheckedBeam,
    compiled: Compiled,
    notes: readonly string[],
  ) {
    super(definition, opened);
    this.#beam = beam;
    this.#compiled = compiled;
    this.notes = notes;
  }

  /**
   * Finds a device, or takes the one that is given, and makes one automaton of all that is known.
   *
   * @throws TypeError, RangeError for a wrong option, such as a hotword that the tokens cannot spell; CtcError `no-webgpu` where `device` asks for a
   * GPU and there is none, `load-failed`.
   */
  static async create(options: CtcBeamOptions = {}): Promise<CtcBeamDecoder & Disposes> {
    const decoder = await CtcBeamDecoder.quietly(options);
    for (const note of decoder.notes) console.warn(`webgpu-ctc: lm: ${note}`);
    return decoder;
  }

  /** @internal For who tells its notes in another way. */
  static async quietly(options: CtcBeamOptions): Promise<CtcBeamDecoder & Disposes> {
    checkObject('options', options, ['device', 'blank', 'preload', ...beamKeys]);
    const { device, preload } = options;
    const beam = checkBeam(options);
    const { known } = beam;
    const automaton = known.hotwords && (await automata()).hotwordAutomaton;
    const spelling = known.lexicon?.isSpelled ? await spellings() : undefined;
    const compiled = compile(known, 0, { automaton, spelling });
    const isDoubtful = known.lm || compiled.unspelled.length > 0;
    const notes = isDoubtful ? (await doubts()).mismatch(known, compiled.unspelled) : [];
    const definition = definitionOf(beam, compiled);
    const opened = await open(definition, { device, preload, blank: beam.blank });
    return new CtcBeamDecoder(definition, opened, beam, compiled, notes) as CtcBeamDecoder & Disposes;
  }

  /**
   * Plans, allocates and compiles for one shape of problem.
   * @throws TypeError, RangeError for a wrong option; CtcError `out-of-memory`, `gpu-validation`, `device-lost`, `destroyed`.
   */
  async prepare<const S extends Shape>(options: DecodePrepareOptions<S>): Promise<BeamTask> {
    const task = await this.prepareTask<LengthTask & BeamTask>(options);
    task.setLengths();
    return task;
  }

  /**
   * One batch, memory and all. Arrays in, readings out; buffers in, buffers out, or readings with `results: 'host'`.
   *
   * @throws what `prepare`, `setLengths` and `run` of a task throw; RangeError naming the frame where a score is NaN or +Infinity.
   */
  async run<const S extends Shape>(
    input: BeamRunInput<S, HostData | GpuData> & HostResults,
    options?: RunOptions,
  ): Promise<BeamResult>;
  async run<const S extends Shape, D extends HostData | GpuData>(
    input: BeamRunInput<S, D>,
    options?: RunOptions,
  ): Promise<BeamResult<D>>;
  async run(input: object, options?: RunOptions): Promise<unknown> {
    return this.runOnce(input, options);
  }

  /**
   * Reads one recording while it is heard, on the CPU. However it is cut, the readings are those of the whole.
   * @param classes C; default: that of the vocabulary
   */
  stream(classes?: number): BeamStream {
    return new BeamStream(this.#beam, this.#compiled, classes);
  }
}

function definitionOf(beam: CheckedBeam, compiled: Compiled): Definition {
  const { vocabulary } = beam.known;
  const words = new Map<number, Uint32Array<ArrayBuffer>>();
  return {
    settings: [],
    sizes: [],
    inputs: [],
    hasTargets: false,
    absent: {},
    Task: class extends ReadingTask {
      protected override readonly beam = beam;
      protected override readonly compiled = compiled;
    },
    answer: (raw) => raw,
    isWhole: true,
    empty: ({ sequences, classes }) => ({
      readings: Array.from({ length: sequences }, () => new BeamStream(beam, compiled, classes).end()),
    }),
    twins,
    contents: ({ classes }) => ({ knowledge: words.get(classes)! }),
    async plan(shape, limits, tuning) {
      if (vocabulary && vocabulary.size !== shape.classes)
        throw wrongValue(shape.scores, `${vocabulary.size} classes, as the vocabulary has`, shape.classes);
      const { mostExits, flags } = compiled.tables;
      const has = (flag: number) => (flags & flag) !== 0;
      const spelled = has(Flag.spelled);
      const [{ planBeam }, { packTables }] = await Promise.all([plans(), packing()]);
      const { classes } = shape;
      if (!words.has(classes))
        words.set(classes, packTables((vocabulary ? compiled : compile(beam.known, classes)).tables));
      return planBeam(shape, limits, tuning, {
        ...{ width: beam.width, tokens: beam.topTokens, texts: beam.texts },
        spelled,
        ...{ tokenLogProb: beam.tokenLogProb, beamLogProb: beam.beamLogProb },
        knowledge: words.get(classes)!.length,
        choices: !spelled ? 1 : has(Flag.adjacent) ? 1 + mostExits : Math.max(1, mostExits),
        exits: spelled ? Math.max(1, mostExits) : 1,
      });
    },
  };
}

/** Makes readings of the texts that a search has found, by the scores that it was given. */
abstract class ReadingTask extends LengthTask {
  protected abstract readonly beam: CheckedBeam;
  protected abstract readonly compiled: Compiled;
  #hasLooked = false;

  protected override async execute(call: Call, options: RunOptions, about: About): Promise<Raw> {
    const raw = await super.execute(call, options, about);
    if (!call.toHost) return raw;
    const { task } = this.plan;
    const scores = await hostScores(call, task, this.runner);
    // those of arrays are looked at where they come in
    if (!this.#hasLooked && !ArrayBuffer.isView(call.inputs[task.scores]))
      this.#hasLooked = tellDoubts(task.scores, scores, task.classes, true);
    const { known, nbest, exact } = this.beam;
    const compiled = known.vocabulary ? this.compiled : compile(known, task.classes);
    const reader = new Reader(known, compiled, task.blank);
    const knowledge = new Knowledge(compiled.tables);
    const readings: (readonly BeamReading[])[] = [];
    for (const [n, length] of about.inputLengths.entries()) {
      const row = (t: number) => rowAt(task, n, t);
      const logs = logsOf(scores, task.scores, length, task.classes, row, `of sequence ${n}`);
      const found = hypothesesOf(raw, n, task, knowledge);
      readings.push(reader.read(found, framesOf(logs, task.classes, task.blank), nbest, exact));
      if (n % 8 === 7) await new Promise((resolve) => setTimeout(resolve));
      options.signal?.throwIfAborted();
    }
    return { readings } as unknown as Raw;
  }
}

/** The texts of a sequence as the search left them, with what is known of them in float64. */
function hypothesesOf(
  raw: Raw,
  n: number,
  { frames, sequences }: ProblemShape,
  knowledge: Knowledge,
): Hypothesis[] {
  const { labels, scores, exits } = raw as { labels: Int32Array; scores: Float32Array; exits: Int32Array };
  const count = scores.length / sequences;
  const found: Hypothesis[] = [];
  for (let i = n * count; i < (n + 1) * count; i++) {
    if (!(scores[i]! > Number.NEGATIVE_INFINITY)) continue;
    const own = labels.subarray(i * frames, (i + 1) * frames);
    const end = own.indexOf(-1);
    const steps = Array.from(own.subarray(0, end < 0 ? frames : end), (word) => ({
      label: word & 0xfffff,
      exit: (word >>> 20) - 1,
    }));
    knowledge.begin();
    let known = 0;
    for (const { label, exit } of steps) known += knowledge.move(label, exit);
    known += knowledge.end(exits[i]!);
    found.push({ steps, exit: exits[i]!, known, ctc: scores[i]! - known });
  }
  return found;
}
