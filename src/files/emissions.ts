import { checkChoice, checkInteger, checkObject, kindOf } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import type { Layout } from '../problem/types.js';
import { checkTensor, type FileTensor, findInvalidScore, indexOf, scoresOf } from './tensor.js';

/** All of them, for a choice. */
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

/** A tensor for `run`, under the name that its numbers have. */
export type ScoresInput =
  | {
      readonly logits: {
        readonly data: Float32Array<ArrayBuffer>;
        readonly shape: readonly [number, number];
      };
    }
  | {
      readonly logProbs: {
        readonly data: Float32Array<ArrayBuffer>;
        readonly shape: readonly [number, number];
      };
    };

/** What a model gave for one recording, [frames, classes]. */
export interface Emissions extends Scores {
  readonly frames: number;
  readonly classes: number;
  /** Rows after these frames that say nothing and were cut off: the padding of a shorter recording. */
  readonly padding: number;
  /** Whether a last column of zeros, that of a star, was left out: the aligner has a star of its own. */
  readonly starred: boolean;
  /** `{ logits }` or `{ logProbs }`, to be spread into what `run` takes: `aligner.run({ ...scores, targets })`. */
  readonly scores: ScoresInput;
}

/** The order of axes in a file: of one recording, or of a batch. */
export type FileLayout = Layout | 'CT' | 'NCT';

export const fileLayouts = ['TC', 'TNC', 'NTC', 'CT', 'NCT'] as const;

/** Options of `emissionsOf`. */
export interface EmissionsOptions {
  /** Default: `scoreKindOf` the numbers. */
  readonly kind?: ScoreKind | undefined;
  /** Default: the first of `TC`, `TNC`, `NTC` that fits a single recording. `CT` and `NCT` have the classes before the frames. */
  readonly layout?: FileLayout | undefined;
  /** Which recording of a batch, from 0. Default: the only one. */
  readonly item?: number | undefined;
  /** Frames of the recording; those after them are padding. Default: all but the rows at the end that say nothing. */
  readonly inputLength?: number | undefined;
  /** Classes of the model, where they are known: what tells swapped axes. */
  readonly classes?: number | undefined;
}

/**
 * The emissions of one recording: a tensor [T, C], or one of a batch, without the rows at its end that say nothing (zeros, −Infinity, or all
 * of one value).
 *
 * @throws TypeError, RangeError for a wrong argument, and naming the tensor and what is wrong in it: another shape, axes that are swapped,
 * integers, NaN or +Infinity, a negative probability, one above 1 or a row of them whose sum is, by more than 0.01, a row of zeros among
 * probabilities or log-probabilities, zeros alone; rows that are nearly probabilities, unless `kind` says what they are.
 */
export function emissionsOf(tensor: FileTensor, options: EmissionsOptions = {}): Emissions {
  checkTensor(tensor);
  checkObject('options', options, ['kind', 'layout', 'item', 'inputLength', 'classes']);
  const { kind, layout, inputLength } = options;
  if (kind !== undefined) checkChoice('kind', kind, scoreKinds);
  if (layout !== undefined) checkChoice('layout', layout, fileLayouts);
  if (options.classes !== undefined) checkInteger('classes', options.classes, 1);
  const one = oneSequence(tensor, options);
  const { name, rows, classes } = one;
  if (layout === undefined) checkAxesOf({ ...one, shape: [rows, classes] }, options.classes);
  const frames =
    inputLength === undefined ? framesOf(one) : checkInteger('inputLength', inputLength, 0, rows);
  const used = {
    data: one.data.subarray(0, frames * classes),
    shape: one.shape.with(one.time, frames),
    ...(one.exact && { exact: one.exact.subarray(0, frames * classes) }),
  };
  const invalid = findInvalidScore(used);
  if (invalid) {
    const hint =
      inputLength === undefined ? '; if it is padding, inputLength says how many frames there are' : '';
    throw wrongValue(`${name}: [${invalid.index.join(', ')}]`, `a score${hint}`, invalid.value);
  }
  if (frames === 0 && rows > 0)
    throw new RangeError(
      `${name}: expected scores, got rows of ${one.data[0] === 0 ? 'zeros' : one.data[0]} alone`,
    );
  const starred = kind !== 'logits' && kind !== 'probs' && hasStarColumn(used.data, classes);
  const spoken = starred ? withoutLast(used, classes) : used;
  const own = starred ? classes - 1 : classes;
  const tensorOfOne: FileTensor = {
    ...{ name, dtype: one.dtype, shape: starred ? [frames, own] : used.shape, data: spoken.data },
    ...(spoken.exact && { exact: spoken.exact }),
  };
  const read = asScores(tensorOfOne, own, kind);
  if (kind === undefined && read.kind === 'logits' && areCosts(read.data, own))
    throw new RangeError(
      `${name}: expected logits, log-probabilities or probabilities, got negative logarithms of probabilities; their negatives are log-probabilities`,
    );
  if (kind === undefined && read.kind === 'logits' && areCutProbabilities(read.data, own))
    throw new RangeError(
      `${name}: expected logits, log-probabilities or probabilities, got rows of numbers from 0 to 1 whose sums are below 1, as of probabilities of which some were cut; kind: 'probs' takes them for that, kind: 'logits' for logits`,
    );
  const scores = { data: read.data, shape: [frames, own] as const };
  return {
    ...read,
    ...{ frames, classes: own, padding: rows - frames, starred },
    scores: read.argument === 'logits' ? { logits: scores } : { logProbs: scores },
  };
}

