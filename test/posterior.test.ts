import { describe, expect, test } from 'vitest';
import { CtcPosterior } from 'webgpu-ctc/node';
import { type Forced, forced } from '../src/api/forced.js';
import { expectSameBits, wider } from './compute.js';
import { sharedDevice } from './device.js';
import { problemsOf, truthOf } from './enumeration.js';
import { type Batch, collapse, forwardBackward, kinds, lattice, makeBatch, sequenceOf } from './reference.js';

const plain = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');

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

/** Six equal alignments, the problem that showed that both walkers of the middle frame had thrown the same dice; and others. */
const alignments: readonly Batch[] = [
  {
    ...{ frames: 3, sequences: 1, classes: 2, blank: 0, targets: [[1]], inputLengths: [3] },
    ...{ logits: new Float32Array(6), logProbs: new Float32Array(6), probs: new Float32Array(6).fill(1) },
  },
  ...[1, 2, 3, 4, 5, 6].map((seed) =>
    makeBatch('random', seed, { frames: 5, sequences: 8, classes: 3, labels: 2, ragged: true }),
  ),
  ...[1010, 1020].map((seed) => problemsOf(seed, 8)),
];

/** Pearson's test at six standard deviations; what is expected less than five times counts together. */
function expectChiSquare(cells: readonly { got: number; expected: number }[], what: string) {
  const rare = { got: 0, expected: 0 };
  const common = cells.filter((cell) => {
    if (cell.expected >= 5) return true;
    rare.got += cell.got;
    rare.expected += cell.expected;
    return false;
  });
  const all = rare.expected >= 5 ? [...common, rare] : common;
  const sum = all.reduce((total, { got, expected }) => total + (got - expected) ** 2 / expected, 0);
  const degrees = all.length - 1;
  if (degrees === 0) return;
  // Wilson and Hilferty 1931: the cube root of chi² / degrees is nearly normal
  const z = (Math.cbrt(sum / degrees) - (1 - 2 / (9 * degrees))) / Math.sqrt(2 / (9 * degrees));
  if (z > 6) expect.fail(`${what}: chi² is ${sum.toFixed(1)} at ${degrees} degrees of freedom`);
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

  test('samples follow the distribution of whole alignments', async () => {
    const K = 20_000;
    let tested = 0;
    for (const [i, batch] of alignments.entries()) {
      const { samples } = await expectations(batch, how, K, i);
      for (let n = 0; n < batch.sequences; n++) {
        const { paths, rows, invalid } = truthOf(batch, n, 'logProbs');
        if (invalid || paths.length < 2) continue;
        const best = Math.max(...paths.map(({ score }) => score));
        const masses = paths.map(({ score }) => Math.exp(score - best));
        const all = masses.reduce((a, b) => a + b, 0);
        const drawn = new Map<string, number>();
        for (let j = 0; j < K; j++) {
          const start = (n * K + j) * batch.frames;
          const path = samples!.subarray(start, start + rows.length).join();
          drawn.set(path, (drawn.get(path) ?? 0) + 1);
        }
        const cells = paths.map(({ classes }, p) => {
          const got = drawn.get(classes.join()) ?? 0;
          drawn.delete(classes.join());
          return { got, expected: (K * masses[p]!) / all };
        });
        expect([...drawn.keys()], 'drawn, but no alignment').toEqual([]);
        expectChiSquare(cells, `problem ${i}, sequence ${n}`);
        tested++;
      }
    }
    expect(tested).toBeGreaterThan(20);
  });

  test('what seeds, samples and sequences draw is independent of each other', async () => {
    const K = 2000;
    const [T, N] = [3, 2];
    const scores = new Float32Array(T * N * 2);
    const sizes = { frames: T, sequences: N, classes: 2, blank: 0, inputLengths: [T, T] };
    const batch: Batch = {
      ...{ ...sizes, targets: [[1], [1]], logits: scores, logProbs: scores },
      probs: scores.map(Math.exp),
    };
    const drawnBy = async (seed: number) => {
      const { samples } = await expectations(batch, how, K, seed);
      return Array.from({ length: N * K }, (_, i) => samples!.subarray(i * T, (i + 1) * T).join());
    };
    const expectIndependent = (a: readonly string[], b: readonly string[], what: string) => {
      const pairs = new Map<string, number>();
      a.forEach((path, i) => void pairs.set(`${path} ${b[i]}`, (pairs.get(`${path} ${b[i]}`) ?? 0) + 1));
      const cells = [...pairs.values()].map((got) => ({ got, expected: a.length / 36 }));
      expect(cells, what).toHaveLength(36);
      expectChiSquare(cells, what);
    };
    const one = await drawnBy(12345);
    expectIndependent(one.slice(0, K), one.slice(K), 'two sequences');
    expectIndependent(one.slice(0, K - 1), one.slice(1, K), 'a sample and the next');
    for (let bit = 0; bit < 32; bit++)
      expectIndependent(one, await drawnBy((12345 ^ (1 << bit)) >>> 0), `seeds that differ in bit ${bit}`);
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
    expectSameBits(sliced.confidences, one.confidences, 'confidences');
    expectSameBits(sliced.durations, one.durations, 'durations');
    const segments = { ...how.tuning, elementsPerDispatch: 300 };
    const cut = await expectations(batch, { ...how, tuning: segments }, 3, 5);
    expectSameBits(cut.durations, one.durations, 'durations in segments');
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
