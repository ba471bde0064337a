import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pace } from '../src/gpu/pace.js';
import {
  type Binding,
  type Dispatch,
  elementBytes,
  type Limits,
  type Plan,
  type ProblemShape,
  type Tuning,
  tuningFor,
} from '../src/plan.js';
import { uniformBlockBytes } from '../src/problem.js';
import { planStep } from '../src/step.js';

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const either = fc.constantFrom;

const tasks: fc.Arbitrary<ProblemShape> = fc.record({
  frames: upTo(40),
  sequences: upTo(6),
  classes: upTo(40),
  layout: either('TNC' as const, 'NTC' as const),
  maxTargetLength: upTo(9, 0),
  scores: either('logProbs' as const, 'logits' as const),
  dtype: either('float32' as const, 'float16' as const),
  gradient: either('logits' as const, 'logProbs' as const, 'none' as const),
  keep: fc.subarray(['alpha', 'beta', 'posterior'] as const),
  reduction: either('none' as const, 'mean' as const),
  zeroInfinity: fc.boolean(),
  blank: fc.constant(0),
});
const limitsAndTuning: fc.Arbitrary<[Limits, Tuning]> = fc.tuple(
  fc.record({
    maxStorageBufferBindingSize: upTo(4000, 400),
    maxBufferSize: upTo(9000, 1600),
    maxComputeWorkgroupsPerDimension: upTo(12),
  }),
  fc.record({
    workgroupSize: either(4, 8, 64),
    rowWorkgroupSize: either(4, 64),
    sharedRow: either(0, 20, 512),
    elementsPerDispatch: upTo(400),
    framesPerCommand: upTo(9),
  }),
);

/** Holds for every plan that is not refused; a refusal names a dimension and the bytes. */
function forEveryPlan(claim: (plan: Plan, limits: Limits) => void) {
  let plans = 0;
  fc.assert(
    fc.property(tasks, limitsAndTuning, (task, [limits, tuning]) => {
      let plan: Plan;
      try {
        plan = planStep(task, limits, tuning);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        expect((error as Error).message).toMatch(/^(T|N|C|maxTargetLength)\b.*\d+/);
        return;
      }
      plans++;
      claim(plan, limits);
    }),
    { seed: 1, numRuns: 400 },
  );
  expect(plans).toBeGreaterThan(200);
}

const everyDispatch = (plan: Plan) =>
  plan.commands.filter((command): command is Dispatch => command.type === 'dispatch');

const dispatches = (plan: Plan, kernel: string) =>
  everyDispatch(plan).filter((command) => command.kernel === kernel);

/** How often each (n, t) is handled by the row kernels, in the order n · T + t. */
function visits(plan: Plan, kernel: 'rows' | 'gradient'): number[] {
  const { frames, sequences } = plan.task;
  const counts = new Array<number>(frames * sequences).fill(0);
  for (const { problem, grid, constants } of dispatches(plan, kernel)) {
    const p = plan.problems[problem]!;
    const reached = p.boxFrame + grid[0] * (constants.ALONE ? Number(constants.WORKGROUP) : 1);
    for (let n = p.boxSequence; n < p.boxSequence + grid[1]; n++) {
      for (let t = p.boxFrame; t < Math.min(reached, p.boxEnd); t++) {
        const row = t * p.frameStride + n * p.sequenceStride - p.firstRow;
        if (row >= 0 && row < p.rowCount) counts[n * frames + t]!++;
      }
    }
  }
  return counts;
}

/** Frames in the order of the dispatches, for each first sequence of a part. */
function walk(plan: Plan, kernel: 'alpha' | 'beta'): Map<number, number[]> {
  const walks = new Map<number, number[]>();
  for (const { problem, steps } of dispatches(plan, kernel)) {
    const { firstSequence, boxFrame } = plan.problems[problem]!;
    const walked = walks.get(firstSequence) ?? [];
    const { count, descending } = steps!;
    for (let i = 0; i < count; i++) walked.push(boxFrame + (descending ? count - 1 - i : i));
    walks.set(firstSequence, walked);
  }
  return walks;
}

const bytesOf = (plan: Plan, name: string) => {
  const { element, count } = plan.buffers[name]!;
  return elementBytes[element] * count;
};

