/**
 * The same library for Node: WebGPU through Dawn, from the optional peer dependency `webgpu`.
 * Importing it does nothing yet; the device is made at first use.
 */

import * as core from '../api/exports.js';
import { openGpu } from '../node/machine.js';
import { CtcError } from '../problem/errors.js';
import { provideGpu } from '../run/device.js';

/** An export that brings Dawn along: a bundler may drop a bare statement, since the package has no side effects. */
function onDawn<T>(api: T): T {
  provideGpu(async () => {
    try {
      const { gpu, driver } = await openGpu();
      return { gpu, reason: `Dawn, ${driver}` };
    } catch (cause) {
      throw new CtcError('no-webgpu', (cause as Error).message, { cause });
    }
  });
  return api;
}

export * from '../api/exports.js';
export const CtcLoss: typeof core.CtcLoss = onDawn(core.CtcLoss);
export type CtcLoss<
  R extends core.Reduction = core.Reduction,
  G extends core.Gradient = core.Gradient,
> = core.CtcLoss<R, G>;
export const ctcLoss: typeof core.ctcLoss = onDawn(core.ctcLoss);
export const CtcAligner: typeof core.CtcAligner = onDawn(core.CtcAligner);
export type CtcAligner = core.CtcAligner;
export const forcedAlign: typeof core.forcedAlign = onDawn(core.forcedAlign);
export const CtcDecoder: typeof core.CtcDecoder = onDawn(core.CtcDecoder);
export type CtcDecoder = core.CtcDecoder;
export const CtcPosterior: typeof core.CtcPosterior = onDawn(core.CtcPosterior);
export type CtcPosterior = core.CtcPosterior;
