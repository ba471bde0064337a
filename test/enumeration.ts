/**
 * What each operation has to answer, from the definition alone: every path of a tiny problem is looked at, in float64 and apart
 * from src/. Beside the scores that a model gives, the problems hold every kind of number that a float32 can be.
 */
import { expect } from 'vitest';
import type { Ranking } from '../src/api/ctc-ranker.js';
import type { ScoresKey } from '../src/problem/check.js';
import { halfToFloat } from '../src/problem/half.js';
import { viterbi } from './best-path.js';
import type { OperationName } from './operations.js';
import { type Batch, collapse, seeded } from './reference.js';

const NONE = Number.NEGATIVE_INFINITY;

/** Scores beyond what a model gives: masks, limits of float16 and float32, what no arithmetic must see. */
const extremes = [
  ...[0, -0, -0, -1e4, 1e4, -65504, 65504, -1e9, 1e9, -1e10, 1e10, -1e12, -1e30, 1e30, 3.4028234663852886e38],
  ...[-3.4028234663852886e38, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-40, -1e-45, -300, -5000],
  ...[-(2 ** 27), 2 ** 27, -(2 ** 31), -(2 ** 53)],
];
/** What programs write in the place of a probability of zero. */
const masks = [-1e9, -1e10, -1e10, -1e12, -1e30, -3.4028234663852886e38, -(2 ** 27), -(2 ** 31)];
const invalid = [Number.NaN, Number.POSITIVE_INFINITY];

/** A batch of tiny problems. */
export interface Problems extends Batch {
  /** Whether all sums of its scores are exact, so that ties are ties. */
  readonly exact: boolean;
  /** The one score beside ordinary ones, where there is one that is far below them. */
  readonly mask?: number;
  /** The scores as float16, where they are. */
  readonly halves?: Uint16Array;
  readonly layout: 'TNC' | 'NTC';
}

/** Problems from a seed: their shapes, targets, lengths and scores are all drawn. */
export function problemsOf(seed: number, sequences: number): Problems {
  const random = seeded(seed);
  const integer = (end: number) => Math.floor(random() * end);
  const pick = <T>(list: readonly T[]) => list[integer(list.length)]!;
  const classes = 1 + integer(4);
  const frames = 1 + integer(3) + integer(classes < 4 ? 4 : 3);
  const blank = integer(classes);
  const others = Array.from({ length: classes }, (_, c) => c).filter((c) => c !== blank);
  const targets = Array.from({ length: sequences }, () =>
    Array.from({ length: others.length === 0 ? 0 : integer(Math.min(4, frames)) }, () => pick(others)),
  );
  // every other sequence has all frames: few frames have few paths, or none
  const inputLengths = targets.map(() => Math.min(frames, integer(2 * frames + 2)));
  const kind = pick([
    'ordinary',
    'tied',
    'extreme',
    'extreme',
    'masked',
    'masked',
    'invalid',
    'bits',
    'halves',
  ] as const);
  const share = pick([0.1, 0.3, 0.6, 1]);
  const mask = Math.fround(pick(random() < 0.7 ? masks : extremes));
  // beside a mask whole numbers of millions, as long as a sum of the two has their digits
  const isSteep = kind === 'masked' && Math.abs(mask) < 1e13 && random() < 0.5;
  const ordinary = () =>
    isSteep && random() < 0.3 ? -integer(2 ** 23) : 3 * (random() + random() + random() - 1.5);
  const one = () => {
    if (kind === 'tied') return integer(3) - 2;
    if (kind === 'ordinary' || random() >= share) return ordinary();
    if (kind === 'masked') return mask;
    if (kind === 'bits') return new Float32Array(Uint32Array.of(integer(2 ** 32)).buffer)[0]!;
    return kind === 'invalid' && random() < 0.1 ? pick(invalid) : pick(extremes);
  };
  const count = frames * sequences * classes;
  // any bits but those of a NaN or an infinity, or one row in two would hold one
  const halves =
    kind === 'halves'
      ? Uint16Array.from({ length: count }, () => integer(0x7c00) + 0x8000 * integer(2))
      : undefined;
  const logits = halves ? Float32Array.from(halves, halfToFloat) : Float32Array.from({ length: count }, one);
  const probs = probabilitiesOf(logits, classes, kind, share, random);
  const batch = { frames, sequences, classes, blank, targets, inputLengths, logits, logProbs: logits, probs };
  return {
    ...batch,
    exact: kind === 'tied',
    layout: pick(['TNC', 'NTC']),
    ...(halves && { halves }),
    ...(kind === 'masked' && mask < -1e8 && mask > NONE && { mask }),
  };
}

