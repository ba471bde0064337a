import { integerTable, packProblems } from '../../kernels/uniforms.js';
import { elementBytes, type Plan, portOf } from '../../plan/plan.js';
import { CtcError } from '../../problem/errors.js';
import { inErrorScopes } from './lost.js';

const [COPY_SRC, COPY_DST, UNIFORM, STORAGE] = [4, 8, 64, 128];

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
  /** All that is destroyed with the task. */
  readonly #made: Set<GPUBuffer>;
  #destroyed = false;
  readonly #tensors = new Map<string, DeviceTensor>();

  static async create(device: GPUDevice, plan: Plan): Promise<Memory> {
    const made = new Set<GPUBuffer>();
    try {
      return await inErrorScopes(device, 'prepare', () => new Memory(device, plan, made));
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  /** The same at once. What the device has to say against it goes to its open error scopes. */
  static createNow(device: GPUDevice, plan: Plan): Memory {
    return new Memory(device, plan, new Set());
  }

  private constructor(device: GPUDevice, plan: Plan, made: Set<GPUBuffer>) {
    this.#device = device;
    this.#plan = plan;
    this.#made = made;
    const uniform = (name: string, data: Int32Array<ArrayBuffer>) => {
      const buffer = this.create(name, data.byteLength, UNIFORM | COPY_DST);
      device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    };
    this.problems = uniform('problems', packProblems(plan.problems));
    this.integers = uniform('integers', integerTable(plan.integers));
    this.#buffers = Object.fromEntries(
      Object.entries(plan.buffers).map(([name, { element, count }]) => [
        name,
        this.create(name, count * elementBytes[element]),
      ]),
    );
  }

  /** A buffer that lives no longer than the task. */
  create(name: string, size: number, usage?: number): GPUBuffer {
    const buffer = this.#create(name, size, usage);
    this.#made.add(buffer);
    return buffer;
  }

  /** Frees one of them. */
  release(buffer: GPUBuffer): void {
    this.#made.delete(buffer);
    buffer.destroy();
  }

  #create(name: string, size: number, usage = STORAGE | COPY_SRC | COPY_DST): GPUBuffer {
    return this.#device.createBuffer({ label: `ctc:${this.#plan.name}:${name}`, size, usage });
  }

  buffer(name: string): GPUBuffer {
    return this.#buffers[name];
  }

  /** The task's own place for a tensor of the host's, made at first use. */
  async tensor(name: string): Promise<DeviceTensor> {
    const existing = this.#tensors.get(name);
    if (existing) return existing;
    const tensor = await this.createTensor(name);
    this.#tensors.set(name, tensor);
    if (this.#destroyed) this.destroy();
    this.alive();
    return tensor;
  }

  /** New buffers for a tensor; they belong to whoever asked. */
  async createTensor(name: string): Promise<DeviceTensor> {
    const { rows, rowBytes, rowsPerBuffer } = portOf(this.#plan, name);
    const buffers: GPUBuffer[] = [];
    try {
      await inErrorScopes(this.#device, name, () => {
        for (let first = 0; first < rows; first += rowsPerBuffer) {
          const size = Math.ceil((Math.min(rowsPerBuffer, rows - first) * rowBytes) / 4) * 4;
          buffers.push(this.#create(name, size));
        }
      });
    } catch (error) {
      for (const buffer of buffers) buffer.destroy();
      throw error;
    }
    return { buffers, offset: 0, rowsPerBuffer };
  }

  /** To be called before a write: WebGPU would tell the device's owner of a write to freed memory, not us. */
  alive(): void {
    if (this.#destroyed) throw new CtcError('destroyed', 'this task was destroyed');
  }

  destroy(): void {
    this.#destroyed = true;
    for (const buffer of this.#made) buffer.destroy();
    for (const { buffers } of this.#tensors.values()) for (const buffer of buffers) buffer.destroy();
    this.#tensors.clear();
  }
}
