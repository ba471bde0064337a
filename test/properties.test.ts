import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectGradient, expectLosses } from './bars.js';
import {
  compute,
  expectReference,
  expectSame,
  expectSameBits,
  type How,
  prepare,
  runTask,
  ways,
} from './compute.js';
import { type Batch, type Kind, kinds, makeBatch, reference, type Size, seeded } from './reference.js';

/** Small problems of every kind, lengths ragged; from a seed, so that a failure can be run again. */
const batches = (bounds: Partial<Record<keyof Size, number>> = {}, of: readonly Kind[] = kinds) =>
  fc
    .record({
      kind: fc.constantFrom(...of),
      seed: fc.nat(),
      frames: fc.integer({ min: 1, max: bounds.frames ?? 16 }),
      sequences: fc.integer({ min: 1, max: bounds.sequences ?? 5 }),
      classes: fc.integer({ min: 2, max: bounds.classes ?? 70 }),
      labels: fc.integer({ min: 0, max: bounds.labels ?? 8 }),
      blank: fc.nat(),
    })
    .map(({ kind, seed, blank, ...size }) =>
      makeBatch(kind, seed, { ...size, blank: blank % size.classes, ragged: true }),
    );

const scoresKinds = fc.constantFrom('logits' as const, 'logProbs' as const);

const holds = <T extends unknown[]>(
  runs: number,
  claim: (...values: T) => Promise<void>,
  ...values: { [K in keyof T]: fc.Arbitrary<T[K]> }
) =>
  fc.assert(
    fc.asyncProperty(fc.tuple(...(values as fc.Arbitrary<unknown>[])), (all) => claim(...(all as T))),
    { seed: 2026, numRuns: runs },
  );

/** Sequences of a batch, in an order of choice. */
function pick(batch: Batch, order: readonly number[]): Batch {
  const { frames, sequences, classes } = batch;
  const scores = (key: 'logits' | 'logProbs') =>
    Float32Array.from({ length: frames * order.length * classes }, (_, i) => {
      const [row, c] = [Math.floor(i / classes), i % classes];
      const [t, n] = [Math.floor(row / order.length), order[row % order.length]!];
      return batch[key][(t * sequences + n) * classes + c]!;
    });
  return {
    ...batch,
    sequences: order.length,
    targets: order.map((n) => batch.targets[n]!),
    inputLengths: order.map((n) => batch.inputLengths[n]!),
    logits: scores('logits'),
    logProbs: scores('logProbs'),
  };
}

/** The same problem with more frames, all that lie beyond an input length filled with something. */
function padded(batch: Batch, more: number, filling: (i: number) => number): Batch {
  const { frames, sequences, classes, inputLengths } = batch;
  const pad = (data: Float32Array) =>
    Float32Array.from({ length: (frames + more) * sequences * classes }, (_, i) => {
      const row = Math.floor(i / classes);
      return Math.floor(row / sequences) < inputLengths[row % sequences]! ? data[i]! : filling(i);
    });
  return { ...batch, frames: frames + more, logits: pad(batch.logits), logProbs: pad(batch.logProbs) };
}

function shuffled(count: number, seed: number): number[] {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, n) => [random(), n] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, n]) => n);
}

const rowsOf = (data: Float32Array, width: number) =>
  Array.from({ length: data.length / width }, (_, row) => data.subarray(row * width, (row + 1) * width));

/** Here and there a score that is none. */
function polluted(batch: Batch, seed: number): Batch {
  const random = seeded(seed);
  const strange = [Number.NaN, Infinity, -Infinity, -Infinity, -1e38];
  const pollute = (data: Float32Array) =>
    data.map((x) => (random() * data.length < 3 ? strange[Math.floor(5 * random())]! : x));
  return { ...batch, logits: pollute(batch.logits), logProbs: pollute(batch.logProbs) };
}

