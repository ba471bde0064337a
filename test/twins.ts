/** A plan run on the device and on the CPU's twins, and what each left in its buffers: the same numbers by the same names. */

import { type Tuning, tuningFor } from '../src/auto.js';
import { type CpuBuffer, FRAME, TOTAL } from '../src/cpu/buffers.js';
import { type Extended, ln } from '../src/cpu/extended.js';
import { CpuRunner } from '../src/cpu/runner.js';
import { Memory } from '../src/gpu/memory.js';
import { pipelineFor } from '../src/gpu/pipelines.js';
import { Scheduler } from '../src/gpu/scheduler.js';
import type { KernelName } from '../src/kernels/kernels.js';
import {
  type Dispatch,
  elementBytes,
  type Limits,
  type LossStrategy,
  type Plan,
  type ProblemShape,
} from '../src/plan.js';
import type { Problem } from '../src/problem.js';
import { planStep } from '../src/step.js';
import { planSweeps } from '../src/sweeps.js';
import { packRecords } from '../src/targets.js';
import { poison, type TestDevice } from './device.js';
import type { Batch } from './reference.js';

/** What every device gives. */
export const ordinary: Limits = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupsPerDimension: 65535,
};

export function planFor(task: ProblemShape, limits: Limits, tuning: Tuning, strategy: LossStrategy): Plan {
  return strategy === 'step' ? planStep(task, limits, tuning) : planSweeps(task, limits, tuning, strategy);
}

export interface Way {
  readonly strategy?: LossStrategy;
  readonly scores: 'logits' | 'logProbs';
  readonly keep?: ProblemShape['keep'];
  readonly tuning?: Partial<Tuning>;
}

export function planOf(batch: Batch, { strategy = 'step', scores, keep = [], tuning = {} }: Way): Plan {
  const { frames, sequences, classes, blank, targets } = batch;
  const maxTargetLength = Math.max(...targets.map((row) => row.length));
  const shape = { frames, sequences, classes, blank, maxTargetLength, scores, keep } as const;
  const rest = { layout: 'TNC', dtype: 'float32', reduction: 'mean', zeroInfinity: false } as const;
  const sizes = { ...tuningFor({ software: false }), workgroupSize: 8, stepsPerDispatch: 5, ...tuning };
  return planFor({ ...shape, ...rest, gradient: 'logits' }, ordinary, sizes, strategy);
}

/** A plan up to and with the last command of a kernel. */
export function until(plan: Plan, kernel: KernelName): Plan {
  const last = plan.commands.findLastIndex((c) => c.type === 'dispatch' && c.kernel === kernel);
  return { ...plan, commands: plan.commands.slice(0, last + 1) };
}

export interface Left {
  /** Element i of a tensor or of a buffer of single numbers. */
  word(name: string, i: number): number;
  /** ln of the i-th extended number. */
  extended(name: string, i: number): number;
  /** Its mantissa, where that is the whole number. */
  mantissa(name: string, i: number): number;
  /** Unit, normaliser, ln of it, invalid. */
  frame(i: number): number[];
  /** Scale, status, loss, weight, and ln Z. */
  total(i: number): number[];
  scale(name: string, i: number): number;
  // Of a row of a sweep's pairs, the blanks (0) or the labels (1).
  state(row: number, pair: number, label: number): number;
  posterior(row: number, pair: number, label: number): number;
  /** Where sweep.wgsl leaves shares and spread.wgsl posteriors: the first or the second number of a pair. */
  lattice(row: number, k: number, pair: number, second: number): number;
  /** Sum of the blanks of a band of pairs, as spread.wgsl leaves it. */
  blanks(row: number, k: number, band: readonly number[]): number;
}

