import { beforeAll, describe, expect, test } from 'vitest';
import { halfToFloat } from '../src/half.js';
import { type Plan, type ProblemShape, type Tuning, tuningFor } from '../src/plan.js';
import { planStep } from '../src/step.js';
import type { Kept } from '../src/types.js';
import { expectGradient, expectLosses } from './bars.js';
import { type Computed, compute, expectSame, expectSameBits, type How, prepare, runTask } from './compute.js';
import { openDevice, type TestDevice } from './device.js';
import { type Batch, type Kind, kinds, makeBatch } from './reference.js';

// What the tests below force: every way to cut a problem, on problems that a hand could check.
const cuts = {
  windows: { tuning: { elementsPerDispatch: 60 } },
  buffers: { limits: { maxBufferSize: 1900 } },
  parts: { limits: { maxStorageBufferBindingSize: 4200 } },
  slices: { limits: { maxStorageBufferBindingSize: 830 } },
  commands: { tuning: { framesPerCommand: 3 } },
  grids: { limits: { maxComputeWorkgroupsPerDimension: 3 } },
  all: {
    limits: { maxStorageBufferBindingSize: 830, maxBufferSize: 1900, maxComputeWorkgroupsPerDimension: 3 },
    tuning: { elementsPerDispatch: 60, framesPerCommand: 3 },
  },
};
type Cut = keyof typeof cuts;

const size = { frames: 23, sequences: 5, classes: 7, labels: 4, blank: 2 };
const everything: readonly Kept[] = ['alpha', 'beta', 'posterior'];

function planOf(batch: Batch, how: How): Plan {
  const { scores = 'logProbs', layout = 'TNC', keep = [], gradient = 'logits', reduction = 'none' } = how;
  const maxTargetLength = Math.max(...batch.targets.map((row) => row.length));
  const task: ProblemShape = {
    ...{ frames: batch.frames, sequences: batch.sequences, classes: batch.classes, blank: batch.blank },
    ...{ scores, layout, keep, gradient, reduction, maxTargetLength, zeroInfinity: false },
    dtype: how.halves ? 'float16' : 'float32',
  };
  const vast = {
    maxStorageBufferBindingSize: 2 ** 27,
    maxBufferSize: 2 ** 28,
    maxComputeWorkgroupsPerDimension: 65535,
  };
  return planStep(task, { ...vast, ...how.limits }, { ...tuningFor({ software: false }), ...how.tuning });
}

/** How often a plan cuts the caller's tensor, the batch, the time, and walks of frames. */
function pieces(plan: Plan) {
  const dispatches = plan.commands.filter((command) => command.type === 'dispatch');
  const of = (kernel: string) => dispatches.filter((command) => command.kernel === kernel);
  const distinct = (values: unknown[]) => new Set(values).size;
  return {
    windows: distinct(of('rows').map(({ problem }) => plan.problems[problem]!.firstRow)),
    buffers: Math.ceil(plan.tensors.grad.rows / plan.tensors.grad.rowsPerBuffer),
    parts: of('loss').length,
    slices: distinct(of('alpha').map(({ problem }) => plan.problems[problem]!.emissionFrame)),
    commands: of('alpha').length,
    grids: of('rows').length,
  };
}

test('each cut cuts', () => {
  const batch = makeBatch('random', 1, size);
  const whole = pieces(planOf(batch, {}));
  expect(whole).toEqual({ windows: 1, buffers: 1, parts: 1, slices: 1, commands: 1, grids: 1 });
  for (const [name, cut] of Object.entries(cuts)) {
    const cutUp = pieces(planOf(batch, cut));
    for (const [piece, count] of Object.entries(cutUp))
      if (name === 'all' || name === piece) expect(count, `${piece} when ${name} are cut`).toBeGreaterThan(1);
  }
  expect(pieces(planOf(batch, cuts.slices)).slices).toBeGreaterThan(2);
});

/** A split run equals the unsplit one bit for bit, on the device and on the CPU; and both are right. */
async function expectUnsplit(batch: Batch, how: How, cut: Cut) {
  const split = (sizes: Partial<Tuning>): How => {
    const { limits = {}, tuning = {} } = cuts[cut] as How;
    return { ...how, limits, tuning: { ...tuning, ...sizes } };
  };
  const cpu = await compute(batch, { ...how, device: 'cpu' });
  expectSame(await compute(batch, { ...split({}), device: 'cpu' }), cpu);
  // rows of the caller's tensor by one lane each, and by a workgroup together
  for (const sizes of [{ workgroupSize: 4 }, { workgroupSize: 8, rowWorkgroupSize: 4, sharedRow: 0 }]) {
    const whole = await compute(batch, { ...how, tuning: sizes });
    expectSame(await compute(batch, split(sizes)), whole);
    expectClose(whole, cpu, batch);
  }
}

/** Within the bars; kept log-values within the bar for losses. */
function expectClose(got: Computed, expected: Computed, { frames, inputLengths, logProbs }: Batch) {
  const most = Math.abs(logProbs.reduce((least, x) => Math.min(least, x))) * Math.max(...inputLengths);
  expectLosses(got.loss, expected.loss, most, frames);
  expectGradient(got.grad, expected.grad);
  for (const name of ['alpha', 'beta'] as const)
    if (expected.kept[name]) expectLosses(got.kept[name]!, expected.kept[name], most, frames);
  if (expected.kept.posterior) expectGradient(got.kept.posterior!, expected.kept.posterior, 'posterior');
}

