import type { Dtype } from './types.js';

/** The numbers that the bits of a half precision stand for. */
export function floatsOf(bits: Uint16Array, dtype: Dtype): Float32Array<ArrayBuffer> {
  return Float32Array.from(bits, dtype === 'bfloat16' ? brainToFloat : halfToFloat);
}

/** The number that the bits of a bfloat16, the upper half of a float32, stand for. */
function brainToFloat(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}

const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

/** The number that the bits of an IEEE 754 binary16 stand for. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}
