import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readingOf, tokenise, Vocabulary } from 'webgpu-ctc/text';
import { withPage } from './browser.js';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/speech/${name}`, import.meta.url));
const vocabulary = Vocabulary.from(JSON.parse(fixture('vocab.json').toString()));
/** The first words of the clip, and no more of it: a software adapter takes long for convolutions. */
const text = 'hello hello';
const seconds = 1.15;

/** Samples of a mono WAV with 16 bits. */
function samplesOf(bytes: Buffer): Float32Array {
  const data = bytes.subarray(44);
  return Float32Array.from({ length: data.length / 2 }, (_, i) => data.readInt16LE(2 * i) / 32768);
}

test('a session on WebGPU: its output is scored, aligned and read where it is; of another device, over the host', () =>
  withPage(
    async ({ run }) => {
      const targets = Array.from(tokenise(text, vocabulary).targets);
      const { gpu, elsewhere, host } = await run(
        'onnxruntime',
        'sentence',
        samplesOf(fixture('clip4.wav')).subarray(0, 16_000 * seconds),
        targets,
      );
      expect([gpu.path, gpu.reason]).toEqual(['gpu', 'the buffer belongs to the device']);
      expect([host.path, host.reason]).toEqual(['host', 'the session left it on the host']);
      expect([elsewhere.path, elsewhere.reason]).toEqual([
        'host',
        'the buffer belongs to another device: copied over the host',
      ]);
      const { path, reason, loss, ...numbers } = gpu;
      expect(numbers.grad.length).toBe(numbers.labels.length * vocabulary.size);
      // the same kernels on the same numbers
      expect(host).toMatchObject(numbers);
      // rounded once on the host, at every step on the device
      expect(Math.abs(host.loss - loss)).toBeLessThan(1e-6 * loss);
      expect(elsewhere.data).toEqual(host.data);
      expect(
        readingOf(
          numbers.read,
          numbers.read.map(() => 0),
          vocabulary,
          { frameSeconds: 0.02 },
        ).text,
      ).toBe(text);
    },
    { expected: [/onnxruntime/] },
  ));
