import { aligned, type Extended } from './extended.js';

/** Twin of shaders/shared/ends.wgsl: the sum over all paths, in the two states in which a path may end. */
export function pathsOf({ m, e }: Extended, part: number): { m: number; e: number } {
  const blank = 2 * part;
  const label = blank + 1;
  const top = Math.max(e[blank], e[label]);
  return { m: aligned(m[blank], e[blank], top) + aligned(m[label], e[label], top), e: top };
}
