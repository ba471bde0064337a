// Some frames of a recording, with the labels that the best path of the whole has there: the lattice of a part.
import { type Problem, statesOf } from './analysis.js';

/** Frames, half-open. */
export interface Window {
  readonly first: number;
  readonly end: number;
}

/** The labels that a path says in some frames, as a half-open range of places. */
function labelsIn(path: Int32Array, { first, end }: Window): { first: number; end: number } {
  let [from, to] = [-1, -1];
  for (let t = first; t < end; t++) {
    const s = path[t]!;
    if (s % 2 === 0) continue;
    if (from < 0) from = s >> 1;
    to = s >> 1;
  }
  return from < 0 ? { first: path[first]! >> 1, end: path[first]! >> 1 } : { first: from, end: to + 1 };
}

/** The problem of a window. `path`: states of the best path of the whole, [frames]. */
export function partOf(whole: Problem, path: Int32Array, window: Window): Problem {
  const { logits, classes, blank, labels, star } = whole;
  const own = labelsIn(path, window);
  const rows = (of: Problem['logits'], width: number) =>
    of.subarray(window.first * width, window.end * width);
  return {
    ...{ classes, blank, labels: labels.slice(own.first, own.end), frames: window.end - window.first },
    logits: rows(logits, classes),
    ...(star && { star: { c: star.c, logits: rows(star.logits, classes - 1) } }),
    ...{ first: window.first, firstLabel: own.first },
  };
}

const cellsOf = (path: Int32Array, window: Window): number => {
  const { first, end } = labelsIn(path, window);
  return (window.end - window.first) * (2 * (end - first) + 1);
};

/** Frames from `first` on, or where `backwards` up to it, as many as have a lattice of at most so many cells. */
export function windowAt(path: Int32Array, first: number, most: number, backwards = false): Window {
  const of = (frames: number): Window =>
    backwards
      ? { first: Math.max(0, first - frames), end: first }
      : { first, end: Math.min(path.length, first + frames) };
  let [fits, fails] = [1, path.length + 1];
  while (fails - fits > 1) {
    const frames = (fits + fails) >> 1;
    if (cellsOf(path, of(frames)) <= most) fits = frames;
    else fails = frames;
  }
  return of(fits);
}

/** Whether a lattice has at most so many cells. */
export const isWithin = (problem: Problem, most: number): boolean =>
  problem.frames * statesOf(problem) <= most;
