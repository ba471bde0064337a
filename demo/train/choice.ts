// Which of a list of numbers is on the pad: with the library, which the page does without until there is a list.

import { CtcRanker } from 'webgpu-ctc';
import { classes } from '../../learning/pen.js';
import type { PenReading } from '../../learning/settings.js';

/** How many times likelier what is read freely may be than the best of the list. */
const mostTimes = 100;

/** What is chosen of the list; `text` is undefined where it is none of it. */
export interface Choice {
  readonly text: string | undefined;
  /** Probability of the best of the list, and of all of it. */
  readonly p: number;
  readonly mass: number;
}

/** By the probability of all ways to write each of them. */
export async function chosen({ posteriors, frames }: PenReading, list: readonly string[]): Promise<Choice> {
  const ranker = await CtcRanker.create({ device: 'cpu' });
  const { rankings } = await ranker.run({
    probs: { data: posteriors, shape: [frames, classes] as const },
    // class 0 is the blank
    candidates: list.map((text) => Array.from(text, (digit) => Number(digit) + 1)),
  });
  ranker.destroy();
  const { best, losses, mass, distances } = rankings[0]!;
  const fits = best >= 0 && distances[best]! <= Math.log(mostTimes);
  return { text: fits ? list[best] : undefined, p: best < 0 ? 0 : Math.exp(-losses[best]!), mass };
}
