import type { Problem } from '../../kernels/uniforms.js';

/** Twin of shaders/shared/ways.wgsl. */
export function wayPlace(
  { alphaRows, emissionFrame, pairs }: Problem,
  part: number,
  k: number,
  pair: number,
): number {
  return ((part * alphaRows + Math.floor((k - emissionFrame) / 3)) * pairs + pair) >>> 2;
}

/** What a step's ways count in a word, by its place among three. */
export const weights = [1, 1296, 1296 ** 2] as const;

/** The same of four pairs. */
export const powers = [216, 36, 6, 1] as const;

export const NO_END = 2 ** 31;
