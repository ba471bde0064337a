// How many paths there are, and how the page says numbers.

/** Labels that follow an equal one: a blank must stand between. */
export const repeatsIn = (labels: readonly number[]): number =>
  labels.filter((label, i) => i > 0 && label === labels[i - 1]).length;

/** Fewer frames have no room for the labels and the blanks between repeats. */
export const leastFrames = (labels: readonly number[]): number => labels.length + repeatsIn(labels);

/**
 * Paths of a number of frames that read as the labels. Each label and each blank between repeats takes a frame; the frames
 * left over lengthen labels or fill the S + 1 gaps: C(T + S − R, 2S) ways for S labels with R repeats.
 */
export function countPaths(frames: number, labels: readonly number[]): bigint {
  const n = frames + labels.length - repeatsIn(labels);
  const k = 2 * labels.length;
  if (k > n) return 0n;
  let ways = 1n;
  for (let i = 1; i <= k; i++) ways = (ways * BigInt(n - k + i)) / BigInt(i);
  return ways;
}

/** 8,008, or 3.1 · 10¹². */
export function sayCount(count: bigint): string {
  const digits = count.toString();
  if (digits.length <= 9) return count.toLocaleString('en');
  return scientific(Number(`${digits[0]}.${digits.slice(1, 15)}`), digits.length - 1);
}

/** exp(log) as people read it: 31 %, 0.02 %, 4.7 · 10⁻²³; with a star also above 100 %. */
export function sayProbability(log: number): string {
  if (Number.isNaN(log)) return 'NaN';
  if (log === Number.NEGATIVE_INFINITY) return '0';
  const percent = 100 * Math.exp(log);
  if (percent >= 100.5) return sayFactor(log, (times) => `${Math.round(100 * times).toLocaleString('en')} %`);
  if (percent > 99.9) return percent > 99.995 ? '100 %' : `${percent.toFixed(2)} %`;
  if (percent >= 0.01)
    return `${percent >= 1 ? percent.toFixed(percent < 10 ? 1 : 0) : percent.toPrecision(1)} %`;
  const exponent = Math.floor(log / Math.LN10);
  return scientific(Math.exp(log - exponent * Math.LN10), exponent);
}

/** exp(log) of what is no probability: 24, or 3.1 · 10¹². */
export function sayFactor(
  log: number,
  small: (times: number) => string = (times) => times.toPrecision(times < 10 ? 2 : 3),
): string {
  const exponent = Math.floor(log / Math.LN10);
  return exponent < 3 ? small(Math.exp(log)) : scientific(Math.exp(log - exponent * Math.LN10), exponent);
}

/** A mantissa from 1 to 10, which may be rounded to 10. */
const scientific = (mantissa: number, exponent: number): string =>
  mantissa >= 9.95
    ? `1.0 · 10${superscript(exponent + 1)}`
    : `${mantissa.toFixed(1)} · 10${superscript(exponent)}`;

const superscript = (n: number) =>
  [...String(n)].map((digit) => (digit === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)])).join('');

/** `1 repeat`, `2 repeats`. */
export const plural = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
