import type { Constants } from '../kernels/kernels.js';
import type { Problem } from '../kernels/uniforms.js';
import { type Bindings, Draft, named } from './draft.js';
import { type Layout, layoutOf } from './layout.js';
import { elementBytes, type Limits, type Plan, type ProblemShape } from './plan.js';
import { count, type Range } from './range.js';
import { type Box, segmentOf, shortestSegment, together } from './split.js';
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
  const gradient = (draft: Draft, { ofPart, box, fields }: Outwards) =>
    draft.overRows('gradient', box, fields, { ...ofPart, ...named('lattice', 'totals') });
  const wayBack = task.gradient === 'none' ? undefined : { afterSpread: gradient };
  return sweepOver(task, limits, tuning, strategy, wayBack).finish(strategy);
}

/** A slice of a part of the batch, as the posterior comes to it from the middle. */
export interface Outwards {
  readonly part: Range;
  readonly slice: Range;
  /** Whether it is the first of them, next to the middle; the last has `slice.first` 0. */
  readonly isFirst: boolean;
  readonly ofPart: ReturnType<Draft['ofPart']>;
  /** The frames of the slice, at both ends. */
  readonly box: Box;
  readonly fields: Partial<Problem>;
  readonly pairs: number;
}

/**
 * What an operation has done on the way outwards, a slice of steps after another, from the middle to both ends. Its kernels find, besides the
 * buffers of the part:
 *
 * - `totals`: what the sweeps met in, and whether a sequence has a finite loss;
 * - `lattice`: of each step and pair the two shares that `sweep` left (none in step 0, which nothing comes before), until `spread` puts the
 *   posteriors of the pair in their place. `spread` runs only where there is an `afterSpread`;
 * - `posteriors`: in `beforeSpread` those of the slice's last step, once `spread` has come so far; before it, those of the middle frame. Without
 *   `afterSpread` they are the operation's own to go on with, and so are `edges`;
 * - the middle frame in both sweeps: who sums over frames counts it once.
 *
 * Who walks against time, from the last step of a slice to its first, dispatches with `steps.descending`: then the first of the dispatches
 * has the largest `integer`.
 */
export interface WayBack {
  /** Elements that a dispatch of its own handles of one sequence, however time is cut. */
  readonly elements?: number;
  /** Once a part, when the sweeps have met: `posteriors` holds those of the middle frame, until the first `spread`. */
  afterMeeting?(draft: Draft, part: Omit<Outwards, 'slice' | 'isFirst' | 'box'>): void;
  /** Once a slice, while `lattice` has its shares. */
  beforeSpread?(draft: Draft, slice: Outwards): void;
  /** Once a slice, when `lattice` has its posteriors. */
  afterSpread?(draft: Draft, slice: Outwards): void;
}

/** A slice of a part of the batch, as the sweeps come to it. */
type Inwards = Omit<Outwards, 'isFirst' | 'pairs'>;

/** How frames become the `emissions` that sweeps go through, a slice of steps at a time. */
export interface Hearing {
  /** The most bytes that an operation takes at once, even where a device would give more. */
  readonly most?: number;
  hear(draft: Draft, slice: Inwards): void;
}

const alone: Hearing = {
  hear(draft, { box, fields, ofPart }) {
    draft.overRows('rows', box, fields, { ...ofPart, ...named('emissions') });
  },
};

/** Sweeps that meet in the middle, and where the posterior is of use, the way back. */
export function sweepOver(
  task: ProblemShape,
  limits: Limits,
  tuning: Tuning,
  strategy: 'fused' | 'tiled',
  wayBack?: WayBack,
  hearing = alone,
): Draft {
  const { frames } = task;
  const { parts, layout } = layoutOf(
    task,
    limits,
    tuning,
    ({ pairs, slots }) => {
      const lattice = wayBack ? 2 * pairs * elementBytes.share : 0;
      return {
        // of both sweeps, the middle frame in each
        steps: Math.floor(frames / 2) + 1,
        slice: (steps) => together(lattice * steps, 2 * slots * elementBytes.extended * steps),
        frames: frames * elementBytes.frame,
        row: 2 * pairs * elementBytes.state,
        elements: Math.max(frames, wayBack?.elements ?? 0, task.candidates ? slots : 0),
        ...(hearing.most !== undefined && { most: hearing.most }),
      };
    },
    // in a slice each group of blocks has its turn several times, or starting one after the other would take the time
    (sliceSteps) => (strategy === 'fused' ? 1 : Math.ceil(sliceSteps / (4 * shortestSegment))),
  );
  const { slices, pairs, blocksPerGroup } = layout;
  const draft = new Draft(task, limits, tuning, true, { pairs, blocks: blocksPerGroup });
  draft.buffer('totals', 'total', task.sequences);
  for (const range of draft.each(parts)) {
    const part = new SweptPart(draft, layout, range, wayBack, hearing);
    slices.forEach((slice, j) => {
      part.sweepInwards(slice, j);
    });
    part.meet();
    if (wayBack) for (const [j, slice] of [...slices.entries()].reverse()) part.goOutwards(slice, j);
  }
  return draft;
}

/** A part of the batch: its buffers, which the next part has after it, and what is done on them. */
class SweptPart {
  readonly #draft: Draft;
  readonly #layout: Layout;
  readonly #part: Range;
  readonly #wayBack: WayBack | undefined;
  readonly #hearing: Hearing;
  /** A row for each sweep of each sequence. */
  readonly #rows: number;
  readonly #segment: number;
  readonly #ofPart: ReturnType<Draft['ofPart']>;

