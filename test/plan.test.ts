import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { bindingsOf, type KernelBinding, type KernelName, moduleOf } from '../src/kernels/kernels.js';
import { texts as searchTexts } from '../src/kernels/search-texts.js';
import { texts as allTexts } from '../src/kernels/texts.js';
import { type Problem, uniformBlockBytes } from '../src/kernels/uniforms.js';
import { Draft } from '../src/plan/draft.js';
import {
  type Binding,
  type Dispatch,
  type ElementRange,
  elementBytes,
  type Limits,
  type Plan,
  type ProblemShape,
  portOf,
  recordingsOf,
} from '../src/plan/plan.js';
import { planPosterior } from '../src/plan/posterior-plan.js';
import type { LossStrategy } from '../src/plan/strategies.js';
import { strategyFor } from '../src/plan/strategies.js';
import { type Tuning, tuningFor } from '../src/plan/tuning.js';
import { allocate } from '../src/run/cpu/buffers.js';
import { limitsOf } from '../src/run/device.js';
import { Pace } from '../src/run/gpu/pace.js';
import { programOf } from '../src/run/gpu/program.js';
import { strategies } from './compute.js';
import { sharedDevice } from './device.js';
import { everyOperation, type Operation, operations } from './operations.js';
import { ordinary } from './twins.js';

const texts = { ...allTexts, ...searchTexts };
const { device, alive } = await sharedDevice();

const upTo = (max: number, min = 1) => fc.integer({ min, max });
const either = fc.constantFrom;

const tasks = ({ gradients, keeping, hasTargets }: Operation, strategy: string): fc.Arbitrary<ProblemShape> =>
  fc.record({
    frames: fc.oneof(upTo(40), upTo(300)),
    sequences: fc.oneof(upTo(6), upTo(20)),
    classes: upTo(40),
    layout: either('TNC' as const, 'NTC' as const),
    maxTargetLength: hasTargets ? upTo(9, 0) : fc.constant(0),
    scores: either('logProbs' as const, 'logits' as const),
    dtype: either('float32' as const, 'float16' as const),
    gradient: either(...gradients),
    keep: keeping.includes(strategy) ? fc.subarray(['alpha', 'beta', 'posterior'] as const) : fc.constant([]),
    reduction: either('none' as const, 'mean' as const),
    zeroInfinity: fc.boolean(),
    blank: fc.constant(0),
  });
const small = fc.record({
  maxStorageBufferBindingSize: upTo(4000, 400),
  maxBufferSize: upTo(9000, 1600),
  maxComputeWorkgroupsPerDimension: upTo(12, 2),
});
const larger = fc.record({
  maxStorageBufferBindingSize: upTo(40000, 4000),
  maxBufferSize: upTo(60000, 9000),
  maxComputeWorkgroupsPerDimension: upTo(12, 2),
});
const tunings: fc.Arbitrary<Tuning> = fc.record({
  workgroupSize: either(4, 8, 64),
  rowWorkgroupSize: either(4, 64),
  sharedRow: either(0, 20, 512),
  elementsPerDispatch: fc.oneof(upTo(400), upTo(10000)),
  stepsPerDispatch: either(5, 2 ** 14),
  widestRow: either(0, 4, 256),
  framesPerCommand: upTo(9),
  partBytes: either(2000, Number.POSITIVE_INFINITY),
  lanes: either(0, 1, 1, 2, 3),
  subgroups: fc.boolean(),
  software: fc.boolean(),
});

const everyDispatch = (plan: Plan) =>
  plan.commands.filter((command): command is Dispatch => command.type === 'dispatch');

const dispatches = (plan: Plan, kernel: string) =>
  everyDispatch(plan).filter((command) => command.kernel === kernel);

const bufferOf = (to: Binding) => ('buffer' in to ? to.buffer : to.port);

const bytesOf = (plan: Plan, name: string) => {
  const { element, count } = plan.buffers[name]!;
  return elementBytes[element] * count;
};

/** Bytes of a buffer's twin. */
function bytesOnCpu(plan: Plan, name: string): number {
  const twin = allocate(plan.buffers[name]!);
  return 'm' in twin ? twin.m.byteLength + twin.e.byteLength : twin.byteLength;
}

/** The rows of the caller's tensors that a dispatch of a row kernel comes by. */
function reached(plan: Plan, { problem, grid, constants }: Dispatch): [n: number, t: number][] {
  const p = plan.problems[problem]!;
  const reached = p.boxFrame + grid[0] * (constants.ALONE ? Number(constants.WORKGROUP) : 1);
  const rows: [number, number][] = [];
  for (let n = p.boxSequence; n < p.boxSequence + grid[1]; n++) {
    for (let t = p.boxFrame; t < Math.min(reached, p.boxEnd); t++) {
      const recording = constants.CANDIDATES ? Math.floor(n / p.candidates) : n;
      const row = t * p.frameStride + recording * p.sequenceStride - p.firstRow;
      if (row >= 0 && row < p.rowCount) rows.push([n, t]);
    }
  }
  return rows;
}

