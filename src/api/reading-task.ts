import type { Plan } from '../plan/plan.js';
import {
  checkApart,
  checkGpuData,
  checkHostData,
  checkObject,
  checkRunOptions,
  held,
  isGpuData,
  type NamedRange,
  scoresKey,
  unlessTaken,
} from '../problem/check.js';
import { CtcError, wrongKind } from '../problem/errors.js';
import { type Batch, checkTargets, packRecords } from '../problem/targets.js';
import type {
  GpuCommandEncoder,
  GpuData,
  HostData,
  ReaderBackend,
  ReadInput,
  RunOptions,
  TargetLengths,
  Targets,
} from '../problem/types.js';
import { type Runs, Turns } from './turns.js';

/** Scores, and where the results of the plan go on a device. */
export interface ReadingInput {
  readonly scores: Float32Array | Uint16Array | NamedRange;
  readonly results: Readonly<Record<string, NamedRange>>;
}

/** The results of the plan by name: arrays for arrays, buffers for buffers. */
export type ReadingOutput = Readonly<Record<string, Int32Array | Float32Array | GPUBuffer>>;

/** An output, with the lengths that its sequences had. */
export interface Labelled {
  readonly output: ReadingOutput;
  readonly inputLengths: readonly number[];
  readonly targetLengths: readonly number[];
}

/** What runs a plan for a purpose. */
export interface ReadingMachine extends Runs {
  /** The word of a buffer of one. */
  setWord(name: string, value: number): void;
  run(input: ReadingInput, options: RunOptions): Promise<ReadingOutput>;
  /** Only on a GPU. */
  encode?(encoder: GPUCommandEncoder, input: ReadingInput): void;
  destroy(): void;
}

/** Checks what comes in, keeps runs apart, and hands the work to a machine. */
export class ReadingTask {
  readonly backend: ReaderBackend;
  readonly plan: Plan;
  /** Keys of the input of a run besides scores and results. */
  protected readonly moreKeys: readonly string[] = [];
  readonly #machine: ReadingMachine;
  readonly #onDestroy: () => void;
  readonly #turns: Turns;
  #destroyed = false;

  constructor(plan: Plan, machine: ReadingMachine, backend: ReaderBackend, onDestroy: () => void) {
    this.plan = plan;
    this.backend = backend;
    this.#machine = machine;
    this.#onDestroy = onDestroy;
    this.#turns = new Turns(machine);
  }

  get memory(): number {
    return this.plan.memory + this.#turns.memory;
  }

  /** Lengths and labels that are checked already. */
  setBatch(batch: Batch): void {
    this.alive();
    const { blank, maxTargetLength, classes } = this.plan.task;
    this.#turns.setRecords(packRecords(batch, blank, maxTargetLength, classes));
  }

  protected async read(
    input: ReadInput<HostData | GpuData>,
    options?: RunOptions,
    before?: (machine: ReadingMachine) => void,
  ): Promise<Labelled> {
    this.alive();
    const asked = checkRunOptions(options);
    const checked = this.#check(input, true);
    const check = () => {
      asked.signal?.throwIfAborted();
      this.alive();
    };
    check();
    const { records } = this.#turns;
    const { sequences: length } = this.plan.task;
    const words = records.length / length;
    const ofRecords = (word: number) => Array.from({ length }, (_, n) => records[n * words + word]!);
    const lengths = { inputLengths: ofRecords(0), targetLengths: ofRecords(1) };
    try {
      const turn = this.#turns.run(check, () => {
        before?.(this.#machine);
        return this.#machine.run(checked, asked);
      });
      const output = await unlessTaken(this.plan.task.scores, checked.scores, turn);
      return { ...lengths, output };
    } catch (error) {
      // freed memory shows as a validation error of whatever used it next
      this.alive(error);
      throw error;
    }
  }

  encode(encoder: GpuCommandEncoder, input: ReadInput<GpuData>): void {
    this.alive();
    this.#turns.checkEncode(encoder, this.backend.reason);
    this.#machine.encode!(encoder, this.#check(input, false));
  }

  #check(input: ReadInput<HostData | GpuData>, mayWait: boolean): ReadingInput {
    const { task, tensors, results, buffers } = this.plan;
    const names = Object.keys(results);
    checkObject('input', input, ['logProbs', 'logits', ...names, ...(mayWait ? this.moreKeys : [])]);
    const outputs = input as Readonly<Record<string, GpuData | undefined>>;
    const key = scoresKey(input);
    if (key !== task.scores) throw new TypeError(`${key}: this task was prepared for ${task.scores}`);
    const data = input[key];
    const { rows, rowBytes, elementBytes } = tensors.scores;
    const onDevice = isGpuData(data);
    if (onDevice && this.backend.device === 'cpu')
      throw wrongKind(key, `a host array, since this runs on the CPU (${this.backend.reason})`, data);
    if (!onDevice && mayWait) {
      const given = names.find((name) => outputs[name] !== undefined);
      if (given)
        throw new TypeError(`${given}: expected none, since ${key} is a host array (arrays in, arrays out)`);
      return {
        scores: checkHostData(key, held(data), rows * (rowBytes / elementBytes), task.dtype),
        results: {},
      };
    }
    const scores = checkGpuData(key, data, Math.ceil((rows * rowBytes) / 4) * 4);
    // new ones are made where none are given, but not by `encode`, which must not wait
    const wanted = names.filter((name) => outputs[name] !== undefined || !mayWait);
    const ranges = wanted.map((name) =>
      checkGpuData(name, outputs[name], 4 * buffers[results[name]!]!.count, 4, 'COPY_DST'),
    );
    checkApart([scores], ranges);
    return { scores, results: Object.fromEntries(ranges.map((range) => [range.name, range])) };
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#machine.destroy();
    this.#onDestroy();
  }

  alive(cause?: unknown): void {
    if (this.#destroyed) throw new CtcError('destroyed', 'this task was destroyed', { cause });
  }
}

/** A task of something that has targets. */
export class TargetTask extends ReadingTask {
  setTargets(targets: Targets, lengths: TargetLengths = {}): void {
    this.alive();
    checkObject('lengths', lengths, ['inputLengths', 'targetLengths']);
    const { task } = this.plan;
    this.setBatch(checkTargets(targets, lengths, task, task.blank, task.maxTargetLength));
  }
}
