import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { strategyFor, type Tuning, tuningFor } from '../src/auto.js';
import { Pace } from '../src/gpu/pace.js';
import {
  type Binding,
  type Dispatch,
  elementBytes,
  type Limits,
  type LossStrategy,
  type Plan,
  type ProblemShape,
} from '../src/plan.js';
import { uniformBlockBytes } from '../src/problem.js';
import { strategies } from './compute.js';
import { ordinary, planFor } from './twins.js';

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const either = fc.constantFrom;

const tasks = (strategy: LossStrategy): fc.Arbitrary<ProblemShape> =>
  fc.record({
    frames: upTo(40),
    sequences: upTo(6),
    classes: upTo(40),
    layout: either('TNC' as const, 'NTC' as const),
    maxTargetLength: upTo(9, 0),
    scores: either('logProbs' as const, 'logits' as const),
    dtype: either('float32' as const, 'float16' as const),
    gradient: either('logits' as const, 'logProbs' as const, 'none' as const),
    keep: strategy === 'step' ? fc.subarray(['alpha', 'beta', 'posterior'] as const) : fc.constant([]),
    reduction: either('none' as const, 'mean' as const),
    zeroInfinity: fc.boolean(),
    blank: fc.constant(0),
  });
const limitsAndTuning: fc.Arbitrary<[Limits, Tuning]> = fc.tuple(
  fc.record({
    maxStorageBufferBindingSize: upTo(4000, 400),
    maxBufferSize: upTo(9000, 1600),
    maxComputeWorkgroupsPerDimension: upTo(12, 2),
  }),
  fc.record({
    workgroupSize: either(4, 8, 64),
    rowWorkgroupSize: either(4, 64),
    sharedRow: either(0, 20, 512),
    elementsPerDispatch: upTo(400),
    stepsPerDispatch: either(5, 2 ** 14),
    widestRow: either(0, 4, 256),
    framesPerCommand: upTo(9),
    partBytes: either(2000, Number.POSITIVE_INFINITY),
    lanes: either(0, 1, 1, 2, 3),
    subgroups: fc.boolean(),
    software: fc.boolean(),
  }),
);

/** Holds for every plan that is not refused; a refusal names a dimension and the bytes. */
function forEveryPlan(
  claim: (plan: Plan, limits: Limits, inputLengths: number[]) => void,
  of: readonly LossStrategy[] = strategies,
) {
  for (const strategy of of) {
    let plans = 0;
    const lengths = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(tasks(strategy), limitsAndTuning, lengths, (task, [limits, tuning], seeds) => {
        let plan: Plan;
        try {
          plan = planFor(task, limits, tuning, strategy);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect((error as Error).message).toMatch(/^(T|N|C|maxTargetLength)\b.*\d+/);
          return;
        }
        plans++;
        const inputLengths = seeds.slice(0, task.sequences).map((seed) => seed % (task.frames + 1));
        claim(plan, limits, inputLengths);
      }),
      { seed: 1, numRuns: 400 },
    );
    expect(plans, strategy).toBeGreaterThan(200);
  }
}

const everyDispatch = (plan: Plan) =>
  plan.commands.filter((command): command is Dispatch => command.type === 'dispatch');

const dispatches = (plan: Plan, kernel: string) =>
  everyDispatch(plan).filter((command) => command.kernel === kernel);

/** The rows of the caller's tensors that a dispatch of a row kernel comes by. */
function reached(plan: Plan, { problem, grid, constants }: Dispatch): [n: number, t: number][] {
  const p = plan.problems[problem]!;
  const reached = p.boxFrame + grid[0] * (constants.ALONE ? Number(constants.WORKGROUP) : 1);
  const rows: [number, number][] = [];
  for (let n = p.boxSequence; n < p.boxSequence + grid[1]; n++) {
    for (let t = p.boxFrame; t < Math.min(reached, p.boxEnd); t++) {
      const row = t * p.frameStride + n * p.sequenceStride - p.firstRow;
      if (row >= 0 && row < p.rowCount) rows.push([n, t]);
    }
  }
  return rows;
}

/** How often each (n, t) is handled by the row kernels of the step strategy, in the order n · T + t. */
function visits(plan: Plan, kernel: 'rows' | 'gradient'): number[] {
  const { frames, sequences } = plan.task;
  const counts = new Array<number>(frames * sequences).fill(0);
  for (const dispatch of dispatches(plan, kernel))
    for (const [n, t] of reached(plan, dispatch)) counts[n * frames + t]!++;
  return counts;
}