/** Where sweeps from both ends have a frame, as in shaders/shared/middle.wgsl: the middle one is in both. */
function stepsOf(t: number, length: number): { sweep: number; k: number }[] {
  const middle = Math.floor((length - 1) / 2);
  return [
    ...(t <= middle ? [{ sweep: 0, k: t }] : []),
    ...(t >= middle ? [{ sweep: 1, k: length - 1 - t }] : []),
  ];
}

/** Steps, or frames, in the order in which a group of blocks walks them: dispatches that go down do so within a segment, too. */
function walkOf(plan: Plan, { problem, steps }: Dispatch, group: number): number[] {
  const { boxFrame, boxEnd, segment } = plan.problems[problem]!;
  const walked: number[] = [];
  for (let i = 0; i < steps!.count; i++) {
    const first = boxFrame + ((steps!.descending ? steps!.count - 1 - i : i) - group) * segment;
    const part: number[] = [];
    for (let k = Math.max(first, boxFrame); k < Math.min(first + segment, boxEnd); k++) part.push(k);
    walked.push(...(steps!.descending ? part.reverse() : part));
  }
  return walked;
}

const upwards = (end: number) => Array.from({ length: end }, (_, i) => i);

/** The dispatches of each part of the batch, in their order: those that are asked for. */
function byPart(plan: Plan, asked: (dispatch: Dispatch) => boolean): Map<number, Dispatch[]> {
  const parts = new Map<number, Dispatch[]>();
  for (const dispatch of everyDispatch(plan)) {
    if (!asked(dispatch)) continue;
    const { firstSequence } = plan.problems[dispatch.problem]!;
    parts.set(firstSequence, [...(parts.get(firstSequence) ?? []), dispatch]);
  }
  return parts;
}

/** The least that a dispatch of each kernel has to do: a step of a part; of some a row, or what one sequence cannot share out. */
const leastWork: Readonly<
  Record<KernelName, (task: ProblemShape, problem: Problem, sequences: number) => number>
> = (() => {
  /** Its classes, and each label that occurs. */
  const aRow = ({ classes, maxTargetLength, delimiter }: ProblemShape) =>
    classes + Math.min(maxTargetLength, classes - 1) + Number(delimiter !== undefined);
  const aGradient = ({ classes, maxTargetLength }: ProblemShape) => classes + maxTargetLength;
  const aFrame = (_: ProblemShape, { pairs }: Problem, rows: number) => 4 * pairs * rows;
  const allFrames = ({ frames }: ProblemShape) => frames;
  const aStep = (_: ProblemShape, { pairs }: Problem, rows: number) => pairs * rows;
  return {
    ...{ rows: aRow, gradient: aGradient, spell: aRow, greedy: aRow, prune: aRow },
    // a frame of a part
    beam: ({ classes }, _, sequences) => sequences * 4 * Math.min(5, classes),
    unwind: ({ frames }, _, sequences) => sequences * 4 * frames,
    ...{ alpha: aFrame, beta: aFrame, posterior: aStep },
    ...{ loss: allFrames, scales: allFrames, arrive: allFrames, trace: allFrames },
    ...{ sweep: aStep, spread: aStep, viterbi: aStep },
    reduce: ({ sequences }) => sequences,
    draw: ({ maxTargetLength }, { count }) => count * (maxTargetLength + 1),
    // of both sweeps
    sample: (_, { count }, sequences) => 2 * count * sequences,
    durations: (task, problem, sequences) => 2 * aStep(task, problem, sequences),
  };
})();

/** A plan as it was drawn. */
interface Drawn {
  readonly plan: Plan;
  readonly limits: Limits;
  readonly tuning: Tuning;
  readonly inputLengths: readonly number[];
  readonly operation: Operation;
  /** What each kernel declares, besides uniforms. */
  readonly declared: ReadonlyMap<Dispatch, readonly KernelBinding[]>;
}