interface Used {
  readonly data: Float32Array<ArrayBuffer>;
  readonly exact?: Float64Array<ArrayBuffer>;
}

function withoutLast({ data, exact }: Used, classes: number): Used {
  const narrow = <A extends Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(from: A): A =>
    from.filter((_, i) => i % classes !== classes - 1) as A;
  return { data: narrow(data), ...(exact && { exact: narrow(exact) }) };
}

/** Whether behind log-probabilities there is a column of zeros, that of a star as torchaudio's aligner has it. */
function hasStarColumn(data: Float32Array, classes: number): boolean {
  if (classes < 3) return false;
  for (let at = classes - 1; at < data.length; at += classes) if (data[at] !== 0) return false;
  return areRows(data, classes, (row) => isStarRow(row, sumsOf(row)));
}

/** Whether there are rows that say something, and all of them are such. */
function areRows(data: Float32Array, classes: number, isSuch: (row: Float32Array) => boolean): boolean {
  let told = false;
  for (let at = 0; at < data.length; at += classes) {
    if (isSilent(data, at, classes)) continue;
    if (!isSuch(data.subarray(at, at + classes))) return false;
    told = true;
  }
  return told;
}

/** Log-probabilities, and a zero behind them. */
const isStarRow = (row: Float32Array, { exponentials, most }: Sums): boolean =>
  row.at(-1) === 0 && most <= tolerance && Math.abs(exponentials - 2) <= tolerance;

/** Whether scores are −ln p: positive, and the exponentials of their negatives sum to 1. */
function areCosts(data: Float32Array, classes: number): boolean {
  const isOfCosts = (row: Float32Array) =>
    row.every((cost) => cost >= 0) &&
    Math.abs(row.reduce((sum, cost) => sum + Math.exp(-cost), 0) - 1) <= tolerance;
  return classes > 1 && areRows(data, classes, isOfCosts);
}

/** Whether rows could be probabilities but for what is missing to a sum of 1. */
function areCutProbabilities(data: Float32Array, classes: number): boolean {
  const isCut = (row: Float32Array) => {
    const { least, most, sum } = sumsOf(row);
    return least >= 0 && most <= 1 && sum > 0.5 && sum <= 1 + tolerance;
  };
  return classes > 2 && areRows(data, classes, isCut);
}

interface Sequence extends Pick<FileTensor, 'name' | 'dtype'> {
  readonly rows: number;
  readonly classes: number;
  /** The axes of `data`, as messages tell its places; which of them is time. */
  readonly shape: readonly number[];
  readonly time: number;
  readonly data: Float32Array<ArrayBuffer>;
  readonly exact?: Float64Array<ArrayBuffer>;
}