/** Runs a plan on buffers full of poison. */
export async function onDevice({ device, read }: TestDevice, plan: Plan, batch: Batch): Promise<Left> {
  const pipelines = await Promise.all(
    plan.commands.map((c) => c.type === 'dispatch' && pipelineFor(device, c.kernel, c.constants)),
  );
  const memory = await Memory.create(device, plan);
  const names = Object.keys(plan.buffers);
  const scores = await memory.tensor('scores');
  const grad = await memory.tensor('grad');
  for (const buffer of [...names.map((name) => memory.buffer(name)), ...grad.buffers])
    device.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(poison));
  device.queue.writeBuffer(memory.buffer('targets'), 0, recordsOf(plan, batch));
  const ones = new Float32Array(plan.buffers.gradOutput!.count).fill(1);
  device.queue.writeBuffer(memory.buffer('gradOutput'), 0, ones);
  device.queue.writeBuffer(scores.buffers[0]!, 0, batch[plan.task.scores]);
  const own = (name: string) => ({ buffers: [memory.buffer(name)], offset: 0, rowsPerBuffer: 1 });
  const tensors = { scores, grad, losses: own('losses'), gradOutput: own('gradOutput') };
  await new Scheduler(device, plan, memory, pipelines).run(tensors, {});

  const floats = new Map([['grad', await read(grad.buffers[0]!)]]);
  for (const name of names) floats.set(name, await read(memory.buffer(name)));
  memory.destroy();
  const integers = new Map([...floats].map(([name, { buffer }]) => [name, new Int32Array(buffer)]));
  const float = (name: string, i: number) => floats.get(name)![i]!;
  const integer = (name: string, i: number) => integers.get(name)![i]!;
  const lnOf = (name: string, m: number, e: number) => Math.log(float(name, m)) + integer(name, e) * Math.LN2;
  const reduced = (name: string, i: number) => integer(name, i) * Math.LN2 + float(name, i + 1);
  const { pairs, alphaRows } = layoutOf(plan);
  const four = (pair: number) => pair - (pair % 4);
  const lattice: Left['lattice'] = (row, k, pair, second) =>
    float('lattice', (2 * (row * alphaRows + k) + second) * pairs + pair);
  return {
    word: float,
    extended: (name, i) => lnOf(name, 2 * i, 2 * i + 1),
    mantissa: (name, i) => float(name, 2 * i),
    frame(i) {
      const end = (elementBytes.frame / 4) * (i + 1);
      const unit = reduced('frames', end - elementBytes.frame / 4);
      return [unit, float('frames', end - 3), float('frames', end - 2), integer('frames', end - 1)];
    },
    total(i) {
      const at = (elementBytes.total / 4) * i;
      const word = (j: number) => integer('totals', at + j);
      const near = (word(3) * 2 ** 32 + (word(4) >>> 0)) / 2 ** 30;
      const scale = word(2) * Math.LN2 + near + 2 ** 20 * float('totals', at + 5);
      return [scale, word(6), float('totals', at + 7), float('totals', at + 8), lnOf('totals', at, at + 1)];
    },
    scale: (name, i) => reduced(name, 3 * i) + 2 ** 20 * float(name, 3 * i + 2),
    state(row, pair, label) {
      const at = 4 * (row * pairs + four(pair) + 2 * label) + (pair % 4);
      return lnOf('states', at, at + 4);
    },
    posterior: (row, pair, label) =>
      float('posteriors', 2 * (row * pairs + four(pair)) + 4 * label + (pair % 4)),
    lattice,
    // by fours
    blanks: (row, k, band) =>
      [...new Set(band.map(four))].reduce((sum, pair) => sum + lattice(row, k, pair, 1), 0),
  };
}

/** Runs a plan on buffers full of NaN. */
export async function onCpu(plan: Plan, batch: Batch): Promise<Left> {
  const runner = new CpuRunner(plan, {
    device: 'cpu',
    adapter: '',
    strategy: plan.strategy as LossStrategy,
    reason: '',
  });
  for (const name of Object.keys(plan.buffers)) {
    const buffer: CpuBuffer = runner.buffer(name);
    if (!('m' in buffer)) buffer.fill(Number.NaN);
    else {
      buffer.m.fill(Number.NaN);
      buffer.e.fill(poison);
    }
  }
  runner.setRecords(recordsOf(plan, batch));
  const { losses, grad } = await runner.run({ scores: batch[plan.task.scores] }, {});
  const results: Record<string, ArrayLike<number>> = { losses, grad: grad! };
  const word = (name: string, i: number) => (results[name] ?? (runner.buffer(name) as Float64Array))[i]!;
  const extended = (name: string, i: number) => {
    const { m, e } = runner.buffer(name) as Extended;
    return ln(m[i]!, e[i]!);
  };
  const fields = (name: string, start: number, ...places: number[]) =>
    places.map((place) => word(name, start + place));
  const { pairs, alphaRows } = layoutOf(plan);
  const lattice: Left['lattice'] = (row, k, pair, second) =>
    word('lattice', (2 * (row * alphaRows + k) + second) * pairs + pair);
  return {
    word,
    extended,
    mantissa: (name, i) => (runner.buffer(name) as Extended).m[i]!,
    frame: (i) =>
      fields('frames', i * FRAME.words, FRAME.unit, FRAME.normaliser, FRAME.lnNormaliser, FRAME.invalid),
    total(i) {
      const [m, e, ...rest] = fields(
        'totals',
        i * TOTAL.words,
        ...[TOTAL.zm, TOTAL.ze, TOTAL.scale, TOTAL.status, TOTAL.loss, TOTAL.weight],
      );
      return [...rest, ln(m!, e!)];
    },
    scale: word,
    state: (row, pair, label) => extended('states', (2 * row + label) * pairs + pair),
    posterior: (row, pair, label) => word('posteriors', (2 * row + label) * pairs + pair),
    lattice,
    // the first pair has those to its right too
    blanks: (row, k, band) => lattice(row, k, band[0]!, 1),
  };
}

/** How the rows of a plan lie in its buffers: a slice that holds them all. */
export function layoutOf({ commands, problems }: Plan): Problem {
  const rows = commands.find(
    (command) => command.type === 'dispatch' && command.kernel === 'rows',
  ) as Dispatch;
  return problems[rows.problem]!;
}

export function recordsOf({ task }: Plan, { targets, inputLengths }: Batch): Uint32Array<ArrayBuffer> {
  const labels = targets.map((row) => Uint32Array.from(row));
  return packRecords({ inputLengths, labels }, task.blank, task.maxTargetLength, task.classes);
}
