import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { elementBytes, type Limits, type Plan, type ProblemShape } from '../src/plan/plan.js';
import type { LossStrategy } from '../src/plan/strategies.js';
import { type Tuning, tuningFor } from '../src/plan/tuning.js';
import { halfToFloat } from '../src/problem/half.js';
import type { Kept } from '../src/problem/types.js';
import { CpuRunner } from '../src/run/cpu/cpu-runner.js';
import * as searchTwins from '../src/run/cpu/search/twins.js';
import { adapterOf, limitsOf } from '../src/run/device.js';
import { expectGradient, expectLosses } from './bars.js';
import {
  type Computed,
  compute,
  expectReference,
  expectSame,
  expectSameBits,
  type How,
  prepare,
  runTask,
  strategies,
  swapAxes,
} from './compute.js';
import { poison, sharedDevice } from './device.js';
import { everyOperation, knowledgeOf, operations } from './operations.js';
import { type Batch, type Kind, kinds, makeBatch, reference } from './reference.js';
import { ordinary, recordsOf } from './twins.js';

/** What is not written before it is read, or not at all, shows. */
const gpu = await sharedDevice();

// What the tests below force: every way to cut a problem, on problems that a hand could check.
const cuts = {
  windows: { tuning: { elementsPerDispatch: 60 } },
  buffers: { limits: { maxBufferSize: 1900 } },
  parts: { limits: { maxStorageBufferBindingSize: 4200 } },
  slices: { limits: { maxStorageBufferBindingSize: 830 } },
  commands: { tuning: { framesPerCommand: 3, elementsPerDispatch: 200 } },
  grids: { limits: { maxComputeWorkgroupsPerDimension: 3 } },
  all: {
    limits: { maxStorageBufferBindingSize: 830, maxBufferSize: 1900, maxComputeWorkgroupsPerDimension: 3 },
    tuning: { elementsPerDispatch: 30, framesPerCommand: 3 },
  },
};
type Cut = keyof typeof cuts;

const size = { frames: 23, sequences: 5, classes: 7, labels: 4, blank: 2 };
const everything: readonly Kept[] = ['alpha', 'beta', 'posterior'];
/** Four labels are two blocks of one lane. */
const narrow = { lanes: 1, subgroups: false };

function planOf(batch: Batch, strategy: LossStrategy, { limits, tuning }: How): Plan {
  const { frames, sequences, classes, blank, targets } = batch;
  const task: ProblemShape = {
    ...{ frames, sequences, classes, blank, maxTargetLength: Math.max(...targets.map((row) => row.length)) },
    ...{ scores: 'logProbs', layout: 'TNC', dtype: 'float32', gradient: 'logits', keep: [] },
    ...{ reduction: 'none', zeroInfinity: false },
  };
  const sizes = { ...tuningFor({ software: false }), ...narrow, ...tuning };
  return operations.CtcLoss.plans[strategy]!(task, { ...ordinary, ...limits }, sizes);
}

/** How often a plan cuts the caller's tensor, the batch, the time, and walks of frames. */
function pieces(plan: Plan) {
  const dispatches = plan.commands.filter((command) => command.type === 'dispatch');
  const of = (kernel: string) => dispatches.filter((command) => command.kernel === kernel);
  const distinct = (values: unknown[]) => new Set(values).size;
  const walks = of(plan.name === 'step' ? 'alpha' : 'sweep');
  return {
    windows: distinct(of('rows').map(({ problem }) => plan.problems[problem]!.firstRow)),
    buffers: Math.ceil(plan.outputs.grad!.rows / plan.outputs.grad!.rowsPerBuffer),
    parts: of('loss').length,
    slices: distinct(walks.map(({ problem }) => plan.problems[problem]!.emissionFrame)),
    // a command of sweeps is a dispatch for each segment, and one more where blocks take turns
    commands: plan.name === 'step' ? walks.length : walks[0]!.steps!.count - walks[0]!.grid[0] + 1,
    grids: of('rows').length,
  };
}

test.each(strategies)('each cut cuts: %s', (strategy) => {
  const batch = makeBatch('random', 1, size);
  const whole = pieces(planOf(batch, strategy, {}));
  expect(whole).toEqual({ windows: 1, buffers: 1, parts: 1, slices: 1, commands: 1, grids: 1 });
  for (const [name, cut] of Object.entries(cuts)) {
    const cutUp = pieces(planOf(batch, strategy, cut));
    for (const [piece, count] of Object.entries(cutUp))
      if (name === 'all' || name === piece) expect(count, `${piece} when ${name} are cut`).toBeGreaterThan(1);
  }
  expect(pieces(planOf(batch, strategy, cuts.slices)).slices).toBeGreaterThan(2);
});

