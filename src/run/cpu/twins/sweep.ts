import type { Problem } from '../../../kernels/uniforms.js';
import { stateRow } from '../arrivals.js';
import { edgeOf, hasLeft, labelsOf, spanOf } from '../block.js';
import type { Kernel } from '../buffers.js';
import { aligned, type Extended, store, ZERO } from '../extended.js';
import { Level, TINY } from '../level.js';
import { lastStep, stepRow } from '../middle.js';
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
      blanks: rowOf(states, place, pairs),
      labels: rowOf(states, place + pairs, pairs),
    };
    for (let group = 0; group < grid[0]; group++) {
      for (let block = group * problem.blocks; block < (group + 1) * problem.blocks; block++)
        sweepBlock(row, block, integer - group, constants.STORE === true);
    }
  }
};

/** The steps of a segment. `turn`: which one, since each group of blocks starts one later than the one to its left. */
function sweepBlock(row: Row, block: number, turn: number, stores: boolean) {
  const { problem, index, sequence, blanks, labels, edges, size } = row;
  const left = block * size;
  const right = Math.min(left + size - 1, sequence.targetLength);
  const span = spanOf(problem, sequence, lastStep(sequence, index % 2), turn, left, size);
  if (span.first >= span.end) return;
  if (span.first === left) {
    for (const { m, e } of [blanks, labels]) {
      m.fill(0, left, right + 1);
      e.fill(ZERO, left, right + 1);
    }
    // the start, as if a path stood before pair 0
    if (left === 0) store(blanks, 0, 1, 0);
  }
  const level = new Level(blanks, labels);
  for (let k = span.first; k < span.end; k++) {
    if (right < sequence.targetLength)
      // for the block to the right
      store(
        edges,
        edgeOf(problem, index, block, size, k),
        labels.m[right],
        level.on ? level.e : labels.e[right],
      );
    const from = hasLeft(sequence, left, k) ? edgeOf(problem, index, block - 1, size, k) : -1;
    const beyondM = from < 0 ? 0 : edges.m[from];
    const beyondE = from < 0 ? ZERO : edges.e[from];
    const firstBefore = Math.max(left, sequence.firstPair(k - 1));
    const lastBefore = Math.min(right, k === 0 ? 0 : k - 1);
    const emission = (index * problem.emissionRows + k - problem.emissionFrame) * (problem.distinct + 2);
    const { least, even } = emissionsOf(row, emission);
    level.before(firstBefore, lastBefore, beyondM, beyondE, least, even);
    const first = Math.max(left, sequence.firstPair(k));
    const last = Math.min(right, k);
    const to = stores ? stepRow(problem, index, k) : -1;
    if (level.on) stepLevel(row, emission, to, first, last, left, level.m);
    else stepApart(row, emission, to, first, last, left, beyondM, beyondE);
  }
  level.settle(Math.max(left, sequence.firstPair(span.end - 1)), Math.min(right, span.end - 1));
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
 * A step from right to left, so that it can be done in place; all exponents equal. `emission`: the place of its emissions; `to`: the row of the
 * lattice that keeps its shares, or −1; `first` to `last`: its pairs on whole paths; `edge`: the first pair of the block.
 */
function stepLevel(
  row: Row,
  emission: number,
  to: number,
  first: number,
  last: number,
  edge: number,
  beyondEdge: number,
) {
  const { slots, skips, lattice } = row;
  const { pairs } = row.problem;
  const blanks = row.blanks.m;
  const labels = row.labels.m;
  const emissions = row.emissions.m;
  const blankEmission = emissions[emission];
  let label = labels[last];
  for (let i = last; i >= first; i--) {
    const left = i > edge ? labels[i - 1] : beyondEdge;
    const blank = blanks[i];
    const x = blank + left;
    const y = label + blank + skips[i] * left;
    if (to >= 0) {
      lattice[to + i] = left / (x + TINY);
      lattice[to + pairs + i] = label / (y + TINY);
    }
    blanks[i] = x * blankEmission;
    labels[i] = y * emissions[emission + slots[i]];
    label = left;
  }
}

/** The same step, an exponent for each state. */
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
  const { blanks, labels, slots, skips, lattice } = row;
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
    const yE = labelE > intoE ? labelE : intoE;
    const label = aligned(labelM, labelE, yE);
    const y = label + aligned(intoM, intoE, yE);
    if (to >= 0) {
      lattice[to + i] = x === 0 ? 0 : left / x;
      lattice[to + pairs + i] = y === 0 ? 0 : label / y;
    }
    const own = emission + slots[i];
    store(blanks, i, x * m[emission], xE + e[emission]);
    store(labels, i, y * m[own], yE + e[own]);
    labelM = leftM;
    labelE = leftE;
  }
}
