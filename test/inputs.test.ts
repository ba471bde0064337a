// Labels and scores as frameworks hold them, and what a training loop asks for beside the loss.
import { describe, expect, test, vi } from 'vitest';
import { CtcAligner, CtcDecoder, CtcLoss, requiredFrames } from 'webgpu-ctc/node';
import { sharedDevice } from './device.js';
import type { Instance } from './operations.js';

const gpu = await sharedDevice();
const devices = { cpu: 'cpu' as const, gpu: gpu.device };
const ways = [
  ['cpu', 'auto'],
  ['gpu', 'step'],
  ['gpu', 'fused'],
  ['gpu', 'tiled'],
] as const;

const shape = [7, 2, 5] as const;
const data = Float32Array.from({ length: 70 }, (_, i) => 3 * Math.sin(i * i));
const targets = [[1, 2, 2], [4]];

describe.each(ways)('%s, %s', (device, strategy) => {
  const make = () => CtcLoss.create({ device: devices[device], strategy, reduction: 'none' });

  test('labels and lengths as 64-bit integers are those of 32', async () => {
    const ctc = await make();
    const expected = await ctc.run({ logits: { data, shape }, targets });
    const flat = { targets: BigInt64Array.of(1n, 2n, 2n, 4n), targetLengths: BigInt64Array.of(3n, 1n) };
    const padded = {
      targets: { data: BigInt64Array.of(1n, 2n, 2n, 4n, -100n, -100n), shape: [2, 3] as const },
      targetLengths: [3, 1],
    };
    for (const given of [flat, padded, { targets: targets.map((row) => BigInt64Array.from(row, BigInt)) }])
      expect(await ctc.run({ logits: { data, shape }, ...given })).toEqual(expected);
    await expect(ctc.run({ logits: { data, shape }, targets: [[5n], [1n]] })).rejects.toThrow(
      'targets[0][0]: expected a class from 0 to 4 other than the blank (0), got 5n',
    );
    ctc.destroy();
  });

  test('bfloat16 scores are the floats that they stand for', async () => {
    const ctc = await make();
    // every kind of number: negative, zeros, small, and an odd number of them in a row
    const bits = Uint16Array.from(new Uint32Array(data.buffer), (word) => word >>> 16);
    bits.set([0x8000, 0x0001, 0xff80, 0x0000], 10);
    const exact = new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
    const wide = { data: exact, shape };
    const half = { data: bits, shape, dtype: 'bfloat16' } as const;
    expect(await ctc.run({ logits: half, targets })).toEqual(await ctc.run({ logits: wide, targets }));
    ctc.destroy();
    for (const Kind of [CtcAligner, CtcDecoder]) {
      const one: Instance = await Kind.create({ device: devices[device] });
      const more = Kind === CtcAligner ? { targets } : {};
      expect(await one.run({ logits: half, ...more } as never)).toEqual(
        await one.run({ logits: wide, ...more } as never),
      );
      one.destroy();
    }
  });

  test('with zeroInfinity it says which sequences have no path', async () => {
    const ctc = await CtcLoss.create({ device: devices[device], strategy, zeroInfinity: true });
    const { feasible } = await ctc.run({
      ...{ logits: { data, shape }, targets: [[1, 1, 1], [2]], inputLengths: [4, 7] },
    });
    expect(feasible).toEqual([false, true]);
    ctc.destroy();
  });
});

test('padding without lengths, and the last class as −1, are told with the way out', async () => {
  const ctc = await CtcLoss.create({ device: 'cpu' });
  const padded = { data: [1, 2, 2, 4, -1, -1], shape: [2, 3] as const };
  await expect(ctc.run({ logits: { data, shape }, targets: padded })).rejects.toThrow(
    'targets[1][1]: expected a class from 0 to 4 other than the blank (0); if it is padding, targetLengths says how many labels each sequence has, got -1',
  );
  await expect(CtcLoss.create({ blank: -1 })).rejects.toThrow(
    'blank: expected an integer ≥ 0 (C − 1 for the last class), got -1',
  );
  await expect(ctc.run({ logits: { data: new Uint16Array(70), shape }, targets })).rejects.toThrow(
    "logits.dtype: expected 'float16' or 'bfloat16' for a Uint16Array, got undefined",
  );
});

test('probabilities that are taken for logits are told, once', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const ctc = await CtcLoss.create({ device: 'cpu' });
  const probabilities = data.slice();
  for (let at = 0; at < 70; at += 5) {
    const row = probabilities.subarray(at, at + 5).map(Math.exp);
    const sum = row.reduce((all, value) => all + value, 0);
    probabilities.set(
      row.map((value) => value / sum),
      at,
    );
  }
  const task = await ctc.prepare({ logits: shape, maxTargetLength: 3 });
  task.setTargets(targets);
  await task.run({ logits: probabilities });
  await task.run({ logits: probabilities });
  expect(warned.mock.calls).toEqual([[expect.stringMatching(/^webgpu-ctc: logits: .* pass them as probs$/)]]);
  // logits, their log-probabilities, and what an untrained network gives
  for (const input of [
    { logits: { data, shape } },
    { logProbs: { data: probabilities.map(Math.log), shape } },
    { logits: { data: new Float32Array(70).fill(0.2), shape } },
  ])
    await ctc.run({ ...input, targets } as never);
  expect(warned).toHaveBeenCalledTimes(1);
  // and what is taken for probabilities and is none; those that are, also where some are masked
  await ctc.run({ logProbs: { data: probabilities, shape }, targets });
  await ctc.run({ probs: { data: probabilities, shape }, targets });
  await ctc.run({ probs: { data: probabilities.map((p) => (p < 0.1 ? 0 : p)), shape }, targets });
  await ctc.run({ probs: { data, shape }, targets });
  await ctc.run({ probs: { data: probabilities.map(Math.log), shape }, targets });
  expect(warned.mock.calls.slice(1)).toEqual([
    [expect.stringMatching(/^webgpu-ctc: logProbs: .* pass them as probs$/)],
    [expect.stringMatching(/^webgpu-ctc: probs: .* no probabilities/)],
    [expect.stringMatching(/^webgpu-ctc: probs: .* no probabilities/)],
  ]);
  warned.mockRestore();
  ctc.destroy();
});

test('the frames that labels need', () => {
  expect([[], [1], [1, 2], [1, 1], [1, 1, 1, 2, 2]].map(requiredFrames)).toEqual([0, 1, 2, 3, 8]);
  expect(requiredFrames(BigInt64Array.of(3n, 3n))).toBe(3);
  expect(() => requiredFrames(3 as never)).toThrow('labels: expected the labels of a sequence, got 3');
});

test('a small run waits once', async () => {
  const { device } = gpu;
  const ctc = await CtcLoss.create({ device });
  const task = await ctc.prepare({ logits: shape, maxTargetLength: 3 });
  task.setTargets(targets);
  await task.run({ logits: data });
  let waits = 0;
  const done = device.queue.onSubmittedWorkDone;
  device.queue.onSubmittedWorkDone = function () {
    waits++;
    return done.call(this);
  };
  const { createBuffer } = device;
  device.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    const map = buffer.mapAsync.bind(buffer);
    buffer.mapAsync = (...given) => {
      waits++;
      return map(...given);
    };
    return buffer;
  };
  try {
    for (let i = 0; i < 5; i++) await task.run({ logits: data });
  } finally {
    device.queue.onSubmittedWorkDone = done;
    device.createBuffer = createBuffer;
  }
  expect(waits).toBe(5);
  ctc.destroy();
});
