import { expect } from 'vitest';
import { openGpu } from '../src/node/drivers.js';

/** A device as any page may have it, watched: default limits, and of features those asked for that it can have. */
export interface TestDevice {
  readonly device: GPUDevice;
  readonly adapter: string;
  /** Buffers created and not yet destroyed, by label. */
  alive(): string[];
  /** A storage buffer that can be written and copied from, holding `data`; no leak if it is left. */
  buffer(data: ArrayBufferView<ArrayBuffer> | number, usage?: number): GPUBuffer;
  read(buffer: GPUBuffer, offset?: number, size?: number): Promise<Float32Array>;
  /** What is alive counts no more. */
  forget(): void;
  /** The uncaptured errors so far, which then do not fail the test. */
  takeErrors(): Promise<string[]>;
}

/** A NaN as a float, above all others as an exponent. */
export const poison = 0x7fc0dead;

/** From now on each new buffer of a device that can be written is full of poison. */
export function poisonBuffers({ device }: TestDevice): void {
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const { size, usage } = buffer;
    // Deno 2.9 dies of writing nothing
    if (size > 0 && usage & 0x8 && !(usage & 0x1))
      device.queue.writeBuffer(buffer, 0, new Uint32Array(size / 4).fill(poison));
    return buffer;
  };
}

const STORAGE = 0x80 | 0x8 | 0x4;
const opened: TestDevice[] = [];
let printed = false;

/** Errors that no scope catches fail the test in which they arrive: test/setup.ts. */
export async function expectNoErrors(): Promise<void> {
  for (const { takeErrors } of opened) expect(await takeErrors(), 'uncaptured GPU errors').toEqual([]);
}

/** What a test file before this one has left alive is not this one's. */
export function forgetBuffers(): void {
  for (const { forget } of opened) forget();
}

const shared = new Map<string, Promise<TestDevice>>();

/** A device of all test files that run in this process, which compile a kernel once; what can be written is full of poison. */
export function sharedDevice(...features: GPUFeatureName[]): Promise<TestDevice> {
  const open = async () => {
    const device = await openDevice(...features);
    poisonBuffers(device);
    return device;
  };
  const device = shared.get(features.join()) ?? open();
  shared.set(features.join(), device);
  return device;
}

export async function openDevice(...features: GPUFeatureName[]): Promise<TestDevice> {
  const { gpu, driver } = await openGpu();
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error('no WebGPU adapter');
  const requiredFeatures = features.filter((feature) => adapter.features.has(feature));
  const device = await adapter.requestDevice({ requiredFeatures });
  // Deno 2.9 dies when a device is first asked for it after its adapter was collected
  void device.adapterInfo;
  if (!printed) console.log(`GPU adapter: ${driver}`);
  printed = true;

  return watch(device, driver);
}

/** A device from anywhere, watched from now on. */
export function watch(device: GPUDevice, driver: string): TestDevice {
  const errors: string[] = [];
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault();
    errors.push(event.error.message);
  });
  let lost = false;
  device.lost.then(() => {
    lost = true;
  });

  const alive = new Set<GPUBuffer>();
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    const destroy = buffer.destroy.bind(buffer);
    alive.add(buffer);
    buffer.destroy = () => {
      alive.delete(buffer);
      destroy();
    };
    return buffer;
  };

  const test: TestDevice = {
    device,
    adapter: driver,
    alive: () => [...alive].map(({ label }) => label).sort(),
    forget: () => alive.clear(),
    buffer(data, usage = STORAGE) {
      const size = typeof data === 'number' ? data : Math.ceil(data.byteLength / 4) * 4;
      const buffer = createBuffer({ size, usage });
      if (typeof data !== 'number') device.queue.writeBuffer(buffer, 0, data);
      return buffer;
    },
    async read(buffer, offset = 0, size = buffer.size - offset) {
      const staging = createBuffer({ size, usage: 0x8 | 0x1 });
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
      device.queue.submit([encoder.finish()]);
      await staging.mapAsync(1);
      const values = new Float32Array(staging.getMappedRange().slice(0));
      staging.destroy();
      return values;
    },
    async takeErrors() {
      if (!lost) await device.queue.onSubmittedWorkDone();
      return errors.splice(0);
    },
  };
  opened.push(test);
  return test;
}
