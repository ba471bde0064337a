// What a training is told, and what it tells.

/**
 * Of the network and of the movements that it reads: another one whenever weights that were learned before would read them
 * otherwise.
 */
export const networkVersion = 2;
/** Of a string: labels that there is room for. */
export const mostDigits = 16;

export interface TrainerSettings {
  /** Of the first weights and of what is written; the same seed learns the same. */
  readonly seed: number;
  /** Strings in a step. */
  readonly batch: number;
  readonly rate: number;
}

export const defaults: TrainerSettings = { seed: 1, batch: 32, rate: 0.008 };

/** What was read, and when: frames of the output are of equal length along the pen's way. */
export interface PenReading {
  readonly text: string;
  /** Posteriors [frames, classes]: the softmax. */
  readonly posteriors: Float32Array<ArrayBuffer>;
  readonly frames: number;
}

/** Share of wrong digits in fresh strings, and after how many steps it was measured. */
export interface ErrorRate {
  readonly steps: number;
  readonly rate: number;
}
