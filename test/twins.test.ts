import { describe, expect, test } from 'vitest';
import type { KernelName } from '../src/kernels/kernels.js';
import type { Problem } from '../src/kernels/uniforms.js';
import {
  type Command,
  type Copy,
  type Dispatch,
  type Plan,
  type ProblemShape,
  portOf,
} from '../src/plan/plan.js';
import type { ScoresKey } from '../src/problem/check.js';
import { adapterOf } from '../src/run/device.js';
import { sharedDevice } from './device.js';
import { everyOperation } from './operations.js';
import { type Batch, makeBatch, seeded } from './reference.js';
import { forEachCandidate, type Left, onCpu, onDevice, planOf, type Way } from './twins.js';

const plain = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');
const { subgroupSize } = adapterOf(withSubgroups.device);

const range = (first: number, end: number) =>
  Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);

/** A sequence as shaders/shared/sequence.wgsl and middle.wgsl see it. */
function sequenceOf(batch: Batch, n: number, scores: ScoresKey, delimiter?: number) {
  const { inputLengths, targets, blank, classes, sequences } = batch;
  const target = targets[n]!;
  const [T, S] = [inputLengths[n]!, target.length];
  const middle = Math.floor((Math.max(T, 1) - 1) / 2);
  /** Whether a frame has a NaN or +Infinity that counts, or of logits no finite one. */
  const isInvalid = (t: number) => {
    const row = batch[scores].subarray((t * sequences + n) * classes, (t * sequences + n + 1) * classes);
    const counted = delimiter === undefined ? [blank, ...target] : [blank, delimiter, ...target];
    const counting = scores === 'logits' ? [...row] : counted.map((c) => row[c]!);
    const most = Math.max(...counting);
    return !(most < Number.POSITIVE_INFINITY) || (scores === 'logits' && most === Number.NEGATIVE_INFINITY);
  };
  const valid = !range(0, T).some(isInvalid);
  const required = S + target.filter((label, i) => label === target[i - 1]).length;
  return {
    ...{ n, T, S, middle, isInvalid, valid },
    feasible: T > 0 && T >= required,
    slots: new Set(target).size + (delimiter === undefined ? 1 : 2),
    /** Pairs on whole paths at a step, or in a frame. */
    band: (k: number) => range(Math.max(0, S + k - T), Math.min(k, S) + 1),
    stepOf: (sweep: number, t: number) => (sweep ? T - 1 - t : t),
  };
}
type Sequence = ReturnType<typeof sequenceOf>;

type Place = readonly number[];

/** What a kernel writes into one buffer for others to read. */
interface Written {
  /** What its places are counted by. */
  readonly by: string;
  readonly places: readonly Place[];
  /** The numbers of a place. */
  at(left: Left, ...place: number[]): number | readonly number[];
  /** Integers, or sums of such: what the device has is what the CPU has. */
  readonly exact?: true;
  /** The elements that it may touch. All others of all buffers must stay as they were. */
  readonly touched: readonly number[];
}

/** A dispatch with all its steps, for one part of the batch. */
interface Work {
  readonly batch: Batch;
  readonly plan: Plan;
  readonly problem: Problem;
  readonly constants: Dispatch['constants'];
  /** Of the part. */
  readonly sequences: readonly (Sequence & { readonly part: number })[];
  /** What was in the buffers before; of the numbers here integers only are asked for. */
  readonly before: Left;
  /** The buffer behind a binding. */
  nameOf(binding: string): string;
}

/** The rows of the caller's tensor that a kernel handles. */
function rowsOf({ batch, problem, sequences, constants }: Work) {
  const recordingOf = (n: number) => (constants.CANDIDATES ? Math.floor(n / problem.candidates) : n);
  const { frameStride, sequenceStride, firstRow, rowCount, boxFrame, boxEnd } = problem;
  return sequences
    .flatMap((sequence) => range(boxFrame, boxEnd).map((t) => ({ ...sequence, t })))
    .map((of) => ({ ...of, row: of.t * frameStride + recordingOf(of.n) * sequenceStride - firstRow }))
    .filter(({ row }) => row >= 0 && row < rowCount)
    .map((of) => ({ ...of, place: of.n * batch.frames + of.t, row: firstRow + of.row }));
}

/** Steps that the slice of a dispatch has of a sweep. */
const stepsOf = ({ problem }: Work, last: number) =>
  range(problem.boxFrame, Math.min(problem.boxEnd, last + 1));

/** The sweeps of a part, from the ends to the middle, and their steps in the slice. */
const sweepsOf = (work: Work) =>
  work.sequences.flatMap((sequence) =>
    [0, 1].map((sweep) => {
      const lastStep = sequence.stepOf(sweep, sequence.middle);
      return {
        ...sequence,
        row: 2 * sequence.part + sweep,
        steps: sequence.feasible ? stepsOf(work, lastStep) : [],
      };
    }),
  );

const stepRow = ({ problem }: Work, row: number, k: number) =>
  row * problem.alphaRows + ((k - problem.alphaFrame) % problem.alphaRows);

