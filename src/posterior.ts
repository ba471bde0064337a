import { strategyFor, type Tuning } from './auto.js';
import type { Draft } from './draft.js';
import type { Limits, Plan, ProblemShape } from './plan.js';
import { count, segmentOf } from './split.js';
import { type Outwards, sweepOver } from './sweeps.js';

/** Frames that one dispatch walks a sample: each waits for the one after it. */
const framesWalked = 4096;

/** Expected durations and confidences of labels, and paths drawn from the posterior: what becomes of a slice on the way outwards. */
export function planPosterior(task: ProblemShape, limits: Limits, tuning: Tuning, samples: number): Plan {
  const { frames, sequences, maxTargetLength: labels } = task;
  const room = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  const fits = (what: string, words: number) => {
    if (4 * words > room)
      throw new RangeError(
        `${what}: expected results that this device can hold (${room} bytes), got ${4 * words} bytes`,
      );
  };
  fits(`N · samples · T = ${sequences} · ${samples} · ${frames}`, sequences * samples * frames);
  const groupsOf = (invocations: number) => Math.ceil(invocations / tuning.workgroupSize);
  const ofSamples = (draft: Draft) => ({
    seed: draft.buffer('seed', 'word', 1),
    walkers: draft.buffer('walkers', 'word', 2 * sequences * samples),
    samples: draft.buffer('samples', 'word', sequences * samples * frames),
  });
  let first = true;

  const afterMeeting = (
    draft: Draft,
    { part, ofPart, fields, posteriors, totals }: Omit<Outwards, 'slice' | 'box'>,
  ) => {
    first = true;
    if (samples === 0) return;
    const bindings = { targets: ofPart.targets, ...ofSamples(draft), posteriors, totals };
    const cost = count(part) * samples * labels;
    draft.dispatch('draw', [groupsOf(samples), count(part)], { ...fields, count: samples }, bindings, cost);
  };

  const beforeSpread = (draft: Draft, { part, slice, ofPart, fields, lattice }: Outwards) => {
    if (samples === 0) return;
    const bindings = { targets: ofPart.targets, ...ofSamples(draft), lattice };
    const segment = Math.min(framesWalked, count(slice));
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

  const afterSpread = (draft: Draft, { part, slice, ofPart, fields, pairs, lattice, totals }: Outwards) => {
    const bindings = {
      ...{ targets: ofPart.targets, lattice, totals },
      sums: draft.buffer('sums', 'fixed', count(part) * labels),
      durations: draft.buffer('durations', 'float', sequences * labels),
      confidences: draft.buffer('confidences', 'float', sequences * labels),
    };
    const segment = segmentOf(count(slice), count(part) * pairs, 1, 1, tuning);
    draft.dispatch(
      'durations',
      [groupsOf(labels), count(part)],
      { ...fields, boxFrame: slice.first, boxEnd: slice.end, segment },
      bindings,
      2 * count(part) * pairs * segment,
      {
        integers: { integer: 'step' },
        steps: { count: Math.ceil(count(slice) / segment), descending: false },
        constants: { FIRST: first },
      },
    );
    first = false;
  };

  const strategy = strategyFor('auto', task, tuning) as 'fused' | 'tiled';
  const draft = sweepOver(task, limits, tuning, strategy, { afterMeeting, beforeSpread, afterSpread });
  const names = ['durations', 'confidences', ...(samples > 0 ? ['samples'] : [])];
  return draft.end('posterior', Object.fromEntries(names.map((name) => [name, name])));
}
