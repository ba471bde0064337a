import { expect } from 'vitest';

/**
 * The bars of accuracy: gradient 5e-6 · max(1, largest |gradient|); loss 1e-6 · (|loss| + |Σ row maxima|) + 1e-6 + 3e-9 · T.
 * NaN and Infinity must be exactly where they are expected.
 */
export function expectGradient(got: ArrayLike<number>, expected: ArrayLike<number>, what = 'grad'): number {
  let largest = 1;
  for (let i = 0; i < expected.length; i++) {
    const size = Math.abs(expected[i]!);
    if (size > largest && size < Infinity) largest = size;
  }
  return expectWithin(got, expected, () => 5e-6 * largest, what);
}

export function expectLosses(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  rowMaxima: number,
  frames: number,
): number {
  return expectWithin(
    got,
    expected,
    (value) => 1e-6 * (Math.abs(value) + rowMaxima) + 1e-6 + 3e-9 * frames,
    'loss',
  );
}

function expectWithin(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  bar: (expected: number) => number,
  what: string,
): number {
  expect(got.length, `length of ${what}`).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [got[i]!, expected[i]!];
    if (Number.isFinite(b)) {
      const error = Math.abs(a - b);
      if (!(error <= bar(b))) expect.fail(`${what}[${i}]: expected ${b} ± ${bar(b)}, got ${a}`);
      worst = Math.max(worst, error);
    } else if (!Object.is(a, b)) {
      expect.fail(`${what}[${i}]: expected ${b}, got ${a}`);
    }
  }
  return worst;
}
