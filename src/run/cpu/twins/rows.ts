import { belowBest } from '../../../problem/star.js';
import { FRAME, type Kernel } from '../buffers.js';
import { areOrdinary, costOf, unitsPerNat } from '../cost.js';
import { expDown } from '../exponential.js';
import { aligned, type Extended, store, storeExp, ZERO } from '../extended.js';
import * as middle from '../middle.js';
import { Sequence } from '../sequence.js';
import * as whole from '../whole.js';

/** Twin of shaders/rows.wgsl. */
export const rows: Kernel = (problem, { grid, constants }, bindings) => {
  const { targets, scores, frames, emissions, masks } = bindings;
  const { sweepOf, stepOf, isMiddle, isHeld, sweepRow } = constants.MIDDLE ? middle : whole;
  const { LOGITS, READING, CANDIDATES, TEXTS } = constants;
  const perRow = CANDIDATES ? problem.candidates : 1;
  const { emissionFrame, emissionRows } = problem;
  const width = problem.distinct + 2;
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const part = n - problem.firstSequence;
    const recording = Math.floor(n / perRow);
    const sequence = new Sequence(problem, targets, n);
    const { range, hasStar } = sequence;
    const slots = sequence.slots - Number(hasStar || TEXTS);
    const classOf = Int32Array.from({ length: slots }, (_, slot) => sequence.classOf(slot));
    const counts = TEXTS ? Int32Array.of(...classOf, problem.delimiter) : classOf;
    const end = Math.min(problem.boxEnd, sequence.inputLength);
    for (let t = problem.boxFrame; t < end; t++) {
      const row = t * problem.frameStride + recording * problem.sequenceStride - problem.firstRow;
      if (row < 0 || row >= problem.rowCount) continue;
      const sweep = sweepOf(sequence, t);
      const step = stepOf(sequence, sweep, t);
      const other = stepOf(sequence, 1, t);
      const held = isHeld(problem, step);
      const shared = isMiddle(sequence, t) && isHeld(problem, other);
      if (!held && !shared) continue;

      const start = row * problem.classes;
      const place = (part * problem.frames + t) * FRAME.words;
      let largest = 0;
      if (CANDIDATES && LOGITS) {
        const first = Math.floor(problem.firstSequence / perRow);
        const from = ((recording - first) * problem.frames + t) * FRAME.words;
        frames.set(bindings.heard.subarray(from, from + FRAME.words), place);
      } else {
        const counted = LOGITS || hasStar ? undefined : counts;
        largest = storeFrame(frames, place, scores, start, start + problem.classes, counted, !LOGITS);
      }
      const unit = frames[place + FRAME.unit];
      const invalid = frames[place + FRAME.invalid] !== 0;

      if (held) {
        const first = (sweepRow(part, sweep) * emissionRows + step - emissionFrame) * width;
        if (READING) {
          const base = hasStar ? unit : baseOf(scores, start, classOf, unit, LOGITS === true, problem.blank);
          const far = costsOf(scores, start, classOf, base, emissions as Float64Array, first);
          if (far >= (range >> 8) * 2 ** 32) masks[part] = 1;
          if (hasStar)
            (emissions as Float64Array)[first + slots] = starOf(largest, scores[start + problem.blank]);
          (emissions as Float64Array)[first + width - 1] = Number.POSITIVE_INFINITY;
          continue;
        }
        for (let slot = 0; slot < slots; slot++) {
          const d = invalid ? Number.NEGATIVE_INFINITY : scores[start + classOf[slot]] - unit;
          storeExp(emissions, first + slot, d, range);
        }
        if (TEXTS) {
          const d = invalid ? Number.NEGATIVE_INFINITY : scores[start + problem.delimiter] - unit;
          storeSum(emissions, first, first + slots, d, range);
        }
        emissions.m[first + width - 1] = 0;
        emissions.e[first + width - 1] = ZERO;
      }
      // at the middle the other sweep arrives without the emission, which is in this one
      if (shared) {
        const first = (sweepRow(part, 1) * emissionRows + other - emissionFrame) * width;
        emissions.m.fill(1, first, first + sequence.slots);
        emissions.e.fill(0, first, first + sequence.slots);
        emissions.m[first + width - 1] = 0;
        emissions.e[first + width - 1] = ZERO;
      }
    }
  }
};