/** Where the pairs at steps of the lattice of `step` lie. */
const inLattice = (work: Work) =>
  work.sequences.flatMap(({ part, T, band }) =>
    stepsOf(work, T - 1).flatMap((t) =>
      band(t).map((pair) => [part, t, pair, stepRow(work, part, t) * work.problem.pairs + pair]),
    ),
  );

const withElement = (places: readonly Place[]) => places.map((place) => place.at(-1)!);

/** Emissions of steps: of each slot, and of what does not exist. */
function emissionsAt(
  { problem }: Work,
  steps: readonly { row: number; k: number; slots: number }[],
): Place[] {
  const width = problem.distinct + 2;
  return steps.flatMap(({ row, k, slots }) =>
    [...range(0, slots), width - 1].map((slot) => {
      const at = (row * problem.emissionRows + k - problem.emissionFrame) * width;
      return [row, k, slot, at + slot];
    }),
  );
}

/** What the last lane of a block leaves for the block to its right at each step; the ring has room for two segments. */
function edgesOf(
  { problem, constants }: Work,
  { row, T, S, steps }: { row: number; T: number; S: number; steps: readonly number[] },
): Place[] {
  const block = 4 * (constants.LANES as number);
  const ring = 2 * problem.segment;
  return range(0, Math.ceil((S + 1) / block) - 1).flatMap((b) => {
    const right = (b + 1) * block - 1;
    const walked = steps.filter((k) => k >= b * block && k < right + T - S + 2);
    return walked
      .slice(-ring)
      .filter((k) => right + 1 + T >= S + k)
      .map((k) => [row, b, k, (row * (problem.pairs / block) + b) * ring + (k % ring)]);
  });
}

const whole = (rows: readonly number[], width: number) =>
  rows.flatMap((row) => range(row * width, (row + 1) * width));

/** Classes and log-probabilities of frames. */
function readingOf(work: Work): Record<string, Written> {
  const places = rowsOf(work).map(({ n, t, place }) => [n, t, place]);
  const rest = { by: 'sequence, frame', places, touched: withElement(places) };
  return {
    labels: { ...rest, exact: true, at: (left, _n, _t, place) => left.integer('labels', place!) },
    labelScores: { ...rest, at: (left, _n, _t, place) => left.float('labelScores', place!) },
  };
}

/** The two numbers of each sample from which `sample` goes on. */
function walkersOf({ sequences, problem }: Work): Written {
  const places = sequences.flatMap(({ part }) =>
    range(0, 2 * problem.count).map((i) => [part, i >> 1, i & 1, 2 * part * problem.count + i]),
  );
  return {
    ...{ by: 'part, sample, sweep', places, touched: withElement(places) },
    at: (left, _part, _sample, _sweep, element) => left.integer('walkers', element!),
    exact: true,
  };
}

function samplesOf({ batch, problem }: Work, frames: readonly Place[]): Written {
  const places = frames.flatMap(([n, t]) =>
    range(0, problem.count).map((i) => [n!, i, t!, (n! * problem.count + i) * batch.frames + t!]),
  );
  return {
    ...{ by: 'sequence, sample, frame', places, touched: withElement(places) },
    at: (left, _n, _i, _t, element) => left.integer('samples', element!),
    exact: true,
  };
}

/** In `ends`, from here on: no path. Else the state where the path is at the end of the slice. */
const NO_END = 2 ** 31;

