import type { Plan, Port, ProblemShape } from '../plan/plan.js';
import { portBytes } from '../plan/plan.js';
import {
  checkApart,
  checkChoice,
  checkGpuData,
  checkHostData,
  checkInteger,
  checkObject,
  checkRunOptions,
  held,
  isGpuData,
  isList,
  type NamedRange,
  scoresKey,
  scoresKeys,
  unlessTaken,
} from '../problem/check.js';
import { CtcError, wrongKind, wrongValue } from '../problem/errors.js';
import { tellDoubts } from '../problem/probabilities.js';
import { type Batch, checkTargets, packRecords } from '../problem/targets.js';
import type { GpuCommandEncoder, Lengths, RunOptions, TargetLengths, Targets } from '../problem/types.js';
import type { Call, Given, Raw, Runner } from '../run/runner.js';
import type { Backend } from './contracts.js';
import { disposes } from './disposes.js';
import { Turns } from './turns.js';

/** What an answer is made of, besides what came out. */
export interface About {
  readonly task: ProblemShape;
  readonly inputLengths: readonly number[];
  readonly targetLengths: readonly number[];
  /** The targets as they were when the run was asked for. */
  readonly records: Uint32Array;
}

/** In what a task of one operation differs from that of another. */
export interface TaskDefinition {
  /** Whether results say how likely something is among all there is, so that the probabilities of a frame have to sum to 1. */
  readonly isWhole?: boolean;
  /** Inputs and outputs that not every plan has, and when there is none: `{ samples: 'where no samples are drawn' }`. */
  readonly absent: Readonly<Record<string, string>>;
  /** What a caller gets of what came out on the host. */
  answer(raw: Raw, about: About): object;
}

/** An input of a run under the names of the plan's ports, as it comes. */
type Input = Readonly<Record<string, unknown>>;

/** One shape of problem of any operation: checks what comes in by the ports of its plan, keeps runs apart, and hands the work to a runner. */
export class Task {
  readonly backend: Omit<Backend, 'strategy'>;
  protected readonly plan: Plan;
  protected readonly runner: Runner;
  protected readonly turns: Turns;
  readonly #definition: TaskDefinition;
  readonly #onDestroy: () => void;
  /** Whether the kept lattice is whole: of a run that succeeded, or of what was encoded. */
  protected hasRun = false;
  #destroyed = false;
  #hasLooked = false;

  constructor(
    definition: TaskDefinition,
    plan: Plan,
    runner: Runner,
    backend: Omit<Backend, 'strategy'>,
    onDestroy: () => void,
    readonly second?: { readonly plan: Plan; readonly runner: Runner } | undefined,
  ) {
    this.#definition = definition;
    this.plan = plan;
    this.runner = runner;
    this.backend = backend;
    this.turns = new Turns(runner);
    this.#onDestroy = onDestroy;
  }

  get memory(): number {
    return this.plan.memory + this.turns.memory;
  }

  /** Targets and lengths that are checked already. */
  setBatch(batch: Batch): void {
    this.alive();
    this.turns.setRecords(packRecords(batch, this.plan.task));
  }

  async run(input: Input, options?: RunOptions): Promise<object> {
    this.alive();
    const runOptions = checkRunOptions(options);
    const call = this.#check(input, true);
    const { records } = this.turns;
    const check = () => {
      runOptions.signal?.throwIfAborted();
      this.alive();
    };
    check();
    const { sequences: length, scores } = this.plan.task;
    const words = records.length / length;
    const ofRecords = (word: number) => Array.from({ length }, (_, n) => records[n * words + word]!);
    const about = { inputLengths: ofRecords(0), targetLengths: ofRecords(1), records, task: this.plan.task };
    const turn = this.turns.run(check, async () => {
      // until the run succeeds, `read` refuses the lattice, which is half written
      this.hasRun = false;
      const raw = await this.execute(call, runOptions, about);
      this.hasRun = true;
      return raw;
    });
    const raw = await this.unlessDestroyed(unlessTaken(scores, call.inputs[scores]!, turn));
    const answer = call.toHost ? this.#definition.answer(raw, about) : raw;
    return { ...answer, backend: this.backend };
  }

  /** What a run does in its turn. */
  protected execute(call: Call, options: RunOptions, _about: About): Promise<Raw> {
    return this.runner.run(call, options);
  }

  encode(encoder: GpuCommandEncoder, input: Input): void {
    this.alive();
    this.turns.checkEncode(encoder, this.backend.reason);
    const call = this.#check(input, false);
    this.hasRun = true;
    this.runner.encode!(encoder, call);
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.runner.destroy();
    this.second?.runner.destroy();
    this.#onDestroy();
  }