/** Holds for every plan that is not refused. What is checked often is not left to `expect`, which takes its time. */
const claims: Readonly<Record<string, (drawn: Drawn) => void>> = {
  'binds what each kernel declares, and nothing else': ({ plan, declared }) => {
    for (const dispatch of everyDispatch(plan)) {
      const wanted = declared.get(dispatch)!.map(({ name }) => name);
      const bound = Object.keys(dispatch.bindings);
      if (bound.length !== wanted.length || wanted.some((name) => !dispatch.bindings[name]))
        expect(bound.sort(), dispatch.kernel).toEqual(wanted.sort());
    }
  },

  'binds no more than the device allows, from offsets that it allows': ({ plan, limits }) => {
    const most = limits.maxStorageBufferBindingSize;
    const allowed = (to: Binding) => {
      if ('buffer' in to) {
        const { element, count } = plan.buffers[to.buffer]!;
        const { first = 0, count: bound = count - first } = to;
        const bytes = elementBytes[element];
        const inside = bound > 0 && first + bound <= count;
        return (first * bytes) % 256 === 0 && inside && bound * bytes <= most;
      }
      const { rows, rowBytes, rowsPerBuffer, buffer } = portOf(plan, to.port);
      if (buffer) return plan.buffers[buffer] !== undefined;
      const bufferOf = (row: number) => Math.floor(row / rowsPerBuffer);
      const last = to.firstRow + to.rows - 1;
      // wherever the window starts, up to 252 bytes before it are bound too
      return (
        to.rows > 0 &&
        last < rows &&
        to.rows * rowBytes + 252 <= most &&
        bufferOf(to.firstRow) === bufferOf(last)
      );
    };
    const bindings = everyDispatch(plan).flatMap((command) => Object.values(command.bindings));
    expect(bindings.find((to) => !allowed(to))).toBeUndefined();
  },

  'writes to nothing that it binds twice': ({ plan, declared }) => {
    for (const dispatch of everyDispatch(plan)) {
      const { kernel, bindings } = dispatch;
      for (const { name } of declared.get(dispatch)!.filter(({ type }) => type === 'storage')) {
        const same = Object.keys(bindings).filter(
          (other) => bufferOf(bindings[other]!) === bufferOf(bindings[name]!),
        );
        if (same.length > 1) expect(same, kernel).toEqual([name]);
      }
    }
  },

  'copies within its buffers, from one to another of the same kind': (drawn) => {
    const { buffers, commands } = drawn.plan;
    for (const command of commands) {
      if (command.type !== 'copy') continue;
      const { from, to, fromFirst, toFirst, count } = command;
      expect(count).toBeGreaterThan(0);
      expect(from).not.toBe(to);
      expect(fromFirst + count).toBeLessThanOrEqual(buffers[from]!.count);
      expect(toFirst + count).toBeLessThanOrEqual(buffers[to]!.count);
      expect(buffers[from]!.element).toBe(buffers[to]!.element);
    }
  },

  'keeps buffers and grids within the limits, and no dispatch does nothing': ({ plan, limits }) => {
    for (const name of Object.keys(plan.buffers))
      expect(bytesOf(plan, name), name).toBeLessThanOrEqual(limits.maxBufferSize);
    for (const { rowsPerBuffer, rowBytes } of Object.values({ ...plan.inputs, ...plan.outputs }))
      expect(rowsPerBuffer * rowBytes).toBeLessThanOrEqual(limits.maxBufferSize);
    for (const { grid, kernel, steps } of everyDispatch(plan)) {
      const fits = Math.max(...grid) <= limits.maxComputeWorkgroupsPerDimension;
      if (!fits || Math.min(...grid, steps?.count ?? 1) < 1)
        expect.fail(`${kernel}: a grid of ${grid}, ${steps?.count} steps`);
    }
  },

  'is short work in each dispatch, but for what nothing can cut': ({ plan, tuning }) => {
    for (const dispatch of everyDispatch(plan)) {
      const { kernel, grid, cost, constants } = dispatch;
      const least = leastWork[kernel](plan.task, plan.problems[dispatch.problem]!, grid[1]);
      // each group of blocks has so much to do; a word has the ways of three steps
      const groups = constants.LANES ? grid[0] : 1;
      const word = kernel === 'viterbi' ? 2 * least : 0;
      if (cost > groups * (Math.max(tuning.elementsPerDispatch, least) + word))
        expect.fail(
          `${kernel}: ${cost}, where ${tuning.elementsPerDispatch} are short, and no less than ${least}`,
        );
    }
  },

  'has no two dispatches over rows, one after the other, that could be one': ({ plan, limits, tuning }) => {
    const { layout } = plan.task;
    const { rowsPerBuffer } = plan.inputs[plan.task.scores]!;
    const rowBytes = 4 * plan.task.classes;
    const all = everyDispatch(plan);
    all.forEach((now, i) => {
      const before = all[i - 1];
      if (!/^(rows|gradient|spell|greedy)$/.test(now.kernel) || before?.kernel !== now.kernel) return;
      const [a, b] = [plan.problems[before.problem]!, plan.problems[now.problem]!];
      const lines = ({ boxFrame, boxEnd, boxSequence }: typeof a, { grid }: Dispatch) =>
        layout === 'NTC'
          ? [boxSequence, boxSequence + grid[1], boxFrame, boxEnd]
          : [boxFrame, boxEnd, boxSequence, boxSequence + grid[1]];
      const [[aFirst, aEnd, aLeft, aRight], [bFirst, bEnd, bLeft, bRight]] = [
        lines(a, before),
        lines(b, now),
      ] as [number[], number[]];
      if (a.firstSequence !== b.firstSequence || aEnd !== bFirst || aLeft !== bLeft || aRight !== bRight)
        return;
      const first = a.firstRow;
      const end = b.firstRow + b.rowCount;
      const ofRow = leastWork[now.kernel](plan.task, b, 1);
      const cost = ofRow * (bEnd! - aFirst!) * (aRight! - aLeft!);
      const fits =
        (end - first) * rowBytes + uniformBlockBytes <= limits.maxStorageBufferBindingSize &&
        Math.floor(first / rowsPerBuffer) === Math.floor((end - 1) / rowsPerBuffer) &&
        bEnd! - aFirst! <= limits.maxComputeWorkgroupsPerDimension &&
        cost <= tuning.elementsPerDispatch;
      // of two lines at least one goes whole: what follows may be less, but is not split off from it
      if (fits)
        expect.fail(`${now.kernel}: rows ${first} to ${end} in two dispatches, which cost ${cost} in one`);
    });
  },

  'says how much memory it takes, and takes none that nobody uses': ({ plan }) => {
    const names = Object.keys(plan.buffers);
    const buffers = names.reduce((sum, name) => sum + bytesOf(plan, name), 0);
    expect(plan.memory).toBe(buffers + (plan.problems.length + plan.integers) * uniformBlockBytes);
    for (const { steps } of everyDispatch(plan))
      if ((steps?.count ?? 0) > plan.integers)
        expect.fail(`${steps!.count} steps, ${plan.integers} integers`);
    expect(plan.integers).toBeGreaterThanOrEqual(uniformBlockBytes / 2);
    const own = (to: Binding) => ('buffer' in to ? to : portOf(plan, to.port)).buffer ?? '';
    const used = new Set(everyDispatch(plan).flatMap(({ bindings }) => Object.values(bindings).map(own)));
    for (const command of plan.commands) if (command.type === 'copy') used.add(command.from).add(command.to);
    // an empty result is bound by nobody
    expect(names.filter((name) => !used.has(name) && bytesOf(plan, name) > 0)).toEqual([]);
    // the twins' numbers are wider
    expect(names.reduce((sum, name) => sum + bytesOnCpu(plan, name), 0)).toBeLessThanOrEqual(2 * buffers);
  },

  'leaves results of the size that the operation promises': ({ plan, operation }) => {
    const { frames, classes, maxTargetLength: labels } = plan.task;
    const promised = operation.outputs({ frames, sequences: recordingsOf(plan.task), classes, labels });
    for (const [name, { rows, rowBytes, access, buffer, totals }] of Object.entries(plan.outputs)) {
      if (!totals) expect(rows * rowBytes, name).toBe(promised[name]);
      if (access === 'copy') expect(bytesOf(plan, buffer!), name).toBe(promised[name]);
    }
  },

  'is data': ({ plan: { task, ...plan } }) => expect(firstOther(plan)).toBe(undefined),

  'keeps each frame of each sequence in one block': ({ plan: { task, kept } }) => {
    const cells = kept.flatMap(({ firstSequence, sequences, firstFrame, frames }) =>
      Array.from({ length: sequences * frames }, (_, i) => {
        const n = firstSequence + Math.floor(i / frames);
        return n * task.frames + firstFrame + (i % frames);
      }),
    );
    const all = task.keep.length > 0 ? task.frames * task.sequences : 0;
    expect(cells.toSorted((a, b) => a - b)).toEqual(upwards(all));
  },

  'does each sequence in one part': ({ plan }) => {
    const ofPart = ['loss', 'arrive'].flatMap((kernel) => dispatches(plan, kernel));
    const unwound = dispatches(plan, 'unwind');
    const sequences = [...ofPart, ...unwound].flatMap(({ problem, grid, kernel }) =>
      upwards(grid[kernel === 'unwind' ? 1 : 0]).map((i) => plan.problems[problem]!.firstSequence + i),
    );
    if (dispatches(plan, 'greedy').length === 0) expect(sequences).toEqual(upwards(plan.task.sequences));
  },

  'writes each row of a result once, whatever the lengths': ({ plan, inputLengths }) => {
    const { frames } = plan.task;
    for (const kernel of ['gradient', 'spell', 'greedy']) {
      const counts = new Array<number>(frames * recordingsOf(plan.task)).fill(0);
      const of = dispatches(plan, kernel);
      for (const dispatch of of) {
        const { emissionFrame, emissionRows } = plan.problems[dispatch.problem]!;
        for (const [n, t] of reached(plan, dispatch)) {
          // where sweeps meet, the middle frame counts for sweep 0, unused frames for the first slice
          const k = t < inputLengths[n]! ? stepsOf(t, inputLengths[n]!)[0]!.k : 0;
          const held = k >= emissionFrame && k < emissionFrame + emissionRows;
          if (!dispatch.constants.MIDDLE || held) counts[n * frames + t]!++;
        }
      }
      const wrong = counts.findIndex((count) => count !== (of.length > 0 ? 1 : 0));
      if (wrong >= 0) expect.fail(`${kernel}: row ${wrong} of ${counts.length}: ${counts[wrong]} times`);
    }
    const writes = (kernel: string) => dispatches(plan, kernel).length > 0;
    expect(writes('gradient')).toBe(plan.task.gradient !== 'none');
    expect(writes('spell') || writes('greedy')).toBe(/^(align|decode|rank)$/.test(plan.name));
  },

  'has in memory the emissions of all steps that are about to be walked': ({ plan, inputLengths }) => {
    // by buffer: what is at a place
    const written = new Map<string, Map<number, string>>();
    for (const dispatch of everyDispatch(plan)) {
      const { kernel, bindings, constants, grid } = dispatch;
      const to = bindings.emissions ?? bindings.costs;
      // the rows of shared recordings leave there what the candidates overwrite
      if (!to || (kernel === 'rows' && (plan.task.candidates ?? 1) > 1 && !constants.CANDIDATES)) continue;
      const p = plan.problems[dispatch.problem]!;
      const sweeps = constants.MIDDLE ? 2 : 1;
      const at = (n: number, t: number) =>
        constants.MIDDLE ? stepsOf(t, inputLengths[n]!) : [{ sweep: 0, k: t }];
      const place = (n: number, { sweep, k }: { sweep: number; k: number }) =>
        (sweeps * (n - p.firstSequence) + sweep) * p.emissionRows + k - p.emissionFrame;
      const held = ({ k }: { k: number }) => k >= p.emissionFrame && k < p.emissionFrame + p.emissionRows;
      const places = written.get(bufferOf(to)) ?? new Map<number, string>();
      written.set(bufferOf(to), places);
      if (kernel === 'rows') {
        for (const [n, t] of reached(plan, dispatch))
          for (const step of t < inputLengths[n]! ? at(n, t).filter(held) : [])
            places.set(place(n, step), `${n} ${step.sweep} ${step.k}`);
        continue;
      }
      // beta needs those of the frame after it
      const [first, end] = kernel === 'beta' ? [p.boxFrame + 1, p.boxEnd + 1] : [p.boxFrame, p.boxEnd];
      for (let n = p.firstSequence; n < p.firstSequence + grid[1] / sweeps; n++)
        for (let t = 0; t < inputLengths[n]!; t++)
          for (const step of at(n, t).filter(({ k }) => k >= first && k < end))
            if (!held(step) || places.get(place(n, step)) !== `${n} ${step.sweep} ${step.k}`)
              expect.fail(
                `${kernel}: sequence ${n}, sweep ${step.sweep}, step ${step.k}: ${places.get(place(n, step))}`,
              );
    }
  },

  'turns each row of the scores into emissions once, and once more where a slice needs it again': ({
    plan,
  }) => {
    const { frames, sequences } = plan.task;
    const counts = new Array<number>(frames * sequences).fill(0);
    const rows = dispatches(plan, 'rows');
    if (rows.length === 0 || rows[0]!.constants.MIDDLE) return;
    for (const dispatch of rows) for (const [n, t] of reached(plan, dispatch)) counts[n * frames + t]!++;
    const firsts = [...new Set(rows.map(({ problem }) => plan.problems[problem]!.emissionFrame))];
    // step: the first frame of a slice is the neighbour of the one before; align: but for the last slice, each is walked again
    const twice = (t: number) =>
      plan.name === 'step' ? t > 0 && firsts.includes(t) : t < Math.max(...firsts);
    const wrong = counts.findIndex((count, i) => count !== (twice(i % frames) ? 2 : 1));
    if (wrong >= 0) expect.fail(`row ${wrong} of ${counts.length}: ${counts[wrong]} times`);
  },

  'sweeps through all steps of each part, keeps checkpoints, and goes back through what it stored': ({
    plan,
  }) => {
    const steps = Math.floor(plan.task.frames / 2) + 1;
    const all = upwards(steps);
    if (dispatches(plan, 'sweep').length === 0) return;
    for (const of of byPart(plan, ({ steps }) => steps !== undefined).values()) {
      const back = of.some(({ kernel }) => kernel !== 'sweep');
      const kernels = [...new Set(of.map(({ kernel }) => kernel))];
      const groups = of.find(({ kernel }) => kernel === 'sweep')!.grid[0];
      for (let group = 0; group < groups; group++) {
        const walked = (kernel: string) =>
          of
            .filter((dispatch) => dispatch.kernel === kernel)
            .map((dispatch) => walkOf(plan, dispatch, dispatch.constants.LANES ? group : 0));
        const sweeps = walked('sweep');
        // once forward, the last slice stored at once; then the others again, from the last to the first
        const slices = sweeps.findIndex((steps) => steps.includes(all.at(-1)!)) + 1;
        expect(sweeps.slice(0, slices).flat()).toEqual(all);
        expect(sweeps.slice(slices), 'sweeps on the way back').toEqual(
          back ? sweeps.slice(0, slices - 1).toReversed() : [],
        );
        const stores = of.filter(({ kernel }) => kernel === 'sweep').map(({ constants }) => constants.STORE);
        expect(stores, 'sweeps that store').toEqual(sweeps.map((_, i) => back && i >= slices - 1));
        // all others once a slice, from the middle outwards
        for (const kernel of kernels.filter((kernel) => kernel !== 'sweep')) {
          const { descending } = of.find((dispatch) => dispatch.kernel === kernel)!.steps!;
          const outwards = sweeps.slice(0, slices).toReversed();
          const own = descending ? outwards.map((slice) => slice.toReversed()) : outwards;
          expect(walked(kernel), kernel).toEqual(own);
        }
      }
      // of each slice the same, while the lattice holds it: what needs shares, and what needs the posteriors in their place
      const ofASlice = kernels.filter((kernel) => kernel !== 'sweep').join(' ');
      if (back)
        expect(of.map(({ kernel }) => kernel).join(' ')).toMatch(
          RegExp(`^(sweep )+${ofASlice}( sweep ${ofASlice})*$`),
        );
      expect(ofASlice).not.toMatch(/spread.* sample|durations.* spread/);
      const firsts = of.filter(({ constants }) => constants.FIRST !== undefined);
      for (const kernel of new Set(firsts.map(({ kernel }) => kernel))) {
        const flags = firsts.filter((it) => it.kernel === kernel).map(({ constants }) => constants.FIRST);
        expect(flags, `FIRST of ${kernel}`).toEqual(flags.map((_, i) => i === 0));
      }
    }
  },

  'walks the frames of each part once, forward for alpha and backward for beta': ({ plan }) => {
    const forward = upwards(plan.task.frames);
    for (const [kernel, frames] of [
      ['alpha', forward],
      ['beta', forward.toReversed()],
    ] as const)
      for (const of of byPart(plan, (it) => it.kernel === kernel).values())
        expect(of.flatMap((dispatch) => walkOf(plan, dispatch, 0))).toEqual(frames);
  },

  'follows each frame back once, while its ways are in memory': ({ plan }) => {
    const forward = upwards(plan.task.frames);
    for (const of of byPart(plan, ({ kernel }) => /^(viterbi|arrive|trace)$/.test(kernel)).values()) {
      const traced = of.filter(({ kernel }) => kernel === 'trace');
      const first = of.filter(({ kernel, constants }) => kernel === 'viterbi' && !constants.AGAIN);
      for (let group = 0; group < first[0]!.grid[0]; group++)
        expect(first.flatMap((dispatch) => walkOf(plan, dispatch, group))).toEqual(forward);
      expect(traced.flatMap((dispatch) => walkOf(plan, dispatch, 0))).toEqual(forward.toReversed());
      let held: { boxFrame: number; boxEnd: number } | undefined;
      let arrived = false;
      for (const { kernel, problem, constants } of of) {
        const { boxFrame, boxEnd, emissionFrame, alphaRows } = plan.problems[problem]!;
        if (kernel === 'viterbi') {
          held = { boxFrame, boxEnd };
          // a slice is walked again only where the path can be, which is known once it has arrived
          expect(constants.AGAIN).toBe(arrived);
          expect(boxFrame).toBe(emissionFrame);
          expect(boxEnd - boxFrame).toBeLessThanOrEqual(3 * alphaRows);
        } else if (kernel === 'arrive') arrived = true;
        else expect({ boxFrame, boxEnd }).toEqual(held);
      }
    }
  },
};

