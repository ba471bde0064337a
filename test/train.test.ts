// The training that demo/train.html and `npm run train` share, in Node.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { editDistance } from '../learning/edit-distance.js';
import { features, movements } from '../learning/pen.js';
import { Random } from '../learning/random.js';
import { room, Trainer } from '../learning/trainer.js';
import { type Handwriting, sample, varied } from '../learning/writer.js';
import type { TestDevice } from './device.js';
import { openJax } from './frameworks.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const hands: Handwriting[] = JSON.parse(readFileSync(join(root, 'fixtures/hands/hands.json'), 'utf8'));

describe('handwriting', () => {
  test('is the same for the same seed, and of ever new hands', () => {
    expect(sample(3, 5, room)).toEqual(sample(3, 5, room));
    expect(sample(3, 5, room).strokes).not.toEqual(sample(4, 5, room).strokes);
    const many = Array.from({ length: 300 }, (_, i) => sample(3, i, room));
    expect(new Set(many.map(({ text }) => text.length))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
    expect(new Set(many.flatMap(({ text }) => [...text])).size).toBe(10);
    for (const { strokes } of many) {
      expect(strokes.flat(2).every(Number.isFinite)).toBe(true);
      const moved = movements(strokes);
      expect(moved.every(Number.isFinite)).toBe(true);
      expect(moved.length).toBeLessThanOrEqual(room * features);
    }
  });

  test('movements know nothing of place, size, and how many points a pen reports', () => {
    const { strokes } = hands[0]!;
    const moved = movements(strokes);
    const scaled = movements(
      strokes.map((stroke) => stroke.map(([x, y]) => [3 * x - 700, 3 * y + 90] as const)),
    );
    expect(scaled.length).toBe(moved.length);
    for (let i = 0; i < moved.length; i++) expect(Math.abs(scaled[i]! - moved[i]!)).toBeLessThan(1e-4);
    const twice = strokes.map((stroke) =>
      stroke.flatMap(([x, y], i) => {
        const [ax, ay] = stroke[i - 1] ?? [x, y];
        return i === 0 ? [[x, y] as const] : [[(ax + x) / 2, (ay + y) / 2] as const, [x, y] as const];
      }),
    );
    const denser = movements(twice);
    expect(denser.length).toBe(moved.length);
    for (let i = 0; i < moved.length; i++) expect(Math.abs(denser[i]! - moved[i]!)).toBeLessThan(0.05);
  });

  test.each([
    ['nothing', [], 0],
    ['a dot', [[[5, 5]]], 1],
    ['a dot twice, far apart', [[[5, 5]], [[500, 5]]], undefined],
    [
      'a line that lies',
      [
        [
          [0, 0],
          [100, 0],
        ],
      ],
      undefined,
    ],
  ] as const)('%s is read without harm', (_, strokes, frames) => {
    const moved = movements(strokes as unknown as Handwriting['strokes']);
    expect(moved.every(Number.isFinite)).toBe(true);
    if (frames !== undefined) expect(moved.length / features).toBe(frames);
    expect(moved.length / features).toBeLessThan(400);
  });

  test('a sample of one’s own is never quite the same again', () => {
    const once = varied(hands[0]!, new Random(1));
    expect(once.text).toBe(hands[0]!.text);
    expect(once.strokes.map(({ length }) => length)).toEqual(hands[0]!.strokes.map(({ length }) => length));
    expect(once.strokes).not.toEqual(varied(hands[0]!, new Random(2)).strokes);
  });
});

test.each([
  ['', '', 0],
  ['123', '123', 0],
  ['123', '13', 1],
  ['', '77', 2],
  ['4071', '4771', 1],
  ['12', '21', 2],
])('from %j to %j in %d edits', (from, to, count) => expect(editDistance(from, to)).toBe(count));

describe('training', () => {
  let gpu: TestDevice;
  beforeAll(async () => {
    gpu = await openJax();
  });

  const taught = async (steps: number, ...create: Parameters<typeof Trainer.create>) => {
    const trainer = await Trainer.create(...create);
    while (trainer.steps < steps) await trainer.step();
    return trainer;
  };
  const bytesOf = async (trainer: Trainer) => {
    const bytes = await trainer.save();
    trainer.dispose();
    return Buffer.from(bytes);
  };

  test('a seed repeats it to the bit, also across a save; another seed does not', async () => {
    const settings = { seed: 5, batch: 4 };
    const first = await taught(3, settings);
    expect(first.device).toBe('webgpu');
    const losses = [...first.losses];
    const bytes = await bytesOf(first);
    expect((await bytesOf(await taught(3, settings))).equals(bytes)).toBe(true);
    const half = await bytesOf(await taught(2, settings));
    const resumed = await taught(3, settings, { bytes: half });
    expect(resumed.losses).toEqual(losses);
    expect((await bytesOf(resumed)).equals(bytes)).toBe(true);
    const other = await taught(3, { ...settings, seed: 6 });
    expect(other.losses).not.toEqual(losses);
    // a quarter of a batch is one's own
    const own = await Trainer.create(settings);
    own.set({ own: [hands[0]!] });
    await own.step();
    expect(own.losses[0]).not.toBe(losses[0]);
    for (const trainer of [other, own]) trainer.dispose();
  });

  test('steps and readings leak no buffer, and nothing comes back but the loss', async () => {
    const trainer = await taught(3, { batch: 4 });
    await trainer.read(hands[1]!.strokes);
    const before = gpu.alive().length;
    const createBuffer = vi.spyOn(gpu.device, 'createBuffer');
    for (let i = 0; i < 30; i++) await trainer.step();
    const readBack = createBuffer.mock.calls.filter(([{ usage }]) => usage & GPUBufferUsage.MAP_READ);
    expect(readBack.map(([{ size }]) => size)).toEqual(Array(30).fill(4));
    createBuffer.mockRestore();
    await trainer.read(hands[1]!.strokes);
    expect(gpu.alive().length).toBeLessThanOrEqual(before);
    trainer.dispose();
  });

  test('a file that is none, or of another network, is refused by name', async () => {
    const refused = (bytes: Uint8Array) =>
      expect(Trainer.create({}, { bytes, name: 'mine.safetensors' })).rejects;
    await refused(Buffer.from('hello')).toThrow('mine.safetensors: expected a .npy or .npz file');
    const header = Buffer.from('{"seed":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'.padEnd(64));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const of = (data: Buffer) => Buffer.concat([length, header, data]);
    await refused(of(Buffer.alloc(8))).toThrow('mine.safetensors: seed: expected the shape [1], got [2]');
    // weights that are no numbers would read nothing, and nobody would hear of it
    await openJax();
    const trainer = await Trainer.create({ seed: 2 ** 31 + 7, batch: 3, rate: 0.0123 });
    const saved = await trainer.save();
    trainer.dispose();
    const again = await Trainer.create({}, { bytes: saved });
    expect(again.settings).toEqual({ seed: 2 ** 31 + 7, batch: 3, rate: 0.0123 });
    again.dispose();
    const other = await Trainer.create({ rate: 0.5 }, { bytes: saved });
    expect(other.settings).toEqual({ seed: 2 ** 31 + 7, batch: 3, rate: 0.5 });
    other.dispose();
    new DataView(saved.buffer).setFloat32(saved.length - 8, Number.NaN, true);
    await refused(saved).toThrow(/^mine\.safetensors: .*: expected numbers, got NaN in the place \d+$/);
  });
});

describe('npm run train', () => {
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-ctc-train-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const out = join(folder, 'digits.safetensors');

  /** Runs it, until it has printed something if that is asked for. Gives what it printed. */
  function run(args: string[], killAt?: RegExp): Promise<{ text: string; code: number | null }> {
    const child = spawn(process.execPath, ['examples/train.js', ...args], { cwd: root });
    let text = '';
    const heard = (data: Buffer) => {
      text += data;
      if (killAt?.test(text)) child.kill('SIGKILL');
    };
    child.stdout.on('data', heard);
    child.stderr.on('data', heard);
    return new Promise((resolve) => child.on('close', (code) => resolve({ text, code })));
  }

  test('is killed, goes on, and reads: fresh strings, and the hands of others', async () => {
    const killed = await run(['--out', out, '--seed', '1', '--steps', '200'], /step 50\/200/);
    expect(killed.code).toBe(null);
    expect(killed.text).toMatch(/^step 25\/200 {2}loss [\d.]+ {2}error [\d.]+ % {2}\d+ ms a step$/m);
    expect(existsSync(out)).toBe(true);

    const { text, code } = await run(['--out', out, '--steps', '200']);
    expect(code, text).toBe(0);
    const after = Number(/goes on after (\d+) steps/.exec(text)?.[1]);
    expect([25, 50]).toContain(after);
    expect(text).toMatch(/loss, step 1 to 200\n/);
    const rate = Number(/([\d.]+) % of the digits of 128 fresh strings are wrong/.exec(text)?.[1]);
    expect(rate).toBeLessThan(10);

    await openJax();
    const trainer = await Trainer.create({}, { bytes: readFileSync(out) });
    let wrong = 0;
    for (const string of hands) wrong += editDistance((await trainer.read(string.strokes)).text, string.text);
    const digits = hands.reduce((sum, string) => sum + string.text.length, 0);
    console.log(
      `fresh strings: ${rate} % wrong; ${hands.length} strings of nine hands: ${wrong} of ${digits} digits`,
    );
    expect(wrong / digits).toBeLessThanOrEqual(0.25);
    trainer.dispose();
  }, 240_000);

  test('says what is wrong with its options', async () => {
    const { text, code } = await run(['--steps', 'many']);
    expect([code, text.split('\n')[0]]).toEqual([2, '--steps: expected an integer ≥ 1, got many']);
    const nowhere = await run(['--out', join(folder, 'nowhere/x.safetensors')]);
    expect([nowhere.code, nowhere.text]).toEqual([
      2,
      expect.stringMatching(
        /^--out .*nowhere.x\.safetensors: expected a file that can be written, got ENOENT/,
      ),
    ]);
    const other = await run(['--out', out, '--seed', '2']);
    expect(other.code).toBe(2);
    expect(other.text).toContain(`--seed: expected 1, that of ${out}, got 2; --fresh begins anew`);
  });
});
