import type { Problem } from '../../../kernels/uniforms.js';
import type { Bindings, Kernel } from '../buffers.js';
import { aligned, store, ZERO } from '../extended.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/alpha.wgsl. */
export const alpha: Kernel = (problem, command, bindings, integer) => {
  const first = problem.boxFrame + problem.segment * integer;
  const end = Math.min(problem.boxEnd, first + problem.segment);
  for (let t = first; t < end; t++) forward(problem, command.grid[1], bindings, t);
};

function forward(
  problem: Problem,
  batch: number,
  { targets, emissions, lattice, ends }: Bindings,
  t: number,
) {
  const { pairs } = problem;
  const { m, e } = lattice;
  for (let part = 0; part < batch; part++) {
    const sequence = new Sequence(problem, targets, problem.firstSequence + part);
    const labels = sequence.targetLength;
    if (t >= sequence.inputLength) continue;
    const rowOf = (frame: number) =>
      2 * pairs * (part * problem.alphaRows + ((frame - problem.alphaFrame) % problem.alphaRows));
    const now = rowOf(t);
    const before = rowOf(t - 1);
    const emission = (part * problem.emissionRows + t - problem.emissionFrame) * (problem.distinct + 2);
    const blankM = emissions.m[emission];
    const blankE = emissions.e[emission];
    const first = sequence.firstPair(t);
    const last = sequence.lastPair(t);
    const firstBefore = sequence.firstPair(t - 1);
    const lastBefore = t === 0 ? -1 : sequence.lastPair(t - 1);
    for (let i = first; i <= last; i++) {
      const from = before + 2 * i;
      const inBand = i >= firstBefore && i <= lastBefore;
      const leftInBand = i - 1 >= firstBefore && i - 1 <= lastBefore;
      const start = t === 0 && i === 0;
      const aM = inBand ? m[from] : start ? 1 : 0;
      const aE = inBand ? e[from] : start ? 0 : ZERO;
      const bM = leftInBand ? m[from - 1] : 0;
      const bE = leftInBand ? e[from - 1] : ZERO;
      const top = aE > bE ? aE : bE;
      const into = aligned(aM, aE, top) + aligned(bM, bE, top);
      store(lattice, now + 2 * i, into * blankM, Math.max(top + blankE, ZERO));
      if (i === labels) {
        store(lattice, now + 2 * i + 1, 0, ZERO);
        continue;
      }
      const cM = inBand ? m[from + 1] : 0;
      const cE = inBand ? e[from + 1] : ZERO;
      const skip = sequence.maySkip(i);
      const sM = skip ? bM : 0;
      const sE = skip ? bE : ZERO;
      const high = Math.max(aE, cE, sE);
      const sum = aligned(aM, aE, high) + aligned(cM, cE, high) + aligned(sM, sE, high);
      const own = emission + sequence.slotAt(i);
      store(lattice, now + 2 * i + 1, sum * emissions.m[own], Math.max(high + emissions.e[own], ZERO));
    }
    if (t + 1 === sequence.inputLength) {
      const reached = labels >= first && labels <= last;
      store(ends, 2 * part, reached ? m[now + 2 * labels] : 0, reached ? e[now + 2 * labels] : ZERO);
      const near = labels > 0 && labels - 1 >= first && labels - 1 <= last;
      const place = now + 2 * labels - 1;
      store(ends, 2 * part + 1, near ? m[place] : 0, near ? e[place] : ZERO);
    }
  }
}
