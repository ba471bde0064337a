import { CtcError } from '../../problem/errors.js';
import { inErrorScopes, unlessLost, whyLost } from './lost.js';

const USAGE = { MAP_READ: 1, COPY_DST: 8 } as const;
const READ = 1;

interface Range {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** Where bytes of the device pass on their way to the host. */
export class Staging {
  readonly size: number;
  readonly #device: GPUDevice;
  #buffer: GPUBuffer | undefined;
  #length = 0;

  constructor(device: GPUDevice, size: number) {
    this.#device = device;
    this.size = size;
  }

  /** Ranges of the caller's, one after another, once everything submitted before is done; `use` must not keep the bytes. */
  async read(ranges: readonly Range[], use: (bytes: Uint8Array<ArrayBuffer>) => void): Promise<void> {
    const device = this.#device;
    const { mapping } = await inErrorScopes(device, 'readback', () => {
      const encoder = device.createCommandEncoder({ label: 'ctc:readback:encoder' });
      this.encode(encoder, ranges);
      device.queue.submit([encoder.finish()]);
      return { mapping: this.map() };
    });
    await unlessLost(device, mapping);
    use(this.bytes());
    this.#buffer!.unmap();
  }

  /** Copies ranges here, one after another. */
  encode(encoder: GPUCommandEncoder, ranges: readonly Range[]): void {
    const usage = USAGE.MAP_READ | USAGE.COPY_DST;
    this.#buffer ??= this.#device.createBuffer({ label: 'ctc:readback:staging', size: this.size, usage });
    this.#length = 0;
    for (const { buffer, offset, size } of ranges) {
      encoder.copyBufferToBuffer(buffer, offset, this.#buffer, this.#length, size);
      this.#length += size;
    }
  }

  /** Once that is submitted: ends when it is done, and `bytes` are there. */
  map(): Promise<undefined> {
    const mapping = this.#buffer!.mapAsync(READ, 0, this.#length);
    mapping.catch(() => {});
    // Firefox completes a mapping only when something follows it on the queue
    this.#device.queue.submit([]);
    return mapping;
  }

  /** What was copied last, until the staging is used again or destroyed. */
  bytes(): Uint8Array<ArrayBuffer> {
    try {
      return new Uint8Array(this.#buffer!.getMappedRange(0, this.#length));
    } catch (cause) {
      // a device that its owner destroys takes away at once what was mapped, and is told to be lost only then
      const message = 'device lost (destroyed): its memory went with it';
      throw whyLost(this.#device) ?? new CtcError('device-lost', message, { cause });
    }
  }

  destroy(): void {
    this.#buffer?.destroy();
  }
}
