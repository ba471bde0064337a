import type { ReadingInput, ReadingMachine, ReadingOutput } from '../../api/reading-task.js';
import type { Plan } from '../../plan/plan.js';
import type { ReaderBackend, RunOptions } from '../../problem/types.js';
import { CpuRunner, floatsOf } from './cpu-runner.js';

/** Runs a plan for a purpose on the CPU. */
export class CpuReader implements ReadingMachine {
  readonly #plan: Plan;
  readonly #runner: CpuRunner;

  constructor(plan: Plan, backend: ReaderBackend) {
    this.#plan = plan;
    this.#runner = new CpuRunner(plan, { ...backend, strategy: 'auto' });
  }

  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#runner.setRecords(records);
  }

  setWord(name: string, value: number): void {
    (this.#runner.buffer(name) as Uint32Array)[0] = value;
  }

  async run({ scores }: ReadingInput, options: RunOptions): Promise<ReadingOutput> {
    await this.#runner.execute({ scores: floatsOf(scores) }, options);
    const read = Object.entries(this.#plan.results).map(([name, from]) => {
      const buffer = this.#runner.buffer(from) as Uint32Array | Float32Array;
      return [name, buffer instanceof Float32Array ? buffer.slice() : Int32Array.from(buffer)];
    });
    return Object.fromEntries(read);
  }

  destroy(): void {
    this.#runner.destroy();
  }
}
