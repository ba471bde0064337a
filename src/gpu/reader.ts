import type { Plan } from '../plan.js';
import type { ReadingInput, ReadingMachine, ReadingOutput } from '../reading-task.js';
import type { RunOptions } from '../types.js';
import { inErrorScopes } from './lost.js';
import type { Memory } from './memory.js';
import { programOf } from './program.js';
import type { DeviceTensors, Scheduler } from './scheduler.js';

const [COPY_SRC, COPY_DST, STORAGE] = [4, 8, 128];
const results = ['labels', 'labelScores'] as const;

/** Runs a plan that labels frames on a device. */
export class GpuReader implements ReadingMachine {
  readonly #device: GPUDevice;
  readonly #plan: Plan;
  readonly #memory: Memory;
  readonly #scheduler: Scheduler;

  static async create(device: GPUDevice, plan: Plan): Promise<GpuReader> {
    const { memory, scheduler } = await programOf(device, plan);
    return new GpuReader(device, plan, memory, scheduler);
  }

  private constructor(device: GPUDevice, plan: Plan, memory: Memory, scheduler: Scheduler) {
    this.#device = device;
    this.#plan = plan;
    this.#memory = memory;
    this.#scheduler = scheduler;
  }

  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#device.queue.writeBuffer(this.#memory.buffer('targets'), 0, records);
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
    const labels = await readWords(this.#device, this.#memory.buffer('labels'));
    const labelScores = await readWords(this.#device, this.#memory.buffer('labelScores'));
    options.signal?.throwIfAborted();
    return { labels, labelScores: new Float32Array(labelScores.buffer) };
  }

  async #runOnDevice(input: ReadingInput, options: RunOptions): Promise<ReadingOutput> {
    const made: GPUBuffer[] = [];
    const output = (name: (typeof results)[number]) =>
      inErrorScopes(this.#device, name, () => {
        const { size } = this.#memory.buffer(name);
        const usage = STORAGE | COPY_SRC | COPY_DST;
        const buffer = this.#device.createBuffer({
          label: `ctc:${this.#plan.strategy}:${name}`,
          size,
          usage,
        });
        made.push(buffer);
        return { buffer, offset: 0 };
      });
    try {
      const labels = input.labels ?? (await output('labels'));
      const labelScores = input.labelScores ?? (await output('labelScores'));
      await this.#scheduler.run(this.#bound(input), options);
      await inErrorScopes(this.#device, 'run', () => {
        const encoder = this.#device.createCommandEncoder({ label: `ctc:${this.#plan.strategy}:results` });
        this.#copyOut(encoder, { ...input, labels, labelScores });
        this.#device.queue.submit([encoder.finish()]);
      });
      return { labels: labels.buffer, labelScores: labelScores.buffer };
    } catch (error) {
      for (const buffer of made) buffer.destroy();
      throw error;
    }
  }

  encode(encoder: GPUCommandEncoder, input: ReadingInput): void {
    this.#scheduler.encode(encoder, this.#bound(input));
    this.#copyOut(encoder, input);
  }

  #bound({ scores }: ReadingInput): DeviceTensors {
    if (ArrayBuffer.isView(scores)) return {};
    const { rows } = this.#plan.tensors.scores;
    return { scores: { buffers: [scores.buffer], offset: scores.offset, rowsPerBuffer: rows } };
  }

  #copyOut(encoder: GPUCommandEncoder, input: ReadingInput) {
    for (const name of results) {
      const to = input[name];
      const from = this.#memory.buffer(name);
      if (to) encoder.copyBufferToBuffer(from, 0, to.buffer, to.offset, from.size);
    }
  }

  destroy(): void {
    this.#memory.destroy();
  }
}
