import type { Constants } from '../../../kernels/kernels.js';
import type { Problem } from '../../../kernels/uniforms.js';
import { stateRow } from '../arrivals.js';
import { edgeOf, hasLeft, labelsOf, spanOf } from '../block.js';
import type { Kernel } from '../buffers.js';
import { aligned, type Extended, store, ZERO } from '../extended.js';
import { Level, TINY } from '../level.js';
import { lastStep, placeIn, stepRow } from '../middle.js';
import { Sequence } from '../sequence.js';

/** A row: one sweep of one sequence. Its blanks, then its labels; what its pairs have as emissions, and where they may skip. */
interface Row {
  readonly problem: Problem;
  readonly index: number;
  readonly sequence: Sequence;
  readonly blanks: Extended;
  readonly labels: Extended;
  readonly slots: Int32Array;
  readonly skips: Float64Array;
  /** Where targets are texts: the slots of blanks, and 1 where a path may stay in a label; else those of the blank, and 1. */
  readonly spaces: Int32Array;
  readonly stays: Float64Array;
  readonly emissions: Extended;
  readonly edges: Extended;
  readonly lattice: Float64Array;
  /** Pairs of a block. */
  readonly size: number;
}

/** Twin of shaders/sweep.wgsl. */
export const sweep: Kernel = (problem, { grid, constants }, bindings, integer) => {
  const { targets, emissions, states, edges, lattice } = bindings;
  const size = 4 * (constants.LANES as number);
  const { pairs } = problem;
  for (let index = 0; index < grid[1]; index++) {
    const sequence = new Sequence(problem, targets, problem.firstSequence + (index >> 1));
    const place = stateRow(problem, index);
    const row: Row = {
      ...{ problem, index, sequence, emissions, edges, lattice, size },
      ...labelsOf(problem, sequence, index % 2),
      ...spacesOf(problem, sequence, index % 2, constants),
      blanks: rowOf(states, place, pairs),
      labels: rowOf(states, place + pairs, pairs),
    };
    for (let group = 0; group < grid[0]; group++) {
      for (let block = group * problem.blocks; block < (group + 1) * problem.blocks; block++)
        sweepBlock(row, block, integer - group, constants);
    }
  }
};

/**
 * The steps of a segment. `turn`: which one, since each group of blocks starts one later than the one to its left. Where all exponents are equal
 * a step is done here, from right to left, so that it can be done in place: in a function of its own it takes a third more time.
 */
function sweepBlock(row: Row, block: number, turn: number, { STORE, TEXTS }: Constants) {
  const { problem, index, sequence, edges, size, slots, skips, lattice } = row;
  const left = block * size;
  const right = Math.min(left + size - 1, sequence.targetLength);
  const span = spanOf(problem, sequence, lastStep(sequence, index % 2), turn, left, size);
  if (span.first >= span.end) return;
  if (span.first === left) begin(row, left, right);
  // of a text a blank may be a delimiter instead
  const level = new Level(TEXTS ? 4 : 3, row.blanks, row.labels);
  const blanks = row.blanks.m;
  const labels = row.labels.m;
  const emissions = row.emissions.m;
  const { pairs, emissionFrame, emissionRows, distinct } = problem;
  for (let k = span.first; k < span.end; k++) {
    if (right < sequence.targetLength) {
      const e = level.on ? level.e : row.labels.e[right];
      // for the block to the right
      store(edges, edgeOf(problem, index, block, size, k), labels[right], e);
    }
    const from = hasLeft(sequence, left, k) ? edgeOf(problem, index, block - 1, size, k) : -1;
    const beyondM = from < 0 ? 0 : edges.m[from];
    const beyondE = from < 0 ? ZERO : edges.e[from];
    const firstBefore = Math.max(left, sequence.firstPair(k - 1));
    const lastBefore = Math.min(right, k === 0 ? 0 : k - 1);
    const emission = (index * emissionRows + k - emissionFrame) * (distinct + 2);
    const { least, even } = emissionsOf(row, emission);
    level.before(firstBefore, lastBefore, beyondM, beyondE, least, even);
    const first = Math.max(left, sequence.firstPair(k));
    const last = Math.min(right, k);
    const to = STORE ? stepRow(problem, index, k) : -1;
    if (!level.on) {
      stepApart(row, emission, to, first, last, left, beyondM, beyondE);
      continue;
    }
    if (TEXTS) {
      stepLevel(row, emission, first, last, left, level.m);
      continue;
    }
    const blankEmission = emissions[emission];
    let label = labels[last];
    for (let i = last; i >= first; i--) {
      const before = i > left ? labels[i - 1] : level.m;
      const blank = blanks[i];
      const x = blank + before;
      const y = label + blank + skips[i] * before;
      if (to >= 0) {
        lattice[to + i] = before / (x + TINY);
        lattice[to + pairs + i] = label / (y + TINY);
      }
      blanks[i] = x * blankEmission;
      labels[i] = y * emissions[emission + slots[i]];
      label = before;
    }
  }
  level.settle(Math.max(left, sequence.firstPair(span.end - 1)), Math.min(right, span.end - 1));
}

