import { wrongValue } from '../problem/errors.js';
import { decode, type ElementCode, type FileTensors } from './tensor.js';

const codes: Record<string, ElementCode> = {
  F16: 'f2',
  BF16: 'bf2',
  F32: 'f4',
  F64: 'f8',
  I8: 'i1',
  U8: 'u1',
  I16: 'i2',
  U16: 'u2',
  I32: 'i4',
  U32: 'u4',
  I64: 'i8',
  U64: 'u8',
  BOOL: 'b1',
};

/** The format has no magic number: a length, whose upper half no real header needs, and JSON. */
export function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * Lists the tensors of a `.safetensors` file. Types that it cannot read only matter to who reads such a tensor.
 *
 * @throws RangeError naming the file and what is wrong in it.
 */
export function readSafetensors(bytes: Uint8Array, name: string): FileTensors {
  if (bytes.length < 8) throw wrongValue(name, 'a header length of 8 bytes', bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > bytes.length - 8)
    throw wrongValue(`${name}: header length`, `at most ${bytes.length - 8} (the rest of the file)`, length);
  const data = bytes.subarray(8 + length);
  const tensors = new Map<string, () => ReturnType<typeof read>>();
  const ranges: (readonly [key: string, begin: number, end: number])[] = [];
  for (const [key, entry] of Object.entries(parse(bytes.subarray(8, 8 + length), name))) {
    if (key === '__metadata__') continue;
    const where = `${name}: ${key}`;
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (typeof dtype !== 'string') throw wrongValue(`${where}: dtype`, 'a string', dtype);
    if (!Array.isArray(shape) || !shape.every(isSize))
      throw wrongValue(`${where}: shape`, 'an array of integers ≥ 0', shape);
    if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize))
      throw wrongValue(`${where}: data_offsets`, 'two integers ≥ 0', offsets);
    const [begin, end] = offsets;
    if (begin > end || end > data.length)
      throw wrongValue(`${where}: data_offsets`, `a range in the ${data.length} bytes of data`, offsets);
    ranges.push([key, begin, end]);
    tensors.set(key, () => read(data.subarray(begin, end), where, dtype, shape));
  }
  let covered = 0;
  for (const [key, begin, end] of ranges.sort((a, b) => a[1] - b[1] || a[2] - b[2])) {
    // as the format demands: no holes that could hide data, no two tensors on the same bytes
    if (begin !== covered)
      throw wrongValue(`${name}: ${key}: data_offsets`, `${covered} as the first`, begin);
    covered = end;
  }
  if (covered !== data.length)
    throw wrongValue(`${name}: data`, `${covered} bytes (the end of the last tensor)`, data.length);
  return tensors;
}

function parse(header: Uint8Array, name: string): object {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(header));
  } catch (error) {
    throw new RangeError(`${name}: header: not JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw wrongValue(`${name}: header`, 'a JSON object', json);
  return json;
}

async function read(data: Uint8Array, name: string, dtype: string, shape: readonly number[]) {
  if (!Object.hasOwn(codes, dtype))
    throw wrongValue(`${name}: dtype`, `one of ${Object.keys(codes).join(', ')}`, dtype);
  return decode(data, { name, dtype, code: codes[dtype], shape });
}
