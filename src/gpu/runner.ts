import type { BufferRange } from '../check.js';
import { latticeOf, latticeWgsl, resourcesOf } from '../lattice.js';
import { elementBytes, type Plan, type TensorName } from '../plan.js';
import { uniformBlockBytes } from '../problem.js';
import type { RunInput, Runner, RunOutput } from '../runner.js';
import type { Backend, DeviceLattice, Kept, RunOptions } from '../types.js';
import { type DeviceTensor, Memory } from './memory.js';
import { pipelineFor } from './pipelines.js';
import { type DeviceTensors, Scheduler } from './scheduler.js';

const REGULAR = 0;

/** Runs a plan on a device. */
export class GpuRunner implements Runner {
  readonly backend: Backend;
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #scheduler: Scheduler;
  #records: Uint32Array = new Uint32Array();

  static async create(device: GPUDevice, plan: Plan, backend: Backend): Promise<GpuRunner> {
    const wanted = new Map(
      plan.commands.flatMap((command) =>
        command.type === 'dispatch'
          ? [[Scheduler.pipelineKey(command.kernel, command.constants), command] as const]
          : [],
      ),
    );
    const pipelines = new Map(
      await Promise.all(
        [...wanted].map(
          async ([key, { kernel, constants }]) =>
            [key, await pipelineFor(device, kernel, constants)] as const,
        ),
      ),
    );
    const memory = await Memory.create(device, plan);
    return new GpuRunner(device, plan, backend, memory, new Scheduler(device, plan, memory, pipelines));
  }

