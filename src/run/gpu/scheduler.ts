import type { KernelBinding } from '../../kernels/kernels.js';
import { uniformBlockBytes } from '../../kernels/uniforms.js';
import {
  type Dispatch,
  type ElementRange,
  elementBytes,
  type Plan,
  portBytes,
  portOf,
  type Window,
} from '../../plan/plan.js';
import type { RunOptions } from '../../problem/types.js';
import { inErrorScopes, unlessLost } from './lost.js';
import type { DeviceTensor, Memory } from './memory.js';
import { Pace } from './pace.js';
import type { Pipeline } from './pipelines.js';

export type DeviceTensors = Readonly<Record<string, DeviceTensor>>;

/** What a dispatch costs besides its elements, in elements: about 10 µs of encoding and launching. */
const dispatchCost = 5000;
/** Encoding must not hold up the event loop either. */
const dispatchesPerSubmission = 1024;

/**
 * Bind groups with the caller's tensors are kept for plans of at most so many commands. lavapipe (Mesa 25.0.7) has a memory mapping for each, and
 * crashes the process where Linux allows no more of them, at 65,530 (`vm.max_map_count`).
 */
const mostKept = 64;

/** What the last submission of a run does besides, and what then ends it in place of the queue's own news. */
export interface Ending {
  encode(encoder: GPUCommandEncoder): void;
  map(): Promise<undefined>;
}

/** A place in a plan: a command, and how many of its steps are done. */
interface Cursor {
  command: number;
  step: number;
}

interface Bound {
  readonly group: GPUBindGroup;
  readonly offsets: readonly number[];
  /** The caller's tensors in it, and where they were. */
  readonly places: readonly (readonly [name: string, place: DeviceTensor])[];
}

function isSame(a: DeviceTensor, b: DeviceTensor): boolean {
  return a.offset === b.offset && a.buffers.every((buffer, i) => buffer === b.buffers[i]);
}

/** Turns a plan into passes and submissions. Knows buffers and dispatches, and nothing of CTC. */
export class Scheduler {
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #pipelines: readonly (Pipeline | false)[];
  /** Those with tensors of the caller's are of the last run: training passes the same buffers again and again. */
  readonly #bound = new Map<Dispatch, Bound>();
  readonly #total: number;
  readonly #pace = new Pace(2 ** 20);

