/** What moves between the host's arrays and the device. Loaded when the first array comes. */
import { elementBytes, type Port, type ProblemShape } from '../../plan/plan.js';
import type { RunOptions } from '../../problem/types.js';
import type { DeviceTensor, Memory } from './memory.js';
import type { Ending } from './scheduler.js';
import { Staging } from './staging.js';

const REGULAR = 0;
const INFEASIBLE = 1;

/** Bytes that move between two turns of the event loop. */
const chunkBytes = 2 ** 24;

/** Copies an array into a tensor. */
export async function upload(
  device: GPUDevice,
  memory: Memory,
  tensor: DeviceTensor,
  rowBytes: number,
  data: ArrayBufferView,
  { signal }: RunOptions,
): Promise<void> {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  for (const [i, buffer] of tensor.buffers.entries()) {
    const start = i * tensor.rowsPerBuffer * rowBytes;
    const length = Math.min(tensor.rowsPerBuffer * rowBytes, bytes.length - start);
    for (let offset = 0; offset < length; offset += chunkBytes) {
      let chunk = bytes.subarray(start + offset, start + Math.min(length, offset + chunkBytes));
      // Dawn crashes on shared memory
      if (!(bytes.buffer instanceof ArrayBuffer)) chunk = new Uint8Array(chunk);
      if (chunk.length % 4 !== 0) {
        // an odd number of halves, but a write is a multiple of 4 bytes
        const padded = new Uint8Array(chunk.length + 2);
        padded.set(chunk);
        chunk = padded;
      }
      memory.alive();
      device.queue.writeBuffer(buffer, offset, chunk);
      if (length > chunkBytes) {
        await new Promise((resolve) => setTimeout(resolve));
        signal?.throwIfAborted();
      }
    }
  }
}

/** The numbers of a tensor in a new array. */
export async function download(device: GPUDevice, tensor: DeviceTensor): Promise<Float32Array<ArrayBuffer>> {
  const bytes = new Uint8Array(tensor.buffers.reduce((sum, buffer) => sum + buffer.size, 0));
  let place = 0;
  for (const buffer of tensor.buffers) {
    await readInto(device, buffer, bytes.subarray(place, place + buffer.size));
    place += buffer.size;
  }
  return new Float32Array(bytes.buffer);
}

/** The words of some buffers once everything submitted before is done: if they are not too many, in one go. */
export async function readWords(
  device: GPUDevice,
  ...buffers: readonly GPUBuffer[]
): Promise<Int32Array<ArrayBuffer>[]> {
  if (bytesIn(buffers) > chunkBytes) {
    const words = buffers.map(({ size }) => new Int32Array(size / 4));
    for (const [i, buffer] of buffers.entries())
      await readInto(device, buffer, new Uint8Array(words[i]!.buffer));
    return words;
  }
  const staging = new Staging(device, bytesIn(buffers));
  try {
    let words: Int32Array<ArrayBuffer>[] = [];
    await staging.read(rangesOf(buffers), (bytes) => {
      words = wordsOf(bytes, buffers);
    });
    return words;
  } finally {
    staging.destroy();
  }
}

const bytesIn = (buffers: readonly GPUBuffer[]) => buffers.reduce((sum, { size }) => sum + size, 0);

const rangesOf = (buffers: readonly GPUBuffer[]) =>
  buffers.map((buffer) => ({ buffer, offset: 0, size: buffer.size }));

/** Copies of the words of buffers whose bytes lie one after another. */
function wordsOf({ buffer, byteOffset }: Uint8Array<ArrayBuffer>, buffers: readonly GPUBuffer[]) {
  let place = byteOffset;
  return buffers.map(({ size }) => {
    const words = new Int32Array(buffer, place, size / 4).slice();
    place += size;
    return words;
  });
}

/** Buffers on their way to the host, behind other work in its last submission: so there is one wait for both. */
export class Readback implements Ending {
  readonly #buffers: readonly GPUBuffer[];
  readonly #staging: Staging;

  /** @returns undefined where they are too many bytes for one go */
  static of(device: GPUDevice, buffers: readonly GPUBuffer[]): Readback | undefined {
    return bytesIn(buffers) > chunkBytes ? undefined : new Readback(device, buffers);
  }

  private constructor(device: GPUDevice, buffers: readonly GPUBuffer[]) {
    this.#buffers = buffers;
    this.#staging = new Staging(device, bytesIn(buffers));
  }

  encode(encoder: GPUCommandEncoder): void {
    this.#staging.encode(encoder, rangesOf(this.#buffers));
  }

  map(): Promise<undefined> {
    return this.#staging.map();
  }

  /** The words of each buffer, once `map` has ended. */
  words(): Int32Array<ArrayBuffer>[] {
    return wordsOf(this.#staging.bytes(), this.#buffers);
  }

  destroy(): void {
    this.#staging.destroy();
  }
}

/** Bytes of a buffer of the caller's, from an offset on. */
export async function readRange(
  device: GPUDevice,
  buffer: GPUBuffer,
  first: number,
  size: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(size);
  await readInto(device, buffer, bytes, first);
  return bytes;
}

async function readInto(device: GPUDevice, buffer: GPUBuffer, bytes: Uint8Array, first = 0): Promise<void> {
  const staging = new Staging(device, Math.min(bytes.length, chunkBytes));
  try {
    for (let offset = 0; offset < bytes.length; offset += staging.size) {
      const length = Math.min(staging.size, bytes.length - offset);
      await staging.read([{ buffer, offset: first + offset, size: length }], (read) =>
        bytes.set(read, offset),
      );
    }
  } finally {
    staging.destroy();
  }
}

/** What a port of the plan's own buffer is on the host. */
export function resultOf(
  { element, totals }: Port,
  words: Int32Array<ArrayBuffer>,
  { scores }: ProblemShape,
): Int32Array | Float32Array | Float64Array {
  if (totals) return lossesOf(words, scores);
  return element === 'float' ? new Float32Array(words.buffer) : words;
}

/** −ln Z of each sequence, infinite where there is no path, finished in float64 from what the device knows of it. */
function lossesOf(totals: Int32Array<ArrayBuffer>, scores: ProblemShape['scores']): Float64Array {
  const floats = new Float32Array(totals.buffer);
  const words = elementBytes.total / 4;
  return Float64Array.from({ length: totals.length / words }, (_, n) => {
    const [m, , , , , far, , loss] = floats.subarray(n * words);
    const [, e, k, high, low, , status] = totals.subarray(n * words);
    const near = (high * 2 ** 32 + (low >>> 0)) / 2 ** 30;
    if (status === INFEASIBLE) return Number.POSITIVE_INFINITY;
    if (status !== REGULAR) return loss;
    const finished = 0 - ((k + e) * Math.LN2 + near + far * 2 ** 20 + Math.log(m));
    // of logits a path's probability is at most 1, whatever rounding made of it
    return scores === 'logits' ? Math.max(finished, 0) : finished;
  });
}
