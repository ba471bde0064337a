// Which path is looked at, also in a URL.
import type { Cell } from '../engine/analysis.js';

export type PathChoice =
  /** By its rank among the likeliest, from 0. */
  | { readonly kind: 'best'; readonly rank: number }
  /** Drawn from all by their probabilities. */
  | { readonly kind: 'drawn'; readonly seed: number }
  /** The likeliest of those that pass a cell. */
  | ({ readonly kind: 'through' } & Cell);

export const likeliest: PathChoice = { kind: 'best', rank: 0 };

/** `b0`, `d17`, `t7.6`. */
export function writePath(choice: PathChoice): string {
  if (choice.kind === 'best') return `b${choice.rank}`;
  return choice.kind === 'drawn' ? `d${choice.seed}` : `t${choice.t}.${choice.s}`;
}

/** Undefined for what is no path. */
export function readPath(written: string): PathChoice | undefined {
  const [, kind, first, , second] = /^([bdt])(\d{1,7})(\.(\d{1,7}))?$/.exec(written) ?? [];
  if (kind === 't' && second) return { kind: 'through', t: Number(first), s: Number(second) };
  if (kind === undefined || kind === 't' || second) return undefined;
  return kind === 'b' ? { kind: 'best', rank: Number(first) } : { kind: 'drawn', seed: Number(first) };
}
