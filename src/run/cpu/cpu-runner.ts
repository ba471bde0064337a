import { byName } from '../../kernels/by-name.js';
import { type Binding, type Plan, type Port, portBytes, portOf } from '../../plan/plan.js';
import { CtcError } from '../../problem/errors.js';
import { floatsOf } from '../../problem/half.js';
import type { Kept, RunOptions } from '../../problem/types.js';
import { latticeOf } from '../kept-lattice.js';
import type { Call, Raw, Runner } from '../runner.js';
import { allocate, type Bindings, type CpuBuffer, INFEASIBLE, type Kernel, TOTAL } from './buffers.js';
import { type Extended, ln } from './extended.js';

/** Each twin under the name of its kernel. */
const kernels = Object.fromEntries(
  Object.entries(byName<Record<string, Kernel>>(import.meta.glob('./twins/*.ts', { eager: true }))).map(
    ([name, twin]) => [name, twin[name]!],
  ),
);

/** Tensors of the caller's, by name. */
type Callers = Readonly<Record<string, Float32Array | Float64Array | Int32Array>>;

/** Milliseconds of work between two turns of the event loop. */
const sliceTime = 12;

/** Runs a plan on the CPU: the twins in place of the kernels, typed arrays in place of buffers. */
export class CpuRunner implements Runner {
  readonly #plan: Plan;
  /** Why this is the CPU, for those who ask for what only a GPU has. */
  readonly #reason: string;
  #destroyed = false;
  readonly #twins: Readonly<Record<string, Kernel>>;
  readonly #buffers: Readonly<Record<string, CpuBuffer>>;

