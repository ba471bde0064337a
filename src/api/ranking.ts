// What only a ranker needs, in a part of its own.

import { type ProblemShape, recordingsOf } from '../plan/plan.js';
import { planRank, planRead } from '../plan/rank-plan.js';
import { checkInteger, checkObject, isList } from '../problem/check.js';
import { peek, wrongKind, wrongValue } from '../problem/errors.js';
import { mergeTokens } from '../problem/spans.js';
import { type Batch, checkTargets, packRecords, recordWords } from '../problem/targets.js';
import type { Integers, RunOptions, TargetLengths, Targets } from '../problem/types.js';
import type { Call, Raw } from '../run/runner.js';
import { hostScores, rowAt } from './host-scores.js';
import type { Candidacy, Definition, TextAxes } from './operation.js';
import { heard, prefixLosses } from './ranking-prefixes.js';
import { type About, Task } from './task.js';

/** Labels of K candidates: rows (`[[1, 2], [3]]`, the lengths from the rows), or `{ data, shape: [K, S] }` where all are equally long. */
export type CandidateList =
  | readonly Integers[]
  | { readonly data: Integers; readonly shape: readonly [number, number] };

/** One list of candidates for all recordings, or a list of such lists, one for each recording; these may be of several lengths. */
export type Candidates = CandidateList | readonly CandidateList[];

/** Of one recording: how well each of its K candidates fits. */
export interface Ranking {
  /** −ln P of each candidate, [K]: the bits of a `CtcLoss` run of it alone. Infinity where it has no path; NaN where a score that counts is none. */
  readonly losses: Float64Array;
  /** What each is among the candidates, [K]: P over the sum of all P. They sum to 1; all 0 where no candidate has a path, NaN where a loss is. */
  readonly probabilities: Float64Array;
  /** The sum of P, a candidate that is given twice counted once: how much of all that the model hears is any of them, from 0 to 1. */
  readonly mass: number;
  /** Index of the candidate with the smallest loss, the first of equals; −1 where none has a path, or a loss is NaN. */
  readonly best: number;
  /** What is read where nothing is given: the labels of the best class of each frame, and their loss. */
  readonly free: { readonly labels: Int32Array; readonly loss: number };
  /**
   * With `prefixes`: −ln of the probability that what is said begins with each candidate, [K]. With a delimiter a candidate's words count as whole:
   * `stop it` begins with `stop`, `stopping` does not.
   */
  readonly prefixLosses?: Float64Array | undefined;
  /** How far each candidate is behind that, in nats, [K]: its loss less that of `free`. Infinity where it has no path. */
  readonly distances: Float64Array;
}

/** Whether a list of targets is a tensor of rows. */
const isTable = (value: unknown): boolean => !isList(value) && peek(value, 'data') !== undefined;

/** Whether each recording has a list of its own: whether the lists are lists of lists. */
function areOwn(candidates: unknown): candidates is ArrayLike<unknown> {
  return (
    isList(candidates) &&
    Array.prototype.some.call(candidates, (one) => isTable(one) || (isList(one) && isList(one[0])))
  );
}

/** The labels of a list of candidates. */
function labelsOf(name: string, list: unknown, axes: TextAxes, blank: number, most?: number): Uint32Array[] {
  if (!isTable(list) && !isList(list))
    throw wrongKind(name, 'a list of candidates, each a list of labels, or { data, shape: [K, S] }', list);
  const count = isList(list) ? list.length : peek(peek(list, 'shape'), '0');
  if (count === 0) throw wrongValue(name, 'at least one candidate', list);
  const flat = isList(list) ? Array.from(list, isList).indexOf(false) : -1;
  if (flat >= 0) throw wrongKind(`${name}[${flat}]`, 'a list of labels', (list as unknown[])[flat]);
  const shape = { ...axes, sequences: count as number };
  const names = { targets: name, inputLengths: 'inputLengths' };
  const { labels } = checkTargets(list as Targets, {}, shape, blank, most, names);
  return labels.map((row) => asText(row, axes.delimiter));
}

