import type { KeptBlock, Plan } from '../plan/plan.js';
import type { Kept } from '../problem/types.js';

/** How to read one block of a kept lattice, wherever it lies. */
export interface BlockReader {
  /** The records of the batch. */
  readonly targets: Uint32Array;
  /** Value of a state: natural logarithm for alpha and beta, probability for the posterior. */
  value(state: number): number;
  /** Sum of the frames' scales up to and including a frame. */
  scale(frame: number): number;
}

/**
 * A kept lattice as float64, [N, T, L] with L = 2·maxTargetLength + 1: frame scales added back, −Infinity (posterior: 0)
 * outside the band of states that lie on a whole path and beyond the input length.
 */
export async function latticeOf(
  plan: Plan,
  kept: Kept,
  readBlock: (block: KeptBlock) => Promise<BlockReader>,
): Promise<Float64Array> {
  const { sequences, frames, maxTargetLength } = plan.task;
  const states = 2 * maxTargetLength + 1;
  const values = new Float64Array(sequences * frames * states);
  if (kept !== 'posterior') values.fill(Number.NEGATIVE_INFINITY);
  for (const block of plan.kept) {
    const reader = await readBlock(block);
    const { targets } = reader;
    const problem = plan.problems[block.problem];
    const [origin, rows] =
      kept === 'beta' ? [problem.betaFrame, problem.betaRows] : [problem.alphaFrame, problem.alphaRows];
    for (let part = 0; part < block.sequences; part++) {
      const n = block.firstSequence + part;
      const record = n * problem.recordWords;
      const inputLength = targets[record];
      const length = 2 * targets[record + 1] + 1;
      const end = Math.min(block.firstFrame + block.frames, inputLength);
      for (let t = block.firstFrame; t < end; t++) {
        const row = 2 * (maxTargetLength + 1) * (part * rows + ((t - origin) % rows));
        let scale = 0;
        if (kept === 'alpha') scale = reader.scale(part * frames + t);
        if (kept === 'beta')
          scale = reader.scale(part * frames + inputLength - 1) - reader.scale(part * frames + t);
        const to = (n * frames + t) * states;
        const last = Math.min(length, 2 * t + 2);
        for (let s = Math.max(0, length - 2 * (inputLength - t)); s < last; s++) {
          values[to + s] = reader.value(row + s) + scale;
        }
      }
    }
  }
  return values;
}
