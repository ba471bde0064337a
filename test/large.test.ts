import { expect, test } from 'vitest';
import { CtcAligner, CtcDecoder, CtcLoss, CtcPosterior } from 'webgpu-ctc/node';
import { forced } from '../src/api/forced.js';
import { expectGradient, expectLosses } from './bars.js';
import { expectSameBits } from './compute.js';
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

test('scores of 144 MB on a device that binds 128 MiB', async () => {
  const shape = [400, 18, 5000] as const;
  expect(4 * shape[0] * shape[1] * shape[2]).toBeGreaterThan(limits.maxStorageBufferBindingSize);
  console.log(`144 MB of scores: ${await compareWithTwin(shape, 30)}`);
}, 300_000);

test('a batch that needs 140 MB of lattice on a device that binds 128 MiB', async () => {
  const [T, N, S] = [1000, 44, 400];
  expect(8 * T * N * (S + 1)).toBeGreaterThan(limits.maxStorageBufferBindingSize);
  console.log(`140 MB of lattice: ${await compareWithTwin([T, N, 32], S)}`);
}, 300_000);

test.each([
  [3000, 'fused', {}],
  [3000, 'tiled', { lanes: 16 }],
  [12_000, 'fused', {}],
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

test('more sequences than a grid has workgroups are read', async () => {
  const shape = [2, 70_000, 4] as const;
  expect(shape[1]).toBeGreaterThan(limits.maxComputeWorkgroupsPerDimension);
  const logProbs = { data: noise(2 * 70_000 * 4), shape };
  const inputLengths = Array.from({ length: 70_000 }, (_, n) => n % 3);
  const [onGpu, onCpu] = await Promise.all(
    [gpu.device, 'cpu' as const].map(async (device) => {
      const decoder = await CtcDecoder.create({ device });
      const task = await decoder.prepare({ logProbs: shape });
      task.setLengths(inputLengths);
      const result = { ...(await task.run({ logProbs: logProbs.data })), memory: task.memory };
      decoder.destroy();
      return result;
    }),
  );
  expect(onGpu!.labels).toEqual(onCpu!.labels);
  expectSameBits(onGpu!.scores, onCpu!.scores);
  // a record of 256 bytes for each sequence, for runs and for what is encoded, eight bytes for each frame, and little more
  expect(onGpu!.memory).toBeLessThan(70_000 * (2 * 256 + 2 * 8) + 2 ** 16);
  expect(gpu.alive()).toEqual([]);
});

test('ways that fill a binding to its end', async () => {
  // the last word of a sequence has the ways of one frame and room for three: together that is more than a binding
  const [T, N, C, S] = [1000, 800, 5, 511];
  const data = noise(T * N * C);
  const logProbs = { data, shape: [T, N, C] as const };
  const targets = Array.from({ length: N }, (_, n) =>
    Array.from({ length: n % 40 === 0 ? S : 3 }, (_, i) => 1 + ((i + n) % (C - 1))),
  );
  const aligner = await CtcAligner.create({ device: gpu.device });
  const all = await aligner.run({ logProbs, targets });
  aligner.destroy();
  const onCpu = await CtcAligner.create({ device: 'cpu' });
  for (const n of [0, 1, 400, 799]) {
    const row = Float32Array.from(
      { length: T * C },
      (_, i) => data[(Math.floor(i / C) * N + n) * C + (i % C)]!,
    );
    const alone = await onCpu.run({ logProbs: { data: row, shape: [T, C] }, targets: targets[n]! });
    expect([...all.labels.subarray(n * T, (n + 1) * T)], `sequence ${n}`).toEqual([...alone.labels]);
  }
  onCpu.destroy();
  expect(gpu.alive()).toEqual([]);
}, 300_000);

test.each(['cpu', 'gpu'] as const)('empty targets have no durations, but samples: %s', async (where) => {
  const posterior = await CtcPosterior.create({ device: where === 'gpu' ? gpu.device : 'cpu' });
  const logProbs = { data: noise(5 * 2 * 3), shape: [5, 2, 3] as const };
  for (const samples of [0, 2]) {
    const result = await posterior.run({ logProbs, targets: [[], []], inputLengths: [5, 0], samples });
    expect([result.durations.length, result.confidences.length]).toEqual([0, 0]);
    if (samples > 0) expect([...result.samples!]).toEqual([...Array(10).fill(0), ...Array(10).fill(-1)]);
  }
  const task = await posterior.prepare({ logProbs: [5, 2, 3], maxTargetLength: 0, samples: 1 });
  expect(task.memory).toBeGreaterThan(0);
  posterior.destroy();
  expect(gpu.alive()).toEqual([]);
});
