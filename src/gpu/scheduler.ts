import type { Constants, KernelName } from '../kernels.js';
import {
  type BufferRange,
  type Dispatch,
  elementBytes,
  type Plan,
  type TensorName,
  type Window,
} from '../plan.js';
import { uniformBlockBytes } from '../problem.js';
import type { RunOptions } from '../types.js';
import { inErrorScopes, unlessLost } from './lost.js';
import type { DeviceTensor, Memory } from './memory.js';
import { Pace } from './pace.js';
import type { Pipeline } from './pipelines.js';

export type DeviceTensors = Readonly<Partial<Record<TensorName, DeviceTensor>>>;

/** What a dispatch costs besides its elements, in elements: about 10 µs of encoding and launching. */
const dispatchCost = 5000;
/** Encoding must not hold up the event loop either. */
const dispatchesPerSubmission = 1024;

/** A place in a plan: a command, and how many of its steps are done. */
interface Cursor {
  command: number;
  step: number;
}

interface Bound {
  readonly group: GPUBindGroup;
  readonly offsets: Readonly<Record<string, number>>;
}

/** Turns a plan into passes and submissions. Knows buffers and dispatches, and nothing of CTC. */
export class Scheduler {
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #pipelines: ReadonlyMap<string, Pipeline>;
  /** Bind groups of commands that touch no tensor of the caller's. */
  readonly #own = new Map<Dispatch, Bound>();
  readonly #total: number;
  readonly #pace = new Pace(2 ** 20);

  static pipelineKey(kernel: KernelName, constants: Constants): string {
    return `${kernel} ${JSON.stringify(constants)}`;
  }

