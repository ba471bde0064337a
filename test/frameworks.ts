// What the tests of the adapters share: batches in the frameworks' order, and what the core makes of them.

import { getWebGPUDevice, init } from '@jax-js/jax';
import { globals } from 'webgpu';
import { CtcLoss } from 'webgpu-ctc/node';
import { openGpu } from '../src/node/drivers.js';
import type { Reduction } from '../src/problem/types.js';
import { type TestDevice, watch } from './device.js';

export interface FrameworkBatch {
  /** N, T, C. */
  readonly shape: [number, number, number];
  /** [N, T, C]. */
  readonly logits: Float32Array<ArrayBuffer>;
  readonly labels: number[][];
  readonly logitLengths: number[];
}

/** Numbers that any seed makes again. */
export function batchOf(
  seed: number,
  [sequences, frames, classes]: [number, number, number],
  most: number,
): FrameworkBatch {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const logits = Float32Array.from({ length: sequences * frames * classes }, () => 6 * next() - 3);
  const labels = Array.from({ length: sequences }, () =>
    Array.from({ length: Math.floor(next() * (most + 1)) }, () => 1 + Math.floor(next() * (classes - 1))),
  );
  const logitLengths = labels.map(({ length }) =>
    Math.min(frames, 2 * length + 1 + Math.floor(next() * frames)),
  );
  return { shape: [sequences, frames, classes], logits, labels, logitLengths };
}

/** What the core says on the CPU. */
export async function expectedOf(
  { shape, logits, labels, logitLengths }: FrameworkBatch,
  reduction: Reduction = 'mean',
): Promise<{ losses: number[]; grad: Float32Array }> {
  const ctc = await CtcLoss.create({ device: 'cpu', reduction });
  const { loss, grad } = await ctc.run({
    logits: { data: logits, shape, layout: 'NTC' },
    ...{ targets: labels, inputLengths: logitLengths },
  });
  ctc.destroy();
  return {
    losses: typeof loss === 'number' ? [loss] : Array.from(loss as Float32Array),
    grad: grad as Float32Array,
  };
}

/** The largest difference, of the largest. */
export function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let largest = 0;
  let off = 0;
  for (let i = 0; i < expected.length; i++) {
    largest = Math.max(largest, Math.abs(expected[i]!));
    // NaN is no number that is near
    off = Math.max(off, Number.isNaN(actual[i]) ? Infinity : Math.abs(actual[i]! - expected[i]!));
  }
  return off / largest;
}

/** What a browser has, and frameworks look for. */
export function pretendToBePage(gpu: object): void {
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: '' }, configurable: true });
}

/** jax-js on Dawn, its device watched. */
export async function openJax(): Promise<TestDevice> {
  const { gpu, driver } = await openGpu();
  pretendToBePage(gpu);
  await init('webgpu', 'cpu');
  return watch(getWebGPUDevice(), driver);
}

/** Labels of the library's buffers that are alive. */
export const ctcBuffers = ({ alive }: TestDevice): string[] =>
  alive().filter((label) => label.startsWith('ctc:'));
