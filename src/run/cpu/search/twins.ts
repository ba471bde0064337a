/** Twins of the kernels of a beam search, by name. */
export { beam } from './beam.js';
export { prune } from './prune.js';
export { unwind } from './unwind.js';
