// The star among the targets of an alignment: whatever is said there. Against all paths, one by one.
import { describe, expect, test } from 'vitest';
import { CtcAligner, STAR } from 'webgpu-ctc/node';
import { forced } from '../src/api/forced.js';
import { sharedDevice } from './device.js';
import type { Instance } from './operations.js';
import { seeded } from './reference.js';

const gpu = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');

interface Problem {
  readonly frames: number;
  readonly classes: number;
  readonly blank: number;
  readonly data: Float32Array<ArrayBuffer>;
  readonly targets: readonly number[];
}

function problemOf(seed: number, kind: 'logits' | 'logProbs'): Problem {
  const next = seeded(seed);
  const below = (most: number) => Math.floor(most * next());
  const [frames, classes] = [1 + below(7), 2 + below(4)];
  const blank = below(classes);
  const spread = [1, 8, 60][below(3)]!;
  const data = Float32Array.from({ length: frames * classes }, () => {
    const score = spread * (next() - 0.5);
    // ties, and classes that cannot be
    return next() < 0.1 ? Number.NEGATIVE_INFINITY : next() < 0.2 ? Math.round(score) : score;
  });
  // the blank is often the best
  for (let t = 0; t < frames; t++) if (next() < 0.3) data[t * classes + blank] = spread;
  if (kind === 'logProbs') for (let i = 0; i < data.length; i++) data[i] = Math.min(0, data[i]! - spread / 2);
  const labels = [...Array(classes).keys()].filter((label) => label !== blank);
  const targets = Array.from({ length: below(4) }, () =>
    next() < 0.5 ? STAR : labels[below(labels.length)]!,
  );
  return { frames, classes, blank, data, targets };
}

/** Log-probability of a label at a frame, in float64. */
function scoresAt({ data, classes, blank }: Problem, t: number, label: number, kind: 'logits' | 'logProbs') {
  const row = Array.from(data.subarray(t * classes, (t + 1) * classes));
  const top = Math.max(...row);
  const normaliser =
    kind === 'logits' ? top + Math.log(row.reduce((sum, score) => sum + Math.exp(score - top), 0)) : 0;
  const below = row[blank] === top ? 0.01 : 0.02;
  return (label === STAR ? top - below : row[label]!) - normaliser;
}

/** All ways to stretch targets over the frames, as class, blank or star at each. */
function* pathsOf({ frames, blank, targets }: Problem): Generator<number[]> {
  const states = Array.from({ length: 2 * targets.length + 1 }, (_, s) => (s % 2 ? targets[s >> 1]! : blank));
  function* from(s: number, path: number[]): Generator<number[]> {
    if (path.length === frames) {
      if (s >= states.length - 2) yield path;
      return;
    }
    for (let to = s; to <= Math.min(s + 2, states.length - 1); to++)
      if (to < s + 2 || (to % 2 === 1 && states[to] !== states[s])) yield* from(to, [...path, states[to]!]);
  }
  if (frames === 0) return;
  for (const s of [0, 1]) if (s < states.length) yield* from(s, [states[s]!]);
}

const kinds = ['logits', 'logProbs'] as const;
const ways = {
  cpu: { device: 'cpu' as const, tuning: {} },
  gpu: { device: gpu.device, tuning: {} },
  'gpu, in blocks of four, a workgroup for a row': {
    device: gpu.device,
    tuning: { lanes: 1, subgroups: false, sharedRow: 0 },
  },
  'gpu, subgroups': { device: withSubgroups.device, tuning: { sharedRow: 0 } },
};

describe.each(kinds)('%s', (kind) => {
  test.each(Object.entries(ways))('the best of all paths: %s', async (_, { device, tuning }) => {
    let [some, none, heard] = [0, 0, 0];
    const aligner = await CtcAligner.create({ device });
    forced.set(aligner, { tuning });
    for (let seed = 1; seed <= 120; seed++) {
      const problem = problemOf(seed, kind);
      const { frames, classes, blank, data, targets } = problem;
      const tensor = { data, shape: [frames, classes] as const };
      const scores = kind === 'logits' ? { logits: tensor } : { logProbs: tensor };
      const result = await aligner.run({ ...scores, blank, targets });
      const sumOf = (path: readonly number[]) =>
        path.reduce((sum, label, t) => sum + scoresAt(problem, t, label, kind), 0);
      const invalid = Array.from({ length: frames }, (_, t) => scoresAt(problem, t, STAR, kind)).some(
        Number.isNaN,
      );
      if (invalid) continue;
      let best = Number.NEGATIVE_INFINITY;
      let isOne = false;
      const path = [...result.labels];
      for (const one of pathsOf(problem)) {
        best = Math.max(best, sumOf(one));
        isOne ||= one.join() === path.join();
      }
      const where = `seed ${seed}`;
      if (best === Number.NEGATIVE_INFINITY) {
        none++;
        expect(result.score, where).toBe(Number.NEGATIVE_INFINITY);
        continue;
      }
      some++;
      if (path.includes(STAR)) heard++;
      expect(isOne, `${where}: ${path}`).toBe(true);
      expect(sumOf(path), where).toBeGreaterThan(best - 1e-5);
      expect(Math.abs(result.score - sumOf(path)), where).toBeLessThan(1e-4);
      path.forEach((label, t) => {
        expect(Math.abs(result.scores[t]! - scoresAt(problem, t, label, kind)), where).toBeLessThan(2e-5);
      });
    }
    aligner.destroy();
    expect([some > 40, none > 5, heard > 20]).toEqual([true, true, true]);
  });
});

test('other operations have no star, and a star is one of the targets alone', async () => {
  const { CtcLoss, CtcPosterior } = await import('webgpu-ctc/node');
  const logProbs = { data: new Float32Array(6).fill(-1), shape: [2, 3] as const };
  for (const Kind of [CtcLoss, CtcPosterior]) {
    const one: Instance = await Kind.create({ device: 'cpu' });
    await expect(one.run({ logProbs, targets: [STAR] } as never)).rejects.toThrow(
      'targets[0][0]: expected a class from 0 to 2 other than the blank (0), and no star, which only an aligner knows, got -2',
    );
  }
  const aligner = await CtcAligner.create({ device: 'cpu' });
  await expect(aligner.run({ logProbs, targets: [-3] })).rejects.toThrow('got -3');
  const { labels } = await aligner.run({ logProbs, targets: [1, STAR] });
  expect([...labels]).toEqual([1, STAR]);
});

test('a star that has to be somewhere is in the silence rather than in a class that is right', async () => {
  // the class of the target is the best of every frame
  const logProbs = { data: Float32Array.of(-5, -0.1, -5, -0.1, -5, -0.1, -0.1, -5), shape: [4, 2] as const };
  for (const device of ['cpu', gpu.device] as const) {
    const aligner = await CtcAligner.create({ device });
    const { labels } = await aligner.run({ logProbs, targets: [1, STAR] });
    expect([...labels]).toEqual([1, 1, 1, STAR]);
    aligner.destroy();
  }
});
