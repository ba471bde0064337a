/**
 * The targets of what a task encodes. An encode may be submitted at any time, or never, and nobody tells: so each set of targets
 * lies in a slot of its own, an encode copies its slot to where the kernels look, and the device counts, slot by slot, how
 * many encodes it has executed. A slot that is owed none may be written again.
 */
import { CtcError } from '../../problem/errors.js';
import { inErrorScopes, inErrorScopesNow, whyLost } from './lost.js';
import type { Memory } from './memory.js';
import type { Pipeline } from './pipelines.js';
import { Staging } from './staging.js';

interface Slot {
  readonly buffer: GPUBuffer;
  readonly group: GPUBindGroup;
  /** Encodes that use it, and how many of them are known to have been executed. */
  encoded: number;
  executed: number;
}

/** Slots in use, beyond those that were in use when the device was last asked, at which it is asked again. */
const patience = 4;
/** Free slots that are kept. */
const spare = 4;

const isFree = ({ encoded, executed }: Slot) => encoded === executed;

export class Slots {
  readonly #device: GPUDevice;
  readonly #memory: Memory;
  readonly #counter: Pipeline;
  /** Bytes of the records in a slot; its count is in the word after them. */
  readonly #bytes: number;
  #slots: Slot[] = [];
  #current: Slot;
  #asking = false;
  #held = 0;
  #error: CtcError | undefined;

  /** With room for one set of targets. Where there is none, the memory is freed. */
  static async create(device: GPUDevice, memory: Memory, counter: Pipeline): Promise<Slots> {
    try {
      return await inErrorScopes(device, 'prepare', () => new Slots(device, memory, counter));
    } catch (error) {
      memory.destroy();
      throw error;
    }
  }

  private constructor(device: GPUDevice, memory: Memory, counter: Pipeline) {
    this.#device = device;
    this.#memory = memory;
    this.#counter = counter;
    this.#bytes = memory.buffer('targets').size;
    this.#current = this.#make();
  }

  /** Bytes of all slots there are now. */
  get memory(): number {
    return this.#slots.length * (this.#bytes + 4);
  }

  /** @throws CtcError `device-lost`, or what the device had against a slot some time after it was made. */
  check(): void {
    const error = whyLost(this.#device) ?? this.#error;
    if (error) throw error;
  }

  /** Effective for what is encoded after it. */
  set(records: Uint32Array<ArrayBuffer>): void {
    this.check();
    if (!isFree(this.#current)) {
      const free = this.#slots.find(isFree);
      if (free) this.#current = free;
      else {
        const { result, heard } = inErrorScopesNow(this.#device, 'setTargets', () => this.#make());
        heard.catch((error: CtcError) => {
          this.#error = error;
        });
        this.#current = result;
      }
      if (!this.#asking && this.#owed().length >= this.#held + patience) {
        this.#asking = true;
        // a device that is gone owes nothing more
        const answer = this.#ask().catch(() => {});
        answer.then(() => {
          this.#asking = false;
        });
      }
    }
    this.#device.queue.writeBuffer(this.#current.buffer, 0, records);
  }

  /** Puts the targets that were set last where the kernels look, once this is executed. */
  encode(encoder: GPUCommandEncoder): void {
    const slot = this.#current;
    encoder.copyBufferToBuffer(slot.buffer, 0, this.#memory.buffer('targets'), 0, this.#bytes);
    const pass = encoder.beginComputePass({ label: 'ctc:count:pass' });
    pass.setPipeline(this.#counter.pipeline);
    pass.setBindGroup(0, slot.group);
    pass.dispatchWorkgroups(1);
    pass.end();
    slot.encoded++;
  }

  /**
   * Resolves once all that was encoded is known to have been executed, so that nothing can come between what is submitted now.
   * @throws CtcError `busy` if some of it has not been submitted.
   */
  async settle(): Promise<void> {
    this.check();
    if (this.#owed().length === 0) return;
    await this.#ask();
    const waiting = this.#owed().reduce((sum, { encoded, executed }) => sum + encoded - executed, 0);
    if (waiting > 0) {
      throw new CtcError(
        'busy',
        `${waiting} of the encodes of this task ${waiting === 1 ? 'has' : 'have'} not been submitted, and would use the same memory; submit first, or prepare a second task`,
      );
    }
  }

  #owed(): Slot[] {
    return this.#slots.filter((slot) => !isFree(slot));
  }

  /** Reads the counts as they are once all that is submitted so far is done. */
  async #ask(): Promise<void> {
    const slots = this.#owed();
    const counts = slots.map(({ buffer }) => ({ buffer, offset: this.#bytes, size: 4 }));
    const staging = new Staging(this.#device, 4 * slots.length);
    try {
      await staging.read(counts, ({ buffer, byteOffset }) => {
        const executed = new Uint32Array(buffer, byteOffset, slots.length);
        slots.forEach((slot, i) => {
          slot.executed = executed[i]!;
        });
      });
    } finally {
      staging.destroy();
    }
    const owed = this.#owed();
    this.#held = 2 * owed.length;
    const free = this.#slots.filter((slot) => isFree(slot) && slot !== this.#current).slice(spare);
    for (const { buffer } of free) this.#memory.release(buffer);
    this.#slots = this.#slots.filter((slot) => !free.includes(slot));
  }

  #make(): Slot {
    const buffer = this.#memory.create('targets.slot', this.#bytes + 4);
    const group = this.#device.createBindGroup({
      label: 'ctc:count:group',
      layout: this.#counter.layout,
      entries: [{ binding: 0, resource: { buffer, offset: this.#bytes, size: 4 } }],
    });
    this.#device.queue.writeBuffer(buffer, this.#bytes, new Uint32Array(1));
    const slot = { buffer, group, encoded: 0, executed: 0 };
    this.#slots.push(slot);
    return slot;
  }
}
