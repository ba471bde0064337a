import type { KernelName } from '../../kernels/kernels.js';
import type { Binding, Plan } from '../../plan/plan.js';
import { CtcError } from '../../problem/errors.js';
import { halfToFloat } from '../../problem/half.js';
import type { Backend, Kept, RunOptions } from '../../problem/types.js';
import { latticeOf } from '../kept-lattice.js';
import type { RunInput, Runner } from '../runner.js';
import { alpha } from './alpha.js';
import { arrive } from './arrive.js';
import { beta } from './beta.js';
import { allocate, type Bindings, type CpuBuffer, type Kernel } from './buffers.js';
import { draw } from './draw.js';
import { durations } from './durations.js';
import { type Extended, ln } from './extended.js';
import { gradient } from './gradient.js';
import { greedy } from './greedy.js';
import { loss } from './loss.js';
import { posterior } from './posterior.js';
import { reduce } from './reduce.js';
import { rows } from './rows.js';
import { sample } from './sample.js';
import { scales } from './scales.js';
import { spell } from './spell.js';
import { spread } from './spread.js';
import { sweep } from './sweep.js';
import { trace } from './trace.js';
import { viterbi } from './viterbi.js';

const kernels: Record<KernelName, Kernel> = {
  ...{ rows, alpha, loss, beta, gradient, reduce },
  ...{ sweep, spread },
  ...{ posterior, scales },
  ...{ viterbi, arrive, trace, spell, greedy },
  ...{ draw, sample, durations },
};

/** Tensors of the caller's, by name. */
type Callers = Readonly<Record<string, Float32Array | Float64Array>>;

/** Milliseconds of work between two turns of the event loop. */
const sliceTime = 12;

/** Runs a plan on the CPU: the twins in place of the kernels, typed arrays in place of buffers. */
export class CpuRunner implements Runner {
  readonly backend: Backend;
  readonly #plan: Plan;
  #destroyed = false;
  readonly #buffers: Readonly<Record<string, CpuBuffer>>;

  constructor(plan: Plan, backend: Backend) {
    this.#plan = plan;
    this.backend = backend;
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

  async run(input: RunInput, options: RunOptions): Promise<{ losses: Float64Array; grad?: Float32Array }> {
    const callers = this.#callers(input);
    await this.execute(callers, options);
    return callers;
  }

  /** The same without a turn of the event loop. */
  runNow(input: RunInput): { losses: Float64Array; grad?: Float32Array } {
    const callers = this.#callers(input);
    for (const _ of this.#work(callers));
    return callers;
  }

  #callers(input: RunInput) {
    const { tensors, task } = this.#plan;
    const count = tensors.grad.rows * (tensors.grad.rowBytes / 4);
    const outputs = tensors.losses.rowBytes / 4;
    return {
      scores: floatsOf(input.scores),
      losses: new Float64Array(outputs),
      gradOutput: (input.gradOutput as Float64Array | undefined) ?? new Float64Array(outputs).fill(1),
      ...(task.gradient !== 'none' && { grad: new Float32Array(count) }),
    };
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
      const { count, descending } = command.steps ?? { count: 1, descending: false };
      for (let i = 0; i < count; i++) {
        const integer = descending ? count - 1 - i : i;
        kernels[command.kernel](problems[command.problem], command, bindings, integer);
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
    if ('tensor' in binding) {
      const tensor = this.#plan.tensors[binding.tensor];
      const width = tensor.rowBytes / tensor.elementBytes;
      return callers[binding.tensor].subarray(
        binding.firstRow * width,
        (binding.firstRow + binding.rows) * width,
      );
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
      `lattice: expected a GPU device, but this runs on the CPU (${this.backend.reason}); use read`,
    );
  }

  destroy(): void {
    this.#destroyed = true;
  }
}

/** Host scores in float32. */
export function floatsOf(scores: RunInput['scores']): Float32Array {
  return scores instanceof Uint16Array ? Float32Array.from(scores, halfToFloat) : (scores as Float32Array);
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