/** Without the rows at the end that say nothing. */
function framesOf(one: Sequence): number {
  const { rows, classes } = one;
  if (classes === 1) return rows;
  const given = one.exact ?? one.data;
  let frames = rows;
  while (frames > 0 && isFlat(given, (frames - 1) * classes, classes)) frames--;
  // all of one value, a recording is one without news
  const [first] = given;
  return frames === 0 && first !== 0 && first !== Number.NEGATIVE_INFINITY ? rows : frames;
}

/** A row in which all classes have one score, as padding has it. */
function isFlat(data: ArrayLike<number>, at: number, classes: number): boolean {
  const first = data[at]!;
  for (let i = at + 1; i < at + classes; i++) if (data[i] !== first) return false;
  return true;
}

/** Such a row, unless it is the share of each class: then it is a distribution. */
function isSilent(data: Float32Array | Float64Array, at: number, classes: number): boolean {
  if (!isFlat(data, at, classes)) return false;
  const first = data[at]!;
  return [classes * Math.exp(first), classes * first].every((sum) => Math.abs(sum - 1) > tolerance);
}

const expected = { TC: '[T, C]', TNC: '[T, N, C]', NTC: '[N, T, C]', CT: '[C, T]', NCT: '[N, C, T]' };

/** One recording of a tensor, its classes last. */
function oneSequence(tensor: FileTensor, { layout, item }: EmissionsOptions): Sequence {
  const { name, shape } = tensor;
  const order = layout ?? layoutOf(shape, item !== undefined);
  const batch = order === undefined ? 1 : order.includes('N') ? shape[order.indexOf('N')]! : 1;
  const fits = order !== undefined && shape.length === order.length && shape.every((size) => size > 0);
  if (!fits || (item === undefined && batch !== 1))
    throw noRecording(tensor, layout, item, fits ? batch : undefined);
  const n = item === undefined ? 0 : checkInteger('item', item, 0, batch - 1, ' (the last of the batch)');
  const sizeOf = (axis: string) => shape[order.indexOf(axis)]!;
  const strideOf = (axis: string) =>
    order.includes(axis)
      ? shape.slice(order.indexOf(axis) + 1).reduce((product, size) => product * size, 1)
      : 0;
  const [rows, classes] = [sizeOf('T'), sizeOf('C')];
  const [byRow, byClass, first] = [strideOf('T'), strideOf('C'), n * strideOf('N')];
  const scores = scoresOf(tensor);
  const picked = <A extends Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>(from: A): A => {
    if (byClass === 1 && byRow === classes) return from.subarray(first, first + rows * classes) as A;
    const to = new (from.constructor as new (length: number) => A)(rows * classes);
    for (let t = 0; t < rows; t++)
      for (let c = 0; c < classes; c++) to[t * classes + c] = from[first + t * byRow + c * byClass]!;
    return to;
  };
  const isAsItWas = batch === 1 && !order.startsWith('C') && order !== 'NCT';
  return {
    ...{ name, dtype: tensor.dtype, rows, classes, data: picked(scores) },
    shape: isAsItWas ? shape : [rows, classes],
    time: isAsItWas ? order.indexOf('T') : 0,
    ...(tensor.exact && { exact: picked(tensor.exact) }),
  };
}

/** What a shape may be: one recording, or with an item a batch. */
function layoutOf(shape: readonly number[], isBatch: boolean): FileLayout | undefined {
  if (shape.length === 2) return 'TC';
  if (shape.length !== 3) return undefined;
  if (shape[1] === 1 && shape[0] !== 1) return 'TNC';
  // more sequences than frames are rather the frames of fewer sequences
  return shape[0] === 1 || (isBatch && shape[0]! <= shape[1]!) ? 'NTC' : undefined;
}

function noRecording(
  { name, shape }: FileTensor,
  layout: FileLayout | undefined,
  item: number | undefined,
  batch: number | undefined,
): RangeError {
  if (layout === undefined && item !== undefined && shape.length === 3)
    return new RangeError(
      `${name}: expected a layout, NTC or TNC, for a batch of which either may be time, got [${shape.join(', ')}]`,
    );
  const wanted = layout ? expected[layout] : '[T, C], [1, T, C] or [T, 1, C]';
  const hint =
    item === undefined && (batch ?? (shape.length === 3 ? 2 : 1)) > 1
      ? '; item: N takes one of a batch, from 0, which is [N, T, C] or else needs its layout'
      : '';
  return new RangeError(`${name}: expected one recording, ${wanted}, got [${shape.join(', ')}]${hint}`);
}

