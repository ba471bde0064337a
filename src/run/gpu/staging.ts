import { inErrorScopes, unlessLost } from './lost.js';

const USAGE = { MAP_READ: 1, COPY_DST: 8 } as const;
const READ = 1;

/** Where bytes of the device pass on their way to the host. */
export class Staging {
  readonly size: number;
  readonly #device: GPUDevice;
  #buffer: GPUBuffer | undefined;

  constructor(device: GPUDevice, size: number) {
    this.#device = device;
    this.size = size;
  }

  /** Ranges of the caller's, one after another, once everything submitted before is done; `use` must not keep the bytes. */
  async read(
    ranges: readonly { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number }[],
    use: (bytes: Uint8Array<ArrayBuffer>) => void,
  ): Promise<void> {
    const device = this.#device;
    const length = ranges.reduce((sum, { size }) => sum + size, 0);
    const { buffer, mapping } = await inErrorScopes(device, 'readback', () => {
      const usage = USAGE.MAP_READ | USAGE.COPY_DST;
      this.#buffer ??= device.createBuffer({ label: 'ctc:readback:staging', size: this.size, usage });
      const buffer = this.#buffer;
      const encoder = device.createCommandEncoder({ label: 'ctc:readback:encoder' });
      let place = 0;
      for (const range of ranges) {
        encoder.copyBufferToBuffer(range.buffer, range.offset, buffer, place, range.size);
        place += range.size;
      }
      device.queue.submit([encoder.finish()]);
      const mapping = buffer.mapAsync(READ, 0, length);
      mapping.catch(() => {});
      // Firefox completes a mapping only when something follows it on the queue
      device.queue.submit([]);
      return { buffer, mapping };
    });
    await unlessLost(device, mapping);
    use(new Uint8Array(buffer.getMappedRange(0, length)));
    buffer.unmap();
  }

  destroy(): void {
    this.#buffer?.destroy();
  }
}
