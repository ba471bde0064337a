/**
 * Every operation against the enumeration of all paths, over problems that nobody chose.
 * `PROBLEMS=20000 SEED=5 npx vitest run test/enumeration.test.ts` takes others, and more of them: each device a fourth.
 */
import { describe, expect, test, vi } from 'vitest';
import { CtcBeamDecoder } from 'webgpu-ctc/lm';
import { CtcDecoder, CtcLoss } from 'webgpu-ctc/node';
import type { Strategy } from '../src/api/contracts.js';
import { type Forced, forced } from '../src/api/forced.js';
import type { ScoresKey } from '../src/problem/check.js';
import type { Kept } from '../src/problem/types.js';
import { strategies, swapAxes } from './compute.js';
import { sharedDevice } from './device.js';
import {
  type Asked,
  type Enumerated,
  expectations,
  latticeOf,
  type Problems,
  problemsOf,
  type Truth,
  truthOf,
} from './enumeration.js';
import { type AnyTask, type Instance, type OperationName, operations } from './operations.js';
import { seeded } from './reference.js';

const plain = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');

const sequences = 16;
const count = Math.ceil(Number(process.env.PROBLEMS ?? 256) / sequences);
const firstSeed = 1000 * Number(process.env.SEED ?? 1);
const batches = Array.from({ length: count }, (_, i) => problemsOf(firstSeed + i, sequences));
const truths = (['logits', 'logProbs', 'probs'] as const).map(
  (scores) =>
    [scores, batches.map((batch) => batch.targets.map((_, n) => truthOf(batch, n, scores)))] as const,
);

test('the problems have what they are made for', () => {
  const all = truths.flatMap(([, of]) => of.flat());
  const some = (is: (truth: Truth) => boolean) => all.filter(is).length;
  const regular = some(({ invalid, paths }) => !invalid && paths.length > 1);
  expect(regular).toBeGreaterThan(all.length / 6);
  expect(some(({ invalid }) => invalid)).toBeGreaterThan(0);
  expect(some(({ invalid, paths }) => !invalid && paths.length === 0)).toBeGreaterThan(0);
  expect(some(({ size, paths }) => size > 1e9 && paths.length > 1)).toBeGreaterThan(0);
});

interface How extends Forced {
  readonly device: GPUDevice | 'cpu';
  readonly strategy?: Strategy;
}

/** A lane, or a workgroup, for a row of scores; blocks of four pairs; subgroups. */
const devices: Readonly<Record<string, How>> = {
  cpu: { device: 'cpu' },
  gpu: { device: plain.device },
  'gpu, a workgroup for each row': { device: plain.device, tuning: { sharedRow: 0 } },
  'gpu, subgroups': { device: withSubgroups.device, tuning: { sharedRow: 0 } },
  'gpu, blocks of four': {
    device: plain.device,
    tuning: { lanes: 1, subgroups: false, elementsPerDispatch: 64 },
  },
};

/** What a run of an operation depends on, beside its device. */
const waysOf = (name: OperationName): readonly { readonly strategy?: Strategy }[] =>
  name === 'CtcLoss' ? strategies.map((strategy) => ({ strategy })) : [{}];

/** Names the problem in the message of what fails. */
async function named<T>(problem: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    (error as Error).message = `${problem}: ${(error as Error).message}`;
    throw error;
  }
}

/** Scores in the layout of the batch, as one run takes them. */
function tensorOf(batch: Problems, scores: ScoresKey) {
  const { frames, classes, layout } = batch;
  // a half without its sign
  const halves = scores === 'probs' ? batch.halves?.map((half) => half & 0x7fff) : batch.halves;
  const data = halves ?? batch[scores];
  return {
    data: layout === 'TNC' ? data : swapAxes(data as Uint16Array, frames, sequences),
    shape: layout === 'TNC' ? [frames, sequences, classes] : [sequences, frames, classes],
    layout,
    ...(halves && { dtype: 'float16' }),
  };
}