describe('a plan, whatever the shape and the limits', () => {
  test('turns each row of the scores into emissions once, and once more where a time slice needs its neighbour', () =>
    forEveryPlan((plan) => {
      const { frames } = plan.task;
      const firsts = new Set(plan.problems.map((p) => p.emissionFrame));
      visits(plan, 'rows').forEach((count, i) => {
        expect(count).toBe(i % frames > 0 && firsts.has(i % frames) ? 2 : 1);
      });
    }));

  test('writes each row of the gradient once', () =>
    forEveryPlan((plan) => {
      const once = plan.task.gradient === 'none' ? 0 : 1;
      expect(visits(plan, 'gradient').every((count) => count === once)).toBe(true);
    }));

  test('walks the frames of each part once, forward for alpha and backward for beta', () =>
    forEveryPlan((plan) => {
      const forward = Array.from({ length: plan.task.frames }, (_, t) => t);
      for (const frames of walk(plan, 'alpha').values()) expect(frames).toEqual(forward);
      for (const frames of walk(plan, 'beta').values()) expect(frames).toEqual(forward.toReversed());
      const parts = dispatches(plan, 'loss').map(({ problem, grid }) => [
        plan.problems[problem]!.firstSequence,
        grid[0],
      ]);
      expect([...walk(plan, 'alpha').keys()]).toEqual(parts.map(([first]) => first));
      expect(parts.reduce((end, [first, count]) => (first === end ? end + count! : Number.NaN), 0)).toBe(
        plan.task.sequences,
      );
    }));

  test('binds no more than the device allows, from offsets that it allows', () =>
    forEveryPlan((plan, { maxStorageBufferBindingSize: most }) => {
      const allowed = (to: Binding) => {
        if ('buffer' in to) {
          const { element, count } = plan.buffers[to.buffer]!;
          const { first = 0, count: bound = count - first } = to;
          const bytes = elementBytes[element];
          return (first * bytes) % 256 === 0 && first + bound <= count && bound * bytes <= most;
        }
        if (to.tensor !== 'scores' && to.tensor !== 'grad') return true;
        const { rowBytes, rowsPerBuffer } = plan.tensors[to.tensor];
        const bufferOf = (row: number) => Math.floor(row / rowsPerBuffer);
        // wherever the window starts, up to 252 bytes before it are bound too
        return (
          to.rows * rowBytes + 252 <= most && bufferOf(to.firstRow) === bufferOf(to.firstRow + to.rows - 1)
        );
      };
      const bindings = everyDispatch(plan).flatMap((command) => Object.values(command.bindings));
      expect(bindings.filter((to) => !allowed(to))).toEqual([]);
    }));

  test('keeps buffers and grids within the limits', () =>
    forEveryPlan((plan, { maxBufferSize, maxComputeWorkgroupsPerDimension }) => {
      for (const name of Object.keys(plan.buffers))
        expect(bytesOf(plan, name), name).toBeLessThanOrEqual(maxBufferSize);
      for (const { rowsPerBuffer, rowBytes } of Object.values(plan.tensors))
        expect(rowsPerBuffer * rowBytes).toBeLessThanOrEqual(maxBufferSize);
      for (const { grid, kernel } of everyDispatch(plan))
        expect(Math.max(...grid), kernel).toBeLessThanOrEqual(maxComputeWorkgroupsPerDimension);
    }));

  test('keeps each frame of each sequence in one block', () =>
    forEveryPlan(({ task, kept }) => {
      const cells = kept.flatMap(({ firstSequence, sequences, firstFrame, frames }) =>
        Array.from({ length: sequences * frames }, (_, i) => {
          const n = firstSequence + Math.floor(i / frames);
          return n * task.frames + firstFrame + (i % frames);
        }),
      );
      const all = task.keep.length > 0 ? task.frames * task.sequences : 0;
      expect(cells.toSorted((a, b) => a - b)).toEqual(Array.from({ length: all }, (_, i) => i));
    }));

  test('copies within its buffers', () =>
    forEveryPlan((plan) => {
      for (const command of plan.commands) {
        if (command.type !== 'copy') continue;
        const { from, to, fromFirst, toFirst, count } = command;
        expect(fromFirst + count).toBeLessThanOrEqual(plan.buffers[from]!.count);
        expect(toFirst + count).toBeLessThanOrEqual(plan.buffers[to]!.count);
        expect(plan.buffers[from]!.element).toBe(plan.buffers[to]!.element);
      }
    }));

  test('says how much memory it takes', () =>
    forEveryPlan((plan) => {
      const buffers = Object.keys(plan.buffers).reduce((sum, name) => sum + bytesOf(plan, name), 0);
      expect(plan.memory).toBe(buffers + (plan.problems.length + plan.integers) * uniformBlockBytes);
      for (const { steps } of everyDispatch(plan))
        expect(steps?.count ?? 0).toBeLessThanOrEqual(plan.integers);
      expect(plan.integers).toBeGreaterThanOrEqual(uniformBlockBytes / 2);
    }));

  test('is data', () => forEveryPlan((plan) => expect(JSON.parse(JSON.stringify(plan))).toEqual(plan)));
});

