import type { Limits } from '../plan/plan.js';
import { type Adapter, areTwinsFaster } from '../plan/tuning.js';
import { CtcError } from '../problem/errors.js';
import type { GpuDevice } from '../problem/types.js';
import { unlessLost } from './gpu/lost.js';

/** A device, and where it comes from. */
export interface OpenDevice {
  readonly device: GPUDevice;
  readonly adapter: string;
  readonly reason: string;
}

/** Where WebGPU comes from: the browser's own, or what an entry such as `webgpu-ctc/node` provides. */
type GpuSource = () => Promise<{ gpu: GPU; reason: string }>;

let source: GpuSource = async () => {
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (gpu) return { gpu, reason: 'navigator.gpu' };
  const inNode = 'process' in globalThis && !('document' in globalThis);
  throw new CtcError(
    'no-webgpu',
    inNode
      ? "there is no navigator.gpu; in Node import 'webgpu-ctc/node' and install the package webgpu"
      : 'this browser has no navigator.gpu; use a secure context (https or localhost) in a browser with WebGPU',
  );
};

export function provideGpu(provided: GpuSource): void {
  source = provided;
}

let shared: Promise<OpenDevice> | undefined;
let failed = false;

/** The device that all library-owned work shares, made at first use. `again`: look anew where there was none before. */
export async function sharedDevice(again: boolean): Promise<OpenDevice> {
  const existing = failed && again ? undefined : shared;
  if (existing) {
    const { device } = await existing;
    // it may have died in this very turn, and will have said so by the time that it answers
    device.pushErrorScope('validation');
    await unlessLost(device, device.popErrorScope()).catch(() => {});
  }
  if (!shared || (failed && again)) {
    failed = false;
    shared = open();
    shared.catch(() => {
      failed = true;
    });
  }
  return shared;
}

async function open(): Promise<OpenDevice> {
  const { gpu, reason } = await source();
  try {
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw new Error('it found no adapter: no usable graphics driver');
    const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
    const device = await adapter.requestDevice({
      label: 'ctc:device',
      requiredFeatures: adapter.features.has('subgroups') ? ['subgroups'] : [],
      requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
    });
    device.lost.then(() => {
      shared = undefined;
    });
    // not adapter.info: Deno 2.9 dies when a device is first asked for it after its adapter was collected
    return {
      device,
      adapter: adapterName(device.adapterInfo ?? adapter.info),
      reason: `WebGPU from ${reason}`,
    };
  } catch (cause) {
    throw new CtcError('no-webgpu', `WebGPU is here, but ${(cause as Error).message}`, { cause });
  }
}

/** The adapter of what runs without one. */
export const cpuName = 'float64 on one thread';

export function adapterName(info: GPUAdapterInfo | undefined): string {
  if (!info) return 'unknown adapter';
  const { vendor, architecture, device, description } = info;
  return description || [vendor, architecture, device].filter(Boolean).join(' ') || 'unnamed adapter';
}

/** What was asked for as `device`, and why it is what it is. None: the CPU. */
export async function deviceFor(
  wanted: GpuDevice | 'auto' | 'gpu' | 'cpu',
): Promise<{ device?: GPUDevice; adapter: string; reason: string }> {
  if (typeof wanted === 'object') {
    const device = wanted as GPUDevice;
    return { device, adapter: adapterName(device.adapterInfo), reason: 'the device that was given' };
  }
  const onCpu = (reason: string) => ({ adapter: cpuName, reason });
  if (wanted === 'cpu') return onCpu('asked for');
  try {
    const found = await sharedDevice(wanted === 'gpu');
    if (wanted === 'gpu' || !areTwinsFaster(adapterOf(found.device))) return found;
    return onCpu(`${found.adapter} is software, which takes longer; device: 'gpu' asks for it`);
  } catch (error) {
    if (wanted === 'gpu' || !(error instanceof CtcError)) throw error;
    return onCpu(error.message);
  }
}

/** What a plan is tuned to. */
export function adapterOf(device: GPUDevice | undefined): Adapter {
  if (!device) return { software: true, cpu: true };
  const { isFallbackAdapter, subgroupMinSize, subgroupMaxSize, description } = device.adapterInfo ?? {};
  const subgroups = device.features.has('subgroups') && subgroupMinSize === subgroupMaxSize;
  return {
    software: isFallbackAdapter === true,
    llvmpipe: description?.startsWith('llvmpipe') === true,
    ...(subgroups && { subgroupSize: subgroupMinSize }),
  };
}

/** What a typed array may hold everywhere. */
const cpuLimits: Limits = {
  maxStorageBufferBindingSize: 2 ** 32,
  maxBufferSize: 2 ** 32,
  maxComputeWorkgroupsPerDimension: 2 ** 31,
};

/** The limits that a plan has to respect; indices in the shaders are 32 bits wide. */
export function limitsOf(device: GPUDevice | undefined): Limits {
  if (!device) return cpuLimits;
  const { maxStorageBufferBindingSize, maxBufferSize, maxComputeWorkgroupsPerDimension } = device.limits;
  return {
    maxStorageBufferBindingSize: Math.min(maxStorageBufferBindingSize, 2 ** 30),
    maxBufferSize: Math.min(maxBufferSize, 2 ** 32),
    maxComputeWorkgroupsPerDimension,
  };
}
