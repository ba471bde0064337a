/**
 * The loss and its gradient, alignment, reading and posteriors, for web pages: in WebGPU, or on the CPU where there is none. A page loads the
 * parts that it uses, each when it is first used.
 */
export * from '../api/exports.js';
