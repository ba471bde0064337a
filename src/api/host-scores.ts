import type { ProblemShape } from '../plan/plan.js';
import { floatsOf } from '../problem/half.js';
import type { Call, Runner } from '../run/runner.js';

/** The scores of a call as numbers, wherever they are: of a device's buffer, which has to have usage `COPY_SRC`, a copy. */
export async function hostScores(
  { inputs }: Call,
  { scores, dtype }: ProblemShape,
  runner: Runner,
): Promise<ArrayLike<number>> {
  const given = inputs[scores]!;
  if (ArrayBuffer.isView(given)) return given instanceof Uint16Array ? floatsOf(given, dtype) : given;
  const { buffer } = await runner.download!(given);
  return dtype === 'float32' ? new Float32Array(buffer) : floatsOf(new Uint16Array(buffer), dtype);
}

/** Where the scores of a frame of a recording begin. */
export const rowAt = (
  { layout, frames, sequences, classes, candidates = 1 }: ProblemShape,
  n: number,
  t: number,
) => (layout === 'NTC' ? n * frames + t : (t * sequences) / candidates + n) * classes;
