/** A plan done command by command on the device and on the CPU's twins: after each, the same numbers by the same names. */

import { type Command, elementBytes, type Limits, type Plan, type ProblemShape } from '../src/plan/plan.js';
import { planStep } from '../src/plan/step-plan.js';
import type { LossStrategy } from '../src/plan/strategies.js';
import { planSweeps } from '../src/plan/sweeps-plan.js';
import { type Tuning, tuningFor } from '../src/plan/tuning.js';
import type { ScoresKey } from '../src/problem/check.js';
import { packRecords } from '../src/problem/targets.js';
import { type CpuBuffer, FRAME, TOTAL } from '../src/run/cpu/buffers.js';
import { costOf as distanceOf } from '../src/run/cpu/cost.js';
import { CpuRunner } from '../src/run/cpu/cpu-runner.js';
import { type Extended, ln } from '../src/run/cpu/extended.js';
import * as searchTwins from '../src/run/cpu/search/twins.js';
import { Memory } from '../src/run/gpu/memory.js';
import { pipelineFor } from '../src/run/gpu/pipelines.js';
import { Scheduler } from '../src/run/gpu/scheduler.js';
import { swapAxes } from './compute.js';
import { poison, type TestDevice } from './device.js';
import { knowledgeOf } from './operations.js';
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
  readonly task?: Partial<ProblemShape>;
  readonly tuning?: Partial<Tuning>;
  readonly limits?: Partial<Limits>;
}

export type Planner = (task: ProblemShape, limits: Limits, tuning: Tuning) => Plan;

export function planOf(batch: Batch, planner: Planner, way: Way & { scores: ScoresKey }): Plan {
  const { frames, sequences, classes, blank, targets } = batch;
  const maxTargetLength = Math.max(...targets.map((row) => row.length));
  const shape = { frames, sequences, classes, blank, maxTargetLength, scores: way.scores, keep: [] } as const;
  const rest = { layout: 'TNC', dtype: 'float32', reduction: 'mean', zeroInfinity: false } as const;
  const sizes = { ...tuningFor({ software: false }), workgroupSize: 8, stepsPerDispatch: 5, ...way.tuning };
  const task = { ...shape, ...rest, gradient: 'logits', ...way.task } as const;
  return planner(task, { ...ordinary, ...way.limits }, sizes);
}

/** What a machine's buffers hold after a command; besides the plan's there are `grad` and `losses`. */
export interface Left {
  /** All of a buffer as words, in parts, each of the same elements. */
  raw(name: string): readonly Uint32Array[];
  integer(name: string, i: number): number;
  float(name: string, i: number): number;
  /** ln of the i-th extended number. */
  extended(name: string, i: number): number;
  /** Its mantissa, where that is the whole number. */
  mantissa(name: string, i: number): number;
  /** A sum of integers, in units of 2^−30. */
  fixed(name: string, i: number): number;
  /** Of the best path: an emission or an edge. */
  cost(name: string, i: number): number;
  /** Unit, normaliser, ln of it, invalid, and the score of the unit. */
  frame(i: number, name?: string): number[];
  /** Scale, status, loss, weight, and ln Z. */
  total(i: number): number[];
  scale(name: string, i: number): number;
  // Of a row of pairs, the blanks (0) or the labels (1).
  state(row: number, pair: number, label: number): number;
  stateCost(row: number, pair: number, label: number): number;
  posterior(row: number, pair: number, label: number): number;
  /** Where sweep.wgsl leaves shares and spread.wgsl posteriors: the first or the second number of a pair. */
  lattice(row: number, pair: number, second: number): number;
  /** Sum of the blanks of pairs in succession, as spread.wgsl leaves it. */
  blanks(row: number, pairs: readonly number[]): number;
}

const four = (pair: number) => pair - (pair % 4);

function scoresOf({ task }: Plan, batch: Batch): Float32Array<ArrayBuffer> {
  const data = batch[task.scores];
  return task.layout === 'NTC' ? swapAxes(data, batch.frames, batch.sequences) : data;
}

/** Of probabilities the twins take the logarithms. */
const asTwinsTake = (data: Float32Array<ArrayBuffer>, { task }: Plan) =>
  task.scores === 'probs' ? Float64Array.from(data, Math.log) : data;