const ordinary: Limits = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupsPerDimension: 65535,
};
const speech: ProblemShape = {
  frames: 1000,
  sequences: 16,
  classes: 32,
  layout: 'TNC',
  maxTargetLength: 200,
  scores: 'logProbs',
  dtype: 'float32',
  gradient: 'logits',
  keep: [],
  reduction: 'mean',
  zeroInfinity: false,
  blank: 0,
};

describe('what does not fit is refused by name', () => {
  test.each([
    ['T', { frames: 2 ** 24 }],
    ['N', { sequences: 2 ** 21 }],
    ['C', { sequences: 1, classes: 2 ** 26 }],
    ['maxTargetLength', { sequences: 1, maxTargetLength: 2 ** 22 - 1 }],
    ['maxTargetLength', { sequences: 1, maxTargetLength: 2 ** 25 }],
  ])('%s', (dimension, change) => {
    expect(() => planStep({ ...speech, ...change }, ordinary, tuningFor({ software: false }))).toThrow(
      expect.objectContaining({ name: 'RangeError', message: expect.stringMatching(`^${dimension}\\b`) }),
    );
  });

  test('but 30,000 frames with 3,000 labels, or 10 GB of scores, fit the smallest limits of WebGPU', () => {
    for (const change of [
      { frames: 30000, maxTargetLength: 3000, sequences: 3 },
      { frames: 5000, sequences: 64, classes: 8000 },
    ])
      expect(planStep({ ...speech, ...change }, ordinary, tuningFor({ software: false })).commands.length).toBeGreaterThan(
        3,
      );
  });
});

/** Feeds a pace with the times that a clock shows; the real work of each slice, in milliseconds. */
function paced(
  steps: number,
  shown: (work: number) => number,
  costPerMs = (_step: number) => 2 ** 17,
): number[] {
  const pace = new Pace(2 ** 20);
  return Array.from({ length: steps }, (_, step) => {
    const work = pace.size / costPerMs(step);
    pace.learn(pace.size, shown(work));
    return work;
  });
}

describe('the pace finds slices of some tens of milliseconds and never one above 200', () => {
  const speeds = [2 ** 15, 2 ** 17, 2 ** 20, 2 ** 24];
  const clocks: [string, (work: number) => number][] = [
    ['a plain clock', (work) => work + 0.2],
    ['waits of at least 100 ms', (work) => Math.max(100, work)],
    ['waits 100 ms longer than the work', (work) => 100 + work],
    ['a clock of 100 ms ticks', (work) => 100 * Math.ceil(work / 100)],
  ];
  describe.each(clocks)('%s', (_, clock) => {
    test.each(speeds)('at %d of cost a millisecond', (speed) => {
      const works = paced(40, clock, () => speed);
      expect(Math.max(...works)).toBeLessThanOrEqual(200);
      const settled = works.slice(20).toSorted((a, b) => a - b);
      expect(settled[10]).toBeGreaterThan(25 / 4);
      // a wait of 100 ms that hides what is shorter leaves no more to go by
      expect(settled[10]).toBeLessThan(25 * 5);
    });
  });

  test.each([
    [2 ** 20, 2 ** 15],
    [2 ** 20, 2 ** 11],
    [2 ** 11, 2 ** 20],
  ])('also when a kernel of %d of cost a millisecond gives way to one of %d', (before, after) => {
    const works = paced(
      60,
      (work) => work + 0.2,
      (step) => (step < 5 ? before : after),
    );
    expect(Math.max(...works.slice(30))).toBeLessThanOrEqual(200);
    expect(Math.max(...works.slice(30))).toBeGreaterThan(25 / 4);
  });
});