async function answerOf(instance: Instance, name: OperationName, batch: Problems, scores: ScoresKey) {
  const { frames, targets, inputLengths, layout } = batch;
  const input = {
    [scores]: tensorOf(batch, scores),
    inputLengths,
    ...(operations[name].candidates
      ? { candidates: operations[name].candidates(targets) }
      : operations[name].hasTargets && { targets }),
    ...operations[name].asked,
  };
  const answer = (await instance.run(input as never)) as Readonly<Record<string, unknown>>;
  if (layout === 'TNC' || !answer.grad) return answer;
  return { ...answer, grad: swapAxes(answer.grad as Float32Array<ArrayBuffer>, sequences, frames) };
}

/** The frames of one sequence, as the batch has its numbers, and whether they are scores. */
function recordingOf(batch: Problems, n: number, scores: ScoresKey) {
  const { classes, halves, inputLengths } = batch;
  const rowsOf = <T extends Float32Array | Uint16Array>(all: T) => {
    const row = (t: number) => (t * sequences + n) * classes;
    const count = inputLengths[n]! * classes;
    return all.slice(0, count).map((_, i) => all[row(Math.floor(i / classes)) + (i % classes)]!) as T;
  };
  const values = rowsOf(batch[scores] as Float32Array);
  const isWrong = values.some((x) => !(x < Number.POSITIVE_INFINITY) || (scores === 'probs' && x < 0));
  const isEmpty = (_: unknown, t: number) =>
    values.subarray(t * classes, (t + 1) * classes).every((x) => x === Number.NEGATIVE_INFINITY);
  const hasEmpty = scores === 'logits' && Array.from({ length: inputLengths[n]! }, isEmpty).some(Boolean);
  const data = halves ? rowsOf(halves).map((half) => (scores === 'probs' ? half & 0x7fff : half)) : values;
  const isExtreme = values.some((x) => Number.isFinite(x) && Math.abs(x) > 1e30);
  return { data, isInvalid: isWrong || hasEmpty, isExtreme, ...(halves && { dtype: 'float16' as const }) };
}

/** Options of a loss that change what is right. */
const options: readonly Omit<Asked, 'scores'>[] = [
  { gradient: 'logProbs' },
  { zeroInfinity: true },
  { gradient: 'logProbs', zeroInfinity: true },
];

/** Of the batches every fourth: other ones for each kind of scores and device, so that together they take all. */
const fourthOf = (scores: ScoresKey, device: string) => {
  const first = (truths.findIndex(([key]) => key === scores) + Object.keys(devices).indexOf(device)) % 4;
  return [...batches.entries()].filter(([i]) => i % 4 === first);
};

