/**
 * Twin of shaders/shared/cost.wgsl and distance.wgsl. A cost is a whole number of units of 2^−26 nats below 2^53, exact in a double; Infinity for a
 * probability of zero. What is far, that is masks and no sum of what a model gives, has the bits of 2^53 and above them those that
 * the shader has: the order of doubles is that of their bits.
 */
export const unitsPerNat = 2 ** 26;

/** Whether two scores are below 2^26, as all are that a model gives. */
export function areOrdinary(a: number, b: number): boolean {
  return Math.max(Math.abs(a), Math.abs(b)) < 2 ** 26;
}

const WHOLE = 2 ** 53;
const bitsOfWhole = 0x4340000000000000n;
const bitsOf32 = 0x42000000;

const double = new Float64Array(1);
const bitsOfDouble = new BigUint64Array(double.buffer);
const float = new Float32Array(1);
const bitsOfFloat = new Uint32Array(float.buffer);

/** times · 2^22 + rest · 2^−10 nats. */
interface Far {
  readonly times: number;
  readonly rest: number;
}

function unitsOf(x: number): number {
  return Math.trunc(x * unitsPerNat);
}

/** To the even one of two, as WGSL rounds. */
function round(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function farOf(x: number): Far {
  const times = round(x * 2 ** -22);
  const rest = (x - times * 2 ** 22) * 1024;
  return { times, rest: Math.trunc(Math.max(-2147483520, Math.min(rest, 2147483520))) };
}

function unpacked(cost: number): Far {
  if (cost < WHOLE) {
    const units = Math.floor(cost * 2 ** -16);
    const times = Math.floor(units * 2 ** -32 + 0.5);
    return { times, rest: units - times * 2 ** 32 };
  }
  double[0] = cost;
  const bits = bitsOfDouble[0] - bitsOfWhole;
  bitsOfFloat[0] = Number(bits >> 32n) + bitsOf32;
  return { times: float[0], rest: Number(bits & 0xffffffffn) - 2 ** 31 };
}

function sumOfFar(a: Far, b: Far): number {
  const sum = a.rest + b.rest;
  const rest = sum | 0;
  const wrapped = sum === rest ? 0 : Math.sign(sum);
  const times = Math.min(Math.fround(Math.fround(a.times + b.times) + wrapped), 2 ** 124);
  if (times < 32) return (times * 2 ** 32 + rest) * 2 ** 16;
  float[0] = times;
  bitsOfDouble[0] = bitsOfWhole + (BigInt(bitsOfFloat[0] - bitsOf32) << 32n) + BigInt(rest + 2 ** 31);
  return double[0];
}

/** What a score costs beside the largest of its frame. */
export function costOf(score: number, largest: number): number {
  if (score === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (areOrdinary(score, largest)) return unitsOf(largest) - unitsOf(score);
  return sumOfFar(farOf(largest), farOf(-score));
}

/** The sum of two costs. */
export function plus(a: number, b: number): number {
  const sum = a + b;
  return sum < WHOLE ? sum : beyond(a, b);
}

function beyond(a: number, b: number): number {
  if (a === Number.POSITIVE_INFINITY || b === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return sumOfFar(unpacked(a), unpacked(b));
}