/** Where something is that JSON has no word for: functions, instances, typed arrays, undefined, −0 and numbers that are not finite. */
function firstOther(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? undefined : '';
  if (typeof value !== 'object' || value === null) return '';
  const kind = Object.getPrototypeOf(value);
  if (kind !== Object.prototype && kind !== Array.prototype) return '';
  for (const key of Reflect.ownKeys(value)) {
    if (key === 'length' && kind === Array.prototype) continue;
    const found = firstOther((value as Record<PropertyKey, unknown>)[key]);
    if (found !== undefined) return `.${String(key)}${found}`;
  }
  return undefined;
}

/** Draws of each plan. What is refused names a dimension and the bytes. */
const runs = 130;

const everyPlan = everyOperation.flatMap(([, operation]) =>
  Object.entries(operation.plans).map(([strategy, plan]) => ({ strategy, plan, operation })),
);

describe.each(everyPlan)(
  'a plan, whatever the shape and the limits: $strategy',
  ({ strategy, plan, operation }) => {
    const failed = new Map<string, Error>();
    /** What the draws have come by. */
    const seen = { plans: 0, parts: 0, slices: 0, groups: 0, pieces: 0 };

    beforeAll(async () => {
      const known = new Map<string, readonly KernelBinding[]>();
      const lengths = fc.array(fc.nat(), { minLength: 20, maxLength: 20 });
      const draws = fc.tuple(tasks(operation, strategy), fc.oneof(small, larger, larger), tunings, lengths);
      for (const [task, limits, tuning, seeds] of fc.sample(draws, { seed: 1, numRuns: runs })) {
        const says = (claim: string, check: () => void) => {
          try {
            check();
          } catch (error) {
            const drawn = JSON.stringify({ task, limits, tuning });
            if (!failed.has(claim)) failed.set(claim, new Error(`${(error as Error).message}\n${drawn}`));
          }
        };
        let made: Plan;
        try {
          made = plan(task, limits, tuning);
        } catch (error) {
          says('is refused by name', () => {
            expect(error).toBeInstanceOf(RangeError);
            expect((error as Error).message).toMatch(/^(T|N|C|maxTargetLength)\b.*\d+/);
          });
          continue;
        }
        const declared = new Map<Dispatch, readonly KernelBinding[]>();
        for (const dispatch of everyDispatch(made)) {
          const { kernel, constants } = dispatch;
          const key = `${kernel} ${JSON.stringify(constants)}`;
          if (!known.has(key)) {
            const { code } = moduleOf(kernel, constants, texts);
            const storage = bindingsOf(code).filter(({ type }) => type !== 'uniform');
            known.set(key, storage);
          }
          declared.set(dispatch, known.get(key)!);
        }
        const { sequences } = made.task;
        const inputLengths = upwards(sequences).map((n) => seeds[n % seeds.length]! % (task.frames + 1));
        const drawn = { plan: made, limits, tuning, inputLengths, operation, declared };
        for (const [claim, check] of Object.entries(claims)) says(claim, () => check(drawn));

        const distinct = (field: 'firstSequence' | 'emissionFrame') =>
          new Set(everyDispatch(made).map(({ problem }) => made.problems[problem]![field])).size;
        const walks = everyDispatch(made).filter(({ kernel }) => /^(sweep|viterbi)$/.test(kernel));
        seen.plans++;
        seen.parts = Math.max(seen.parts, distinct('firstSequence'));
        seen.slices = Math.max(seen.slices, distinct('emissionFrame'));
        seen.groups = Math.max(seen.groups, ...walks.map(({ grid }) => grid[0]));
        seen.pieces = Math.max(seen.pieces, everyDispatch(made).length);
      }
    }, 300_000);

    test('the draws take every way', () => {
      expect(seen.plans).toBeGreaterThan(runs / 2);
      expect(seen.parts).toBeGreaterThan(2);
      expect(seen.pieces).toBeGreaterThan(20);
      if (!/^(decode|beam)$/.test(strategy)) expect(seen.slices).toBeGreaterThan(2);
      if (/^(tiled|align)$/.test(strategy)) expect(seen.groups).toBeGreaterThan(1);
    });

    test.each(['is refused by name', ...Object.keys(claims)])('%s', (claim) => {
      const error = failed.get(claim);
      if (error) throw error;
    });
  },
);

