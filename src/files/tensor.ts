import { checkInteger, isList, kindOf } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { halfToFloat } from '../problem/half.js';

/** A tensor of a file, in C order: the last axis is contiguous. */
export interface FileTensor {
  /** The file, and the entry if the file has several: `emissions.npz: logits`. */
  readonly name: string;
  /** As the file spells it: `<f4`, `BF16`. */
  readonly dtype: string;
  /**
   * Numbers with a fraction become float32, integers and booleans int32. What is finite stays finite: beyond the range of
   * float32 it becomes the largest or the lowest there is.
   */
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  /** The numbers of a float64 file, if some are so near 0 that a float32 has no or few digits of them: small probabilities. */
  readonly exact?: Float64Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** What a caller gives for a tensor of a file. @throws TypeError, RangeError naming what is wrong. */
export function checkTensor(tensor: FileTensor): void {
  if (typeof tensor !== 'object' || tensor === null)
    throw wrongKind('tensor', 'what readTensor returns', tensor);
  const { name, dtype, data, shape, exact } = tensor;
  for (const [key, text] of Object.entries({ name, dtype }))
    if (typeof text !== 'string') throw wrongKind(`tensor.${key}`, 'a string', text);
  if (!/^(Float|Int)32Array$/.test(kindOf(data)))
    throw wrongKind('tensor.data', 'a Float32Array or Int32Array', data);
  if (exact !== undefined && kindOf(exact) !== 'Float64Array')
    throw wrongKind('tensor.exact', 'a Float64Array', exact);
  const count = checkShape('tensor.shape', shape);
  if (exact !== undefined && exact.length !== count)
    throw wrongValue('tensor.exact', `${count} values (the product of the shape)`, exact.length);
  if (data.length !== count)
    throw wrongValue('tensor.data', `${count} values (the product of the shape)`, data.length);
}

/** Sizes along the axes of a tensor. @returns their product */
export function checkShape(argument: string, shape: readonly number[]): number {
  if (!isList(shape)) throw wrongKind(argument, 'an array of sizes', shape);
  if (shape.length > mostAxes) throw wrongValue(argument, `at most ${mostAxes} sizes`, shape.length);
  return Array.from(shape, (size, axis) => checkInteger(`${argument}[${axis}]`, size, 0)).reduce(
    (product, size) => product * size,
    1,
  );
}

/** NumPy has no more. */
const mostAxes = 64;

/** What a file holds cannot be read, and could not be scores either: text, times, integers of more than 32 bits. */
export class NoScores extends RangeError {}

/** The tensors of a file by name. Each is decoded when it is asked for. */
export type FileTensors = ReadonlyMap<string, () => Promise<FileTensor>>;

interface Element {
  readonly bytes: number;
  readonly float?: true;
  read(view: DataView, at: number, little: boolean): number | bigint;
}

/** How the elements of files are read, by NumPy's codes; `bf2` is bfloat16. */
export const elements = {
  f2: { bytes: 2, float: true, read: (view, at, little) => halfToFloat(view.getUint16(at, little)) },
  f4: { bytes: 4, float: true, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, float: true, read: (view, at, little) => view.getFloat64(at, little) },
  bf2: { bytes: 2, float: true, read: (view, at, little) => bfloatToFloat(view.getUint16(at, little)) },
  i1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, read: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  i8: { bytes: 8, read: (view, at, little) => view.getBigInt64(at, little) },
  u8: { bytes: 8, read: (view, at, little) => view.getBigUint64(at, little) },
  b1: { bytes: 1, read: (view, at) => Number(view.getUint8(at) !== 0) },
} satisfies Record<string, Element>;

export type ElementCode = keyof typeof elements;

const bits = new DataView(new ArrayBuffer(4));

/** A bfloat16 is the upper half of a float32. */
function bfloatToFloat(half: number): number {
  bits.setUint16(0, half);
  return bits.getFloat32(0);
}

/** How a file lays a tensor out. */
export interface Encoding {
  readonly name: string;
  readonly dtype: string;
  readonly code: ElementCode;
  readonly shape: readonly number[];
  readonly bigEndian?: boolean;
  /** The first axis is contiguous. */
  readonly fortran?: boolean;
}

/** @throws RangeError, before anything is allocated, unless the bytes are exactly those of the shape. */
export function decode(bytes: Uint8Array, encoding: Encoding): FileTensor {
  const { name, dtype, code, shape, bigEndian, fortran } = encoding;
  const element: Element = elements[code];
  const count = shape.reduce((product, size) => product * size, 1);
  if (count * element.bytes !== bytes.length)
    throw new RangeError(
      `${name}: shape: expected ${count * element.bytes} bytes of data for [${shape.join(', ')}] of ${dtype}, got ${bytes.length}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = element.float ? new Float32Array(count) : new Int32Array(count);
  const valueAt = (i: number) =>
    element.read(view, (fortran ? fortranPlace(i, shape, count) : i) * element.bytes, !bigEndian);
  let isSmall = false;
  for (let i = 0; i < count; i++) {
    const value = valueAt(i);
    data[i] = Number(value);
    if (code === 'f8' && Math.fround(data[i]) !== value) {
      const [size, sign] = [Math.abs(Number(value)), Math.sign(Number(value))];
      if (size < 2 ** -126) isSmall = true;
      if (size < Number.POSITIVE_INFINITY && size > largestFloat) data[i] = sign * largestFloat;
    }
    if (!element.float && data[i] !== Number(value))
      throw new NoScores(
        wrongValue(`${name}: [${indexOf(i, shape).join(', ')}]`, 'an integer of 32 bits', value).message,
      );
  }
  const exact = isSmall && Float64Array.from({ length: count }, (_, i) => Number(valueAt(i)));
  return { name, dtype, data, shape, ...(exact && { exact }) };
}

const largestFloat = 3.4028234663852886e38;

/** Where the element that is i-th in C order lies in Fortran order. */
function fortranPlace(i: number, shape: readonly number[], count: number): number {
  let place = 0;
  let stride = count;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    stride /= shape[axis];
    place += (i % shape[axis]) * stride;
    i = Math.floor(i / shape[axis]);
  }
  return place;
}

/** The indices along each axis of the element that is i-th in C order. */
export function indexOf(i: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = i % shape[axis];
    i = Math.floor(i / shape[axis]);
  }
  return index;
}

/** Scores: log-probabilities or logits. @throws RangeError if the file has integers. */
export function scoresOf({ name, dtype, data }: FileTensor): Float32Array<ArrayBuffer> {
  if (data instanceof Float32Array) return data;
  throw wrongValue(`${name}: dtype`, 'one of f2, f4, f8', dtype);
}

/** Labels, or lengths. @throws RangeError if the file has numbers with a fraction. */
export function integersOf({ name, dtype, data }: FileTensor): Int32Array<ArrayBuffer> {
  if (data instanceof Int32Array) return data;
  throw wrongValue(`${name}: dtype`, 'one of i1, u1, i2, u2, i4, u4, i8, u8, b1', dtype);
}

/** The first element that is no score of a class: NaN or +Infinity. −Infinity is one, that of probability 0. */
export function findInvalidScore({
  data,
  shape,
}: Pick<FileTensor, 'data' | 'shape'>): { index: number[]; value: number } | undefined {
  const i = data.findIndex((value) => !(value < Number.POSITIVE_INFINITY));
  return i < 0 ? undefined : { index: indexOf(i, shape), value: data[i] };
}

const fromModel = 'a CTC model makes emissions of it: save those, as with numpy.save';
const fromTensor = 'save its tensor with numpy.save, or with safetensors';

/** What people have beside emissions, by the hexadecimal digits that it begins with, and the next step. */
const others: readonly (readonly [begins: RegExp, what: string, next: string])[] = [
  [/^52494646.{8}57415645/, 'a WAV recording', fromModel],
  [/^(494433|ff[ef])/, 'an MP3 recording', fromModel],
  [/^664c6143/, 'a FLAC recording', fromModel],
  [/^4f676753/, 'an Ogg recording', fromModel],
  [/^.{8}66747970/, 'an MPEG-4 recording', fromModel],
  [/^1a45dfa3/, 'a WebM recording', fromModel],
  [/^800[2-5]/, "a pickle of Python's, such as an old .pt", fromTensor],
  [/^89484446/, 'an HDF5 file', fromTensor],
  [/^080.12/, 'an ONNX model', 'run it, and save what comes out with numpy.save'],
  [/^25504446/, 'a PDF', fromTensor],
  [/^(89504e47|ffd8ff)/, 'a picture', fromModel],
  [
    /^(20|0a|0d|09)*[57]b/,
    'JSON',
    'save the numbers with numpy.save; cases for loss have names that end in .json',
  ],
  [
    /^(3[0-9]|2[bcde]|[46]5|20|0a|0d|09|3b)+$/,
    'numbers as text',
    'numpy.save(NAME, numpy.loadtxt(FILE, delimiter=",")) makes a .npy of them',
  ],
];

/** What a file is that is not what was expected, by its first bytes, and what to do about it. */
export function beginning(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  const hex = Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, '0'));
  const found = others.find(([begins]) => begins.test(hex.join('')));
  if (found) return `${found[1]}; ${found[2]}`;
  return `a file that starts with the bytes ${hex.slice(0, 8).join(' ')}`;
}

/** Whether the entries of a zip are those of PyTorch's: `archive/data.pkl`. */
export const isTorch = (names: Iterable<string>): boolean =>
  [...names].some((name) => /(^|\/)data\.pkl$/.test(name));

export const torchFile = `a file of torch.save's; ${fromTensor}`;
