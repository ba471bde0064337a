import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tokenise, Vocabulary, wordsOf } from '../src/entries/text.js';
import { readNpy } from '../src/files/npy.js';
import { withPage } from './browser.js';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/speech/${name}`, import.meta.url));
const vocabulary = Vocabulary.from(JSON.parse(fixture('vocab.json').toString()));
const clip = JSON.parse(fixture('clips.json').toString())[3];

test.each(['page', 'module worker'])('a spoken sentence, aligned and read in a %s', (place) =>
  withPage(async ({ run, runInWorker }) => {
    const { data, shape } = readNpy(fixture('clip4.logits.npy'), 'clip4');
    const transcript = tokenise(clip.text, vocabulary);
    const job = place === 'page' ? run : runInWorker;
    const { gpu, cpu } = await job('ctc', 'read', data as Float32Array, shape as [number, number], [
      ...transcript.targets,
    ]);
    expect([gpu.device, cpu.device]).toEqual(['gpu', 'cpu']);
    expect(gpu.labels).toEqual(cpu.labels);
    expect(gpu.ids).toEqual(cpu.ids);
    expect(gpu.score).toBeCloseTo(cpu.score, 3);
    gpu.durations.forEach((duration, i) => {
      expect(duration).toBeCloseTo(cpu.durations[i]!, 4);
    });
    expect(gpu.samples).toHaveLength(2 * shape[0]!);
    const { words } = wordsOf(transcript, gpu, { frameSeconds: clip.frameSeconds });
    const late = words.map(({ start }, i) => Math.abs(start - clip.words[i].start)).sort((a, b) => a - b);
    expect(late[late.length >> 1]).toBeLessThan(0.035);
    expect(late.at(-1)).toBeLessThan(0.18);
  }),
);
