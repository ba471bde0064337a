import type { Plan } from '../plan/plan.js';
import {
  checkApart,
  checkGpuData,
  checkHostData,
  checkKept,
  checkObject,
  checkRunOptions,
  held,
  isGpuData,
  isList,
  type NamedRange,
  type Settings,
  scoresKey,
  unlessTaken,
} from '../problem/check.js';
import { CtcError, wrongKind, wrongValue } from '../problem/errors.js';
import { type Batch, checkTargets, packRecords } from '../problem/targets.js';
import type {
  Backend,
  CtcTask,
  DeviceLattice,
  EncodeInput,
  GpuBuffer,
  GpuCommandEncoder,
  GpuData,
  Gradient,
  GradOutput,
  HostData,
  Kept,
  LossResult,
  Reduction,
  RunOptions,
  Shape,
  TargetLengths,
  Targets,
  TaskInput,
} from '../problem/types.js';
import type { RunInput, Runner, RunOutput } from '../run/runner.js';
import { Turns } from './turns.js';

/** What a plan must know beyond the settings of a `CtcLoss`. */
export type TaskShape = Omit<Plan['task'], keyof Settings>;

/** Checks what comes in, keeps runs apart, and hands the work to a runner. */
export class Task<R extends Reduction, G extends Gradient, S extends Shape>
  implements Omit<CtcTask<R, G, S>, symbol>
{
  readonly #plan: Plan;
  readonly #runner: Runner;
  readonly #onDestroy: () => void;
  readonly #turns: Turns;
  /** Whether what is kept is of a run that ended well, or of something encoded. */
  #ran = false;
  #destroyed = false;

  constructor(plan: Plan, runner: Runner, onDestroy: () => void) {
    this.#plan = plan;
    this.#runner = runner;
    this.#onDestroy = onDestroy;
    this.#turns = new Turns(runner);
  }

  get backend(): Backend {
    return this.#runner.backend;
  }

  get memory(): number {
    return this.#plan.memory + this.#turns.memory;
  }

  get lattice(): DeviceLattice {
    this.#alive();
    const { keep } = this.#plan.task;
    if (keep.length === 0)
      throw new TypeError("lattice: nothing was kept; prepare with keep: ['alpha', 'beta', 'posterior']");
    this.#runner.slots?.check();
    return this.#runner.lattice();
  }

  setTargets(targets: Targets, lengths: TargetLengths = {}): void {
    this.#alive();
    checkObject('lengths', lengths, ['inputLengths', 'targetLengths']);
    const { task } = this.#plan;
    this.setBatch(checkTargets(targets, lengths, task, task.blank, task.maxTargetLength));
  }

  /** Targets that are checked already. */
  setBatch(batch: Batch): void {
    const { task } = this.#plan;
    this.#turns.setRecords(packRecords(batch, task.blank, task.maxTargetLength, task.classes));
  }

  async run<D extends HostData | GpuData>(
    input: TaskInput<D>,
    options?: RunOptions,
  ): Promise<LossResult<R, G, S, D>> {
    this.#alive();
    const asked = checkRunOptions(options);
    const checked = this.#check(input, true);
    const check = () => {
      asked.signal?.throwIfAborted();
      this.#alive();
    };
    check();
    const turn = this.#turns.run(check, async () => {
      // until it has ended well, what is kept is of no run
      this.#ran = false;
      const output = await this.#runner.run(checked, asked);
      this.#ran = true;
      return output;
    });
    const output = await this.#unlessDestroyed(unlessTaken(this.#plan.task.scores, checked.scores, turn));
    return this.#result(output) as LossResult<R, G, S, D>;
  }

  encode(encoder: GpuCommandEncoder, input: EncodeInput): void {
    this.#alive();
    this.#turns.checkEncode(encoder, this.backend.reason);
    const checked = this.#check(input, false);
    this.#ran = true;
    this.#runner.encode!(encoder, checked);
  }

  async read(kept: Kept): Promise<Float64Array> {
    this.#alive();
    const { keep } = this.#plan.task;
    if (!keep.includes(checkKept('kept', kept))) {
      throw new TypeError(
        `read: '${kept}' was not kept; prepare with keep: ['${[...keep, kept].join("', '")}']`,
      );
    }
    const check = () => {
      this.#alive();
      if (!this.#ran) throw new TypeError('read: expected a run before this, got none');
    };
    return this.#unlessDestroyed(this.#turns.take(check, () => this.#runner.read(kept)));
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#runner.destroy();
    this.#onDestroy();
  }

  /** Everything of a call that can be wrong, before anything is done. `mayWait`: host arrays and new buffers are allowed. */
  #check(input: TaskInput<HostData | GpuData> | EncodeInput, mayWait: boolean): RunInput {
    checkObject('input', input, ['logProbs', 'logits', 'gradOutput', 'loss', 'grad']);
    const { task, tensors } = this.#plan;
    const key = scoresKey(input);
    if (key !== task.scores) throw new TypeError(`${key}: this task was prepared for ${task.scores}`);
    const data = input[key];
    const { rows, rowBytes, elementBytes } = tensors.scores;
    const onDevice = isGpuData(data);
    if (onDevice && this.backend.device === 'cpu') {
      throw wrongKind(key, `a host array, since this runs on the CPU (${this.backend.reason})`, data);
    }
    const scores =
      onDevice || !mayWait
        ? checkGpuData(key, data, Math.ceil((rows * rowBytes) / 4) * 4)
        : checkHostData(key, held(data), rows * (rowBytes / elementBytes), task.dtype);
    const { loss, grad } = input;
    const output = loss !== undefined ? 'loss' : grad !== undefined ? 'grad' : undefined;
    if (!onDevice && output)
      throw new TypeError(`${output}: expected none, since ${key} is a host array (arrays in, arrays out)`);
    const checked: { -readonly [K in keyof RunInput]: RunInput[K] } = { scores };
    if (loss !== undefined) checked.losses = checkGpuData('loss', loss, tensors.losses.rowBytes, 256);
    if (task.gradient === 'none') {
      const none = grad !== undefined ? 'grad' : input.gradOutput !== undefined ? 'gradOutput' : undefined;
      if (none) throw new TypeError(`${none}: expected none with gradient: 'none'`);
    } else {
      if (input.gradOutput !== undefined)
        checked.gradOutput = this.#checkGradOutput(input.gradOutput, mayWait);
      if (grad !== undefined || !mayWait)
        checked.grad = checkGpuData('grad', grad, tensors.grad.rows * tensors.grad.rowBytes);
    }
    const ranges = (...all: RunInput[keyof RunInput][]) =>
      all.filter((it) => it !== undefined && 'name' in it);
    const read = ranges(checked.scores, checked.gradOutput);
    for (const { name, buffer } of read) {
      if (buffer === checked.grad?.buffer) {
        throw new TypeError(
          `grad: expected a buffer of its own, got that of ${name} (WebGPU does not read and write one buffer at once)`,
        );
      }
    }
    checkApart(read, ranges(checked.losses, checked.grad));
    return checked;
  }

  #checkGradOutput(gradOutput: GradOutput, mayWait: boolean): Float64Array | NamedRange {
    const { reduction, sequences } = this.#plan.task;
    const count = reduction === 'none' ? sequences : 1;
    if (!mayWait || (isGpuData(gradOutput) && this.backend.device === 'gpu')) {
      return checkGpuData('gradOutput', gradOutput, 4 * count, 256);
    }
    const values = typeof gradOutput === 'number' ? [gradOutput] : gradOutput;
    const expected = `${count === 1 ? 'one number' : `${count} numbers`} (reduction '${reduction}')`;
    if (!isList(values)) throw wrongKind('gradOutput', expected, gradOutput);
    if (values.length !== count) throw wrongValue('gradOutput', expected, values);
    return Float64Array.from(values, (value, n) => {
      if (typeof value !== 'number') throw wrongKind(`gradOutput[${n}]`, 'a number', value);
      return value;
    });
  }

  #result({ losses, grad }: RunOutput): unknown {
    const { reduction, layout } = this.#plan.task;
    const one = reduction !== 'none' || layout === 'TC';
    const loss = !ArrayBuffer.isView(losses)
      ? (losses as GpuBuffer)
      : one
        ? losses[0]
        : Float32Array.from(losses);
    return { loss, ...(grad && { grad }), backend: this.backend };
  }

  /** Freed memory shows as a validation error of whatever used it next. */
  async #unlessDestroyed<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      this.#alive(error);
      throw error;
    }
  }

  #alive(cause?: unknown) {
    if (this.#destroyed) throw new CtcError('destroyed', 'this task was destroyed', { cause });
  }
}

if (Symbol.dispose) Object.defineProperty(Task.prototype, Symbol.dispose, { value: Task.prototype.destroy });
