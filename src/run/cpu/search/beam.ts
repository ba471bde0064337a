import { BeamSearch } from '../../../lm/beam-search.js';
import { Knowledge } from '../../../lm/knowledge.js';
import { unpackTables } from '../../../lm/packed-tables.js';
import type { Kernel } from '../buffers.js';
import { Sequence } from '../sequence.js';
import { NO_LABEL } from '../twins/spell.js';
import { floatOf } from './bits.js';
import type { Tops } from './prune.js';

export interface Search extends Tops {
  readonly knowledge: Uint32Array;
  readonly entries: Uint32Array;
}

/** Searches that go on, by the buffer that their kernel has them in: of each sequence of a part one. */
const going = new WeakMap<Uint32Array, BeamSearch[]>();
const knowledges = new WeakMap<Uint32Array, Knowledge>();

export const searchesIn = (entries: Uint32Array): readonly BeamSearch[] => going.get(entries) ?? [];

/** Twin of shaders/beam.wgsl: the search is that of `webgpu-ctc/lm`, in float64. */
export const beam: Kernel = (problem, { grid, constants }, bindings, integer) => {
  const { targets, knowledge, topLabels, topScores, entries } = bindings as Search;
  const first = problem.boxFrame + integer * problem.segment;
  const tops = constants.TOPS as number;
  let known = knowledges.get(knowledge);
  if (!known) {
    known = new Knowledge(unpackTables(knowledge));
    knowledges.set(knowledge, known);
  }
  const searches = going.get(entries) ?? [];
  going.set(entries, searches);
  const frame = new Float64Array(problem.classes);
  for (let part = 0; part < grid[1]; part++) {
    const { inputLength } = new Sequence(problem, targets, problem.firstSequence + part);
    if (first === 0)
      searches[part] = new BeamSearch(known, {
        ...{ classes: problem.classes, blank: problem.blank, width: constants.WIDTH as number },
        beamLogProb: floatOf(constants.LEAST_TEXT as number),
      });
    const end = Math.min(inputLength, problem.boxEnd, first + problem.segment);
    for (let t = first; t < end; t++) {
      const row = (part * problem.frames + t) * tops;
      let count = 0;
      for (; count < tops && topLabels[row + count] !== NO_LABEL; count++)
        frame[topLabels[row + count]!] = topScores[row + count]!;
      searches[part]!.push(frame, topLabels.subarray(row, row + count));
    }
  }
};
