import type { Problem } from '../kernels/uniforms.js';
import { distinctLabels } from '../problem/targets.js';
import { type Bindings, Draft, named } from './draft.js';
import { elementBytes, type Limits, type Plan, type ProblemShape } from './plan.js';
import { count, cut, type Range } from './range.js';
import { type Box, segmentOf, splitMemory, together } from './split.js';
import type { Tuning } from './tuning.js';

/** A slice of time of one part of the batch: where its lattice lies. */
interface Stage extends Box {
  /** The frames whose emissions it holds: its own, and the one after for beta. */
  readonly emissionFrames: Range;
  readonly emissions: string;
  readonly lattice: string;
  readonly betas: string;
  readonly fields: Partial<Problem>;
}

/** What does not change from one part of the batch to the next. */
interface Layout {
  readonly task: ProblemShape;
  readonly limits: Limits;
  readonly tuning: Tuning;
  readonly pairs: number;
  readonly slots: number;
  /** Invocations of a workgroup, and workgroups of a row. */
  readonly lanes: number;
  readonly groups: number;
  readonly slices: readonly Range[];
  /** What is asked for: betas, anything that needs beta, anything that needs all of a slice's alpha. */
  readonly keepsBeta: boolean;
  readonly backward: boolean;
  readonly stored: boolean;
}

/**
 * The *step* strategy: a dispatch for each frame and direction, all sequences and states in its grid. Where a workgroup holds
 * all states of a sequence, for several frames.
 */
export function planStep(task: ProblemShape, limits: Limits, tuning: Tuning): Plan {
  const { parts, layout } = layoutOf(task, limits, tuning);
  const draft = new Draft(task, limits, tuning, false, {});
  draft.buffer('totals', 'total', task.sequences);
  let p = 0;
  for (const range of draft.each(parts)) {
    const part = new SteppedPart(draft, layout, range, p++);
    part.goForward();
    part.total();
    part.goBack();
  }
  return draft.finish('step');
}

function layoutOf(task: ProblemShape, limits: Limits, tuning: Tuning): { parts: Range[]; layout: Layout } {
  const { frames, maxTargetLength: labels, keep } = task;
  const pairs = labels + 1;
  const slots = distinctLabels(task) + 2;
  const keepsBeta = keep.includes('beta');
  const backward = task.gradient !== 'none' || keepsBeta || keep.includes('posterior');
  const stored = backward || keep.includes('alpha');
  const { parts, slices } = splitMemory(task, limits, tuning, {
    steps: frames,
    slice(steps) {
      // a slice has one row more: the frame before it (alpha) or after it (emissions, beta)
      const rows = steps < frames ? steps + 1 : frames;
      return together(stored ? rows * pairs * elementBytes.pair : 0, rows * slots * elementBytes.extended);
    },
    frames: frames * elementBytes.frame,
    row: 2 * pairs * elementBytes.pair,
    elements: frames,
  });
  // a row that fits into a workgroup has one of its own: of 8, 16, 32, … invocations, the fewer the cheaper its barriers
  const row = Math.max(8, 2 ** Math.ceil(Math.log2(pairs)));
  const lanes = row <= tuning.widestRow ? row : tuning.workgroupSize;
  const groups = Math.ceil(pairs / lanes);
  if (groups > limits.maxComputeWorkgroupsPerDimension) {
    throw new RangeError(
      `maxTargetLength: expected at most ${limits.maxComputeWorkgroupsPerDimension * lanes - 1} on this device, got ${labels}`,
    );
  }
  const ofRow = { pairs, slots, lanes, groups, slices };
  return { parts, layout: { task, limits, tuning, ...ofRow, keepsBeta, backward, stored } };
}

/** A part of the batch: its buffers, which the next part has after it but for what is kept, and what is done on them. */
class SteppedPart {
  readonly #draft: Draft;
  readonly #layout: Layout;
  readonly #part: Range;
  /** Its place among the parts, in the names of what is kept. */
  readonly #place: number;
  readonly #batch: number;
  readonly #ofPart: ReturnType<Draft['ofPart']>;
  readonly #stages: readonly Stage[];

  constructor(draft: Draft, layout: Layout, part: Range, place: number) {
    this.#draft = draft;
    this.#layout = layout;
    this.#part = part;
    this.#place = place;
    this.#batch = count(part);
    this.#ofPart = draft.ofPart(part);
    draft.buffer('ends', 'extended', 2 * this.#batch);
    this.#stages = layout.slices.map((frames, j) => this.#stageOf(frames, j));
  }

  #stageOf(frames: Range, j: number): Stage {
    const { slices, stored, keepsBeta, backward, slots, pairs, task } = this.#layout;
    const draft = this.#draft;
    const batch = this.#batch;
    const after = j < slices.length - 1 ? 1 : 0;
    const before = j > 0 ? 1 : 0;
    const emissionRows = count(frames) + after;
    const alphaRows = stored ? count(frames) + before : 2;
    const betaRows = keepsBeta ? count(frames) + after : 2;
    // what is kept has buffers of its own; the rest is used again by the next part
    const own = task.keep.length > 0 ? `${this.#place}.${j}` : `${j}`;
    const emissions = backward ? `emissions.${j}` : 'emissions';
    const betas = keepsBeta ? `betas.${own}` : 'betas';
    return {
      frames,
      sequences: this.#part,
      emissionFrames: { first: frames.first, end: frames.first + emissionRows },
      emissions: draft.buffer(emissions, 'extended', batch * emissionRows * slots),
      lattice: draft.buffer(stored ? `lattice.${own}` : 'lattice', 'pair', batch * alphaRows * pairs),
      betas: backward ? draft.buffer(betas, 'pair', batch * betaRows * pairs) : '',
      fields: {
        firstSequence: this.#part.first,
        ...{ emissionFrame: frames.first, emissionRows },
        ...{ alphaFrame: stored ? frames.first - before : 0, alphaRows },
        ...{ betaFrame: keepsBeta ? frames.first : 0, betaRows },
      },
    };
  }

