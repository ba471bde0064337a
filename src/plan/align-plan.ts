import type { Constants } from '../kernels/kernels.js';
import { distinctLabels } from '../problem/targets.js';
import { Draft } from './draft.js';
import { elementBytes, type Limits, type Plan, type ProblemShape } from './plan.js';
import { bindable, count, edgeSteps, type Range, segmentOf, splitMemory, together } from './split.js';
import type { Tuning } from './tuning.js';

/** Steps whose ways share a word. */
const stepsPerWord = 3;

/** Frames that one dispatch follows a path back: each waits for the one after it. */
const framesTraced = 4096;

/** More memory than this is not taken at once, even where a device would give it. */
const mostBytes = 2 ** 27;

/**
 * The best path of each sequence. One sweep over all frames keeps the ways, two and two thirds bits a pair and frame; then
 * the path is followed back. Where the ways of a sequence are too many, a slice of frames is held at a time: the sweep leaves
 * a checkpoint at the start of each, and walks a slice again, only where the path can be, when that comes to it.
 */
export function planAlign(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { frames, sequences, maxTargetLength, classes } = task;
  const lanes = tuning.lanes || Math.ceil((maxTargetLength + 1) / 4);
  const blocks = Math.ceil((maxTargetLength + 1) / (4 * lanes));
  const pairs = 4 * lanes * blocks;
  const slots = distinctLabels(maxTargetLength, classes) + 2;
  const room = Math.min(bindable(limits), mostBytes);
  const { parts, slices } = splitMemory(task, { ...limits, maxStorageBufferBindingSize: room }, tuning, {
    steps: frames,
    slice: (steps) => together(pairs * Math.ceil(steps / stepsPerWord), slots * elementBytes.cost * steps),
    frames: frames * elementBytes.frame,
    row: pairs * elementBytes.costs,
    elements: frames,
  });
  const sliceSteps = count(slices[0]!);
  // in a slice each group of blocks has its turn several times
  const turns = tuning.software ? Math.ceil(8 / sequences) : Math.ceil(sliceSteps / 64);
  const blocksPerGroup = Math.ceil(blocks / Math.min(turns, limits.maxComputeWorkgroupsPerDimension));
  const groups = Math.ceil(blocks / blocksPerGroup);
  const draft = new Draft(task, limits, tuning, false, { pairs, blocks: blocksPerGroup });
  const { labels, labelScores } = labelsOf(draft, frames);
  const ofReading: Constants = { READING: true };

  for (const part of draft.each(parts)) {
    const batch = count(part);
    const ofPart = draft.ofPart(part);
    const rows = Math.ceil(sliceSteps / stepsPerWord);
    const costs = draft.buffer('costs', 'cost', batch * sliceSteps * slots);
    const ways = draft.buffer('ways', 'word', (batch * rows * pairs) / 4);
    const stateCosts = draft.buffer('stateCosts', 'costs', batch * pairs);
    const ends = draft.buffer('ends', 'word', batch);
    const masks = draft.buffer('masks', 'word', batch);
    const shortest = segmentOf(sliceSteps, batch * 4 * lanes, blocksPerGroup, groups, tuning);
    const segment = Math.min(
      Math.ceil(shortest / stepsPerWord) * stepsPerWord,
      Math.floor(edgeSteps(batch * blocks, limits) / stepsPerWord) * stepsPerWord,
    );
    const edgeCosts = draft.buffer('edgeCosts', 'cost', batch * blocks * 2 * segment);
    const fieldsOf = ({ first, end }: Range) => ({
      firstSequence: part.first,
      emissionFrame: first,
      emissionRows: sliceSteps,
      alphaRows: rows,
      boxFrame: first,
      boxEnd: end,
      count: batch,
    });
    const walk = (slice: Range, AGAIN: boolean) => {
      const fields = fieldsOf(slice);
      draft.overRows(
        'rows',
        { frames: slice, sequences: part },
        fields,
        { ...ofPart, emissions: costs, masks },
        ofReading,
      );
      const run = Math.ceil(count(slice) / segment) + groups - 1;
      draft.dispatch(
        'viterbi',
        [groups, batch],
        { ...fields, segment },
        { targets: ofPart.targets, costs, stateCosts, edgeCosts, ways, ends, masks },
        batch * pairs * Math.ceil(count(slice) / run),
        {
          integers: { integer: 'step' },
          steps: { count: run, descending: false },
          constants: {
            LANES: lanes,
            SUBGROUPS: tuning.subgroups,
            AGAIN,
            ...ofReading,
          },
        },
      );
    };

    slices.forEach((slice, j) => {
      walk(slice, false);
      if (j < slices.length - 1)
        draft.copy(stateCosts, draft.buffer(`checkpoint.${j + 1}`, 'costs', batch * pairs));
    });
    const whole = { first: 0, end: frames };
    const arrival = { ...ofPart, stateCosts, ends };
    draft.dispatch('arrive', [batch, 1], fieldsOf(whole), arrival, batch * frames, {
      constants: { ...draft.together, ...ofReading },
    });
    for (const [j, slice] of [...slices.entries()].reverse()) {
      if (j < slices.length - 1) {
        if (j > 0) draft.copy(`checkpoint.${j}`, stateCosts);
        walk(slice, true);
      }
      draft.dispatch(
        'trace',
        [Math.ceil(batch / tuning.workgroupSize), 1],
        { ...fieldsOf(slice), segment: framesTraced },
        { targets: ofPart.targets, labels, ways, ends, masks },
        batch * Math.min(framesTraced, count(slice)),
        {
          integers: { integer: 'step' },
          steps: { count: Math.ceil(count(slice) / framesTraced), descending: true },
          constants: ofReading,
        },
      );
    }
    const box = { frames: whole, sequences: part };
    draft.overRows('spell', box, fieldsOf(whole), { ...ofPart, labels, labelScores, ends }, ofReading);
  }
  return draft.plan('align');
}

/** The best class of each frame. */
export function planGreedy(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { frames } = task;
  const { parts } = splitMemory(task, limits, tuning, {
    ...{ steps: 1, slice: () => 0, frames: 0, row: 0, elements: 1 },
  });
  const draft = new Draft(task, limits, tuning, false, {});
  const { labels, labelScores } = labelsOf(draft, frames);
  for (const part of draft.each(parts)) {
    const box = { frames: { first: 0, end: frames }, sequences: part };
    const bindings = { targets: draft.targetsOf(part), labels, labelScores };
    draft.overRows('greedy', box, { firstSequence: part.first }, bindings, { READING: true });
  }
  return draft.plan('decode');
}

/** The results of both: for each frame a class and its log-probability. */
function labelsOf(draft: Draft, frames: number) {
  const [labels, labelScores] = ['labels', 'labelScores'];
  draft.result('labels', 'word', frames, labels);
  draft.result('scores', 'float', frames, labelScores);
  return { labels, labelScores };
}
