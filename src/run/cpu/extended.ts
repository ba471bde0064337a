import { expNear } from './exponential.js';

/**
 * The twins' number type: value = m · 2^(256 e), a double whose exponent almost never has to move.
 * A zero has m = 0 and e = ZERO; otherwise 2^−128 ≤ m < 2^128 where it is stored.
 */
export interface Extended {
  readonly m: Float64Array;
  readonly e: Int32Array;
}

export const ZERO = -(2 ** 29);
export const UP = 2 ** 256;
export const DOWN = 2 ** -256;
const LARGE = 2 ** 128;
const SMALL = 2 ** -128;
export const LN_UP = 256 * Math.LN2;

export function extended(length: number): Extended {
  return { m: new Float64Array(length), e: new Int32Array(length) };
}

/** Stores m · 2^(256 e), for m ≥ 0 within the range of a double. */
export function store(to: Extended, place: number, m: number, e: number): void {
  if (m >= SMALL && m < LARGE) {
    to.m[place] = m;
    to.e[place] = e;
  } else if (m === 0) {
    to.m[place] = 0;
    to.e[place] = ZERO;
  } else {
    storeFar(to, place, m, e);
  }
}

function storeFar(to: Extended, place: number, m: number, e: number) {
  let size = m;
  let exponent = e;
  for (; size < SMALL; size *= UP) exponent--;
  for (; size >= LARGE; size *= DOWN) exponent++;
  to.m[place] = size;
  to.e[place] = exponent;
}

/** Stores exp(d) for any d ≤ 0 and −Infinity; 0 below 2^−range. */
export function storeExp(to: Extended, place: number, d: number, range: number): void {
  if (d > -88) {
    to.m[place] = expNear(d);
    to.e[place] = 0;
  } else if (d < -range * Math.LN2) {
    to.m[place] = 0;
    to.e[place] = ZERO;
  } else {
    const e = Math.ceil((-d - 88) / LN_UP);
    to.m[place] = Math.exp(d + e * LN_UP);
    to.e[place] = -e;
  }
}

/** A term's mantissa brought to a larger exponent. */
export function aligned(m: number, e: number, to: number): number {
  return e === to ? m : e === to - 1 ? m * DOWN : 0;
}

export function ln(m: number, e: number): number {
  return m === 0 ? Number.NEGATIVE_INFINITY : Math.log(m) + e * LN_UP;
}