describe('a plan is checked when it is made', () => {
  const task: ProblemShape = {
    ...{
      frames: 4,
      sequences: 1,
      classes: 3,
      layout: 'TNC',
      maxTargetLength: 1,
      scores: 'logits',
      dtype: 'float32',
    },
    ...{ gradient: 'logits', keep: [], reduction: 'none', zeroInfinity: false, blank: 0 },
  };
  const made = () => operations.CtcLoss.plans.fused!(task, ordinary, tuningFor({ software: false }));

  test('a text that is not there is named', () => {
    const { random, spread, ...others } = texts;
    expect(() => moduleOf('draw', {}, others)).toThrow(
      'draw: expected the text of shaders/shared/random.wgsl, got none',
    );
    expect(() => moduleOf('spread', {}, others)).toThrow(
      'spread: expected the text of shaders/spread.wgsl, got none',
    );
  });

  test('a binding that a dispatch lacks is named', async () => {
    const plan = made();
    const commands = plan.commands.map((command) => {
      if (command.type === 'copy' || command.kernel !== 'spread') return command;
      const { edges, ...bindings } = command.bindings;
      return { ...command, bindings };
    });
    await expect(programOf(device, { ...plan, commands })).rejects.toThrow(
      'spread: expected a binding of edges, got only targets, lattice, posteriors',
    );
    expect(alive()).toEqual([]);
  });

  test('a binding of a buffer that the plan does not have, or of none of its elements', () => {
    const draft = new Draft(task, ordinary, tuningFor({ software: false }), true, {});
    const bind = (binding: ElementRange) => draft.dispatch('reduce', [1, 1], {}, { totals: binding }, 1);
    expect(() => bind({ buffer: 'totals' })).toThrow(
      'totals of reduce: expected elements of a buffer of the plan',
    );
    draft.buffer('totals', 'total', 3);
    expect(() => bind({ buffer: 'totals', first: 2, count: 2 })).toThrow(
      'got 2 from 2 on of the 3 of totals',
    );
    draft.buffer('nothing', 'total', 0);
    expect(() => bind({ buffer: 'nothing' })).toThrow('got 0 from 0 on of the 0 of nothing');
  });
});

