import { distinctLabels } from '../problem/targets.js';
import type { Limits, ProblemShape } from './plan.js';
import { count, type Range } from './range.js';
import { edgeSteps, type Held, splitMemory } from './split.js';
import type { Tuning } from './tuning.js';

/** How wide a row of the lattice is where a lane has four pairs. */
export interface Width {
  /** Lanes of a workgroup. */
  readonly lanes: number;
  /** Blocks of pairs, as many as a workgroup has room for. */
  readonly blocks: number;
  readonly pairs: number;
  /** Emissions of a frame. */
  readonly slots: number;
}

/** How sweeps over blocks of pairs are laid out: what does not change from one part of the batch to the next. */
export interface Layout extends Width {
  readonly task: ProblemShape;
  readonly tuning: Tuning;
  /** Blocks that a workgroup goes through, one after another, and groups that take turns. */
  readonly blocksPerGroup: number;
  readonly groups: number;
  /** Time, cut where a sequence has too much of it. */
  readonly slices: readonly Range[];
  readonly sliceSteps: number;
  /** The most steps of a segment for which the edges of so many rows fit a binding. */
  edgeSteps(rows: number): number;
}

/**
 * Parts of the batch, and what they have in common. `held`: what a sequence takes; `turns`: how many groups of blocks may take turns in
 * a slice of so many steps.
 */
export function layoutOf(
  task: ProblemShape,
  limits: Limits,
  tuning: Tuning,
  held: (width: Width) => Held,
  turns: (sliceSteps: number) => number,
): { readonly parts: Range[]; readonly layout: Layout } {
  const { maxTargetLength } = task;
  const lanes = tuning.lanes || Math.ceil((maxTargetLength + 1) / 4);
  const blocks = Math.ceil((maxTargetLength + 1) / (4 * lanes));
  const slots = distinctLabels(task) + 2;
  const width = { lanes, blocks, pairs: 4 * lanes * blocks, slots };
  const { parts, slices } = splitMemory(task, limits, tuning, held(width));
  const sliceSteps = count(slices[0]!);
  const most = Math.min(turns(sliceSteps), limits.maxComputeWorkgroupsPerDimension);
  const blocksPerGroup = Math.ceil(blocks / most);
  const layout = {
    ...{ ...width, task, tuning, blocksPerGroup, slices, sliceSteps },
    groups: Math.ceil(blocks / blocksPerGroup),
    edgeSteps: (rows: number) => edgeSteps(rows * blocks, limits),
  };
  return { parts, layout };
}
