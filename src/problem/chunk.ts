import { checkObject, isList, type ScoresKey, scoresKey, scoresKeys } from './check.js';
import { wrongKind, wrongValue } from './errors.js';

/** Frames of one recording, [T, C] in memory order: as many as there are, none too. One of three keys, with what it says the numbers are. */
export interface DecodeChunk {
  readonly logits?: ArrayLike<number> | undefined;
  readonly logProbs?: ArrayLike<number> | undefined;
  readonly probs?: ArrayLike<number> | undefined;
}

/** The scores of a chunk, and what they are. @throws TypeError, RangeError for what are no whole frames of `classes` scores */
export function scoresIn(
  chunk: DecodeChunk,
  classes: number,
): { readonly kind: ScoresKey; readonly scores: ArrayLike<number> } {
  checkObject('chunk', chunk, scoresKeys);
  const kind = scoresKey(chunk);
  const scores = chunk[kind] as ArrayLike<number>;
  if (!isList(scores)) throw wrongKind(kind, 'a list of scores', scores);
  if (scores.length % classes !== 0)
    throw wrongValue(kind, `frames of ${classes} scores`, `${scores.length} scores`);
  return { kind, scores };
}

/** @throws TypeError for a stream that has ended */
export function checkGoesOn(hasEnded: boolean): void {
  if (hasEnded) throw new TypeError('stream: expected one that goes on, got one that has ended');
}
