import { checkChoice, checkInteger, checkObject, kindOf } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import type { Layout } from '../problem/types.js';
import { checkTensor, type FileTensor, findInvalidScore, indexOf, scoresOf } from './tensor.js';

export const scoreKinds = ['logits', 'log-probs', 'probs'] as const;
/** What a model gave for each class: scores that are not normalised, log-probabilities, or probabilities. */
export type ScoreKind = (typeof scoreKinds)[number];

/** What numbers are, as scores that the library takes: probabilities become their logarithms. */
export interface Scores {
  readonly kind: ScoreKind;
  /** Which argument of the library they are. */
  readonly argument: 'logits' | 'logProbs';
  readonly data: Float32Array<ArrayBuffer>;
}

/** What a model gave for one recording, [frames, classes]. */
export interface Emissions extends Scores {
  readonly frames: number;
  readonly classes: number;
  /** Rows of zeros after these frames, which were cut off: the padding of a shorter recording. */
  readonly padding: number;
}

export interface EmissionsOptions {
  /** Default: `scoreKindOf` the numbers. */
  readonly kind?: ScoreKind;
  /** Default: the first of `TC`, `TNC`, `NTC` that fits a single recording. */
  readonly layout?: Layout;
}

/**
 * The emissions of one recording: a tensor [T, C], or a batch of one, without the rows of zeros at its end.
 *
 * @throws TypeError, RangeError for a wrong argument, and naming the tensor and what is wrong in it: another shape, integers, NaN or +Infinity, a negative probability, one above 1 or a row of them whose sum is, by more
 * than 0.01, a row of zeros among probabilities or log-probabilities, zeros alone.
 */
export function emissionsOf(tensor: FileTensor, options: EmissionsOptions = {}): Emissions {
  checkTensor(tensor);
  checkObject('options', options, ['kind', 'layout']);
  if (options.kind !== undefined) checkChoice('kind', options.kind, scoreKinds);
  if (options.layout !== undefined) checkChoice('layout', options.layout, ['TNC', 'NTC', 'TC']);
  const [rows, classes] = oneSequence(tensor, options.layout);
  const invalid = findInvalidScore(tensor);
  if (invalid) throw wrongValue(`${tensor.name}: [${invalid.index.join(', ')}]`, 'a score', invalid.value);
  const data = scoresOf(tensor);
  let frames = rows;
  while (frames > 0 && isZeros(tensor, classes, frames - 1)) frames--;
  if (frames === 0) throw new RangeError(`${tensor.name}: expected scores, got rows of zeros alone`);
  const { exact } = tensor;
  const spoken = {
    ...{ ...tensor, data: data.subarray(0, frames * classes) },
    ...(exact && { exact: exact.subarray(0, frames * classes) }),
  };
  return { ...asScores(spoken, classes, options.kind), frames, classes, padding: rows - frames };
}

/** A row that says nothing, as padding does. Of a single class, 0 is the logarithm of its probability. */
function isZeros({ data, exact }: FileTensor, classes: number, row: number): boolean {
  const given = exact ?? data;
  if (classes === 1) return false;
  for (let i = row * classes; i < (row + 1) * classes; i++) if (given[i] !== 0) return false;
  return true;
}

function oneSequence({ name, shape }: FileTensor, layout: Layout | undefined): [number, number] {
  const fits = (order: Layout) =>
    (layout === undefined || layout === order) &&
    shape.length === order.length &&
    shape.every((size, axis) => (order[axis] === 'N' ? size === 1 : size > 0));
  const order = (['TC', 'TNC', 'NTC'] as const).find(fits);
  if (order) return [shape[order.indexOf('T')], shape[order.indexOf('C')]];
  const expected = { TC: '[T, C]', TNC: '[T, 1, C]', NTC: '[1, T, C]' };
  throw new RangeError(
    `${name}: expected one recording, ${layout ? expected[layout] : Object.values(expected).join(' or ')}, got [${shape.join(', ')}]`,
  );
}

/**
 * @param isUsed whether a row, all axes but the last as one, is of a recording: padding may be zeros
 * @throws RangeError for integers, and for what cannot be of the kind that was asked for.
 */
export function asScores(
  tensor: FileTensor,
  classes: number,
  wanted?: ScoreKind,
  isUsed: (row: number) => boolean = () => true,
): Scores {
  const data = scoresOf(tensor);
  const kind = wanted ?? scoreKindOf(data, classes);
  if (kind === 'logits') return { kind, argument: 'logits', data };
  for (let row = 0; row * classes < data.length; row++) {
    if (!isUsed(row) || !isZeros(tensor, classes, row)) continue;
    const place = indexOf(row, tensor.shape.slice(0, -1)).join(', ');
    const expected = kind === 'probs' ? 'probabilities' : 'log-probabilities';
    throw new RangeError(`${tensor.name}: [${place}]: expected ${expected}, got a row of zeros`);
  }
  if (kind === 'log-probs') return { kind, argument: 'logProbs', data };
  const given = tensor.exact ?? data;
  checkProbabilities(tensor, given, classes);
  return { kind, argument: 'logProbs', data: Float32Array.from(given, Math.log) };
}

function checkProbabilities(
  { name, shape }: FileTensor,
  given: Float32Array | Float64Array,
  classes: number,
) {
  const place = (i: number, axes: number) => `${name}: [${indexOf(i, shape).slice(0, axes).join(', ')}]`;
  let sum = 0;
  given.forEach((value, i) => {
    if (value < 0 || value > 1 + tolerance) throw wrongValue(place(i, shape.length), 'a probability', value);
    sum = i % classes === 0 ? value : sum + value;
    if (sum > 1 + tolerance && i % classes === classes - 1)
      throw wrongValue(place(i, shape.length - 1), 'probabilities with a sum of 1', sum);
  });
}

/** Half precision, and bfloat16 more so, makes sums this wrong. */
const tolerance = 0.01;

/**
 * What numbers of rows of `classes` are, by what their rows add up to: to 1, or their exponentials to 1, within 0.01; else
 * logits. Rows of zeros are padding and say nothing, nor do those with a NaN.
 *
 * @throws TypeError, RangeError unless there are so many scores that each row has `classes`.
 */
export function scoreKindOf(data: Float32Array, classes: number): ScoreKind {
  if (kindOf(data) !== 'Float32Array') throw wrongKind('data', 'a Float32Array', data);
  checkInteger('classes', classes, 1);
  if (data.length % classes !== 0) throw wrongValue('data', `rows of ${classes} values`, data.length);
  const could = { 'log-probs': true, probs: true };
  let normalised = 0;
  for (let at = 0; at < data.length && (could.probs || could['log-probs']); at += classes) {
    const row = data.subarray(at, at + classes);
    if (row.every((value) => value === 0) || row.some(Number.isNaN)) continue;
    normalised++;
    let [sum, exponentials, least, most] = [0, 0, Infinity, -Infinity];
    for (const value of row) {
      sum += value;
      exponentials += Math.exp(value);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    if (most > tolerance || Math.abs(exponentials - 1) > tolerance) could['log-probs'] = false;
    if (least < 0 || Math.abs(sum - 1) > tolerance) could.probs = false;
  }
  if (normalised === 0) return 'logits';
  return could['log-probs'] ? 'log-probs' : could.probs ? 'probs' : 'logits';
}
