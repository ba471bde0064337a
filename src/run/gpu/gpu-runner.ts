import { type Plan, type Port, portOf } from '../../plan/plan.js';
import type { NamedRange } from '../../problem/check.js';
import { lazily } from '../../problem/load.js';
import type { DeviceLattice, Kept, RunOptions } from '../../problem/types.js';
import type { Call, Given, Raw, Runner } from '../runner.js';
import { inErrorScopes } from './lost.js';
import type { DeviceTensor, Memory } from './memory.js';
import { type Program, programOf } from './program.js';
import type { Scheduler } from './scheduler.js';

const latticePart = lazily('gpu', () => import('./device-lattice.js'));
const hostPart = lazily('gpu', () => import('./host.js'));

const isHost = (given: Given): given is Exclude<Given, { buffer: GPUBuffer }> => ArrayBuffer.isView(given);

/** Runs a plan on a device: moves what goes in and comes out by the plan's ports. */
export class GpuRunner implements Runner {
  readonly slots: Program['slots'];
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #scheduler: Scheduler;
  readonly #numbers: Program['numbers'];
  /** Only where something is kept: not part of the main chunk. */
  readonly #kept: typeof import('./device-lattice.js') | undefined;

  static async create(device: GPUDevice, plan: Plan): Promise<GpuRunner> {
    const kept = plan.kept.length > 0 ? await latticePart() : undefined;
    return new GpuRunner(device, plan, await programOf(device, plan), kept);
  }