/** Of a plan whose sequences share recordings the batch as if each had its own: a recording's target and those after it. */
export function forEachCandidate({ task: { candidates = 1 } }: Plan, batch: Batch): Batch {
  const { frames, sequences, classes, targets, inputLengths } = batch;
  const each = <T>(of: (n: number, k: number) => T) =>
    targets.flatMap((_, n) => Array.from({ length: candidates }, (_, k) => of(n, k)));
  const repeated = (scores: Float32Array) => {
    const rows = Array.from({ length: frames }, (_, t) =>
      each((n) => [...scores.subarray((t * sequences + n) * classes, (t * sequences + n + 1) * classes)]),
    );
    return Float32Array.from(rows.flat(2));
  };
  if (candidates === 1) return batch;
  return {
    ...batch,
    sequences: sequences * candidates,
    targets: each((n, k) => targets[(n + k) % sequences]!),
    inputLengths: each((n) => inputLengths[n]!),
    logits: repeated(batch.logits),
    logProbs: repeated(batch.logProbs),
    probs: repeated(batch.probs),
  };
}

export function recordsOf(plan: Plan, batch: Batch): Uint32Array<ArrayBuffer> {
  const { targets, inputLengths } = forEachCandidate(plan, batch);
  const labels = targets.map((row) => Uint32Array.from(row));
  return packRecords({ inputLengths, labels }, plan.task);
}

/** What is left by each command of a plan on buffers full of poison: first before any, then after each. */
export async function onDevice(
  { device, read }: TestDevice,
  plan: Plan,
  batch: Batch,
  seed = 0,
): Promise<Left[]> {
  const pipelines = await Promise.all(
    plan.commands.map((c) => c.type === 'dispatch' && pipelineFor(device, c.kernel, c.constants)),
  );
  const memory = await Memory.create(device, plan);
  const scores = await memory.tensor(plan.task.scores);
  const grad = plan.outputs.grad ? await memory.tensor('grad') : undefined;
  const names = Object.keys(plan.buffers);
  const own = (name: string) => ({ buffers: [memory.buffer(name)], offset: 0, rowsPerBuffer: 1 });
  const tensors = {
    ...{ [plan.task.scores]: scores, gradOutput: own('gradOutput') },
    ...Object.fromEntries(ownWindows(plan).map(([name, buffer]) => [name, own(buffer)])),
    ...(grad && { grad }),
  };
  for (const buffer of [...names.map((name) => memory.buffer(name)), ...(grad?.buffers ?? [])])
    device.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(poison));
  const write = (name: string, data: Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>) => {
    if (plan.buffers[name]) device.queue.writeBuffer(memory.buffer(name), 0, data);
  };
  write('targets', recordsOf(plan, batch));
  write('gradOutput', new Float32Array(plan.buffers.gradOutput?.count ?? 0).fill(1));
  write('seed', Uint32Array.of(seed));
  write('knowledge', knowledgeOf(batch.classes));
  const data = scoresOf(plan, batch);
  const perBuffer = scores.rowsPerBuffer * batch.classes;
  scores.buffers.forEach((buffer, i) => {
    device.queue.writeBuffer(buffer, 0, data.subarray(i * perBuffer, (i + 1) * perBuffer));
  });

  const places = new Map<string, { start: number; size: number }>();
  let size = 0;
  const copies: [GPUBuffer, number][] = [];
  for (const [name, buffers] of [
    ...names.map((name) => [name, own(name).buffers] as const),
    ['grad', grad?.buffers ?? []] as const,
  ]) {
    const start = size;
    for (const buffer of buffers) {
      copies.push([buffer, size]);
      size += buffer.size;
    }
    places.set(name, { start, size: size - start });
  }
  const all = device.createBuffer({ size: size * (plan.commands.length + 1), usage: 0x8 | 0x4 });
  const encoder = device.createCommandEncoder();
  for (const i of [-1, ...plan.commands.keys()]) {
    const commands = plan.commands.slice(i, i + 1);
    if (i >= 0)
      new Scheduler(device, { ...plan, commands }, memory, [pipelines[i]!]).encode(encoder, tensors);
    for (const [buffer, to] of copies)
      encoder.copyBufferToBuffer(buffer, 0, all, size * (i + 1) + to, buffer.size);
  }
  device.queue.submit([encoder.finish()]);
  const { buffer } = await read(all);
  all.destroy();
  memory.destroy();
  return [-1, ...plan.commands.keys()].map((i) =>
    leftOnDevice(plan, buffer as ArrayBuffer, size * (i + 1), places),
  );
}

/** The outputs that lie in a buffer of the plan where a caller has none, and that buffer. */
const ownWindows = ({ outputs }: Plan) =>
  Object.entries(outputs).flatMap(([name, { access, buffer }]) =>
    access === 'window' && buffer ? [[name, buffer] as const] : [],
  );

