/**
 * Twin of shaders/shared/cost.wgsl: a number of units of 2^−26 nats, whole and exact below 2^53 and rounded as doubles are above;
 * Infinity for a probability of zero.
 */
const unitsPerNat = 2 ** 26;

/** Above every score that a model gives. */
export const ORDINARY = 2 ** 26;

function unitsOf(x: number): number {
  return Math.trunc(x * unitsPerNat);
}

/** What a score costs beside the largest of its frame. */
export function costOf(score: number, largest: number): number {
  if (score === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return unitsOf(largest) - unitsOf(score);
}
