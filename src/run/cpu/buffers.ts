import type { Problem } from '../../kernels/uniforms.js';
import type { BufferPlan, Dispatch } from '../../plan/plan.js';
import { type Extended, extended } from './extended.js';

/** Fields of the `frame` element, in float64: shaders/shared/frame.wgsl. */
export const FRAME = { words: 4, unit: 0, normaliser: 1, lnNormaliser: 2, invalid: 3 } as const;

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
    case 'edge':
      return extended(count);
    case 'pair':
    case 'state':
      return extended(2 * count);
    case 'scale':
    case 'cost':
    case 'fixed':
      return new Float64Array(count);
    case 'float':
      return new Float32Array(count);
    case 'share':
    case 'posterior':
    case 'costs':
      return new Float64Array(2 * count);
    case 'frame':
      return new Float64Array(FRAME.words * count);
    case 'total':
      return new Float64Array(TOTAL.words * count);
  }
}

/** The buffers that kernels share; what one kernel alone has is declared beside its twin. */
export interface Bindings {
  readonly targets: Uint32Array;
  readonly scores: Float32Array;
  readonly frames: Float64Array;
  /** Of the best path: costs. */
  readonly emissions: Extended & Float64Array;
  /** Of recordings that sequences share: frames. */
  readonly heard: Float64Array;
  /** Of `step`: alpha, then posteriors, extended. Of `fused` and `tiled`, in a row, first the share of each pair's blank, then that of each pair's label. */
  readonly lattice: Extended & Float64Array;
  readonly betas: Extended;
  /** A row: the blanks of all pairs, then their labels. So in `posteriors`. */
  readonly states: Extended;
  readonly edges: Extended;
  readonly posteriors: Float64Array;
  readonly totals: Float64Array;
  readonly scales: Float64Array;
  readonly gradOutput: Float64Array;
  readonly grad: Float32Array;
  readonly losses: Float64Array;
  /** Of the best path. A row of `stateCosts`: the blanks of all pairs, then their labels. */
  readonly costs: Float64Array;
  readonly stateCosts: Float64Array;
  readonly edgeCosts: Float64Array;
  readonly ways: Uint32Array;
  /** 1 for a sequence whose costs may be far: the shaders count in another way there. */
  readonly masks: Uint32Array;
  readonly ends: Extended & Uint32Array;
  readonly labels: Uint32Array;
  readonly labelScores: Float32Array;
  /** Of the posterior. */
  readonly seed: Uint32Array;
  readonly walkers: Uint32Array;
  readonly samples: Uint32Array;
}

/** A twin of a kernel: the same name, the same bindings, float64. `integer` is the step of its command. */
export type Kernel = (problem: Problem, dispatch: Dispatch, bindings: Bindings, integer: number) => void;