const unsplit = new Map<string, Promise<Computed>>();
/** What a problem gives that is not split, computed once for all ways to split it. */
function computeUnsplit(batch: Batch, how: How): Promise<Computed> {
  const { logits, logProbs, targets, inputLengths, blank } = batch;
  const ways = { ...how, device: how.device === 'cpu' ? 'cpu' : 'gpu' };
  // to the bit: JSON has one word for NaN and the infinities
  const bits = [logits, logProbs].map(({ buffer }) => Buffer.from(buffer).toString('base64'));
  const key = JSON.stringify([ways, bits, targets, inputLengths, blank]);
  const known = unsplit.get(key) ?? compute(batch, how);
  unsplit.set(key, known);
  return known;
}

/** Rows of the caller's tensor by one lane each, and by a workgroup together. */
const byLanes: readonly Partial<Tuning>[] = [
  { workgroupSize: 4, widestRow: 0 },
  { workgroupSize: 8, rowWorkgroupSize: 4, sharedRow: 0, stepsPerDispatch: 3 },
];

/** One of them, by what is split, so that each strategy meets both in each cut, and a test alone the one that it meets among all. */
function byLanesOf({ strategy = 'step', layout, keep = [], gradient }: How, cut: Cut): Partial<Tuning> {
  const turn = [...strategies, 'auto'].indexOf(strategy) + Object.keys(cuts).indexOf(cut) + keep.length;
  return byLanes[(turn + Number(layout === 'NTC') + Number(gradient === 'none')) % byLanes.length]!;
}

/** A split run equals the unsplit one bit for bit, on the device and on the CPU; and both are right. */
async function expectUnsplit(batch: Batch, how: How, cut: Cut) {
  const split = (sizes: Partial<Tuning>): How => {
    const { limits = {}, tuning = {} } = cuts[cut] as How;
    return { ...how, device: gpu.device, limits, tuning: { ...narrow, ...tuning, ...sizes } };
  };
  const cpu = await computeUnsplit(batch, { ...how, device: 'cpu' });
  expectSame(await compute(batch, { ...split({}), device: 'cpu' }), cpu);
  const sizes = byLanesOf(how, cut);
  const whole = await computeUnsplit(batch, {
    ...{ ...how, device: gpu.device },
    tuning: { ...narrow, ...sizes },
  });
  expectSame(await compute(batch, split(sizes)), whole);
  expectClose(whole, cpu, batch);
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

  test.each(strategies)('TNC, logits, nothing kept: %s', (strategy) =>
    expectUnsplit(makeBatch('repeats', 3, { ...size, ragged: true }), { strategy, scores: 'logits' }, cut),
  );

  test.each(strategies)('NTC, logProbs, nothing kept: %s', (strategy) =>
    expectUnsplit(makeBatch('tight', 3, size), { strategy, layout: 'NTC' }, cut),
  );
});

describe('all cuts at once', () => {
  test.each(kinds)('%s emissions', async (kind: Kind) => {
    const batch = makeBatch(kind, 4, { ...size, ragged: kind !== 'tight' });
    await expectUnsplit(batch, { keep: ['posterior'] }, 'all');
    for (const strategy of ['fused', 'tiled'] as const) await expectUnsplit(batch, { strategy }, 'all');
  });

  const subsets = Array.from({ length: 8 }, (_, bits) => everything.filter((_, i) => bits & (1 << i)));
  test.each(subsets)(
    'keeping %s %s %s, without a gradient and with that of the logProbs',
    async (...keep) => {
      const kept = keep.filter(Boolean);
      const batch = makeBatch('random', 5, { ...size, ragged: true });
      for (const gradient of ['none', 'logProbs'] as const)
        for (const strategy of kept.length > 0 ? (['step'] as const) : strategies)
          await expectUnsplit(batch, { strategy, gradient, keep: kept, layout: 'NTC' }, 'all');
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
    for (const strategy of strategies) await expectUnsplit(decoded, { strategy, scores, halves }, 'all');
    const how: How = { scores, device: 'cpu' };
    expectSame(await compute(decoded, { ...how, halves }), await compute(decoded, how));
  });

  test.each(strategies)('many pairs and wide rows: %s', (strategy) =>
    expectUnsplit(
      makeBatch('random', 7, { frames: 60, sequences: 3, classes: 41, labels: 21 }),
      { strategy, keep: strategy === 'step' ? everything : [], scores: 'logits' },
      'windows',
    ),
  );
});