/** Each kernel's, binding by binding: a kernel without an entry does not compile. */
const writes: Readonly<Record<KernelName, (work: Work) => Record<string, Written>>> = {
  rows(work) {
    const { problem, constants, nameOf } = work;
    const { MIDDLE, READING } = constants;
    const isHeld = (k: number) =>
      k >= problem.emissionFrame && k < problem.emissionFrame + problem.emissionRows;
    const used = rowsOf(work).filter(({ t, T }) => t < T);
    const steps = used.flatMap(({ part, slots, t, middle, stepOf, isInvalid }) => {
      const isValid = !isInvalid(t);
      if (!MIDDLE) return [{ part, t, row: part, k: t, slots, isValid }];
      // the middle frame is in both sweeps
      return [0, 1]
        .filter((sweep) => t === middle || sweep === Number(t > middle))
        .map((sweep) => ({ part, t, row: 2 * part + sweep, k: stepOf(sweep, t), slots, isValid }))
        .filter(({ k }) => isHeld(k));
    });
    // costs in a frame with a NaN are read by nobody
    const emissions = emissionsAt(
      work,
      steps.filter(({ isValid }) => isValid || !READING),
    );
    const frames = steps.map(({ part, t }) => [part, t, part * problem.frames + t]);
    const name = nameOf('emissions');
    return {
      frames: {
        ...{ by: 'part, frame', places: frames, touched: withElement(frames) },
        at(left, _part, _t, element) {
          const [unit, normaliser, lnNormaliser, invalid, largest] = left.frame(
            element!,
            nameOf('frames'),
          ) as [number, number, number, number, number];
          // the best path counts from the score itself
          return [invalid, normaliser, lnNormaliser, READING ? largest : unit, largest];
        },
      },
      emissions: {
        ...{ by: 'row, step, slot', places: emissions, touched: withElement(emissionsAt(work, steps)) },
        at: (left, _row, _k, _slot, element) =>
          READING ? left.cost(name, element!) : left.extended(name, element!),
        ...(READING && { exact: true }),
      },
      ...(READING && { masks: masksOf(used) }),
    };
  },
  alpha(work) {
    const { problem, sequences, nameOf } = work;
    const name = nameOf('lattice');
    const rolling = stepsOf(work, problem.boxEnd).slice(-problem.alphaRows);
    const places = inLattice(work);
    const ending = sequences.filter(({ T }) => T > problem.boxFrame && T <= problem.boxEnd);
    const ends = ending.flatMap(({ part, S }) => (S > 0 ? [0, 1] : [0]).map((label) => [part, label]));
    return {
      lattice: {
        by: 'part, frame, pair',
        places: places.filter(([, t]) => rolling.includes(t!)),
        at: (left, _part, _t, _pair, element) =>
          [0, 1].map((label) => left.extended(name, 2 * element! + label)),
        touched: withElement(places),
      },
      ends: {
        ...{ by: 'part, label', places: ends },
        at: (left, part, label) => left.extended('ends', 2 * part! + label!),
        touched: ending.flatMap(({ part }) => [2 * part, 2 * part + 1]),
      },
    };
  },
  beta(work) {
    const { problem, before, nameOf } = work;
    const [lattice, betas] = [nameOf('lattice'), nameOf('betas')];
    const places = inLattice(work);
    const { betaFrame, betaRows, pairs } = problem;
    const inBetas = places.map(([part, t, pair]) => {
      return [part!, t!, pair!, (part! * betaRows + ((t! - betaFrame) % betaRows)) * pairs + pair!];
    });
    return {
      betas: {
        by: 'part, frame, pair',
        // of two rolling rows the last are there
        places: inBetas.filter(([, t]) => t! < problem.boxFrame + betaRows),
        at: (left, _part, _t, _pair, element) =>
          [0, 1].map((label) => left.extended(betas, 2 * element! + label)),
        touched: withElement(inBetas),
      },
      lattice: { ...sharesOf(work, lattice, before), touched: withElement(places) },
    };
  },
  posterior(work) {
    const name = work.nameOf('lattice');
    const { boxFrame, boxEnd } = work.problem;
    const places = inLattice(work).filter(([, t]) => t! >= boxFrame && t! < boxEnd);
    return {
      lattice: {
        ...{ by: 'part, frame, pair', places, touched: withElement(places) },
        at: (left, _part, _t, _pair, element) =>
          [0, 1].map((label) => left.mantissa(name, 2 * element! + label)),
      },
    };
  },
  scales(work) {
    const places = work.sequences.flatMap(({ part, T }) =>
      range(0, T).map((t) => [part, t, part * work.problem.frames + t]),
    );
    const name = work.nameOf('scales');
    return {
      scales: {
        ...{ by: 'part, frame', places, touched: withElement(places) },
        at: (left, _part, _t, element) => left.scale(name, element!),
      },
    };
  },
  loss({ constants, sequences, problem }) {
    const places = sequences.map(({ n }) => [n]);
    const rows = sequences.flatMap(({ part }) => [2 * part, 2 * part + 1]);
    const pairs = range(0, problem.pairs);
    return {
      totals: {
        ...{ by: 'sequence', places, touched: withElement(places) },
        at(left, n) {
          const [scale, status, loss, weight, z] = left.total(n!) as [number, number, number, number, number];
          // of a sequence that has no loss nobody reads it
          return [status, loss, weight, scale, ...(status === 0 ? [z] : [])];
        },
      },
      ...(constants.MIDDLE &&
        constants.STORE && {
          // at the middle frame
          posteriors: {
            by: 'row, pair',
            places: rows.flatMap((row) => pairs.map((pair) => [row, pair])),
            at: (left, row, pair) => [0, 1].map((label) => left.posterior(row!, pair!, label)),
            touched: whole(rows, problem.pairs),
          },
        }),
    };
  },
  gradient(work) {
    const { batch, problem, constants } = work;
    const { emissionFrame, emissionRows } = problem;
    const held = rowsOf(work).filter(({ t, T, middle, stepOf }) => {
      // unused frames belong to the first slice
      const k = t < T ? stepOf(Number(t > middle), t) : 0;
      return !constants.MIDDLE || (k >= emissionFrame && k < emissionFrame + emissionRows);
    });
    const places = held.flatMap(({ n, t, row }) =>
      range(0, batch.classes).map((c) => [n, t, c, row * batch.classes + c]),
    );
    return {
      grad: {
        ...{ by: 'sequence, frame, class', places, touched: withElement(places) },
        at: (left, _n, _t, _c, element) => left.float('grad', element!),
      },
    };
  },
  reduce({ batch, constants }) {
    const places = range(0, constants.REDUCE ? 1 : batch.sequences).map((n) => [n]);
    return {
      losses: {
        ...{ by: 'sequence', places, touched: withElement(places) },
        at: (left, n) => left.float('losses', n!),
      },
    };
  },
  sweep(work) {
    const { problem, constants } = work;
    const rows = sweepsOf(work).filter(({ steps }) => steps.length > 0);
    const edges = rows.flatMap((of) => edgesOf(work, of));
    return {
      ...(constants.STORE && {
        lattice: {
          by: 'row, step, pair',
          places: rows.flatMap(({ row, steps, band }) =>
            steps.flatMap((k) => band(k).map((pair) => [row, k, pair, stepRow(work, row, k)])),
          ),
          at: (left, _row, _k, pair, at) => [0, 1].map((second) => left.lattice(at!, pair!, second)),
          touched: rows.flatMap(({ row, steps }) =>
            whole(
              steps.map((k) => stepRow(work, row, k)),
              problem.pairs,
            ),
          ),
        },
      }),
      states: {
        by: 'row, pair',
        places: rows.flatMap(({ row, steps, band }) => band(steps.at(-1)!).map((pair) => [row, pair])),
        at: (left, row, pair) => [0, 1].map((label) => left.state(row!, pair!, label)),
        touched: whole(
          rows.map(({ row }) => row),
          problem.pairs,
        ),
      },
      edges: {
        ...{ by: 'row, block, step', places: edges, touched: edgeRoom(work, rows) },
        at: (left, _row, _b, _k, element) => left.extended('edges', element!),
      },
    };
  },
  spread(work) {
    const { problem, constants } = work;
    const block = 4 * (constants.LANES as number);
    const rows = sweepsOf(work).filter(({ steps }) => steps.length > 0);
    const at = (row: number, k: number) => stepRow(work, row, k);
    const touched = rows.flatMap(({ row, steps }) =>
      whole(
        steps.map((k) => at(row, k)),
        problem.pairs,
      ),
    );
    const ring = 2 * problem.segment;
    const edges = rows.flatMap(({ row, S, T, steps }) =>
      range(1, Math.ceil((S + 1) / block)).flatMap((b) => {
        const left = b * block;
        return steps
          .filter((k) => k >= left && k < Math.min(left + block - 1, S) + T - S + 2)
          .slice(0, ring)
          .filter((k) => S + k - T <= left)
          .map((k) => [row, b, k, (row * (problem.pairs / block) + b) * ring + (k % ring)]);
      }),
    );
    return {
      'lattice, labels': {
        by: 'row, step, pair',
        places: rows.flatMap(({ row, steps, band }) =>
          steps.flatMap((k) => band(k).map((pair) => [row, k, pair])),
        ),
        at: (left, row, k, pair) => left.lattice(at(row!, k!), pair!, 0),
        touched,
      },
      'lattice, blanks': {
        by: 'row, step, first pair, last pair',
        places: rows.flatMap(({ row, steps, band }) =>
          steps.map((k) => [row, k, band(k)[0]!, band(k).at(-1)!]),
        ),
        at: (left, row, k, first, last) => left.blanks(at(row!, k!), range(first!, last! + 1)),
        touched,
      },
      // those of the step that comes next, in another slice
      posteriors: {
        by: 'row, pair',
        places: rows.flatMap(({ row, band }) =>
          problem.boxFrame > 0 ? band(problem.boxFrame - 1).map((pair) => [row, pair]) : [],
        ),
        at: (left, row, pair) => [0, 1].map((label) => left.posterior(row!, pair!, label)),
        touched: whole(
          rows.map(({ row }) => row),
          problem.pairs,
        ),
      },
      edges: {
        ...{ by: 'row, block, step', places: edges, touched: edgeRoom(work, rows) },
        at: (left, _row, _b, _k, element) => left.mantissa('edges', element!),
      },
    };
  },
  viterbi(work) {
    const { problem, constants, before, sequences } = work;
    const { boxEnd, emissionFrame } = problem;
    const rows = sequences
      .filter(
        ({ feasible, part }) => feasible && !(constants.AGAIN && before.integer('ends', part) >= NO_END),
      )
      .map((sequence) => ({ ...sequence, row: sequence.part, steps: stepsOf(work, sequence.T - 1) }))
      .filter(({ steps }) => steps.length > 0);
    /** When a slice is walked again, only the pairs that lead to where its path ends have what they had. */
    const leads = (part: number, k: number, pair: number) => {
      const end = before.integer('ends', part) >>> 1;
      return !constants.AGAIN || (pair <= end && pair + boxEnd - 1 - k >= end);
    };
    const edges = rows
      .flatMap((of) => edgesOf(work, of))
      .filter(([row, b, k]) => leads(row!, k! - 1, (b! + 1) * 4 * (constants.LANES as number) - 1));
    const rowOf = (part: number, k: number) => part * problem.alphaRows + Math.floor((k - emissionFrame) / 3);
    return {
      ways: {
        by: 'part, step, pair',
        places: rows.flatMap(({ part, steps, band }) =>
          steps.flatMap((k) =>
            band(k)
              .filter((pair) => leads(part, k, pair))
              .map((pair) => [part, k, pair]),
          ),
        ),
        exact: true,
        at(left, part, k, pair) {
          const word = left.integer('ways', (rowOf(part!, k!) * problem.pairs + pair! - (pair! % 4)) / 4);
          return Math.floor(word / 1296 ** ((k! - emissionFrame) % 3) / 6 ** (3 - (pair! % 4))) % 6;
        },
        touched: rows.flatMap(({ part, steps }) =>
          whole(
            steps.map((k) => rowOf(part, k)),
            problem.pairs / 4,
          ),
        ),
      },
      stateCosts: {
        by: 'part, pair',
        places: rows.flatMap(({ part, steps, band }) => {
          const k = steps.at(-1)!;
          return band(k)
            .filter((pair) => leads(part, k, pair))
            .map((pair) => [part, pair]);
        }),
        at: (left, part, pair) => [0, 1].map((label) => left.stateCost(part!, pair!, label)),
        exact: true,
        touched: whole(
          rows.map(({ part }) => part),
          problem.pairs,
        ),
      },
      edgeCosts: {
        ...{ by: 'part, block, step', places: edges, touched: edgeRoom(work, rows) },
        at: (left, _part, _b, _k, element) => left.cost('edgeCosts', element!),
        exact: true,
      },
    };
  },
  arrive({ sequences }) {
    const places = sequences.map(({ part }) => [part]);
    return {
      ends: {
        ...{ by: 'part', places, touched: withElement(places) },
        at: (left, part) => left.integer('ends', part!),
        exact: true,
      },
    };
  },
  trace(work) {
    const { before, batch } = work;
    const rows = work.sequences.filter(({ part }) => before.integer('ends', part) < NO_END);
    const places = rows.flatMap(({ n, T }) => stepsOf(work, T - 1).map((t) => [n, t, n * batch.frames + t]));
    return {
      labels: {
        ...{ by: 'sequence, frame', places, touched: withElement(places) },
        at: (left, _n, _t, element) => left.integer('labels', element!),
        exact: true,
      },
      ends: {
        ...{ by: 'part', places: rows.map(({ part }) => [part]), touched: rows.map(({ part }) => part) },
        at: (left, part) => left.integer('ends', part!),
        exact: true,
      },
      ...(work.problem.boxFrame === 0 && {
        masks: {
          ...{ by: 'part', places: work.sequences.map(({ part }) => [part]) },
          touched: work.sequences.map(({ part }) => part),
          at: (left, part) => left.integer('masks', part!),
          exact: true,
        },
      }),
    };
  },
  spell: readingOf,
  greedy: readingOf,
  draw(work) {
    const beyond = work.sequences.flatMap(({ n, T }) => range(T, work.batch.frames).map((t) => [n, t]));
    return { walkers: walkersOf(work), samples: samplesOf(work, beyond) };
  },
  sample(work) {
    const frames = work.sequences.flatMap(({ n, T, middle, stepOf }) =>
      range(0, T)
        .filter((t) => stepsOf(work, T).includes(stepOf(Number(t > middle), t)))
        .map((t) => [n, t]),
    );
    return { walkers: walkersOf(work), samples: samplesOf(work, frames) };
  },
  durations({ sequences, problem }) {
    const own = sequences.flatMap(({ part }) =>
      range(0, problem.labels).map((i) => [part, i, part * problem.labels + i]),
    );
    const places = sequences.flatMap(({ n }) =>
      range(0, problem.labels).map((i) => [n, i, n * problem.labels + i]),
    );
    const rest = { by: 'sequence, label', places, touched: withElement(places) };
    return {
      sums: {
        ...{ by: 'part, label', places: own, touched: withElement(own) },
        at: (left, _part, _i, element) => left.fixed('sums', element!),
      },
      durations: { ...rest, at: (left, _n, _i, element) => left.float('durations', element!) },
      confidences: { ...rest, at: (left, _n, _i, element) => left.float('confidences', element!) },
    };
  },
  prune(work) {
    const tops = work.constants.TOPS as number;
    const places = rowsOf(work)
      .filter(({ t, T }) => t < T)
      .flatMap(({ part, t }) =>
        range(0, tops).map((i) => [part, t, i, (part * work.problem.frames + t) * tops + i]),
      );
    const rest = { by: 'part, frame, rank', places, touched: withElement(places) };
    return {
      topLabels: {
        ...rest,
        exact: true,
        at: (left, _part, _t, _i, element) => left.integer('topLabels', element!),
      },
      topScores: { ...rest, at: (left, _part, _t, _i, element) => left.float('topScores', element!) },
    };
  },
  beam: (work) => ownOf(work, 'entries', 'tree', 'ways'),
  unwind(work) {
    const { sequences, constants, batch } = work;
    const texts = sequences.flatMap(({ n }) =>
      range(0, constants.TEXTS as number).map((i) => [n, i, n * (constants.TEXTS as number) + i]),
    );
    const labels = texts.flatMap(([n, i, text]) =>
      range(0, batch.frames).map((k) => [n!, i!, k, text! * batch.frames + k]),
    );
    return {
      texts: {
        ...{ by: 'sequence, text, label', places: labels, touched: withElement(labels), exact: true },
        at: (left, _n, _i, _k, element) => left.integer('texts', element!),
      },
      textTotals: {
        ...{ by: 'sequence, text', places: texts, touched: withElement(texts) },
        at: (left, _n, _i, element) => left.float('textTotals', element!),
      },
      lastExits: {
        ...{ by: 'sequence, text', places: texts, touched: withElement(texts), exact: true },
        at: (left, _n, _i, element) => left.integer('lastExits', element!),
      },
      ...ownOf(work, 'worths'),
    };
  },
};

