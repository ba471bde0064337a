import type { Problem } from '../../kernels/uniforms.js';
import type { Sequence } from './sequence.js';

/** Twin of shaders/shared/middle.wgsl: how sweeps from both ends lay out time. */
function middleOf({ inputLength }: Sequence): number {
  return (Math.max(inputLength, 1) - 1) >> 1;
}

export function sweepOf(sequence: Sequence, t: number): number {
  return Number(t > middleOf(sequence));
}

export function stepOf({ inputLength }: Sequence, sweep: number, t: number): number {
  return sweep === 1 ? inputLength - 1 - t : t;
}

export function isMiddle(sequence: Sequence, t: number): boolean {
  return t === middleOf(sequence);
}

export function lastStep(sequence: Sequence, sweep: number): number {
  return stepOf(sequence, sweep, middleOf(sequence));
}

export function isHeld({ emissionFrame, emissionRows }: Problem, k: number): boolean {
  return k >= emissionFrame && k < emissionFrame + emissionRows;
}

export function placeIn(sweep: number, { targetLength }: Sequence, i: number): number {
  return sweep === 1 ? targetLength - 1 - i : i;
}

export function sweepRow(part: number, sweep: number): number {
  return 2 * part + sweep;
}

/** Where the row of a step starts: a number for each pair, then another. */
export function stepRow({ alphaFrame, alphaRows, pairs }: Problem, row: number, k: number): number {
  return 2 * pairs * (row * alphaRows + ((k - alphaFrame) % alphaRows));
}
