import type { ScoresKey } from '../problem/check.js';
import { checkRow, rowLogs } from '../problem/row-logs.js';

/**
 * ln of the probabilities of some frames, in float64.
 * @param row where in `scores` the row of a frame begins
 * @param of what the frames are of, for errors
 * @throws RangeError where a score is NaN or +Infinity, naming the frame
 */
export function logsOf(
  scores: ArrayLike<number>,
  kind: ScoresKey,
  frames: number,
  classes: number,
  row: (frame: number) => number,
  of: string,
): Float64Array {
  const logs = new Float64Array(frames * classes);
  for (let t = 0; t < frames; t++) {
    const start = row(t);
    checkRow(kind, scores, start, classes, `frame ${t} ${of}`);
    rowLogs(kind, scores, start, classes, logs, t * classes);
  }
  return logs;
}
