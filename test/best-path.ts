/** The best path of a sequence, in float64. */
import { collapse, type Sequence } from './reference.js';

export interface BestPath {
  /** Class at each frame; none where no path has a probability above 0. */
  readonly labels: readonly number[];
  readonly score: number;
}

const NONE: BestPath = { labels: [], score: Number.NEGATIVE_INFINITY };

/** Of all paths, the first of the best. */
export function bestOfAll({ rows, target, blank }: Sequence): BestPath {
  const classes = rows[0]?.length ?? 0;
  const wanted = target.join();
  let best = NONE;
  const extend = (path: number[], score: number) => {
    if (path.length < rows.length) {
      for (let c = 0; c < classes; c++) extend([...path, c], score + rows[path.length]![c]!);
    } else if (score > best.score && collapse(path, blank).join() === wanted) {
      best = { labels: path, score };
    }
  };
  extend([], 0);
  return best;
}

/** Viterbi: stays unless a step or a skip is better, skips only if that is better than a step. */
export function viterbi({ rows, target, blank }: Sequence): BestPath {
  if (rows.length === 0) return target.length === 0 ? { labels: [], score: 0 } : NONE;
  const states = 2 * target.length + 1;
  const classOf = (s: number) => (s % 2 ? target[(s - 1) / 2]! : blank);
  let before = new Float64Array(states).fill(-Infinity);
  const moves = rows.map((row, t) => {
    const after = new Float64Array(states);
    const move = Uint8Array.from(after, (_, s) => {
      const stay = t === 0 ? (s < 2 ? 0 : -Infinity) : before[s]!;
      const step = t === 0 ? -Infinity : (before[s - 1] ?? -Infinity);
      const maySkip = t > 0 && s % 2 === 1 && s > 1 && classOf(s) !== classOf(s - 2);
      const skip = maySkip ? before[s - 2]! : -Infinity;
      const skips = skip > step && skip > stay;
      const steps = !skips && step > stay;
      after[s] = (skips ? skip : steps ? step : stay) + row[classOf(s)]!;
      return skips ? 2 : steps ? 1 : 0;
    });
    before = after;
    return move;
  });
  let s = states > 1 && !(before[states - 1]! > before[states - 2]!) ? states - 2 : states - 1;
  const score = before[s]!;
  if (score === -Infinity) return NONE;
  const labels: number[] = [];
  for (let t = rows.length - 1; t >= 0; t--) {
    labels.unshift(classOf(s));
    s -= moves[t]![s]!;
  }
  return { labels, score };
}

/** What a path costs, in float64. */
export function scoreOf({ rows }: Sequence, labels: ArrayLike<number>): number {
  return rows.reduce((sum, row, t) => sum + row[labels[t]!]!, 0);
}
