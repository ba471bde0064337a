import { expect } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
import type { Strategy } from '../src/api/contracts.js';
import { type Forced, forced } from '../src/api/forced.js';
import { tuningFor } from '../src/plan/tuning.js';
import type { Gradient, Kept, Reduction } from '../src/problem/types.js';
import { adapterOf } from '../src/run/device.js';
import { expectGradient, expectLosses } from './bars.js';
import type { Batch, Reference } from './reference.js';

export const devices = ['gpu', 'cpu'] as const;
export { strategyNames as strategies } from '../src/plan/strategies.js';

/** Ways through each strategy: as the device would have it, and with blocks so small that few labels fill several. */
export const ways: Readonly<Record<string, How>> = {
  'gpu, step': { device: 'gpu', strategy: 'step' },
  'gpu, fused': { device: 'gpu', strategy: 'fused' },
  'gpu, fused in blocks of 4': { device: 'gpu', strategy: 'fused', tuning: { lanes: 1, subgroups: false } },
  'gpu, tiled in blocks of 8': {
    device: 'gpu',
    strategy: 'tiled',
    tuning: { lanes: 2, subgroups: false, elementsPerDispatch: 64 },
  },
  'cpu, step': { device: 'cpu', strategy: 'step' },
  'cpu, fused': { device: 'cpu', strategy: 'fused' },
  'cpu, tiled in blocks of 4': {
    device: 'cpu',
    strategy: 'tiled',
    tuning: { lanes: 1, elementsPerDispatch: 64 },
  },
};

export interface How extends Forced {
  readonly device?: 'gpu' | 'cpu' | GPUDevice;
  readonly strategy?: Strategy;
  readonly scores?: 'logits' | 'logProbs';
  readonly gradient?: Gradient;
  readonly reduction?: Reduction;
  readonly layout?: 'TNC' | 'NTC';
  readonly zeroInfinity?: boolean;
  readonly keep?: readonly Kept[];
  /** More than the longest target by so many. */
  readonly moreLabels?: number;
  readonly gradOutput?: readonly number[];
  /** float16 bits in place of the batch's own scores. */
  readonly halves?: Uint16Array;
}

/** How much more than lanes of a software adapter a row of a way's blocks needs, for tests that leave room for a few rows. */
export function wider({ device, tuning }: How): number {
  const { lanes } = { ...tuningFor(adapterOf(typeof device === 'object' ? device : undefined)), ...tuning };
  return Math.max(1, lanes / 8);
}

/** Losses (one for a reduction) and gradient in TNC order, whatever the layout of the run was. */
export interface Computed {
  readonly loss: Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;
  readonly grad: Float32Array<ArrayBuffer>;
  readonly kept: Partial<Record<Kept, Float64Array>>;
}

/** [A, B, C] → [B, A, C]. */
export function swapAxes<D extends Float32Array<ArrayBuffer> | Uint16Array>(
  data: D,
  a: number,
  b: number,
): D {
  const swapped = data.slice() as D;
  const width = data.length / (a * b);
  for (let i = 0; i < a; i++) {
    for (let j = 0; j < b; j++)
      swapped.set(data.subarray((i * b + j) * width, (i * b + j + 1) * width), (j * a + i) * width);
  }
  return swapped;
}

/** Names what a test needs of a prepared task, whatever its options are. */
export interface AnyTask {
  readonly memory: number;
  setTargets(targets: unknown, lengths?: unknown): void;
  run(input: object): Promise<{ loss: unknown; grad: unknown }>;
  encode(encoder: GPUCommandEncoder, input: object): void;
  read(kept: Kept): Promise<Float64Array>;
  destroy(): void;
}

export async function prepare(batch: Batch, how: How = {}): Promise<{ ctc: CtcLoss; task: AnyTask }> {
  const { device = 'gpu', scores = 'logProbs', layout = 'TNC', keep = [] } = how;
  const { gradient = 'logits', reduction = 'none', zeroInfinity = false, strategy = 'auto' } = how;
  const { moreLabels = 0 } = how;
  const { blank } = batch;
  const ctc = await CtcLoss.create({ device, strategy, blank, gradient, reduction, zeroInfinity });
  forced.set(ctc as CtcLoss, how);
  const { frames: T, sequences: N, classes: C } = batch;
  const task = await ctc.prepare({
    [scores]: layout === 'TNC' ? [T, N, C] : [N, T, C],
    layout,
    dtype: how.halves ? 'float16' : 'float32',
    maxTargetLength: moreLabels + batch.targets.reduce((most, row) => Math.max(most, row.length), 0),
    keep,
  } as never);
  return { ctc: ctc as CtcLoss, task: task as unknown as AnyTask };
}

/** One run of a prepared task. */
export async function runTask(task: AnyTask, batch: Batch, how: How = {}): Promise<Computed> {
  const { scores = 'logProbs', layout = 'TNC', keep = [], gradOutput, halves } = how;
  const { frames, sequences, targets, inputLengths } = batch;
  const data = halves ?? batch[scores];
  task.setTargets(targets, { inputLengths, targetLengths: targets.map((row) => row.length) });
  const { loss, grad = new Float32Array() } = (await task.run({
    [scores]: layout === 'TNC' ? data : swapAxes(data, frames, sequences),
    ...(gradOutput && { gradOutput }),
  })) as { loss: number | Float32Array<ArrayBuffer>; grad?: Float32Array<ArrayBuffer> };
  const kept: Partial<Record<Kept, Float64Array>> = {};
  for (const name of keep) kept[name] = await task.read(name);
  return {
    loss: typeof loss === 'number' ? Float64Array.of(loss) : loss,
    grad: layout === 'TNC' || grad.length === 0 ? grad : swapAxes(grad, sequences, frames),
    kept,
  };
}

export async function compute(batch: Batch, how: How = {}): Promise<Computed> {
  const { ctc, task } = await prepare(batch, how);
  try {
    return await runTask(task, batch, how);
  } finally {
    ctc.destroy();
  }
}

export function expectReference(got: Computed, expected: Reference, frames: number): void {
  expectLosses(got.loss, expected.loss, expected.rowMaxima, frames);
  expectGradient(got.grad, expected.grad);
}

type Bits = Float32Array | Float64Array | Uint8Array;

/** Not one bit differs; NaNs are compared as bits too. */
export function expectSameBits(got: Bits, expected: Bits, what = 'values'): void {
  const bytes = ({ buffer, byteOffset, byteLength }: Bits) => Buffer.from(buffer, byteOffset, byteLength);
  if (bytes(got).equals(bytes(expected))) return;
  expect(got.length, `length of ${what}`).toBe(expected.length);
  const differ = Array.from(got.keys()).filter((i) => !Object.is(got[i], expected[i]));
  expect.fail(
    `${what}: ${differ.length} of ${got.length} differ, first [${differ[0]}]: ` +
      `expected ${expected[differ[0]!]}, got ${got[differ[0]!]}`,
  );
}

export function expectSame(got: Computed, expected: Computed): void {
  expectSameBits(got.loss, expected.loss, 'loss');
  expectSameBits(got.grad, expected.grad, 'grad');
  for (const name of ['alpha', 'beta', 'posterior'] as const) {
    if (expected.kept[name]) expectSameBits(got.kept[name]!, expected.kept[name], name);
  }
}
