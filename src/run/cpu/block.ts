import type { Problem } from '../../kernels/uniforms.js';
import { placeIn } from './middle.js';
import type { Sequence } from './sequence.js';

/** Twin of shaders/shared/block.wgsl: how a sweep goes through its rows in blocks, and through its steps in segments. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** Steps of this dispatch's segment in which the block from `pair` on has pairs on a whole path, and one more. */
export function spanOf(
  { boxFrame, boxEnd, segment }: Problem,
  sequence: Sequence,
  lastStep: number,
  skewed: number,
  pair: number,
  block: number,
): Span {
  const { inputLength, targetLength } = sequence;
  if (!sequence.feasible || inputLength === 0 || pair > targetLength) return { first: 0, end: 0 };
  const start = boxFrame + skewed * segment;
  const lastPair = Math.min(pair + block - 1, targetLength);
  const bandEnd = lastPair + inputLength - targetLength + 2;
  return {
    first: Math.max(start, pair, boxFrame),
    end: Math.min(start + segment, boxEnd, bandEnd, lastStep + 1),
  };
}

/** Whether the pair left of a block was on a whole path one step ago; the block's edge holds its label then. */
export function hasLeft({ inputLength, targetLength }: Sequence, pair: number, k: number): boolean {
  return pair > 0 && pair + inputLength >= targetLength + k;
}

/** The same for the pair right of a block, which hands back: at this step. */
export function hasRight({ targetLength }: Sequence, pair: number, k: number): boolean {
  return pair <= Math.min(k, targetLength);
}

export function edgeOf(
  { pairs, segment }: Problem,
  row: number,
  block: number,
  size: number,
  k: number,
): number {
  return (row * (pairs / size) + block) * 2 * segment + (k % (2 * segment));
}

/** The labels in the order of a sweep: their slots, and 1 where a path may skip the blank before them. */
export function labelsOf(
  { distinct }: Problem,
  sequence: Sequence,
  sweep: number,
): { slots: Int32Array; skips: Float64Array } {
  const labels = sequence.targetLength;
  // pair S has no label
  const slots = new Int32Array(labels + 1).fill(distinct + 1);
  const skips = new Float64Array(labels + 1);
  for (let i = 0; i < labels; i++) {
    slots[i] = sequence.slotAt(placeIn(sweep, sequence, i));
    skips[i] = Number(i > 0 && sequence.maySkip(sweep === 1 ? labels - i : i));
  }
  return { slots, skips };
}