  /** Everything of a call that can be wrong, before anything is done. `mayWait`: host arrays and new buffers are allowed. */
  #check(input: Input, mayWait: boolean): Call {
    const { task, inputs, outputs } = this.plan;
    const { absent } = this.#definition;
    const others = [...Object.keys(inputs), ...Object.keys(outputs)].filter((name) => name !== task.scores);
    const own = mayWait ? ['results'] : [];
    checkObject('input', input, [...new Set([...scoresKeys, ...others, ...Object.keys(absent), ...own])]);
    if (input.results !== undefined) checkChoice('results', input.results, ['host']);
    const key = scoresKey(input);
    if (key !== task.scores) throw new TypeError(`${key}: this task was prepared for ${task.scores}`);
    for (const [name, why] of Object.entries(absent))
      if (!others.includes(name) && input[name] !== undefined)
        throw wrongKind(name, `none ${why}`, input[name]);
    const scores = this.#checkScores(inputs[key]!, input[key], mayWait);
    const isHost = ArrayBuffer.isView(scores);
    const toHost = isHost || input.results === 'host';
    const given: Record<string, Given> = { [key]: scores };
    for (const [name, port] of Object.entries(inputs))
      if (name !== key && input[name] !== undefined)
        given[name] = this.#checkNumbers(name, port, input[name], mayWait);
    const written: Record<string, NamedRange> = {};
    for (const [name, port] of Object.entries(outputs)) {
      if (toHost && input[name] !== undefined)
        throw new TypeError(
          `${name}: expected none, since ${isHost ? `${key} is a host array (arrays in, arrays out)` : 'results go to the host'}`,
        );
      // new ones are made where none are given, but not by `encode`, which must not wait; what no kernel binds by itself has a place
      const needed = !mayWait && !(port.access === 'window' && port.buffer);
      if (!toHost && (needed || input[name] !== undefined))
        written[name] = checkOutput(name, port, input[name]);
    }
    checkRanges(Object.values(given).filter(isRange), Object.entries(written), outputs);
    return { inputs: given, outputs: written, toHost };
  }

  #checkScores(port: Port, data: unknown, mayWait: boolean): Given {
    const { scores, dtype } = this.plan.task;
    const onDevice = isGpuData(data);
    if (onDevice && this.backend.device === 'cpu')
      throw wrongKind(scores, `a host array, since this runs on the CPU (${this.backend.reason})`, data);
    const bytes = port.rows * port.rowBytes;
    if (onDevice || !mayWait) return checkGpuData(scores, data, Math.ceil(bytes / 4) * 4, port.alignment);
    const checked = checkHostData(scores, held(data), bytes / portBytes[port.element], dtype);
    // the first batch tells what a model gives
    if (!this.#hasLooked && checked instanceof Float32Array) {
      this.#hasLooked = true;
      tellDoubts(scores, checked, this.plan.task.classes, this.#definition.isWhole ?? false);
    }
    return checked;
  }

  /** An input of a few numbers: a number where there is one, a list of them, or a buffer. */
  #checkNumbers(
    name: string,
    { element, rowBytes, access, alignment }: Port,
    given: unknown,
    mayWait: boolean,
  ): Given {
    if (element === 'word') return Float64Array.of(checkInteger(name, given, 0, 2 ** 32 - 1));
    const count = rowBytes / portBytes[element];
    if (access === 'window' && (!mayWait || (isGpuData(given) && this.backend.device === 'gpu')))
      return checkGpuData(name, given, rowBytes, alignment);
    const values = typeof given === 'number' ? [given] : given;
    const { reduction } = this.plan.task;
    const expected = `${count === 1 ? 'one number' : `${count} numbers`} (reduction '${reduction}')`;
    if (!isList(values)) throw wrongKind(name, expected, given);
    if (values.length !== count) throw wrongValue(name, expected, values);
    return Float64Array.from(values as ArrayLike<number>, (value, n) => {
      if (typeof value !== 'number') throw wrongKind(`${name}[${n}]`, 'a number', value);
      return value;
    });
  }

  /** Freed memory shows as a validation error of whatever used it next. */
  protected async unlessDestroyed<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.alive(error);
      throw error;
    }
  }

  protected alive(cause?: unknown): void {
    if (this.#destroyed) throw new CtcError('destroyed', 'this task was destroyed', { cause });
  }
}

/** A task of an operation that has targets. */
export class TargetTask extends Task {
  setTargets(targets: Targets, lengths: TargetLengths = {}): void {
    this.alive();
    checkObject('lengths', lengths, ['inputLengths', 'targetLengths']);
    const { task } = this.plan;
    this.setBatch(checkTargets(targets, lengths, task, task.blank, task.maxTargetLength));
  }
}

/** A task of sequences that have lengths and no targets. */
export class LengthTask extends Task {
  setLengths(inputLengths?: Lengths): void {
    this.alive();
    const { task } = this.plan;
    const lengths = inputLengths === undefined ? {} : { inputLengths };
    this.setBatch(checkTargets(Array(task.sequences).fill([]), lengths, task, task.blank));
  }
}

disposes(Task);

function isRange(given: Given): given is NamedRange {
  return !ArrayBuffer.isView(given);
}

function checkOutput(name: string, { rows, rowBytes, alignment, access }: Port, data: unknown): NamedRange {
  return checkGpuData(name, data, rows * rowBytes, alignment, access === 'copy' ? 'COPY_DST' : 'STORAGE');
}

/** Refuses what WebGPU would refuse: ranges that overlap where one is written, and one buffer that is read and written at once. */
function checkRanges(
  read: readonly NamedRange[],
  written: readonly (readonly [string, NamedRange])[],
  outputs: Plan['outputs'],
): void {
  for (const [name, { buffer }] of written) {
    const other = read.find((range) => range.buffer === buffer);
    // losses are written by a dispatch that binds no other tensor
    if (other && outputs[name]!.access === 'window' && !outputs[name]!.buffer) {
      throw new TypeError(
        `${name}: expected a buffer of its own, got that of ${other.name} (WebGPU does not read and write one buffer at once)`,
      );
    }
  }
  checkApart(
    read,
    written.map(([, range]) => range),
  );
}