  constructor(device: GPUDevice, plan: Plan, memory: Memory, pipelines: readonly (Pipeline | false)[]) {
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
  async run(tensors: DeviceTensors, { signal, onProgress }: RunOptions, ending?: Ending): Promise<void> {
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
      this.#memory.alive();
    };
    while (cursor.command < this.#plan.commands.length) {
      const start = performance.now();
      const { cost, landing } = await inErrorScopes(this.#device, 'run', () => {
        const encoder = this.#device.createCommandEncoder({ label: `ctc:${this.#plan.name}:encoder` });
        const cost = this.#encode(encoder, tensors, cursor, this.#pace.size, dispatchesPerSubmission);
        const isLast = ending && cursor.command === this.#plan.commands.length;
        if (isLast) ending.encode(encoder);
        queue.submit([encoder.finish()]);
        const landing = isLast ? ending.map() : queue.onSubmittedWorkDone();
        const landed = landing.then(() => performance.now());
        landed.catch(() => {});
        return { cost, landing: landed };
      });
      flying.push({ cost, start, done: landing });
      if (flying.length > 1) await land();
    }
    while (flying.length > 0) await land();
  }

  /** Encodes from the cursor on, until about `most` cost is spent, and moves the cursor. Returns the cost. */
  #encode(
    encoder: GPUCommandEncoder,
    tensors: DeviceTensors,
    cursor: Cursor,
    most: number,
    mostDispatches: number,
  ): number {
    const { commands, buffers, name } = this.#plan;
    let cost = 0;
    let dispatches = 0;
    let pass: GPUComputePassEncoder | undefined;
    for (; cursor.command < commands.length; cursor.command++) {
      const command = commands[cursor.command];
      if (command.type === 'copy') {
        pass?.end();
        pass = undefined;
        const { from, to, fromFirst, toFirst, count } = command;
        const size = elementBytes[buffers[from]!.element];
        const [source, target] = [this.#memory.buffer(from), this.#memory.buffer(to)];
        encoder.copyBufferToBuffer(source, fromFirst * size, target, toFirst * size, count * size);
        continue;
      }
      const pipeline = this.#pipelines[cursor.command] as Pipeline;
      const { group, offsets } = this.#bind(command, pipeline, tensors);
      const { count, descending } = command.steps ?? { count: 1, descending: false };
      pass ??= encoder.beginComputePass({ label: `ctc:${name}:pass` });
      pass.setPipeline(pipeline.pipeline);
      for (; cursor.step < count; cursor.step++) {
        if (cost >= most || dispatches >= mostDispatches) {
          pass.end();
          return cost;
        }
        const step = descending ? count - 1 - cursor.step : cursor.step;
        pass.setBindGroup(0, group, command.steps ? [offsets[0], step * uniformBlockBytes] : offsets);
        pass.dispatchWorkgroups(...command.grid);
        cost += command.cost + dispatchCost;
        dispatches++;
      }
      cursor.step = 0;
    }
    pass?.end();
    return cost;
  }

  /** The bind group of a command, and the dynamic offsets of its uniforms: the problem first, then integers. */
  #bind(command: Dispatch, { layout, bindings }: Pipeline, tensors: DeviceTensors): Bound {
    const existing = this.#bound.get(command);
    if (existing?.places.every(([name, place]) => isSame(place, tensors[name]!))) return existing;
    const shifts: Record<string, number> = {};
    const places: [string, DeviceTensor][] = [];
    const resourceOf = ({ name, type }: KernelBinding): GPUBufferBinding => {
      if (type === 'uniform') {
        return {
          buffer: name === 'problem' ? this.#memory.problems : this.#memory.integers,
          size: uniformBlockBytes,
        };
      }
      const to = command.bindings[name];
      if ('buffer' in to) return this.#range(to);
      places.push([to.port, tensors[to.port]!]);
      return this.#window(to, tensors[to.port]!, shifts);
    };
    const entries = bindings.map((binding) => ({ binding: binding.binding, resource: resourceOf(binding) }));
    const offsets = bindings
      .filter(({ type }) => type === 'uniform')
      .map(({ name }) => {
        const value = command.integers[name];
        const index =
          name === 'problem' ? command.problem : typeof value === 'object' ? shifts[value.shiftOf]! : 0;
        return index * uniformBlockBytes;
      });
    const group = this.#device.createBindGroup({ label: `ctc:${command.kernel}:group`, layout, entries });
    const bound = { group, offsets, places };
    if (places.length === 0 || this.#plan.commands.length <= mostKept) this.#bound.set(command, bound);
    return bound;
  }

  #range({ buffer, first = 0, count }: ElementRange): GPUBufferBinding {
    const plan = this.#plan.buffers[buffer]!;
    const size = elementBytes[plan.element];
    return { buffer: this.#memory.buffer(buffer), offset: first * size, size: (count ?? plan.count) * size };
  }

  /** Rows of a caller's tensor: bound from the aligned byte before them, the rest travels as a shift in elements. */
  #window(
    { port, firstRow, rows }: Window,
    place: DeviceTensor,
    shifts: Record<string, number>,
  ): GPUBufferBinding {
    const { rowBytes, element } = portOf(this.#plan, port);
    const index = Math.floor(firstRow / place.rowsPerBuffer);
    const start = place.offset + (firstRow % place.rowsPerBuffer) * rowBytes;
    const offset = start - (start % uniformBlockBytes);
    shifts[port] = (start - offset) / portBytes[element];
    const end = Math.ceil((start + rows * rowBytes) / 4) * 4;
    return { buffer: place.buffers[index], offset, size: end - offset };
  }
}
