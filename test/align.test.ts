import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Alignment, CtcAligner, forcedAlign, mergeTokens } from 'webgpu-ctc/node';
import { type Forced, forced } from '../src/api/forced.js';
import { planAlign } from '../src/plan/align-plan.js';
import { tuningFor } from '../src/plan/tuning.js';
import { halfToFloat } from '../src/problem/half.js';
import { bestOfAll, scoreOf, viterbi } from './best-path.js';
import { expectSameBits, swapAxes, wider } from './compute.js';
import { sharedDevice } from './device.js';
import { type Batch, kinds, makeBatch, seeded, sequenceOf } from './reference.js';
import { ordinary } from './twins.js';

const plain = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');

interface How extends Forced {
  readonly device: GPUDevice | 'cpu';
}

/** As a device would have it, in blocks so small that few labels fill several, and in slices of few frames. */
const ways: Readonly<Record<string, How>> = {
  cpu: { device: 'cpu' },
  'cpu, blocks of 4': { device: 'cpu', tuning: { lanes: 1, elementsPerDispatch: 64, software: false } },
  gpu: { device: plain.device },
  'gpu, subgroups': { device: withSubgroups.device },
  'gpu, blocks of 4': {
    device: plain.device,
    tuning: { lanes: 1, subgroups: false, elementsPerDispatch: 64 },
  },
  'gpu, blocks of 8 in turns': {
    device: plain.device,
    tuning: { lanes: 2, subgroups: false, elementsPerDispatch: 200, software: false },
  },
};

async function align(
  batch: Batch,
  how: How,
  scores: 'logProbs' | 'logits' = 'logProbs',
  layout: 'TNC' | 'NTC' = 'TNC',
  halves?: Uint16Array,
): Promise<Alignment<readonly [number, number, number]>> {
  const aligner = await CtcAligner.create({ device: how.device, blank: batch.blank });
  const { frames: T, sequences: N, classes: C, targets, inputLengths } = batch;
  forced.set(aligner, how);
  const data = halves ?? (layout === 'TNC' ? batch[scores] : swapAxes(batch[scores], T, N));
  const shape = (layout === 'TNC' ? [T, N, C] : [N, T, C]) as [number, number, number];
  const tensor = { data, shape, layout, ...(halves && { dtype: 'float16' as const }) };
  const result = await aligner.run({ [scores]: tensor, targets, inputLengths } as never);
  aligner.destroy();
  return result as never;
}

/** Every element of a result, against a reference: the path itself, unless paths are as good to within the rounding. */
function expectBest(
  batch: Batch,
  { labels, scores, score }: Alignment<readonly [number, number, number]>,
  ties = false,
) {
  const { frames, sequences } = batch;
  expect([labels.length, scores.length, score.length]).toEqual([
    frames * sequences,
    frames * sequences,
    sequences,
  ]);
  for (let n = 0; n < sequences; n++) {
    const sequence = sequenceOf(batch, n, 'logProbs');
    const length = sequence.rows.length;
    const expected = viterbi(sequence);
    const got = [...labels.subarray(n * frames, (n + 1) * frames)];
    const ofFrames = scores.subarray(n * frames, (n + 1) * frames);
    const what = `sequence ${n}: ${sequence.target.length} labels in ${length} frames`;
    expect(got.slice(length), what).toEqual(Array(frames - length).fill(-1));
    expect([...ofFrames.subarray(length)], what).toEqual(Array(frames - length).fill(0));
    if (expected.score === -Infinity) {
      expect(got.slice(0, length), what).toEqual(Array(length).fill(-1));
      expect(score[n], what).toBe(-Infinity);
      continue;
    }
    const path = got.slice(0, length);
    // two roundings of 2^-26 a frame
    const rounding = ties ? 0 : length * 2 ** -25;
    if (path.join() !== expected.labels.join()) {
      expect(ties, `${what}: a tie went the other way`).toBe(false);
      expect(Math.abs(scoreOf(sequence, path) - expected.score), what).toBeLessThanOrEqual(rounding);
    }
    path.forEach((c, t) => {
      expect(Math.abs(ofFrames[t]! - sequence.rows[t]![c]!), what).toBeLessThanOrEqual(
        2e-6 * Math.max(1, Math.abs(sequence.rows[t]![c]!)),
      );
    });
    expect(Math.abs(score[n]! - expected.score), what).toBeLessThanOrEqual(
      1e-5 + 1e-6 * Math.abs(expected.score),
    );
  }
}