/** What may stand where a probability should. */
const unlikely = [
  0,
  -0,
  1,
  1 - 2 ** -24,
  2 ** -24,
  1e-20,
  2 ** -126,
  1e-40,
  1.5,
  3e4,
  1e30,
  3.4028234663852886e38,
];
const noProbabilities = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, -1e-40];

/** The softmax of rows, and in the place of some whatever a float32 can be. */
function probabilitiesOf(
  logits: Float32Array,
  classes: number,
  kind: string,
  share: number,
  random: () => number,
): Float32Array<ArrayBuffer> {
  const pick = (list: readonly number[]) => list[Math.floor(random() * list.length)]!;
  return Float32Array.from(logits, (x, i) => {
    if (kind === 'bits' || kind === 'halves') return Math.abs(x);
    if (kind === 'tied') return 2 ** x;
    if (kind !== 'ordinary' && random() < share)
      return kind === 'invalid' && random() < 0.1 ? pick(noProbabilities) : pick(unlikely);
    const start = i - (i % classes);
    const near = (y: number) => Math.max(-20, Math.min(20, y));
    const row = Array.from(logits.subarray(start, start + classes), (y) => Math.exp(near(y) || 0));
    return row[i % classes]! / row.reduce((a, b) => a + b, 0);
  });
}

/** A path of classes through a sequence, and ln of its probability apart from the scales of its frames. */
interface Path {
  readonly classes: readonly number[];
  readonly score: number;
}

/** All that is known of one sequence. */
export interface Truth {
  readonly n: number;
  readonly target: readonly number[];
  /** Scores of the frames that are used. */
  readonly rows: readonly Float64Array[];
  /** Whether a NaN or +Infinity counts, or there is a row of logits without any. */
  readonly invalid: boolean;
  /** ln of the scale of each frame that the scores of paths leave out, and the sum of their sizes. */
  readonly scales: readonly number[];
  readonly size: number;
  /** Those of a probability above 0, as sums over paths count it: 2^−range below the best of its frame is zero. */
  readonly paths: readonly Path[];
  /** Scores relative to the largest of each frame that counts; −Infinity where a sum over paths counts zero. */
  readonly relative: readonly Float64Array[];
  readonly logZ: number;
  /** For each frame and class: its share of all paths. */
  readonly occupancy: readonly Float64Array[];
}

