// Handwriting that the page shows: always the same, and never learned from.

import { Random } from '../../learning/random.js';
import { type Handwriting, write } from '../../learning/writer.js';

/** A hand that is a pleasure to look at: steady, upright or nearly, with room between the digits. */
const neat = {
  ...{ unsteady: 1, jitter: 0.1, spacing: 3, gap: 24, drift: 0, turn: 0, uneven: 0.05, wave: 0, lift: 3 },
  ...{ tremor: 0, haste: 0, joining: 0, elsewhere: 0, lifting: 0, staying: 0 },
};

/** Of the film: its posterior is followed through the training. */
export const fixedSample: Handwriting = write('2047', new Random(2 ** 24 - 3, 5), {
  ...neat,
  slant: 0.12,
  width: 1,
});

/** For those who have no pen at hand. */
export function another(index: number): Handwriting {
  const random = new Random(2 ** 24 - 4, index);
  const length = 3 + random.below(3);
  const text = Array.from({ length }, () => random.below(10)).join('');
  return write(text, random, { ...neat, slant: random.between(-0.05, 0.3) });
}
