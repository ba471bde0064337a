import { describe, expect, test } from 'vitest';
import { CtcPosterior } from 'webgpu-ctc/node';
import { type Forced, forced } from '../src/forced.js';
import { expectSameBits, wider } from './compute.js';
import { openDevice, poisonBuffers } from './device.js';
import { type Batch, collapse, forwardBackward, kinds, lattice, makeBatch, sequenceOf } from './reference.js';

const plain = await openDevice();
const withSubgroups = await openDevice('subgroups');
for (const device of [plain, withSubgroups]) poisonBuffers(device);

interface How extends Forced {
  readonly device: GPUDevice | 'cpu';
}

const ways: Readonly<Record<string, How>> = {
  cpu: { device: 'cpu' },
  gpu: { device: plain.device },
  'gpu, subgroups': { device: withSubgroups.device },
  'gpu, blocks of 4': {
    device: plain.device,
    tuning: { lanes: 1, subgroups: false, elementsPerDispatch: 64 },
  },
};

async function expectations(batch: Batch, how: How, samples = 0, seed?: number) {
  const posterior = await CtcPosterior.create({ device: how.device, blank: batch.blank });
  forced.set(posterior, how);
  const { frames, sequences, classes, targets, inputLengths } = batch;
  const logProbs = { data: batch.logProbs, shape: [frames, sequences, classes] as const };
  const asked = { samples, ...(seed !== undefined && { seed }) };
  const result = await posterior.run({ logProbs, targets, inputLengths, ...asked });
  posterior.destroy();
  return result;
}

const size = { frames: 30, sequences: 9, classes: 6, labels: 11, blank: 2, ragged: true };

describe.each(Object.entries(ways))('%s', (_, how) => {
  test.each(kinds)('durations and confidences of %s emissions', async (kind) => {
    const batch = makeBatch(kind, 40, size);
    const { durations, confidences } = await expectations(batch, how);
    const width = Math.max(...batch.targets.map((row) => row.length));
    expect([durations.length, confidences.length]).toEqual([9 * width, 9 * width]);
    for (let n = 0; n < batch.sequences; n++) {
      const sequence = sequenceOf(batch, n, 'logProbs');
      const { logZ, alpha, beta } = lattice(sequence);
      for (let i = 0; i < width; i++) {
        const [duration, confidence] = [durations[n * width + i]!, confidences[n * width + i]!];
        const isLabel = i < sequence.target.length;
        if (isLabel && logZ === -Infinity) {
          expect([duration, confidence]).toEqual([Number.NaN, Number.NaN]);
          continue;
        }
        const shares = isLabel
          ? sequence.rows.map((__, t) => Math.exp(alpha[t]![2 * i + 1]! + beta[t]![2 * i + 1]! - logZ))
          : [];
        expect(Math.abs(duration - shares.reduce((a, b) => a + b, 0))).toBeLessThan(2e-5);
        expect(Math.abs(confidence - Math.max(0, ...shares))).toBeLessThan(2e-6);
      }
    }
  });

  test('samples spell their targets, as often as the posterior says', async () => {
    const few = makeBatch('random', 41, { ...size, frames: 8, sequences: 3, labels: 3, ragged: false });
    const batch = { ...few, targets: [few.targets[0]!, [1, 1], []], inputLengths: [8, 7, 8] };
    const [T, K] = [8, 4000];
    const { samples } = await expectations(batch, how, K, 7);
    expect(samples).toHaveLength(3 * K * T);
    for (let n = 0; n < 3; n++) {
      const sequence = sequenceOf(batch, n, 'logProbs');
      const { occupancy } = forwardBackward(sequence);
      const length = sequence.rows.length;
      const counts = occupancy.map((row) => new Float64Array(row.length));
      for (let j = 0; j < K; j++) {
        const path = [...samples!.subarray((n * K + j) * T, (n * K + j) * T + length)];
        expect(collapse(path, batch.blank)).toEqual(sequence.target);
        path.forEach((c, t) => {
          counts[t]![c]! += 1 / K;
        });
      }
      // five standard deviations
      counts.forEach((row, t) => {
        row.forEach((share, c) => {
          expect(Math.abs(share - occupancy[t]![c]!)).toBeLessThan(5 * Math.sqrt(0.25 / K));
        });
      });
    }
  });

  test('the same seed draws the same, another draws others; slices change no bit', async () => {
    const batch = makeBatch('random', 42, { ...size, frames: 60, labels: 20 });
    const limits = { maxStorageBufferBindingSize: 7000 * wider(how) };
    const one = await expectations(batch, how, 3, 5);
    expectSameBits(
      new Uint8Array((await expectations(batch, how, 3, 5)).samples!.buffer),
      new Uint8Array(one.samples!.buffer),
    );
    expect((await expectations(batch, how, 3, 6)).samples).not.toEqual(one.samples);
    const sliced = await expectations(batch, { ...how, limits }, 3, 5);
    expect([...sliced.samples!]).toEqual([...one.samples!]);
    batch.inputLengths.forEach((length, n) => {
      for (const j of [0, 1, 2]) {
        const beyond = one.samples!.subarray((3 * n + j) * 60 + length, (3 * n + j + 1) * 60);
        expect([...beyond]).toEqual(Array(60 - length).fill(-1));
      }
    });
    sliced.confidences.forEach((x, i) => {
      expect(Object.is(x, one.confidences[i])).toBe(true);
    });
  });
});

test('bad options are named', async () => {
  const posterior = await CtcPosterior.create({ device: 'cpu' });
  const logits = { data: new Float32Array(12), shape: [4, 3] as const };
  const run = (more: object) => posterior.run({ logits, targets: [1], ...more });
  await expect(run({ samples: -1 })).rejects.toThrow('samples: expected an integer ≥ 0, got -1');
  await expect(run({ samples: 1, seed: 0.5 })).rejects.toThrow(
    'seed: expected an integer from 0 to 4294967295, got 0.5',
  );
  await expect(run({ seed: 1 })).rejects.toThrow('seed: expected none where no samples are drawn, got 1');
  await expect(run({ sample: 1 })).rejects.toThrow('input: expected the keys');
  posterior.destroy();
  await expect(run({})).rejects.toThrow('this CtcPosterior was destroyed');
});
