import { wrongValue } from '../problem/errors.js';

const signatures = {
  entry: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator: 0x07064b50,
};

export function isZip(bytes: Uint8Array): boolean {
  const [p, k, a, b] = bytes;
  return p === 0x50 && k === 0x4b && ((a === 3 && b === 4) || (a === 5 && b === 6));
}

interface Entry {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly compressed: number;
  readonly size: number;
  readonly start: number;
  /** Where the next entry begins, or the directory. */
  end: number;
}

/** How much is unpacked. */
export interface UnpackOptions {
  /**
   * Bytes that a tensor of a compressed file may unpack to, so that a small file cannot fill the memory. Default: 64 times
   * as many as the file has, and at least 64 MiB.
   */
  readonly unpackedBytes?: number;
}

/** Scores compress by a few times, padding by a thousand times: what exceeds both is hardly what it says it is. */
const mostRatio = 64;
const leastBytes = 64 * 2 ** 20;

/**
 * The entries of a zip archive, each unpacked when it is asked for. Sizes are those of the central directory: in front of an
 * entry they may be missing, or in a place of their own.
 *
 * @throws RangeError, at once for the directory, later for an entry that is not what the directory says of it, that shares its
 * bytes with another, or that unpacks to too much.
 */
export function readZip(
  bytes: Uint8Array,
  name: string,
  options: UnpackOptions = {},
): Map<string, () => Promise<Uint8Array>> {
  const { unpackedBytes = Math.max(leastBytes, mostRatio * bytes.length) } = options;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const directory = findDirectory(view, name);
  const entries = new Map<string, Entry>();
  const { end, count } = directory;
  let at = directory.start;
  let seen = 0;
  for (; at + 46 <= end && view.getUint32(at, true) === signatures.central; seen++) {
    const nameEnd = at + 46 + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    if (extraEnd > end) break;
    const key = new TextDecoder().decode(bytes.subarray(at + 46, nameEnd));
    const [size, compressed, start] = wide(view, [at + 24, at + 20, at + 42], nameEnd, extraEnd);
    if (entries.has(key)) throw wrongValue(`${name}: zip directory`, 'each name once', key);
    entries.set(key, {
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      compressed,
      size,
      start,
      end: directory.start,
    });
    at = extraEnd + view.getUint16(at + 32, true);
  }
  if (seen !== count || at !== end)
    throw wrongValue(`${name}: zip directory`, `${count} entries in ${end - directory.start} bytes`, seen);
  const inOrder = [...entries.values()].sort((a, b) => a.start - b.start);
  for (const [i, entry] of inOrder.entries()) {
    const next = inOrder[i + 1]?.start ?? entry.end;
    if (next === entry.start)
      throw wrongValue(`${name}: zip directory`, 'one entry at each place', `two at byte ${next}`);
    entry.end = next;
  }
  const unpacks = (key: string, entry: Entry) => () => unpack(bytes, entry, `${name}: ${key}`, unpackedBytes);
  return new Map(Array.from(entries, ([key, entry]) => [key, unpacks(key, entry)]));
}

const large = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

function findDirectory(view: DataView, name: string): { start: number; end: number; count: number } {
  // the record at the end has 22 bytes and a comment of any length up to 65,535
  for (let at = view.byteLength - 22; at >= 0 && at >= view.byteLength - 22 - 65_535; at--) {
    if (view.getUint32(at, true) !== signatures.end) continue;
    if (at + 22 + view.getUint16(at + 20, true) !== view.byteLength) continue;
    let record = {
      at,
      count: view.getUint16(at + 10, true),
      size: view.getUint32(at + 12, true),
      start: view.getUint32(at + 16, true),
    };
    if (at >= 20 && view.getUint32(at - 20, true) === signatures.locator) {
      const far = large(view, at - 12);
      if (far + 56 > at - 20 || view.getUint32(far, true) !== signatures.end64)
        throw wrongValue(`${name}: zip64 directory`, `a record before byte ${at - 20}`, far);
      record = {
        at: far,
        count: large(view, far + 32),
        size: large(view, far + 40),
        start: large(view, far + 48),
      };
    }
    const end = record.start + record.size;
    if (end > record.at)
      throw wrongValue(`${name}: zip directory`, `its end at byte ${record.at} or before`, end);
    return { start: record.start, end, count: record.count };
  }
  throw new RangeError(
    `${name}: zip directory: expected one at the end of the file, got none; is the file cut off?`,
  );
}

