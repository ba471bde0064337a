import type { Kernel } from '../buffers.js';
import { type Search, searchesIn } from './beam.js';

interface Results extends Search {
  readonly texts: Uint32Array;
  readonly textTotals: Float32Array;
  readonly lastExits: Uint32Array;
}

const NONE = 0xffffffff;

/** Twin of shaders/unwind.wgsl. */
export const unwind: Kernel = (problem, { grid, constants }, bindings) => {
  const { entries, texts, textTotals, lastExits } = bindings as Results;
  const count = constants.TEXTS as number;
  for (let part = 0; part < grid[1]; part++) {
    const n = problem.firstSequence + part;
    textTotals.fill(Number.NEGATIVE_INFINITY, n * count, (n + 1) * count);
    lastExits.fill(0, n * count, (n + 1) * count);
    texts.fill(NONE, n * count * problem.frames, (n + 1) * count * problem.frames);
    const found = searchesIn(entries)[part]!.hypotheses();
    found.sort((a, b) => b.ctc + b.known - a.ctc - a.known);
    for (const [rank, { steps, exit, ctc, known }] of found.slice(0, count).entries()) {
      const place = n * count + rank;
      textTotals[place] = ctc + known;
      lastExits[place] = exit;
      for (const [i, step] of steps.entries())
        texts[place * problem.frames + i] = (step.label | ((step.exit + 1) << 20)) >>> 0;
    }
  }
};