  constructor(device: GPUDevice, plan: Plan, memory: Memory, pipelines: ReadonlyMap<string, Pipeline>) {
    this.#device = device;
    this.#plan = plan;
    this.#memory = memory;
    this.#pipelines = pipelines;
    this.#total = plan.commands.reduce(
      (sum, c) => sum + (c.type === 'copy' ? 0 : (c.cost + dispatchCost) * (c.steps?.count ?? 1)),
      0,
    );
  }

  /** The whole plan into the caller's encoder. */
  encode(encoder: GPUCommandEncoder, tensors: DeviceTensors): void {
    this.#encode(
      encoder,
      tensors,
      { command: 0, step: 0 },
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    );
  }

  /**
   * The whole plan in submissions of some milliseconds each, two in flight, with turns of the event loop
   * between them. An abort leaves what was submitted to end by itself.
   */
  async run(tensors: DeviceTensors, { signal, onProgress }: RunOptions): Promise<void> {
    const queue = this.#device.queue;
    const cursor = { command: 0, step: 0 };
    const flying: { cost: number; start: number; done: Promise<number> }[] = [];
    let done = 0;
    let last = 0;
    const land = async () => {
      const { cost, start, done: landing } = flying.shift()!;
      const end = await unlessLost(this.#device, landing);
      this.#pace.learn(cost, end - Math.max(start, last));
      last = end;
      done += cost;
      onProgress?.(Math.min(1, done / this.#total));
      signal?.throwIfAborted();
    };
    while (cursor.command < this.#plan.commands.length) {
      const start = performance.now();
      const { cost, landing } = await inErrorScopes(this.#device, 'run', () => {
        const encoder = this.#device.createCommandEncoder({ label: `ctc:${this.#plan.strategy}:encoder` });
        const cost = this.#encode(encoder, tensors, cursor, this.#pace.size, dispatchesPerSubmission);
        queue.submit([encoder.finish()]);
        return { cost, landing: queue.onSubmittedWorkDone().then(() => performance.now()) };
      });
      landing.catch(() => {});
      flying.push({ cost, start, done: landing });
      if (flying.length > 1) await land();
    }
    while (flying.length > 0) await land();
  }

  /** Encodes from the cursor on, until about `most` cost is spent, and moves the cursor. */
  #encode(
    encoder: GPUCommandEncoder,
    tensors: DeviceTensors,
    cursor: Cursor,
    most: number,
    mostDispatches: number,
  ): number {
    let cost = 0;
    let dispatches = 0;
    let pass: GPUComputePassEncoder | undefined;
    for (; cursor.command < this.#plan.commands.length; cursor.command++) {
      const command = this.#plan.commands[cursor.command];
      if (command.type === 'copy') {
        pass?.end();
        pass = undefined;
        const size = elementBytes[this.#plan.buffers[command.from].element];
        encoder.copyBufferToBuffer(
          this.#memory.buffer(command.from),
          command.fromFirst * size,
          this.#memory.buffer(command.to),
          command.toFirst * size,
          command.count * size,
        );
        continue;
      }
      const { pipeline, bindings } = this.#pipelines.get(
        Scheduler.pipelineKey(command.kernel, command.constants),
      )!;
      const bound = this.#bind(command, tensors);
      const { count, descending } = command.steps ?? { count: 1, descending: false };
      pass ??= encoder.beginComputePass({ label: `ctc:${this.#plan.strategy}:pass` });
      pass.setPipeline(pipeline);
      const uniforms = bindings.filter(({ type }) => type === 'uniform').map(({ name }) => name);
      const stepped = uniforms.findIndex((name) => command.integers[name] === 'step');
      const offsets = uniforms.map((name) => bound.offsets[name] ?? 0);
      for (; cursor.step < count; cursor.step++) {
        if (cost >= most || dispatches >= mostDispatches) {
          pass.end();
          return cost;
        }
        const step = descending ? count - 1 - cursor.step : cursor.step;
        if (stepped >= 0) offsets[stepped] = step * uniformBlockBytes;
        pass.setBindGroup(0, bound.group, offsets);
        pass.dispatchWorkgroups(command.grid[0], command.grid[1]);
        cost += command.cost + dispatchCost;
        dispatches++;
      }
      cursor.step = 0;
    }
    pass?.end();
    return cost;
  }

  #bind(command: Dispatch, tensors: DeviceTensors): Bound {
    const existing = this.#own.get(command);
    if (existing) return existing;
    const { layout, bindings } = this.#pipelines.get(
      Scheduler.pipelineKey(command.kernel, command.constants),
    )!;
    const shifts: Partial<Record<TensorName, number>> = {};
    const entries = bindings.map(({ name, binding, type }) => {
      if (type === 'uniform') {
        const buffer = name === 'problem' ? this.#memory.problems : this.#memory.integers;
        return { binding, resource: { buffer, size: uniformBlockBytes } };
      }
      const to = command.bindings[name];
      return { binding, resource: 'tensor' in to ? this.#window(to, tensors, shifts) : this.#range(to) };
    });
    const offsets: Record<string, number> = { problem: command.problem * uniformBlockBytes };
    for (const [name, value] of Object.entries(command.integers)) {
      if (value !== 'step') offsets[name] = shifts[value.shiftOf]! * uniformBlockBytes;
    }
    const group = this.#device.createBindGroup({ label: `ctc:${command.kernel}:group`, layout, entries });
    const bound = { group, offsets };
    if (Object.values(command.bindings).every((to) => 'buffer' in to)) this.#own.set(command, bound);
    return bound;
  }

  #range(binding: BufferRange): GPUBufferBinding {
    const size = elementBytes[this.#plan.buffers[binding.buffer].element];
    const buffer = this.#memory.buffer(binding.buffer);
    if (binding.first === undefined) return { buffer };
    return { buffer, offset: binding.first * size, size: binding.count! * size };
  }

  /** Rows of a caller's tensor: bound from the aligned byte before them, the rest travels as a shift in elements. */
  #window(
    binding: Window,
    tensors: DeviceTensors,
    shifts: Partial<Record<TensorName, number>>,
  ): GPUBufferBinding {
    const { rowBytes, elementBytes: size } = this.#plan.tensors[binding.tensor]!;
    const tensor = tensors[binding.tensor]!;
    const index = Math.floor(binding.firstRow / tensor.rowsPerBuffer);
    const start = tensor.offset + (binding.firstRow - index * tensor.rowsPerBuffer) * rowBytes;
    const offset = Math.floor(start / uniformBlockBytes) * uniformBlockBytes;
    shifts[binding.tensor] = (start - offset) / size;
    const end = Math.ceil((start + binding.rows * rowBytes) / 4) * 4;
    return { buffer: tensor.buffers[index], offset, size: end - offset };
  }
}
