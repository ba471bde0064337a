import type { Problem } from '../../kernels/uniforms.js';
import type { Sequence } from './sequence.js';

/** Twin of shaders/shared/whole.wgsl: how the step strategy lays out time. The same functions as middle.ts. */
export const sweepOf = (_sequence: Sequence, _t: number): number => 0;
export const stepOf = (_sequence: Sequence, _sweep: number, t: number): number => t;
export const isMiddle = (_sequence: Sequence, _t: number): boolean => false;
export const isHeld = (_problem: Problem, _k: number): boolean => true;
export const sweepRow = (part: number, _sweep: number): number => part;
