import { stateRow } from '../arrivals.js';
import { edgeOf, hasLeft, labelsOf, spanOf } from '../block.js';
import type { Kernel } from '../buffers.js';
import { aligned, type Extended, store, ZERO } from '../extended.js';
import { Level, TINY } from '../level.js';
import { lastStep, stepRow } from '../middle.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/sweep.wgsl. */
export const sweep: Kernel = (problem, { grid, constants }, bindings, integer) => {
  const { targets, emissions, states, edges, lattice } = bindings;
  const { STORE } = constants;
  const size = 4 * (constants.LANES as number);
  const { pairs, emissionFrame, emissionRows } = problem;
  const width = problem.distinct + 2;
  for (let row = 0; row < grid[1]; row++) {
    const sequence = new Sequence(problem, targets, problem.firstSequence + (row >> 1));
    const { slots, skips } = labelsOf(problem, sequence, row % 2);
    const place = stateRow(problem, row);
    const blanks = rowOf(states, place, pairs);
    const labels = rowOf(states, place + pairs, pairs);
    for (let group = 0; group < grid[0]; group++) {
      for (let block = group * problem.blocks; block < (group + 1) * problem.blocks; block++) {
        const left = block * size;
        const right = Math.min(left + size - 1, sequence.targetLength);
        const span = spanOf(problem, sequence, lastStep(sequence, row % 2), integer - group, left, size);
        if (span.first >= span.end) continue;
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
          const firstBefore = Math.max(left, sequence.firstPair(k - 1));
          const lastBefore = Math.min(right, k === 0 ? 0 : k - 1);
          if (right < sequence.targetLength) {
            store(
              edges,
              edgeOf(problem, row, block, size, k),
              labels.m[right],
              level.on ? level.e : labels.e[right],
            );
          }
          const from = hasLeft(sequence, left, k) ? edgeOf(problem, row, block - 1, size, k) : -1;
          const inM = from < 0 ? 0 : edges.m[from];
          const inE = from < 0 ? ZERO : edges.e[from];
          const emission = (row * emissionRows + k - emissionFrame) * width;
          let least = 1;
          let even = true;
          for (let slot = emission; slot < emission + sequence.slots; slot++) {
            const m = emissions.m[slot];
            if (m < least && m !== 0) least = m;
            if (emissions.e[slot] !== 0 && m !== 0) even = false;
          }
          level.before(firstBefore, lastBefore, inM, inE, least, even);
          const first = Math.max(left, sequence.firstPair(k));
          const last = Math.min(right, k);
          const to = STORE ? stepRow(problem, row, k) : -1;
          if (level.on) {
            stepLevel(
              blanks.m,
              labels.m,
              slots,
              skips,
              emissions.m,
              emission,
              lattice,
              to,
              pairs,
              first,
              last,
              left,
              level.m,
            );
          } else {
            stepApart(
              blanks,
              labels,
              slots,
              skips,
              emissions,
              emission,
              lattice,
              to,
              pairs,
              first,
              last,
              left,
              inM,
              inE,
            );
          }
        }
        level.settle(Math.max(left, sequence.firstPair(span.end - 1)), Math.min(right, span.end - 1));
      }
    }
  }
};

function rowOf({ m, e }: Extended, place: number, pairs: number): Extended {
  return { m: m.subarray(place, place + pairs), e: e.subarray(place, place + pairs) };
}

/** A step from right to left, so that it can be done in place; all exponents equal. */
function stepLevel(
  blanks: Float64Array,
  labels: Float64Array,
  slots: Int32Array,
  skips: Float64Array,
  emissions: Float64Array,
  emission: number,
  lattice: Float64Array,
  to: number,
  pairs: number,
  first: number,
  last: number,
  edge: number,
  beyondEdge: number,
) {
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
  blanks: Extended,
  labels: Extended,
  slots: Int32Array,
  skips: Float64Array,
  { m, e }: Extended,
  emission: number,
  lattice: Float64Array,
  to: number,
  pairs: number,
  first: number,
  last: number,
  edge: number,
  beyondM: number,
  beyondE: number,
) {
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
