import { keysOf, peek, wrongKind, wrongValue } from './errors.js';
import type { Dtype, GpuBuffer, GpuDevice, Kept, Layout, RunOptions, Shape } from './types.js';

/** A tensor's axes, told apart. */
export interface Axes {
  readonly frames: number;
  readonly sequences: number;
  readonly classes: number;
  readonly layout: Layout;
}

export function isList(value: unknown): value is ArrayLike<unknown> {
  if (ArrayBuffer.isView(value)) return 'length' in value;
  try {
    return Array.isArray(value);
  } catch {
    // a proxy that was revoked
    return false;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** Bytes of an array up to which a call copies it: a copy of a wider one costs more than the few per cent of a run that it may. */
const mostCopied = 2 ** 22;
/** The memory of arrays that are copies already. */
const copies = new WeakSet<object>();
/** Memory of copies whose calls have ended. To fill it again takes a tenth of the time that fresh memory takes. */
const spares: ArrayBuffer[] = [];
const mostSpares = 2;

/**
 * What a call is given as it is now, since it goes on after its caller: lists, and objects of them, are copied; buffers, signals and
 * functions are what they are, and so are arrays of more than 4 MiB, which the caller leaves alone until the call has ended.
 */
export function held<T>(value: T, depth = 4): T {
  if (typeof value !== 'object' || value === null || depth === 0) return value;
  if (ArrayBuffer.isView(value)) {
    if (!('length' in value) || value.byteLength > mostCopied || copies.has(value.buffer) || isTaken(value))
      return value;
    const copy = copyOf(value as unknown as Float32Array);
    copies.add(copy.buffer);
    return copy as T;
  }
  try {
    if (Array.isArray(value)) return Array.from(value, (item) => held(item, depth - 1)) as T;
    const kind = Object.getPrototypeOf(value);
    if (kind !== Object.prototype && kind !== null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, held(it, depth - 1)])) as T;
  } catch {
    // what cannot be read is refused where it is needed, by its name
    return value;
  }
}

function copyOf(array: Float32Array): Float32Array {
  const place = spares.findIndex(({ byteLength }) => byteLength === array.byteLength);
  const Kind = [Float32Array, Uint16Array].find((kind) => array.constructor === kind);
  if (place < 0 || !Kind) return array.slice();
  const copy = new Kind(spares.splice(place, 1)[0]!) as Float32Array;
  copy.set(array);
  return copy;
}

/** Memory that may be a copy's, and that nobody reads any more. */
function giveBack(buffer: ArrayBufferLike): void {
  if (copies.delete(buffer) && spares.length < mostSpares) spares.push(buffer as ArrayBuffer);
}

/** Whether the memory of an array has gone elsewhere: it was transferred, as `postMessage` can. */
export function isTaken({ buffer }: ArrayBufferView): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

export const taken = (name: string, cause?: unknown) =>
  new TypeError(
    `${name}: expected an array that stays until the call has ended, got one whose buffer was transferred`,
    { cause },
  );

/**
 * The result of work that reads scores. If those are a copy of ours, the next call may use its memory from then on.
 * @throws TypeError if they are the caller's and were transferred before the work had ended
 */
export async function unlessTaken<T>(name: string, scores: object, work: Promise<T>): Promise<T> {
  const check = (cause?: unknown) => {
    if (ArrayBuffer.isView(scores) && isTaken(scores)) throw taken(name, cause);
  };
  try {
    const result = await work;
    check();
    return result;
  } catch (error) {
    check(error);
    throw error;
  } finally {
    if (ArrayBuffer.isView(scores)) giveBack(scores.buffer);
  }
}

/** An object of keys and values, which a list, a buffer or a `Map` is not. */
function isRecord(value: unknown): value is object {
  return isObject(value) && kindOf(value) === 'Object';
}

export function checkObject(argument: string, value: unknown, keys: readonly string[]): void {
  const given = isRecord(value) ? keysOf(value) : undefined;
  if (!given) throw wrongKind(argument, 'an object', value);
  for (const key of given) {
    if (!keys.includes(key)) throw wrongKind(argument, `the keys ${keys.join(', ')}`, key);
  }
}