/** Checked candidates, with room for as many of each recording as the one has that has the most. */
export function checkCandidates(
  { candidates, inputLengths }: Candidacy,
  axes: TextAxes,
  blank: number,
  maxTargetLength?: number,
  room?: number,
): Batch & { readonly candidates: number } {
  const { sequences } = axes;
  const own = areOwn(candidates);
  if (own && candidates.length !== sequences)
    throw wrongValue(
      'candidates',
      `${sequences} lists, one for each recording, or one list for all`,
      candidates,
    );
  const shared = own ? undefined : labelsOf('candidates', candidates, axes, blank, maxTargetLength);
  const lists = Array.from({ length: sequences }, (_, n) => {
    return (
      shared ??
      labelsOf(`candidates[${n}]`, (candidates as ArrayLike<unknown>)[n], axes, blank, maxTargetLength)
    );
  });
  const most = lists.reduce((most, { length }) => Math.max(most, length), 0);
  lists.forEach(({ length }, n) => {
    if (length > (room ?? length))
      throw wrongValue(
        shared ? 'candidates' : `candidates[${n}]`,
        `at most ${room} (candidates of prepare)`,
        length,
      );
  });
  const width = room ?? most;
  const { inputLengths: lengths } = checkTargets(
    Array(sequences).fill([]),
    { inputLengths } as TargetLengths,
    axes,
    blank,
  );
  const nothing = new Uint32Array();
  return {
    candidates: width,
    labels: lists.flatMap((list) => Array.from({ length: width }, (_, k) => list[k] ?? nothing)),
    inputLengths: lists.flatMap((list, n) =>
      Array.from({ length: width }, (_, k) => (k < list.length ? lengths[n]! : -1)),
    ),
  };
}

/** A label sequence of those that read as a text: one delimiter between words, none at the ends. */
function asText(labels: Uint32Array, delimiter: number | undefined): Uint32Array {
  if (delimiter === undefined) return labels;
  const isRead = (label: number, i: number) => label !== delimiter || (i > 0 && labels[i - 1] !== delimiter);
  const read = labels.filter(isRead);
  return read.at(-1) === delimiter ? read.subarray(0, -1) : read;
}

/** A task whose sequences are candidates. On the host it also tells what was read freely, by a second plan. */
export class RankTask extends Task {
  setCandidates(candidates: Candidates, lengths: Pick<TargetLengths, 'inputLengths'> = {}): void {
    this.alive();
    checkObject('lengths', lengths, ['inputLengths']);
    const { task } = this.plan;
    const axes = { ...task, sequences: recordingsOf(task) };
    const given = { candidates, ...lengths };
    this.setBatch(checkCandidates(given, axes, task.blank, task.maxTargetLength, task.candidates));
  }

  override get memory(): number {
    const { plan, runner } = this.second!;
    return super.memory + plan.memory + (runner.slots?.memory ?? 0);
  }

  protected override async execute(call: Call, options: RunOptions, about: About): Promise<Raw> {
    const raw = await super.execute(call, options, about);
    if (!call.toHost) return raw;
    const { plan, runner } = this.second!;
    const inputLengths = about.inputLengths.filter((_, n) => n % about.task.candidates! === 0);
    const labels = readingsOf(raw.labels as Int32Array, about);
    runner.setRecords(packRecords({ inputLengths, labels }, plan.task));
    const { signal } = options;
    const { loss } = await runner.run({ ...call, outputs: {} }, signal ? { signal } : {});
    if (!about.task.prefixes) return { ...raw, free: loss! };
    return { ...raw, free: loss!, prefixes: await this.#prefixes(call, about, signal) };
  }

  async #prefixes(call: Call, about: About, signal?: AbortSignal): Promise<Float64Array> {
    const { task, inputLengths } = about;
    const count = task.candidates!;
    const scores = await hostScores(call, task, this.runner);
    const losses = new Float64Array(task.sequences);
    for (let n = 0; n < recordingsOf(task); n++) {
      const start = n * count;
      const frames = heard(scores, task, inputLengths[start]!, (t) => rowAt(task, n, t));
      const texts = Array.from({ length: count }, (_, k) => candidateIn(about, start + k));
      losses.set(await prefixLosses(texts, frames, task, signal), start);
    }
    return losses;
  }
}

/** What is read of each recording. */
function readingsOf(labels: Int32Array, { task: { frames, blank, delimiter } }: About): Uint32Array[] {
  return Array.from({ length: labels.length / frames }, (_, n) => {
    const path = labels.subarray(n * frames, (n + 1) * frames);
    const spans = mergeTokens(path, new Float32Array(frames), blank);
    return asText(
      Uint32Array.from(spans, ({ label }) => label),
      delimiter,
    );
  });
}

