// The best class of each frame, and what it reads as.

/** Scores of classes, frame by frame. */
interface Emitted {
  readonly logits: ArrayLike<number>;
  readonly frames: number;
  readonly classes: number;
}

/** The class of the highest score in each frame. */
export function bestClasses({ logits, frames, classes }: Emitted): Int32Array {
  return Int32Array.from({ length: frames }, (_, t) => {
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[t * classes + c]! > logits[t * classes + best]!) best = c;
    return best;
  });
}

/** What classes of frames read as: repeats as one, blanks as none. */
export const collapse = (classes: Int32Array, blank: number): number[] =>
  [...classes].filter((c, t) => c !== blank && c !== classes[t - 1]);

/** ln of the sum of exp(x): −Infinity of nothing. */
export function logSumExp(logs: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logs.length; i++) most = Math.max(most, logs[i]!);
  if (most === Number.NEGATIVE_INFINITY) return most;
  let sum = 0;
  for (let i = 0; i < logs.length; i++) sum += Math.exp(logs[i]! - most);
  return most + Math.log(sum);
}