/**
 * Looks at a row and notes what its frame is. Of logits the whole row counts, of log-probabilities the classes `counted`, by default all.
 * @returns the largest score
 */
function storeFrame(
  frames: Float64Array,
  place: number,
  scores: Float32Array,
  start: number,
  end: number,
  counted: Int32Array | undefined,
  areLogs: boolean,
): number {
  let largest = Number.NEGATIVE_INFINITY;
  let rest = 0;
  let invalid = false;
  if (areLogs) {
    const length = counted?.length ?? end - start;
    for (let i = 0; i < length; i++) {
      const x = scores[start + (counted ? counted[i] : i)];
      if (x > largest) largest = x;
      // true for NaN too
      if (!(x < Number.POSITIVE_INFINITY)) invalid = true;
    }
  } else {
    ({ largest, rest } = lookAt(scores, start, end));
    invalid = !(rest >= 0 && largest < Number.POSITIVE_INFINITY);
  }
  frames[place + FRAME.unit] = invalid || largest === Number.NEGATIVE_INFINITY ? 0 : largest;
  frames[place + FRAME.normaliser] = invalid ? 1 : 1 + rest;
  frames[place + FRAME.lnNormaliser] = invalid ? 0 : Math.log1p(rest);
  frames[place + FRAME.invalid] = Number(invalid);
  return largest;
}

/** Stores the sum of what is at a place and exp(d). */
function storeSum(to: Extended, from: number, place: number, d: number, range: number) {
  storeExp(to, place, d, range);
  const e = Math.max(to.e[from], to.e[place]);
  store(to, place, aligned(to.m[from], to.e[from], e) + aligned(to.m[place], to.e[place], e), e);
}

/** The cost of the star in a frame. */
function starOf(largest: number, blank: number): number {
  if (largest === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY;
  return Math.trunc(belowBest(blank === largest) * unitsPerNat);
}

/** What costs are below: the largest score, or far from the score of another class the largest of those that count. */
function baseOf(
  scores: Float32Array,
  start: number,
  classOf: Int32Array,
  largest: number,
  logits: boolean,
  blank: number,
): number {
  if (!logits || areOrdinary(largest, scores[start + blank])) return largest;
  return classOf.reduce((most, c) => Math.max(most, scores[start + c]), Number.NEGATIVE_INFINITY);
}

/** Costs of a row. Returns the largest of those that are finite, or Infinity if one is made of a score that is not ordinary. */
function costsOf(
  scores: Float32Array,
  start: number,
  classOf: Int32Array,
  base: number,
  costs: Float64Array,
  first: number,
): number {
  let most = 0;
  for (let slot = 0; slot < classOf.length; slot++) {
    const score = scores[start + classOf[slot]];
    const cost = costOf(score, base);
    costs[first + slot] = cost;
    if (cost === Number.POSITIVE_INFINITY) continue;
    most = Math.max(most, areOrdinary(score, base) ? cost : Number.POSITIVE_INFINITY);
  }
  return most;
}

/**
 * The largest score, and the sum of exp(score − largest) over all others, in one pass: ln(1 + rest) keeps every digit
 * of a confident frame. NaN makes `rest` NaN; without a score above −Infinity it is −1.
 */
export function lookAt(scores: Float32Array, start: number, end: number): { largest: number; rest: number } {
  let largest = -Number.MAX_VALUE;
  let rest = -1;
  for (let c = start; c < end; c++) {
    for (; c < end && scores[c] <= largest; c++) rest += expDown(scores[c] - largest);
    if (c < end) {
      rest = (rest + 1) * expDown(largest - scores[c]);
      largest = scores[c];
    }
  }
  return { largest, rest };
}
