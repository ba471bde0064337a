import { type Axes, checkInteger } from './check.js';
import { wrongKind, wrongValue } from './errors.js';
import type { Lengths, TargetLengths, Targets } from './types.js';

/** The checked targets of a batch. */
export interface Batch {
  readonly inputLengths: readonly number[];
  readonly targetLengths: readonly number[];
  /** Labels of sequence n, without padding. */
  readonly labels: readonly Uint32Array[];
}

function isList(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
}

/** "batch is 150 in TNC but 8 targets were given; did you mean layout: 'NTC'?" */
function checkCount(argument: string, got: number, { sequences, frames, layout }: Axes): void {
  if (got === sequences) return;
  const other = layout === 'TNC' ? 'NTC' : 'TNC';
  const hint = layout !== 'TC' && got === frames ? `; did you mean layout: '${other}'?` : '';
  throw new RangeError(
    `${argument}: expected ${sequences} (batch is ${sequences} in ${layout}), got ${got}${hint}`,
  );
}

function checkLengths(argument: string, lengths: Lengths, axes: Axes, most: number, what: string): number[] {
  const check = (value: unknown, name: string) => {
    const expected = most === Infinity ? 'an integer ≥ 0' : `an integer from 0 to ${most} (${what})`;
    if (typeof value !== 'number') throw wrongKind(name, expected, value);
    if (!Number.isInteger(value) || value < 0 || value > most) throw wrongValue(name, expected, value);
    return value;
  };
  if (typeof lengths === 'number') return new Array(axes.sequences).fill(check(lengths, argument));
  if (!isList(lengths)) throw wrongKind(argument, 'an array of integers, or one integer', lengths);
  checkCount(argument, lengths.length, axes);
  return Array.from(lengths, (value, n) => check(value, `${argument}[${n}]`));
}

/** The rows as they lie in memory, with their padding, and where their own length is no longer free. */
function rowsOf(targets: Targets, lengths: number[] | undefined, axes: Axes): ArrayLike<number>[] {
  if (typeof targets === 'object' && targets !== null && 'shape' in targets) {
    const { data, shape } = targets;
    if (!isList(data)) throw wrongKind('targets.data', 'an array of integers', data);
    if (!isList(shape) || shape.length !== 2) throw wrongKind('targets.shape', '[N, S]', shape);
    checkInteger('targets.shape[0] (N)', shape[0], 0);
    const width = checkInteger('targets.shape[1] (S)', shape[1], 0);
    checkCount('targets.shape[0] (N)', shape[0], axes);
    if (data.length !== shape[0] * width) {
      throw wrongValue('targets.data', `${shape[0] * width} values (the product of the shape)`, data);
    }
    return Array.from({ length: axes.sequences }, (_, n) => slice(data, n * width, (n + 1) * width));
  }
  if (!isList(targets)) throw wrongKind('targets', 'rows, { data, shape: [N, S] } or a flat array', targets);
  const nested = targets.length > 0 && Array.from(targets as ArrayLike<unknown>).every(isList);
  if (nested || (targets.length === 0 && axes.sequences > 1 && !lengths)) {
    checkCount('targets', targets.length, axes);
    return Array.from(targets as unknown as ArrayLike<ArrayLike<number>>);
  }
  if (!lengths) {
    if (axes.sequences > 1) {
      throw new TypeError(
        'targetLengths: expected one length for each sequence, since targets is flat; got none',
      );
    }
    return [targets as ArrayLike<number>];
  }
  const sum = lengths.reduce((total, length) => total + length, 0);
  if (sum !== targets.length) {
    throw new RangeError(
      `targets: expected ${sum} labels (the sum of targetLengths) in a flat array, got ${targets.length}`,
    );
  }
  let end = 0;
  return lengths.map((length) => {
    end += length;
    return slice(targets as ArrayLike<number>, end - length, end);
  });
}

function slice(list: ArrayLike<number>, from: number, to: number): ArrayLike<number> {
  return Array.prototype.slice.call(list, from, to);
}

/**
 * Checks targets of any form, so that nothing after this can read past an array: PyTorch's CPU code
 * writes outside its memory for a label out of range.
 */
export function checkTargets(
  targets: Targets,
  { inputLengths, targetLengths }: TargetLengths,
  axes: Axes,
  blank: number,
  maxTargetLength = Infinity,
): Batch {
  const frames = checkLengths('inputLengths', inputLengths ?? axes.frames, axes, axes.frames, 'T');
  const room = Number.isFinite(maxTargetLength) ? 'maxTargetLength' : 'target length';
  const given =
    targetLengths === undefined
      ? undefined
      : checkLengths('targetLengths', targetLengths, axes, maxTargetLength, room);
  const rows = rowsOf(targets, given, axes);
  const labels = rows.map((row, n) => {
    const length = given?.[n] ?? row.length;
    if (length > row.length) {
      throw new RangeError(
        `targetLengths[${n}]: expected at most ${row.length} (the row of targets), got ${length}`,
      );
    }
    if (length > maxTargetLength) {
      throw new RangeError(
        `targets[${n}]: expected at most ${maxTargetLength} labels (maxTargetLength), got ${length}`,
      );
    }
    return Uint32Array.from({ length }, (_, i) => checkLabel(row[i], n, i, axes.classes, blank));
  });
  return { inputLengths: frames, targetLengths: labels.map((row) => row.length), labels };
}

function checkLabel(value: unknown, n: number, i: number, classes: number, blank: number): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= classes) {
    throw wrongValue(`targets[${n}][${i}]`, `an integer class in [0, ${classes})`, value);
  }
  if (value === blank)
    throw wrongValue(`targets[${n}][${i}]`, `a class other than the blank (${blank})`, value);
  return value as number;
}

/** Frames that the labels need: one each, and a blank between repeats. */
export function requiredFrames(labels: ArrayLike<number>): number {
  let frames = labels.length;
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) frames++;
  return frames;
}

/** Words of a sequence's record, shaders/shared/sequence.wgsl; a multiple of 64 so that any range binds. */
export function recordWords(maxTargetLength: number, classes: number): number {
  return Math.ceil((4 + 3 * maxTargetLength + 2 * Math.ceil(classes / 32)) / 64) * 64;
}

/** The records of a batch, as shaders/shared/sequence.wgsl lays them out. */
export function packRecords(
  batch: Batch,
  maxTargetLength: number,
  classes: number,
): Uint32Array<ArrayBuffer> {
  const words = recordWords(maxTargetLength, classes);
  const count = batch.labels.length;
  const records = new Uint32Array(words * count);
  batch.labels.forEach((labels, n) => {
    const record = records.subarray(n * words, (n + 1) * words);
    record[0] = batch.inputLengths[n];
    record[1] = labels.length;
    record[2] = Number(batch.inputLengths[n] >= requiredFrames(labels));
    labels.forEach((label, i) => {
      record[3 + i] = label | (i > 0 && label !== labels[i - 1] ? 0x80000000 : 0);
    });
    const starts = 3 + maxTargetLength;
    const places = starts + maxTargetLength + 1;
    const classTable = places + maxTargetLength;
    const order = Uint32Array.from(labels.keys()).sort((a, b) => labels[a] - labels[b] || a - b);
    let distinct = 0;
    order.forEach((place, j) => {
      record[places + j] = place;
      const label = labels[place];
      if (j === 0 || label !== labels[order[j - 1]]) {
        record[starts + distinct++] = j;
        record[classTable + 2 * (label >> 5)] |= 1 << (label & 31);
      }
    });
    record[starts + distinct] = labels.length;
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
