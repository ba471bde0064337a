import type { Limits } from '../plan/plan.js';
import type { Tuning } from '../plan/tuning.js';

/** Sizes for tests: small ones make small cases take every path. Not part of the public interface. */
export interface Forced {
  readonly limits?: Partial<Limits>;
  readonly tuning?: Partial<Tuning>;
}

/** By `CtcLoss`. */
export const forced = new WeakMap<object, Forced>();
