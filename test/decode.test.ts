import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CtcDecoder, type Decoding } from 'webgpu-ctc/node';
import { type Forced, forced } from '../src/api/forced.js';
import { readingOf, Vocabulary } from '../src/entries/text.js';
import { readNpy } from '../src/files/npy.js';
import { expectSameBits, swapAxes } from './compute.js';
import { sharedDevice } from './device.js';
import { collapse, makeBatch, sequenceOf } from './reference.js';

const plain = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');

interface How extends Forced {
  readonly device: GPUDevice | 'cpu';
}

const ways: Readonly<Record<string, How>> = {
  cpu: { device: 'cpu' },
  gpu: { device: plain.device },
  'gpu, a workgroup for each row': { device: plain.device, tuning: { sharedRow: 0 } },
  'gpu, a subgroup for each row': { device: withSubgroups.device, tuning: { sharedRow: 0 } },
  'gpu, windows cut': {
    device: plain.device,
    limits: { maxStorageBufferBindingSize: 1024, maxBufferSize: 2048 },
  },
};

async function decoderOf(how: How, blank = 0) {
  const decoder = await CtcDecoder.create({ device: how.device, blank });
  forced.set(decoder, how);
  return decoder;
}

describe.each(Object.entries(ways))('%s', (_, how) => {
  test.each(['logits', 'logProbs', 'probs'])(
    'a zero with a sign is one without: of equal %s the first is read',
    async (scores) => {
      const decoder = await decoderOf(how);
      const low = scores === 'probs' ? 0 : -5;
      for (const row of [
        [-0, 0],
        [low, -0, 0, low],
        [low, low, low, low, -0, 0, -0],
      ]) {
        const { labels } = await decoder.run({
          [scores]: { data: Float32Array.from(row), shape: [1, row.length] },
        } as never);
        expect((labels as Int32Array)[0], `[${row}]`).toBe(row.indexOf(Math.max(...row)));
      }
      decoder.destroy();
    },
  );

  test('of two probabilities that differ by the last bit the larger one is read', async () => {
    const decoder = await decoderOf(how);
    const probs = Float32Array.of(1e-3, 1e-3, 1e-3, 1e-3);
    new Uint32Array(probs.buffer)[2]!++;
    const { labels, scores } = (await decoder.run({ probs: { data: probs, shape: [1, 4] } })) as Decoding;
    expect(labels[0]).toBe(2);
    expect(scores[0]).toBeCloseTo(Math.log(1e-3), 5);
    decoder.destroy();
  });

  test.each([
    ['logProbs', 'TNC', 7],
    ['logProbs', 'NTC', 13],
    ['logits', 'TNC', 33],
    ['logits', 'NTC', 4],
    ['probs', 'NTC', 9],
  ] as const)('best classes of %s in %s, %i classes', async (scores, layout, classes) => {
    const batch = makeBatch('random', 60 + classes, {
      frames: 11,
      sequences: 3,
      classes,
      labels: 2,
      blank: 1,
    });
    const lengths = [11, 0, 5];
    const decoder = await decoderOf(how, 1);
    const data = layout === 'TNC' ? batch[scores] : swapAxes(batch[scores], 11, 3);
    const shape = (layout === 'TNC' ? [11, 3, classes] : [3, 11, classes]) as [number, number, number];
    const got = await decoder.run({ [scores]: { data, shape, layout }, inputLengths: lengths } as never);
    decoder.destroy();
    const { labels, scores: given, readings } = got as unknown as Decoding;
    for (let n = 0; n < 3; n++) {
      const { rows } = sequenceOf({ ...batch, inputLengths: lengths }, n, scores);
      const best = rows.map((row) => row.indexOf(Math.max(...row)));
      expect([...labels.subarray(11 * n, 11 * n + 11)]).toEqual([
        ...best,
        ...Array(11 - lengths[n]!).fill(-1),
      ]);
      rows.forEach((row, t) => {
        expect(Math.abs(given[11 * n + t]! - Math.max(...row))).toBeLessThan(2e-6);
      });
      expect([...readings[n]!.ids]).toEqual(collapse(best, 1));
    }
  });

  test('ties go to the first class; NaN and what has no normaliser have no answer', async () => {
    const rows = [
      [1, 2, 2, 2, 2, 0],
      [0, 0, 0, 0, 0, 0],
      [0, 1, Number.NaN, 5, 0, 0],
      [0, 1, Infinity, 5, 0, 0],
      Array(6).fill(-Infinity),
      [-Infinity, -3, -Infinity, -3, -2, -Infinity],
    ];
    const tensor = { data: Float32Array.from(rows.flat()), shape: [6, 6] as const };
    const decoder = await decoderOf(how);
    const logits = await decoder.run({ logits: tensor });
    expect([...logits.labels]).toEqual([1, 0, -1, -1, -1, 4]);
    expect(logits.scores[1]).toBeCloseTo(-Math.log(6), 5);
    expect([...logits.scores.subarray(2, 5)]).toEqual(Array(3).fill(Number.NaN));
    const logProbs = await decoder.run({ logProbs: tensor });
    expect([...logProbs.labels]).toEqual([1, 0, -1, 2, 0, 4]);
    expect([...logProbs.scores.subarray(2)]).toEqual([Number.NaN, Infinity, -Infinity, -2]);
    decoder.destroy();
  });

  test('the spoken sentences read as recorded', async () => {
    const fixture = (name: string) => readFileSync(new URL(`../fixtures/speech/${name}`, import.meta.url));
    const vocabulary = Vocabulary.from(JSON.parse(fixture('vocab.json').toString()));
    const clips = JSON.parse(fixture('clips.json').toString());
    // the labels of a clip, up to 2,240 bytes, are bound as a whole
    const limits = how.limits && { maxStorageBufferBindingSize: 2304, maxBufferSize: 4096 };
    const decoder = await decoderOf({ ...how, ...(limits && { limits }) });
    for (const [i, clip] of clips.entries()) {
      const { data, shape } = readNpy(fixture(`clip${i + 1}.logits.npy`), 'clip');
      const logits = { data: data as Float32Array, shape: shape as [number, number] };
      const { labels, scores } = await decoder.run({ logits });
      expect(readingOf(labels, scores, vocabulary, { frameSeconds: clip.frameSeconds }).text).toBe(
        clip.greedy,
      );
    }
    decoder.destroy();
  });
});

