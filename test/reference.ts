/**
 * What the library is compared with: CTC from its definition, over all paths, and a plain log-space forward-backward,
 * both in float64 and apart from src/. And the problems to compare on, made from a seed.
 */
import type { ScoresKey } from '../src/problem/check.js';

/** Scores in TNC order; `logProbs` is the log-softmax of `logits`, `probs` the softmax, each rounded to float32. */
export interface Batch {
  readonly frames: number;
  readonly sequences: number;
  readonly classes: number;
  readonly blank: number;
  readonly targets: readonly (readonly number[])[];
  readonly inputLengths: readonly number[];
  readonly logits: Float32Array<ArrayBuffer>;
  readonly logProbs: Float32Array<ArrayBuffer>;
  readonly probs: Float32Array<ArrayBuffer>;
}

/** One sequence: a row of scores for each frame, as log-probabilities that need not be normalised. */
export interface Sequence {
  readonly rows: readonly Float64Array[];
  readonly target: readonly number[];
  readonly blank: number;
}

/** ln Z and, for each frame and class, the share of the path mass that is there. */
interface Paths {
  readonly logZ: number;
  readonly occupancy: readonly Float64Array[];
}

export function collapse(path: readonly number[], blank: number): number[] {
  return path.filter((label, t) => label !== blank && label !== path[t - 1]);
}

/** Every one of the C^T paths; for tiny problems. */
export function allPaths({ rows, target, blank }: Sequence): Paths {
  const classes = rows[0]?.length ?? 0;
  const mass = rows.map(() => new Float64Array(classes));
  const wanted = target.join();
  let z = 0;
  const extend = (path: number[], score: number) => {
    if (path.length < rows.length) {
      for (let c = 0; c < classes; c++) extend([...path, c], score + rows[path.length]![c]!);
    } else if (collapse(path, blank).join() === wanted) {
      z += Math.exp(score);
      path.forEach((c, t) => {
        mass[t]![c]! += Math.exp(score);
      });
    }
  };
  extend([], 0);
  return { logZ: Math.log(z), occupancy: mass.map((row) => row.map((value) => value / z)) };
}

function logSum(a: number, b: number, c = -Infinity): number {
  const top = Math.max(a, b, c);
  return top === -Infinity ? top : top + Math.log(Math.exp(a - top) + Math.exp(b - top) + Math.exp(c - top));
}

export interface Lattice {
  readonly logZ: number;
  /** Logarithms, a row of 2S + 1 states for each frame; beta without the emission at its own frame. */
  readonly alpha: readonly Float64Array[];
  readonly beta: readonly Float64Array[];
}

/** Graves et al. 2006, equations 6 to 11, in log space. */
export function lattice({ rows, target, blank }: Sequence): Lattice {
  const states = 2 * target.length + 1;
  const classOf = (s: number) => (s % 2 ? target[(s - 1) / 2]! : blank);
  const maySkip = (s: number) => s % 2 === 1 && s > 1 && classOf(s) !== classOf(s - 2);
  const empty = () => new Float64Array(states).fill(-Infinity);
  const alpha = rows.map(empty);
  const beta = rows.map(empty);
  rows.forEach((row, t) => {
    const before = alpha[t - 1];
    for (let s = 0; s < states; s++) {
      const into = before
        ? logSum(before[s]!, before[s - 1] ?? -Infinity, maySkip(s) ? before[s - 2]! : -Infinity)
        : s < 2
          ? 0
          : -Infinity;
      alpha[t]![s] = into + row[classOf(s)]!;
    }
  });
  for (let t = rows.length - 1; t >= 0; t--) {
    const after = beta[t + 1]?.map((value, s) => value + rows[t + 1]![classOf(s)]!);
    for (let s = 0; s < states; s++) {
      beta[t]![s] = after
        ? logSum(
            after[s]!,
            after[s + 1] ?? -Infinity,
            maySkip(s + 2) && s + 2 < states ? after[s + 2] : -Infinity,
          )
        : s >= states - 2
          ? 0
          : -Infinity;
    }
  }
  const last = alpha.at(-1);
  const logZ = last ? logSum(last[states - 1]!, last[states - 2] ?? -Infinity) : states > 1 ? -Infinity : 0;
  return { logZ, alpha, beta };
}

export function forwardBackward(sequence: Sequence): Paths {
  const { logZ, alpha, beta } = lattice(sequence);
  const occupancy = sequence.rows.map((row, t) => {
    const sums = new Float64Array(row.length).fill(logZ === -Infinity ? Number.NaN : 0);
    alpha[t]!.forEach((value, s) => {
      sums[s % 2 ? sequence.target[(s - 1) / 2]! : sequence.blank]! += Math.exp(value + beta[t]![s]! - logZ);
    });
    return sums;
  });
  return { logZ, occupancy };
}

export interface Reference {
  readonly loss: Float64Array;
  readonly grad: Float64Array;
  /** Largest |sum of the row maxima| of a sequence: the bar for losses needs it. */
  readonly rowMaxima: number;
}

