import type { Problem } from '../../../kernels/uniforms.js';
import { type Bindings, type Kernel, TOTAL } from '../buffers.js';
import { aligned, DOWN, type Extended, store, UP, ZERO } from '../extended.js';
import { Sequence } from '../sequence.js';

/** Twin of shaders/beta.wgsl. */
export const beta: Kernel = (problem, command, bindings, integer) => {
  const first = problem.boxFrame + problem.segment * integer;
  for (let t = Math.min(problem.boxEnd, first + problem.segment) - 1; t >= first; t--)
    backward(problem, command.grid[1], bindings, t);
};

function backward(
  problem: Problem,
  batch: number,
  { targets, emissions, lattice, betas, totals }: Bindings,
  t: number,
) {
  const { pairs } = problem;
  const { m, e } = betas;
  for (let part = 0; part < batch; part++) {
    const n = problem.firstSequence + part;
    const sequence = new Sequence(problem, targets, n);
    const labels = sequence.targetLength;
    if (t >= sequence.inputLength) continue;
    const betaRow = (frame: number) =>
      2 * pairs * (part * problem.betaRows + ((frame - problem.betaFrame) % problem.betaRows));
    const now = betaRow(t);
    const after = betaRow(t + 1);
    const final = t + 1 === sequence.inputLength;
    const emission = (part * problem.emissionRows + t + 1 - problem.emissionFrame) * (problem.distinct + 2);
    const blankM = final ? 0 : emissions.m[emission];
    const blankE = final ? ZERO : emissions.e[emission];
    const last = sequence.lastPair(t);
    const firstAfter = sequence.firstPair(t + 1);
    const lastAfter = final ? -1 : sequence.lastPair(t + 1);
    const alphaRow = 2 * pairs * (part * problem.alphaRows + ((t - problem.alphaFrame) % problem.alphaRows));
    const zm = totals[n * TOTAL.words + TOTAL.zm];
    const ze = totals[n * TOTAL.words + TOTAL.ze];

    for (let i = sequence.firstPair(t); i <= last; i++) {
      const own = after + 2 * i;
      const inBand = i >= firstAfter && i <= lastAfter;
      // the two states of the pair at t + 1, each times its emission
      const aM = inBand ? m[own] * blankM : 0;
      const aE = inBand ? e[own] + blankE : ZERO;
      const withLabel = inBand && i < labels;
      const label = withLabel ? emission + sequence.slotAt(i) : 0;
      const bM = withLabel ? m[own + 1] * emissions.m[label] : 0;
      const bE = withLabel ? e[own + 1] + emissions.e[label] : ZERO;
      const place = now + 2 * i;
      if (final) {
        store(betas, place, i === labels ? 1 : 0, 0);
        store(betas, place + 1, i === labels ? 0 : 1, 0);
      } else {
        const top = aE > bE ? aE : bE;
        store(betas, place, aligned(aM, aE, top) + aligned(bM, bE, top), Math.max(top, ZERO));
        if (i < labels) {
          const right = i + 1 >= firstAfter && i + 1 <= lastAfter;
          const cM = right ? m[own + 2] * blankM : 0;
          const cE = right ? e[own + 2] + blankE : ZERO;
          const skip = right && i + 1 < labels && sequence.maySkip(i + 1);
          const next = skip ? emission + sequence.slotAt(i + 1) : 0;
          const dM = skip ? m[own + 3] * emissions.m[next] : 0;
          const dE = skip ? e[own + 3] + emissions.e[next] : ZERO;
          const high = Math.max(bE, cE, dE);
          const sum = aligned(bM, bE, high) + aligned(cM, cE, high) + aligned(dM, dE, high);
          store(betas, place + 1, sum, Math.max(high, ZERO));
        } else {
          store(betas, place + 1, 0, ZERO);
        }
      }
      const at = alphaRow + 2 * i;
      complete(lattice, at, betas, place, zm, ze);
      complete(lattice, at + 1, betas, place + 1, zm, ze);
    }
  }
}

/** Alpha becomes the posterior. */
function complete(lattice: Extended, at: number, betas: Extended, place: number, zm: number, ze: number) {
  const shift = lattice.e[at] + betas.e[place] - ze;
  const share = (lattice.m[at] * betas.m[place]) / zm;
  // |shift| > 1 only where the posterior is far below the smallest float32
  lattice.m[at] = shift === 0 ? share : shift === 1 ? share * UP : shift === -1 ? share * DOWN : 0;
  lattice.e[at] = 0;
}
