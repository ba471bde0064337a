import { type Axes, checkInteger, checkObject, isList } from './check.js';
import { wrongKind, wrongValue } from './errors.js';
import { STAR } from './star.js';
import type { Lengths, TargetLengths, Targets } from './types.js';

/** The checked targets of a batch. */
export interface Batch {
  /** Of a place that no sequence takes −1. */
  readonly inputLengths: readonly number[];
  /** Labels of each sequence, without padding. */
  readonly labels: readonly Uint32Array[];
}

/** What the caller calls the arguments. */
const coreNames = { targets: 'targets', inputLengths: 'inputLengths', targetLengths: 'targetLengths' };
/** `targetLengths`: none where there can be no padding. */
type TargetNames = Omit<typeof coreNames, 'targetLengths'> & { readonly targetLengths?: string };

function checkCount(argument: string, what: string, got: number, { sequences, frames, layout }: Axes): void {
  if (got === sequences) return;
  const other = layout === 'TNC' ? 'NTC' : 'TNC';
  const hint = layout !== 'TC' && got === frames ? `; did you mean layout: '${other}'?` : '';
  throw new RangeError(
    `${argument}: expected ${sequences} ${what} (the batch is ${sequences} in ${layout}), got ${got}${hint}`,
  );
}

function checkLengths(argument: string, lengths: Lengths, axes: Axes, most: number, what: string): number[] {
  if (typeof lengths === 'number')
    return new Array(axes.sequences).fill(checkInteger(argument, lengths, 0, most, what));
  if (!isList(lengths)) throw wrongKind(argument, 'an array of integers, or one integer', lengths);
  checkCount(argument, 'lengths', lengths.length, axes);
  return Array.from(lengths as ArrayLike<unknown>, (value, n) =>
    checkInteger(`${argument}[${n}]`, typeof value === 'bigint' ? Number(value) : value, 0, most, what),
  );
}

/** The rows as they lie in memory, padding and all. */
function rowsOf(
  targets: Targets,
  lengths: number[] | undefined,
  axes: Axes,
  names: TargetNames,
): ArrayLike<unknown>[] {
  const name = names.targets;
  if (isList(targets)) {
    const first: unknown = targets[0];
    if (isList(first)) return rowsOfNested(targets, axes, name);
    if (!['undefined', 'number', 'bigint'].includes(typeof first))
      throw wrongKind(`${name}[0]`, 'a row of labels, or a label', first);
    return rowsOfFlat(targets, lengths, axes, names);
  }
  if (typeof targets !== 'object' || targets === null) {
    throw wrongKind(name, 'rows, { data, shape: [N, S] } or a flat array', targets);
  }
  checkObject(name, targets, ['data', 'shape']);
  const { data, shape } = targets as { data: unknown; shape: unknown };
  if (!isList(data)) throw wrongKind(`${name}.data`, 'an array of integers', data);
  if (!isList(shape) || shape.length !== 2) throw wrongKind(`${name}.shape`, '[N, S]', shape);
  const rows = checkInteger(`${name}.shape[0] (N)`, shape[0], 0);
  const width = checkInteger(`${name}.shape[1] (S)`, shape[1], 0);
  checkCount(`${name}.shape[0] (N)`, 'rows', rows, axes);
  if (data.length !== rows * width)
    throw wrongValue(`${name}.data`, `${rows * width} values (the product of the shape)`, data);
  return Array.from({ length: rows }, (_, n) => slice(data, n * width, (n + 1) * width));
}

function rowsOfNested(targets: ArrayLike<unknown>, axes: Axes, name: string): ArrayLike<unknown>[] {
  checkCount(name, 'rows', targets.length, axes);
  return Array.from(targets, (row, n) => {
    if (!isList(row)) throw wrongKind(`${name}[${n}]`, 'a row of labels', row);
    return row;
  });
}

function rowsOfFlat(
  targets: ArrayLike<unknown>,
  lengths: number[] | undefined,
  axes: Axes,
  names: TargetNames,
): ArrayLike<unknown>[] {
  if (!lengths) {
    if (axes.sequences === 1) return [targets];
    if (targets.length === 0) return rowsOfNested(targets, axes, names.targets);
    throw new TypeError(
      `${names.targetLengths}: expected one length for each sequence, since ${names.targets} is flat; got none`,
    );
  }
  let end = 0;
  const rows = lengths.map((length) => {
    end += length;
    return slice(targets, end - length, end);
  });
  if (end !== targets.length)
    throw wrongValue(
      names.targets,
      `${end} labels in all (the sum of ${names.targetLengths})`,
      targets.length,
    );
  return rows;
}

function slice(list: ArrayLike<unknown>, from: number, to: number): unknown[] {
  return Array.prototype.slice.call(list, from, to);
}

/**
 * Checks targets of any form, so that nothing after this can read past an array: PyTorch's CPU code
 * writes outside its memory for a label out of range.
 */
