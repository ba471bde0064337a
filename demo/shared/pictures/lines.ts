// Where the lines of text are in a picture: rows with much ink, between rows with little.
import { type Box, type Ink, rowSums, tightened } from './ink.js';

/** Rows from `top` up to `bottom`. */
interface Band {
  readonly top: number;
  readonly bottom: number;
}

/** A row is of a line if it has so much of the ink of the fullest row. */
const core = 0.15;
/** Bands are lines if they are so wide, or so high, in distances from one to the next: else they are parts of one sign, such as 三. */
const [leastWidth, leastHeight] = [3, 0.4];
/** A stroke that is so much of the width of the picture is a rule, or a part of a frame. */
const leastRule = 0.5;

/**
 * The ink of each line, from top to bottom. None where nothing is written; one where the rows do not fall apart.
 */
export function linesIn(ink: Ink): Box[] {
  const found = linesOf(withoutRules(ink));
  // one stroke may be all that is written: 一
  return found.length > 0 ? found : linesOf(ink);
}

function linesOf(ink: Ink): Box[] {
  const { width, height } = ink;
  const whole = { left: 0, top: 0, right: width, bottom: height };
  const sums = rowSums(ink, whole);
  const most = sums.reduce((larger, sum) => Math.max(larger, sum), 0);
  if (most < 1) return [];
  const bands = joined(runsOf(sums, core * most));
  const boxes = reaching(bands, sums).flatMap((band) => tightened(ink, { ...whole, ...band }) ?? []);
  const first = boxes[0];
  const last = boxes.at(-1);
  if (!first || !last) return [];
  const pitch = (last.top + last.bottom - first.top - first.bottom) / 2 / Math.max(1, boxes.length - 1);
  const widest = Math.max(...boxes.map(({ left, right }) => right - left));
  const highest = Math.max(...boxes.map(({ top, bottom }) => bottom - top));
  if (widest >= leastWidth * pitch || highest >= leastHeight * pitch) return boxes;
  return [tightened(ink, { ...whole, top: first.top, bottom: last.bottom }) ?? first];
}

/** Without what goes on for too long from left to right to be a letter. */
function withoutRules({ amount, ...ink }: Ink): Ink {
  const kept = amount.slice();
  for (let start = 0; start < amount.length; start += ink.width) {
    let first = 0;
    for (let x = 0; x <= ink.width; x++) {
      if (x < ink.width && amount[start + x]! > 0.5) continue;
      if (x - first >= leastRule * ink.width) kept.fill(0, start + first, start + x);
      first = x + 1;
    }
  }
  return { ...ink, amount: kept };
}

/** Stretches of rows with so much ink. */
function runsOf(sums: Float64Array, least: number): Band[] {
  const runs: Band[] = [];
  let top = -1;
  for (let y = 0; y <= sums.length; y++) {
    const inked = y < sums.length && sums[y]! >= least;
    if (inked && top < 0) top = y;
    if (inked || top < 0) continue;
    runs.push({ top, bottom: y });
    top = -1;
  }
  return runs;
}

/** Dots, accents and strokes that stand apart belong to the band that they are near. */
function joined(runs: readonly Band[]): Band[] {
  const tallest = Math.max(...runs.map(({ top, bottom }) => bottom - top));
  const bands: Band[] = [];
  for (const run of runs) {
    const before = bands.at(-1);
    const near = before && run.top - before.bottom <= 0.4 * tallest;
    const low = before && Math.min(run.bottom - run.top, before.bottom - before.top) <= 0.4 * tallest;
    if (near && low) bands[bands.length - 1] = { top: before.top, bottom: run.bottom };
    else bands.push(run);
  }
  return bands.filter(({ top, bottom }) => bottom - top > 0.15 * tallest);
}

/** Up and down to what is there of ascenders and descenders, at most to the emptiest row before the next band. */
function reaching(bands: readonly Band[], sums: Float64Array): Band[] {
  const borders = bands.slice(1).map(({ top }, i) => {
    const { bottom } = bands[i]!;
    let best = bottom;
    for (let y = bottom; y < top; y++) if (sums[y]! < sums[best]!) best = y;
    // in the middle of what is empty
    let end = best;
    while (end < top && sums[end]! <= sums[best]!) end++;
    return Math.floor((best + end) / 2);
  });
  return bands.map(({ top, bottom }, i) => {
    const reach = bottom - top;
    const first = Math.max(borders[i - 1] ?? 0, top - reach);
    const end = Math.min(borders[i] ?? sums.length, bottom + reach);
    return { top: first, bottom: end };
  });
}