/** A plan of the loss. */
function planFor(task: ProblemShape, limits: Limits, tuning: Tuning, strategy: LossStrategy): Plan {
  return operations.CtcLoss.plans[strategy]!(task, limits, tuning);
}

const sweeping = ['fused', 'tiled'] as const;

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
const everywhere: Readonly<Record<string, readonly [Limits, Tuning]>> = {
  ...Object.fromEntries(
    Object.entries(adapters).map(([name, tuning]) => [name, [ordinary, tuning] as const]),
  ),
  'the CPU': [limitsOf(undefined), tuningFor({ software: true, cpu: true })],
};

describe.each(Object.entries(everywhere))('real sizes, on %s', (_, [limits, tuning]) => {
  const sizes = [
    { frames: 1000, sequences: 800, classes: 5, maxTargetLength: 511 },
    { frames: 10, sequences: 70_000, classes: 4, maxTargetLength: 3 },
    { frames: 3000, sequences: 1000, classes: 30, maxTargetLength: 100 },
    { frames: 400, sequences: 32, classes: 5000, maxTargetLength: 0 },
    { frames: 180_000, sequences: 1, classes: 32, maxTargetLength: 50_000 },
  ];
  /** Those that do not look at each row. */
  const cheap = [
    'binds no more than the device allows, from offsets that it allows',
    'keeps buffers and grids within the limits, and no dispatch does nothing',
    'is short work in each dispatch, but for what nothing can cut',
    'has no two dispatches over rows, one after the other, that could be one',
  ];
  test.each(sizes)(
    '$frames frames, $sequences sequences, $classes classes, $maxTargetLength labels',
    (size) => {
      for (const { strategy, plan, operation } of everyPlan) {
        // an hour is for alignment; the lattice of a loss would be days of work
        if (size.frames > 1e5 && !/^(align|decode|rank)$/.test(strategy)) continue;
        const maxTargetLength = operation.hasTargets ? size.maxTargetLength : 0;
        const task = { ...speech, ...size, maxTargetLength, gradient: operation.gradients[0]! };
        const made = plan(task, limits, tuning);
        const drawn = { plan: made, limits, tuning, inputLengths: [], operation, declared: new Map() };
        for (const claim of cheap) claims[claim]!(drawn);
      }
    },
  );

  test('a plan grows with its work: parts times windows are no more commands than parts', () => {
    const size = { frames: 3000, sequences: 1000, classes: 30, maxTargetLength: 100 };
    for (const { strategy, plan, operation } of everyPlan) {
      const maxTargetLength = operation.hasTargets ? size.maxTargetLength : 0;
      const task = { ...speech, ...size, maxTargetLength, gradient: operation.gradients[0]! };
      for (const layout of ['TNC', 'NTC'] as const) {
        const { commands, problems, memory, buffers } = plan({ ...task, layout }, limits, tuning);
        const work = (3e6 * (30 + maxTargetLength)) / tuning.elementsPerDispatch;
        const parts = new Set(problems.map(({ firstSequence }) => firstSequence)).size;
        // of each part its rows, sweeps, the loss and the way back; over rows at most two dispatches for the work of one
        expect(commands.length, strategy).toBeLessThan(12 * parts + 6 * work + 20);
        const own = Object.keys(buffers).reduce((sum, name) => {
          const { element, count } = buffers[name]!;
          return sum + elementBytes[element] * count;
        }, 0);
        // what a plan itself takes is little beside that
        expect(memory, strategy).toBeLessThan(1.5 * own + 2 ** 20);
      }
    }
  });
});

