import { strategyFor, type Tuning } from './auto.js';
import type { Draft } from './draft.js';
import type { Limits, Plan, ProblemShape } from './plan.js';
import { bindable, count, type Range, segmentOf } from './split.js';
import { type Outwards, sweepOver } from './sweeps.js';

/** Frames that one dispatch walks a sample: each waits for the one after it. */
const framesWalked = 4096;

/** Steps of each sweep that one dispatch sums: more might leave the integers of shaders/durations.wgsl. */
const stepsSummed = 2 ** 14;

/** Expected durations and confidences of labels, and paths drawn from the posterior: what becomes of a slice on the way outwards. */
export function planPosterior(task: ProblemShape, limits: Limits, tuning: Tuning, samples: number): Plan {
  const { frames, sequences, maxTargetLength: labels } = task;
  const room = bindable(limits);
  // a sample has a word for each frame, and a walker for each end
  const bytes = 4 * sequences * samples * Math.max(frames, 2);
  if (bytes > room) {
    throw new RangeError(
      `N · samples · T = ${sequences} · ${samples} · ${frames}: ` +
        `expected samples that this device can hold (${room} bytes), got ${bytes} bytes`,
    );
  }
  const groupsOf = (invocations: number) => Math.ceil(invocations / tuning.workgroupSize);
  const ofSamples = (draft: Draft, part: Range) => ({
    seed: draft.buffer('seed', 'word', 1),
    walkers: draft.buffer('walkers', 'word', 2 * count(part) * samples),
    samples: draft.buffer('samples', 'word', sequences * samples * frames),
  });
  /** States among which the samples of a sequence are drawn, one after another. */
  const drawnFrom = samples * (labels + 1);

  const afterMeeting = (
    draft: Draft,
    { part, ofPart, fields, posteriors, totals }: Omit<Outwards, 'slice' | 'isFirst' | 'box'>,
  ) => {
    const bindings = { targets: ofPart.targets, ...ofSamples(draft, part), posteriors, totals };
    const grid = [groupsOf(samples), count(part)] as const;
    draft.dispatch('draw', grid, { ...fields, count: samples }, bindings, count(part) * drawnFrom);
  };

  const beforeSpread = (draft: Draft, { part, slice, ofPart, fields, lattice }: Outwards) => {
    const bindings = { targets: ofPart.targets, ...ofSamples(draft, part), lattice };
    const short = segmentOf(count(slice), 2 * samples * count(part), 1, 1, tuning);
    const segment = Math.min(framesWalked, short);
    draft.dispatch(
      'sample',
      [groupsOf(2 * samples), count(part)],
      { ...fields, boxFrame: slice.first, boxEnd: slice.end, segment, count: samples },
      bindings,
      2 * samples * count(part) * segment,
      {
        integers: { integer: 'step' },
        steps: { count: Math.ceil(count(slice) / segment), descending: true },
      },
    );
  };

  const afterSpread = (
    draft: Draft,
    { part, slice, isFirst, ofPart, fields, pairs, lattice, totals }: Outwards,
  ) => {
    const bindings = {
      ...{ targets: ofPart.targets, lattice, totals },
      sums: draft.buffer('sums', 'fixed', count(part) * labels),
      durations: draft.buffer('durations', 'float', sequences * labels),
      confidences: draft.buffer('confidences', 'float', sequences * labels),
    };
    const short = segmentOf(count(slice), count(part) * pairs, 1, 1, tuning);
    const segment = Math.min(stepsSummed, short);
    draft.dispatch(
      'durations',
      [groupsOf(labels), count(part)],
      { ...fields, boxFrame: slice.first, boxEnd: slice.end, segment },
      bindings,
      2 * count(part) * pairs * segment,
      {
        integers: { integer: 'step' },
        steps: { count: Math.ceil(count(slice) / segment), descending: false },
        constants: { FIRST: isFirst },
      },
    );
  };

  // without labels nothing lasts, without samples nothing is drawn
  const drawn = samples > 0 && { elements: drawnFrom, afterMeeting, beforeSpread };
  const expected = labels > 0 && { afterSpread };
  const use = drawn || expected ? { ...drawn, ...expected } : undefined;
  const strategy = strategyFor('auto', task, tuning) as 'fused' | 'tiled';
  const draft = sweepOver(task, limits, tuning, strategy, use);
  const ofLabels = ['durations', 'confidences'].map((name) =>
    draft.buffer(name, 'float', sequences * labels),
  );
  const names = [...ofLabels, ...(samples > 0 ? ['samples'] : [])];
  return draft.end('posterior', Object.fromEntries(names.map((name) => [name, name])));
}
