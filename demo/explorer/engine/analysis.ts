import type { Backend } from 'webgpu-ctc';

/** What is asked: the scores of a recogniser, and the labels whose paths are counted. */
export interface Problem {
  /** [frames, classes], not normalised; with a star log-probabilities. */
  readonly logits: Float32Array<ArrayBuffer>;
  readonly frames: number;
  readonly classes: number;
  readonly blank: number;
  readonly labels: readonly number[];
  /** Where a label stands for anything. */
  readonly star?: Star;
  /** Where it is a part of a longer recording: which of its frames and labels are the first here. */
  readonly first?: number;
  readonly firstLabel?: number;
}

export interface Star {
  /** Its class: the last, behind those of the recogniser. */
  readonly c: number;
  /** What the recogniser gave for its own classes, [frames, classes − 1], not normalised. */
  readonly logits: Float32Array<ArrayBuffer>;
}

/** A state of the lattice: even states are blanks, state 2i + 1 is label i. */
export interface Cell {
  readonly t: number;
  readonly s: number;
}

/** Of one cell. Natural logarithms, −Infinity where no path passes; `posterior` is a share from 0 to 1. */
export interface CellValues {
  readonly alpha: number;
  readonly beta: number;
  readonly posterior: number;
}

/** The kept lattice on the device, for shaders. */
export interface LatticeOnDevice {
  /** Declares alphaLog(0, t, s), betaLog(0, t, s), posterior(0, t, s), ctcClass(0, s) in bind group 0. */
  readonly wgsl: string;
  readonly entries: readonly GPUBindGroupEntry[];
}

/** The same in memory, [frames, 2 · labels + 1]: where there is no WebGPU. */
export interface LatticeOnHost {
  readonly alpha: Float64Array;
  readonly beta: Float64Array;
  readonly posterior: Float64Array;
  /** States of a row. */
  readonly stride: number;
}

/** Of all paths the likeliest, [frames] each. */
export interface BestPath {
  readonly states: Int32Array;
  /** Classes. */
  readonly labels: Int32Array;
  /** Log-probabilities. */
  readonly scores: Float32Array;
  /** Their sum. */
  readonly score: number;
}

/** All that is known about a problem. */
export interface Analysis {
  readonly problem: Problem;
  readonly backend: Backend;
  /** −ln of the probability of the labels; Infinity where there is no path, NaN where a score is no number. */
  readonly loss: number;
  /** Log-softmax of the logits; of a star its price. */
  readonly logProbs: Float32Array<ArrayBuffer>;
  /** Of the loss by the logits: softmax − posterior, [frames, classes]; of a star 0. */
  readonly grad: Float32Array<ArrayBuffer>;
  /** The best path; none where there is no path. */
  readonly alignment: BestPath | undefined;
  /** Classes of the best symbol of each frame, whatever the labels. */
  readonly greedy: Int32Array;
  readonly lattice: { readonly onDevice: LatticeOnDevice } | { readonly onHost: LatticeOnHost };
  /** The posterior before the edits, [frames, states], where the change is asked for. */
  readonly baseline: Float32Array<ArrayBuffer> | undefined;
  /** Counts up with each analysis: what is made from one is stale for the next. */
  readonly version: number;
}

/** The frame of the recording that a frame of the lattice is. */
export const frameOf = ({ first = 0 }: Problem, t: number): number => first + t;
/** The number of a label in the text, from 1, whatever part of it is shown. */
export const numberOf = ({ firstLabel = 0 }: Problem, i: number): number => firstLabel + i + 1;
export const statesOf = ({ labels }: Problem): number => 2 * labels.length + 1;
export const classAt = ({ labels, blank }: Problem, s: number): number => (s % 2 ? labels[s >> 1]! : blank);

/** What the recogniser itself gave: without a star. */
export const ownScores = ({ logits, frames, classes, star }: Problem) =>
  star ? { logits: star.logits, frames, classes: classes - 1 } : { logits, frames, classes };

/** The first and the last frame in which a path can be in each state. */
export interface Reach {
  readonly earliest: Int32Array;
  readonly latest: Int32Array;
}

const reaches = new WeakMap<Problem, Reach>();

/** Each label takes a frame, and so does each blank between two that are the same. */
export function reachOf(problem: Problem): Reach {
  const known = reaches.get(problem);
  if (known) return known;
  const { labels, frames } = problem;
  const states = statesOf(problem);
  const earliest = new Int32Array(states);
  const latest = new Int32Array(states).fill(frames - 1);
  const repeats = (i: number) => Number(i > 0 && i < labels.length && labels[i] === labels[i - 1]);
  labels.forEach((_, i) => {
    const s = 2 * i + 1;
    if (i > 0) earliest[s] = earliest[s - 2]! + 1 + repeats(i);
    earliest[s + 1] = earliest[s]! + 1;
  });
  for (let i = labels.length - 1; i >= 0; i--) {
    const s = 2 * i + 1;
    if (i < labels.length - 1) latest[s] = latest[s + 2]! - 1 - repeats(i + 1);
    latest[s - 1] = latest[s]! - 1;
  }
  const reach = { earliest, latest };
  reaches.set(problem, reach);
  return reach;
}

/** Whether a path through the cell can come from the start and reach the end, were no probability 0. */
export function isPossible(problem: Problem, { t, s }: Cell): boolean {
  const { earliest, latest } = reachOf(problem);
  return t >= earliest[s]! && t <= latest[s]!;
}

/** From which states a path can come into a cell. */
export function predecessors({ problem }: Analysis, { t, s }: Cell): Cell[] {
  if (t === 0) return [];
  const skips = s % 2 === 1 && s >= 3 && classAt(problem, s) !== classAt(problem, s - 2);
  const froms = [s, s - 1, ...(skips ? [s - 2] : [])];
  return froms
    .filter((from) => from >= 0 && from < statesOf(problem))
    .map((from) => ({ t: t - 1, s: from }))
    .filter((cell) => isPossible(problem, cell));
}

/** Of the classes of the lattice: the scale of the gradient's colours. */
export function largestGradient({ problem, grad }: Analysis): number {
  const own = new Set([problem.blank, ...problem.labels]);
  let largest = 1e-30;
  for (let t = 0; t < problem.frames; t++) {
    for (const c of own) {
      const size = Math.abs(grad[t * problem.classes + c]!);
      if (size > largest) largest = size;
    }
  }
  return largest;
}