/** What kernels of a search have for themselves, and their twins in another form: compared is what comes of it. */
function ownOf({ plan, nameOf }: Work, ...bindings: string[]): Record<string, Written> {
  const nothing = { by: 'nothing', places: [], at: () => 0 };
  return Object.fromEntries(
    bindings.map((binding) => [
      binding,
      { ...nothing, touched: range(0, plan.buffers[nameOf(binding)]!.count) },
    ]),
  );
}

/** Of the step strategy: a frame's posteriors sum to 1 at last; until then their scale is free. */
function sharesOf(work: Work, name: string, before: Left): Omit<Written, 'touched'> {
  const { sequences, problem } = work;
  const regular = sequences.filter(({ n, feasible }) => feasible && before.total(n)[1] === 0);
  return {
    by: 'part, frame, state',
    places: regular.flatMap(({ part, T, band }) =>
      stepsOf(work, T - 1).flatMap((t) => {
        const first = 2 * stepRow(work, part, t) * problem.pairs;
        const states = band(t).flatMap((pair) => [2 * pair, 2 * pair + 1]);
        return states.map((state) => [part, t, state, first, states[0]!, states.at(-1)!]);
      }),
    ),
    at(left, _part, _t, state, first, start, last) {
      const masses = range(start!, last! + 1).map((s) => left.mantissa(name, first! + s));
      return left.mantissa(name, first! + state!) / masses.reduce((a, b) => a + b, 0);
    },
  };
}

