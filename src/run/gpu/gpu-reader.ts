import type { ReadingInput, ReadingMachine, ReadingOutput } from '../../api/reading-task.js';
import type { Plan } from '../../plan/plan.js';
import type { BufferRange } from '../../problem/check.js';
import type { RunOptions } from '../../problem/types.js';
import { inErrorScopes } from './lost.js';
import type { Memory } from './memory.js';
import { type Program, programOf } from './program.js';
import type { DeviceTensors, Scheduler } from './scheduler.js';

const [COPY_SRC, COPY_DST, STORAGE] = [4, 8, 128];

/** Runs a plan for a purpose on a device. */
export class GpuReader implements ReadingMachine {
  readonly slots: Program['slots'];
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #scheduler: Scheduler;

  static async create(device: GPUDevice, plan: Plan): Promise<GpuReader> {
    return new GpuReader(device, plan, await programOf(device, plan));
  }

  private constructor(device: GPUDevice, plan: Plan, { memory, scheduler, slots }: Program) {
    this.slots = slots;
    this.#device = device;
    this.#plan = plan;
    this.#memory = memory;
    this.#scheduler = scheduler;
  }

  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#device.queue.writeBuffer(this.#memory.buffer('targets'), 0, records);
  }

  setWord(name: string, value: number): void {
    this.#device.queue.writeBuffer(this.#memory.buffer(name), 0, Uint32Array.of(value));
  }

  async run(input: ReadingInput, options: RunOptions): Promise<ReadingOutput> {
    return ArrayBuffer.isView(input.scores)
      ? this.#runFromHost(input.scores, options)
      : this.#runOnDevice(input, options);
  }

  async #runFromHost(data: ArrayBufferView, options: RunOptions): Promise<ReadingOutput> {
    const { upload, readWords } = await import('./host.js');
    const scores = await this.#memory.tensor('scores');
    await upload(this.#device, this.#memory, scores, this.#plan.tensors.scores.rowBytes, data, options);
    await this.#scheduler.run({ scores }, options);
    const { results, buffers } = this.#plan;
    const read: Record<string, Int32Array | Float32Array> = {};
    const names = Object.entries(results);
    const all = await readWords(this.#device, ...names.map(([, from]) => this.#memory.buffer(from)));
    for (const [i, [name, from]] of names.entries()) {
      const words = all[i]!;
      read[name] = buffers[from]!.element === 'float' ? new Float32Array(words.buffer) : words;
    }
    options.signal?.throwIfAborted();
    return read;
  }

  async #runOnDevice(input: ReadingInput, options: RunOptions): Promise<ReadingOutput> {
    const made: GPUBuffer[] = [];
    const ranges: Record<string, BufferRange> = { ...input.results };
    try {
      for (const [name, from] of Object.entries(this.#plan.results)) {
        ranges[name] ??= await inErrorScopes(this.#device, name, () => {
          const { size } = this.#memory.buffer(from);
          const usage = STORAGE | COPY_SRC | COPY_DST;
          const label = `ctc:${this.#plan.strategy}:${name}`;
          const buffer = this.#device.createBuffer({ label, size, usage });
          made.push(buffer);
          return { buffer, offset: 0 };
        });
      }
      await this.#scheduler.run(this.#bound(input), options);
      await inErrorScopes(this.#device, 'run', () => {
        const encoder = this.#device.createCommandEncoder({ label: `ctc:${this.#plan.strategy}:results` });
        this.#copyOut(encoder, ranges);
        this.#device.queue.submit([encoder.finish()]);
      });
      return Object.fromEntries(Object.entries(ranges).map(([name, { buffer }]) => [name, buffer]));
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  encode(encoder: GPUCommandEncoder, input: ReadingInput): void {
    this.slots?.encode(encoder);
    this.#scheduler.encode(encoder, this.#bound(input));
    this.#copyOut(encoder, input.results);
  }

  #bound({ scores }: ReadingInput): DeviceTensors {
    if (ArrayBuffer.isView(scores)) return {};
    const { rows } = this.#plan.tensors.scores;
    return { scores: { buffers: [scores.buffer], offset: scores.offset, rowsPerBuffer: rows } };
  }

  #copyOut(encoder: GPUCommandEncoder, ranges: Readonly<Record<string, BufferRange>>) {
    for (const [name, { buffer, offset }] of Object.entries(ranges)) {
      const from = this.#memory.buffer(this.#plan.results[name]!);
      encoder.copyBufferToBuffer(from, 0, buffer, offset, from.size);
    }
  }

  destroy(): void {
    this.#memory.destroy();
  }
}
