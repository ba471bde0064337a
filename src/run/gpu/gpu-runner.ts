import type { Plan, TensorName } from '../../plan/plan.js';
import type { Backend, DeviceLattice, Kept, RunOptions } from '../../problem/types.js';
import type { RunInput, Runner, RunOutput } from '../runner.js';
import type { DeviceTensor, Memory } from './memory.js';
import { type Program, programOf } from './program.js';
import type { DeviceTensors, Scheduler } from './scheduler.js';

/** Runs a plan on a device. */
export class GpuRunner implements Runner {
  readonly backend: Backend;
  readonly slots: Program['slots'];
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #scheduler: Scheduler;
  /** Only where something is kept: not part of the main chunk. */
  readonly #kept: typeof import('./device-lattice.js') | undefined;
  #records: Uint32Array = new Uint32Array();

  static async create(device: GPUDevice, plan: Plan, backend: Backend): Promise<GpuRunner> {
    const kept = plan.kept.length > 0 ? await import('./device-lattice.js') : undefined;
    return new GpuRunner(device, plan, backend, await programOf(device, plan), kept);
  }

  constructor(
    device: GPUDevice,
    plan: Plan,
    backend: Backend,
    { memory, scheduler, slots }: Program,
    kept?: typeof import('./device-lattice.js'),
  ) {
    this.backend = backend;
    this.slots = slots;
    this.#device = device;
    this.#plan = plan;
    this.#memory = memory;
    this.#scheduler = scheduler;
    this.#kept = kept;
    const { gradOutput } = plan.buffers;
    if (!gradOutput) return;
    device.queue.writeBuffer(memory.buffer('gradOutput'), 0, new Float32Array(gradOutput.count).fill(1));
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

  async #runFromHost(input: RunInput, data: ArrayBufferView, options: RunOptions): Promise<RunOutput> {
    const { upload, download, readWords, lossesOf } = await import('./host.js');
    const scores = await this.#memory.tensor('scores');
    const grad = this.#plan.task.gradient === 'none' ? undefined : await this.#memory.tensor('grad');
    await upload(this.#device, this.#memory, scores, this.#plan.tensors.scores.rowBytes, data, options);
    const tensors = { ...(await this.#given(input, options)), scores, ...(grad && { grad }) };
    await this.#scheduler.run(tensors, options);
    const [totals] = await readWords(this.#device, this.#memory.buffer('totals'));
    options.signal?.throwIfAborted();
    const losses = lossesOf(this.#plan, totals!, this.#records);
    return { losses, ...(grad && { grad: await download(this.#device, grad) }) };
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
      const buffer = tensor.buffers[0]!;
      return { name, buffer, offset: 0, bytes: buffer.size };
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
    this.slots?.encode(encoder);
    this.#scheduler.encode(encoder, this.#bound(input));
  }

  /** The caller's tensors, upstream gradients of the host's uploaded. */
  async #given(input: RunInput, options: RunOptions): Promise<DeviceTensors> {
    const tensors = this.#bound(input);
    if (!ArrayBuffer.isView(input.gradOutput)) return tensors;
    const { upload } = await import('./host.js');
    const gradOutput = await this.#memory.tensor('gradOutput');
    const { rowBytes } = this.#plan.tensors.gradOutput;
    await upload(
      this.#device,
      this.#memory,
      gradOutput,
      rowBytes,
      Float32Array.from(input.gradOutput),
      options,
    );
    return { ...tensors, gradOutput };
  }

  #bound(input: RunInput): DeviceTensors {
    const tensors: Partial<Record<TensorName, DeviceTensor>> = {};
    for (const name of ['scores', 'grad', 'losses', 'gradOutput'] as const) {
      const given = input[name];
      if (given && 'offset' in given) {
        tensors[name] = {
          buffers: [given.buffer],
          offset: given.offset,
          rowsPerBuffer: this.#plan.tensors[name].rows,
        };
      } else if (this.#plan.buffers[name]) {
        tensors[name] = { buffers: [this.#memory.buffer(name)], offset: 0, rowsPerBuffer: 1 };
      }
    }
    return tensors;
  }

  read(kept: Kept): Promise<Float64Array> {
    return this.#kept!.readLattice(this.#device, this.#plan, this.#memory, kept);
  }

  lattice(): DeviceLattice {
    return this.#kept!.deviceLattice(this.#plan, this.#memory);
  }

  destroy(): void {
    this.#memory.destroy();
  }
}
