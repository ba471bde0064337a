import { CtcError } from '../errors.js';
import {
  bindingsOf,
  type Constants,
  type KernelBinding,
  type KernelName,
  moduleOf,
} from '../kernels/kernels.js';
import { unlessLost } from './lost.js';

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly KernelBinding[];
}

const COMPUTE = 4;
const caches = new WeakMap<GPUDevice, Map<string, Promise<Pipeline>>>();

/** A kernel compiled for a device; compilations in flight are shared. */
export function pipelineFor(device: GPUDevice, kernel: KernelName, constants: Constants): Promise<Pipeline> {
  let cache = caches.get(device);
  if (!cache) {
    cache = new Map();
    caches.set(device, cache);
  }
  const key = `${kernel} ${JSON.stringify(constants)}`;
  let pipeline = cache.get(key);
  if (!pipeline) {
    pipeline = compile(device, kernel, constants);
    cache.set(key, pipeline);
    pipeline.catch(() => cache.delete(key));
  }
  return pipeline;
}

async function compile(device: GPUDevice, kernel: KernelName, constants: Constants): Promise<Pipeline> {
  const source = await moduleOf(kernel, constants);
  const bindings = bindingsOf(source.code);
  const label = (role: string) => `ctc:${kernel}:${role}`;
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label: label('module'), code: source.code });
  const layout = device.createBindGroupLayout({
    label: label('layout'),
    entries: bindings.map(({ binding, type }) => ({
      binding,
      visibility: COMPUTE,
      buffer: { type, hasDynamicOffset: type === 'uniform' },
    })),
  });
  const compiling = device.createComputePipelineAsync({
    label: label('pipeline'),
    layout: device.createPipelineLayout({ label: label('pipeline-layout'), bindGroupLayouts: [layout] }),
    compute: { module },
  });
  const scope = device.popErrorScope();
  try {
    const [pipeline, error] = await unlessLost(device, Promise.all([compiling, scope]));
    if (error) throw error;
    return { pipeline, layout, bindings };
  } catch (cause) {
    if (cause instanceof CtcError) throw cause;
    throw await (await import('./explain.js')).explain(device, kernel, source, module, cause);
  }
}