describe.each(Object.entries(ways))('%s', (_, way) => {
  const runs = way.device === 'gpu' ? 10 : 25;
  const keep = way.strategy === 'step' ? (['alpha', 'beta', 'posterior'] as const) : [];

  test('loss and gradient are those of float64', () =>
    holds(
      2 * runs,
      async (batch, scores) => {
        expectReference(
          await compute(batch, { ...way, scores }),
          reference(batch, scores, 'logits'),
          batch.frames,
        );
      },
      batches({ frames: 40, classes: 30, labels: 24 }),
      scoresKinds,
    ));

  test('and those of another way through the twins, whatever the scores, with zeroInfinity or without', () =>
    holds(
      2 * runs,
      async (batch, scores, seed, zeroInfinity, sharedRow) => {
        const how: How = { scores, zeroInfinity };
        const strange = polluted(batch, seed);
        const got = await compute(strange, { ...way, ...how, tuning: { ...way.tuning, sharedRow } });
        const expected = await compute(strange, { ...how, device: 'cpu', strategy: 'step' });
        expectLosses(got.loss, expected.loss, reference(batch, scores, 'logits').rowMaxima, batch.frames);
        expectGradient(got.grad, expected.grad);
      },
      batches({ frames: 24, labels: 12 }),
      scoresKinds,
      fc.nat(),
      fc.boolean(),
      fc.constantFrom(0, 512),
    ));

  test('without a gradient the losses have the same bits', () =>
    holds(
      runs,
      async (batch, scores) => {
        const { loss, grad } = await compute(batch, { ...way, scores, gradient: 'none' });
        expect(grad.length).toBe(0);
        expectSameBits(loss, (await compute(batch, { ...way, scores })).loss, 'loss');
      },
      batches(),
      scoresKinds,
    ));

  test('permuting the batch permutes the results, bit for bit', () =>
    holds(
      runs,
      async (batch, scores, seed, sharedRow) => {
        const order = shuffled(batch.sequences, seed);
        const how: How = { ...way, scores, tuning: { ...way.tuning, sharedRow } };
        const whole = await compute(batch, how);
        const permuted = await compute(pick(batch, order), how);
        expectSameBits(
          permuted.loss,
          Float32Array.from(order, (n) => whole.loss[n]!),
          'loss',
        );
        expectSameBits(
          permuted.grad,
          pick({ ...batch, logits: whole.grad, logProbs: whole.grad }, order).logits,
          'grad',
        );
      },
      batches(),
      scoresKinds,
      fc.nat(),
      fc.constantFrom(0, 512),
    ));

  test('a sequence has the same bits alone and in any part of any batch', () =>
    holds(
      runs,
      async (batch, scores, sharedRow) => {
        const { classes } = batch;
        const how: How = { ...way, scores, tuning: { ...way.tuning, sharedRow } };
        const whole = await compute(batch, how);
        expectSame(await compute(batch, { ...how, limits: { maxComputeWorkgroupsPerDimension: 3 } }), whole);
        for (let n = 0; n < batch.sequences; n++) {
          const alone = await compute(pick(batch, [n]), { ...how, layout: 'NTC' });
          expect(Object.is(alone.loss[0], whole.loss[n])).toBe(true);
          const rows = rowsOf(whole.grad, classes).filter((_, row) => row % batch.sequences === n);
          expectSameBits(alone.grad, Float32Array.from(rows.flatMap((row) => [...row])), 'grad');
        }
      },
      batches({ sequences: 4 }),
      scoresKinds,
      fc.constantFrom(0, 512),
    ));

  test('NTC is TNC with two axes exchanged, bit for bit', () =>
    holds(
      runs,
      async (batch, scores) => {
        const how: How = { ...way, scores, keep };
        expectSame(await compute(batch, { ...how, layout: 'NTC' }), await compute(batch, how));
      },
      batches(),
      scoresKinds,
    ));

  test('neither the number of padding frames nor what lies in them nor room for more labels changes a bit', () =>
    holds(
      runs,
      async (batch, scores, seed) => {
        const odd = [Number.NaN, Infinity, -Infinity, 1e38, -1e38];
        const longer = padded(batch, seed % 3, (i) => odd[(i + seed) % odd.length]!);
        const got = await compute(longer, { ...way, scores, moreLabels: seed % 11 });
        const expected = await compute(batch, { ...way, scores });
        const used = expected.grad.length;
        expectSame({ ...got, grad: got.grad.subarray(0, used) }, expected);
        expect(got.grad.subarray(used).every((x) => Object.is(x, 0))).toBe(true);
      },
      batches(),
      scoresKinds,
      fc.nat(),
    ));

  test('nested, padded and concatenated targets are the same, whatever the padding holds', () =>
    holds(
      runs,
      async (batch, seed) => {
        const { targets, inputLengths, sequences } = batch;
        const targetLengths = targets.map((row) => row.length);
        const width = Math.max(...targetLengths) + (seed % 3);
        const odd = [Number.NaN, -1, 1e9, batch.blank, 0.5];
        const data = targets.flatMap((row) =>
          Array.from({ length: width }, (_, i) => row[i] ?? odd[(i + seed) % odd.length]!),
        );
        const { ctc, task } = await prepare(batch, way);
        const nested = await runTask(task, batch);
        for (const form of [{ data, shape: [sequences, width] }, targets.flat()]) {
          task.setTargets(form, { inputLengths, targetLengths });
          const { loss, grad } = await task.run({ logProbs: batch.logProbs });
          expectSameBits(loss as Float32Array, nested.loss, 'loss');
          expectSameBits(grad as Float32Array, nested.grad, 'grad');
        }
        ctc.destroy();
      },
      batches(),
      fc.nat(),
    ));

  test('a second run gives the same bits', () =>
    holds(
      runs,
      async (batch) => {
        const how: How = { ...way, keep };
        const { ctc, task } = await prepare(batch, how);
        expectSame(await runTask(task, batch, how), await runTask(task, batch, how));
        ctc.destroy();
      },
      batches(),
    ));

  test('a row of the logits gradient sums to 0', () =>
    holds(
      runs,
      async (batch, scores) => {
        const { grad } = await compute(batch, { ...way, scores, zeroInfinity: true });
        for (const row of rowsOf(grad, batch.classes))
          expect(Math.abs(row.reduce((sum, x) => sum + x, 0))).toBeLessThanOrEqual(1e-6);
      },
      batches(),
      scoresKinds,
    ));

  test('the gradient scales with the upstream gradient, one for each sequence or one for all', () =>
    holds(
      runs,
      async (batch, seed) => {
        const random = seeded(seed);
        const upstream = batch.targets.map(() => 4 * random() - 2);
        const how: How = { ...way, zeroInfinity: true };
        const plain = await compute(batch, how);
        const weighted = await compute(batch, { ...how, gradOutput: upstream });
        expectGradient(
          weighted.grad,
          plain.grad.map((x, i) => x * upstream[Math.floor(i / batch.classes) % batch.sequences]!),
        );
        for (const reduction of ['sum', 'mean'] as const) {
          const reduced = await compute(batch, { ...how, reduction, gradOutput: [upstream[0]!] });
          const share = (n: number) =>
            reduction === 'sum' ? 1 : 1 / (batch.sequences * Math.max(1, batch.targets[n]!.length));
          expectGradient(
            reduced.grad,
            plain.grad.map(
              (x, i) => x * upstream[0]! * share(Math.floor(i / batch.classes) % batch.sequences),
            ),
          );
          const sum = Array.from(plain.loss).reduce((total, x, n) => total + x * share(n), 0);
          expect(Math.abs(reduced.loss[0]! - sum)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(sum)));
        }
      },
      batches({ sequences: 3 }),
      fc.nat(),
    ));

  if (keep.length > 0)
    test('posteriors sum to 1 over the states, and alpha · beta to Z, at every frame', () =>
      holds(
        runs,
        async (batch, scores) => {
          const { frames, sequences, inputLengths } = batch;
          const { loss, kept } = await compute(batch, { ...way, scores, keep });
          const states = kept.alpha!.length / (frames * sequences);
          for (let n = 0; n < sequences; n++) {
            if (!Number.isFinite(loss[n]!)) continue;
            for (let t = 0; t < inputLengths[n]!; t++) {
              const at = (n * frames + t) * states;
              const shares = kept.posterior!.subarray(at, at + states);
              expect(Math.abs(shares.reduce((sum, p) => sum + p, 0) - 1)).toBeLessThanOrEqual(1e-6);
              const z = shares.reduce(
                (sum, _, s) => sum + Math.exp(kept.alpha![at + s]! + kept.beta![at + s]! + loss[n]!),
                0,
              );
              // the loss is float32, and so is what a frame's scale leaves beside its exponent
              expect(Math.abs(Math.log(z))).toBeLessThanOrEqual(1e-6 + 1e-6 * Math.abs(loss[n]!));
            }
          }
        },
        batches(),
        scoresKinds,
      ));
});

