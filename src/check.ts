import { wrongKind, wrongValue } from './errors.js';
import type {
  CtcLossOptions,
  Dtype,
  GpuBuffer,
  GpuDevice,
  Gradient,
  Kept,
  Layout,
  Reduction,
  Shape,
  Strategy,
} from './types.js';

export interface Settings {
  readonly device: GpuDevice | 'auto' | 'gpu' | 'cpu';
  readonly blank: number;
  readonly reduction: Reduction;
  readonly zeroInfinity: boolean;
  readonly gradient: Gradient;
  readonly strategy: Strategy;
}

/** A call's tensor, its axes told apart. */
export interface Axes {
  readonly frames: number;
  readonly sequences: number;
  readonly classes: number;
  readonly layout: Layout;
}

export function checkObject(argument: string, value: unknown, keys: readonly string[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
    throw wrongKind(argument, 'an object', value);
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      throw new TypeError(`${argument}: unknown key '${key}'; expected ${keys.join(', ')}`);
    }
  }
}

function checkChoice<T extends string>(
  argument: string,
  value: unknown,
  choices: readonly T[],
  otherwise: T,
): T {
  if (value === undefined) return otherwise;
  if (!choices.includes(value as T)) {
    const list = choices.map((choice) => `'${choice}'`).join(', ');
    throw typeof value === 'string'
      ? wrongValue(argument, `one of ${list}`, value)
      : wrongKind(argument, `one of ${list}`, value);
  }
  return value as T;
}

export function checkInteger(argument: string, value: unknown, least: number, limit = Infinity): number {
  const range = limit === Infinity ? `an integer ≥ ${least}` : `an integer in [${least}, ${limit})`;
  if (typeof value !== 'number') throw wrongKind(argument, range, value);
  if (!Number.isInteger(value) || value < least || value >= limit) throw wrongValue(argument, range, value);
  return value;
}

export function checkSettings(options: CtcLossOptions = {}): Settings {
  const keys = ['device', 'blank', 'reduction', 'zeroInfinity', 'gradient', 'strategy'];
  checkObject('options', options, keys);
  const device = options.device ?? 'auto';
  if (
    typeof device !== 'object' ||
    typeof (device as { createBuffer?: unknown }).createBuffer !== 'function'
  ) {
    checkChoice('device', device, ['auto', 'gpu', 'cpu'], 'auto');
  }
  if (options.zeroInfinity !== undefined && typeof options.zeroInfinity !== 'boolean') {
    throw wrongKind('zeroInfinity', 'a boolean', options.zeroInfinity);
  }
  return {
    device,
    blank: options.blank === undefined ? 0 : checkInteger('blank', options.blank, 0),
    reduction: checkChoice('reduction', options.reduction, ['none', 'sum', 'mean'], 'mean'),
    zeroInfinity: options.zeroInfinity ?? false,
    gradient: checkChoice('gradient', options.gradient, ['logits', 'logProbs', 'none'], 'logits'),
    strategy: checkChoice('strategy', options.strategy, ['auto', 'step'], 'auto'),
  };
}

/** Exactly one of `logProbs` and `logits`. */
export function scoresKey(input: { logProbs?: unknown; logits?: unknown }): 'logProbs' | 'logits' {
  const given = (['logProbs', 'logits'] as const).filter((key) => input[key] !== undefined);
  if (given.length !== 1) {
    throw new TypeError(
      `expected exactly one of logProbs and logits, got ${given.length === 0 ? 'neither' : 'both'}`,
    );
  }
  return given[0];
}

export function checkAxes(argument: string, shape: Shape, layout: Layout | undefined, blank: number): Axes {
  const dimensions = Array.isArray(shape) || ArrayBuffer.isView(shape) ? shape.length : 0;
  if (dimensions !== 2 && dimensions !== 3) {
    throw wrongKind(`${argument}.shape`, '[T, N, C] in memory order, or [T, C]', shape);
  }
  const order = checkChoice(
    `${argument}.layout`,
    layout,
    ['TNC', 'NTC', 'TC'],
    dimensions === 2 ? 'TC' : 'TNC',
  );
  if (order.length !== dimensions) {
    throw wrongValue(`${argument}.layout`, `${order.length} dimensions for '${order}'`, shape);
  }
  const axis = (letter: string) => {
    const place = order.indexOf(letter);
    return place < 0 ? 1 : checkInteger(`${argument}.shape[${place}] (${letter})`, shape[place], 1);
  };
  const axes = { frames: axis('T'), sequences: axis('N'), classes: axis('C'), layout: order };
  checkInteger('blank', blank, 0, axes.classes);
  return axes;
}