export function checkChoice<T extends string>(
  argument: string,
  value: unknown,
  choices: readonly T[],
  more = '',
): T {
  if (choices.includes(value as T)) return value as T;
  const expected = `${more}one of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  throw (typeof value === 'string' ? wrongValue : wrongKind)(argument, expected, value);
}

/** An integer from `least` to `most`. */
export function checkInteger(
  argument: string,
  value: unknown,
  least: number,
  most = Infinity,
  what = '',
): number {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
    return value as number;
  const range = most === Infinity ? `an integer ≥ ${least}` : `an integer from ${least} to ${most}${what}`;
  throw (typeof value === 'number' ? wrongValue : wrongKind)(argument, range, value);
}

export function checkDevice(device: unknown): void {
  if (!isDevice(device)) checkChoice('device', device, ['auto', 'gpu', 'cpu'], 'a GPUDevice or ');
}

/** The options of a run, as they are now. */
export function checkRunOptions(options: RunOptions = {}): RunOptions {
  checkObject('options', options, ['signal', 'onProgress']);
  const { signal, onProgress } = options;
  if (signal !== undefined && !hasMethods(signal, ['throwIfAborted']))
    throw wrongKind('signal', 'an AbortSignal', signal);
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw wrongKind('onProgress', 'a function', onProgress);
  return { ...(signal && { signal }), ...(onProgress && { onProgress }) };
}

/** What the numbers of a model may be, as keys of what is given. */
export const scoresKeys = ['logProbs', 'logits', 'probs'] as const;
export type ScoresKey = (typeof scoresKeys)[number];

/** The only one that is given. */
export function scoresKey(input: { readonly [K in ScoresKey]?: unknown }): ScoresKey {
  const given = scoresKeys.filter((key) => input[key] !== undefined);
  if (given.length !== 1)
    throw new TypeError(
      `expected exactly one of logits, logProbs and probs, got ${given.join(' and ') || 'none'}`,
    );
  return given[0]!;
}

/** `name` is how the caller calls the shape, `prefix` what stands before the name of its layout. */
export function checkAxes(
  name: string,
  prefix: string,
  shape: Shape,
  layout: Layout | undefined,
  blank: number,
  leastFrames = 1,
): Axes {
  if (!isList(shape) || (shape.length !== 2 && shape.length !== 3))
    throw wrongKind(name, '[T, N, C] in memory order, or [T, C]', shape);
  const order = checkChoice(
    `${prefix}layout`,
    layout === undefined ? (shape.length === 2 ? 'TC' : 'TNC') : layout,
    ['TNC', 'NTC', 'TC'],
  );
  if (order.length !== shape.length)
    throw wrongValue(name, `${order.length} sizes for the layout ${order}`, shape);
  const axis = (letter: string) => {
    const place = order.indexOf(letter);
    return place < 0
      ? 1
      : checkInteger(`${name}[${place}] (${letter})`, shape[place], letter === 'T' ? leastFrames : 1);
  };
  const axes = { frames: axis('T'), sequences: axis('N'), classes: axis('C'), layout: order };
  checkInteger('blank', blank, 0, axes.classes - 1, ' (C − 1)');
  return axes;
}

export function checkDtype(name: string, dtype: Dtype | undefined, data?: unknown): Dtype {
  const kind = /^(Float32|Float16|Uint16)Array$/.exec(kindOf(data))?.[1];
  const of = { Float32: ['float32'], Float16: ['float16'], Uint16: ['float16', 'bfloat16'] }[kind ?? ''];
  if (kind === 'Uint16' && dtype === undefined)
    throw wrongKind(name, "'float16' or 'bfloat16' for a Uint16Array", dtype);
  const own = of?.[0] as Dtype | undefined;
  const chosen = checkChoice(name, dtype === undefined ? (own ?? 'float32') : dtype, [
    ...(['float32', 'float16', 'bfloat16'] as const),
  ]);
  if (of && !of.includes(chosen))
    throw wrongValue(name, `${of.map((one) => `'${one}'`).join(' or ')} for a ${kind}Array`, chosen);
  return chosen;
}

/**
 * A `GPUBuffer`, recognised by what it can do, since plain Node has no such global. Its size is asked for by the getter of its class:
 * what only looks like a buffer, or stands before one as a proxy does, would be refused by WebGPU without a word of which argument it was.
 */
function isBuffer(value: unknown): value is GpuBuffer {
  return isObject(value) && hasMethods(value, ['mapAsync']) && typeof nativeOf(value, 'size') === 'number';
}

/** What the class of a value says of it; undefined for what only looks like one of that class. */
function nativeOf(value: object, key: string): unknown {
  try {
    return Reflect.get(Object.getPrototypeOf(value), key, value);
  } catch {
    return undefined;
  }
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  return names.every((name) => typeof peek(value, name) === 'function');
}

/** A `GPUCommandEncoder`, recognised in the same way. */
export function isEncoder(value: unknown): value is GPUCommandEncoder {
  return hasMethods(value, ['beginComputePass', 'copyBufferToBuffer', 'finish']);
}

/** A `GPUDevice`, recognised in the same way. */
export function isDevice(value: unknown): value is GpuDevice {
  const methods = ['createBuffer', 'createComputePipelineAsync', 'createBindGroup', 'pushErrorScope'];
  return (
    hasMethods(value, methods) &&
    hasMethods(peek(value, 'queue'), ['submit', 'writeBuffer']) &&
    hasMethods(peek(value, 'lost'), ['then'])
  );
}

export function isGpuData(value: unknown): boolean {
  return isBuffer(value) || (isObject(value) && isBuffer(peek(value, 'buffer')));
}

/** `Float32Array` for one of these or of a class derived from it, `Object` for one of a class of the caller's. */
export function kindOf(value: unknown): string {
  try {
    return Object.prototype.toString.call(value).slice(8, -1);
  } catch {
    return 'nothing that can be read';
  }
}

/** A typed array of the right element type and count. */
export function checkHostData(
  name: string,
  data: unknown,
  count: number,
  dtype: Dtype,
): Float32Array | Uint16Array {
  const kinds = {
    float32: ['Float32Array'],
    float16: ['Float16Array', 'Uint16Array'],
    bfloat16: ['Uint16Array'],
  }[dtype];
  const array = data as Float32Array;
  if (!isList(data) || !kinds.includes(kindOf(data)))
    throw wrongKind(name, `a ${kinds.join(' or ')}, or a GPUBuffer`, data);
  if (isTaken(array)) throw taken(name);
  if (array.length !== count) throw wrongValue(name, `${count} values (the product of the shape)`, data);
  return dtype === 'float32' ? array : new Uint16Array(array.buffer, array.byteOffset, count);
}

export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** What a call uses of a buffer, and what the caller calls it. */
export interface NamedRange extends BufferRange {
  readonly name: string;
  readonly bytes: number;
}

/** Refuses ranges that overlap, where one of them is written. */
export function checkApart(read: readonly NamedRange[], written: readonly NamedRange[]): void {
  written.forEach((range, i) => {
    for (const other of [...read, ...written.slice(0, i)]) {
      const [end, otherEnd] = [range, other].map(({ offset, bytes }) => offset + bytes) as [number, number];
      if (range.buffer !== other.buffer || range.offset >= otherEnd || other.offset >= end) continue;
      throw new TypeError(
        `${range.name}: expected a range apart from that of ${other.name}, got bytes ${range.offset} to ${end} of a buffer whose bytes ${other.offset} to ${otherEnd} are ${other.name}`,
      );
    }
  });
}

const usages = { STORAGE: 0x80, COPY_DST: 8 };
const aBuffer = 'a GPUBuffer or { buffer, offset, size }';

/** A caller's buffer, large enough and usable, so that WebGPU will not refuse it later. */
export function checkGpuData(
  name: string,
  data: unknown,
  bytes: number,
  alignment = 4,
  usage: keyof typeof usages = 'STORAGE',
): NamedRange {
  if (!isGpuData(data)) throw wrongKind(name, aBuffer, data);
  const range = (isBuffer(data) ? { buffer: data } : data) as {
    buffer: GPUBuffer;
    offset?: number;
    size?: number;
  };
  checkObject(name, range, ['buffer', 'offset', 'size']);
  const { buffer, offset = 0 } = range;
  checkInteger(`${name}.offset`, offset, 0, buffer.size);
  if (offset % alignment !== 0) throw wrongValue(`${name}.offset`, `a multiple of ${alignment}`, offset);
  const size = checkInteger(
    `${name}.size`,
    range.size === undefined ? buffer.size - offset : range.size,
    0,
    buffer.size - offset,
    ' (what the buffer holds)',
  );
  if (size < bytes) throw wrongValue(name, `at least ${bytes} bytes`, size);
  if (!(buffer.usage & usages[usage]))
    throw new TypeError(
      `${name}: expected a buffer with usage ${usage}, got usage 0x${buffer.usage.toString(16)}`,
    );
  return { buffer, offset, name, bytes };
}

export function checkKeep(keep: readonly Kept[] = []): readonly Kept[] {
  if (!isList(keep)) throw wrongKind('keep', "an array of 'alpha', 'beta', 'posterior'", keep);
  return [...new Set(keep.map((item, i) => checkKept(`keep[${i}]`, item)))];
}

export function checkKept(name: string, kept: Kept): Kept {
  return checkChoice(name, kept, ['alpha', 'beta', 'posterior']);
}
