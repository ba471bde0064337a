import * as jax from '@jax-js/jax';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { ctcLoss, disposeCtcLoss, prepareCtcLoss } from 'webgpu-ctc/jax';
import type { TestDevice } from './device.js';
import { batchOf, ctcBuffers, difference, expectedOf, openJax } from './frameworks.js';
import { expectNamed } from './nasty.js';

const { numpy: np } = jax;
let gpu: TestDevice;

beforeAll(async () => {
  gpu = await openJax();
});

const batch = batchOf(1, [5, 30, 7], 9);
const { shape, labels, logitLengths } = batch;
const input = { labels, logitLengths };

describe.each(['webgpu', 'cpu'] as const)('on the device %s', (device) => {
  beforeAll(() => {
    jax.defaultDevice(device);
  });
  const logitsOf = () => np.array(batch.logits, { shape, device });

  test.each(['none', 'sum', 'mean'] as const)(
    'loss and gradient are those of the core: %s',
    async (reduction) => {
      const expected = await expectedOf(batch, reduction);
      const logits = logitsOf();
      const { loss, grad } = await ctcLoss({ logits: logits.ref, ...input, reduction });
      expect(logits.refCount).toBe(1);
      expect(loss.shape).toEqual(reduction === 'none' ? [5] : []);
      expect(grad.shape).toEqual(shape);
      expect(loss.device).toBe(device);
      expect(difference(await loss.data(), expected.losses)).toBeLessThan(1e-6);
      expect(difference(await grad.data(), expected.grad)).toBeLessThan(1e-6);
      // what was kept is as it was
      expect(await logits.data()).toEqual(batch.logits);
    },
  );

  test('what a network computed, time first', async () => {
    const expected = await expectedOf(batch);
    const swapped = np.transpose(logitsOf(), [1, 0, 2]).mul(1);
    const { loss, grad } = await ctcLoss({ logits: swapped, ...input, layout: 'TNC' });
    expect(difference(await loss.data(), expected.losses)).toBeLessThan(1e-6);
    expect(difference(await grad.transpose([1, 0, 2]).data(), expected.grad)).toBeLessThan(1e-6);
  });

  test('calls that do not wait for each other do not mix', async () => {
    const others = [2, 3, 4].map((seed) => batchOf(seed, shape, 9));
    const results = await Promise.all(
      others.map((other) =>
        ctcLoss({
          logits: np.array(other.logits, { shape, device }),
          labels: other.labels,
          logitLengths: other.logitLengths,
        }),
      ),
    );
    for (const [i, { loss, grad }] of results.entries()) {
      const expected = await expectedOf(others[i]!);
      expect(difference(await loss.data(), expected.losses)).toBeLessThan(1e-6);
      expect(difference(await grad.data(), expected.grad)).toBeLessThan(1e-6);
    }
  });

  test('through a vjp: the gradient of the weights, and a hundred steps that leak nothing', async () => {
    const inputs = np.array(batch.logits, { shape: [150, 7], device });
    let weights = np.zeros([7, 7], { device });
    const network = jax.jit((w: jax.Array, x: jax.Array) => np.matmul(x, w).reshape(shape));
    const step = async () => {
      const [logits, pullback] = jax.vjp((w: jax.Array) => network(w, inputs.ref), [weights.ref]);
      const { loss, grad } = await ctcLoss({ logits, ...input });
      const [gradient] = pullback(grad);
      pullback.dispose();
      return { loss, gradient };
    };
    const first = await step();
    const expected = await expectedOf({ ...batch, logits: new Float32Array(batch.logits.length) });
    const byHand = Float32Array.from({ length: 49 }, (_, i) => {
      let sum = 0;
      for (let row = 0; row < 150; row++)
        sum += batch.logits[row * 7 + Math.floor(i / 7)]! * expected.grad[row * 7 + (i % 7)]!;
      return sum;
    });
    expect(difference(await first.gradient.data(), byHand)).toBeLessThan(1e-5);
    const [began] = await first.loss.data();
    let buffers = 0;
    let last = began;
    for (let i = 0; i < 100; i++) {
      const { loss, gradient } = await step();
      weights = weights.sub(gradient.mul(0.3));
      [last] = await loss.data();
      if (i === 10) buffers = gpu.alive().length;
    }
    expect(last).toBeLessThan(0.9 * began!);
    expect(gpu.alive().length).toBeLessThanOrEqual(buffers);
    weights.dispose();
    inputs.dispose();
    network.dispose();
    disposeCtcLoss(device);
    expect(ctcBuffers(gpu)).toEqual([]);
  });

  test('whatever comes, the error names the argument', async () => {
    const logits = logitsOf();
    const call = (change: object) => ctcLoss({ logits: logits.ref, ...input, ...change });
    const isEmpty = (what: string) => /^an object( of (no|a) class)?$/.test(what);
    await expectNamed('input', (value) => ctcLoss(value as never), isEmpty);
    for (const key of [
      'labels',
      'labelLengths',
      'logitLengths',
      'blank',
      'layout',
      'reduction',
      'zeroInfinity',
    ])
      await expectNamed(key, (value) => call({ [key]: value }));
    await expectNamed('logits', (value) => ctcLoss({ ...input, logits: value as never }));
    await expectNamed('device', (value) => disposeCtcLoss(value as never));
    expect(logits.refCount).toBe(1);
    logits.dispose();
  });

  test('what is wrong is named, and nothing leaks', async () => {
    const kept: jax.Array[] = [];
    const wrong = (change: object) => {
      const logits = logitsOf();
      kept.push(logits);
      return ctcLoss({ logits: logits.ref, ...input, ...change });
    };
    await expect(wrong({ labels: labels.slice(1) })).rejects.toThrow(
      'labels: expected 5 rows (the batch is 5 in NTC), got 4',
    );
    await expect(wrong({ labels: kept[0] })).rejects.toThrow('labels: expected');
    await expect(wrong({ logitLengths: [31, 1, 1, 1, 1] })).rejects.toThrow(
      'logitLengths[0]: expected an integer from 0 to 30 (T), got 31',
    );
    await expect(wrong({ layout: 'TCN' })).rejects.toThrow("layout: expected one of 'NTC', 'TNC', got 'TCN'");
    // taken over, wrong or not
    expect(kept.map(({ refCount }) => refCount)).toEqual(kept.map(() => 1));
    for (const logits of kept) logits.dispose();
    await expect(ctcLoss({ logits: batch.logits as unknown as jax.Array, ...input })).rejects.toThrow(
      'logits: expected an Array of jax-js, got Float32Array of 1050',
    );
    const ids = np.zeros(shape, { dtype: np.int32, device });
    await expect(ctcLoss({ logits: ids, ...input })).rejects.toThrow("logits: expected float32, got 'int32'");
    // at once: nobody would hear of a promise that rejects in there
    const inside = jax.jit((x: jax.Array) => {
      ctcLoss({ logits: x.ref, ...input });
      return x;
    });
    const given = logitsOf();
    expect(() => inside(given.ref)).toThrow(
      'logits: expected an Array with numbers, got one that is being traced',
    );
    inside.dispose();
  });
});

test('prepared, the first loss of a shape compiles nothing', async () => {
  jax.defaultDevice('webgpu');
  disposeCtcLoss();
  const lengths = [3, 23, 11] as const;
  const compiled = [
    vi.spyOn(gpu.device, 'createComputePipeline'),
    vi.spyOn(gpu.device, 'createComputePipelineAsync'),
  ];
  const ofCtc = () =>
    compiled.flatMap((spy) => spy.mock.calls).filter(([{ label }]) => label?.startsWith('ctc:')).length;
  await prepareCtcLoss({ logits: lengths, maxLabelLength: 5, blank: 2 });
  const before = ofCtc();
  expect(before).toBeGreaterThan(0);
  const { loss, grad } = await ctcLoss({
    logits: np.zeros([...lengths]),
    labels: [[1], [3, 3], [4]],
    blank: 2,
  });
  await Promise.all([loss.data(), grad.data()]);
  expect(ofCtc()).toBe(before);
  for (const spy of compiled) spy.mockRestore();
  await expect(prepareCtcLoss({ logits: [3, 4], maxLabelLength: -1 })).rejects.toThrow(
    'maxLabelLength: expected an integer ≥ 0, got -1',
  );
});
