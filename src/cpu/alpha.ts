import { FRAME, type Kernel } from './buffers.js';
import { aligned, store, ZERO } from './extended.js';
import { Sequence } from './sequence.js';

/** Twin of shaders/alpha.wgsl. */
export const alpha: Kernel = (problem, { grid }, { targets, frames, emissions, lattice, ends }, integer) => {
  const t = problem.boxFrame + integer;
  const pairs = problem.labels + 1;
  const { m, e } = lattice;
  for (let part = 0; part < grid[1]; part++) {
    const sequence = new Sequence(problem, targets, problem.firstSequence + part);
    const labels = sequence.targetLength;
    if (t >= sequence.inputLength) continue;
    const rowOf = (frame: number) =>
      2 * pairs * (part * problem.alphaRows + ((frame - problem.alphaFrame) % problem.alphaRows));
    const now = rowOf(t);
    const before = rowOf(t - 1);
    const frame = (part * problem.frames + t) * FRAME.words;
    const blankM = frames[frame + FRAME.blankM];
    const blankE = frames[frame + FRAME.blankE];
    const emission = (part * problem.emissionRows + t - problem.emissionFrame) * problem.labels;
    const first = sequence.firstPair(t);
    const last = sequence.lastPair(t);
    const firstBefore = sequence.firstPair(t - 1);
    const lastBefore = t === 0 ? -1 : sequence.lastPair(t - 1);
    for (let i = first; i <= last; i++) {
      const own = before + 2 * i;
      const inBand = i >= firstBefore && i <= lastBefore;
      const leftInBand = i - 1 >= firstBefore && i - 1 <= lastBefore;
      const start = t === 0 && i === 0;
      const aM = inBand ? m[own] : start ? 1 : 0;
      const aE = inBand ? e[own] : start ? 0 : ZERO;
      const bM = leftInBand ? m[own - 1] : 0;
      const bE = leftInBand ? e[own - 1] : ZERO;
      const top = aE > bE ? aE : bE;
      const into = aligned(aM, aE, top) + aligned(bM, bE, top);
      store(lattice, now + 2 * i, into * blankM, Math.max(top + blankE, ZERO));
      if (i === labels) {
        store(lattice, now + 2 * i + 1, 0, ZERO);
        continue;
      }
      const cM = inBand ? m[own + 1] : 0;
      const cE = inBand ? e[own + 1] : ZERO;
      const skip = sequence.maySkip(i);
      const sM = skip ? bM : 0;
      const sE = skip ? bE : ZERO;
      const high = Math.max(aE, cE, sE);
      const sum = aligned(aM, aE, high) + aligned(cM, cE, high) + aligned(sM, sE, high);
      store(
        lattice,
        now + 2 * i + 1,
        sum * emissions.m[emission + i],
        Math.max(high + emissions.e[emission + i], ZERO),
      );
    }
    if (t + 1 === sequence.inputLength) {
      const reached = labels >= first && labels <= last;
      store(ends, 2 * part, reached ? m[now + 2 * labels] : 0, reached ? e[now + 2 * labels] : ZERO);
      const near = labels > 0 && labels - 1 >= first && labels - 1 <= last;
      const place = now + 2 * labels - 1;
      store(ends, 2 * part + 1, near ? m[place] : 0, near ? e[place] : ZERO);
    }
  }
};