/** Where sweeps from both ends have a frame, as in shaders/shared/middle.wgsl: the middle one is in both. */
function stepsOf(t: number, length: number): { sweep: number; k: number }[] {
  const middle = Math.floor((length - 1) / 2);
  return [
    ...(t <= middle ? [{ sweep: 0, k: t }] : []),
    ...(t >= middle ? [{ sweep: 1, k: length - 1 - t }] : []),
  ];
}

const sweeping = ['fused', 'tiled'] as const;

/** Frames in the order of the dispatches, for each first sequence of a part. */
function walk(plan: Plan, kernel: 'alpha' | 'beta'): Map<number, number[]> {
  const walks = new Map<number, number[]>();
  for (const { problem, steps } of dispatches(plan, kernel)) {
    const { firstSequence, boxFrame, boxEnd, segment } = plan.problems[problem]!;
    const walked = walks.get(firstSequence) ?? [];
    const { count, descending } = steps!;
    for (let i = 0; i < count; i++) {
      const first = boxFrame + (descending ? count - 1 - i : i) * segment;
      const part = Array.from({ length: Math.min(segment, boxEnd - first) }, (_, k) => first + k);
      walked.push(...(descending ? part.reverse() : part));
    }
    walks.set(firstSequence, walked);
  }
  return walks;
}

/** Steps in the order in which a group of blocks walks them. */
function walkOf(plan: Plan, { problem, steps, kernel }: Dispatch, group: number): number[] {
  const { boxFrame, boxEnd, segment } = plan.problems[problem]!;
  const walked: number[] = [];
  for (let i = 0; i < steps!.count; i++) {
    const first = boxFrame + ((steps!.descending ? steps!.count - 1 - i : i) - group) * segment;
    const part: number[] = [];
    for (let k = Math.max(first, boxFrame); k < Math.min(first + segment, boxEnd); k++) part.push(k);
    walked.push(...(kernel === 'spread' ? part.reverse() : part));
  }
  return walked;
}

const bytesOf = (plan: Plan, name: string) => {
  const { element, count } = plan.buffers[name]!;
  return elementBytes[element] * count;
};

