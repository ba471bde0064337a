/**
 * The classes of the largest scores of a row, descending, the first of equals first.
 * @param start where the row begins
 * @param labels filled with them, as many as it holds
 * @returns how many; −1 where one is NaN
 */
export function likeliest(
  scores: ArrayLike<number>,
  start: number,
  classes: number,
  labels: Int32Array,
): number {
  let count = 0;
  for (let label = 0; label < classes; label++) {
    const score = scores[start + label]!;
    if (Number.isNaN(score)) return -1;
    let at = count;
    while (at > 0 && scores[start + labels[at - 1]!]! < score) at--;
    if (at === labels.length) continue;
    count = Math.min(count + 1, labels.length);
    labels.copyWithin(at + 1, at, count - 1);
    labels[at] = label;
  }
  return count;
}
