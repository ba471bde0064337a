import { edgeOf, hasLeft, labelsOf, spanOf } from '../block.js';
import type { Kernel } from '../buffers.js';
import { plus } from '../cost.js';
import { Sequence } from '../sequence.js';
import { powers, wayPlace, weights } from '../ways.js';

const NONE = Number.POSITIVE_INFINITY;

/** Twin of shaders/viterbi.wgsl. In `states` a row has the blanks of all pairs, then their labels. */
export const viterbi: Kernel = (problem, { grid, constants }, bindings, integer) => {
  const { targets, costs, stateCosts, edgeCosts, ways, ends, masks } = bindings;
  const size = 4 * (constants.LANES as number);
  const { pairs, emissionFrame, emissionRows, boxFrame, boxEnd } = problem;
  const width = problem.distinct + 2;
  for (let part = 0; part < grid[1]; part++) {
    const sequence = new Sequence(problem, targets, problem.firstSequence + part);
    const { slots, skips } = labelsOf(problem, sequence, 0);
    const blanks = stateCosts.subarray(2 * part * pairs, (2 * part + 1) * pairs);
    const labels = stateCosts.subarray((2 * part + 1) * pairs, (2 * part + 2) * pairs);
    const mayBeFar = masks[part] !== 0;
    const states: States = { blanks, labels, slots, skips, costs, ways, mayBeFar };
    const endPair = ends[part] >>> 1;
    for (let group = 0; group < grid[0]; group++) {
      for (let block = group * problem.blocks; block < (group + 1) * problem.blocks; block++) {
        const left = block * size;
        const right = Math.min(left + size - 1, sequence.targetLength);
        const span = spanOf(problem, sequence, sequence.inputLength - 1, integer - group, left, size);
        if (span.first >= span.end) continue;
        // when a slice is walked again, the path's end in it is known
        if (constants.AGAIN && (left > endPair || left + size + boxEnd - boxFrame < endPair)) continue;
        if (span.first === left) {
          blanks.fill(NONE, left, right + 1);
          labels.fill(NONE, left, right + 1);
          // the start, as if a path stood before pair 0
          if (left === 0) blanks[0] = 0;
        }
        for (let k = span.first; k < span.end; k++) {
          const first = Math.max(left, sequence.firstPair(k));
          const last = Math.min(right, k);
          if (right < sequence.targetLength) edgeCosts[edgeOf(problem, part, block, size, k)] = labels[right];
          const come = hasLeft(sequence, left, k)
            ? edgeCosts[edgeOf(problem, part, block - 1, size, k)]
            : NONE;
          const phase = (k - emissionFrame) % 3;
          const row = wayPlace(problem, part, k, 0);
          if (phase === 0 || k === span.first)
            ways.fill(0, row + (left >> 2), row + Math.min((last >> 2) + 2, (left + size) >> 2));
          const emission = (part * emissionRows + k - emissionFrame) * width;
          const step = { first, last, emission, row, weight: weights[phase] };
          walk(states, step, first > left ? labels[first - 1] : come);
        }
      }
    }
  }
};

/** Costs of a sequence, and where the ways into them go. */
interface States {
  readonly blanks: Float64Array;
  readonly labels: Float64Array;
  readonly slots: Int32Array;
  readonly skips: Float64Array;
  readonly costs: Float64Array;
  readonly ways: Uint32Array;
  /** Whether costs may be far: those are added in another way. */
  readonly mayBeFar: boolean;
}

/** A step: its pairs, the places of its emissions and of its ways, and what these count in their words. */
interface Step {
  readonly first: number;
  readonly last: number;
  readonly emission: number;
  readonly row: number;
  readonly weight: number;
}

/** One step of the pairs from `first` to `last`, the label before them as it was. From left to right, so that each old label is at hand. */
function walk(states: States, { first, last, emission, row, weight }: Step, before: number) {
  const { blanks, labels, slots, skips, costs, ways, mayBeFar } = states;
  const ofBlank = costs[emission];
  let from = before;
  let word = 0;
  for (let i = first; i <= last; i++) {
    const blank = blanks[i];
    const label = labels[i];
    const skip = skips[i] === 0 ? NONE : from;
    let best = label;
    let way = 0;
    if (skip < blank && skip < label) {
      best = skip;
      way = 4;
    } else if (blank < label) {
      best = blank;
      way = 2;
    }
    const ofLabel = costs[emission + slots[i]];
    labels[i] = mayBeFar ? plus(best, ofLabel) : best + ofLabel;
    if (from < blank) way++;
    const least = from < blank ? from : blank;
    blanks[i] = mayBeFar ? plus(least, ofBlank) : least + ofBlank;
    from = label;
    word += way * powers[i & 3];
    if ((i & 3) === 3 || i === last) {
      ways[row + (i >> 2)] += weight * word;
      word = 0;
    }
  }
}