  /** Emissions and alpha of all slices. */
  goForward(): void {
    const { stored, pairs } = this.#layout;
    this.#stages.forEach((stage, j) => {
      const { fields, emissions, lattice } = stage;
      const before = this.#stages[j - 1];
      const box = { ...stage, frames: stage.emissionFrames };
      this.#draft.overRows('rows', box, fields, { ...this.#ofPart, emissions });
      if (stored && before)
        this.#draft.copy(before.lattice, lattice, (before.fields.alphaRows! - 1) * pairs, 0, pairs);
      this.#overFrames('alpha', stage, { emissions, lattice, ends: 'ends' });
    });
  }

  /** Losses, and what kept lattices are scaled by. */
  total(): void {
    const { task, tuning } = this.#layout;
    const work = this.#batch * task.frames;
    const grid = [this.#batch, 1] as const;
    const bindings = { ...this.#ofPart, ...named('ends', 'totals') };
    this.#draft.dispatch('loss', grid, this.#whole, bindings, work, {
      constants: { WORKGROUP: tuning.rowWorkgroupSize },
    });
    if (!this.#scales) return;
    const scales = this.#draft.buffer(this.#scales, 'scale', work);
    this.#draft.dispatch('scales', grid, this.#whole, { ...this.#ofPart, scales }, work);
  }

  /** Beta of all slices, from the last to the first, and what is made of it. */
  goBack(): void {
    const { task, backward, keepsBeta, pairs } = this.#layout;
    const keep = task.keep;
    for (const [j, stage] of [...this.#stages.entries()].reverse()) {
      const { fields, emissions, lattice, betas } = stage;
      const after = this.#stages[j + 1];
      let alpha = keep.includes('alpha') ? lattice : undefined;
      if (alpha && backward) {
        // the posterior takes the place of alpha
        const size = this.#batch * fields.alphaRows! * pairs;
        alpha = this.#draft.buffer(`alpha.${this.#place}.${j}`, 'pair', size);
        this.#draft.copy(lattice, alpha);
      }
      if (backward) {
        if (keepsBeta && after)
          this.#draft.copy(after.betas, betas, 0, (fields.betaRows! - 1) * pairs, pairs);
        this.#overFrames('beta', stage, { emissions, lattice, betas, totals: 'totals' });
      }
      if (task.gradient !== 'none') {
        const bindings = { ...this.#ofPart, lattice, totals: 'totals' };
        this.#draft.overRows('gradient', stage, fields, bindings);
      }
      if (keep.includes('posterior')) this.#normalise(stage);
      if (keep.length > 0) this.#keep(stage, alpha);
    }
  }

  /** A dispatch for each frame of a slice, or for several. */
  #overFrames(kernel: 'alpha' | 'beta', { frames, fields }: Stage, bindings: Bindings) {
    const { tuning, pairs, groups, lanes } = this.#layout;
    const descending = kernel === 'beta';
    const runs = cut(count(frames), tuning.framesPerCommand);
    const cost = 4 * pairs * this.#batch;
    const segment = groups === 1 ? segmentOf(count(frames), cost, 1, 1, tuning) : 1;
    const { targets } = this.#ofPart;
    for (const run of descending ? runs.reverse() : runs) {
      const place = { boxFrame: frames.first + run.first, boxEnd: frames.first + run.end, segment };
      const to = { targets, ...bindings };
      this.#draft.dispatch(kernel, [groups, this.#batch], { ...fields, ...place }, to, cost * segment, {
        constants: { WORKGROUP: lanes, SEVERAL: segment > 1 },
        integers: { integer: 'step' },
        steps: { count: Math.ceil(count(run) / segment), descending },
      });
    }
  }

  /** Posteriors that sum to 1 in each frame. */
  #normalise({ frames, fields, lattice }: Stage) {
    const { tuning, limits, pairs } = this.#layout;
    const bindings = { targets: this.#ofPart.targets, lattice, totals: 'totals' };
    const short = Math.max(1, Math.floor(tuning.elementsPerDispatch / (this.#batch * pairs)));
    for (const run of cut(count(frames), Math.min(short, limits.maxComputeWorkgroupsPerDimension))) {
      const place = {
        ...{ boxFrame: frames.first + run.first, boxEnd: frames.first + run.end },
        boxSequence: this.#part.first,
      };
      const grid = [this.#draft.groups(count(run)), this.#batch] as const;
      const cost = count(run) * this.#batch * pairs;
      const constants = this.#draft.share;
      this.#draft.dispatch('posterior', grid, { ...fields, ...place }, bindings, cost, { constants });
    }
  }

  #keep({ frames, fields, lattice, betas }: Stage, alpha: string | undefined) {
    const { keepsBeta, task } = this.#layout;
    const scales = this.#scales;
    this.#draft.keep({
      ...{ firstSequence: this.#part.first, sequences: this.#batch },
      ...{ firstFrame: frames.first, frames: count(frames) },
      problem: this.#draft.problem(fields),
      ...(scales && { scales }),
      ...(alpha && { alpha }),
      ...(keepsBeta && { beta: betas }),
      ...(task.keep.includes('posterior') && { posterior: lattice }),
    });
  }

  get #whole(): Partial<Problem> {
    return this.#stages[0]!.fields;
  }

  /** The name of the scales, where something is kept that needs them. */
  get #scales(): string | undefined {
    const { task, keepsBeta } = this.#layout;
    return task.keep.includes('alpha') || keepsBeta ? `scales.${this.#place}` : undefined;
  }
}
