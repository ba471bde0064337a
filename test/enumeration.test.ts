/**
 * Every operation against the enumeration of all paths, over problems that nobody chose.
 * `PROBLEMS=20000 SEED=5 npx vitest run test/enumeration.test.ts` takes others, and more of them: each device a fourth.
 */
import { describe, expect, test } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
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
