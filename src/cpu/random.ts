/** Twin of shaders/shared/random.wgsl. */
export const NO_PATH = 2 ** 32 - 1;

export function randomOf(seed: number, n: number, sample: number, t: number, which: number): number {
  return (hashed(hashed(hashed(hashed(seed) + n) + sample) + 4 * t + which) >>> 8) * 2 ** -24;
}

function hashed(v: number): number {
  const state = (Math.imul(v, 747796405) + 2891336453) >>> 0;
  const word = Math.imul((state >>> ((state >>> 28) + 4)) ^ state, 277803737) >>> 0;
  return ((word >>> 22) ^ word) >>> 0;
}