const published = JSON.parse(
  readFileSync(new URL('../fixtures/align/torchaudio_cases.json', import.meta.url), 'utf8'),
);

/** Masks among scores of millions. */
const masked: Batch = (() => {
  const random = seeded(31);
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!;
  const [frames, sequences, classes] = [5, 1000, 3];
  const logProbs = Float32Array.from({ length: frames * sequences * classes }, () =>
    pick([0, -1e6, -3e6, -5e6, -1e10]),
  );
  const targets = Array.from({ length: sequences }, () =>
    pick([
      [1, 1],
      [1, 2, 2],
      [2, 1],
      [1, 2, 1],
    ]),
  );
  const inputLengths = Array(sequences).fill(frames);
  return {
    frames,
    sequences,
    classes,
    blank: 0,
    targets,
    inputLengths,
    logProbs,
    logits: logProbs,
    probs: logProbs,
  };
})();
const bestScores = masked.targets.map((_, n) => viterbi(sequenceOf(masked, n, 'logProbs')).score);

describe.each(Object.entries(ways))('%s', (_, how) => {
  test('as few masks as there may be, and then the best of the rest, be it millions', async () => {
    const { score } = await align(masked, how);
    // sums of whole numbers: none is rounded
    expect([...score]).toEqual(bestScores);
  });

  test("the cases of torchaudio's own suite", async () => {
    const logProbs = {
      data: Float32Array.from(published.probabilities.flat(), Math.log),
      shape: [5, 6] as const,
    };
    for (const { targets, blank, path, scores } of published.cases) {
      const got = await forcedAlign(logProbs, targets, undefined, undefined, { device: how.device, blank });
      expect([...got.labels]).toEqual(path);
      for (const [t, score] of scores.entries()) expect(got.scores[t]).toBeCloseTo(score, 4);
      expect(got.score).toBeCloseTo(
        scores.reduce((a: number, b: number) => a + b),
        4,
      );
      expect(mergeTokens(got.labels, got.scores, blank).map(({ label }) => label)).toEqual(targets);
    }
  });

  test('tiny cases: the best of all paths', async () => {
    for (const [i, classes] of [2, 3, 4, 2, 3, 4].entries()) {
      const size = { frames: 5, sequences: 24, classes, labels: 3, blank: i % classes, ragged: true };
      const batch = makeBatch('random', 100 + i, size);
      const { labels, score } = await align(batch, how);
      for (let n = 0; n < batch.sequences; n++) {
        const sequence = sequenceOf(batch, n, 'logProbs');
        const best = bestOfAll(sequence);
        if (sequence.rows.length === 0) continue;
        expect(Math.abs(score[n]! - best.score) < 1e-5 || score[n] === best.score).toBe(true);
        const got = [...labels.subarray(5 * n, 5 * n + sequence.rows.length)];
        if (best.score > -Infinity) expect(got).toEqual(best.labels);
        else expect(got.every((label) => label === -1)).toBe(true);
      }
    }
  });

  test('ties go as in float64: scores are whole numbers', async () => {
    for (let seed = 0; seed < 4; seed++) {
      const size = { frames: 24, sequences: 64, classes: 2 + seed, labels: 8, blank: seed % 2, ragged: true };
      const batch = makeBatch(seed % 2 ? 'repeats' : 'random', 300 + seed, size);
      const random = seeded(seed);
      const levels = [2, 3, 5, 9][seed]!;
      batch.logProbs.forEach((_, i) => {
        batch.logProbs[i] = -Math.floor(random() * levels);
        if (random() < 0.02) batch.logProbs[i] = Number.NEGATIVE_INFINITY;
      });
      expectBest(batch, await align(batch, how), true);
    }
  });

  test.each(kinds)('%s emissions', async (kind) => {
    const size = { frames: 70, sequences: 12, classes: 7, labels: 30, blank: 3, ragged: kind !== 'tight' };
    const batch = makeBatch(kind, 500, size);
    expectBest(batch, await align(batch, how));
    expectBest(batch, await align(batch, how, 'logits', 'NTC'));
  });

  test('slices, checkpoints and a split batch change no bit', async () => {
    const batch = makeBatch('random', 600, {
      frames: 90,
      sequences: 5,
      classes: 6,
      labels: 25,
      ragged: true,
    });
    const whole = await align(batch, how);
    expectBest(batch, whole);
    for (const room of [1 << 14, 6000, 3500]) {
      const most = room * wider(how);
      const got = await align(batch, {
        ...how,
        limits: { maxStorageBufferBindingSize: most, ...how.limits },
      });
      expectSameBits(
        new Uint8Array(got.labels.buffer),
        new Uint8Array(whole.labels.buffer),
        `labels, ${most} bytes`,
      );
      expectSameBits(got.scores, whole.scores, `scores, ${most} bytes`);
    }
  });

  test('what has no answer says so, and harms no neighbour', async () => {
    const batch = makeBatch('random', 700, { frames: 9, sequences: 7, classes: 4, labels: 3 });
    const { logProbs } = batch;
    const at = (t: number, n: number, c: number) => (t * 7 + n) * 4 + c;
    const targets = batch.targets.map((row, n) =>
      n === 5 ? [1, 1, 1, 1, 1, 1] : n === 6 ? [] : n === 4 ? [1, 2] : row,
    );
    logProbs[at(3, 0, 0)] = Number.NaN;
    logProbs[at(3, 1, 0)] = Number.POSITIVE_INFINITY;
    for (let c = 0; c < 4; c++) logProbs[at(5, 2, c)] = Number.NEGATIVE_INFINITY;
    logProbs[at(2, 4, 3)] = Number.NaN; // of no label
    const got = await align({ ...batch, targets }, how);
    expect([...got.score].map((x) => (Number.isFinite(x) ? 'finite' : String(x)))).toEqual([
      ...['NaN', 'NaN', '-Infinity', 'finite', 'finite', '-Infinity', 'finite'],
    ]);
    for (const n of [0, 1, 2, 5])
      expect([...got.labels.subarray(9 * n, 9 * n + 9)]).toEqual(Array(9).fill(-1));
    expect([...got.labels.subarray(54)]).toEqual(Array(9).fill(0));
    const healthy = [3, 6];
    const alone = await align(
      { ...batch, targets, logProbs: logProbs.map((x) => (Number.isFinite(x) ? x : -1)) },
      how,
    );
    for (const n of healthy)
      expectSameBits(got.scores.slice(9 * n, 9 * n + 9), alone.scores.slice(9 * n, 9 * n + 9));
  });

  test('no frames', async () => {
    const batch = makeBatch('random', 800, { frames: 3, sequences: 2, classes: 3, labels: 1 });
    const got = await align({ ...batch, targets: [[], [1]], inputLengths: [0, 0] }, how);
    expect([...got.labels]).toEqual(Array(6).fill(-1));
    expect([...got.score]).toEqual([0, -Infinity]);
  });
});