export function checkDtype(argument: string, dtype: Dtype | undefined, data?: unknown): Dtype {
  const kind = data === undefined ? undefined : data?.constructor?.name;
  const own = kind === 'Float16Array' ? 'float16' : kind === 'Float32Array' ? 'float32' : undefined;
  const chosen = checkChoice(`${argument}.dtype`, dtype, ['float32', 'float16'], own ?? 'float32');
  if (own && chosen !== own) throw wrongValue(`${argument}.dtype`, `'${own}' for a ${kind}`, dtype);
  if (kind === 'Uint16Array' && chosen !== 'float16') {
    throw new TypeError(`${argument}.dtype: expected 'float16' for a Uint16Array, got ${dtype ?? 'none'}`);
  }
  return chosen;
}

/** A `GPUBuffer`, recognised by what it can do: plain Node has no such global. */
export function isBuffer(value: unknown): value is GpuBuffer {
  return (
    typeof value === 'object' && value !== null && 'mapAsync' in value && 'usage' in value && 'size' in value
  );
}

export function isGpuData(value: unknown): boolean {
  return (
    isBuffer(value) ||
    (typeof value === 'object' && value !== null && isBuffer((value as { buffer?: unknown }).buffer))
  );
}

/** A typed array of the right element type and count. */
export function checkHostData(
  argument: string,
  data: unknown,
  count: number,
  dtype: Dtype,
): Float32Array | Uint16Array {
  const kind = ArrayBuffer.isView(data) ? data.constructor.name : undefined;
  const wanted = dtype === 'float32' ? ['Float32Array'] : ['Float16Array', 'Uint16Array'];
  if (!kind || !wanted.includes(kind)) {
    throw wrongKind(argument, `a ${wanted.join(' or ')}, or a GPUBuffer`, data);
  }
  const array = data as Float32Array;
  if (array.length !== count) throw wrongValue(argument, `${count} values (the product of the shape)`, data);
  if (dtype === 'float32') return array;
  return new Uint16Array(array.buffer, array.byteOffset, array.length);
}

export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

const STORAGE = 0x80;

/** A caller's buffer, large enough and usable, so that WebGPU will not refuse it later. */
export function checkGpuData(argument: string, data: unknown, bytes: number, alignment = 4): BufferRange {
  if (!isGpuData(data)) throw wrongKind(argument, 'a GPUBuffer or { buffer, offset, size }', data);
  const range = isBuffer(data)
    ? { buffer: data }
    : (data as { buffer: GpuBuffer; offset?: number; size?: number });
  if (!isBuffer(data)) checkObject(argument, data, ['buffer', 'offset', 'size']);
  const buffer = range.buffer as GPUBuffer;
  const offset =
    'offset' in range && range.offset !== undefined ? checkInteger(`${argument}.offset`, range.offset, 0) : 0;
  if (offset % alignment !== 0) throw wrongValue(`${argument}.offset`, `a multiple of ${alignment}`, offset);
  const size = ('size' in range ? range.size : undefined) ?? buffer.size - offset;
  if (size < bytes || offset + size > buffer.size) {
    throw new RangeError(
      `${argument}: expected at least ${bytes} bytes, got ${Math.min(size, buffer.size - offset)} (buffer of ${buffer.size}, offset ${offset})`,
    );
  }
  if (!(buffer.usage & STORAGE)) {
    throw new TypeError(
      `${argument}: expected a buffer with usage STORAGE, got usage 0x${buffer.usage.toString(16)}`,
    );
  }
  return { buffer, offset };
}

export function checkKeep(keep: readonly Kept[] | undefined): readonly Kept[] {
  if (keep === undefined) return [];
  if (!Array.isArray(keep)) throw wrongKind('keep', "an array of 'alpha', 'beta', 'posterior'", keep);
  return [
    ...new Set(
      keep.map((item, i) => checkChoice<Kept>(`keep[${i}]`, item, ['alpha', 'beta', 'posterior'], 'alpha')),
    ),
  ];
}
