/**
 * All operations of the library in one table. The tests that are about every operation go through it: an operation that is
 * listed here is compared with the enumeration of all paths, its kernels with their twins, its plans and its lifecycle are checked.
 */
import { type BeamReading, CtcBeamDecoder } from 'webgpu-ctc/lm';
import * as node from 'webgpu-ctc/node';
import type { Strategy } from '../src/api/contracts.js';
import { compile } from '../src/lm/compile.js';
import { packTables } from '../src/lm/packed-tables.js';
import { planAlign, planGreedy } from '../src/plan/align-plan.js';
import { planBeam } from '../src/plan/beam-plan.js';
import type { Limits, Plan, ProblemShape } from '../src/plan/plan.js';
import { planPosterior } from '../src/plan/posterior-plan.js';
import { planRank } from '../src/plan/rank-plan.js';
import { planStep } from '../src/plan/step-plan.js';
import { planSweeps } from '../src/plan/sweeps-plan.js';
import type { Tuning } from '../src/plan/tuning.js';
import type { Gradient } from '../src/problem/types.js';

const library = { ...node, CtcBeamDecoder };
type Library = typeof library;

/** The exports that `create` instances with a `prepare`: a new one that is not listed below does not compile. */
export type OperationName = {
  [K in keyof Library]: Library[K] extends { create: (...given: never[]) => Promise<Instance> } ? K : never;
}[keyof Library];

/** What the tests need of an instance, whatever its options are. */
export interface Instance {
  readonly device: unknown;
  prepare(options: never): Promise<unknown>;
  run(input: never, options?: never): Promise<unknown>;
  destroy(): void;
}

/** What they need of a task. */
export interface AnyTask {
  readonly memory: number;
  readonly backend: { readonly device: 'gpu' | 'cpu' };
  setTargets?(targets: unknown, lengths?: object): void;
  setLengths?(inputLengths: unknown): void;
  setCandidates?(candidates: unknown, lengths?: object): void;
  run(input: object, options?: object): Promise<Readonly<Record<string, unknown>>>;
  encode?(encoder: GPUCommandEncoder, input: object): void;
  destroy(): void;
}

/** Sizes of a problem, and its targets. */
export interface OperationSize {
  readonly frames: number;
  readonly sequences: number;
  readonly classes: number;
  /** The longest target that has room. */
  readonly labels: number;
}

export interface Operation {
  create(options: {
    readonly device: GPUDevice | 'gpu' | 'cpu';
    readonly blank?: number;
    readonly strategy?: Strategy;
  }): Promise<Instance>;
  /** Its plans, by the name of the strategy. */
  readonly plans: Readonly<Record<string, (task: ProblemShape, limits: Limits, tuning: Tuning) => Plan>>;
  /** The gradients that its plans can be asked for, and those of them that can keep a lattice. */
  readonly gradients: readonly Gradient[];
  readonly keeping: readonly string[];
  /** Whether it takes targets; else it takes lengths alone. */
  readonly hasTargets: boolean;
  /** Whether its tasks encode. */
  readonly encodes: boolean;
  /** What `prepare` is given besides the scores' shape. */
  prepared(size: OperationSize): object;
  /** What `run` of an instance is given besides scores, targets and lengths; `run` of a task, without `samples`. */
  readonly asked: Readonly<Record<string, unknown>>;
  /** Bytes of the buffers that results go to, by the key under which a run takes and returns them. */
  outputs(size: OperationSize): Readonly<Record<string, number>>;
  /** Where a recording has several targets: those made of targets that are one for each. */
  candidates?(targets: Given['targets']): readonly (readonly (readonly number[])[])[];
  /** Where arrays come out under other names than buffers: those of the buffers. */
  asBuffers?(
    result: Readonly<Record<string, unknown>>,
    size: OperationSize,
  ): Readonly<Record<string, unknown>>;
}