/** Where a row of a text has the blank or the delimiter, whichever it is, and in which labels a path may stay. */
function spacesOf(
  { delimiter }: Problem,
  sequence: Sequence,
  sweep: number,
  { TEXTS }: Constants,
): { spaces: Int32Array; stays: Float64Array } {
  const last = sequence.targetLength;
  const spaces = new Int32Array(last + 1);
  const stays = new Float64Array(last + 1).fill(1);
  const isDelimiter = (i: number) => sequence.classOf(sequence.slotAt(i)) === delimiter;
  for (let i = 0; TEXTS && i <= last; i++) {
    const blank = sweep === 1 ? last - i : i;
    if (blank === 0 || blank === last || isDelimiter(blank - 1)) spaces[i] = sequence.slots - 1;
    // pair S has no label
    if (isDelimiter(placeIn(sweep, sequence, i))) stays[i] = 0;
  }
  return { spaces, stays };
}

/** A step of a text where all exponents are equal: nothing is kept of it. What comes in from the left is `beyond`; the rest as in `stepApart`. */
function stepLevel(row: Row, emission: number, first: number, last: number, edge: number, beyond: number) {
  const { slots, skips, spaces, stays } = row;
  const blanks = row.blanks.m;
  const labels = row.labels.m;
  const { m } = row.emissions;
  for (let i = last; i >= first; i--) {
    const before = i > edge ? labels[i - 1] : beyond;
    labels[i] = (stays[i] * labels[i] + blanks[i] + skips[i] * before) * m[emission + slots[i]];
    blanks[i] = (blanks[i] + before) * m[emission + spaces[i]];
  }
}

/** The states of a block before its first step: none, but for a path that stood before pair 0. */
function begin({ blanks, labels }: Row, left: number, right: number) {
  for (const { m, e } of [blanks, labels]) {
    m.fill(0, left, right + 1);
    e.fill(ZERO, left, right + 1);
  }
  if (left === 0) store(blanks, 0, 1, 0);
}

/** The least emission of a step above zero, and whether all of its emissions have the exponent 0. */
function emissionsOf(
  { sequence, emissions: { m, e } }: Row,
  emission: number,
): { least: number; even: boolean } {
  let least = 1;
  let even = true;
  for (let slot = emission; slot < emission + sequence.slots; slot++) {
    if (m[slot] < least && m[slot] !== 0) least = m[slot];
    if (e[slot] !== 0 && m[slot] !== 0) even = false;
  }
  return { least, even };
}

function rowOf({ m, e }: Extended, place: number, pairs: number): Extended {
  return { m: m.subarray(place, place + pairs), e: e.subarray(place, place + pairs) };
}

/**
 * A step, an exponent for each state. `emission`: the place of its emissions; `to`: the row of the lattice that keeps its shares, or −1; `first`
 * to `last`: its pairs on whole paths; `edge`: the first pair of the block.
 */
function stepApart(
  row: Row,
  emission: number,
  to: number,
  first: number,
  last: number,
  edge: number,
  beyondM: number,
  beyondE: number,
) {
  const { blanks, labels, slots, skips, spaces, stays, lattice } = row;
  const { m, e } = row.emissions;
  const { pairs } = row.problem;
  let labelM = labels.m[last];
  let labelE = labels.e[last];
  for (let i = last; i >= first; i--) {
    const leftM = i > edge ? labels.m[i - 1] : beyondM;
    const leftE = i > edge ? labels.e[i - 1] : beyondE;
    const blankM = blanks.m[i];
    const blankE = blanks.e[i];
    const xE = blankE > leftE ? blankE : leftE;
    const left = aligned(leftM, leftE, xE);
    const x = aligned(blankM, blankE, xE) + left;
    const intoM = skips[i] === 0 ? blankM : x;
    const intoE = skips[i] === 0 ? blankE : xE;
    const ownM = stays[i] * labelM;
    const ownE = ownM === 0 ? ZERO : labelE;
    const yE = ownE > intoE ? ownE : intoE;
    const label = aligned(ownM, ownE, yE);
    const y = label + aligned(intoM, intoE, yE);
    if (to >= 0) {
      lattice[to + i] = x === 0 ? 0 : left / x;
      lattice[to + pairs + i] = y === 0 ? 0 : label / y;
    }
    const own = emission + slots[i];
    const space = emission + spaces[i];
    store(blanks, i, x * m[space], xE + e[space]);
    store(labels, i, y * m[own], yE + e[own]);
    labelM = leftM;
    labelE = leftE;
  }
}
