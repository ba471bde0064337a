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
  const { problem, index, sequence, blanks, labels, size } = row;
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
  const step = new Step(row, block, right, stores);
  for (let k = span.first; k < span.end; k++) {
    step.leaveAtEdge(level, k);
    step.look(k);
    const firstBefore = Math.max(left, sequence.firstPair(k - 1));
    const lastBefore = Math.min(right, k === 0 ? 0 : k - 1);
    level.before(firstBefore, lastBefore, step.beyondM, step.beyondE, step.least, step.even);
    if (level.on) stepLevel(row, step, level.m);
    else stepApart(row, step);
  }
  level.settle(Math.max(left, sequence.firstPair(span.end - 1)), Math.min(right, span.end - 1));
}

/** A step of a block after the other, in one object: an object for each would take a sixth of the time. */
class Step {
  readonly #row: Row;
  readonly #block: number;
  readonly #right: number;
  readonly #stores: boolean;
  /** The first pair of the block, and what comes in from the label left of it. */
  readonly left: number;
  beyondM = 0;
  beyondE = ZERO;
  /** Pairs on whole paths. */
  first = 0;
  last = 0;
  /** Where its emissions are, the least of them above zero, and whether all have the exponent 0. */
  emission = 0;
  least = 1;
  even = true;
  /** The row of the lattice that keeps its shares, or −1. */
  to = -1;

  constructor(row: Row, block: number, right: number, stores: boolean) {
    this.#row = row;
    this.#block = block;
    this.#right = right;
    this.#stores = stores;
    this.left = block * row.size;
  }

  /** The last label of the block, for the block to its right. */
  leaveAtEdge(level: Level, k: number): void {
    const { problem, index, sequence, labels, edges, size } = this.#row;
    const right = this.#right;
    if (right >= sequence.targetLength) return;
    const place = edgeOf(problem, index, this.#block, size, k);
    store(edges, place, labels.m[right], level.on ? level.e : labels.e[right]);
  }

  /** What there is to know of step k. */
  look(k: number): void {
    const { problem, index, sequence, edges, size } = this.#row;
    const from = hasLeft(sequence, this.left, k) ? edgeOf(problem, index, this.#block - 1, size, k) : -1;
    this.beyondM = from < 0 ? 0 : edges.m[from];
    this.beyondE = from < 0 ? ZERO : edges.e[from];
    this.first = Math.max(this.left, sequence.firstPair(k));
    this.last = Math.min(this.#right, k);
    this.to = this.#stores ? stepRow(problem, index, k) : -1;
    this.emission = (index * problem.emissionRows + k - problem.emissionFrame) * (problem.distinct + 2);
    this.#lookAtEmissions();
  }

  #lookAtEmissions() {
    const { m, e } = this.#row.emissions;
    let least = 1;
    let even = true;
    const end = this.emission + this.#row.sequence.slots;
    for (let slot = this.emission; slot < end; slot++) {
      if (m[slot] < least && m[slot] !== 0) least = m[slot];
      if (e[slot] !== 0 && m[slot] !== 0) even = false;
    }
    this.least = least;
    this.even = even;
  }
}

function rowOf({ m, e }: Extended, place: number, pairs: number): Extended {
  return { m: m.subarray(place, place + pairs), e: e.subarray(place, place + pairs) };
}

/** A step from right to left, so that it can be done in place; all exponents equal. */
function stepLevel(row: Row, { first, last, emission, to, left: edge }: Step, beyondEdge: number) {
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
function stepApart(row: Row, { first, last, emission, to, left: edge, beyondM, beyondE }: Step) {
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
