import type { Problem } from '../problem.js';
import { type Bindings, FRAME, type Kernel } from './buffers.js';
import { type Extended, storeExp } from './extended.js';
import { Sequence } from './sequence.js';

/** Twin of shaders/rows.wgsl. */
export const rows: Kernel = (problem, { grid, constants }, bindings) => {
  for (let y = 0; y < grid[1]; y++) {
    const n = problem.boxSequence + y;
    const sequence = new Sequence(problem, bindings.targets, n);
    for (let t = problem.boxFrame; t < Math.min(problem.boxEnd, sequence.inputLength); t++) {
      const row = t * problem.frameStride + n * problem.sequenceStride - problem.firstRow;
      if (row >= 0 && row < problem.rowCount)
        frame(problem, bindings, sequence, n, t, row, constants.LOGITS === true);
    }
  }
};

function frame(
  problem: Problem,
  { scores, frames, emissions }: Bindings,
  sequence: Sequence,
  n: number,
  t: number,
  row: number,
  logits: boolean,
) {
  const start = row * problem.classes;
  const end = start + problem.classes;
  const labels = sequence.targetLength;
  let largest = Number.NEGATIVE_INFINITY;
  let invalid = false;
  const look = (x: number) => {
    if (x > largest) largest = x;
    // true for NaN too
    if (!(x < Number.POSITIVE_INFINITY)) invalid = true;
  };
  if (logits) for (let c = start; c < end; c++) look(scores[c]);
  else {
    look(scores[start + problem.blank]);
    for (let i = 0; i < labels; i++) look(scores[start + sequence.labelAt(i)]);
  }
  if (logits && largest === Number.NEGATIVE_INFINITY) invalid = true;
  const unit = invalid || largest === Number.NEGATIVE_INFINITY ? 0 : largest;

  const part = n - problem.firstSequence;
  const place = (part * problem.frames + t) * FRAME.words;
  frames.fill(0, place, place + FRAME.words);
  frames[place + FRAME.unit] = unit;
  frames[place + FRAME.normaliser] = 1;
  frames[place + FRAME.invalid] = Number(invalid);
  if (logits && !invalid) {
    // all but the one largest: ln(1 + rest) keeps every digit of a confident frame
    let rest = 0;
    let equal = 0;
    for (let c = start; c < end; c++) {
      if (scores[c] === unit) equal++;
      else rest += Math.exp(scores[c] - unit);
    }
    rest += equal - 1;
    frames[place + FRAME.normaliser] = 1 + rest;
    frames[place + FRAME.lnNormaliser] = Math.log1p(rest);
  }
  const first = (part * problem.emissionRows + t - problem.emissionFrame) * problem.labels;
  const storeEmission = (to: Extended, place: number, label: number) =>
    storeExp(to, place, invalid ? Number.NEGATIVE_INFINITY : scores[start + label] - unit, sequence.range);
  for (let i = 0; i < labels; i++) storeEmission(emissions, first + i, sequence.labelAt(i));
  storeEmission(blank, 0, problem.blank);
  frames[place + FRAME.blankM] = blank.m[0];
  frames[place + FRAME.blankE] = blank.e[0];
}

const blank = { m: new Float64Array(1), e: new Int32Array(1) };