describe.each(Object.keys(cuts) as Cut[])('%s cut', (cut) => {
  test.each(['TNC', 'NTC'] as const)('%s, logProbs, everything kept', (layout) =>
    expectUnsplit(makeBatch('random', 2, { ...size, ragged: true }), { layout, keep: everything }, cut),
  );

  test.each(['TNC', 'NTC'] as const)('%s, logits, nothing kept', (layout) =>
    expectUnsplit(makeBatch('repeats', 3, { ...size, ragged: true }), { layout, scores: 'logits' }, cut),
  );
});

describe('all cuts at once', () => {
  test.each(kinds)('%s emissions', (kind: Kind) =>
    expectUnsplit(makeBatch(kind, 4, { ...size, ragged: kind !== 'tight' }), { keep: ['posterior'] }, 'all'),
  );

  const subsets = Array.from({ length: 8 }, (_, bits) => everything.filter((_, i) => bits & (1 << i)));
  test.each(subsets)(
    'keeping %s %s %s, without a gradient and with that of the logProbs',
    async (...keep) => {
      const kept = keep.filter(Boolean);
      const batch = makeBatch('random', 5, { ...size, ragged: true });
      for (const gradient of ['none', 'logProbs'] as const)
        await expectUnsplit(batch, { gradient, keep: kept, layout: 'NTC' }, 'all');
    },
  );

  test.each(['logProbs', 'logits'] as const)('float16 %s', async (scores) => {
    const batch = makeBatch('random', 6, size);
    // an odd number of classes, frames and sequences: rows, windows and buffers start within a word
    const halves = Uint16Array.from(
      batch.logits,
      (x) => (x < 0 ? 0x8000 : 0) + 0x3400 + Math.floor(Math.abs(x) * 600),
    );
    const exact = Float32Array.from(halves, halfToFloat);
    const decoded = { ...batch, logits: exact, logProbs: exact };
    await expectUnsplit(decoded, { scores, halves }, 'all');
    const how: How = { scores, device: 'cpu' };
    expectSame(await compute(decoded, { ...how, halves }), await compute(decoded, how));
  });

  test('many pairs: more labels than a workgroup has lanes, and wide rows', () =>
    expectUnsplit(
      makeBatch('random', 7, { frames: 60, sequences: 3, classes: 41, labels: 21 }),
      { keep: everything, scores: 'logits' },
      'windows',
    ));
});

describe('nothing of an earlier run is left', () => {
  const how: How = { keep: everything, ...cuts.all, tuning: { ...cuts.all.tuning, workgroupSize: 8 } };
  const big = makeBatch('random', 8, size);
  const poisoned = { ...big, logProbs: big.logProbs.map((x, i) => [x, Number.NaN, Infinity][i % 3]!) };
  const small = makeBatch('random', 9, { ...size, ragged: true });
  test.each([
    ['a longer problem', big],
    ['NaN and Infinity', poisoned],
  ])('of %s', async (_, before) => {
    const { ctc, task } = await prepare(big, how);
    await runTask(task, before, how);
    const after = await runTask(task, small, how);
    ctc.destroy();
    const fresh = await prepare(big, how);
    expectSame(after, await runTask(fresh.task, small, how));
    fresh.ctc.destroy();
  });
});

describe("the caller's buffers", () => {
  const batch = makeBatch('random', 10, { ...size, ragged: true });
  const poison = 0x7fc0dead;
  let gpu: TestDevice;
  beforeAll(async () => {
    gpu = await openDevice();
  });

  /** Runs into ranges of poisoned buffers: what was written there, after a check of what lies around. */
  async function intoRanges(cut: Cut, run: 'run' | 'encode', gradOffset: number): Promise<Computed> {
    const { limits, tuning } = cuts[cut] as How;
    const how: How = {
      device: gpu.device,
      limits: { ...limits, maxBufferSize: 2 ** 28 },
      ...(tuning && { tuning }),
    };
    const { ctc, task } = await prepare(batch, how);
    const { targets, inputLengths, logProbs, sequences } = batch;
    task.setTargets(targets, { inputLengths });
    const poisoned = (words: number) => gpu.buffer(new Uint32Array(words).fill(poison));
    const scores = gpu.buffer(Float32Array.of(0, 0, 0, ...logProbs));
    const grad = poisoned(logProbs.length + 200);
    const loss = poisoned(sequences + 200);
    const input = {
      logProbs: { buffer: scores, offset: 12 },
      grad: { buffer: grad, offset: gradOffset },
      loss: { buffer: loss, offset: 256 },
    };
    if (run === 'run') await task.run(input);
    else {
      const encoder = gpu.device.createCommandEncoder();
      task.encode(encoder, input);
      gpu.device.queue.submit([encoder.finish()]);
    }
    const written = async (buffer: GPUBuffer, first: number, count: number) => {
      const words = new Uint32Array((await gpu.read(buffer)).buffer as ArrayBuffer);
      const outside = [...words.subarray(0, first), ...words.subarray(first + count)];
      expect(outside.every((word) => word === poison)).toBe(true);
      return new Float32Array(words.buffer, 4 * first, count);
    };
    const result = {
      loss: await written(loss, 64, sequences),
      grad: await written(grad, gradOffset / 4, logProbs.length),
      kept: {},
    };
    ctc.destroy();
    return result;
  }

  test.each([
    ['windows', 'run', 4],
    ['windows', 'encode', 252],
    ['slices', 'run', 256],
    ['all', 'run', 100],
    ['all', 'encode', 12],
  ] as const)('are written in full and nowhere else: %s cut, %s, offset %d', async (cut, run, offset) => {
    const got = await intoRanges(cut, run, offset);
    const expected = await compute(batch);
    expectSameBits(got.grad, expected.grad, 'grad');
    expectLosses(got.loss, expected.loss, 100, batch.frames);
  });
});