/** Sequence n of a batch; `scores: 'logits'` normalises in float64. */
export function sequenceOf(batch: Batch, n: number, scores: ScoresKey): Sequence {
  const { sequences, classes, blank } = batch;
  const rows = Array.from({ length: batch.inputLengths[n]! }, (_, t) => {
    const start = (t * sequences + n) * classes;
    const row = Float64Array.from(batch[scores].subarray(start, start + classes));
    if (scores === 'logProbs') return row;
    if (scores === 'probs') return row.map(Math.log);
    const top = row.reduce((a, b) => Math.max(a, b));
    const normaliser = top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
    return row.map((x) => x - normaliser);
  });
  return { rows, target: batch.targets[n]!, blank };
}

/** Losses, and the gradient of their sum in TNC order. */
export function reference(
  batch: Batch,
  scores: ScoresKey,
  gradient: 'logits' | 'logProbs',
  paths = forwardBackward,
): Reference {
  const { sequences, classes } = batch;
  const loss = new Float64Array(sequences);
  const grad = new Float64Array(batch.logits.length);
  let rowMaxima = 0;
  for (let n = 0; n < sequences; n++) {
    const sequence = sequenceOf(batch, n, scores);
    const { logZ, occupancy } = paths(sequence);
    loss[n] = 0 - logZ;
    sequence.rows.forEach((row, t) => {
      row.forEach((x, c) => {
        grad[(t * sequences + n) * classes + c] =
          (gradient === 'logits' ? Math.exp(x) : 0) - occupancy[t]![c]!;
      });
    });
    const maxima = sequence.rows.reduce((sum, row) => sum + row.reduce((a, b) => Math.max(a, b)), 0);
    rowMaxima = Math.max(rowMaxima, Math.abs(maxima));
  }
  return { loss, grad, rowMaxima };
}

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * - `random`: scores spread over a few units
 * - `confident`: every frame sure of one alignment of the target
 * - `mismatched`: every class of the target, blank and labels, 300 below the frame's best
 * - `silent`: every frame sure of the blank, the labels 300 below
 * - `tight`: just enough frames
 * - `repeats`: two classes, so that most labels repeat
 */
export type Kind = 'random' | 'confident' | 'mismatched' | 'silent' | 'tight' | 'repeats';
export const kinds: readonly Kind[] = ['random', 'confident', 'mismatched', 'silent', 'tight', 'repeats'];

export interface Size {
  readonly frames: number;
  readonly sequences: number;
  readonly classes: number;
  readonly labels: number;
  readonly blank?: number;
  /** All lengths from 0 on, feasible or not; else full lengths. */
  readonly ragged?: boolean;
}

export function makeBatch(kind: Kind, seed: number, size: Size): Batch {
  const { frames, sequences, classes, labels, blank = 0, ragged = false } = size;
  const random = seeded(seed);
  const integer = (end: number) => Math.floor(random() * end);
  const others = Array.from({ length: classes }, (_, c) => c).filter((c) => c !== blank);
  // `mismatched` and `silent` need a class that no target holds
  const usable = kind === 'repeats' ? others.slice(0, 2) : others.slice(0, Math.max(1, others.length - 1));
  const targets = Array.from({ length: sequences }, () =>
    Array.from(
      { length: classes < 2 ? 0 : ragged ? integer(labels + 1) : labels },
      () => usable[integer(usable.length)]!,
    ),
  );
  const required = targets.map((row) => row.length + row.filter((label, i) => label === row[i - 1]).length);
  const inputLengths = required.map((least) =>
    kind === 'tight' ? Math.min(frames, least) : ragged ? integer(frames + 1) : frames,
  );
  const logits = Float32Array.from(
    { length: frames * sequences * classes },
    () => 3 * (random() + random() + random() - 1.5),
  );
  for (let t = 0; t < frames; t++) {
    for (let n = 0; n < sequences; n++) {
      const start = (t * sequences + n) * classes;
      const state = Math.floor(((2 * targets[n]!.length + 1) * t) / Math.max(1, inputLengths[n]!));
      if (kind === 'confident') logits[start + (targets[n]![(state - 1) / 2] ?? blank)]! += 25;
      if (kind === 'mismatched') for (const c of [blank, ...usable]) logits[start + c]! -= 300;
      if (kind === 'silent') for (const c of usable) logits[start + c]! -= 300;
    }
  }
  const [logProbs, probs] = [logits.slice(), logits.slice()];
  const batch = { frames, sequences, classes, blank, targets, inputLengths, logits, logProbs, probs };
  for (let start = 0; start < logits.length; start += classes) {
    const row = Float64Array.from(logits.subarray(start, start + classes));
    const top = Math.max(...row);
    const normaliser = top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0));
    row.forEach((x, c) => {
      logProbs[start + c] = x - normaliser;
      probs[start + c] = Math.exp(x - normaliser);
    });
  }
  return batch;
}
