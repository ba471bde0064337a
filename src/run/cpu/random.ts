/** Twin of shaders/shared/random.wgsl. */
export const NO_PATH = 2 ** 32 - 1;
export const [STAYED, FROM_LEFT, STATE] = [0, 1, 2] as const;

const numbers = new Float64Array(4);

/** Numbers in [0, 1), in an array that the next call uses again. */
export function randomOf(seed: number, n: number, sample: number, sweep: number, t: number): Float64Array {
  let x = start(seed);
  let y = start(n);
  let z = start(sample);
  let w = start(2 * t + sweep);
  for (let round = 0; ; round++) {
    x = (x + Math.imul(y, w)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    w = (w + Math.imul(y, z)) | 0;
    if (round === 2) break;
    x ^= x >>> 16;
    y ^= y >>> 16;
    z ^= z >>> 16;
    w ^= w >>> 16;
  }
  numbers[0] = numberOf(x);
  numbers[1] = numberOf(y);
  numbers[2] = numberOf(z);
  numbers[3] = numberOf(w);
  return numbers;
}

function start(word: number): number {
  return (Math.imul(word, 1664525) + 1013904223) | 0;
}

function numberOf(word: number): number {
  const spare = Math.max(8 - Math.clz32(word), 0);
  return (((word >>> spare) << spare) >>> 0) * 2 ** -32;
}