export function checkTargets(
  targets: Targets,
  { inputLengths, targetLengths }: TargetLengths,
  axes: Axes & { readonly stars?: boolean | undefined },
  blank: number,
  maxTargetLength = Infinity,
  names: TargetNames = coreNames,
): Batch {
  const given =
    targetLengths === undefined
      ? undefined
      : checkLengths(names.targetLengths!, targetLengths, axes, maxTargetLength, ' (maxTargetLength)');
  const labels = rowsOf(targets, given, axes, names).map((row, n) => {
    const length = given?.[n] ?? row.length;
    if (length > row.length)
      throw wrongValue(
        `${names.targetLengths}[${n}]`,
        `at most ${row.length} (its row of ${names.targets})`,
        length,
      );
    if (length > maxTargetLength)
      throw wrongValue(
        `${names.targets}[${n}]`,
        `at most ${maxTargetLength} labels (maxTargetLength)`,
        length,
      );
    return Uint32Array.from({ length }, (_, i) =>
      axes.stars && row[i] === STAR
        ? STAR
        : checkLabel(
            `${names.targets}[${n}][${i}]`,
            row[i],
            axes.classes,
            blank,
            given ? undefined : names.targetLengths,
          ),
    );
  });
  return {
    inputLengths: checkLengths(
      names.inputLengths,
      inputLengths === undefined ? axes.frames : inputLengths,
      axes,
      axes.frames,
      ' (T)',
    ),
    labels,
  };
}

/** @param padding what says how long a target is, where nothing has said it */
function checkLabel(
  argument: string,
  given: unknown,
  classes: number,
  blank: number,
  padding: string | undefined,
): number {
  // of int64 tensors, and of tokenizers
  const value = typeof given === 'bigint' ? Number(given) : given;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < classes && value !== blank)
    return value as number;
  const isPadding =
    padding !== undefined && (value === blank || (typeof value === 'number' && value < 0)) && value !== STAR;
  const hint = isPadding
    ? `; if it is padding, ${padding} says how many labels each sequence has`
    : value === STAR
      ? ', and no star, which only an aligner knows'
      : '';
  throw wrongValue(
    argument,
    `a class from 0 to ${classes - 1} other than the blank (${blank})${hint}`,
    given,
  );
}

/** Labels of the longest target. */
export function longest({ labels }: Batch): number {
  return labels.reduce((most, { length }) => Math.max(most, length), 0);
}

/**
 * The fewest frames in which the labels of a sequence have a path: one each, and a blank between equal neighbours. With fewer the loss is
 * infinite.
 *
 * @param labels classes of one sequence, without blanks
 * @throws TypeError unless it is a list.
 */
export function requiredFrames(labels: ArrayLike<number | bigint>): number {
  if (!isList(labels)) throw wrongKind('labels', 'the labels of a sequence', labels);
  let frames = labels.length;
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) frames++;
  return frames;
}

/** In place of a class: the blank or the delimiter, whichever it is. The last slot of a text. */
export const EITHER = 2 ** 32 - 3;

/** How large targets may be. */
export interface TargetShape {
  readonly maxTargetLength: number;
  readonly classes: number;
  /** Whether they may hold the star. */
  readonly stars?: boolean | undefined;
  /** The class between words, where they are texts. */
  readonly delimiter?: number | undefined;
}

/** Room for the distinct labels of a sequence; of a text also for the blank or delimiter. */
export function distinctLabels({ maxTargetLength, classes, stars, delimiter }: TargetShape): number {
  return Math.min(maxTargetLength, stars ? classes : classes - 1) + Number(delimiter !== undefined);
}

/** Words of a sequence's record, shaders/shared/sequence.wgsl; a multiple of 64 so that any range binds. */
export function recordWords(shape: TargetShape): number {
  const { maxTargetLength, classes } = shape;
  const lists = 2 * maxTargetLength + 2 * distinctLabels(shape);
  return Math.ceil((6 + lists + 2 * Math.ceil(classes / 32)) / 64) * 64;
}

/** The records of a batch, as shaders/shared/sequence.wgsl lays them out. */
export function packRecords(
  batch: Batch,
  shape: TargetShape & { readonly blank: number },
): Uint32Array<ArrayBuffer> {
  const { blank, maxTargetLength, classes } = shape;
  const words = recordWords(shape);
  const room = distinctLabels(shape);
  const slotClasses = 4 + maxTargetLength;
  const ends = slotClasses + room + 1;
  const places = ends + room + 1;
  const classTable = places + maxTargetLength;
  const records = new Uint32Array(words * batch.labels.length);
  batch.labels.forEach((labels, n) => {
    const record = records.subarray(n * words, (n + 1) * words);
    record[0] = Math.max(batch.inputLengths[n], 0);
    record[1] = labels.length;
    record[2] = Number(batch.inputLengths[n] >= requiredFrames(labels));
    record[slotClasses] = blank;
    const order = Uint32Array.from(labels.keys()).sort((a, b) => labels[a] - labels[b] || a - b);
    let distinct = 0;
    order.forEach((place, j) => {
      const label = labels[place];
      if (j === 0 || label !== labels[order[j - 1]]) {
        distinct++;
        record[slotClasses + distinct] = label;
        // the star is no class
        if (label < classes) record[classTable + 2 * (label >> 5)] |= 1 << (label & 31);
      }
      record[ends + distinct] = j + 1;
      const [before = label, after = label] = [labels[place - 1], labels[place + 1]];
      record[4 + place] = distinct | (Number(label !== before) << 31) | (Number(label !== after) << 30);
      record[places + j] = place;
    });
    if (shape.delimiter !== undefined) record[slotClasses + ++distinct] = EITHER;
    record[3] = distinct;
    let before = 0;
    for (let word = classTable; word < classTable + 2 * Math.ceil(classes / 32); word += 2) {
      record[word + 1] = before;
      before += bitCount(record[word]);
    }
  });
  return records;
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
