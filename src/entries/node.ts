/**
 * The same library for Node: WebGPU through Dawn, from the optional peer dependency `webgpu`; in Deno through its own.
 * Importing it does nothing yet; the device is made at first use.
 */

import { openGpu } from '../node/drivers.js';
import { CtcError } from '../problem/errors.js';
import { provideGpu } from '../run/device.js';

provideGpu(async () => {
  try {
    const { gpu, from, driver } = await openGpu();
    return { gpu, reason: `${from}, ${driver}` };
  } catch (cause) {
    throw new CtcError('no-webgpu', (cause as Error).message, { cause });
  }
});

export * from '../api/exports.js';