/** Runs a plan by its twins, whose memory is full of NaN and of what is no exponent: all that the caller gets of it. */
async function numbersOf(plan: Plan, batch: Batch): Promise<Record<string, ArrayLike<number>>> {
  const { task } = plan;
  const runner = new CpuRunner(plan, '', searchTwins);
  for (const name of Object.keys(plan.buffers)) {
    const buffer = runner.buffer(name);
    if ('m' in buffer) {
      buffer.m.fill(Number.NaN);
      buffer.e.fill(poison);
    } else buffer.fill(buffer instanceof Uint32Array ? poison : Number.NaN);
  }
  if (plan.buffers.knowledge) runner.fill('knowledge', knowledgeOf(task.classes));
  const records = recordsOf(plan, batch);
  runner.setRecords(records);
  const data = batch[task.scores];
  const scores = task.layout === 'NTC' ? swapAxes(data, task.frames, task.sequences) : data;
  const seed = plan.inputs.seed && { seed: Float64Array.of(7) };
  const raw = await runner.run({ inputs: { [task.scores]: scores, ...seed }, outputs: {} }, {});
  const kept = task.keep.map(async (name) => [name, await runner.read(name)] as const);
  return { ...(raw as Record<string, Float32Array>), ...Object.fromEntries(await Promise.all(kept)) };
}

const everyPlan = everyOperation.flatMap(([, operation]) =>
  Object.entries(operation.plans).map(([strategy, plan]) => ({ strategy, plan, operation })),
);

describe.each(everyPlan)(
  'whatever the cut, nothing is read that was not written: $strategy',
  ({ strategy, plan, operation: { gradients, keeping, hasTargets } }) => {
    const upTo = (max: number, min = 1) => fc.integer({ min, max });
    const shapes = fc.record({
      ...{
        frames: upTo(40),
        sequences: upTo(7),
        classes: upTo(9, 2),
        labels: upTo(6, 0),
        seed: fc.nat(1000),
      },
      layout: fc.constantFrom('TNC' as const, 'NTC' as const),
      scores: fc.constantFrom('logProbs' as const, 'logits' as const, 'probs' as const),
      gradient: fc.constantFrom(...gradients.filter((gradient) => gradient !== 'logProbs')),
      keep: keeping.includes(strategy) ? fc.subarray([...everything]) : fc.constant([]),
    });
    const room = fc.record({
      spare: fc.oneof(upTo(60), upTo(400), upTo(8000)),
      maxBufferSize: upTo(19000, 4900),
      maxComputeWorkgroupsPerDimension: upTo(9, 2),
    });
    const sizes: fc.Arbitrary<Partial<Tuning>> = fc.record({
      elementsPerDispatch: upTo(300),
      framesPerCommand: upTo(9),
      lanes: fc.constantFrom(0, 1, 2),
      software: fc.boolean(),
      widestRow: fc.constantFrom(0, 256),
    });

    test('the twins give the numbers of a plan that is not cut', async () => {
      let [several, slices] = [0, 0];
      const cpu = tuningFor({ software: true, cpu: true });
      const draws = fc.sample(fc.tuple(shapes, room, sizes), { seed: 2, numRuns: 130 });
      for (const [{ labels, seed, ...shape }, { spare, ...others }, sizes] of draws) {
        // little more than the frames of a sequence, or its record, take whatever is cut
        const least = Math.max(elementBytes.frame * shape.frames, 700);
        const limits: Limits = { maxStorageBufferBindingSize: least + spare, ...others };
        const most = hasTargets ? labels : 0;
        const batch = makeBatch('random', seed, { ...shape, labels: most, blank: 0, ragged: true });
        const task: ProblemShape = {
          ...{ ...shape, maxTargetLength: most, dtype: 'float32', blank: 0 },
          ...{ reduction: 'none', zeroInfinity: false },
        };
        let cut: Plan;
        try {
          cut = plan(task, limits, { ...cpu, ...sizes });
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          continue;
        }
        const whole = plan(task, limitsOf(undefined), cpu);
        if (cut.commands.length > whole.commands.length + 3) several++;
        slices = Math.max(slices, new Set(cut.problems.map(({ emissionFrame }) => emissionFrame)).size);
        const [got, expected] = [await numbersOf(cut, batch), await numbersOf(whole, batch)];
        for (const [name, values] of Object.entries(expected)) {
          const where = `${name} of ${JSON.stringify({ task, limits, sizes, seed })}`;
          expect(got[name]!.length, where).toBe(values.length);
          const differs = Array.from(values).findIndex((value, i) => !Object.is(got[name]![i], value));
          if (differs >= 0)
            expect.fail(`${where}, [${differs}]: expected ${values[differs]}, got ${got[name]![differs]}`);
        }
      }
      expect(several).toBeGreaterThan(20);
      if (!/^(decode|beam)$/.test(strategy)) expect(slices).toBeGreaterThan(2);
    });
  },
);

