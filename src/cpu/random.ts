/** Twin of shaders/shared/random.wgsl. */
export const NO_PATH = 2 ** 32 - 1;
export const [STAYED, FROM_LEFT, STATE] = [0, 1, 2] as const;

const v = new Uint32Array(4);

/** Numbers in [0, 1), in an array that the next call uses again. */
export const randomOf = (() => {
  const numbers = new Float64Array(4);
  return (seed: number, n: number, sample: number, sweep: number, t: number): Float64Array => {
    v[0] = Math.imul(seed, 1664525) + 1013904223;
    v[1] = Math.imul(n, 1664525) + 1013904223;
    v[2] = Math.imul(sample, 1664525) + 1013904223;
    v[3] = Math.imul(2 * t + sweep, 1664525) + 1013904223;
    mix();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 4; i++) v[i] ^= v[i] >>> 16;
      mix();
    }
    for (let i = 0; i < 4; i++) {
      const spare = 8 - Math.min(Math.clz32(v[i]), 8);
      numbers[i] = (((v[i] >>> spare) << spare) >>> 0) * 2 ** -32;
    }
    return numbers;
  };
})();

function mix() {
  v[0] += Math.imul(v[1], v[3]);
  v[1] += Math.imul(v[2], v[0]);
  v[2] += Math.imul(v[0], v[1]);
  v[3] += Math.imul(v[1], v[2]);
}
