import { pauses } from '../lm/pauses.js';
import type { ProblemShape } from '../plan/plan.js';
import { addLogs } from '../problem/logs.js';
import { rowLogs } from '../problem/row-logs.js';

/** ln of the probabilities of a recording's classes, frame after frame, and of all classes of each frame together. */
export interface Heard {
  readonly logs: Float64Array;
  readonly all: Float64Array;
}

/** @param row where in `scores` a frame begins */
export function heard(
  scores: ArrayLike<number>,
  { scores: kind, classes }: ProblemShape,
  frames: number,
  row: (t: number) => number,
): Heard {
  const logs = new Float64Array(frames * classes);
  const all = new Float64Array(frames);
  for (let t = 0; t < frames; t++) {
    rowLogs(kind, scores, row(t), classes, logs, t * classes);
    if (kind === 'logits') continue;
    const own = logs.subarray(t * classes, (t + 1) * classes);
    const sum = own.reduce(addLogs, Number.NEGATIVE_INFINITY);
    // none of a score that is none, as a loss is
    all[t] = sum < Number.POSITIVE_INFINITY ? sum : Number.NaN;
  }
  return { logs, all };
}

/**
 * −ln of the prefix probability of each text (Graves 2012): that of all label sequences that begin with its labels, or of texts with
 * delimiters between their words, with its words as a whole.
 */
export async function prefixLosses(
  texts: readonly ArrayLike<number>[],
  frames: Heard,
  task: ProblemShape,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const pause = pauses();
  const losses = new Float64Array(texts.length);
  for (const [k, text] of texts.entries()) {
    const loss = 0 - prefixLog(text, frames, task);
    losses[k] = task.scores === 'logits' ? Math.max(loss, 0) : loss;
    await pause();
    signal?.throwIfAborted();
  }
  return losses;
}

/**
 * A path is in the blank before a label or in the label itself, until it has come to the last one, after which it may do anything. A delimiter
 * lasts one frame, and the blank after it, as that at the beginning, may be any of blanks and delimiters: each way to say the space between two
 * words is one path. The last label of a text is a delimiter behind its last word, which may as well end with the recording.
 */
function prefixLog(
  text: ArrayLike<number>,
  { logs, all }: Heard,
  { classes, blank, delimiter }: ProblemShape,
): number {
  const labels = Array.from(text);
  if (labels.length === 0) return all.reduce((sum, log) => sum + log, 0);
  if (delimiter !== undefined) labels.push(delimiter);
  const last = labels.length - 1;
  const isFree = labels.map((_, i) => delimiter !== undefined && (i === 0 || labels[i - 1] === delimiter));
  const blanks = new Float64Array(labels.length).fill(Number.NEGATIVE_INFINITY);
  const own = blanks.slice();
  blanks[0] = 0;
  let done = Number.NEGATIVE_INFINITY;
  for (const [t, log] of all.entries()) {
    const row = t * classes;
    const ofBlank = logs[row + blank]!;
    const ofSpace = delimiter === undefined ? ofBlank : addLogs(ofBlank, logs[row + delimiter]!);
    done += log;
    for (let i = last; i >= 0; i--) {
      const label = labels[i]!;
      const before = i === 0 ? blanks[0]! : addLogs(blanks[i]!, own[i - 1]!);
      const came = (i > 0 && labels[i - 1] === label ? blanks[i]! : before) + logs[row + label]!;
      if (i === last) done = addLogs(done, came);
      else own[i] = label === delimiter ? came : addLogs(own[i]! + logs[row + label]!, came);
      blanks[i] = before + (isFree[i] ? ofSpace : ofBlank);
    }
  }
  return delimiter === undefined ? done : addLogs(done, addLogs(blanks[last]!, own[last - 1]!));
}