test('1,000 random cases: CPU and GPU agree to the bit, and with float64', async () => {
  const check = fc.asyncProperty(
    ...([
      fc.integer(),
      fc.constantFrom(...kinds),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 2, max: 12 }),
    ] as const),
    fc.boolean(),
    async (seed, kind, frames, classes, ties) => {
      const labels = Math.ceil(frames / 2);
      const batch = makeBatch(kind, seed, { frames, sequences: 20, classes, labels, ragged: true });
      if (ties) batch.logProbs.set(batch.logProbs.map(Math.round));
      const onCpu = await align(batch, { device: 'cpu' });
      const onGpu = await align(batch, { device: withSubgroups.device });
      expectBest(batch, onCpu, ties);
      expectSameBits(new Uint8Array(onGpu.labels.buffer), new Uint8Array(onCpu.labels.buffer), 'labels');
      expectSameBits(onGpu.scores, onCpu.scores, 'scores');
    },
  );
  await fc.assert(check, { numRuns: 50, seed: 4 });
});

/** A problem whose run takes some submissions. */
const long = makeBatch('random', 900, { frames: 4000, sequences: 2, classes: 20, labels: 600 });
const shape = [4000, 2, 20] as const;

test('buffers in, buffers out: run, and an encoder of the caller', async () => {
  const { device, buffer, read, alive } = withSubgroups;
  const aligner = await CtcAligner.create({ device });
  const before = alive();
  const task = await aligner.prepare({ logits: shape, maxTargetLength: 600 });
  expect(alive().length).toBeGreaterThan(before.length);
  task.setTargets(long.targets);
  const expected = await task.run({ logits: long.logits });
  const logits = buffer(long.logits);
  const [labels, scores] = [buffer(4 * 8000), buffer(4 * 8000 + 64)];
  const encoder = device.createCommandEncoder();
  task.encode(encoder, { logits, labels, scores: { buffer: scores, offset: 32 } });
  device.queue.submit([encoder.finish()]);
  const inWords = async (from: GPUBuffer) => new Uint8Array((await read(from)).buffer);
  expectSameBits(await inWords(labels), new Uint8Array(expected.labels.buffer), 'labels');
  expectSameBits((await read(scores)).slice(8, 8008), expected.scores, 'scores');
  const again = await task.run({ logits, labels });
  expect(again.labels).toBe(labels);
  expectSameBits(await read(again.scores as GPUBuffer), expected.scores, 'scores');
  (again.scores as GPUBuffer).destroy();
  aligner.destroy();
  expect(alive()).toEqual(before);
});