/** The candidates of one recording by their losses. */
function rankingOf(
  losses: Float64Array,
  isFirst: readonly boolean[],
  labels: Int32Array,
  free: number,
): Ranking {
  const least = losses.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const isPossible = least < Number.POSITIVE_INFINITY;
  const weights = losses.map((loss) => (loss === least ? 1 : Math.exp(least - loss)));
  const sum = weights.reduce((a, b) => a + b, 0);
  const heard = losses.reduce(
    (sum, loss, k) => sum + (isFirst[k] || Number.isNaN(loss) ? Math.exp(-loss) : 0),
    0,
  );
  return {
    losses,
    probabilities:
      Number.isNaN(least) || isPossible ? weights.map((weight) => weight / sum) : losses.map(() => 0),
    mass: Math.min(heard, 1),
    best: isPossible ? losses.indexOf(least) : -1,
    free: { labels, loss: free },
    distances: losses.map((loss) => (loss === Number.POSITIVE_INFINITY ? loss : loss - free)),
  };
}

/** The labels of a candidate, by its number among all. */
function candidateIn({ records, task }: About, k: number): number[] {
  const words = recordWords(task);
  const record = records.subarray(k * words, (k + 1) * words);
  const slots = record.subarray(4, 4 + record[1]!);
  return Array.from(slots, (slot) => record[4 + task.maxTargetLength + (slot & 0x3fffffff)]!);
}

/** Of each candidate of a recording whether none before it is the same. Those that are have equal losses. */
function firsts(losses: Float64Array, start: number, about: About): boolean[] {
  const times = new Map<number, number>();
  for (const loss of losses) times.set(loss, (times.get(loss) ?? 0) + 1);
  const seen = new Set<string>();
  return Array.from(losses, (loss, k) => {
    if (times.get(loss) === 1 || !Number.isFinite(loss)) return true;
    const text = candidateIn(about, start + k).join();
    const isFirst = !seen.has(text);
    seen.add(text);
    return isFirst;
  });
}

function checkDelimiter({ delimiter, classes, blank }: ProblemShape): void {
  if (delimiter === undefined) return;
  if (delimiter >= classes || delimiter === blank)
    throw wrongValue(
      'delimiter',
      `a class from 0 to ${classes - 1} other than the blank (${blank})`,
      delimiter,
    );
}

function answer({ losses, labels, free, prefixes }: Raw, about: About): object {
  const { candidates } = about.task as ProblemShape & { candidates: number };
  const readings = readingsOf(labels as Int32Array, about);
  const words = recordWords(about.task);
  const rankings = readings.map((ids, n) => {
    const start = n * candidates;
    const isThere = (k: number) =>
      about.records.subarray((start + k) * words + 1, (start + k) * words + 3).some(Boolean);
    let count = candidates;
    while (count > 1 && !isThere(count - 1)) count--;
    const own = (losses as Float64Array).slice(start, start + count);
    const ranking = rankingOf(
      own,
      firsts(own, start, about),
      Int32Array.from(ids),
      (free as Float64Array)[n]!,
    );
    const prefixLosses = (prefixes as Float64Array | undefined)?.slice(start, start + count);
    return { ...ranking, ...(prefixLosses && { prefixLosses }) };
  });
  return { rankings, labels };
}

/** Without any frames: what reads as nothing is all there is. */
function answerToNothing(
  { sequences, prefixes }: TextAxes & Pick<ProblemShape, 'prefixes'>,
  { labels, inputLengths }: Batch,
): object {
  const count = labels.length / sequences;
  const rankings = Array.from({ length: sequences }, (_, n) => {
    const own = labels.filter((_, k) => Math.floor(k / count) === n && inputLengths[k]! >= 0);
    const losses = Float64Array.from(own, ({ length }) => (length === 0 ? 0 : Number.POSITIVE_INFINITY));
    const isFirst = own.map((_, k) => losses.indexOf(losses[k]!) === k);
    const ranking = rankingOf(losses, isFirst, new Int32Array(), 0);
    return { ...ranking, ...(prefixes && { prefixLosses: losses.slice() }) };
  });
  return { rankings, labels: new Int32Array() };
}

export const definition: Definition = {
  settings: ['delimiter', 'prefixes'],
  sizes: ['maxTargetLength', 'candidates'],
  inputs: ['candidates'],
  hasTargets: true,
  candidatesOf: checkCandidates,
  absent: {},
  isWhole: true,
  empty: answerToNothing,
  Task: RankTask,
  answer,
  async plan(shape, limits, tuning) {
    const candidates = checkInteger('candidates', shape.candidates, 1);
    checkDelimiter(shape);
    return planRank({ ...shape, sequences: shape.sequences * candidates }, limits, tuning);
  },
  planAfter: planRead,
};
