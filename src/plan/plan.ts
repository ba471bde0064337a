import type { Constants, KernelName } from '../kernels/kernels.js';
import { type Problem, problemFields, uniformBlockBytes } from '../kernels/uniforms.js';
import type { Axes, ScoresKey } from '../problem/check.js';
import type { Dtype, Gradient, Kept, Reduction } from '../problem/types.js';
import type { Range } from './range.js';

/** What a plan must know of a device. */
export interface Limits {
  readonly maxStorageBufferBindingSize: number;
  readonly maxBufferSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
}

/** The problem, all but the data. */
export interface ProblemShape extends Axes {
  readonly scores: ScoresKey;
  readonly dtype: Dtype;
  readonly maxTargetLength: number;
  readonly blank: number;
  readonly reduction: Reduction;
  readonly zeroInfinity: boolean;
  readonly gradient: Gradient;
  readonly keep: readonly Kept[];
  /** Paths that are drawn of each sequence. Default none. */
  readonly samples?: number;
  /** Whether targets may hold the star. Default false. */
  readonly stars?: boolean;
  /** How many of the sequences, one after another, share a recording: a row of the caller's tensor. Default 1. */
  readonly candidates?: number | undefined;
  /** The class between words, where targets are texts: sums are over all label sequences that read as they do. */
  readonly delimiter?: number | undefined;
  /** Whether it is told besides how likely targets are as beginnings; no kernel knows. */
  readonly prefixes?: boolean | undefined;
}

/** Rows of the caller's tensor in a frame. */
export function recordingsOf({ sequences, candidates = 1 }: ProblemShape): number {
  return sequences / candidates;
}

/** Bytes of an element on the GPU; the twins hold the same elements as float64. */
export const elementBytes = {
  word: 4,
  extended: 8,
  scale: 12,
  pair: 16,
  frame: 24,
  total: 36,
  share: 8,
  state: 16,
  posterior: 8,
  edge: 8,
  cost: 8,
  fixed: 8,
  costs: 16,
  float: 4,
} as const;

export interface BufferPlan {
  readonly element: keyof typeof elementBytes;
  readonly count: number;
}

/** A range of elements of one of the plan's own buffers; all of it by default. */
export interface ElementRange {
  readonly buffer: string;
  readonly first?: number;
  readonly count?: number;
}

/** Rows of what is the caller's. */
export interface Window {
  readonly port: string;
  readonly firstRow: number;
  readonly rows: number;
}

export type Binding = ElementRange | Window;

/** Bytes of an element of a port: `float32`, `float16`, or 32 bits that are an integer. */
export const portBytes = { float: 4, half: 2, word: 4 } as const;

/** What goes into a run or comes out of it, under the name that its caller uses: numbers in rows of equal size. */
export interface Port {
  readonly element: keyof typeof portBytes;
  readonly rows: number;
  readonly rowBytes: number;
  /** Rows of one buffer where the library makes it: one buffer may not hold all. */
  readonly rowsPerBuffer: number;
  /** `window`: kernels bind the caller's buffer, some rows at a time. `copy`: they use the plan's own, which is copied to or from it. */
  readonly access: 'window' | 'copy';
  /** The plan's own buffer: that of a copy; of a window, where it lies if the caller has none. */
  readonly buffer?: string;
  /** What an input is if the caller gives none. Scores have none: they must be given. */
  readonly default?: number;
  /** What an offset into a caller's buffer must be a multiple of, in bytes. */
  readonly alignment: 4 | 256;
  /** On the host it is finished in float64, from this buffer of the plan, which has an element for each sequence. */
  readonly totals?: string;
}

export type Ports = Readonly<Record<string, Port>>;

