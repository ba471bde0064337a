import type { Kernel } from '../buffers.js';
import { isMiddle, lastStep, placeIn, stepRow } from '../middle.js';
import { FROM_LEFT, NO_PATH, randomOf, STAYED } from '../random.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/sample.wgsl. */
export const sample: Kernel = (problem, { grid }, { targets, samples, lattice, walkers, seed }, integer) => {
  const first = problem.boxFrame + integer * problem.segment;
  for (let part = 0; part < grid[1]; part++) {
    const n = problem.firstSequence + part;
    const sequence = new Sequence(problem, targets, n);
    const { inputLength } = sequence;
    for (let id = 0; id < 2 * problem.count; id++) {
      const sweep = id & 1;
      const number = id >> 1;
      const place = 2 * part * problem.count + id;
      let s = walkers[place];
      const steps = inputLength > 0 ? lastStep(sequence, sweep) + 1 : 0;
      for (let k = Math.min(first + problem.segment, problem.boxEnd, steps) - 1; k >= first; k--) {
        const t = sweep ? inputLength - 1 - k : k;
        const some = s !== NO_PATH;
        const pair = s >>> 1;
        const isLabel = some && (s & 1) === 1;
        const i = isLabel ? placeIn(sweep, sequence, pair) : 0;
        if (sweep === 0 || !isMiddle(sequence, t)) {
          samples[(n * problem.count + number) * problem.frames + t] = some
            ? sequence.classOf(isLabel ? sequence.slotAt(i) : 0)
            : NO_PATH;
        }
        if (!some || k === 0) continue;
        const at = stepRow(problem, 2 * part + sweep, k) + pair;
        const random = randomOf(seed[0], n, number, sweep, t);
        if (isLabel) {
          if (random[STAYED] < lattice[at + problem.pairs]) continue;
          s--;
        }
        // seen from the end, a label and the one after it
        const skips = !isLabel || (pair > 0 && sequence.maySkip(sweep ? i + 1 : i));
        if (skips && random[FROM_LEFT] < lattice[at]) s = 2 * pair - 1;
      }
      walkers[place] = s;
    }
  }
};
