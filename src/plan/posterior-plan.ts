import { type Draft, named } from './draft.js';
import type { Limits, Plan, ProblemShape } from './plan.js';
import { count, type Range } from './range.js';
import { bindable, segmentOf } from './split.js';
import { sweepsFor } from './strategies.js';
import { type Outwards, sweepOver, type WayBack } from './sweeps-plan.js';
import type { Tuning } from './tuning.js';

/** Frames that one dispatch walks a sample: each waits for the one after it. */
const framesWalked = 4096;

/** Steps of each sweep that one dispatch sums: more might leave the integers of shaders/durations.wgsl. */
const stepsSummed = 2 ** 14;

/** Expected durations and confidences of labels, and paths drawn from the posterior: what becomes of a slice on the way outwards. */
export function planPosterior(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { frames, maxTargetLength: labels, samples = 0 } = task;
  checkSamples(task, limits);
  // without labels nothing lasts, without samples nothing is drawn
  const drawn = samples > 0 && drawing(task, samples, tuning);
  const expected = labels > 0 && expecting(task, tuning);
  const wayBack = drawn || expected ? { ...drawn, ...expected } : undefined;
  const draft = sweepOver(task, limits, tuning, sweepsFor(task, tuning), wayBack);
  draft.result('durations', 'float', labels);
  draft.result('confidences', 'float', labels);
  if (samples > 0) {
    draft.result('samples', 'word', samples * frames);
    draft.number('seed', 0);
  }
  return draft.plan('posterior');
}

/** A sample has a word for each frame, and a walker for each end. */
function checkSamples({ sequences, samples = 0, frames }: ProblemShape, limits: Limits) {
  const room = bindable(limits);
  const bytes = 4 * sequences * samples * Math.max(frames, 2);
  if (bytes <= room) return;
  throw new RangeError(
    `N · samples · T = ${sequences} · ${samples} · ${frames}: ` +
      `expected samples that this device can hold (${room} bytes), got ${bytes} bytes`,
  );
}

const groupsOf = (invocations: number, { workgroupSize }: Tuning) => Math.ceil(invocations / workgroupSize);

/** Paths: their state in the middle frame, then outwards by the shares of each slice. */
function drawing(
  { sequences, frames, maxTargetLength }: ProblemShape,
  samples: number,
  tuning: Tuning,
): WayBack {
  const ofSamples = (draft: Draft, part: Range) => ({
    seed: draft.buffer('seed', 'word', 1),
    walkers: draft.buffer('walkers', 'word', 2 * count(part) * samples),
    samples: draft.buffer('samples', 'word', sequences * samples * frames),
  });
  // states among which the samples of a sequence are drawn, one after another
  const elements = samples * (maxTargetLength + 1);
  return {
    elements,
    afterMeeting(draft, { part, ofPart: { targets }, fields }) {
      const bindings = { targets, ...ofSamples(draft, part), ...named('posteriors', 'totals') };
      const grid = [groupsOf(samples, tuning), count(part)] as const;
      draft.dispatch('draw', grid, { ...fields, count: samples }, bindings, count(part) * elements);
    },
    beforeSpread(draft, { part, slice, ofPart: { targets }, fields }) {
      const bindings = { targets, ...ofSamples(draft, part), ...named('lattice') };
      const walkers = 2 * samples * count(part);
      const segment = Math.min(framesWalked, segmentOf(count(slice), walkers, 1, 1, tuning));
      draft.dispatch(
        'sample',
        [groupsOf(2 * samples, tuning), count(part)],
        { ...fields, boxFrame: slice.first, boxEnd: slice.end, segment, count: samples },
        bindings,
        walkers * segment,
        {
          integers: { integer: 'step' },
          steps: { count: Math.ceil(count(slice) / segment), descending: true },
        },
      );
    },
  };
}

/** Durations and confidences: sums and maxima over the posteriors of each slice. */
function expecting({ sequences, maxTargetLength: labels }: ProblemShape, tuning: Tuning): WayBack {
  return {
    afterSpread(draft: Draft, { part, slice, isFirst, ofPart: { targets }, fields, pairs }: Outwards) {
      const bindings = {
        ...{ targets, ...named('lattice', 'totals') },
        sums: draft.buffer('sums', 'fixed', count(part) * labels),
        durations: draft.buffer('durations', 'float', sequences * labels),
        confidences: draft.buffer('confidences', 'float', sequences * labels),
      };
      const ofAStep = 2 * count(part) * pairs;
      const segment = Math.min(stepsSummed, segmentOf(count(slice), ofAStep, 1, 1, tuning));
      draft.dispatch(
        'durations',
        [groupsOf(labels, tuning), count(part)],
        { ...fields, boxFrame: slice.first, boxEnd: slice.end, segment },
        bindings,
        ofAStep * segment,
        {
          integers: { integer: 'step' },
          steps: { count: Math.ceil(count(slice) / segment), descending: false },
          constants: { FIRST: isFirst },
        },
      );
    },
  };
}