  private constructor(device: GPUDevice, plan: Plan, backend: Backend, memory: Memory, scheduler: Scheduler) {
    this.backend = backend;
    this.#device = device;
    this.#plan = plan;
    this.#memory = memory;
    this.#scheduler = scheduler;
    const ones = new Float32Array(plan.buffers.gradOutput!.count).fill(1);
    device.queue.writeBuffer(memory.buffer('gradOutput'), 0, ones);
  }

  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#records = records;
    this.#device.queue.writeBuffer(this.#memory.buffer('targets'), 0, records);
  }

  async run(input: RunInput, options: RunOptions): Promise<RunOutput> {
    return ArrayBuffer.isView(input.scores)
      ? this.#runFromHost(input, input.scores, options)
      : this.#runOnDevice(input, options);
  }

  async #runFromHost(input: RunInput, scores: ArrayBufferView, options: RunOptions): Promise<RunOutput> {
    const withGrad = this.#plan.task.gradient !== 'none';
    const tensors = {
      ...(await this.#given(input, options)),
      scores: await this.#memory.tensor('scores'),
      ...(withGrad && { grad: await this.#memory.tensor('grad') }),
    };
    await this.#memory.upload('scores', tensors.scores, scores, () => nextTask(options));
    await this.#scheduler.run(tensors, options);
    const totals = await this.#memory.read(this.#memory.buffer('totals'));
    options.signal?.throwIfAborted();
    const losses = this.#losses(new Float32Array(totals.buffer));
    return { losses, ...(withGrad && { grad: await this.#memory.download(tensors.grad!) }) };
  }

  async #runOnDevice(input: RunInput, options: RunOptions): Promise<RunOutput> {
    const made: GPUBuffer[] = [];
    const output = async (name: TensorName) => {
      const tensor = await this.#memory.createTensor(name);
      made.push(...tensor.buffers);
      if (tensor.buffers.length > 1) {
        throw new RangeError(
          `${name}: expected a size that fits into one buffer (${this.#device.limits.maxBufferSize} bytes)`,
        );
      }
      return { buffer: tensor.buffers[0], offset: 0 };
    };
    try {
      const losses = input.losses ?? (await output('losses'));
      const grad = this.#plan.task.gradient === 'none' ? undefined : (input.grad ?? (await output('grad')));
      await this.#scheduler.run(
        await this.#given({ ...input, losses, ...(grad && { grad }) }, options),
        options,
      );
      return { losses: losses.buffer, ...(grad && { grad: grad.buffer }) };
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  encode(encoder: GPUCommandEncoder, input: RunInput): void {
    this.#scheduler.encode(encoder, this.#bound(input));
  }

  /** The caller's tensors, upstream gradients of the host's uploaded. */
  async #given(input: RunInput, options: RunOptions): Promise<DeviceTensors> {
    const tensors = this.#bound(input);
    if (!ArrayBuffer.isView(input.gradOutput)) return tensors;
    const gradOutput = await this.#memory.tensor('gradOutput');
    await this.#memory.upload('gradOutput', gradOutput, Float32Array.from(input.gradOutput), () =>
      nextTask(options),
    );
    return { ...tensors, gradOutput };
  }

  #bound(input: RunInput): DeviceTensors {
    const whole = (name: TensorName, { buffer, offset }: BufferRange): DeviceTensor => ({
      buffers: [buffer],
      offset,
      rowsPerBuffer: this.#plan.tensors[name].rows,
    });
    const own = (name: string): DeviceTensor => ({
      buffers: [this.#memory.buffer(name)],
      offset: 0,
      rowsPerBuffer: 1,
    });
    const isRange = (value: RunInput[keyof RunInput]): value is BufferRange =>
      value !== undefined && !ArrayBuffer.isView(value);
    return {
      ...(isRange(input.scores) && { scores: whole('scores', input.scores) }),
      ...(input.grad && { grad: whole('grad', input.grad) }),
      losses: input.losses ? whole('losses', input.losses) : own('losses'),
      gradOutput: isRange(input.gradOutput) ? whole('gradOutput', input.gradOutput) : own('gradOutput'),
    };
  }

  /** −ln Z finished in float64 from what the device knows of each sequence, then reduced. */
  #losses(floats: Float32Array<ArrayBuffer>): Float64Array {
    const { sequences, reduction, zeroInfinity } = this.#plan.task;
    const integers = new Int32Array(floats.buffer);
    const words = elementBytes.total / 4;
    const losses = Float64Array.from({ length: sequences }, (_, n) => {
      const [m, , , r] = floats.subarray(n * words);
      const [, e, k, , status, bits] = integers.subarray(n * words);
      if (status === REGULAR) return 0 - ((k! + e!) * Math.LN2 + r! + Math.log(m!));
      return bits === 0 && zeroInfinity ? 0 : floats[n * words + 5];
    });
    if (reduction === 'none') return losses;
    const weight = (n: number) =>
      reduction === 'sum' ? 1 : 1 / (sequences * Math.max(this.#targetLength(n), 1));
    let sum = 0;
    let worst = 0;
    losses.forEach((loss, n) => {
      if (Number.isFinite(loss)) sum += loss * weight(n);
      else worst += loss;
    });
    return Float64Array.of(sum + worst);
  }

  #targetLength(n: number): number {
    return this.#records[n * this.#plan.problems[0].recordWords + 1];
  }

  async read(kept: Kept): Promise<Float64Array> {
    return latticeOf(this.#plan, kept, this.#records, async (block) => {
      const words = await this.#words(block[kept]!);
      const floats = new Float32Array(words.buffer);
      const scales = block.scales === undefined ? words : await this.#words(block.scales);
      const remainders = new Float32Array(scales.buffer);
      return {
        value: (state) => {
          const m = floats[2 * state];
          return kept === 'posterior' ? m : Math.log(m) + words[2 * state + 1] * Math.LN2;
        },
        scale: (frame) => scales[2 * frame] * Math.LN2 + remainders[2 * frame + 1],
      };
    });
  }

  async #words(name: string): Promise<Int32Array<ArrayBuffer>> {
    return new Int32Array((await this.#memory.read(this.#memory.buffer(name))).buffer);
  }

  lattice(kept: readonly Kept[]): DeviceLattice {
    const blocks = this.#plan.kept.map((block) => {
      const { recordWords } = this.#plan.problems[block.problem];
      const resources = [
        { buffer: this.#memory.problems, offset: block.problem * uniformBlockBytes, size: uniformBlockBytes },
        {
          buffer: this.#memory.buffer('targets'),
          offset: 0,
          size: this.#plan.task.sequences * recordWords * 4,
        },
        ...resourcesOf(block, kept).map((name) => {
          const buffer = this.#memory.buffer(name);
          return { buffer, offset: 0, size: buffer.size };
        }),
      ];
      return {
        sequences: [block.firstSequence, block.firstSequence + block.sequences] as const,
        frames: [block.firstFrame, block.firstFrame + block.frames] as const,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      };
    });
    return { blocks, wgsl: (group = 0) => latticeWgsl(kept, group) };
  }

  destroy(): void {
    this.#memory.destroy();
  }
}

async function nextTask({ signal }: RunOptions): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  signal?.throwIfAborted();
}