/** One dispatch, or `steps` of them that differ in `integer` alone. */
export interface Dispatch {
  readonly type: 'dispatch';
  readonly kernel: KernelName;
  readonly constants: Constants;
  readonly grid: readonly [number, number];
  /** Index into the plan's problems. */
  readonly problem: number;
  /** Integers by name: the step, or the distance of a window's first row from where its binding starts. */
  readonly integers: Readonly<Record<string, 'step' | { readonly shiftOf: string }>>;
  readonly steps?: { readonly count: number; readonly descending: boolean };
  readonly bindings: Readonly<Record<string, Binding>>;
  /** Elements touched by one dispatch. */
  readonly cost: number;
}

export interface Copy {
  readonly type: 'copy';
  readonly from: string;
  readonly to: string;
  readonly fromFirst: number;
  readonly toFirst: number;
  readonly count: number;
}

export type Command = Dispatch | Copy;

/** A block of the lattice that one set of buffers holds: some sequences, some frames. */
export interface KeptBlock {
  readonly firstSequence: number;
  readonly sequences: number;
  readonly firstFrame: number;
  readonly frames: number;
  readonly problem: number;
  readonly scales?: string;
  readonly alpha?: string;
  readonly beta?: string;
  readonly posterior?: string;
}

/** Everything that a run does, as data. */
export interface Plan {
  /** Of a loss its strategy, else the operation. */
  readonly name: string;
  readonly task: ProblemShape;
  readonly buffers: Readonly<Record<string, BufferPlan>>;
  readonly inputs: Ports;
  readonly outputs: Ports;
  readonly problems: readonly Problem[];
  readonly integers: number;
  readonly commands: readonly Command[];
  readonly kept: readonly KeptBlock[];
  /** Bytes of device memory besides the caller's tensors. */
  readonly memory: number;
}

/** Rows of a port, whichever way it goes. */
export function portOf({ inputs, outputs }: Pick<Plan, 'inputs' | 'outputs'>, name: string): Port {
  return (inputs[name] ?? outputs[name])!;
}

/** A plan of more would hold up the event loop for seconds, and its run for hours. */
const mostCommands = 2 ** 16;

/**
 * Takes down a plan as it is made: buffers by name, each problem once, commands in order. No command gets in that the device
 * would refuse.
 */
export class PlanRecording {
  readonly #task: ProblemShape;
  readonly #limits: Limits;
  readonly #base: Problem;
  readonly #constants: Constants;
  readonly #buffers: Record<string, BufferPlan> = {};
  readonly #problems: Problem[] = [];
  readonly #problemIndex = new Map<string, number>();
  // a plan may have tens of thousands of commands: what they have in common is made once
  readonly #wholes = new Map<string, ElementRange>();
  readonly #constantsOf = new Map<string, Constants>();
  readonly #commands: Command[] = [];
  readonly #kept: KeptBlock[] = [];
  readonly #inputs: Record<string, Port> = {};
  readonly #outputs: Record<string, Port> = {};

  /** `base` and `constants` hold for every dispatch that does not say otherwise. */
  constructor(task: ProblemShape, limits: Limits, base: Problem, constants: Constants) {
    this.#task = task;
    this.#limits = limits;
    this.#base = base;
    this.#constants = constants;
  }

