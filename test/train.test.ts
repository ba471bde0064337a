// The training that demo/train.html and `npm run train` share, in Node.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { attribute, digitColours, fit, sameInk } from '../demo/train/ink.js';
import { fromHash, limits, longestLink, toHash } from '../demo/train/link.js';
import { editDistance } from '../learning/edit-distance.js';
import { classes, features, follow, movements, stride } from '../learning/pen.js';
import { phaseOf } from '../learning/phase.js';
import { Random } from '../learning/random.js';
import { room, Trainer } from '../learning/trainer.js';
import { writeSafetensors } from '../learning/weights.js';
import { type Handwriting, sample, varied } from '../learning/writer.js';
import type { TestDevice } from './device.js';
import { openJax } from './frameworks.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const stringsOf = (file: string): (Handwriting & { hand: string })[] =>
  JSON.parse(readFileSync(join(root, 'fixtures/hands', file), 'utf8'));
const [hands, styles] = [stringsOf('hands.json'), stringsOf('styles.json')];

describe('handwriting', () => {
  test('is the same for the same seed, and of ever new hands', () => {
    expect(sample(3, 5, room)).toEqual(sample(3, 5, room));
    expect(sample(3, 5, room).strokes).not.toEqual(sample(4, 5, room).strokes);
    const many = Array.from({ length: 300 }, (_, i) => sample(3, i, room));
    expect(new Set(many.map(({ text }) => text.length))).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
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

  test('nor in which order strokes were drawn, nor at which end a stroke was begun', () => {
    for (const { strokes } of hands) expect(movements(strokes.toReversed())).toEqual(movements(strokes));
    // rings have no ends
    const open = hands
      .flatMap(({ strokes }) => strokes)
      .filter(([[x, y], ...rest]) => Math.hypot(rest.at(-1)![0] - x, rest.at(-1)![1] - y) > 50);
    const same = open.filter((stroke) => {
      const [there, back] = [movements([stroke]), movements([stroke.toReversed()])];
      return there.length === back.length && there.every((value, i) => Math.abs(value - back[i]!) < 0.1);
    });
    expect(open.length).toBeGreaterThan(150);
    expect(same.length / open.length).toBeGreaterThan(0.9);
  });

  test('hands differ in what people differ in', () => {
    const share = (count: number) => count / many.length;
    const many = Array.from({ length: 400 }, (_, i) => sample(3, i, room)).filter(
      ({ text }) => text.length > 2,
    );
    const heights = many.map(({ strokes }) => {
      const { places } = follow(strokes);
      const groups = [...new Set(places.map(({ group }) => group))];
      return groups.map((one) => {
        const ys = places
          .filter(({ group }) => group === one)
          .flatMap(({ stroke }) => strokes[stroke]!.map(([, y]) => y));
        return Math.max(...ys) - Math.min(...ys);
      });
    });
    // the largest digit of a string over its smallest
    const uneven = heights.filter((all) => Math.max(...all) > 1.6 * Math.min(...all));
    expect(share(uneven.length)).toBeGreaterThan(0.1);
    const backward = many.filter(
      ({ strokes }) => follow(strokes).places.filter((p) => p.backward).length > 1,
    );
    expect(share(backward.length)).toBeGreaterThan(0.25);
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

test.each([
  [{ blanks: 0.1, read: 3.7, wrong: 3.7 }, 'guessing'],
  [{ blanks: 0.99, read: 0.02, wrong: 1 }, 'silence'],
  [{ blanks: 0.9, read: 0.4, wrong: 0.8 }, 'spikes'],
  [{ blanks: 0.8, read: 1, wrong: 0.2 }, 'reading'],
] as const)('%o is the phase of %s', (watched, phase) => expect(phaseOf(watched)).toBe(phase));

describe('ink as it is read', () => {
  /** So many frames, all of them blank but for some digits. */
  const readingOf = (frames: number, spikes: readonly (readonly [frame: number, digit: number])[]) => {
    const posteriors = new Float32Array(frames * classes);
    for (let t = 0; t < frames; t++) {
      const digit = spikes.find(([frame]) => frame === t)?.[1];
      posteriors[t * classes + (digit === undefined ? 0 : digit + 1)] = 1;
    }
    return { text: spikes.map(([, digit]) => digit).join(''), posteriors, frames };
  };
  const framesOf = ({ strokes }: Handwriting) => Math.ceil(movements(strokes).length / features / stride);
  const readOf = (string: Handwriting, spikes: readonly (readonly [number, number])[]) =>
    attribute(string.strokes, readingOf(framesOf(string), spikes));

  test('as many digits as stand apart are those, wherever the network says them', () => {
    const string = hands.find(({ text, strokes }) => text === '40' && strokes.length === 3)!;
    // both while it follows the second one
    const last = framesOf(string) - 1;
    const { digits, parts } = readOf(string, [
      [last - 2, 4],
      [last, 0],
    ]);
    expect(digits).toEqual([4, 0]);
    expect(parts.map((some) => some.map(({ read }) => read))).toEqual([[0], [0], [1]]);
  });

  test('two digits in one stroke part it between them; nothing that is read is no digit’s', () => {
    const line = Array.from({ length: 60 }, (_, i) => [i, 20 * Math.sin(i / 4)] as const);
    const string = { text: '', strokes: [line] };
    const last = framesOf(string) - 1;
    const [forwards, backwards] = [string, { ...string, strokes: [line.toReversed()] }].map(
      (one) =>
        readOf(one, [
          [0, 1],
          [last, 2],
        ]).parts[0]!,
    );
    expect(forwards!.map(({ read }) => read)).toEqual([0, 1]);
    expect(forwards![0]!.to).toBeCloseTo(0.5, 1);
    expect(backwards!.map(({ read }) => read)).toEqual([1, 0]);
    for (const parts of [forwards!, backwards!]) {
      expect([parts[0]!.from, parts[1]!.to]).toEqual([0, 1]);
      expect(parts[0]!.to).toBe(parts[1]!.from);
    }
    expect(readOf(string, []).parts).toEqual([[{ from: 0, to: 1, read: undefined }]]);
    expect(attribute([], readingOf(0, []))).toEqual({ digits: [], movements: [], parts: [] });
  });

  test('the colours of the digits are seen on their card', () => {
    const luminance = (hex: string) => {
      const [r, g, b] = [1, 3, 5]
        .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    };
    for (const [theme, card] of [
      ['light', '#ffffff'],
      ['dark', '#1d2025'],
    ] as const) {
      expect(new Set(digitColours[theme]).size).toBe(10);
      for (const colour of digitColours[theme]) {
        const [low, high] = [luminance(colour), luminance(card)].sort((a, b) => a - b);
        expect((high! + 0.05) / (low! + 0.05)).toBeGreaterThan(3);
      }
    }
  });
});

describe('a link to a training', () => {
  const settings = { seed: 7, batch: 32, rate: 0.008 };

  test('has the settings, the string and its digits; it is read as the string is', () => {
    for (const { strokes, text } of [...hands.slice(24), ...styles]) {
      const hash = toHash({ settings, strokes, text });
      expect(hash.length).toBeLessThan(longestLink);
      const there = fromHash(`#${hash}`)!;
      expect([there.settings, there.text]).toEqual([settings, text]);
      // on a pad of another size as well: what it was said to be goes into the next link, too
      const written = fit(there.strokes, 373, 338);
      expect(sameInk(written, there.strokes)).toBe(true);
      expect(sameInk(written.slice(1), there.strokes)).toBe(false);
      expect(there.strokes.length).toBe(strokes.length);
      const [before, after] = [movements(strokes), movements(there.strokes)];
      expect(Math.abs(after.length - before.length) / features).toBeLessThanOrEqual(2);
    }
    expect(toHash({ settings: {}, strokes: [], text: undefined })).toBe('');
  });

  test('is a stranger’s: whatever it says, what comes of it can be shown and learned', () => {
    const { strokes } = hands[30]!;
    const good = new URLSearchParams(toHash({ settings, strokes, text: '1' })).get('ink')!;
    const ink = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'AZaz09-_%+/=é') }),
      fc.nat(good.length).map((length) => good.slice(0, length)),
      fc.base64String().map((text) => text.replace(/[+/=]/g, '_')),
    );
    const field = fc.oneof(fc.string(), fc.double().map(String), fc.bigInt().map(String));
    const hash = fc
      .record({ ink, says: field, seed: field, batch: field, rate: field }, { requiredKeys: [] })
      .map((fields) => new URLSearchParams(fields as Record<string, string>).toString());
    fc.assert(
      fc.property(fc.oneof(hash, fc.string()), (said) => {
        const there = fromHash(said);
        if (!there) return;
        for (const [name, { min, max }] of Object.entries(limits)) {
          const value = there.settings[name as keyof typeof limits] ?? min;
          expect(value >= min && value <= max, `${name} ${value}`).toBe(true);
        }
        expect(Number.isInteger(there.settings.batch ?? 4)).toBe(true);
        expect(there.strokes.every((stroke) => stroke.length > 0)).toBe(true);
        expect(there.strokes.flat(2).every(Number.isFinite)).toBe(true);
        expect(there.strokes.flat().length).toBeLessThan(2000);
        if (there.text !== undefined) expect(there.text).toMatch(/^[0-9]{1,16}$/);
      }),
      { numRuns: 500 },
    );
    expect(fromHash('')).toBe(undefined);
    expect(fromHash('#seed=-1&batch=1e9&rate=NaN&ink=%00')).toBe(undefined);
  });
});

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
    const reader = trainer.remember();
    await trainer.step();
    const now = await trainer.read(hands[1]!.strokes);
    expect((await trainer.read(hands[1]!.strokes, reader)).posteriors).not.toEqual(now.posteriors);
    trainer.forget(reader);
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
    await refused(
      writeSafetensors({
        settings: { shape: [4], data: Float32Array.of(0, 1, 32, 8000) },
        errors: { shape: [0, 2], data: new Float32Array(0) },
        'weights/first.kernel': { shape: [24, 16], data: new Float32Array(24 * 16) },
      }),
    ).toThrow(
      'mine.safetensors: weights/first.kernel: expected the shape [30,24], got [24,16]; it may be of another network than this one',
    );
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
    await refused(saved).toThrow(/^mine\.safetensors: .*: expected numbers, got NaN in the place \d+/);
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
    // of 500 that are usual, so that this takes half a minute
    const steps = ['--steps', '300'];
    const killed = await run(['--out', out, '--seed', '1', ...steps], /step 25\/300/);
    expect(killed.code).toBe(null);
    expect(killed.text).toMatch(/^step 25\/300 {2}loss [\d.]+ {2}error [\d.]+ % {2}\d+ ms a step$/m);
    expect(existsSync(out)).toBe(true);

    const { text, code } = await run(['--out', out, ...steps]);
    expect(code, text).toBe(0);
    const after = Number(/goes on after (\d+) steps/.exec(text)?.[1]);
    expect([25, 50]).toContain(after);
    expect(text).toMatch(/loss, step 1 to 300\n/);
    const rate = Number(/([\d.]+) % of the digits of 128 fresh strings are wrong/.exec(text)?.[1]);
    expect(rate).toBeLessThan(10);

    await openJax();
    const trainer = await Trainer.create({}, { bytes: readFileSync(out) });
    const wrong = new Map<Handwriting, number>();
    for (const string of [...hands, ...styles])
      wrong.set(string, editDistance((await trainer.read(string.strokes)).text, string.text));
    trainer.dispose();
    const wrongOf = (strings: readonly Handwriting[]) =>
      strings.reduce((sum, string) => sum + wrong.get(string)!, 0);
    const digitsOf = (strings: readonly Handwriting[]) =>
      strings.reduce((sum, string) => sum + string.text.length, 0);
    const [ofHands, ofStyles] = [wrongOf(hands), wrongOf(styles)];
    console.log(
      `fresh strings: ${rate} % wrong; nine hands: ${ofHands} of ${digitsOf(hands)} digits; ` +
        `fifteen styles: ${ofStyles} of ${digitsOf(styles)}`,
    );
    expect(ofHands).toBeLessThanOrEqual(6);
    expect(ofStyles / digitsOf(styles)).toBeLessThanOrEqual(0.03);
    const people = new Set(styles.map(({ hand }) => hand));
    expect(people.size).toBe(15);
    for (const person of people) {
      const strings = styles.filter(({ hand }) => hand === person);
      expect(wrongOf(strings) / digitsOf(strings), person).toBeLessThanOrEqual(0.1);
    }
  }, 240_000);

  test('says what is wrong with its options', async () => {
    for (const [args, complaint] of [
      [['--steps', 'many'], '--steps: expected an integer from 1 to 1000000, got many'],
      [['--rate', ''], '--rate: expected a number from 0.000001 to 1, got nothing'],
      [['--rate', 'Infinity'], '--rate: expected a number from 0.000001 to 1, got Infinity'],
      [['--hands', '--out', out], '--hands: expected without --out, as it writes no file'],
    ] as const) {
      const { text, code } = await run([...args]);
      expect([code, text.split('\n')[0]]).toEqual([2, complaint]);
    }
    expect((await run(['--out', folder])).text).toBe(
      `--out ${folder}: expected a file that can be written, got a folder\n`,
    );
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
