import type { Constants } from '../kernels/kernels.js';
import type { Problem } from '../kernels/uniforms.js';
import { distinctLabels } from '../problem/targets.js';
import { type Bindings, Draft } from './draft.js';
import { elementBytes, type Limits, type Plan, type ProblemShape } from './plan.js';
import {
  type Box,
  count,
  edgeSteps,
  type Range,
  segmentOf,
  shortestSegment,
  splitMemory,
  together,
} from './split.js';
import type { Tuning } from './tuning.js';

/**
 * The *fused* and *tiled* strategies: sweeps from both ends of each sequence meet in its middle, then the posterior
 * spreads outwards. Where the lattice is too large, it is held a slice of steps at a time: the sweeps leave a
 * checkpoint at the start of each slice, and sweep again through a slice when the posterior comes to it.
 */
export function planSweeps(
  task: ProblemShape,
  limits: Limits,
  tuning: Tuning,
  strategy: 'fused' | 'tiled',
): Plan {
  const gradient = (draft: Draft, { ofPart, box, fields, lattice, totals }: Outwards) =>
    draft.overRows('gradient', box, fields, { ...ofPart, lattice, totals });
  const use = task.gradient === 'none' ? undefined : { afterSpread: gradient };
  return sweepOver(task, limits, tuning, strategy, use).finish(strategy);
}

/** A slice of a part of the batch, as the posterior comes to it from the middle. */
export interface Outwards {
  readonly part: Range;
  readonly slice: Range;
  /** Whether it is the first of them. */
  readonly isFirst: boolean;
  readonly ofPart: ReturnType<Draft['ofPart']>;
  /** The frames of the slice, at both ends. */
  readonly box: Box;
  readonly fields: Partial<Problem>;
  readonly pairs: number;
  readonly lattice: string;
  readonly posteriors: string;
  readonly totals: string;
}

/** What is done on the way outwards. */
export interface Use {
  /** Elements that a dispatch of its own handles of one sequence, however time is cut. */
  readonly elements?: number;
  /** Once the sweeps have met: the posterior of the middle frame is there. */
  afterMeeting?(draft: Draft, part: Omit<Outwards, 'slice' | 'isFirst' | 'box'>): void;
  /** While the lattice has the shares of a slice. */
  beforeSpread?(draft: Draft, slice: Outwards): void;
  /** Once it has posteriors in their place. */
  afterSpread?(draft: Draft, slice: Outwards): void;
}

