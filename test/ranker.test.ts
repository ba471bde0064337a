/** Many texts, one recording: each candidate's loss is that of a run of it alone, to the bit, and what follows from the losses. */
import { describe, expect, test } from 'vitest';
import { CtcLoss, CtcRanker, type Ranking } from 'webgpu-ctc/node';
import { type Forced, forced } from '../src/api/forced.js';
import { sharedDevice } from './device.js';
import { seeded } from './reference.js';

const gpu = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');
const devices = { cpu: 'cpu', gpu: gpu.device, subgroups: withSubgroups.device } as const;
type On = keyof typeof devices;

/** Recordings, and texts of a few labels: as drawn, shorter, equal, empty, and one with more labels than frames. */
function problem(seed: number, { frames = 21, sequences = 3, classes = 7, candidates = 9 } = {}) {
  const random = seeded(seed);
  const integer = (end: number) => Math.floor(random() * end);
  const count = frames * sequences * classes;
  const data = Float32Array.from({ length: count }, () => 4 * (random() + random() + random() - 1.5));
  const text = (length: number) => Array.from({ length }, () => 1 + integer(classes - 1));
  const list = () => [
    text(frames + 1),
    [],
    ...Array.from({ length: candidates - 3 }, () => text(1 + integer(6))),
  ];
  const lists = Array.from({ length: sequences }, (_, n) => {
    const some = list();
    return [...some, some[3]!].slice(n);
  });
  const inputLengths = Array.from({ length: sequences }, (_, n) =>
    n === 0 ? frames : frames - integer(frames / 2),
  );
  return {
    frames,
    sequences,
    classes,
    data,
    lists,
    inputLengths,
    shape: [frames, sequences, classes] as const,
  };
}

async function rankings(on: On, input: Parameters<CtcRanker['run']>[0], ways: Forced = {}, options = {}) {
  const ranker = await CtcRanker.create({ device: devices[on], ...options });
  forced.set(ranker, ways);
  const result = await ranker.run({ ...input, results: 'host' } as never);
  ranker.destroy();
  return (result as { rankings: readonly Ranking[] }).rankings;
}

/** The loss of one text over one recording, in a run of its own. */
async function lossAlone(
  ctc: CtcLoss<'none', 'none'>,
  { frames, sequences, classes, data, inputLengths }: ReturnType<typeof problem>,
  key: 'logits' | 'logProbs' | 'probs',
  n: number,
  target: readonly number[],
): Promise<number> {
  const own = new Float32Array(frames * classes);
  for (let t = 0; t < frames; t++)
    own.set(data.subarray((t * sequences + n) * classes, (t * sequences + n + 1) * classes), t * classes);
  const scores = { [key]: { data: own, shape: [frames, classes] } } as never as { logits: never };
  const { loss } = await ctc.run({ ...scores, targets: [target], inputLengths: [inputLengths[n]!] });
  return loss as unknown as number;
}

/** Sizes that force every way to cut the batch, the candidates of one recording, the time and the tensors. */
const cuts: Readonly<Record<string, Forced>> = {
  'in one go': {},
  'a few candidates at a time': {
    limits: { maxStorageBufferBindingSize: 9000 },
    tuning: { lanes: 2, subgroups: false },
  },
  'time in slices': { limits: { maxStorageBufferBindingSize: 1700 }, tuning: { lanes: 1, subgroups: false } },
  'small dispatches, grids and buffers': {
    limits: { maxComputeWorkgroupsPerDimension: 7, maxBufferSize: 12_000 },
    tuning: { elementsPerDispatch: 90, lanes: 3, subgroups: false, stepsPerDispatch: 5 },
  },
};

describe.each(['cpu', 'gpu', 'subgroups'] as const)('on %s', (on) => {
  test.each(['logits', 'logProbs', 'probs'] as const)(
    'a loss has the bits of a run of its own, however the work is cut, and so has what was read: %s',
    async (key) => {
      const given = problem(on === 'cpu' ? 3 : 4);
      const data = given.data.map((x) => (key === 'logits' ? x : key === 'probs' ? Math.exp(x - 6) : x - 6));
      given.data.set(data);
      const scores = { data, shape: given.shape };
      const input = { [key]: scores, candidates: given.lists, inputLengths: given.inputLengths } as never;
      const ctc = await CtcLoss.create({
        device: devices[on],
        reduction: 'none',
        gradient: 'none',
        strategy: 'fused',
      });
      const all = await rankings(on, input);
      for (const [n, list] of given.lists.entries()) {
        for (const [k, target] of list.entries()) {
          const alone = await lossAlone(ctc, given, key, n, target);
          expect(all[n]!.losses[k], `candidate ${k} of recording ${n}`).toBe(alone);
        }
        const { labels, loss } = all[n]!.free;
        expect(loss).toBe(await lossAlone(ctc, given, key, n, [...labels]));
      }
      ctc.destroy();
      for (const cut of Object.values(cuts)) expect(await rankings(on, input, cut)).toEqual(all);
    },
  );
});
