/** Numbers that are given to an encode, where kernels find them in a buffer of the plan's. Loaded by plans that have some. */
import digit from '../../../shaders/helpers/digit.wgsl?raw';
import { uniformBlockBytes } from '../../kernels/uniforms.js';
import type { Memory } from './memory.js';
import { helperFor, type Pipeline } from './pipelines.js';

/** The table behind `integer` has the integers below this, and more. */
const base = 128;
const digits = 5;

export class Numbers {
  readonly #pipeline: GPUComputePipeline;
  readonly #groups = new Map<string, GPUBindGroup>();

  static async create(device: GPUDevice, memory: Memory, buffers: readonly string[]): Promise<Numbers> {
    return new Numbers(device, memory, buffers, await helperFor(device, 'digit', digit));
  }

  private constructor(
    device: GPUDevice,
    memory: Memory,
    buffers: readonly string[],
    { pipeline, layout }: Pipeline,
  ) {
    this.#pipeline = pipeline;
    for (const name of buffers) {
      const entries = [
        { binding: 0, resource: { buffer: memory.integers, size: uniformBlockBytes } },
        { binding: 1, resource: { buffer: memory.buffer(name) } },
      ];
      this.#groups.set(name, device.createBindGroup({ label: `ctc:${name}:group`, layout, entries }));
    }
  }

  /** Puts an integer of 32 bits into a buffer, once this is executed. */
  encode(encoder: GPUCommandEncoder, buffer: string, value: number): void {
    const pass = encoder.beginComputePass({ label: `ctc:${buffer}:pass` });
    pass.setPipeline(this.#pipeline);
    for (let place = digits - 1; place >= 0; place--) {
      const digit = Math.floor(value / base ** place) % base;
      pass.setBindGroup(0, this.#groups.get(buffer)!, [digit * uniformBlockBytes]);
      pass.dispatchWorkgroups(1);
    }
    pass.end();
  }
}
