import { expect, test } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
import { forced } from '../src/forced.js';
import { expectGradient, expectLosses } from './bars.js';
import { openDevice } from './device.js';

const gpu = await openDevice();
const { limits } = gpu.device;

/** Numbers from −8 to 8, quickly. */
function noise(count: number): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 28;
  }
  return values;
}

async function compareWithTwin(shape: readonly [number, number, number], labels: number): Promise<string> {
  const [T, N, C] = shape;
  const logits = { data: noise(T * N * C), shape };
  const targets = Array.from({ length: N }, (_, n) =>
    Array.from({ length: labels - (n % 3) }, (_, i) => 1 + ((i * i + n) % (C - 1))),
  );
  const inputLengths = Array.from({ length: N }, (_, n) => T - n);
  const run = async (device: GPUDevice | 'cpu') => {
    const ctc = await CtcLoss.create({ device, reduction: 'none' });
    const start = performance.now();
    const { loss, grad } = await ctc.run({ logits, targets, inputLengths });
    ctc.destroy();
    return { loss, grad, time: `${Math.round(performance.now() - start)} ms` };
  };
  const onGpu = await run(gpu.device);
  const onCpu = await run('cpu');
  expect(onCpu.loss.every((loss) => loss > 0 && loss < Infinity)).toBe(true);
  expectLosses(onGpu.loss, onCpu.loss, 0, T);
  const worst = expectGradient(onGpu.grad, onCpu.grad);
  expect(gpu.alive()).toEqual([]);
  return `GPU ${onGpu.time}, CPU ${onCpu.time}; largest gradient difference ${worst.toExponential(1)}`;
}

test('scores of 256 MB on a device that binds 128 MiB', async () => {
  const shape = [400, 32, 5000] as const;
  expect(4 * shape[0] * shape[1] * shape[2]).toBeGreaterThan(limits.maxStorageBufferBindingSize);
  console.log(`256 MB of scores: ${await compareWithTwin(shape, 30)}`);
}, 300_000);

test('a batch that needs 200 MB of lattice on a device that binds 128 MiB', async () => {
  const [T, N, S] = [1000, 64, 400];
  expect(8 * T * N * (S + 1)).toBeGreaterThan(limits.maxStorageBufferBindingSize);
  console.log(`200 MB of lattice: ${await compareWithTwin([T, N, 32], S)}`);
}, 300_000);

test.each([
  [3000, 'fused', {}],
  [3000, 'tiled', { lanes: 16 }],
  [30_000, 'fused', {}],
] as const)('%i labels in little more frames: %s', async (S, strategy, tuning) => {
  const [T, C] = [S + 60, 6];
  const logits = { data: noise(T * C), shape: [T, C] } as const;
  const targets = Array.from({ length: S }, (_, i) => 1 + (i % (C - 1)));
  const [onGpu, onCpu] = await Promise.all(
    [gpu.device, 'cpu' as const].map(async (device) => {
      const ctc = await CtcLoss.create({ device, strategy, reduction: 'sum' });
      if (device !== 'cpu') forced.set(ctc, { tuning });
      const result = await ctc.run({ logits, targets });
      ctc.destroy();
      return result;
    }),
  );
  expect(onCpu!.loss).toBeGreaterThan(0);
  expectLosses([onGpu!.loss], [onCpu!.loss], 0, T);
  const worst = expectGradient(onGpu!.grad, onCpu!.grad);
  console.log(`${S} labels, ${strategy}: largest gradient difference ${worst.toExponential(1)}`);
});
