import {
  bindingsOf,
  type Constants,
  type KernelBinding,
  type KernelModule,
  type KernelName,
  moduleOf,
  type Texts,
} from '../../kernels/kernels.js';
import { CtcError } from '../../problem/errors.js';
import { lazily } from '../../problem/load.js';
import { unlessLost } from './lost.js';

const allTexts = lazily('gpu', () => import('../../kernels/texts.js'));
const readingTexts = lazily('gpu', () => import('../../kernels/reading-texts.js'));
const searchTexts = lazily('gpu', () => import('../../kernels/search-texts.js'));
const explanation = lazily('gpu', () => import('./explain.js'));

/** Kernels whose texts are in a chunk of their own. */
const textsOf: Partial<Record<KernelName, typeof allTexts>> = {
  greedy: readingTexts,
  ...{ prune: searchTexts, beam: searchTexts, unwind: searchTexts },
};

export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly bindings: readonly KernelBinding[];
}

const COMPUTE = 4;
const caches = new WeakMap<GPUDevice, Map<string, Promise<Pipeline> | Pipeline>>();

function cacheOf(device: GPUDevice): Map<string, Promise<Pipeline> | Pipeline> {
  let cache = caches.get(device);
  if (!cache) {
    cache = new Map();
    caches.set(device, cache);
  }
  return cache;
}

const keyOf = (kernel: KernelName, constants: Constants) => `${kernel} ${JSON.stringify(constants)}`;

/** A kernel compiled for a device; compilations in flight are shared. */
export function pipelineFor(device: GPUDevice, kernel: KernelName, constants: Constants): Promise<Pipeline> {
  return cached(device, keyOf(kernel, constants), async () => {
    const { texts } = await (textsOf[kernel] ?? allTexts)();
    return compile(device, kernel, moduleOf(kernel, constants, texts));
  });
}

/** A shader that is no kernel of a plan. */
export function helperFor(device: GPUDevice, name: string, code: string): Promise<Pipeline> {
  const module = { code, files: [[`shaders/${name}.wgsl`, code]] } as const;
  return cached(device, name, () => compile(device, name, module));
}

async function cached(device: GPUDevice, key: string, make: () => Promise<Pipeline>): Promise<Pipeline> {
  const cache = cacheOf(device);
  const existing = cache.get(key);
  if (existing) return existing;
  const compiling = make();
  cache.set(key, compiling);
  try {
    const pipeline = await compiling;
    cache.set(key, pipeline);
    return pipeline;
  } catch (error) {
    cache.delete(key);
    throw error;
  }
}

/** The same at once. What the device has to say against it goes to its open error scopes. */
export function pipelineNow(
  device: GPUDevice,
  kernel: KernelName,
  constants: Constants,
  texts: Texts,
): Pipeline {
  const cache = cacheOf(device);
  const key = keyOf(kernel, constants);
  const existing = cache.get(key);
  if (existing && 'pipeline' in existing) return existing;
  const { descriptor, layout, bindings } = described(device, kernel, moduleOf(kernel, constants, texts));
  const pipeline = { pipeline: device.createComputePipeline(descriptor), layout, bindings };
  cache.set(key, pipeline);
  return pipeline;
}

function described(device: GPUDevice, kernel: string, { code }: KernelModule) {
  const bindings = bindingsOf(code);
  const label = (role: string) => `ctc:${kernel}:${role}`;
  const module = device.createShaderModule({ label: label('module'), code });
  const layout = device.createBindGroupLayout({
    label: label('layout'),
    entries: bindings.map(({ binding, type }) => ({
      binding,
      visibility: COMPUTE,
      buffer: { type, hasDynamicOffset: type === 'uniform' },
    })),
  });
  const descriptor: GPUComputePipelineDescriptor = {
    label: label('pipeline'),
    layout: device.createPipelineLayout({ label: label('pipeline-layout'), bindGroupLayouts: [layout] }),
    compute: { module },
  };
  return { descriptor, module, layout, bindings };
}

async function compile(device: GPUDevice, kernel: string, source: KernelModule): Promise<Pipeline> {
  device.pushErrorScope('validation');
  const { descriptor, module, layout, bindings } = described(device, kernel, source);
  const compiling = device.createComputePipelineAsync(descriptor);
  const scope = device.popErrorScope();
  try {
    const [pipeline, error] = await unlessLost(device, Promise.all([compiling, scope]));
    if (error) throw error;
    return { pipeline, layout, bindings };
  } catch (cause) {
    if (cause instanceof CtcError) throw cause;
    throw await (await explanation()).explain(device, kernel, source, module, cause);
  }
}
