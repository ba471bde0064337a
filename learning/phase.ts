// Which phase a training with CTC is in.

/** In the order in which they come. */
export const phases = ['guessing', 'silence', 'spikes', 'reading'] as const;
export type Phase = (typeof phases)[number];

/** Measured on strings that nothing is learned from. */
export interface Watched {
  /** The share of the frames whose best class is the blank. */
  readonly blanks: number;
  /** Digits that are read for each one that is there. */
  readonly read: number;
  /** Wrong digits for each one that is there: substitutions, insertions and deletions. */
  readonly wrong: number;
}

/**
 * A network that knows nothing has a digit for every frame. It falls silent first: the blank fits beside every label, a digit
 * beside few. Then it becomes sure of digits, one frame at a time, and in the end two thirds of them are right.
 */
export function phaseOf({ blanks, read, wrong }: Watched): Phase {
  if (wrong < 1 / 3) return 'reading';
  if (blanks < 1 / 2) return 'guessing';
  return read < 1 / 10 ? 'silence' : 'spikes';
}