describe('finite differences of the loss, in float64', () => {
  test.each([
    ['logits', 'logits', 'fused'],
    ['logProbs', 'logProbs', 'fused'],
    ['logProbs', 'logProbs', 'step'],
  ] as const)('give the gradient of the %s', (scores, gradient, strategy) =>
    holds(
      20,
      async (batch) => {
        const how: How = { device: 'cpu', strategy, scores, gradient, zeroInfinity: true };
        const { grad } = await compute(batch, how);
        const { ctc, task } = await prepare(batch, { ...how, reduction: 'sum' });
        const data = batch[scores].slice();
        const lossAt = async (i: number, x: number) => {
          data[i] = x;
          const { loss } = await runTask(task, { ...batch, [scores]: data }, how);
          return [data[i]!, loss[0]!] as const;
        };
        const slopes: number[] = [];
        for (let i = 0; i < data.length; i++) {
          const x = data[i]!;
          const [above, high] = await lossAt(i, x + 2 ** -8);
          const [below, low] = await lossAt(i, x - 2 ** -8);
          data[i] = x;
          slopes.push((high - low) / (above - below));
        }
        // the third derivative times the step squared, at most
        slopes.forEach((slope, i) => {
          expect(Math.abs(slope - grad[i]!)).toBeLessThanOrEqual(2e-5);
        });
        ctc.destroy();
      },
      batches({ frames: 6, sequences: 2, classes: 5, labels: 3 }),
    ),
  );
});
