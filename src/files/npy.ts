import { kindOf } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import {
  beginning,
  checkShape,
  decode,
  type ElementCode,
  elements,
  type FileTensor,
  NoScores,
} from './tensor.js';

const magic = [0x93, ...new TextEncoder().encode('NUMPY')];

export function isNpy(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** What format 1.0 has room for. Only structured types need more, and a bound keeps the patterns below fast. */
const longestHeader = 65_535;

/**
 * Reads a `.npy` file of NumPy's, of format 1.0, 2.0 or 3.0 and either byte order. Fortran order is transposed.
 *
 * @param name Of the file, for messages.
 * @throws RangeError naming the file and what is wrong in it.
 */
export function readNpy(bytes: Uint8Array, name: string): FileTensor {
  if (!isNpy(bytes))
    throw new RangeError(
      `${name}: expected a NumPy file, which starts with \\x93NUMPY, got ${beginning(bytes)}`,
    );
  const [major, minor] = [bytes[6], bytes[7]];
  const start = major === 1 ? 10 : 12;
  if (bytes.length < start)
    throw wrongValue(`${name}: header`, `a version and a length in ${start} bytes`, bytes.length);
  if (minor !== 0 || major < 1 || major > 3)
    throw wrongValue(`${name}: version`, '1.0, 2.0 or 3.0', `${major}.${minor}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const most = Math.min(longestHeader, bytes.length - start);
  if (length > most) throw wrongValue(`${name}: header length`, `at most ${most}`, length);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length)).trim();
  return decode(bytes.subarray(start + length), { name, ...parse(header, name) });
}

/** The header is a literal of Python's, a dictionary with three keys in any order. */
function parse(header: string, name: string) {
  const value = (key: string, pattern: string) => {
    const found = header.match(new RegExp(`[{,]\\s*['"]${key}['"]\\s*:\\s*${pattern}`))?.[1];
    if (found !== undefined && header.endsWith('}')) return found;
    throw wrongValue(`${name}: header`, `a dictionary with a valid ${key}`, header.slice(0, 100));
  };
  const dtype = value('descr', `(['"][^'"]*['"]|\\[.*?\\](?=\\s*[,}]))`).replace(/^['"]|['"]$/g, '');
  const [, order, code] = dtype.match(/^([<>|])([a-z][1-8])$/) ?? [];
  if (!Object.hasOwn(elements, code) || (order === '|') !== (elements[code as ElementCode].bytes === 1)) {
    const known = Object.keys(elements).filter((key) => key !== 'bf2');
    const wrong = wrongValue(`${name}: dtype`, `one of ${known.join(', ')}`, dtype.slice(0, 60));
    throw /^[<>|][USMm]/.test(dtype) ? new NoScores(wrong.message) : wrong;
  }
  const tuple = value('shape', '\\(([^)]*)\\)');
  const sizes = tuple.split(',').map((size) => size.trim());
  if (sizes.at(-1) === '') sizes.pop(); // (), or the comma after the last
  const shape = sizes.map(Number);
  if (!sizes.every((size) => /^\d+$/.test(size)) || !shape.every(Number.isSafeInteger))
    throw wrongValue(`${name}: shape`, 'integers ≥ 0', `(${tuple.slice(0, 60)})`);
  return {
    dtype,
    code: code as ElementCode,
    shape,
    bigEndian: order === '>',
    fortran: value('fortran_order', '(True|False)\\b') === 'True',
  };
}

/**
 * The bytes of a `.npy` file, format 1.0: float32 or int32, little-endian, C order.
 *
 * @throws TypeError, RangeError for data of another kind, and unless `shape` has as many elements as `data`.
 */
export function writeNpy(data: Float32Array | Int32Array, shape: readonly number[]): Uint8Array<ArrayBuffer> {
  const kind = kindOf(data);
  if (!/^(Float|Int)32Array$/.test(kind)) throw wrongKind('data', 'a Float32Array or Int32Array', data);
  const count = checkShape('shape', shape);
  if (count !== data.length) throw wrongValue('data', `${count} values (the product of the shape)`, data);
  const descr = kind === 'Float32Array' ? '<f4' : '<i4';
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  // the header ends with a line break, and the data starts at a multiple of 64 bytes
  const start = Math.ceil((10 + header.length + 1) / 64) * 64;
  const bytes = new Uint8Array(start + 4 * count);
  const view = new DataView(bytes.buffer);
  bytes.set([...magic, 1, 0]);
  view.setUint16(8, start - 10, true);
  bytes.set(new TextEncoder().encode(`${header.padEnd(start - 11)}\n`), 10);
  data.forEach((value: number, i: number) => {
    if (descr === '<f4') view.setFloat32(start + 4 * i, value, true);
    else view.setInt32(start + 4 * i, value, true);
  });
  return bytes;
}