describe('a plan, whatever the shape and the limits', () => {
  test('turns each row of the scores into emissions once, and once more where a time slice needs its neighbour', () =>
    forEveryPlan(
      (plan) => {
        const { frames } = plan.task;
        const firsts = new Set(plan.problems.map((p) => p.emissionFrame));
        visits(plan, 'rows').forEach((count, i) => {
          expect(count).toBe(i % frames > 0 && firsts.has(i % frames) ? 2 : 1);
        });
      },
      ['step'],
    ));

  test('has in memory the emissions of all steps that a sweep is about to walk', () =>
    forEveryPlan((plan, _limits, inputLengths) => {
      const written = new Map<number, string>();
      for (const dispatch of everyDispatch(plan)) {
        const p = plan.problems[dispatch.problem]!;
        const place = (n: number, sweep: number, k: number) =>
          (2 * (n - p.firstSequence) + sweep) * p.emissionRows + k - p.emissionFrame;
        const held = (k: number) => k >= p.emissionFrame && k < p.emissionFrame + p.emissionRows;
        if (dispatch.kernel === 'rows') {
          for (const [n, t] of reached(plan, dispatch))
            for (const { sweep, k } of t < inputLengths[n]! ? stepsOf(t, inputLengths[n]!) : [])
              if (held(k)) written.set(place(n, sweep, k), `${n} ${sweep} ${k}`);
        } else if (dispatch.kernel === 'sweep') {
          for (let n = p.firstSequence; n < p.firstSequence + dispatch.grid[1] / 2; n++)
            for (let t = 0; t < inputLengths[n]!; t++)
              for (const { sweep, k } of stepsOf(t, inputLengths[n]!))
                if (k >= p.boxFrame && k < p.boxEnd)
                  expect(written.get(place(n, sweep, k)), `step ${k}`).toBe(`${n} ${sweep} ${k}`);
        }
      }
    }, sweeping));

  test('writes each row of the gradient once, whatever the lengths', () =>
    forEveryPlan((plan, _limits, inputLengths) => {
      const { frames, sequences, gradient } = plan.task;
      const counts = new Array<number>(frames * sequences).fill(0);
      for (const dispatch of dispatches(plan, 'gradient')) {
        const { emissionFrame, emissionRows } = plan.problems[dispatch.problem]!;
        for (const [n, t] of reached(plan, dispatch)) {
          // the middle frame counts for sweep 0, unused frames for the first slice
          const k = t < inputLengths[n]! ? stepsOf(t, inputLengths[n]!)[0]!.k : 0;
          const held = k >= emissionFrame && k < emissionFrame + emissionRows;
          if (plan.strategy === 'step' || held) counts[n * frames + t]!++;
        }
      }
      expect(counts.every((count) => count === (gradient === 'none' ? 0 : 1))).toBe(true);
    }));

  test('sweeps through all steps of each part, keeps checkpoints, and spreads back through what it stored', () =>
    forEveryPlan((plan) => {
      const steps = Math.floor(plan.task.frames / 2) + 1;
      const all = Array.from({ length: steps }, (_, k) => k);
      const backward = plan.task.gradient !== 'none';
      const sequences = dispatches(plan, 'loss').flatMap(({ problem, grid }) =>
        Array.from({ length: grid[0] }, (_, i) => plan.problems[problem]!.firstSequence + i),
      );
      expect(sequences).toEqual(Array.from({ length: plan.task.sequences }, (_, n) => n));
      for (const { problem } of dispatches(plan, 'loss')) {
        const of = everyDispatch(plan).filter(
          ({ problem: own, steps: walk }) =>
            walk && plan.problems[own]!.firstSequence === plan.problems[problem]!.firstSequence,
        );
        for (let group = 0; group < of[0]!.grid[0]; group++) {
          const walks = of.map((dispatch) => ({ ...dispatch, walked: walkOf(plan, dispatch, group) }));
          const sweeps = walks.filter(({ kernel }) => kernel === 'sweep');
          const spread = walks.filter(({ kernel }) => kernel === 'spread').flatMap(({ walked }) => walked);
          expect(spread).toEqual(backward ? all.toReversed() : []);
          // once forward, the last slice stored at once; then the others again, from the last to the first
          const slices = sweeps.findIndex(({ walked }) => walked.includes(steps - 1)) + 1;
          expect(sweeps.slice(0, slices).flatMap(({ walked }) => walked)).toEqual(all);
          const again = sweeps.slice(slices).map(({ walked }) => walked);
          const earlier = sweeps.slice(0, slices - 1).map(({ walked }) => walked);
          expect(again).toEqual(backward ? earlier.toReversed() : []);
          expect(sweeps.map(({ constants }) => constants.STORE)).toEqual(
            sweeps.map((_, i) => backward && i >= slices - 1),
          );
        }
      }
    }, sweeping));

  test('walks the frames of each part once, forward for alpha and backward for beta', () =>
    forEveryPlan(
      (plan) => {
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
      },
      ['step'],
    ));

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

const adapters = {
  'a GPU with 32 lanes a subgroup': tuningFor({ software: false, subgroupSize: 32 }),
  'a GPU without subgroups': tuningFor({ software: false }),
  'software with 4 lanes a subgroup': tuningFor({ software: true, subgroupSize: 4 }),
  'software without subgroups': tuningFor({ software: true }),
};
const gpu = adapters['a GPU without subgroups'];

describe('what does not fit is refused by name', () => {
  test.each([
    ['T', { frames: 2 ** 24 }],
    ['N', { sequences: 2 ** 21 }],
    ['C', { sequences: 1, classes: 2 ** 26 }],
    ['maxTargetLength', { sequences: 1, maxTargetLength: 2 ** 25 }],
  ])('%s', (dimension, change) => {
    for (const strategy of strategies)
      expect(() => planFor({ ...speech, ...change }, ordinary, gpu, strategy)).toThrow(
        expect.objectContaining({ name: 'RangeError', message: expect.stringMatching(`^${dimension}\\b`) }),
      );
  });

  test('step: more labels than a grid of workgroups takes; tiled gives a workgroup more blocks', () => {
    const [tooMany, most] = [2 ** 22 - 1, 2 ** 22 - 65];
    const task = { ...speech, sequences: 1, maxTargetLength: tooMany };
    expect(() => planFor(task, ordinary, gpu, 'step')).toThrow(
      expect.objectContaining({
        name: 'RangeError',
        message: expect.stringContaining(`expected at most ${most}`),
      }),
    );
    expect(planFor({ ...task, maxTargetLength: most }, ordinary, gpu, 'step').strategy).toBe('step');
    const wide = { ...task, maxTargetLength: 2 ** 21 };
    const [sweep] = everyDispatch(
      planFor(wide, ordinary, adapters['software without subgroups'], 'tiled'),
    ).filter(({ kernel }) => kernel === 'sweep');
    expect(sweep!.grid[0]).toBeLessThanOrEqual(ordinary.maxComputeWorkgroupsPerDimension);
  });

  test.each(strategies)('but 10 GB of scores fit the smallest limits of WebGPU: %s', (strategy) => {
    const task = { ...speech, frames: 5000, sequences: 64, classes: 8000 };
    expect(planFor(task, ordinary, gpu, strategy).commands.length).toBeGreaterThan(3);
  });
});

describe.each(Object.entries(adapters))('on %s', (_, tuning) => {
  test.each([
    [30000, 1, 32, 3000],
    [30000, 1, 5000, 3000],
    [30000, 3, 32, 3000],
  ])(
    '%d frames, %d sequences, %d classes, %d labels take at most 256 MiB on default limits',
    (T, N, C, S) => {
      const task = { ...speech, frames: T, sequences: N, classes: C, maxTargetLength: S };
      for (const strategy of sweeping) {
        const { memory, commands } = planFor(task, ordinary, tuning, strategy);
        expect(memory, strategy).toBeLessThanOrEqual(2 ** 28);
        expect(commands.length).toBeGreaterThan(3);
      }
    },
  );

  const pipelinesOf = (task: ProblemShape, strategy: LossStrategy) => {
    // a sweep may be done in one dispatch or in several: another class
    const keys = everyDispatch(planFor(task, ordinary, tuning, strategy)).map(
      ({ kernel, constants: { RESUMES, ...constants } }) => `${kernel} ${JSON.stringify(constants)}`,
    );
    return [...new Set(keys)].sort();
  };

  test.each(strategies)('shapes of a class have the same pipelines: %s', (strategy) => {
    const pipelines = pipelinesOf(speech, strategy);
    // a row of step has a workgroup of its own, of as many invocations as a power of two holds its pairs
    const ofRows = (keys: string[]) => keys.filter((key) => !/^(alpha|beta) /.test(key));
    for (const maxTargetLength of [128, 255])
      expect(pipelinesOf({ ...speech, maxTargetLength }, strategy)).toEqual(pipelines);
    for (const change of [
      { frames: 50, sequences: 16, classes: 20, maxTargetLength: 30 },
      { frames: 150, sequences: 32, classes: 28, maxTargetLength: 40, blank: 3 },
      { layout: 'NTC', zeroInfinity: true },
      { frames: 1, sequences: 1, classes: 100, maxTargetLength: 0 },
    ] as const)
      expect(ofRows(pipelinesOf({ ...speech, ...change }, strategy))).toEqual(ofRows(pipelines));
    // many classes are another way through the rows, and through nothing else
    const wide = pipelinesOf({ ...speech, classes: 5000 }, strategy);
    const others = wide.filter((key) => !pipelines.includes(key)).map((key) => key.split(' ')[0]);
    // a GPU has lanes for every row
    expect(others).toEqual(tuning.software ? ['gradient', 'rows'] : []);
  });
});

describe('the strategy', () => {
  const chosen = (change: Partial<ProblemShape>, tuning: Tuning = gpu) =>
    strategyFor('auto', { ...speech, ...change }, tuning);

  test('is what was asked for', () => {
    for (const strategy of strategies)
      for (const tuning of Object.values(adapters))
        expect(strategyFor(strategy, { ...speech, maxTargetLength: 30000 }, tuning)).toBe(strategy);
    expect(strategyFor('step', { ...speech, keep: ['beta'] }, gpu)).toBe('step');
  });

  test('else step, where something is kept', () => {
    expect(chosen({ keep: ['alpha'] })).toBe('step');
    for (const strategy of sweeping)
      expect(() => strategyFor(strategy, { ...speech, keep: ['alpha'] }, gpu)).toThrow(
        new TypeError(
          `keep: expected nothing with strategy '${strategy}', which stores no lattice; use 'step'`,
        ),
      );
  });

  test('else tiled, where a GPU would have few workgroups and each of them much to do', () => {
    // two blocks of 64 lanes, four pairs each
    expect(chosen({ sequences: 32, maxTargetLength: 256 })).toBe('tiled');
    expect(chosen({ sequences: 33, maxTargetLength: 256 })).toBe('fused');
    expect(chosen({ sequences: 1, maxTargetLength: 255 })).toBe('fused');
    expect(chosen({ sequences: 1, maxTargetLength: 256, frames: 511 })).toBe('fused');
    const narrow = adapters['a GPU with 32 lanes a subgroup'];
    expect(chosen({ sequences: 48, maxTargetLength: 300 }, narrow)).toBe('tiled');
    expect(chosen({ sequences: 49, maxTargetLength: 300 }, narrow)).toBe('fused');
  });

  test('else fused', () => {
    expect(chosen({})).toBe('fused');
    for (const name of ['software with 4 lanes a subgroup', 'software without subgroups'] as const)
      expect(chosen({ sequences: 1, maxTargetLength: 30000 }, adapters[name])).toBe('fused');
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
