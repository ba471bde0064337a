import type { BufferPlan, Dispatch } from '../plan.js';
import type { Problem } from '../problem.js';
import { type Extended, extended } from './extended.js';

/** Fields of the `frame` element, in float64: shaders/shared/frame.wgsl. */
export const FRAME = {
  words: 8,
  blankM: 0,
  blankE: 1,
  unit: 2,
  normaliser: 3,
  lnNormaliser: 4,
  invalid: 5,
} as const;

/** Fields of the `total` element: shaders/shared/total.wgsl. */
export const TOTAL = { words: 8, zm: 0, ze: 1, scale: 2, status: 3, loss: 4, weight: 5 } as const;

export const REGULAR = 0;
export const INFEASIBLE = 1;
export const INVALID = 2;

/** What a twin sees where its kernel sees a storage buffer. */
export type CpuBuffer = Uint32Array | Float64Array | Extended | Float32Array;

export function allocate({ element, count }: BufferPlan): CpuBuffer {
  switch (element) {
    case 'word':
      return new Uint32Array(count);
    case 'extended':
      return extended(count);
    case 'pair':
      return extended(2 * count);
    case 'scale':
      return new Float64Array(count);
    default:
      return new Float64Array(8 * count);
  }
}

export interface Bindings {
  readonly targets: Uint32Array;
  readonly scores: Float32Array;
  readonly frames: Float64Array;
  readonly emissions: Extended;
  readonly lattice: Extended;
  readonly betas: Extended;
  readonly ends: Extended;
  readonly totals: Float64Array;
  readonly scales: Float64Array;
  readonly gradOutput: Float64Array;
  readonly grad: Float32Array;
  readonly losses: Float64Array;
}

/** A twin of a kernel: the same name, the same bindings, float64. `integer` is the step of its command. */
export type Kernel = (problem: Problem, dispatch: Dispatch, bindings: Bindings, integer: number) => void;