const samples = 3;
/** Texts of a beam, which here are label sequences. */
const width = 4;
/** What a beam search knows of them: nothing. */
export const knowledgeOf = (classes: number) =>
  packTables(
    compile({ vocabulary: undefined, units: 'words', weights: { alpha: 0, beta: 0, unknown: 0 } }, classes)
      .tables,
  );
/** A class that is not the blank, if there is one. */
const delimiterOf = ({ blank, classes }: Pick<ProblemShape, 'blank' | 'classes'>) => (blank + 1) % classes;
/** Candidates of a recording, at most: its own target, and but for the last that of the next. */
const perRecording = 2;
const shared = (task: ProblemShape) => ({
  ...task,
  candidates: perRecording,
  sequences: perRecording * task.sequences,
});

export const operations: Readonly<Record<OperationName, Operation>> = {
  CtcLoss: {
    create: (options) => library.CtcLoss.create({ reduction: 'none', ...options }),
    plans: {
      step: planStep,
      fused: (task, limits, tuning) => planSweeps(task, limits, tuning, 'fused'),
      tiled: (task, limits, tuning) => planSweeps(task, limits, tuning, 'tiled'),
    },
    gradients: ['logits', 'logProbs', 'none'],
    keeping: ['step'],
    hasTargets: true,
    encodes: true,
    prepared: ({ labels }) => ({ maxTargetLength: labels }),
    asked: {},
    outputs: ({ frames, sequences, classes }) => ({
      loss: 4 * sequences,
      grad: 4 * frames * sequences * classes,
    }),
  },
  CtcAligner: {
    create: ({ strategy, ...options }) => library.CtcAligner.create(options),
    plans: { align: planAlign },
    gradients: ['none'],
    keeping: [],
    hasTargets: true,
    encodes: true,
    prepared: ({ labels }) => ({ maxTargetLength: labels }),
    asked: {},
    outputs: ({ frames, sequences }) => ({ labels: 4 * frames * sequences, scores: 4 * frames * sequences }),
  },
  CtcDecoder: {
    create: ({ strategy, ...options }) => library.CtcDecoder.create(options),
    plans: { decode: planGreedy },
    gradients: ['none'],
    keeping: [],
    hasTargets: false,
    encodes: true,
    prepared: () => ({}),
    asked: {},
    outputs: ({ frames, sequences }) => ({ labels: 4 * frames * sequences, scores: 4 * frames * sequences }),
  },
  CtcPosterior: {
    create: ({ strategy, ...options }) => library.CtcPosterior.create(options),
    plans: {
      'posterior without samples': planPosterior,
      posterior: (task, limits, tuning) => planPosterior({ ...task, samples }, limits, tuning),
    },
    gradients: ['none'],
    keeping: [],
    hasTargets: true,
    encodes: true,
    prepared: ({ labels }) => ({ maxTargetLength: labels, samples }),
    asked: { samples, seed: 7 },
    outputs: ({ frames, sequences, labels }) => ({
      durations: 4 * sequences * labels,
      confidences: 4 * sequences * labels,
      samples: 4 * sequences * samples * frames,
    }),
  },
  CtcRanker: {
    create: ({ strategy, ...options }) => library.CtcRanker.create(options),
    plans: {
      // of labels as of texts, but for what texts have besides
      rank: (task, limits, tuning) =>
        planRank({ ...shared(task), delimiter: delimiterOf(task) }, limits, tuning),
    },
    gradients: ['none'],
    keeping: [],
    hasTargets: true,
    encodes: true,
    prepared: ({ labels }) => ({ maxTargetLength: labels, candidates: perRecording }),
    asked: {},
    outputs: ({ frames, sequences }) => ({
      losses: 4 * sequences * perRecording,
      labels: 4 * sequences * frames,
    }),
    candidates: (targets) => targets.map((target, n) => [target, ...targets.slice(n + 1, n + perRecording)]),
    asBuffers({ rankings, ...rest }) {
      if (!rankings) return rest;
      const each = (rankings as node.Ranking[]).map(({ losses }) =>
        [...losses, Infinity].slice(0, perRecording),
      );
      return { ...rest, losses: Float32Array.from(each.flat()) };
    },
  },
  CtcBeamDecoder: {
    create: ({ strategy, ...options }) =>
      library.CtcBeamDecoder.create({ width, nbest: width, topTokens: 5, exact: false, ...options }),
    plans: {
      beam: (task, limits, tuning) =>
        planBeam(task, limits, tuning, {
          ...{ width, tokens: 5, texts: width, tokenLogProb: -8, beamLogProb: -20 },
          ...{ knowledge: knowledgeOf(task.classes).length, spelled: false, choices: 1, exits: 1 },
        }),
    },
    gradients: ['none'],
    keeping: [],
    hasTargets: false,
    encodes: true,
    prepared: () => ({}),
    asked: {},
    outputs: ({ frames, sequences }) => ({
      labels: 4 * sequences * width * frames,
      scores: 4 * sequences * width,
      exits: 4 * sequences * width,
    }),
    asBuffers({ readings, ...rest }, { frames }) {
      if (!readings) return rest;
      const each = (readings as BeamReading[][]).flatMap((found) =>
        Array.from({ length: width }, (_, i) => found[i]),
      );
      return {
        labels: Int32Array.from(
          each.flatMap((one) => Array.from({ length: frames }, (_, i) => one?.labels[i] ?? -1)),
        ),
        scores: Float32Array.from(each, (one) => one?.total ?? Number.NEGATIVE_INFINITY),
        exits: new Int32Array(each.length),
      };
    },
  },
};

