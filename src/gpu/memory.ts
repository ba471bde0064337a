import type { Plan, TensorName } from '../plan.js';
import { elementBytes } from '../plan.js';
import { integerTable, packProblems } from '../problem.js';
import { inErrorScopes, unlessLost } from './lost.js';

const USAGE = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 } as const;
const READ = 1;

/** Bytes that move to or from the host between two turns of the event loop. */
const chunkBytes = 2 ** 24;

/** A tensor as the plan's rows, in one buffer of the caller's or in as many of ours as the device asks for. */
export interface DeviceTensor {
  readonly buffers: readonly GPUBuffer[];
  /** Byte at which row 0 lies in the first buffer. */
  readonly offset: number;
  readonly rowsPerBuffer: number;
}

/** The buffers of a task: what the plan asks for, and the host's tensors once they are needed. */
export class Memory {
  readonly problems: GPUBuffer;
  readonly integers: GPUBuffer;
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #buffers: Readonly<Record<string, GPUBuffer>>;
  readonly #tensors = new Map<TensorName, DeviceTensor>();

  static async create(device: GPUDevice, plan: Plan): Promise<Memory> {
    const made: GPUBuffer[] = [];
    try {
      return await inErrorScopes(device, 'prepare', () => new Memory(device, plan, made));
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  private constructor(device: GPUDevice, plan: Plan, made: GPUBuffer[]) {
    this.#device = device;
    this.#plan = plan;
    const create = (name: string, size: number, usage: number) => {
      const buffer = device.createBuffer({ label: `ctc:${plan.strategy}:${name}`, size, usage });
      made.push(buffer);
      return buffer;
    };
    const uniform = (name: string, data: Int32Array<ArrayBuffer>) => {
      const buffer = create(name, data.byteLength, USAGE.UNIFORM | USAGE.COPY_DST);
      device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    };
    this.problems = uniform('problems', packProblems(plan.problems));
    this.integers = uniform('integers', integerTable(plan.integers));
    const usage = USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST;
    this.#buffers = Object.fromEntries(
      Object.entries(plan.buffers).map(([name, { element, count }]) => [
        name,
        create(name, count * elementBytes[element], usage),
      ]),
    );
  }

  buffer(name: string): GPUBuffer {
    return this.#buffers[name];
  }

  /** The task's own place for a tensor of the host's, made at first use. */
  async tensor(name: TensorName): Promise<DeviceTensor> {
    const existing = this.#tensors.get(name);
    if (existing) return existing;
    const tensor = await this.createTensor(name);
    this.#tensors.set(name, tensor);
    return tensor;
  }

  /** New buffers for a tensor; they belong to whoever asked. */
  async createTensor(name: TensorName): Promise<DeviceTensor> {
    const { rows, rowBytes, rowsPerBuffer } = this.#plan.tensors[name];
    const buffers: GPUBuffer[] = [];
    try {
      await inErrorScopes(this.#device, name, () => {
        for (let first = 0; first < rows; first += rowsPerBuffer) {
          const size = Math.ceil((Math.min(rowsPerBuffer, rows - first) * rowBytes) / 4) * 4;
          const usage = USAGE.STORAGE | USAGE.COPY_SRC | USAGE.COPY_DST;
          buffers.push(
            this.#device.createBuffer({ label: `ctc:${this.#plan.strategy}:${name}`, size, usage }),
          );
        }
      });
    } catch (error) {
      for (const buffer of buffers) buffer.destroy();
      throw error;
    }
    return { buffers, offset: 0, rowsPerBuffer };
  }

  /** Copies the host's data into a tensor, a chunk at a time. */
  async upload(
    name: TensorName,
    tensor: DeviceTensor,
    data: ArrayBufferView,
    pause: () => Promise<void>,
  ): Promise<void> {
    const { rowBytes } = this.#plan.tensors[name];
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    for (const [i, buffer] of tensor.buffers.entries()) {
      const start = i * tensor.rowsPerBuffer * rowBytes;
      const length = Math.min(tensor.rowsPerBuffer * rowBytes, bytes.length - start);
      for (let offset = 0; offset < length; offset += chunkBytes) {
        const chunk = bytes.subarray(start + offset, start + Math.min(length, offset + chunkBytes));
        // an odd number of halves: a write is a multiple of 4 bytes
        const whole =
          chunk.length % 4 === 0
            ? chunk
            : Uint8Array.from({ length: chunk.length + 2 }, (_, j) => chunk[j] ?? 0);
        this.#device.queue.writeBuffer(buffer, offset, whole as Uint8Array<ArrayBuffer>);
        if (length > chunkBytes) await pause();
      }
    }
  }

  async download(tensor: DeviceTensor): Promise<Float32Array<ArrayBuffer>> {
    const bytes = new Uint8Array(tensor.buffers.reduce((sum, buffer) => sum + buffer.size, 0));
    let place = 0;
    for (const buffer of tensor.buffers) {
      bytes.set(await this.read(buffer), place);
      place += buffer.size;
    }
    return new Float32Array(bytes.buffer);
  }

  /** The bytes of a buffer once everything submitted before is done. */
  async read(buffer: GPUBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(buffer.size);
    const size = Math.min(buffer.size, chunkBytes);
    const staging = await inErrorScopes(this.#device, 'readback', () =>
      this.#device.createBuffer({
        label: 'ctc:readback:staging',
        size,
        usage: USAGE.MAP_READ | USAGE.COPY_DST,
      }),
    );
    try {
      for (let offset = 0; offset < buffer.size; offset += size) {
        const length = Math.min(size, buffer.size - offset);
        const mapped = await inErrorScopes(this.#device, 'readback', () => {
          const encoder = this.#device.createCommandEncoder({ label: 'ctc:readback:encoder' });
          encoder.copyBufferToBuffer(buffer, offset, staging, 0, length);
          this.#device.queue.submit([encoder.finish()]);
          const mapping = staging.mapAsync(READ, 0, length);
          mapping.catch(() => {});
          // Firefox completes a mapping only when something follows it on the queue
          this.#device.queue.submit([]);
          return { mapping };
        });
        await unlessLost(this.#device, mapped.mapping);
        bytes.set(new Uint8Array(staging.getMappedRange(0, length)), offset);
        staging.unmap();
      }
    } finally {
      staging.destroy();
    }
    return bytes;
  }

  destroy(): void {
    for (const buffer of [this.problems, this.integers, ...Object.values(this.#buffers)]) buffer.destroy();
    for (const { buffers } of this.#tensors.values()) for (const buffer of buffers) buffer.destroy();
    this.#tensors.clear();
  }
}