test.each(['gpu', 'cpu'] as const)('%s: abort, progress, order of runs, ends', async (where) => {
  const device = where === 'gpu' ? plain.device : 'cpu';
  const aligner = await CtcAligner.create({ device });
  const task = await aligner.prepare({ logits: shape, maxTargetLength: 600 });
  const run = (more: object = {}, options = {}) => task.run({ logits: long.logits, ...more }, options);
  await expect(run()).rejects.toThrow('targets: expected a call of setTargets before this, got none');
  task.setTargets(long.targets);
  const shares: number[] = [];
  const whole = await run({}, { onProgress: (share: number) => shares.push(share) });
  expect(shares.at(-1)).toBe(1);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));

  const controller = new AbortController();
  const aborted = run({}, { signal: controller.signal, onProgress: () => controller.abort('enough') });
  await expect(aborted).rejects.toBe('enough');
  await expect(run({}, { signal: AbortSignal.abort('before') })).rejects.toBe('before');

  // each run has the targets that were set when it was asked for
  const first = run();
  task.setTargets([[1], []]);
  const second = run();
  expectSameBits((await first).scores, whole.scores);
  expect((await second).labels.subarray(4000).every((label) => label === 0)).toBe(true);

  const last = run();
  const ended = expect(last).rejects.toMatchObject({ code: 'destroyed' });
  if (where === 'gpu') {
    const encoder = plain.device.createCommandEncoder();
    expect(() => task.encode(encoder, {})).toThrow('encode: a run of this task has not ended');
  } else {
    expect(() => task.encode({} as GPUCommandEncoder, {})).toThrow(
      'encode: this runs on the CPU (asked for); use run',
    );
  }
  aligner.destroy();
  aligner.destroy();
  await ended;
  expect(() => task.setTargets([[1], []])).toThrow('this task was destroyed');
  await expect(aligner.prepare({ logits: shape, maxTargetLength: 1 })).rejects.toThrow(
    'this CtcAligner was destroyed',
  );
});