/** Whether costs of a sequence are noted as far; a frame with a NaN has none that anybody reads. */
function masksOf(used: ReturnType<typeof rowsOf>): Written {
  const parts = [...new Set(used.map(({ part }) => part))];
  const valid = parts.filter((part) => used.every((of) => of.part !== part || !of.isInvalid(of.t)));
  return {
    ...{ by: 'part', places: valid.map((part) => [part]), touched: parts },
    at: (left, part) => Number(left.integer('masks', part!) === 1),
    exact: true,
  };
}

/** The edges of rows. */
function edgeRoom({ problem, constants }: Work, rows: readonly { row: number }[]): number[] {
  const room = (problem.pairs / (4 * (constants.LANES as number))) * 2 * problem.segment;
  return whole(
    rows.map(({ row }) => row),
    room,
  );
}

/** The sequences that a dispatch is for. */
function sequencesFor(
  batch: Batch,
  { scores, delimiter }: ProblemShape,
  { kernel, grid, constants }: Dispatch,
  problem: Problem,
) {
  const all = range(0, batch.sequences);
  const ofBox = ['rows', 'gradient', 'spell', 'greedy', 'prune', 'posterior'].includes(kernel);
  const counts: Partial<Record<KernelName, number>> = {
    ...{ loss: grid[0], scales: grid[0], arrive: grid[0], trace: problem.count, reduce: 0 },
    ...{ sweep: grid[1] / 2, spread: grid[1] / 2 },
  };
  const first = ofBox ? problem.boxSequence : problem.firstSequence;
  // what is done for a recording is done by the record of its first candidate
  const perRow = /^(rows|greedy)$/.test(kernel) && !constants.CANDIDATES ? problem.candidates : 1;
  return all.slice(first, first + (counts[kernel] ?? grid[1])).map((n) => ({
    ...sequenceOf(batch, perRow * n, scores, delimiter),
    n,
    part: n - problem.firstSequence,
  }));
}

