import { Draft, named } from './draft.js';
import { type Layout, layoutOf } from './layout.js';
import { elementBytes, type Limits, type Plan, type ProblemShape } from './plan.js';
import { count, type Range } from './range.js';
import { segmentOf, splitMemory, together } from './split.js';
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
  const { frames, sequences } = task;
  const { parts, layout } = layoutOf(
    task,
    limits,
    tuning,
    ({ pairs, slots }) => ({
      steps: frames,
      slice: (steps) => together(pairs * Math.ceil(steps / stepsPerWord), slots * elementBytes.cost * steps),
      frames: frames * elementBytes.frame,
      row: pairs * elementBytes.costs,
      elements: frames,
      most: mostBytes,
    }),
    // in a slice each group of blocks has its turn several times
    (sliceSteps) => (tuning.software ? Math.ceil(8 / sequences) : Math.ceil(sliceSteps / 64)),
  );
  const { slices, pairs, blocksPerGroup } = layout;
  const draft = new Draft(task, limits, tuning, false, { pairs, blocks: blocksPerGroup });
  labelsOf(draft, frames);
  for (const range of draft.each(parts)) {
    const part = new AlignedPart(draft, layout, range);
    slices.forEach((slice, j) => {
      part.goForward(slice, j);
    });
    part.arrive();
    for (const [j, slice] of [...slices.entries()].reverse()) part.goBack(slice, j);
    part.spell();
  }
  return draft.plan('align');
}

const READING = true;

/** A part of the batch: its buffers, which the next part has after it, and what is done on them. */
class AlignedPart {
  readonly #draft: Draft;
  readonly #layout: Layout;
  readonly #part: Range;
  readonly #batch: number;
  readonly #segment: number;
  readonly #ofPart: ReturnType<Draft['ofPart']>;

  constructor(draft: Draft, layout: Layout, part: Range) {
    const { lanes, blocks, blocksPerGroup, groups, pairs, slots, sliceSteps, tuning } = layout;
    this.#draft = draft;
    this.#layout = layout;
    this.#part = part;
    const batch = count(part);
    this.#batch = batch;
    this.#ofPart = draft.ofPart(part);
    draft.buffer('costs', 'cost', batch * sliceSteps * slots);
    draft.buffer('ways', 'word', (batch * this.#rows * pairs) / 4);
    draft.buffer('stateCosts', 'costs', batch * pairs);
    draft.buffer('ends', 'word', batch);
    draft.buffer('masks', 'word', batch);
    const shortest = segmentOf(sliceSteps, batch * 4 * lanes, blocksPerGroup, groups, tuning);
    this.#segment = Math.min(
      Math.ceil(shortest / stepsPerWord) * stepsPerWord,
      Math.floor(layout.edgeSteps(batch) / stepsPerWord) * stepsPerWord,
    );
    draft.buffer('edgeCosts', 'cost', batch * blocks * 2 * this.#segment);
  }

  /** A slice, and where the next one starts. */
  goForward(slice: Range, j: number): void {
    const { slices, pairs } = this.#layout;
    this.#walk(slice, false);
    if (j === slices.length - 1) return;
    this.#draft.copy('stateCosts', this.#draft.buffer(`checkpoint.${j + 1}`, 'costs', this.#batch * pairs));
  }

  /** Where the best path ends. */
  arrive(): void {
    const bindings = { ...this.#ofPart, ...named('stateCosts', 'ends') };
    const work = this.#batch * this.#layout.task.frames;
    this.#draft.dispatch('arrive', [this.#batch, 1], this.#fieldsOf(this.#whole), bindings, work, {
      constants: { ...this.#draft.together, READING },
    });
  }

  /** The path back through a slice, which is walked again but for the last. */
  goBack(slice: Range, j: number): void {
    const { slices, tuning } = this.#layout;
    if (j < slices.length - 1) {
      if (j > 0) this.#draft.copy(`checkpoint.${j}`, 'stateCosts');
      this.#walk(slice, true);
    }
    this.#draft.dispatch(
      'trace',
      [Math.ceil(this.#batch / tuning.workgroupSize), 1],
      { ...this.#fieldsOf(slice), segment: framesTraced },
      { targets: this.#ofPart.targets, ...named('labels', 'ways', 'ends', 'masks') },
      this.#batch * Math.min(framesTraced, count(slice)),
      {
        integers: { integer: 'step' },
        steps: { count: Math.ceil(count(slice) / framesTraced), descending: true },
        constants: { READING },
      },
    );
  }

  /** Classes and log-probabilities in the place of states. */
  spell(): void {
    const bindings = { ...this.#ofPart, ...named('labels', 'labelScores', 'ends') };
    const box = { frames: this.#whole, sequences: this.#part };
    this.#draft.overRows('spell', box, this.#fieldsOf(this.#whole), bindings, { READING });
  }

  #walk(slice: Range, AGAIN: boolean) {
    const { groups, pairs, lanes, tuning } = this.#layout;
    const fields = this.#fieldsOf(slice);
    const box = { frames: slice, sequences: this.#part };
    const ofRows = { ...this.#ofPart, emissions: 'costs', masks: 'masks' };
    this.#draft.overRows('rows', box, fields, ofRows, { READING });
    const run = Math.ceil(count(slice) / this.#segment) + groups - 1;
    const names = named('costs', 'stateCosts', 'edgeCosts', 'ways', 'ends', 'masks');
    this.#draft.dispatch(
      'viterbi',
      [groups, this.#batch],
      { ...fields, segment: this.#segment },
      { targets: this.#ofPart.targets, ...names },
      this.#batch * pairs * Math.ceil(count(slice) / run),
      {
        integers: { integer: 'step' },
        steps: { count: run, descending: false },
        constants: { LANES: lanes, SUBGROUPS: tuning.subgroups, AGAIN, READING },
      },
    );
  }

  /** Words of ways. */
  get #rows() {
    return Math.ceil(this.#layout.sliceSteps / stepsPerWord);
  }

  get #whole(): Range {
    return { first: 0, end: this.#layout.task.frames };
  }

  #fieldsOf({ first, end }: Range) {
    return {
      ...{ firstSequence: this.#part.first, count: this.#batch },
      ...{ emissionFrame: first, emissionRows: this.#layout.sliceSteps, alphaRows: this.#rows },
      ...{ boxFrame: first, boxEnd: end },
    };
  }
}

/** The best class of each frame. */
export function planGreedy(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { frames } = task;
  const { parts } = splitMemory(task, limits, tuning, {
    ...{ steps: 1, slice: () => 0, frames: 0, row: 0, elements: 1 },
  });
  const draft = new Draft(task, limits, tuning, false, {});
  labelsOf(draft, frames);
  for (const part of draft.each(parts)) {
    const box = { frames: { first: 0, end: frames }, sequences: part };
    const bindings = { targets: draft.targetsOf(part), ...named('labels', 'labelScores') };
    draft.overRows('greedy', box, { firstSequence: part.first }, bindings, { READING });
  }
  return draft.plan('decode');
}

/** The results of both: for each frame a class and its log-probability. */
function labelsOf(draft: Draft, frames: number) {
  draft.result('labels', 'word', frames);
  draft.result('scores', 'float', frames, 'labelScores');
}