/** Fields of 32 bits; those that are all ones stand, in this order, in an extra field with 64 bits each. */
function wide(view: DataView, fields: readonly number[], from: number, to: number): number[] {
  let next = to;
  let last = to;
  for (let at = from; at + 4 <= to; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    next = at + 4;
    last = Math.min(to, next + view.getUint16(at + 2, true));
    break;
  }
  return fields.map((field) => {
    const value = view.getUint32(field, true);
    if (value !== 0xffffffff || next + 8 > last) return value;
    next += 8;
    return large(view, next - 8);
  });
}

async function unpack(
  bytes: Uint8Array,
  entry: Entry,
  name: string,
  unpackedBytes: number,
): Promise<Uint8Array> {
  const { flags, method, crc, compressed, size, start, end } = entry;
  if (flags & 1)
    throw new RangeError(`${name}: expected an entry that is not encrypted, got an encrypted one`);
  if (method !== 0 && method !== 8)
    throw wrongValue(`${name}: compression method`, '0 (stored) or 8 (deflate)', method);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (start + 30 > bytes.length || view.getUint32(start, true) !== signatures.entry)
    throw new RangeError(`${name}: expected an entry at byte ${start}, got none`);
  const first = start + 30 + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  if (first + compressed > bytes.length)
    throw wrongValue(
      `${name}: compressed size`,
      `at most ${Math.max(0, bytes.length - first)} (the rest of the file)`,
      compressed,
    );
  if (first + compressed > end)
    throw wrongValue(
      `${name}: compressed size`,
      `at most ${Math.max(0, end - first)} (up to the next entry)`,
      compressed,
    );
  const packed = bytes.subarray(first, first + compressed);
  if (method === 0 && compressed !== size)
    throw wrongValue(`${name}: size`, `${compressed}, since it is stored uncompressed`, size);
  if (method === 8 && size > unpackedBytes)
    throw wrongValue(`${name}: size`, `at most ${unpackedBytes} bytes (unpackedBytes)`, size);
  const data = method === 0 ? packed : await inflate(packed, size, name);
  if (crc32(data) !== crc) throw wrongValue(`${name}: CRC-32`, String(crc), crc32(data));
  return data;
}

/** Inflates as far as the declared size and no further. Memory grows with what came, not with what was declared. */
async function inflate(packed: Uint8Array, size: number, name: string): Promise<Uint8Array> {
  let at = 0;
  const source = new ReadableStream<BufferSource>({
    // in pieces, since a browser inflates a whole chunk before the first read returns
    pull(controller) {
      if (at < packed.length) controller.enqueue(new Uint8Array(packed.subarray(at, at + 65_536)));
      else controller.close();
      at += 65_536;
    },
  });
  const reader = source.pipeThrough(new DecompressionStream('deflate-raw')).getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  while (length <= size) {
    const { done, value } = await reader.read().catch((cause: Error) => {
      throw new RangeError(
        `${name}: expected deflated data, got some that does not inflate: ${cause.message}`,
        { cause },
      );
    });
    if (done) break;
    length += value.length;
    chunks.push(value);
  }
  if (length > size) await reader.cancel().catch(() => {});
  if (length !== size)
    throw wrongValue(`${name}: size`, `${size} bytes when inflated`, length > size ? 'more' : length);
  const data = new Uint8Array(size);
  let end = 0;
  for (const chunk of chunks) {
    data.set(chunk, end);
    end += chunk.length;
  }
  return data;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  return rest;
});

function crc32(data: Uint8Array): number {
  let crc = ~0;
  for (let i = 0; i < data.length; i++) crc = (crc >>> 8) ^ crcTable[(crc ^ data[i]) & 255];
  return ~crc >>> 0;
}
