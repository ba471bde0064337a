import type { ScoresKey } from './check.js';

/** Rows that are looked at, and how many of them decide. */
const [mostRows, leastRows] = [64, 4];

/**
 * Tells by a warning where the first rows are not what their key says.
 * @param isWhole whether results say how likely something is among all there is, for which the probabilities of a frame have to sum to 1
 * @returns whether there were rows enough to say
 */
export function tellDoubts(
  scores: ScoresKey,
  data: ArrayLike<number>,
  classes: number,
  isWhole: boolean,
): boolean {
  const told = (text: string) => console.warn(`webgpu-ctc: ${scores}: the rows of this batch are ${text}`);
  const areOthers = scores !== 'probs' && areProbabilities(data, classes);
  if (areOthers)
    told('probabilities, of which each sums to 1; if the model ends in a softmax, pass them as probs');
  else if (scores === 'probs' && noProbabilities(data, classes, isWhole ? 0.95 : 0, Number))
    told(
      'no probabilities, which are not negative and sum to 1; pass logits as logits, and log-probabilities as logProbs',
    );
  else if (scores === 'logProbs' && isWhole && noProbabilities(data, classes, 0.95, Math.exp))
    told(
      'no log-probabilities, of which e to the power sums to 1; pass logits as logits, and probabilities as probs',
    );
  else return data.length >= leastRows * classes;
  return true;
}

/**
 * Whether the first rows of scores are probabilities, not logits: none below 0, all with a sum of 1, and not all alike. A softmax that ends a
 * model, taken for logits, gives losses and readings that look right.
 */
function areProbabilities(data: ArrayLike<number>, classes: number): boolean {
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
 * Whether most of the first rows of what should be probabilities are none: one of them is below 0, or their sum is above 1, or too small. Some
 * may be the padding of a shorter sequence, which may be anything.
 */
function noProbabilities(
  data: ArrayLike<number>,
  classes: number,
  least: number,
  read: (value: number) => number,
): boolean {
  const rows = Math.min(mostRows, Math.floor(data.length / classes));
  let none = 0;
  for (let row = 0; row < rows; row++) {
    let [sum, isNone] = [0, false];
    for (let i = row * classes; i < (row + 1) * classes; i++) {
      const value = read(data[i]!);
      isNone ||= value < 0;
      sum += value;
    }
    if (isNone || sum > 1.01 || sum < least) none++;
  }
  return 2 * none > rows;
}