  constructor(
    device: GPUDevice,
    plan: Plan,
    { memory, scheduler, slots, numbers }: Program,
    kept?: typeof import('./device-lattice.js'),
  ) {
    this.slots = slots;
    this.#device = device;
    this.#plan = plan;
    this.#memory = memory;
    this.#scheduler = scheduler;
    this.#numbers = numbers;
    this.#kept = kept;
    for (const port of Object.values(plan.inputs))
      if (port.buffer && port.default !== undefined) this.#write(port.buffer, wordsOf(port));
  }

  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#write('targets', records);
  }

  fill(buffer: string, words: Uint32Array<ArrayBuffer>): void {
    this.#write(buffer, words);
  }

  async download({ buffer, offset, bytes }: NamedRange): Promise<Uint8Array<ArrayBuffer>> {
    const { readRange } = await hostPart();
    return readRange(this.#device, buffer, offset, bytes);
  }

  async run(call: Call, options: RunOptions): Promise<Raw> {
    return call.toHost ? this.#runToHost(call, options) : this.#runOnDevice(call, options);
  }

  async #runToHost(call: Call, options: RunOptions): Promise<Raw> {
    const { download, Readback, readWords, resultOf } = await hostPart();
    const tensors = await this.#given(call, options);
    const outputs = Object.entries(this.#plan.outputs);
    for (const [name, { buffer }] of outputs) if (!buffer) tensors[name] = await this.#memory.tensor(name);
    const all = outputs.flatMap(([name, { totals, buffer }]) =>
      buffer ? [this.#memory.buffer(totals ?? buffer)] : tensors[name]!.buffers,
    );
    const isWhole = all.length === outputs.length;
    const readback = isWhole ? Readback.of(this.#device, all) : undefined;
    if (readback) {
      try {
        await this.#scheduler.run(tensors, options, readback);
        const words = readback.words();
        return Object.fromEntries(
          outputs.map(([name, port], i) => [name, resultOf(port, words[i]!, this.#plan.task)]),
        );
      } finally {
        readback.destroy();
      }
    }
    await this.#scheduler.run(tensors, options);
    const read = outputs.filter(([, { buffer }]) => buffer);
    const words = await readWords(
      this.#device,
      ...read.map(([, { totals, buffer }]) => this.#memory.buffer(totals ?? buffer!)),
    );
    options.signal?.throwIfAborted();
    const raw: Record<string, Raw[string]> = {};
    for (const [name, { buffer }] of outputs)
      if (!buffer) raw[name] = await download(this.#device, tensors[name]!);
    read.forEach(([name, port], i) => {
      raw[name] = resultOf(port, words[i]!, this.#plan.task);
    });
    return raw;
  }

  async #runOnDevice(call: Call, options: RunOptions): Promise<Raw> {
    const made: GPUBuffer[] = [];
    const outputs = { ...call.outputs };
    try {
      for (const name of Object.keys(this.#plan.outputs)) {
        if (outputs[name]) continue;
        const { buffers } = await this.#memory.createTensor(name);
        made.push(...buffers);
        if (buffers.length > 1) {
          throw new RangeError(
            `${name}: expected a size that fits into one buffer (${this.#device.limits.maxBufferSize} bytes)`,
          );
        }
        const buffer = buffers[0]!;
        outputs[name] = { name, buffer, offset: 0, bytes: buffer.size };
      }
      const tensors = await this.#given({ ...call, outputs }, options);
      await this.#scheduler.run(tensors, options);
      if (this.#copies().length > 0) {
        await inErrorScopes(this.#device, 'run', () => {
          const encoder = this.#device.createCommandEncoder({ label: `ctc:${this.#plan.name}:results` });
          this.#copyOut(encoder, outputs);
          this.#device.queue.submit([encoder.finish()]);
        });
      }
      return Object.fromEntries(Object.keys(this.#plan.outputs).map((name) => [name, outputs[name]!.buffer]));
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  encode(encoder: GPUCommandEncoder, call: Call): void {
    this.slots?.encode(encoder);
    for (const [name, port] of Object.entries(this.#plan.inputs)) {
      if (port.access === 'copy')
        this.#numbers!.encode(encoder, port.buffer!, wordsOf(port, call.inputs[name])[0]!);
    }
    this.#scheduler.encode(encoder, this.#bound(call));
    this.#copyOut(encoder, call.outputs);
  }

  /** Where the kernels find what the caller gives: buffers as they are, what is on the host uploaded. */
  async #given(call: Call, options: RunOptions): Promise<Record<string, DeviceTensor>> {
    const tensors = this.#bound(call);
    for (const [name, port] of Object.entries(this.#plan.inputs)) {
      const given = call.inputs[name];
      if (port.access === 'copy') {
        this.#memory.alive();
        this.#write(port.buffer!, wordsOf(port, given));
      } else if (given && isHost(given)) {
        const { upload } = await hostPart();
        const tensor = await this.#memory.tensor(name);
        const data = given instanceof Float64Array ? Float32Array.from(given) : given;
        await upload(this.#device, this.#memory, tensor, port.rowBytes, data, options);
        tensors[name] = tensor;
      }
    }
    return tensors;
  }

  /** What is on the device already: the caller's, and the plan's own where the caller has none. */
  #bound({ inputs, outputs }: Call): Record<string, DeviceTensor> {
    const tensors: Record<string, DeviceTensor> = {};
    for (const name of [...Object.keys(this.#plan.inputs), ...Object.keys(this.#plan.outputs)]) {
      const { access, buffer, rows } = portOf(this.#plan, name);
      if (access === 'copy') continue;
      const given = inputs[name] ?? outputs[name];
      if (given && !isHost(given))
        tensors[name] = { buffers: [given.buffer], offset: given.offset, rowsPerBuffer: rows };
      else if (buffer)
        tensors[name] = { buffers: [this.#memory.buffer(buffer)], offset: 0, rowsPerBuffer: rows };
    }
    return tensors;
  }

  #copies(): [string, Port][] {
    return Object.entries(this.#plan.outputs).filter(([, { access }]) => access === 'copy');
  }

  #copyOut(encoder: GPUCommandEncoder, outputs: Call['outputs']) {
    for (const [name, port] of this.#copies()) {
      const { buffer, offset } = outputs[name]!;
      const from = this.#memory.buffer(port.buffer!);
      encoder.copyBufferToBuffer(from, 0, buffer, offset, from.size);
    }
  }

  #write(buffer: string, words: BufferSource & ArrayBufferView<ArrayBuffer>) {
    this.#device.queue.writeBuffer(this.#memory.buffer(buffer), 0, words);
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

/** What a port of numbers has in a buffer: what is given, or its default. */
function wordsOf({ element, rowBytes, default: value }: Port, given?: Given) {
  const Kind = element === 'word' ? Uint32Array : Float32Array;
  return given ? Kind.from(given as Float64Array) : new Kind(rowBytes / 4).fill(value!);
}
