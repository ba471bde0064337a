// The likeliest paths one by one: Viterbi's algorithm with the best few, not the best alone, for each state.
import { type Cell, classAt, type Problem, reachOf, statesOf } from './analysis.js';

export interface Path {
  /** In each frame. */
  readonly states: Int32Array;
  /** Natural logarithm of its probability. */
  readonly log: number;
}

/** A path's way into a state is kept in a byte: how many states it moved, and its rank among those of the state it came from. */
const ranks = 16;
const none = 255;

/** Ways that are kept, at most: a byte for each state, frame and path. */
const mostWays = 1e8;

/** How many of the likeliest paths can be told of a lattice, up to `count`. */
export const tellable = (problem: Problem, count: number): number =>
  Math.min(count, ranks, Math.floor(mostWays / (problem.frames * statesOf(problem))));

/**
 * At most `count` paths, up to 16, the likeliest first. `logProbs`: log-softmax, [frames, classes]. `through`: of the paths
 * that pass a cell. Paths of probability 0 are left out.
 */
export function bestPaths(problem: Problem, logProbs: Float32Array, count: number, through?: Cell): Path[] {
  const { frames, classes, labels } = problem;
  const states = statesOf(problem);
  const { earliest, latest } = reachOf(problem);
  const from = new Uint8Array(frames * states * count).fill(none);
  let before = new Float64Array(states * count);
  let now = new Float64Array(states * count);
  before.fill(Number.NEGATIVE_INFINITY);
  for (let t = 0; t < frames; t++) {
    now.fill(Number.NEGATIVE_INFINITY);
    for (let s = 0; s < states; s++) {
      if (t < earliest[s]! || t > latest[s]! || (t === through?.t && s !== through.s)) continue;
      const emission = logProbs[t * classes + classAt(problem, s)]!;
      const at = s * count;
      if (t === 0) {
        if (s < 2) now[at] = emission;
        continue;
      }
      const skips = s % 2 === 1 && s >= 3 && labels[s >> 1] !== labels[(s >> 1) - 1];
      const steps = skips ? 3 : Math.min(2, s + 1);
      // the next of each state that a path can come from; each has its own in order
      const next = [0, 0, 0];
      for (let k = 0; k < count; k++) {
        let best = Number.NEGATIVE_INFINITY;
        let step = -1;
        for (let move = 0; move < steps; move++) {
          const rank = next[move]!;
          const score = rank < count ? before[(s - move) * count + rank]! : Number.NEGATIVE_INFINITY;
          if (score > best) [best, step] = [score, move];
        }
        if (step < 0) break;
        now[at + k] = best + emission;
        from[t * states * count + at + k] = step * ranks + next[step]!;
        next[step]!++;
      }
    }
    [before, now] = [now, before];
  }
  const ends = labels.length > 0 ? [states - 1, states - 2] : [0];
  return ends
    .flatMap((s) => Array.from({ length: count }, (_, k) => ({ s, k, log: before[s * count + k]! })))
    .filter(({ log }) => log > Number.NEGATIVE_INFINITY)
    .sort((a, b) => b.log - a.log)
    .slice(0, count)
    .map(({ s, k, log }) => ({ states: walkBack(from, frames, states, count, s, k), log }));
}

function walkBack(
  from: Uint8Array,
  frames: number,
  states: number,
  count: number,
  end: number,
  rank: number,
): Int32Array {
  const path = new Int32Array(frames);
  let [s, k] = [end, rank];
  for (let t = frames - 1; t >= 0; t--) {
    path[t] = s;
    const way = from[(t * states + s) * count + k]!;
    s -= Math.floor(way / ranks);
    k = way % ranks;
  }
  return path;
}

/** Natural logarithm of the probability of a path. */
export function logOf(problem: Problem, logProbs: Float32Array, states: Int32Array): number {
  let log = 0;
  states.forEach((s, t) => {
    log += logProbs[t * problem.classes + classAt(problem, s)]!;
  });
  return log;
}
