import { describe, test } from 'vitest';
import { expectGradient, expectLosses } from './bars.js';
import { compute, expectReference, strategies, ways } from './compute.js';
import { allPaths, type Batch, forwardBackward, makeBatch, reference } from './reference.js';

/** All targets of up to `most` labels, each at every input length from 0 to `frames`. */
function everyTarget(frames: number, classes: number, blank: number, most: number): Batch {
  const labels = Array.from({ length: classes }, (_, c) => c).filter((c) => c !== blank);
  const rows: number[][] = [[]];
  for (const row of rows) if (row.length < most) rows.push(...labels.map((label) => [...row, label]));
  const lengths = Array.from({ length: frames + 1 }, (_, length) => length);
  const targets = rows.flatMap((row) => lengths.map(() => row));
  const inputLengths = rows.flatMap(() => lengths);
  const size = { frames, sequences: targets.length, classes, labels: 0, blank };
  return { ...makeBatch('random', 7 * classes + blank, size), targets, inputLengths };
}

const conventions = [
  ['logProbs', 'logits'],
  ['logProbs', 'logProbs'],
  ['logits', 'logits'],
] as const;

const cases = [1, 2, 3, 4].flatMap((classes) =>
  Array.from({ length: classes }, (_, blank) => everyTarget(classes === 4 ? 4 : 5, classes, blank, 3)),
);

describe.each(conventions)(
  '%s in, gradient of the %s: all targets at all input lengths',
  (scores, gradient) => {
    const expected = cases.map((batch) => reference(batch, scores, gradient, allPaths));

    test('the log-space reference sums over the same paths', () => {
      cases.forEach((batch, i) => {
        const got = reference(batch, scores, gradient, forwardBackward);
        expectLosses(got.loss, expected[i]!.loss, 0, 0);
        expectGradient(got.grad, expected[i]!.grad);
      });
    });

    test.each(Object.entries(ways))('%s', async (_, how) => {
      for (const [i, batch] of cases.entries()) {
        const got = await compute(batch, { ...how, scores, gradient });
        expectReference(got, expected[i]!, batch.frames);
      }
    });

    // rows of few classes are for one lane each, of many for a workgroup
    test.each(strategies)('gpu, %s, a workgroup for each row', async (strategy) => {
      for (const [i, batch] of cases.entries()) {
        const got = await compute(batch, { strategy, scores, gradient, tuning: { sharedRow: 0 } });
        expectReference(got, expected[i]!, batch.frames);
      }
    });
  },
);