function leftOnDevice(
  plan: Plan,
  all: ArrayBuffer,
  from: number,
  places: ReadonlyMap<string, { start: number; size: number }>,
): Left {
  const { pairs } = plan.problems[0]!;
  const view = <A>(List: new (buffer: ArrayBuffer, start: number, length: number) => A) =>
    new Map([...places].map(([name, { start, size }]) => [name, new List(all, from + start, size / 4)]));
  const [words, integers, floats] = [view(Uint32Array), view(Int32Array), view(Float32Array)];
  const word = (name: string, i: number) => words.get(name)![i]!;
  const integer = (name: string, i: number) => integers.get(name)![i]!;
  const float = (name: string, i: number) => floats.get(name)![i]!;
  const lnOf = (name: string, m: number, e: number) => Math.log(float(name, m)) + integer(name, e) * Math.LN2;
  const reduced = (name: string, i: number) => integer(name, i) * Math.LN2 + float(name, i + 1);
  /** An emission that is far is made of its score, and of that of its frame in the last slot. */
  const emissionOf = (name: string, i: number) => {
    if (name !== 'costs' || word(name, 2 * i + 1) !== 2 ** 29) return costOf(name, 2 * i, 2 * i + 1);
    const slots = plan.problems[0]!.distinct + 2;
    const last = i - (i % slots) + slots - 1;
    return distanceOf(float(name, 2 * i), float(name, 2 * last));
  };
  /** Far costs are doubles whose bits start at those of 2^53: src/run/cpu/cost.ts. */
  const costOf = (name: string, low: number, high: number) => {
    const top = word(name, high);
    if (top >= 2 ** 30) return Number.POSITIVE_INFINITY;
    if (top < 2 ** 21) return top * 2 ** 32 + word(name, low);
    const bits = 0x4340000000000000n + (BigInt(top - 2 ** 21) << 32n) + BigInt(word(name, low));
    return new Float64Array(BigUint64Array.of(bits).buffer)[0]!;
  };
  const lattice: Left['lattice'] = (row, pair, second) => float('lattice', (2 * row + second) * pairs + pair);
  return {
    raw: (name) => [words.get(name)!],
    integer: word,
    float,
    extended: (name, i) => lnOf(name, 2 * i, 2 * i + 1),
    mantissa: (name, i) => float(name, 2 * i),
    fixed: (name, i) => (integer(name, 2 * i) * 2 ** 32 + word(name, 2 * i + 1)) / 2 ** 30,
    cost: emissionOf,
    frame(i, name = 'frames') {
      const at = (elementBytes.frame / 4) * i;
      const [largest, normaliser, lnNormaliser] = [2, 3, 4].map((j) => float(name, at + j));
      return [reduced(name, at), normaliser!, lnNormaliser!, word(name, at + 5), largest!];
    },
    total(i) {
      const at = (elementBytes.total / 4) * i;
      const field = (j: number) => integer('totals', at + j);
      const near = (field(3) * 2 ** 32 + (field(4) >>> 0)) / 2 ** 30;
      const scale = field(2) * Math.LN2 + near + 2 ** 20 * float('totals', at + 5);
      return [scale, field(6), float('totals', at + 7), float('totals', at + 8), lnOf('totals', at, at + 1)];
    },
    scale: (name, i) => reduced(name, 3 * i) + 2 ** 20 * float(name, 3 * i + 2),
    state(row, pair, label) {
      const at = 4 * (row * pairs + four(pair) + 2 * label) + (pair % 4);
      return lnOf('states', at, at + 4);
    },
    stateCost(row, pair, label) {
      const at = 4 * (row * pairs + four(pair) + 2 * label) + (pair % 4);
      return costOf('stateCosts', at, at + 4);
    },
    posterior: (row, pair, label) =>
      float('posteriors', 2 * (row * pairs + four(pair)) + 4 * label + (pair % 4)),
    lattice,
    // by fours
    blanks: (row, band) => [...new Set(band.map(four))].reduce((sum, pair) => sum + lattice(row, pair, 1), 0),
  };
}

/**
 * The same on the twins. `moved`: by how much the probabilities that a path is drawn by are moved, without a trace in the
 * buffers: paths that come out the same were drawn by random numbers at least that far from where they would have gone another way.
 */