test('a part of the batch has as many sequences as a grid takes, which has a row for each of their sweeps', () => {
  const limits = { ...ordinary, maxComputeWorkgroupsPerDimension: 10 };
  const task: ProblemShape = { ...speech, frames: 20, sequences: 10, maxTargetLength: 5 };
  for (const strategy of strategies) {
    const parts = dispatches(planFor(task, limits, gpu, strategy), 'loss').map(({ grid }) => grid[0]);
    expect(parts, strategy).toEqual([5, 5]);
  }
});

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
    expect(planFor({ ...task, maxTargetLength: most }, ordinary, gpu, 'step').name).toBe('step');
    // more frames would be more commands than a plan may have
    const wide = { ...task, frames: 100, maxTargetLength: 2 ** 21 };
    const [sweep] = everyDispatch(
      planFor(wide, ordinary, adapters['software without subgroups'], 'tiled'),
    ).filter(({ kernel }) => kernel === 'sweep');
    expect(sweep!.grid[0]).toBeLessThanOrEqual(ordinary.maxComputeWorkgroupsPerDimension);
  });

  const named = (message: string) =>
    expect.objectContaining({ name: 'RangeError', message: expect.stringMatching(message) });

  test('labels that a device cannot bind: alignment and reading', () => {
    const task = { ...speech, gradient: 'none', sequences: 2 ** 16, classes: 2, maxTargetLength: 0 } as const;
    for (const plan of [operations.CtcAligner.plans.align!, operations.CtcDecoder.plans.decode!])
      expect(() => plan(task, ordinary, gpu)).toThrow(
        named('^T = 1000, N = 65536, C = 2 .* at most 134217728 bytes of labels, got 262144000$'),
      );
  });

  test('samples that a device cannot bind', () => {
    const task = { ...speech, gradient: 'none', frames: 1, sequences: 1 } as const;
    expect(() => planPosterior({ ...task, samples: 2 ** 25 }, ordinary, gpu)).toThrow(
      named('^N · samples · T = 1 · 33554432 · 1: .*134217728 bytes.* got 268435456 bytes$'),
    );
    expect(() => planPosterior({ ...task, samples: 2 ** 23 }, ordinary, gpu)).toThrow(
      named('at most 65535 workgroups of draw, got 131072$'),
    );
  });

  test.each(Object.entries(everywhere))(
    'a million frames of a thousand sequences, before any time is spent on them, where they are too many commands: on %s',
    (_, [limits, tuning]) => {
      const task = { ...speech, frames: 1e6, sequences: 1000, classes: 2, maxTargetLength: 100 };
      let refused = 0;
      for (const { strategy, plan, operation } of everyPlan) {
        const shape = { ...task, gradient: operation.gradients[0]! };
        try {
          expect(plan(shape, limits, tuning).commands.length, strategy).toBeLessThanOrEqual(2 ** 16);
        } catch (error) {
          expect(error, strategy).toEqual(named('^(N · samples · )?T.* (commands|bytes)'));
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(2);
    },
  );

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
