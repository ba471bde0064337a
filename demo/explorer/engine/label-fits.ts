// How well each label of the text fits what was heard.
import { type Analysis, statesOf } from './analysis.js';

export interface LabelFit {
  /** Its place in the text, and its class. */
  readonly i: number;
  readonly c: number;
  /** Of the best path, half-open. */
  readonly first: number;
  readonly end: number;
  /** Geometric mean of its probabilities in its frames; of a star, of its prices. */
  readonly confidence: number;
  /** Entropy of the posterior over the states in its frames, in nats, on average: 0 where only one state is possible. */
  readonly entropy: number;
  /** How far it lies below the best class of its frames, in nats a frame: 0 where the free reading has it, too. */
  readonly distance: number;
  /** The class that is likeliest in its frames, on average, and how likely. */
  readonly heard: { readonly c: number; readonly share: number };
}

/** Of each label of a problem with a path. `posterior`: [frames, states]; without it no entropy is known. */
export function fitsOf(
  { problem, logProbs, alignment }: Pick<Analysis, 'problem' | 'logProbs' | 'alignment'>,
  posterior: Float32Array = new Float32Array(),
): LabelFit[] {
  const { labels, frames, classes, star } = problem;
  const states = statesOf(problem);
  const path = alignment!.states;
  const sums = labels.map(() => ({ first: frames, end: 0, log: 0, entropy: 0, distance: 0 }));
  const heardOf = (first: number, end: number) => {
    // a star is what is heard anyhow
    const shares = new Float64Array(star?.c ?? classes);
    for (let t = first; t < end; t++)
      for (let c = 0; c < shares.length; c++)
        shares[c]! += Math.exp(logProbs[t * classes + c]!) / (end - first);
    const c = shares.reduce((best, share, k) => (share > shares[best]! ? k : best), 0);
    return { c, share: shares[c]! };
  };
  for (let t = 0; t < frames; t++) {
    const s = path[t]!;
    if (s % 2 === 0) continue;
    const sum = sums[s >> 1]!;
    const row = logProbs.subarray(t * classes, (t + 1) * classes);
    const log = row[labels[s >> 1]!]!;
    sum.first = Math.min(sum.first, t);
    sum.end = t + 1;
    sum.log += log;
    sum.distance += row.reduce((most, x) => Math.max(most, x)) - log;
    for (const share of posterior.subarray(t * states, (t + 1) * states))
      if (share > 0) sum.entropy -= share * Math.log(share);
  }
  return sums.map(({ first, end, log, entropy, distance }, i) => {
    const count = end - first;
    return {
      ...{ i, c: labels[i]!, first, end, confidence: Math.exp(log / count) },
      ...{ entropy: entropy / count, distance: distance / count, heard: heardOf(first, end) },
    };
  });
}