function logSumOf(scores: readonly number[]): number {
  const top = scores.reduce((a, b) => Math.max(a, b), NONE);
  return top === NONE ? NONE : top + Math.log(scores.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

/** Every path of classes whose frames all have a score and which reads as the target. */
export function pathsOf(
  rows: readonly Float64Array[],
  target: readonly number[],
  blank: number,
  before: readonly number[] = [],
): Path[] {
  const wanted = target.join();
  const classes = [...new Set([blank, ...target])];
  const found: Path[] = [];
  const extend = (path: readonly number[], score: number) => {
    const t = path.length - before.length;
    const read = collapse(path, blank);
    if (read.length > target.length || read.some((label, i) => label !== target[i])) return;
    if (t === rows.length) {
      if (read.join() === wanted) found.push({ classes: path, score });
      return;
    }
    for (const c of classes) if (rows[t]![c]! > NONE) extend([...path, c], score + rows[t]![c]!);
  };
  extend(before, 0);
  return found;
}

export function truthOf(batch: Batch, n: number, scores: ScoresKey): Truth {
  const { sequences, classes, blank } = batch;
  const target = batch.targets[n]!;
  const length = batch.inputLengths[n]!;
  const rows = Array.from({ length }, (_, t) => {
    const start = (t * sequences + n) * classes;
    const row = Float64Array.from(batch[scores].subarray(start, start + classes));
    return scores === 'probs' ? row.map(Math.log) : row;
  });
  const counted = scores === 'logits' ? [...Array(classes).keys()] : [...new Set([blank, ...target])];
  const of = (row: Float64Array) => counted.map((c) => row[c]!);
  const isInvalid = rows.some((row) => {
    const values = of(row);
    return values.some((x) => !(x < Infinity)) || (scores === 'logits' && values.every((x) => x === NONE));
  });
  const maxima = rows.map((row) => of(row).reduce((a, b) => Math.max(a, b), NONE));
  const range = Math.min(2 ** 20, 2 ** 29 / Math.max(1, length)) * Math.LN2;
  const relative = rows.map((row, t) =>
    row.map((x) => (x === NONE || x - maxima[t]! < -range ? NONE : x - maxima[t]!)),
  );
  const scales = rows.map((row, t) => {
    if (scores !== 'logits') return maxima[t] === NONE ? 0 : maxima[t]!;
    // all but one of the largest: ln(1 + rest)
    return -Math.log1p(of(row).reduce((sum, x) => sum + Math.exp(x - maxima[t]!), -1));
  });
  const paths = isInvalid ? [] : pathsOf(relative, target, blank);
  const inner = logSumOf(paths.map(({ score }) => score));
  const occupancy = rows.map((_, t) => {
    const shares = new Float64Array(classes);
    for (const path of paths) shares[path.classes[t]!]! += Math.exp(path.score - inner);
    return shares;
  });
  const size = maxima.reduce((sum, x) => sum + (Number.isFinite(x) ? Math.abs(x) : 0), 0);
  const logZ = isInvalid ? Number.NaN : inner + scales.reduce((a, b) => a + b, 0);
  return { n, target, rows, invalid: isInvalid, scales, size, paths, relative, logZ, occupancy };
}

/** How an operation was run, as far as its answer depends on it. */
export interface Asked {
  readonly scores: ScoresKey;
  readonly gradient?: 'logits' | 'logProbs';
  readonly zeroInfinity?: boolean;
  readonly samples?: number;
}

type Answer = Readonly<Record<string, unknown>>;
type Expectation = (answer: Answer, truths: readonly Truth[], batch: Problems, asked: Asked) => void;

const numbers = (value: unknown) => value as Float32Array | Float64Array | Int32Array;

function expectNear(got: number, expected: number, bar: number, what: string) {
  const same = Number.isFinite(expected) ? Math.abs(got - expected) <= bar : Object.is(got, expected);
  if (!same) expect.fail(`${what}: expected ${expected} ± ${bar}, got ${got}`);
}

const largestFloat = 3.4028234663852886e38;
const isRegular = ({ invalid, paths }: Truth) => !invalid && paths.length > 0;

/** The log-probability of a class of a frame, as a float32 can have it. */
function scoreOf(row: Float64Array, c: number, scores: ScoresKey): number {
  if (scores !== 'logits') return row[c]!;
  const top = row.reduce((a, b) => Math.max(a, b), NONE);
  const rest = row.reduce((sum, x) => sum + Math.exp(x - top), -1);
  return Math.fround(row[c]! - top - Math.log1p(rest));
}

function expectLosses(loss: ArrayLike<number>, truths: readonly Truth[], { scores, zeroInfinity }: Asked) {
  for (const { n, logZ, size, rows } of truths) {
    if (zeroInfinity && logZ === NONE) {
      expect(loss[n], `loss of sequence ${n}`).toBe(0);
      continue;
    }
    const bar = 1e-6 * (Math.abs(logZ) + (scores === 'logits' ? 0 : size)) + 1e-6 + 3e-9 * rows.length;
    // float32 has no more than this
    const expected = Number.isFinite(logZ) ? Math.fround(0 - logZ) : 0 - logZ;
    expectNear(loss[n]!, expected, bar, `loss of sequence ${n}`);
    if (scores === 'logits' && loss[n]! < 0) expect.fail(`loss of sequence ${n}: ${loss[n]} is below 0`);
  }
}

function expectGradient(
  grad: ArrayLike<number>,
  truths: readonly Truth[],
  batch: Problems,
  { scores, gradient = 'logits', zeroInfinity = false }: Asked,
) {
  const { frames, sequences, classes } = batch;
  for (const truth of truths) {
    const { n, rows, occupancy } = truth;
    for (let t = 0; t < frames; t++) {
      for (let c = 0; c < classes; c++) {
        let expected = 0;
        if (t < rows.length) {
          const x = rows[t]![c]!;
          let p = 0;
          if (gradient === 'logits')
            p = scores === 'logits' ? Math.exp(scoreOf(rows[t]!, c, scores)) : Math.exp(x);
          const none = zeroInfinity && truth.logZ === NONE ? 0 : Number.NaN;
          expected = isRegular(truth) ? p - occupancy[t]![c]! : none;
          if (expected > largestFloat) expected = Number.POSITIVE_INFINITY;
        }
        const bar = 5e-6 * Math.max(1, Math.abs(expected));
        expectNear(
          grad[(t * sequences + n) * classes + c]!,
          expected + 0,
          bar,
          `gradient of sequence ${n}, frame ${t}, class ${c}`,
        );
      }
    }
  }
}

/** How many masks are on a path, and the sum of its other scores. */
function maskedOf(classes: readonly number[], rows: readonly Float64Array[], mask: number) {
  const given = classes.map((c, t) => rows[t]![c]!);
  const others = given.filter((x) => x !== mask);
  return { masks: given.length - others.length, score: others.reduce((a, b) => a + b, 0) };
}

/** A class of each frame or −1, and its score: what alignment and reading share. */
function expectFrames(
  { labels, scores: got }: Answer,
  { n, rows }: Truth,
  { frames }: Batch,
  scores: ScoresKey,
): number[] {
  const path = [...numbers(labels).subarray(n * frames, (n + 1) * frames)];
  const given = numbers(got).subarray(n * frames, (n + 1) * frames);
  path.forEach((c, t) => {
    const what = `sequence ${n}, frame ${t}`;
    if (t >= rows.length) expect([c, given[t]], `${what}, unused`).toEqual([-1, 0]);
    else if (c !== -1) {
      const expected = scoreOf(rows[t]!, c, scores);
      expectNear(given[t]!, expected, 1e-6 + 3e-7 * Math.abs(expected), `score of ${what}`);
    }
  });
  return path.slice(0, rows.length);
}

/** All but the beam search, which reads texts rather than targets: those are enumerated in test/beam-enumeration.ts. */
export type Enumerated = Exclude<OperationName, 'CtcBeamDecoder'>;

export const expectations: Readonly<Record<Enumerated, Expectation>> = {
  CtcLoss({ loss, grad }, truths, batch, asked) {
    expectLosses(numbers(loss), truths, asked);
    expectGradient(numbers(grad), truths, batch, asked);
  },

  CtcAligner(answer, truths, batch, { scores }) {
    for (const truth of truths) {
      const { n, rows, target, invalid, size } = truth;
      // of probabilities the logarithms are rounded
      const isExact = scores !== 'probs';
      const path = expectFrames(answer, truth, batch, scores);
      const score = numbers(answer.score)[n]!;
      const given = numbers(answer.scores).subarray(n * batch.frames, n * batch.frames + rows.length);
      // alignment counts no score as zero but −Infinity
      const all = invalid ? [] : pathsOf(rows, target, batch.blank);
      if (all.length === 0) {
        expect(path, `sequence ${n} has no path`).toEqual(rows.map(() => -1));
        expect([...given]).toEqual(rows.map(() => (invalid ? Number.NaN : 0)));
        expect(score).toBe(invalid ? Number.NaN : NONE);
        continue;
      }
      const what = `sequence ${n}, [${path}] for [${target}]`;
      expect(collapse(path, batch.blank), what).toEqual(target);
      const counted = [...new Set([batch.blank, ...target])];
      const maxima = rows.map((row) => Math.max(...counted.map((c) => row[c]!)));
      const costs = (classes: readonly number[]) =>
        classes.reduce((sum, c, t) => sum + (maxima[t]! - rows[t]![c]!), 0);
      const [own, best] = [costs(path), Math.min(...all.map(({ classes }) => costs(classes)))];
      const bar = 1e-6 + 1e-7 * rows.length * best + (isExact ? 0 : 4e-7 * (best + size));
      if (!(own <= best + bar)) expect.fail(`${what} is ${own - best} worse than the best`);
      if (batch.mask !== undefined && isExact) {
        // as few masks as possible, and beside them the best of what is left, however large they are
        const measured = all.map(({ classes }) => maskedOf(classes, rows, batch.mask!));
        const masks = measured.reduce((least, one) => Math.min(least, one.masks), Infinity);
        const score = Math.max(...measured.filter((one) => one.masks === masks).map((one) => one.score));
        const got = maskedOf(path, rows, batch.mask);
        if (got.masks !== masks || !(got.score >= score - 0.01))
          expect.fail(
            `${what} has ${got.masks} masks and ${got.score} beside them, the best ${masks} and ${score}`,
          );
      }
      const sum = [...given].reduce((a, b) => a + b, 0);
      expectNear(score, sum, 1e-6 + 1e-9 * Math.abs(sum), `score of ${what}`);
      if (batch.exact && isExact)
        expect(path, what).toEqual(viterbi({ rows, target, blank: batch.blank }).labels);
    }
  },

  CtcDecoder(answer, truths, batch, { scores }) {
    for (const truth of truths) {
      const { n, rows } = truth;
      const path = expectFrames(answer, truth, batch, scores);
      rows.forEach((row, t) => {
        const top = row.reduce((a, b) => Math.max(a, b), NONE);
        const none = row.some(Number.isNaN) || (scores === 'logits' && !Number.isFinite(top));
        // a device may take what is smaller than every normal float for 0
        const flushed = row.map((x) => (Math.abs(x) < 2 ** -126 ? 0 : x));
        const first = [row.indexOf(top), flushed.indexOf(Math.max(...flushed))];
        if (none ? path[t] !== -1 : !first.includes(path[t]!))
          expect.fail(`sequence ${n}, frame ${t}: expected class ${none ? -1 : first}, got ${path[t]}`);
        if (none) expect(numbers(answer.scores)[n * batch.frames + t]).toBe(Number.NaN);
      });
      const { ids } = (answer.readings as { ids: Int32Array }[])[n]!;
      if (!path.includes(-1)) expect([...ids]).toEqual(collapse(path, batch.blank));
    }
  },

  CtcPosterior({ durations, confidences, samples }, truths, batch, { samples: count = 0 }) {
    const width = numbers(durations).length / batch.sequences;
    for (const truth of truths) {
      const { n, target, paths, rows } = truth;
      for (let i = 0; i < width; i++) {
        let [duration, confidence] = [0, 0];
        if (i < target.length && !isRegular(truth)) [duration, confidence] = [Number.NaN, Number.NaN];
        else if (i < target.length) {
          const shares = rows.map((_, t) => shareOf(truth, t, 2 * i + 1, batch.blank));
          duration = shares.reduce((a, b) => a + b, 0);
          confidence = Math.max(0, ...shares);
        }
        const what = `label ${i} of sequence ${n}`;
        expectNear(numbers(durations)[n * width + i]!, duration, 1e-5, `duration of ${what}`);
        expectNear(numbers(confidences)[n * width + i]!, confidence, 2e-6, `confidence of ${what}`);
      }
      const known = new Map(paths.map((path) => [path.classes.join(), path]));
      for (let j = 0; j < count; j++) {
        const start = (n * count + j) * batch.frames;
        const drawn = [...numbers(samples).subarray(start, start + batch.frames)];
        expect(drawn.slice(rows.length)).toEqual(Array(batch.frames - rows.length).fill(-1));
        const path = drawn.slice(0, rows.length);
        if (!isRegular(truth)) expect(path).toEqual(rows.map(() => -1));
        else if (!known.has(path.join()))
          expect.fail(`sequence ${n}: drawn [${path}], no path of [${target}]`);
      }
    }
  },

  CtcRanker({ rankings }, truths, batch, { scores }) {
    truths.forEach((truth, n) => {
      const own = [
        truth,
        ...truths
          .slice(n + 1, n + 2)
          .map(({ target }) => truthOf({ ...batch, targets: batch.targets.map(() => target) }, n, scores)),
      ];
      const { losses, probabilities, mass, best, free, distances } = (rankings as Ranking[])[n]!;
      expect(losses.length).toBe(own.length);
      for (const [k, one] of own.entries()) expectLosses([losses[k]!], [{ ...one, n: 0 }], { scores });
      const same = own.length > 1 && own[0]!.target.join() === own[1]!.target.join();
      const all = [...losses].map((loss) => Math.exp(-loss));
      expectNear(
        mass,
        Math.min(
          1,
          all.slice(0, same ? 1 : undefined).reduce((a, b) => a + b, 0),
        ),
        1e-12,
        'mass',
      );
      const known = !all.some(Number.isNaN);
      const some = losses.some((loss) => loss < Infinity);
      expect(best).toBe(known && some ? losses.indexOf(Math.min(...losses)) : -1);
      const total = [...probabilities].reduce((a, b) => a + b, 0);
      expectNear(total, known ? Number(some) : Number.NaN, 1e-12, 'sum of probabilities');
      probabilities.forEach((p, k) => {
        const odds = Math.exp(losses[best]! - losses[k]!);
        if (known && some) expectNear(p, probabilities[best]! * odds, 1e-12, `probability ${k}`);
      });
      const reading = truthOf({ ...batch, targets: batch.targets.map(() => [...free.labels]) }, n, scores);
      expectLosses([free.loss], [{ ...reading, n: 0 }], { scores });
      expect([...distances]).toEqual(
        [...losses].map((loss) => (loss === Infinity ? loss : loss - free.loss)),
      );
    });
  },
};

/** The state that a path of classes is in after its last frame: 2k in the blank after k labels, 2k − 1 in label k. */
function stateAfter(path: readonly number[], blank: number): number {
  return 2 * collapse(path, blank).length - Number(path.at(-1) !== blank);
}

function shareOf({ paths }: Truth, t: number, state: number, blank: number): number {
  const all = logSumOf(paths.map(({ score }) => score));
  return paths
    .filter(({ classes }) => stateAfter(classes.slice(0, t + 1), blank) === state)
    .reduce((sum, { score }) => sum + Math.exp(score - all), 0);
}

/** Alpha, beta and posterior of every state that lies on a path whatever the scores are, by state and frame. */
export function latticeOf(
  { rows, relative, scales, target, paths, invalid }: Truth,
  blank: number,
): { t: number; state: number; alpha: number; beta: number; posterior: number }[] {
  const scale = (from: number, end: number) => scales.slice(from, end).reduce((a, b) => a + b, 0);
  const all = logSumOf(paths.map(({ score }) => score));
  // all ways that there would be if every class had a score
  const ways = pathsOf(
    rows.map((row) => row.map(() => 0)),
    target,
    blank,
  );
  return rows.flatMap((_, t) => {
    const prefixes = new Map<number, Set<string>>();
    for (const { classes } of ways) {
      const prefix = classes.slice(0, t + 1);
      const state = stateAfter(prefix, blank);
      prefixes.set(state, (prefixes.get(state) ?? new Set()).add(prefix.join()));
    }
    return [...prefixes].map(([state, texts]) => {
      const starts = [...texts].map((text) => text.split(',').map(Number));
      const into = logSumOf(starts.map((path) => path.reduce((sum, c, i) => sum + relative[i]![c]!, 0)));
      const onward = logSumOf(
        pathsOf(relative.slice(t + 1), target, blank, starts[0]!).map(({ score }) => score),
      );
      return {
        t,
        state,
        alpha: into + scale(0, t + 1),
        beta: onward + scale(t + 1, rows.length),
        posterior: invalid || all === NONE ? Number.NaN : Math.exp(into + onward - all),
      };
    });
  });
}
