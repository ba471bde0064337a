// Random numbers that a seed makes again.

/** Uniform numbers from 0 to 1 without 1, the same for the same state (mulberry32). */
export function mulberry32(state: number): () => number {
  let at = state;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    return mixed(at) / 2 ** 32;
  };
}

function mixed(state: number): number {
  let x = Math.imul(state ^ (state >>> 15), state | 1);
  x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
  return (x ^ (x >>> 14)) >>> 0;
}

/** Random numbers of a seed: the same for the same seed, everywhere. */
export class Random {
  /** Uniform, from 0 to 1 without 1. */
  readonly next: () => number;

  /** `seeds`: integers; another list gives other numbers. */
  constructor(...seeds: readonly number[]) {
    this.next = mulberry32(seeds.reduce((state, seed) => mixed(state + seed + 0x9e3779b9), 0));
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next();
  }

  /** An integer from 0 to `count` − 1. */
  below(count: number): number {
    return Math.floor(count * this.next());
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** Normally distributed around 0 (Box and Muller 1958). */
  normal(deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return deviation * radius * Math.cos(2 * Math.PI * this.next());
  }
}
