/** Rows that are looked at, and how many of them decide. */
const [mostRows, leastRows] = [64, 4];

/**
 * Whether the first rows of scores are probabilities, not logits: none below 0, all with a sum of 1, and not all alike. A softmax that ends a
 * model, taken for logits, gives losses and readings that look right.
 */
export function areProbabilities(data: Float32Array, classes: number): boolean {
  const rows = Math.min(mostRows, Math.floor(data.length / classes));
  if (rows < leastRows || classes < 3) return false;
  let varied = false;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      const value = data[i]!;
      if (!(value >= 0)) return false;
      varied ||= value !== data[row * classes];
      sum += value;
    }
    if (Math.abs(sum - 1) > 1e-3) return false;
  }
  return varied;
}

/**
 * Whether most of the first rows of what should be probabilities are none: one of them is below 0, or their sum is above 1. Some may be the
 * padding of a shorter sequence, which may be anything.
 */
export function noProbabilities(data: Float32Array, classes: number): boolean {
  const rows = Math.min(mostRows, Math.floor(data.length / classes));
  let none = 0;
  for (let row = 0; row < rows; row++) {
    const values = data.subarray(row * classes, (row + 1) * classes);
    if (values.some((value) => value < 0) || values.reduce((sum, value) => sum + value, 0) > 1.01) none++;
  }
  return 2 * none > rows;
}