  /** `twins`: those of kernels that few plans have, besides those that all may have. */
  constructor(plan: Plan, reason: string, twins: Readonly<Record<string, Kernel>> = {}) {
    this.#plan = plan;
    this.#twins = { ...kernels, ...twins };
    this.#reason = reason;
    try {
      this.#buffers = Object.fromEntries(
        Object.entries(plan.buffers).map(([name, spec]) => [name, allocate(spec)]),
      );
    } catch (cause) {
      throw new CtcError('out-of-memory', `prepare: ${(cause as Error).message}`, { cause });
    }
  }

  /** The twin of a device buffer. */
  buffer(name: string): CpuBuffer {
    return this.#buffers[name]!;
  }

  setRecords(records: Uint32Array): void {
    (this.#buffers.targets as Uint32Array).set(records);
  }

  fill(buffer: string, words: Uint32Array): void {
    (this.#buffers[buffer] as Uint32Array).set(words);
  }

  async run(call: Call, options: RunOptions): Promise<Raw> {
    const callers = this.#callers(call);
    await this.execute(callers, options);
    return this.#raw(callers);
  }

  /** The same without a turn of the event loop. */
  runNow(call: Call): Raw {
    const callers = this.#callers(call);
    for (const _ of this.#work(callers));
    return this.#raw(callers);
  }

  /** Arrays for all that kernels bind of a caller's. Numbers that they find in a buffer of the plan's are put there. */
  #callers({ inputs }: Call): Callers {
    const { inputs: takes, outputs, task } = this.#plan;
    const callers: Record<string, Float32Array | Float64Array | Int32Array> = {};
    for (const [name, port] of Object.entries(takes)) {
      const given = inputs[name] as Float32Array | Uint16Array | Float64Array | undefined;
      const { access, buffer, default: value, rowBytes } = port;
      if (access === 'copy') (this.#buffers[buffer!] as Uint32Array).set(given ?? [value!]);
      else if (given) {
        const values = given instanceof Uint16Array ? floatsOf(given, task.dtype) : given;
        callers[name] = name === 'probs' ? logarithmsOf(values) : values;
      } else callers[name] = new Float64Array(rowBytes / portBytes[port.element]).fill(value!);
    }
    for (const [name, { access, rows, rowBytes, totals, element }] of Object.entries(outputs)) {
      const Kind = totals ? Float64Array : element === 'word' ? Int32Array : Float32Array;
      if (access === 'window') callers[name] = new Kind((rows * rowBytes) / 4);
    }
    return callers;
  }

  #raw(callers: Callers): Raw {
    const resultOf = ([name, { access, buffer, totals }]: [string, Port]) => {
      if (totals) return [name, lossesOf(this.#buffers[totals] as Float64Array)];
      if (access === 'window') return [name, callers[name]];
      const own = this.#buffers[buffer!] as Uint32Array | Float32Array;
      return [name, own instanceof Float32Array ? own.slice() : Int32Array.from(own)];
    };
    return Object.fromEntries(Object.entries(this.#plan.outputs).map(resultOf));
  }

  /** The whole plan on tensors of the caller's, with turns of the event loop in between. */
  async execute(callers: Callers, { signal, onProgress }: RunOptions): Promise<void> {
    let pause = performance.now() + sliceTime;
    for (const share of this.#work(callers)) {
      // the last is told below
      if (share >= 1 || performance.now() <= pause) continue;
      onProgress?.(share);
      await nextTask();
      this.#goesOn(signal);
      pause = performance.now() + sliceTime;
    }
    onProgress?.(1);
    this.#goesOn(signal);
  }

  /** The plan, step by step. Yields the share of it that is done. */
  *#work(callers: Callers): Generator<number> {
    const { commands, problems } = this.#plan;
    const total = commands.reduce(
      (sum, c) => sum + (c.type === 'dispatch' ? c.cost * (c.steps?.count ?? 1) : 0),
      0,
    );
    let done = 0;
    for (const command of commands) {
      if (command.type === 'copy') {
        this.#copy(command.from, command.to, command.fromFirst, command.toFirst, command.count);
        continue;
      }
      const bindings = Object.fromEntries(
        Object.entries(command.bindings).map(([name, binding]) => [name, this.#resolve(binding, callers)]),
      ) as unknown as Bindings;
      const twin = this.#twins[command.kernel];
      if (!twin) throw new Error(`${command.kernel}: expected a twin in src/run/cpu/twins, got none`);
      const { count, descending } = command.steps ?? { count: 1, descending: false };
      for (let i = 0; i < count; i++) {
        const integer = descending ? count - 1 - i : i;
        twin(problems[command.problem], command, bindings, integer);
        done += command.cost;
        yield done / total;
      }
    }
  }

  #goesOn(signal: RunOptions['signal']) {
    signal?.throwIfAborted();
    if (this.#destroyed) throw new CtcError('destroyed', 'this task was destroyed');
  }

  #resolve(binding: Binding, callers: Callers): CpuBuffer {
    if ('port' in binding) {
      const { rowBytes, element } = portOf(this.#plan, binding.port);
      const width = rowBytes / portBytes[element];
      return callers[binding.port]!.subarray(
        binding.firstRow * width,
        (binding.firstRow + binding.rows) * width,
      ) as CpuBuffer;
    }
    const buffer = this.#buffers[binding.buffer];
    if (binding.first === undefined) return buffer;
    return (buffer as Uint32Array).subarray(binding.first, binding.first + binding.count!);
  }

  #copy(from: string, to: string, fromFirst: number, toFirst: number, count: number) {
    const source = this.#buffers[from];
    const target = this.#buffers[to];
    // numbers that an element is here
    const width = lengthOf(source) / this.#plan.buffers[from].count;
    const first = width * fromFirst;
    const end = width * (fromFirst + count);
    if (isExtended(source) && isExtended(target)) {
      target.m.set(source.m.subarray(first, end), width * toFirst);
      target.e.set(source.e.subarray(first, end), width * toFirst);
    } else {
      (target as Float64Array).set((source as Float64Array).subarray(first, end), width * toFirst);
    }
  }

  read(kept: Kept): Promise<Float64Array> {
    return latticeOf(this.#plan, kept, async (block) => {
      const { m, e } = this.#buffers[block[kept]!] as Extended;
      const scales = block.scales === undefined ? undefined : (this.#buffers[block.scales] as Float64Array);
      return {
        targets: this.#buffers.targets as Uint32Array,
        value: (state) => (kept === 'posterior' ? m[state] : ln(m[state], e[state])),
        scale: (frame) => scales![frame],
      };
    });
  }

  lattice(): never {
    throw new CtcError(
      'no-webgpu',
      `lattice: expected a GPU device, but this runs on the CPU (${this.#reason}); use read`,
    );
  }

  destroy(): void {
    this.#destroyed = true;
  }
}

/** In float64, so that of probabilities that hardly differ the larger has the larger one. */
function logarithmsOf(probs: Float32Array | Float64Array): Float64Array {
  const logs = new Float64Array(probs.length);
  for (let i = 0; i < logs.length; i++) logs[i] = Math.log(probs[i]!);
  return logs;
}

/** The loss of each sequence, infinite where there is no path. */
function lossesOf(totals: Float64Array): Float64Array {
  return Float64Array.from({ length: totals.length / TOTAL.words }, (_, n) =>
    totals[n * TOTAL.words + TOTAL.status] === INFEASIBLE
      ? Number.POSITIVE_INFINITY
      : totals[n * TOTAL.words + TOTAL.loss]!,
  );
}

function isExtended(buffer: CpuBuffer): buffer is Extended {
  return 'm' in buffer;
}

function lengthOf(buffer: CpuBuffer): number {
  return isExtended(buffer) ? buffer.m.length : buffer.length;
}

/** Lets timers, input and other tasks run. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
