import type { Plan } from '../plan.js';
import type { ReadingInput, ReadingMachine, ReadingOutput } from '../reading-task.js';
import type { ReaderBackend, RunOptions } from '../types.js';
import { CpuRunner, floatsOf } from './runner.js';

/** Runs a plan that labels frames on the CPU. */
export class CpuReader implements ReadingMachine {
  readonly #runner: CpuRunner;

  constructor(plan: Plan, backend: ReaderBackend) {
    this.#runner = new CpuRunner(plan, { ...backend, strategy: 'auto' });
  }

  setRecords(records: Uint32Array<ArrayBuffer>): void {
    this.#runner.setRecords(records);
  }

  async run({ scores }: ReadingInput, options: RunOptions): Promise<ReadingOutput> {
    await this.#runner.execute({ scores: floatsOf(scores) }, options);
    const labels = this.#runner.buffer('labels') as Uint32Array;
    return {
      labels: Int32Array.from(labels),
      labelScores: (this.#runner.buffer('labelScores') as Float32Array).slice(),
    };
  }

  destroy(): void {
    this.#runner.destroy();
  }
}
