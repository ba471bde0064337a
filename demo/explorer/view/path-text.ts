// A path as a text: frame by frame, with repeats merged, and with the blanks dropped.
import { classAt, type Problem } from '../engine/analysis.js';
import { type NameOf, space } from './explain.js';

/** Of a class in a path, as short as there is: `–` for the blank, `_` for the one between words. */
export function symbolOf(c: number, blank: number, nameOf: NameOf): string {
  if (c === blank) return '–';
  const name = nameOf(c);
  return name === space ? '_' : name;
}

/** Symbols of one letter stand side by side, longer ones apart. */
export const joined = (symbols: readonly string[]): string =>
  symbols.join(symbols.some((symbol) => [...symbol].length > 1) ? ' ' : '');

export interface PathText {
  /** A symbol for each frame. */
  readonly symbols: readonly string[];
  /** Neighbours that are the same as one. */
  readonly merged: readonly string[];
  /** Without the blanks. */
  readonly read: readonly string[];
}

/** Of the first frames of a path. `end`: how many of them. */
export function textOf(states: Int32Array, problem: Problem, nameOf: NameOf, end = states.length): PathText {
  const { blank } = problem;
  const classes = Array.from(states.subarray(0, end), (s) => classAt(problem, s));
  const first = classes.filter((c, t) => c !== classes[t - 1]);
  const say = (c: number) => symbolOf(c, blank, nameOf);
  return {
    symbols: classes.map(say),
    merged: first.map(say),
    read: first.filter((c) => c !== blank).map(say),
  };
}

/** Some symbols around a frame, `…` where there are more. */
export function excerptOf(symbols: readonly string[], t: number, most = 40): string {
  const first = Math.max(0, Math.min(t - (most >> 1), symbols.length - most));
  const end = Math.min(symbols.length, first + most);
  return `${first > 0 ? '…' : ''}${joined(symbols.slice(first, end))}${end < symbols.length ? '…' : ''}`;
}