/** For `describe.each`. */
export const everyOperation = Object.entries(operations) as readonly (readonly [OperationName, Operation])[];

/** One batch, all but its scores. */
export interface Given {
  readonly targets: readonly (readonly number[])[];
  readonly inputLengths: readonly number[];
}

/** What `prepare` is given. */
export const roomOf = (operation: Operation, size: OperationSize): object => ({
  logits: [size.frames, size.sequences, size.classes],
  ...operation.prepared(size),
});

/** Tells a task of a batch. */
export function setOn(task: AnyTask, { targets, inputLengths }: Given): void {
  const { candidates } = operations.CtcRanker;
  if (task.setTargets) task.setTargets(targets, { inputLengths });
  else if (task.setCandidates) task.setCandidates(candidates!(targets), { inputLengths });
  else task.setLengths!(inputLengths);
}

/** What `run` of a task is given, and `encode` besides its outputs. */
export function taskInputOf({ asked: { samples: _, ...asked } }: Operation, logits: unknown): object {
  return { logits, ...asked };
}

/** What `run` of an instance is given. */
export function inputOf(
  operation: Operation,
  { frames, sequences, classes }: OperationSize,
  { targets, inputLengths }: Given,
  data: unknown,
): Record<string, unknown> {
  return {
    logits: { data, shape: [frames, sequences, classes] },
    inputLengths,
    ...(operation.candidates
      ? { candidates: operation.candidates(targets) }
      : operation.hasTargets && { targets }),
    ...operation.asked,
  };
}

/** Tasks and instances by the interface that all have in common. */
export const prepareTask = (instance: Instance, room: object): Promise<AnyTask> =>
  instance.prepare(room as never) as Promise<AnyTask>;
export const runInstance = (instance: Instance, input: object, options?: object) =>
  instance.run(input as never, options as never) as ReturnType<AnyTask['run']>;

/** The results that go to buffers, of arrays or of buffers that were read, as bytes. Losses, which the host finishes in float64, to seven digits. */
export function resultsOf(
  operation: Operation,
  size: OperationSize,
  result: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const buffers = operation.asBuffers?.(result, size) ?? result;
  return Object.fromEntries(
    Object.keys(operation.outputs(size)).map((name) => {
      const values = buffers[name] as Float32Array | Int32Array;
      if (/^loss/.test(name)) return [name, Array.from(values, (value) => value.toPrecision(5))];
      return [name, Array.from(new Int32Array(values.buffer, values.byteOffset, values.length))];
    }),
  );
}