  /**
   * A buffer of at least that many elements; the same name means the same memory.
   * @throws RangeError if this device has none so large.
   */
  buffer(name: string, element: BufferPlan['element'], count: number): string {
    const all = Math.max(this.#buffers[name]?.count ?? 0, count);
    this.#fits(`bytes of ${name}`, elementBytes[element] * all, this.#limits.maxBufferSize);
    this.#buffers[name] = { element, count: all };
    return name;
  }

  input(name: string, port: Port): string {
    this.#inputs[name] = port;
    return name;
  }

  output(name: string, port: Port): string {
    this.#outputs[name] = port;
    return name;
  }

  problem(fields: Partial<Problem>): number {
    const value = { ...this.#base, ...fields };
    const key = problemFields.map((field) => value[field]).join();
    return once(this.#problemIndex, key, () => this.#problems.push(value) - 1);
  }

  dispatch(
    kernel: KernelName,
    grid: readonly [number, number],
    fields: Partial<Problem>,
    bindings: Readonly<Record<string, Binding | string>>,
    cost: number,
    more: Partial<Dispatch> = {},
  ): void {
    const named: Record<string, Binding> = {};
    for (const name in bindings) {
      const to = bindings[name]!;
      const binding = typeof to === 'string' ? once(this.#wholes, to, () => ({ buffer: to })) : to;
      if ('buffer' in binding) this.#bind(kernel, name, binding);
      named[name] = binding;
    }
    const all = { ...this.#constants, ...more.constants };
    const constants = once(this.#constantsOf, JSON.stringify(all), () => all);
    for (const groups of grid)
      this.#fits(`workgroups of ${kernel}`, groups, this.#limits.maxComputeWorkgroupsPerDimension);
    this.#record({
      type: 'dispatch',
      kernel,
      grid,
      problem: this.problem(fields),
      integers: {},
      bindings: named,
      cost,
      ...more,
      constants,
    });
  }

  copy(from: string, to: string, fromFirst = 0, toFirst = 0, count = this.#buffers[from]!.count): void {
    this.#record({ type: 'copy', from, to, fromFirst, toFirst, count });
  }

  /** The parts of a batch, one after another: the first tells whether all would be too many commands, before they are made. */
  *each(parts: readonly Range[]): Generator<Range> {
    for (const [p, part] of parts.entries()) {
      yield part;
      if (p === 0) this.#fits('commands', this.#commands.length * parts.length, mostCommands);
    }
  }

  #record(command: Command) {
    this.#commands.push(command);
    this.#fits('commands', this.#commands.length, mostCommands);
  }

  #bind(kernel: KernelName, name: string, { buffer, first = 0, count }: ElementRange) {
    const { element, count: all = 0 } = this.#buffers[buffer] ?? {};
    const bound = count ?? all - first;
    if (!element || bound < 1 || first + bound > all)
      throw new Error(
        `${name} of ${kernel}: expected elements of a buffer of the plan, got ${bound} from ${first} on of the ${all} of ${buffer}`,
      );
    this.#fits(`bytes of ${buffer}`, elementBytes[element] * bound, this.#limits.maxStorageBufferBindingSize);
  }

  /** What cannot be split any further. */
  #fits(what: string, needed: number, most: number) {
    if (needed <= most) return;
    const { frames, sequences, classes, maxTargetLength } = this.#task;
    throw new RangeError(
      `T = ${frames}, N = ${sequences}, C = ${classes} and maxTargetLength = ${maxTargetLength}: ` +
        `expected sizes that take at most ${most} ${what}, got ${needed}`,
    );
  }

  /** Names a buffer whose contents the caller asked to keep. */
  keep(block: KeptBlock): void {
    this.#kept.push(block);
  }

  /** All that was taken down. `name`: of a loss its strategy, else the operation. */
  plan(name: string): Plan {
    const commands = this.#commands;
    const steps = commands.map((command) => (command.type === 'dispatch' && command.steps?.count) || 0);
    // shifts of windows reach half a block, in elements of two bytes
    const integers = steps.reduce((a, b) => Math.max(a, b), uniformBlockBytes / 2);
    const own = Object.values(this.#buffers).reduce(
      (sum, { element, count }) => sum + elementBytes[element] * count,
      0,
    );
    return {
      name,
      task: this.#task,
      buffers: this.#buffers,
      inputs: this.#inputs,
      outputs: this.#outputs,
      problems: this.#problems,
      integers,
      commands,
      kept: this.#kept.sort((a, b) => a.firstSequence - b.firstSequence || a.firstFrame - b.firstFrame),
      memory: own + (this.#problems.length + integers) * uniformBlockBytes,
    };
  }
}

/** What is there under a key, or is made and stays there. */
function once<V>(made: Map<string, V>, key: string, make: () => V): V {
  const existing = made.get(key);
  if (existing !== undefined) return existing;
  const value = make();
  made.set(key, value);
  return value;
}