describe.each(truths)('%s', (scores, expected) => {
  test('streams, however they are cut, read what runs read, and refuse what is no score', async () => {
    const random = seeded(firstSeed);
    // of rows that are what nobody chose
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    for (const [i, batch] of batches.entries()) {
      const { classes, blank, inputLengths } = batch;
      const options = { device: 'cpu', blank } as const;
      const greedy = await CtcDecoder.create(options);
      const beam = await CtcBeamDecoder.create({ ...options, width: 4, nbest: 4 });
      for (const [n, length] of inputLengths.entries()) {
        const { data, isInvalid, isExtreme, ...kind } = recordingOf(batch, n, scores);
        const cuts = Array.from({ length: length + 1 }, (_, t) => t).filter(
          (t) => t === 0 || t === length || random() < 0.5,
        );
        const chunks = cuts.slice(1).map((end, c) => ({
          ...{ [scores]: data.subarray(cuts[c]! * classes, end * classes), ...kind },
        }));
        const what = `problem ${firstSeed + i}, sequence ${n}`;
        const [labels, texts] = [greedy.stream(classes), beam.stream(classes)];
        if (isInvalid) {
          for (const stream of [labels, texts])
            expect(() => {
              for (const chunk of chunks) stream.push(chunk);
            }, what).toThrow(`${scores}: expected `);
          continue;
        }
        const parts = chunks.map((chunk) => {
          texts.push(chunk);
          return labels.push(chunk);
        });
        parts.push(labels.end());
        const found = texts.end();
        if (length === 0) {
          expect([parts[0]!.ids.length, found.map((one) => one.labels.length)], what).toEqual([0, [0]]);
          continue;
        }
        const input = { [scores]: { data, shape: [length, classes], ...kind } };
        const { readings } = await greedy.run(input as never);
        const [read] = readings!;
        for (const key of ['ids', 'starts', 'ends'] as const)
          expect(
            parts.flatMap((part) => [...part[key]]),
            `${what}, ${key}`,
          ).toEqual([...read![key]]);
        for (const [k, score] of parts.flatMap((part) => [...part.scores]).entries())
          expect(score, `${what}, score ${k}`).toBeCloseTo(read!.scores[k]!, 4);
        // at the ends of what a float32 can be a kernel takes a text for impossible
        if (!isExtreme) expect(found, what).toEqual((await beam.run(input as never)).readings[0]);
      }
      greedy.destroy();
      beam.destroy();
    }
    warned.mockRestore();
  });

  describe.each(Object.entries(devices))('%s', (device, how) => {
    const taken = fourthOf(scores, device);
    for (const name of Object.keys(expectations) as Enumerated[]) {
      test.each(waysOf(name))(`${name} %o`, async (way) => {
        for (const [i, batch] of taken) {
          const instance = await operations[name].create({
            device: how.device,
            blank: batch.blank,
            ...way,
          });
          forced.set(instance, how);
          await named(`problem ${firstSeed + i}`, async () => {
            const answer = await answerOf(instance, name, batch, scores);
            const given: Asked = { scores, ...operations[name].asked };
            expectations[name](answer, expected[i]!, batch, given);
          });
          instance.destroy();
        }
      });
    }

    test.each(options)('CtcLoss %o', async (given) => {
      if (scores === 'logits' && given.gradient === 'logProbs') return;
      for (const [i, batch] of taken) {
        const { blank } = batch;
        const ctc = await CtcLoss.create({ device: how.device, blank, reduction: 'none', ...given });
        forced.set(ctc, how);
        await named(`problem ${firstSeed + i}`, async () => {
          const answer = await answerOf(ctc as never, 'CtcLoss', batch, scores);
          expectations.CtcLoss(answer, expected[i]!, batch, { scores, ...given });
        });
        ctc.destroy();
      }
    });

    test('kept lattices', async () => {
      const keep: readonly Kept[] = ['alpha', 'beta', 'posterior'];
      for (const [i, batch] of taken) {
        const { frames, targets, inputLengths, blank } = batch;
        const { data, shape, ...kind } = tensorOf(batch, scores);
        const ctc = await CtcLoss.create({ device: how.device, blank });
        forced.set(ctc, how);
        const labels = Math.max(...targets.map((row) => row.length));
        const task = await ctc.prepare({
          [scores]: shape,
          ...kind,
          maxTargetLength: labels,
          keep,
        } as never);
        await named(`problem ${firstSeed + i}`, async () => {
          task.setTargets(targets, { inputLengths });
          await (task as unknown as AnyTask).run({ [scores]: data });
          const [alpha, beta, posterior] = await Promise.all(keep.map((name) => task.read(name)));
          for (const truth of expected[i]!) {
            const { n, size } = truth;
            const bar = 2e-6 + 2e-6 * (scores === 'logits' ? 0 : size);
            for (const state of latticeOf(truth, blank)) {
              const at = (n * frames + state.t) * (2 * labels + 1) + state.state;
              const near = (got: number, wanted: number, more: number, what: string) => {
                const same = Number.isFinite(wanted)
                  ? Math.abs(got - wanted) <= more
                  : Object.is(got, wanted);
                if (!same)
                  expect.fail(
                    `${what} of sequence ${n}, frame ${state.t}, state ${state.state}: expected ${wanted} ± ${more}, got ${got}`,
                  );
              };
              near(posterior![at]!, state.posterior, 2e-6, 'posterior');
              if (truth.invalid) continue;
              near(alpha![at]!, state.alpha, bar + 1e-6 * Math.abs(state.alpha), 'alpha');
              near(beta![at]!, state.beta, bar + 1e-6 * Math.abs(state.beta), 'beta');
            }
          }
        });
        ctc.destroy();
      }
    });
  });
});
