import type { ScoresKey } from '../problem/check.js';
import { wrongValue } from '../problem/errors.js';
import { rowLogs } from '../problem/row-logs.js';

/**
 * ln of the probabilities of some frames, in float64.
 * @param row where in `scores` the row of a frame begins
 * @throws RangeError where a score is NaN or +Infinity, naming the frame
 */
export function logsOf(
  scores: ArrayLike<number>,
  kind: ScoresKey,
  frames: number,
  classes: number,
  row: (frame: number) => number,
  sequence = 0,
  doubts = new Doubts(),
): Float64Array {
  const logs = new Float64Array(frames * classes);
  for (let t = 0; t < frames; t++) {
    const start = row(t);
    let largest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < classes; c++) {
      const score = scores[start + c]!;
      if (!(score < Number.POSITIVE_INFINITY) || (kind === 'probs' && score < 0))
        throw wrongValue(kind, `finite scores in frame ${t} of sequence ${sequence}`, score);
      if (score > largest) largest = score;
    }
    if (kind === 'logProbs' && largest > 0.01) doubts.tell(t, sequence, largest);
    if (kind === 'logits' && largest === Number.NEGATIVE_INFINITY)
      throw wrongValue(kind, `a finite score in frame ${t} of sequence ${sequence}`, largest);
    rowLogs(kind, scores, start, classes, logs, t * classes);
  }
  return logs;
}

/** What is doubtful about scores, told once: whose scores are wrong has them wrong everywhere. */
export class Doubts {
  #told = false;

  tell(frame: number, sequence: number, score: number): void {
    if (!this.#told)
      console.warn(
        `webgpu-ctc: logProbs: ${score} in frame ${frame} of sequence ${sequence} is above 0; pass logits as logits, and probabilities as probs`,
      );
    this.#told = true;
  }
}
