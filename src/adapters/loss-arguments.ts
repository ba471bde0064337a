// The arguments of a framework's `ctcLoss`: one object, in the words of machine learning frameworks.

import type { Settings } from '../api/settings.js';
import { type Axes, checkAxes, checkChoice, checkInteger, checkObject, isList } from '../problem/check.js';
import { wrongKind } from '../problem/errors.js';
import { type Batch, checkTargets } from '../problem/targets.js';
import type { Lengths, Targets } from '../problem/types.js';

export interface LossArguments<L, Labels, Counts> {
  /** Unnormalised scores, [N, T, C] unless `layout` says otherwise, or [T, C]. */
  readonly logits: L;
  /** Classes without blanks: rows, a flat list with `labelLengths`, or padded [N, S] with `labelLengths`. */
  readonly labels: Labels;
  /** Labels of each sequence. Default: the length of its row. */
  readonly labelLengths?: Counts;
  /** Frames of each sequence. Default: all T. */
  readonly logitLengths?: Counts;
  /** Class of the blank. Default 0. */
  readonly blank?: number;
  /** Order of the axes of three. Default `NTC`. */
  readonly layout?: 'NTC' | 'TNC';
  /** As PyTorch's: `mean` divides each loss by its number of labels, then takes the mean over the batch. Default `mean`. */
  readonly reduction?: 'none' | 'sum' | 'mean';
  /** Infeasible sequences get loss 0 and gradient 0. Default false. */
  readonly zeroInfinity?: boolean;
}

const keys = [
  'logits',
  'labels',
  'labelLengths',
  'logitLengths',
  'blank',
  'layout',
  'reduction',
  'zeroInfinity',
];
const names = { targets: 'labels', inputLengths: 'logitLengths', targetLengths: 'labelLengths' };

/** What was asked for, with every default in its place. */
export interface LossRequest {
  readonly problem: Axes & Pick<Settings, 'blank' | 'reduction' | 'zeroInfinity'>;
  readonly batch: Batch;
}

/** Only the keys there are. */
export function checkKeys(input: unknown): void {
  checkObject('input', input, keys);
}

/**
 * Checks all but the logits' numbers.
 * @throws TypeError, RangeError naming the argument, sequence and position.
 */
export function requestOf(
  shape: readonly number[],
  {
    blank = 0,
    layout = 'NTC',
    reduction = 'mean',
    zeroInfinity = false,
  }: Partial<LossArguments<unknown, unknown, unknown>>,
  labels: Targets,
  labelLengths: Lengths | undefined,
  logitLengths: Lengths | undefined,
): LossRequest {
  checkChoice('layout', layout, ['NTC', 'TNC']);
  checkChoice('reduction', reduction, ['none', 'sum', 'mean']);
  if (typeof zeroInfinity !== 'boolean') throw wrongKind('zeroInfinity', 'a boolean', zeroInfinity);
  if (shape.length !== 2 && shape.length !== 3)
    throw wrongKind('logits', `the shape ${layout === 'NTC' ? '[N, T, C]' : '[T, N, C]'} or [T, C]`, shape);
  const axes = checkAxes(
    'logits.shape',
    '',
    shape as [number, number],
    shape.length === 2 ? 'TC' : layout,
    blank,
  );
  const lengths = {
    ...(logitLengths !== undefined && { inputLengths: logitLengths }),
    ...(labelLengths !== undefined && { targetLengths: labelLengths }),
  };
  return {
    problem: { ...axes, blank, reduction, zeroInfinity },
    batch: checkTargets(labels, lengths, axes, blank, Number.POSITIVE_INFINITY, names),
  };
}

/** What is known of a loss before its first batch. */
export interface PrepareArguments {
  /** Shape of the logits, [N, T, C] unless `layout` says otherwise, or [T, C]. */
  readonly logits: readonly number[];
  /** Labels of the longest target. */
  readonly maxLabelLength: number;
  readonly blank?: number;
  readonly layout?: 'NTC' | 'TNC';
  readonly reduction?: 'none' | 'sum' | 'mean';
  readonly zeroInfinity?: boolean;
}

/** @throws TypeError, RangeError naming the argument. */
export function problemOf(input: PrepareArguments): LossRequest['problem'] {
  checkObject('input', input, ['logits', 'maxLabelLength', 'blank', 'layout', 'reduction', 'zeroInfinity']);
  const { logits, maxLabelLength, layout } = input;
  checkInteger('maxLabelLength', maxLabelLength, 0);
  if (!isList(logits)) throw wrongKind('logits', 'a shape', logits);
  const sequences = logits.length === 3 ? Number(logits[layout === 'TNC' ? 1 : 0]) : 1;
  const none = Array(Number.isInteger(sequences) && sequences > 0 ? sequences : 1).fill([]);
  return requestOf(logits, input, none, undefined, undefined).problem;
}

/** Shape of the losses: one for each sequence, or one number. */
export function lossShape({ problem: { reduction, layout, sequences } }: LossRequest): number[] {
  return reduction === 'none' && layout !== 'TC' ? [sequences] : [];
}
