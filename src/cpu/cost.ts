/** Twin of shaders/shared/cost.wgsl: whole units of 2^−26, exact in a double up to 2^53; Infinity for a probability of zero. */
const unitsPerNat = 2 ** 26;
const mostNats = 2 ** 27;

function unitsOf(x: number): number {
  return Math.trunc(Math.max(-mostNats, Math.min(x, mostNats)) * unitsPerNat);
}

/** What a score costs beside the largest of its frame. `range`: that of the sequence. */
export function costOf(score: number, largest: number, range: number): number {
  if (score === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return Math.min(unitsOf(largest) - unitsOf(score), Math.floor(range / 4) * unitsPerNat);
}