/**
 * What says that frames and classes have been taken for each other: the model has as many classes as there are rows, columns add up to 1
 * where rows do not, or there are far more classes than the vocabulary has tokens.
 */
function checkAxesOf({ name, data, shape }: FileTensor, classes: number | undefined): void {
  const [rows = 0, columns = 0] = shape;
  const swapped = (why: string) =>
    new RangeError(
      `${name}: expected [T, C], got [${rows}, ${columns}], ${why}: are the axes swapped? layout: 'CT' or 'NCT' reads them so; layout: 'TC' takes them as they are`,
    );
  // a list may lack the blank, and the space
  const fits = classes !== undefined && columns >= classes && columns <= classes + 2;
  if (classes === rows && !fits) throw swapped(`and the vocabulary has ${classes} classes`);
  if (rows < 2 || scoreKindOf(data as Float32Array, columns) !== 'logits') return;
  const turned = new Float32Array(data.length);
  for (let t = 0; t < rows; t++)
    for (let c = 0; c < columns; c++) turned[c * rows + t] = data[t * columns + c]!;
  if (scoreKindOf(turned, rows) !== 'logits')
    throw swapped('whose columns are normalised and whose rows are not');
  if (classes !== undefined && columns > 2 * classes + 16)
    throw swapped(`far more classes than the ${classes} tokens of the vocabulary`);
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

/** A row that is neither of probabilities nor of their logarithms. Of a single class, 0 is the logarithm of its probability. */
function isZeros({ data, exact }: FileTensor, classes: number, row: number): boolean {
  const [given, at] = [exact ?? data, row * classes];
  return classes > 1 && given[at] === 0 && isFlat(given, at, classes);
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
 * What numbers of rows of `classes` are, by what their rows add up to: to 1, or their exponentials to 1, within 0.01; else logits. Rows whose
 * values are all equal are padding and say nothing, nor do those with a NaN. Of log-probabilities some classes may be masked to −Infinity or
 * nearly, and the last column may be a star's: zeros.
 *
 * @throws TypeError, RangeError unless there are so many scores that each row has `classes`.
 */
export function scoreKindOf(data: Float32Array, classes: number): ScoreKind {
  if (kindOf(data) !== 'Float32Array') throw wrongKind('data', 'a Float32Array', data);
  checkInteger('classes', classes, 1);
  if (data.length % classes !== 0) throw wrongValue('data', `rows of ${classes} values`, data.length);
  const could = { 'log-probs': true, star: classes > 2, probs: true };
  let told = 0;
  /** Rows of log-probabilities without a mask, or with most of the probability left. */
  let whole = 0;
  for (let at = 0; at < data.length && (could.probs || could['log-probs'] || could.star); at += classes) {
    const row = data.subarray(at, at + classes);
    if ((classes > 1 && isSilent(data, at, classes)) || row.some(Number.isNaN)) continue;
    told++;
    const sums = sumsOf(row);
    const { sum, exponentials, least, most } = sums;
    const isMasked = least < mask && most <= tolerance && exponentials <= 1 + tolerance;
    const isWhole = Math.abs(exponentials - 1) <= tolerance;
    if (isWhole || exponentials >= 0.5) whole++;
    if (most > tolerance || !(isWhole || isMasked)) could['log-probs'] = false;
    if (!isStarRow(row, sums)) could.star = false;
    if (least < 0 || Math.abs(sum - 1) > tolerance) could.probs = false;
  }
  if (told === 0) return 'logits';
  if ((could['log-probs'] && 2 * whole >= told) || could.star) return 'log-probs';
  return could.probs ? 'probs' : 'logits';
}

/** What is masked is below it; no model gives so small a probability. */
const mask = -1000;

interface Sums {
  readonly sum: number;
  readonly exponentials: number;
  readonly least: number;
  readonly most: number;
}

function sumsOf(row: Float32Array): Sums {
  let [sum, exponentials, least, most] = [0, 0, Infinity, -Infinity];
  for (const value of row) {
    sum += value;
    exponentials += Math.exp(value);
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  return { sum, exponentials, least, most };
}