test('buffers in, buffers out, in an encoder of the caller', async () => {
  const { device, buffer, read, alive } = withSubgroups;
  const batch = makeBatch('random', 77, { frames: 9, sequences: 4, classes: 12, labels: 2 });
  const decoder = await CtcDecoder.create({ device });
  const before = alive();
  const task = await decoder.prepare({ logits: [9, 4, 12] });
  task.setLengths([9, 3, 0, 9]);
  const expected = await task.run({ logits: batch.logits });
  const logits = buffer(batch.logits);
  const [labels, scores] = [buffer(new Uint32Array(36 + 8).fill(1)), buffer(4 * 36)];
  const encoder = device.createCommandEncoder();
  task.encode(encoder, { logits, labels: { buffer: labels, offset: 16 }, scores });
  device.queue.submit([encoder.finish()]);
  const words = new Int32Array((await read(labels)).buffer);
  expect([...words.subarray(4, 40)]).toEqual([...expected.labels]);
  expect([...words.subarray(0, 4), ...words.subarray(40)]).toEqual(Array(8).fill(1));
  expectSameBits(await read(scores), expected.scores);
  const again = await task.run({ logits });
  expectSameBits(await read(again.scores as GPUBuffer), expected.scores);
  for (const made of [again.labels, again.scores] as GPUBuffer[]) made.destroy();
  expect(() => task.encode(encoder, { logits, labels } as never)).toThrow('scores: expected a GPUBuffer');
  task.destroy();
  expect(alive()).toEqual(before);
  decoder.destroy();
});
