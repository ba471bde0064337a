import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CtcDecoder, type DecodeChunk, type Decoding, type StreamedLabels } from 'webgpu-ctc/node';
import { type Forced, forced } from '../src/api/forced.js';
import { readingOf, Vocabulary } from '../src/entries/text.js';
import { readNpy } from '../src/files/npy.js';
import { expectSameBits, swapAxes } from './compute.js';
import { sharedDevice } from './device.js';
import { collapse, makeBatch, seeded, sequenceOf } from './reference.js';

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

test('a recording without frames has no labels', async () => {
  const decoder = await CtcDecoder.create({ device: 'cpu' });
  const logits = { data: new Float32Array(), shape: [2, 0, 3], layout: 'NTC' } as const;
  const { labels, readings } = await decoder.run({ logits });
  expect([labels.length, readings.map(({ ids }) => ids.length)]).toEqual([0, [0, 0]]);
  decoder.destroy();
});

describe('a stream', () => {
  const [frames, classes] = [60, 5];
  const random = seeded(5);
  // labels that are held, and one frame of another between two equal ones
  const logits = Float32Array.from({ length: frames * classes }, (_, i) => {
    const t = Math.floor(i / classes);
    return 2 * random() + (Math.floor(t / 3) % classes === i % classes ? 2 : 0);
  });

  test('reads what is read at once, however it is cut: a label that is held over a border is one', async () => {
    const decoder = await CtcDecoder.create({ device: 'cpu' });
    const { readings } = await decoder.run({ logits: { data: logits, shape: [frames, classes] } });
    const answers = [1, 7, 50, frames].map((size) => {
      const stream = decoder.stream(classes);
      const parts: StreamedLabels[] = [];
      for (let t = 0; t < frames; t += size)
        parts.push(
          stream.push({ logits: logits.subarray(classes * t, classes * (t + size)) }),
          stream.push({ logits: [] }),
        );
      parts.push(stream.end());
      const all = (name: 'ids' | 'starts' | 'ends' | 'scores') => parts.flatMap((part) => [...part[name]]);
      return { ids: all('ids'), starts: all('starts'), ends: all('ends'), scores: all('scores') };
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const { ids, starts, ends, scores } = readings[0]!;
    expect(answers[0]).toMatchObject({ ids: [...ids], starts: [...starts], ends: [...ends] });
    for (const [i, score] of scores.entries()) expect(answers[0]!.scores[i]).toBeCloseTo(score, 5);
  });

  /** An array that is in another thread now, and has no numbers left here. */
  function sent(): Float32Array {
    const array = new Float32Array(5);
    structuredClone(array.buffer, { transfer: [array.buffer] });
    return array;
  }

  test('what is wrong is named, and changes nothing', async () => {
    const decoder = await CtcDecoder.create({ device: 'cpu' });
    const stream = decoder.stream(classes);
    expect(() => stream.push({ logits: [1, 2, 3] })).toThrow(
      "logits: expected frames of 5 scores, got '3 scores'",
    );
    expect(() => stream.push({ probs: [0, 1, 0, 0, 0, 0, Number.NaN, 0, 0, 0] })).toThrow(
      'probs: expected finite scores in frame 1 of the chunk, got NaN',
    );
    for (const [chunk, told] of [
      [{ probs: [0, 1.5, -0.5, 0, 0] }, 'probs: expected finite scores in frame 0 of the chunk, got -0.5'],
      [
        { logits: Array(5).fill(Number.NEGATIVE_INFINITY) },
        'logits: expected a finite score in frame 0 of the chunk, got -Infinity',
      ],
      // what JSON makes of NaN
      [{ logits: [1, 2, null, 0, 0] }, 'logits[2]: expected a number, got null'],
      [{ logits: new Uint16Array(5) }, "dtype: expected 'float16' or 'bfloat16' for a Uint16Array"],
      [
        { logits: [1, 2, 3, 4, 5], dtype: 'float16' },
        "dtype: expected 'float32' for an Array, got 'float16'",
      ],
      [
        { logits: new Int32Array(5) },
        'logits: expected an array of numbers, or a Float32Array, Float64Array or Float16Array, got ',
      ],
      [{ logits: sent() }, 'logits: expected an array that '],
    ] as const)
      expect(() => stream.push(chunk as DecodeChunk)).toThrow(told);
    expect(stream.push({ probs: [0, 0, 1, 0, 0] }).ids).toHaveLength(0);
    expect(stream.end()).toMatchObject({
      ids: Int32Array.of(2),
      starts: Int32Array.of(0),
      ends: Int32Array.of(1),
    });
    expect(() => stream.end()).toThrow('stream: expected one that goes on, got one that has ended');
    expect(() => decoder.stream(0)).toThrow('classes: expected an integer ≥ 1, got 0');
  });
});