/** Sweeps that meet in the middle, and where the posterior is of use, the way back. */
export function sweepOver(
  task: ProblemShape,
  limits: Limits,
  tuning: Tuning,
  strategy: 'fused' | 'tiled',
  use?: Use,
): Draft {
  const { frames, maxTargetLength: labels } = task;
  const backward = use !== undefined;
  const lanes = tuning.lanes || Math.ceil((labels + 1) / 4);
  const blocks = Math.ceil((labels + 1) / (4 * lanes));
  const pairs = 4 * lanes * blocks;
  const slots = distinctLabels(labels, task.classes) + 2;
  // of both sweeps, the middle frame in each
  const steps = Math.floor(frames / 2) + 1;
  const lattice = backward ? 2 * pairs * elementBytes.share : 0;
  const { parts, slices } = splitMemory(task, limits, tuning, {
    steps,
    slice: (steps) => together(lattice * steps, 2 * slots * elementBytes.extended * steps),
    frames: frames * elementBytes.frame,
    row: 2 * pairs * elementBytes.state,
    elements: Math.max(frames, use?.elements ?? 0),
  });
  const sliceSteps = count(slices[0]!);
  // in a slice each group of blocks has its turn several times, or starting one after the other would take the time
  const most = strategy === 'fused' ? 1 : Math.ceil(sliceSteps / (4 * shortestSegment));
  const blocksPerGroup = Math.ceil(blocks / Math.min(most, limits.maxComputeWorkgroupsPerDimension));
  const groups = Math.ceil(blocks / blocksPerGroup);
  const draft = new Draft(task, limits, tuning, true, { pairs, blocks: blocksPerGroup });
  const totals = draft.buffer('totals', 'total', task.sequences);

  for (const part of draft.each(parts)) {
    const batch = count(part);
    const rows = 2 * batch;
    const ofPart = draft.ofPart(part);
    const emissions = draft.buffer('emissions', 'extended', rows * sliceSteps * slots);
    const lattice = draft.buffer('lattice', 'share', backward ? rows * sliceSteps * pairs : 2);
    const states = draft.buffer('states', 'state', rows * pairs);
    const segment = Math.min(
      segmentOf(sliceSteps, rows * 4 * lanes, blocksPerGroup, groups, tuning),
      edgeSteps(rows * blocks, limits),
    );
    const edges = draft.buffer('edges', 'edge', rows * blocks * 2 * segment);
    const posteriors = draft.buffer('posteriors', 'posterior', backward ? rows * pairs : 1);
    const runOf = (slice: Range) => Math.ceil(count(slice) / segment) + groups - 1;
    const fieldsOf = (first: number) => ({
      firstSequence: part.first,
      emissionFrame: first,
      emissionRows: sliceSteps,
      alphaFrame: first,
      alphaRows: sliceSteps,
      segment,
    });

    const overSteps = (
      kernel: 'sweep' | 'spread',
      slice: Range,
      bindings: Bindings,
      constants: Constants,
    ) => {
      const run = runOf(slice);
      draft.dispatch(
        kernel,
        [groups, rows],
        { ...fieldsOf(slice.first), boxFrame: slice.first, boxEnd: slice.end },
        { targets: ofPart.targets, edges, lattice, ...bindings },
        rows * pairs * Math.ceil(count(slice) / run),
        {
          integers: { integer: 'step' },
          steps: { count: run, descending: kernel === 'spread' },
          constants: { LANES: lanes, SUBGROUPS: tuning.subgroups, ...constants },
        },
      );
    };
    /** The frames of a slice lie at both ends of what the slices before it left; the middle one may be in two slices. */
    const boxOf = (first: number) => ({
      frames: { first: Math.max(0, first - 1), end: frames - first },
      sequences: part,
    });

    const sweepThrough = (slice: Range, store: boolean) => {
      draft.overRows('rows', boxOf(slice.first), fieldsOf(slice.first), { ...ofPart, emissions });
      const RESUMES = runOf(slice) > 1 || slices.length > 1;
      overSteps('sweep', slice, { emissions, states }, { STORE: store, RESUMES });
    };

    slices.forEach((slice, j) => {
      const last = j === slices.length - 1;
      sweepThrough(slice, backward && last);
      if (backward && !last) draft.copy(states, draft.buffer(`checkpoint.${j + 1}`, 'state', rows * pairs));
    });
    const met = { ...ofPart, states, totals, posteriors };
    draft.dispatch('loss', [batch, 1], fieldsOf(0), met, batch * frames, {
      constants: { WORKGROUP: tuning.rowWorkgroupSize, STORE: backward },
    });
    if (!use) continue;
    const whole = { part, ofPart, fields: fieldsOf(0), pairs, lattice, posteriors, totals };
    use.afterMeeting?.(draft, whole);
    for (const [j, slice] of [...slices.entries()].reverse()) {
      if (j < slices.length - 1) {
        if (j > 0) draft.copy(`checkpoint.${j}`, states);
        sweepThrough(slice, true);
      }
      const outwards = {
        ...{ ...whole, slice, isFirst: j === slices.length - 1 },
        ...{ box: boxOf(slice.first), fields: fieldsOf(slice.first) },
      };
      use.beforeSpread?.(draft, outwards);
      if (!use.afterSpread) continue;
      overSteps('spread', slice, { posteriors }, {});
      use.afterSpread(draft, outwards);
    }
  }
  return draft;
}