describe('a mistake is named', () => {
  // biome-ignore format: a table, one mistake a line
  const mistakes: [what: string, options: object, input: object, message: string][] = [
    ['no scores', {}, { targets: [1] }, 'expected exactly one of logits, logProbs and probs, got none'],
    ['an unknown key', {}, { logits: 1, target: [1] }, 'input: expected the keys logProbs, logits, probs, blank, targets, inputLengths, targetLengths, results, got \'target\''],
    ['an unknown option', { reduction: 'sum' }, {}, 'options: expected the keys device, blank, preload, got \'reduction\''],
    ['a wrong device', { device: 'tpu' }, {}, "device: expected a GPUDevice or one of 'auto', 'gpu', 'cpu', got 'tpu'"],
    ['a label out of range', {}, { logits: { data: new Float32Array(6), shape: [2, 3] }, targets: [3] }, 'targets[0][0]: expected a class from 0 to 2 other than the blank (0), got 3'],
    ['too little data', {}, { logits: { data: new Float32Array(5), shape: [2, 3] }, targets: [1] }, 'logits: expected 6 values (the product of the shape), got Float32Array of 5'],
    ['a blank out of range', { blank: 3 }, { logits: { data: new Float32Array(6), shape: [2, 3] }, targets: [1] }, 'blank: expected an integer from 0 to 2 (C − 1), got 3'],
  ];
  test.each(mistakes)('%s', async (_, options, input, message) => {
    const call = async () => (await CtcAligner.create({ device: 'cpu', ...options })).run(input as never);
    await expect(call()).rejects.toThrow(message);
  });
});

test('scores as float16, and of half a batch', async () => {
  const batch = makeBatch('random', 901, { frames: 33, sequences: 3, classes: 5, labels: 9, ragged: true });
  const halves = Uint16Array.from(batch.logProbs, (x) => 0x8000 | (0x3400 + Math.floor(-x * 300)));
  const values = Float32Array.from(halves, halfToFloat);
  const expected = await align({ ...batch, logProbs: values }, { device: 'cpu' });
  for (const how of Object.values(ways)) {
    const got = await align(batch, how, 'logProbs', 'TNC', halves);
    expectSameBits(got.scores, expected.scores);
    expect(got.labels).toEqual(expected.labels);
  }
});

test('an hour with 50,000 labels is planned within 256 MiB, 30,000 frames with 3,000 whole', () => {
  const rest = {
    layout: 'TC',
    scores: 'logits',
    dtype: 'float32',
    reduction: 'none',
    zeroInfinity: false,
  } as const;
  const task = { ...rest, sequences: 1, classes: 32, blank: 0, gradient: 'none', keep: [] } as const;
  for (const adapter of [
    { software: true, subgroupSize: 4 },
    { software: true, subgroupSize: 8 },
    { software: false },
  ]) {
    const tuning = tuningFor(adapter);
    const hour = planAlign({ ...task, frames: 180_000, maxTargetLength: 50_000 }, ordinary, tuning);
    expect(hour.memory).toBeLessThan(2 ** 28);
    expect(hour.commands.some((c) => c.type === 'dispatch' && c.constants.AGAIN)).toBe(true);
    const whole = planAlign({ ...task, frames: 30_000, maxTargetLength: 3000 }, ordinary, tuning);
    expect(whole.memory).toBeLessThan(2 ** 26);
    expect(whole.commands.some((c) => c.type === 'dispatch' && c.constants.AGAIN)).toBe(false);
  }
});