describe('the bits of fused and tiled do not depend on the blocks', () => {
  const batches = kinds.map((kind) =>
    makeBatch(kind, 12, { frames: 71, sequences: 4, classes: 9, labels: 33, ragged: kind !== 'tight' }),
  );
  const whole = batches.map((batch) =>
    compute(batch, { device: gpu.device, strategy: 'fused', tuning: { lanes: 16 } }),
  );

  test('which are right', async () => {
    for (const [i, batch] of batches.entries())
      expectReference(await whole[i]!, reference(batch, 'logProbs', 'logits'), batch.frames);
  });

  describe.each(['fused', 'tiled'] as const)('%s', (strategy) => {
    // segments of all steps, of some, of one
    test.each([1, 3, 8].flatMap((lanes) => [2 ** 20, 600, 1].map((steps) => [lanes, steps] as const)))(
      '%d lanes, elements a dispatch %d',
      async (lanes, elementsPerDispatch) => {
        const how: How = { device: gpu.device, strategy, tuning: { lanes, elementsPerDispatch } };
        for (const [i, batch] of batches.entries()) expectSame(await compute(batch, how), await whole[i]!);
      },
    );
  });
});

const withSubgroups = await sharedDevice('subgroups');
const { subgroupSize = 0 } = adapterOf(withSubgroups.device);

describe.runIf(subgroupSize > 0)('lanes that are a subgroup give the bits of lanes with barriers', () => {
  const labels = 4 * subgroupSize * 2 + 3;
  const batch = makeBatch('random', 13, {
    frames: 4 * labels,
    sequences: 3,
    classes: 6,
    labels,
    ragged: true,
  });
  const both = [true, false].map((subgroups) => ({ lanes: subgroupSize, subgroups }));
  test.each([
    ['fused', 2 ** 20],
    ['fused', 1000],
    ['tiled', 2 ** 20],
    ['tiled', 1000],
  ] as const)('%s, elements a dispatch %d', async (strategy, elementsPerDispatch) => {
    const [shuffles, barriers] = both.map((form) =>
      compute(batch, {
        ...{ device: withSubgroups.device, strategy },
        tuning: { ...form, elementsPerDispatch },
      }),
    );
    expectSame(await shuffles!, await barriers!);
    expectReference(await barriers!, reference(batch, 'logProbs', 'logits'), batch.frames);
  });
});

describe.each(strategies)('nothing of an earlier run is left by %s', (strategy) => {
  const how: How = {
    ...{ strategy, keep: strategy === 'step' ? everything : [] },
    ...{ limits: cuts.all.limits, tuning: { ...narrow, ...cuts.all.tuning, workgroupSize: 8 } },
  };
  const big = makeBatch('random', 8, size);
  const strange = { ...big, logProbs: big.logProbs.map((x, i) => [x, Number.NaN, Infinity][i % 3]!) };
  const small = makeBatch('random', 9, { ...size, ragged: true });
  test.each([
    ['a longer problem', big],
    ['NaN and Infinity', strange],
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

  /** Runs into ranges of poisoned buffers: what was written there, after a check of what lies around. */
  async function intoRanges(
    strategy: LossStrategy,
    cut: Cut,
    run: 'run' | 'encode',
    gradOffset: number,
  ): Promise<Computed> {
    const { limits, tuning } = cuts[cut] as How;
    const how: How = {
      ...{ device: gpu.device, strategy },
      limits: { ...limits, maxBufferSize: 2 ** 28 },
      tuning: { ...narrow, ...tuning },
    };
    const { ctc, task } = await prepare(batch, how);
    const { targets, inputLengths, logProbs, sequences } = batch;
    task.setTargets(targets, { inputLengths });
    const outputs = (words: number) => gpu.buffer(new Uint32Array(words).fill(poison));
    const scores = gpu.buffer(Float32Array.of(0, 0, 0, ...logProbs));
    const grad = outputs(logProbs.length + 200);
    const loss = outputs(sequences + 200);
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

  const runs = [
    ['windows', 'run', 4],
    ['windows', 'encode', 252],
    ['slices', 'run', 256],
    ['all', 'run', 100],
    ['all', 'encode', 12],
  ] as const;
  describe.each(strategies)('%s', (strategy) => {
    test.each(runs)(
      'are written in full and nowhere else: %s cut, %s, offset %d',
      async (cut, run, offset) => {
        const got = await intoRanges(strategy, cut, run, offset);
        const expected = await computeUnsplit(batch, { device: gpu.device, strategy });
        expectSameBits(got.grad, expected.grad, 'grad');
        expectLosses(got.loss, expected.loss, 100, batch.frames);
      },
    );
  });
});
