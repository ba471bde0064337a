// A box for each character of a line: CTC says in which frames it is seen, the ink says how far it reaches.
import { type Box, columnSums, type Ink, tightened } from './ink.js';

/** The frames whose best class is a character; `start` and `end` as `readingOf` and `wordsOf` give them with frames of one second. */
export interface Spotted {
  readonly start: number;
  readonly end: number;
}

/**
 * In pixels of the line, a box for each character, in their order. A recogniser that was trained with CTC marks a character in one frame or
 * two, near its middle. So a character reaches from its frames to both sides until the column, before its neighbour, where there is the
 * least ink, and its box is what is inked there. Where nothing is, it is as wide as its frames.
 *
 * @param frameWidth pixels of a frame
 */
export function boxesOf(ink: Ink, characters: readonly Spotted[], frameWidth: number): Box[] {
  const { width, height } = ink;
  const sums = smoothed(columnSums(ink, { left: 0, top: 0, right: width, bottom: height }));
  const within = (x: number) => Math.min(width, Math.max(0, Math.round(x)));
  const middles = characters.map(({ start, end }) => within(((start + end) / 2) * frameWidth));
  const cuts = middles.slice(1).map((middle, i) => emptiest(sums, middles[i]!, middle));
  return characters.map(({ start, end }, i) => {
    const segment = { left: cuts[i - 1] ?? 0, top: 0, right: cuts[i] ?? width, bottom: height };
    const framed = { ...segment, left: within(start * frameWidth), right: within(end * frameWidth) };
    return tightened(ink, segment) ?? framed;
  });
}

/** Pixels of ink that a column half the way from the middle to either character must have less. */
const distanceCost = 1;

/** Between two columns, the one with the least ink; of some that are nearly empty, the one nearest to the middle. */
function emptiest(sums: Float64Array, from: number, to: number): number {
  const middle = (from + to) / 2;
  let best = Math.round(middle);
  let least = Number.POSITIVE_INFINITY;
  for (let x = from; x <= to && x < sums.length; x++) {
    const cost = sums[x]! + distanceCost * 2 * Math.abs((x - middle) / Math.max(1, to - from));
    if (cost >= least) continue;
    least = cost;
    best = x;
  }
  return best;
}

/** Each column with a part of its neighbours: gaps that noise crosses are still gaps. */
const smoothed = (sums: Float64Array): Float64Array =>
  sums.map((sum, x) => ((sums[x - 1] ?? sum) + 2 * sum + (sums[x + 1] ?? sum)) / 4);