  constructor(draft: Draft, layout: Layout, part: Range, wayBack: WayBack | undefined, hearing: Hearing) {
    const { lanes, blocks, blocksPerGroup, groups, pairs, slots, sliceSteps, tuning } = layout;
    this.#draft = draft;
    this.#layout = layout;
    this.#part = part;
    this.#wayBack = wayBack;
    this.#hearing = hearing;
    const rows = 2 * count(part);
    this.#rows = rows;
    this.#segment = Math.min(
      segmentOf(sliceSteps, rows * 4 * lanes, blocksPerGroup, groups, tuning),
      layout.edgeSteps(rows),
    );
    this.#ofPart = draft.ofPart(part);
    draft.buffer('emissions', 'extended', rows * sliceSteps * slots);
    draft.buffer('lattice', 'share', wayBack ? rows * sliceSteps * pairs : 2);
    draft.buffer('states', 'state', rows * pairs);
    draft.buffer('edges', 'edge', rows * blocks * 2 * this.#segment);
    draft.buffer('posteriors', 'posterior', wayBack ? rows * pairs : 1);
  }

  /** A slice on the way to the middle. The last one leaves its shares, the others where it starts. */
  sweepInwards(slice: Range, j: number): void {
    const last = j === this.#layout.slices.length - 1;
    this.#sweep(slice, this.#wayBack !== undefined && last);
    if (!this.#wayBack || last) return;
    const { pairs } = this.#layout;
    this.#draft.copy('states', this.#draft.buffer(`checkpoint.${j + 1}`, 'state', this.#rows * pairs));
  }

  /** In the middle frame. */
  meet(): void {
    const { task, tuning } = this.#layout;
    const bindings = { ...this.#ofPart, ...named('states', 'totals', 'posteriors') };
    const batch = count(this.#part);
    this.#draft.dispatch('loss', [batch, 1], this.#fieldsOf(0), bindings, batch * task.frames, {
      constants: { WORKGROUP: tuning.rowWorkgroupSize, STORE: this.#wayBack !== undefined },
    });
    this.#wayBack?.afterMeeting?.(this.#draft, this.#whole);
  }

  /** A slice on the way back: swept once more, but for the last, so that its shares are there. */
  goOutwards(slice: Range, j: number): void {
    const last = j === this.#layout.slices.length - 1;
    if (!last) {
      if (j > 0) this.#draft.copy(`checkpoint.${j}`, 'states');
      this.#sweep(slice, true);
    }
    const outwards = { ...this.#inwards(slice), pairs: this.#layout.pairs, isFirst: last };
    this.#wayBack?.beforeSpread?.(this.#draft, outwards);
    if (!this.#wayBack?.afterSpread) return;
    this.#overSteps('spread', slice, named('posteriors'), {});
    this.#wayBack.afterSpread(this.#draft, outwards);
  }

  get #whole() {
    const { pairs } = this.#layout;
    return { part: this.#part, ofPart: this.#ofPart, fields: this.#fieldsOf(0), pairs };
  }

  #inwards(slice: Range): Inwards {
    const { first } = slice;
    const common = { part: this.#part, ofPart: this.#ofPart, slice };
    return { ...common, box: this.#boxOf(first), fields: this.#fieldsOf(first) };
  }

  #sweep(slice: Range, store: boolean) {
    this.#hearing.hear(this.#draft, this.#inwards(slice));
    const RESUMES = this.#runOf(slice) > 1 || this.#layout.slices.length > 1;
    this.#overSteps('sweep', slice, named('emissions', 'states'), { STORE: store, RESUMES });
  }

  #overSteps(kernel: 'sweep' | 'spread', slice: Range, bindings: Bindings, constants: Constants) {
    const { groups, pairs, lanes, tuning } = this.#layout;
    const run = this.#runOf(slice);
    this.#draft.dispatch(
      kernel,
      [groups, this.#rows],
      { ...this.#fieldsOf(slice.first), boxFrame: slice.first, boxEnd: slice.end },
      { targets: this.#ofPart.targets, ...named('edges', 'lattice'), ...bindings },
      this.#rows * pairs * Math.ceil(count(slice) / run),
      {
        integers: { integer: 'step' },
        steps: { count: run, descending: kernel === 'spread' },
        constants: { LANES: lanes, SUBGROUPS: tuning.subgroups, ...constants },
      },
    );
  }

  /** Dispatches that a slice takes: one for each segment, and the last group of blocks starts so many later. */
  #runOf(slice: Range) {
    return Math.ceil(count(slice) / this.#segment) + this.#layout.groups - 1;
  }

  #fieldsOf(first: number) {
    const rows = this.#layout.sliceSteps;
    return {
      ...{ firstSequence: this.#part.first, segment: this.#segment },
      ...{ emissionFrame: first, emissionRows: rows, alphaFrame: first, alphaRows: rows },
    };
  }

  /** The frames of a slice lie at both ends of what the slices before it left; the middle one may be in two slices. */
  #boxOf(first: number): Box {
    const { frames } = this.#layout.task;
    return { frames: { first: Math.max(0, first - 1), end: frames - first }, sequences: this.#part };
  }
}