export async function onCpu(plan: Plan, batch: Batch, seed = 0, moved = 0): Promise<Left[]> {
  const commands: Command[] = [];
  const runner = new CpuRunner({ ...plan, commands }, '', searchTwins);
  for (const name of Object.keys(plan.buffers)) {
    const buffer = runner.buffer(name);
    if ('m' in buffer) {
      buffer.m.fill(Number.NaN);
      buffer.e.fill(poison);
    } else buffer.fill(buffer instanceof Uint32Array ? poison : Number.NaN);
  }
  runner.setRecords(recordsOf(plan, batch));
  if (plan.buffers.knowledge) runner.fill('knowledge', knowledgeOf(batch.classes));
  if (plan.buffers.seed) (runner.buffer('seed') as Uint32Array).fill(seed);
  const { grad } = plan.outputs;
  const windows = ownWindows(plan).map(([name, buffer]) => {
    const { rowBytes, element } = plan.outputs[name]!;
    const data =
      element === 'word'
        ? new Uint32Array(rowBytes / 4).fill(poison)
        : new Float64Array(rowBytes / 4).fill(Number.NaN);
    return { name, buffer, data };
  });
  const gradients = new Float32Array(((grad?.rows ?? 0) * (grad?.rowBytes ?? 0)) / 4).fill(Number.NaN);
  const callers = {
    ...{ [plan.task.scores]: asTwinsTake(scoresOf(plan, batch), plan), grad: gradients },
    ...Object.fromEntries(windows.map(({ name, data }) => [name, data])),
    gradOutput: new Float64Array((plan.inputs.gradOutput?.rowBytes ?? 0) / 4).fill(1),
  };
  const left = () => {
    const names = Object.keys(plan.buffers).filter((name) => windows.every(({ buffer }) => name !== buffer));
    const buffers = new Map<string, CpuBuffer>(names.map((name) => [name, copyOf(runner.buffer(name))]));
    buffers.set('grad', gradients.slice());
    for (const { buffer, data } of windows) buffers.set(buffer, data.slice());
    return leftOnCpu(plan, buffers);
  };
  const lefts = [left()];
  for (const command of plan.commands) {
    commands.splice(0, commands.length, command);
    const drawnBy = { draw: 'posteriors', sample: 'lattice' }[
      command.type === 'dispatch' ? (command.kernel as string) : ''
    ];
    const shares = drawnBy ? (runner.buffer(drawnBy) as Float64Array) : undefined;
    const own = shares?.slice();
    shares?.set(shares.map((share) => (share > 0 ? share + moved : share)));
    await runner.execute(callers, {});
    if (own) shares!.set(own);
    lefts.push(left());
  }
  return lefts;
}

function copyOf(buffer: CpuBuffer): CpuBuffer {
  return 'm' in buffer ? { m: buffer.m.slice(), e: buffer.e.slice() } : buffer.slice();
}

function leftOnCpu(plan: Plan, buffers: ReadonlyMap<string, CpuBuffer>): Left {
  const { pairs } = plan.problems[0]!;
  const number = (name: string, i: number) => (buffers.get(name) as Float64Array)[i]!;
  const extended = (name: string, i: number) => {
    const { m, e } = buffers.get(name) as Extended;
    return ln(m[i]!, e[i]!);
  };
  const fields = (name: string, start: number, ...places: number[]) =>
    places.map((place) => number(name, start + place));
  const words = ({
    buffer,
    byteOffset,
    byteLength,
  }: Float64Array | Float32Array | Uint32Array | Int32Array) =>
    new Uint32Array(buffer, byteOffset, byteLength / 4);
  const lattice: Left['lattice'] = (row, pair, second) =>
    number('lattice', (2 * row + second) * pairs + pair);
  return {
    raw(name) {
      const buffer = buffers.get(name)!;
      return 'm' in buffer ? [words(buffer.m), words(buffer.e)] : [words(buffer)];
    },
    integer: number,
    float: number,
    extended,
    mantissa: (name, i) => (buffers.get(name) as Extended).m[i]!,
    fixed: (name, i) => number(name, i) / 2 ** 30,
    cost: number,
    frame(i, name = 'frames') {
      const { unit, normaliser, lnNormaliser, invalid } = FRAME;
      return fields(name, i * FRAME.words, unit, normaliser, lnNormaliser, invalid, unit);
    },
    total(i) {
      const { zm, ze, scale, status, loss, weight } = TOTAL;
      const [m, e, ...rest] = fields('totals', i * TOTAL.words, zm, ze, scale, status, loss, weight);
      return [...rest, ln(m!, e!)];
    },
    scale: number,
    state: (row, pair, label) => extended('states', (2 * row + label) * pairs + pair),
    stateCost: (row, pair, label) => number('stateCosts', (2 * row + label) * pairs + pair),
    posterior: (row, pair, label) => number('posteriors', (2 * row + label) * pairs + pair),
    lattice,
    // the first pair has those to its right too
    blanks: (row, band) => lattice(row, band[0]!, 1),
  };
}
