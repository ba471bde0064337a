import { checkGpuData, checkHostData, checkObject, isGpuData, type Settings } from './check.js';
import { CtcError, wrongKind } from './errors.js';
import type { Plan } from './plan.js';
import type { RunInput, Runner, RunOutput } from './runner.js';
import { checkTargets, packRecords } from './targets.js';
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
} from './types.js';

/** Checks what comes in, keeps runs apart, and hands the work to a runner. */
export class Task<R extends Reduction, G extends Gradient, S extends Shape>
  implements Omit<CtcTask<R, G, S>, symbol>
{
  readonly #plan: Plan;
  readonly #runner: Runner;
  readonly #settings: Settings;
  readonly #onDestroy: () => void;
  #records: Uint32Array<ArrayBuffer> | undefined;
  /** What the runner holds; differs from `#records` while runs that began with older targets are pending. */
  #current: Uint32Array | undefined;
  #tail: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #destroyed = false;

  constructor(plan: Plan, runner: Runner, settings: Settings, onDestroy: () => void) {
    this.#plan = plan;
    this.#runner = runner;
    this.#settings = settings;
    this.#onDestroy = onDestroy;
  }

  get backend(): Backend {
    return this.#runner.backend;
  }

  get memory(): number {
    return this.#plan.memory;
  }

  get lattice(): DeviceLattice {
    this.#alive();
    const { keep } = this.#plan.task;
    if (keep.length === 0)
      throw new TypeError("lattice: nothing was kept; prepare with keep: ['alpha', 'beta', 'posterior']");
    return this.#runner.lattice(keep);
  }

  setTargets(targets: Targets, lengths: TargetLengths = {}): void {
    this.#alive();
    checkObject('lengths', lengths, ['inputLengths', 'targetLengths']);
    const { task } = this.#plan;
    const batch = checkTargets(targets, lengths, task, this.#settings.blank, task.maxTargetLength);
    this.#records = packRecords(batch, task.maxTargetLength, task.classes);
    if (this.#pending === 0) this.#upload(this.#records);
  }

  async run<D extends HostData | GpuData>(
    input: TaskInput<D>,
    options: RunOptions = {},
  ): Promise<LossResult<R, G, S, D>> {
    this.#alive();
    checkObject('options', options, ['signal', 'onProgress']);
    const checked = this.#check(input, true);
    const records = this.#targets();
    options.signal?.throwIfAborted();
    this.#pending++;
    const turn = this.#tail.then(async () => {
      options.signal?.throwIfAborted();
      this.#alive();
      if (this.#current !== records) this.#upload(records);
      return this.#runner.run(checked, options);
    });
    this.#tail = turn.then(
      () => this.#end(),
      () => this.#end(),
    );
    try {
      return this.#result(await turn) as LossResult<R, G, S, D>;
    } catch (error) {
      // freed memory shows as a validation error of whatever used it next
      if (this.#destroyed) this.#alive(error);
      throw error;
    }
  }

  encode(encoder: GpuCommandEncoder, input: EncodeInput): void {
    this.#alive();
    if (this.#pending > 0) {
      throw new CtcError(
        'busy',
        'encode: a run of this task has not ended, and both use its memory; await it, or prepare a second task',
      );
    }
    if (typeof (encoder as GPUCommandEncoder)?.beginComputePass !== 'function') {
      throw wrongKind('encoder', 'a GPUCommandEncoder', encoder);
    }
    const checked = this.#check(input, false);
    this.#targets();
    this.#runner.encode(encoder as GPUCommandEncoder, checked);
  }

  async read(kept: Kept): Promise<Float64Array> {
    this.#alive();
    if (!this.#plan.task.keep.includes(kept)) {
      throw new TypeError(
        `read: '${kept}' was not kept; prepare with keep: ['${kept}'] (kept: ${this.#plan.task.keep.join(', ') || 'none'})`,
      );
    }
    this.#targets();
    await this.#tail;
    return this.#runner.read(kept);
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
    const key = task.scores;
    const other = key === 'logits' ? 'logProbs' : 'logits';
    if (input[other] !== undefined) throw new TypeError(`${other}: this task was prepared for ${key}`);
    const data = input[key];
    const { rows, rowBytes, elementBytes } = tensors.scores;
    const onDevice = isGpuData(data);
    if (onDevice && this.backend.device === 'cpu') {
      throw wrongKind(key, `a host array, since this runs on the CPU (${this.backend.reason})`, data);
    }
    if (!onDevice && !mayWait) throw wrongKind(key, 'a GPUBuffer or { buffer, offset, size }', data);
    const scores = onDevice
      ? checkGpuData(key, data, Math.ceil((rows * rowBytes) / 4) * 4)
      : checkHostData(key, data, rows * (rowBytes / elementBytes), task.dtype);
    const output = (name: 'loss' | 'grad', bytes: number) => {
      if (input[name] === undefined) return undefined;
      if (!onDevice)
        throw new TypeError(`${name}: expected none, since ${key} is a host array (arrays in, arrays out)`);
      return checkGpuData(name, input[name], bytes, name === 'loss' ? 256 : 4);
    };
    const losses = output('loss', tensors.losses.rowBytes);
    const grad = output('grad', tensors.grad.rows * tensors.grad.rowBytes);
    if (grad && task.gradient === 'none') throw new TypeError("grad: expected none with gradient: 'none'");
    if (!grad && !mayWait && task.gradient !== 'none')
      throw wrongKind('grad', 'a GPUBuffer or { buffer, offset, size }', undefined);
    const gradOutput = this.#checkGradOutput(input.gradOutput, mayWait);
    return { scores, ...(losses && { losses }), ...(grad && { grad }), ...(gradOutput && { gradOutput }) };
  }

  #checkGradOutput(gradOutput: GradOutput | undefined, mayWait: boolean): RunInput['gradOutput'] {
    if (gradOutput === undefined) return undefined;
    const { reduction, sequences, gradient } = this.#plan.task;
    if (gradient === 'none') throw new TypeError("gradOutput: expected none with gradient: 'none'");
    const count = reduction === 'none' ? sequences : 1;
    if (isGpuData(gradOutput)) {
      if (this.backend.device === 'cpu')
        throw wrongKind('gradOutput', 'numbers, since this runs on the CPU', gradOutput);
      return checkGpuData('gradOutput', gradOutput, 4 * count, 256);
    }
    if (!mayWait) throw wrongKind('gradOutput', 'a GPUBuffer or { buffer, offset, size }', gradOutput);
    const values = typeof gradOutput === 'number' ? [gradOutput] : gradOutput;
    const isList = Array.isArray(values) || ArrayBuffer.isView(values);
    if (!isList) throw wrongKind('gradOutput', `${count} numbers`, gradOutput);
    const list = values as ArrayLike<number>;
    if (list.length !== count) {
      throw new RangeError(
        `gradOutput: expected ${count} values for reduction '${reduction}', got ${list.length}`,
      );
    }
    return Float64Array.from({ length: count }, (_, n) => {
      if (typeof list[n] !== 'number') throw wrongKind(`gradOutput[${n}]`, 'a number', list[n]);
      return list[n];
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

  #targets(): Uint32Array<ArrayBuffer> {
    if (!this.#records) throw new TypeError('targets: expected a call of setTargets before this, got none');
    return this.#records;
  }

  #upload(records: Uint32Array<ArrayBuffer>) {
    this.#runner.setRecords(records);
    this.#current = records;
  }

  #end() {
    this.#pending--;
    if (this.#pending === 0 && this.#records && this.#current !== this.#records && !this.#destroyed)
      this.#upload(this.#records);
  }

  #alive(cause?: unknown) {
    if (this.#destroyed) throw new CtcError('destroyed', 'this task was destroyed', { cause });
  }
}

if (Symbol.dispose) Object.defineProperty(Task.prototype, Symbol.dispose, { value: Task.prototype.destroy });
