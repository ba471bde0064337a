/** The training of demo/train.html, for Node: its modules from their sources, and WebGPU where jax-js looks for it. */
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';
import { globals } from 'webgpu';
import { CtcLoss } from 'webgpu-ctc/node';

/** A module of the page, on the library as it is built. @param {string} file */
export async function load(file) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const entry = (/** @type {string} */ name) => ({
    find: `webgpu-ctc/${name}`,
    replacement: `${root}dist/${name}.js`,
  });
  const { module } = await runnerImport(root + file, {
    logLevel: 'error',
    resolve: { alias: [entry('files'), entry('jax')] },
  });
  return module;
}

/**
 * Puts `navigator.gpu` in place, with the library's own device behind it, and says what runs.
 * @param {'auto' | 'gpu' | 'cpu'} [wanted]
 */
export async function provideGpu(wanted) {
  const { device, backend } = await CtcLoss.create({ device: wanted });
  const { features, limits, adapterInfo: info } = /** @type {Partial<GPUDevice>} */ (device ?? {});
  const adapter = { features, limits, info, requestDevice: async () => device };
  const gpu = device && { requestAdapter: async () => adapter };
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu, userAgent: '' }, configurable: true });
  return backend;
}
