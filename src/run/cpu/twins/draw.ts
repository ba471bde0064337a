import { stateRow } from '../arrivals.js';
import { type Kernel, REGULAR, TOTAL } from '../buffers.js';
import { NO_PATH, randomOf, STATE } from '../random.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/draw.wgsl. */
export const draw: Kernel = (problem, { grid }, { targets, posteriors, totals, walkers, samples, seed }) => {
  for (let part = 0; part < grid[1]; part++) {
    const n = problem.firstSequence + part;
    const sequence = new Sequence(problem, targets, n);
    const { inputLength, targetLength } = sequence;
    const row = stateRow(problem, 2 * part);
    for (let sample = 0; sample < problem.count; sample++) {
      let walker = NO_PATH;
      if (totals[n * TOTAL.words + TOTAL.status] === REGULAR && inputLength > 0) {
        let rest = randomOf(seed[0], n, sample, 0, (inputLength - 1) >> 1)[STATE];
        for (let s = 0; s <= 2 * targetLength && (rest >= 0 || walker === NO_PATH); s++) {
          const share = posteriors[row + (s & 1) * problem.pairs + (s >> 1)];
          if (share > 0) walker = s;
          rest -= share;
        }
      }
      const path = (n * problem.count + sample) * problem.frames;
      samples.fill(NO_PATH, path + inputLength, path + problem.frames);
      const place = 2 * (part * problem.count + sample);
      walkers[place] = walker;
      walkers[place + 1] = walker === NO_PATH ? NO_PATH : 2 * targetLength - walker;
    }
  }
};