const isNear = (x: number, wanted: number, exact = false) =>
  x === wanted || Object.is(x, wanted) || (!exact && Math.abs(x - wanted) <= 2e-6 + 1e-6 * Math.abs(wanted));

/** How many places of each buffer of each kernel. */
const compared = new Map<string, number>();

/** Compares what a dispatch left on both machines. */
function compare(work: Work, { kernel, constants }: Dispatch, device: Left, cpu: Left) {
  // nobody reads what it makes of a sequence with a NaN
  const read =
    kernel === 'viterbi' ? { ...work, sequences: work.sequences.filter(({ valid }) => valid) } : work;
  for (const [binding, { by, places, at, exact }] of Object.entries(writes[kernel](read))) {
    const key = `${kernel}${constants.AGAIN ? ' again' : ''}: ${binding}`;
    compared.set(key, (compared.get(key) ?? 0) + places.length);
    for (const place of places) {
      const [got, expected] = [at(device, ...place), at(cpu, ...place)];
      const same =
        typeof expected === 'number'
          ? isNear(got as number, expected, exact)
          : expected.every((x, j) => isNear((got as number[])[j]!, x, exact));
      if (!same) expect.fail(`${key}, ${by} = ${place.join(', ')}: expected ${expected}, got ${got}`);
    }
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);

/** All that a command had no business with is as it was. */
function expectUntouched(
  plan: Plan,
  what: string,
  touched: ReadonlyMap<string, Set<number>>,
  before: Left,
  after: Left,
) {
  for (const name of [...Object.keys(plan.buffers), 'grad']) {
    const { frames, sequences, classes } = plan.task;
    const count = name === 'grad' ? frames * sequences * classes : plan.buffers[name]!.count;
    const own = touched.get(name);
    const then = before.raw(name);
    after.raw(name).forEach((words, part) => {
      if (bytesOf(words).equals(bytesOf(then[part]!))) return;
      const width = words.length / count;
      words.forEach((word, i) => {
        if (word === then[part]![i] || own?.has(Math.floor(i / width))) return;
        expect.fail(`${what}: element ${Math.floor(i / width)} of ${name} was touched`);
      });
    });
  }
}

function expectCopied(plan: Plan, { from, to, fromFirst, toFirst, count }: Copy, left: Left) {
  const source = left.raw(from);
  left.raw(to).forEach((words, part) => {
    const width = words.length / plan.buffers[to]!.count;
    const copied = source[part]!.subarray(fromFirst * width, (fromFirst + count) * width);
    const copy = words.subarray(toFirst * width, (toFirst + count) * width);
    if (!bytesOf(copy).equals(bytesOf(copied))) expect(copy).toEqual(copied);
  });
}

function touchedBy(command: Command, work: Work | undefined): Map<string, Set<number>> {
  if (command.type === 'copy')
    return new Map([[command.to, new Set(range(command.toFirst, command.toFirst + command.count))]]);
  return new Map(
    Object.entries(writes[command.kernel](work!)).map(([binding, { touched }]) => [
      work!.nameOf(binding.split(',')[0]!),
      new Set(touched),
    ]),
  );
}

async function compareAll(gpu: typeof plain, plan: Plan, given: Batch) {
  const seed = 7;
  const [device, cpu] = [await onDevice(gpu, plan, given, seed), await onCpu(plan, given, seed)];
  const batch = forEachCandidate(plan, given);
  const draws = plan.buffers.seed !== undefined;
  const moved = draws ? [await onCpu(plan, given, seed, -1e-5), await onCpu(plan, given, seed, 1e-5)] : [];
  plan.commands.forEach((command, i) => {
    const what = `command ${i}, ${command.type === 'copy' ? 'a copy' : command.kernel}`;
    let work: Work | undefined;
    if (command.type === 'dispatch') {
      const problem = plan.problems[command.problem]!;
      work = {
        ...{ batch, plan, problem, constants: command.constants },
        sequences: sequencesFor(batch, plan.task, command, problem),
        before: cpu[i]!,
        nameOf(binding) {
          const to = command.bindings[binding]!;
          return 'buffer' in to ? to.buffer : (portOf(plan, to.port).buffer ?? to.port);
        },
      };
      compare(work, command, device[i + 1]!, cpu[i + 1]!);
      for (const other of /^(draw|sample)$/.test(command.kernel) ? moved : [])
        for (const name of ['walkers', 'samples'])
          expect(
            other[i + 1]!.raw(name),
            `${what}: a random number lies near a threshold; choose another seed`,
          ).toEqual(cpu[i + 1]!.raw(name));
    } else for (const left of [device, cpu]) expectCopied(plan, command, left[i + 1]!);
    const touched = touchedBy(command, work);
    for (const [where, left] of Object.entries({ device, cpu }))
      expectUntouched(plan, `${what}, ${where}`, touched, left[i]!, left[i + 1]!);
  });
}

const kept = ['alpha', 'beta', 'posterior'] as const;
const alone = { sharedRow: 512 };
const together = { sharedRow: 0, rowWorkgroupSize: 64 };
const lanes = subgroupSize ?? 0;
const shuffles = { sharedRow: 0, lanes, rowWorkgroupSize: lanes, subgroups: true };
/** 18 labels are three blocks of two lanes. */
const barriers = { lanes: 2, subgroups: false };

const ways: Readonly<Record<string, (strategy: string) => Way>> = {
  'a lane a row, barriers, in one go': () => ({
    tuning: { ...alone, ...barriers, stepsPerDispatch: 2 ** 14 },
  }),
  'rows shared by lanes, in segments and windows': (strategy) => ({
    // lanes enough for several of a device's subgroups, between which barriers count
    tuning: { ...together, lanes: 8, subgroups: false, elementsPerDispatch: 1500 },
    task: { reduction: 'none', zeroInfinity: true, ...(strategy === 'step' && { keep: kept }) },
  }),
  // buffers so small that each sequence is a part, and its time in slices
  'in slices': (strategy) => ({
    tuning: { ...alone, ...barriers, software: true },
    limits: {
      maxStorageBufferBindingSize: strategy === 'align' ? 1200 : 3000,
      maxBufferSize: /^rank/.test(strategy) ? 4000 : 3000,
    },
    task: { layout: 'NTC', gradient: 'logProbs', ...(strategy === 'step' && { keep: kept }) },
  }),
  ...(subgroupSize && {
    'subgroups, in parts': (strategy: string) => ({
      tuning: { ...shuffles, partBytes: strategy === 'align' ? 6000 : 20_000 },
      task: { gradient: 'none' },
    }),
    'subgroups, in slices': (strategy: string) => ({
      tuning: shuffles,
      limits: { maxStorageBufferBindingSize: strategy === 'align' ? 1200 : 3000 },
    }),
  }),
};

const random = makeBatch('random', 24, { frames: 31, sequences: 4, classes: 9, labels: 20, ragged: true });

/** Scores that are whole numbers, two labels that repeat, lengths from none on. */
const tied = ((): Batch => {
  const made = makeBatch('repeats', 4, {
    frames: 23,
    sequences: 6,
    classes: 5,
    labels: 9,
    blank: 2,
    ragged: true,
  });
  const next = seeded(5);
  const level = () => (next() < 0.03 ? Number.NEGATIVE_INFINITY : -Math.floor(3 * next()));
  const scores = Float32Array.from(made.logits, level);
  const targets = [[], [], [0, 0], [0, 1, 0, 1, 1, 0, 0, 1, 1], [1, 1, 1], made.targets[5]!];
  const inputLengths = [0, 1, 2, 23, 6, 23];
  return { ...made, logProbs: scores, targets, inputLengths };
})();

/** Scores as large as a million, and in some frames none that is a number. */
const extreme = ((): Batch => {
  const made = makeBatch('random', 6, { frames: 20, sequences: 4, classes: 7, labels: 6, ragged: false });
  const next = seeded(7);
  const wide = (x: number, i: number) => x * 10 ** (5.3 * next() * Number(Math.floor(i / 7) % 3 === 0));
  const [logits, logProbs] = [made.logits.map(wide), made.logProbs.map(wide)];
  const at = (t: number, n: number, c: number) => (t * 4 + n) * 7 + c;
  for (const scores of [logits, logProbs]) {
    scores[at(4, 0, 0)] = Number.NaN;
    scores[at(9, 1, 3)] = Number.POSITIVE_INFINITY;
    for (let c = 0; c < 7; c++) scores[at(11, 2, c)] = Number.NEGATIVE_INFINITY;
    scores[at(3, 3, 6)] = Number.NaN;
  }
  return { ...made, logits, logProbs };
})();

/** A third of the scores are masks of some size, so that paths have to go through them. */
const masked = ((): Batch => {
  const made = makeBatch('random', 8, { frames: 24, sequences: 4, classes: 6, labels: 7, ragged: true });
  const next = seeded(9);
  const masks = [-1e9, -1e10, -1e12, -1e30, -3.4028234663852886e38];
  const cover = (x: number) => (next() < 0.3 ? masks[Math.floor(masks.length * next())]! : x);
  return { ...made, logits: made.logits.map(cover), logProbs: made.logProbs.map(cover) };
})();

const batches = [
  { name: 'random', batch: random, scores: 'logProbs' },
  { name: 'random', batch: random, scores: 'logits' },
  { name: 'random', batch: random, scores: 'probs' },
  { name: 'tied', batch: tied, scores: 'logProbs' },
  { name: 'extreme', batch: extreme, scores: 'logProbs' },
  { name: 'extreme', batch: extreme, scores: 'logits' },
  { name: 'masked', batch: masked, scores: 'logProbs' },
  { name: 'masked', batch: masked, scores: 'logits' },
] as const;

test('the random batch has what the kernels treat apart', () => {
  const all = random.targets.map((_, n) => sequenceOf(random, n, 'logits'));
  expect(all.some(({ feasible }) => !feasible)).toBe(true);
  expect(all.some(({ feasible, T }) => feasible && T % 2 === 0)).toBe(true);
  expect(all.some(({ feasible, T }) => feasible && T % 2 === 1)).toBe(true);
  expect(all.some(({ feasible, T, S }) => feasible && S > T / 2)).toBe(true);
  expect(all.some(({ S }) => S > 16)).toBe(true);
});

const plans = everyOperation.flatMap(([operation, { plans }]) =>
  Object.entries(plans).map(
    ([strategy, planner]) => [`${operation}, ${strategy}`, strategy, planner] as const,
  ),
);

// each plan early in one way, since a fault of any kernel should be told soon
describe.each(batches)(
  'each kernel writes what its twin writes, from $scores of the $name batch',
  ({ name, batch, scores }) => {
    // what is another where scores are probabilities is how a row is read: by a lane, or by several; by subgroups it is enumeration's
    describe.each(Object.entries(ways).slice(0, scores === 'probs' ? 2 : undefined))('%s', (_, wayOf) => {
      // costs are whole numbers, which the two logarithms of a probability may miss by one: those are enumeration's
      // the sweeps of a rank are those of `fused`: here its own is how emissions are made; a beam has no targets, in which batches differ
      const isNew = (strategy: string) => !/^(rank|beam)$/.test(strategy) || /^(random|extreme)$/.test(name);
      const compared = plans.filter(
        ([, strategy]) => isNew(strategy) && (scores !== 'probs' || strategy !== 'align'),
      );
      test.each(compared)('%s', async (__, strategy, planner) => {
        const way = wayOf(strategy);
        await compareAll(
          way.tuning?.subgroups ? withSubgroups : plain,
          planOf(batch, planner, { ...way, scores }),
          batch,
        );
      });
    });
  },
);

test('every kernel was compared', () => {
  const kernels = [...new Set([...compared.keys()].map((key) => key.split(':')[0]))];
  expect(kernels.toSorted()).toEqual([...Object.keys(writes), 'viterbi again'].toSorted());
  for (const [key, count] of compared)
    if (!/^beam:|^unwind: worths/.test(key)) expect(count, key).toBeGreaterThan(0);
});
