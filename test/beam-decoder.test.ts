/** Reading with knowledge: exact small cases, on each device. */
import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import {
  type BeamReading,
  CtcBeamDecoder,
  type CtcBeamOptions,
  Hotwords,
  Lexicon,
  NGram,
} from 'webgpu-ctc/lm';
import { CtcLoss } from 'webgpu-ctc/node';
import { Vocabulary } from 'webgpu-ctc/text';
import { readNpy } from '../src/files/npy.js';
import { tableConstants } from '../src/lm/packed-tables.js';
import { Flag } from '../src/lm/tables.js';
import { arpaOf, enumerated, situation } from './beam-enumeration.js';
import { sharedDevice } from './device.js';
import { arpa, emissionsOf, type Pitfall, pitfalls } from './pitfalls.js';
import { seeded } from './reference.js';

/** Options for a case, and a width that leaves nothing out. */
async function optionsOf(one: Pitfall): Promise<CtcBeamOptions> {
  const { classes, blank, separator, lm, lexicon, hotwords } = one;
  return {
    tokens: Vocabulary.from([...classes], { blank, delimiter: separator ?? null }),
    ...(lm && {
      lm: await NGram.read(arpa(lm.file)),
      units: lm.level === 'token' ? 'tokens' : 'words',
      weights: { alpha: lm.weight, beta: lm.wordBonus, unknown: lm.unknownOffset },
    }),
    ...(lexicon && {
      lexicon: new Lexicon(Object.entries(lexicon).map(([word, spellings]) => ({ word, spellings }))),
    }),
    ...(hotwords && { hotwords: new Hotwords(hotwords) }),
    width: 400,
    nbest: 8,
  };
}

describe.each(['cpu', 'gpu'] as const)('on the %s', (where) => {
  test.each(pitfalls('decode').map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const decoder = await CtcBeamDecoder.create({
      ...(await optionsOf(one)),
      device: where === 'cpu' ? 'cpu' : (await sharedDevice()).device,
    });
    const { scores, emissions, classes, expected } = one;
    const tensor = { data: emissionsOf(emissions), shape: [emissions.length, classes.length] as const };
    const { readings } = await decoder.run({ [scores]: tensor } as { logits: typeof tensor });
    const [found] = readings;
    expect(
      new Set(found!.map(({ text, labels }) => (one.lm?.level === 'token' ? labels.join() : text))).size,
    ).toBe(found!.length);
    expected.nbest.forEach((want, i) => {
      const got = found![i]!;
      expect(got.text).toBe(want.text);
      expect(got.total).toBeCloseTo(want.objective, 4);
      expect(got.ctc).toBeCloseTo(want.ctc, 4);
      if (want.lm !== undefined) expect(got.lm).toBeCloseTo(want.lm, 4);
      if (want.hotwords !== undefined) expect(got.hotwords).toBeCloseTo(want.hotwords, 4);
      if (want.unknown !== undefined) expect(got.unknown).toBe(want.unknown);
      if (want.labels) expect([...got.labels]).toEqual(want.labels);
      if (want.wordTimes)
        expect(got.words.map(({ text, start, end }) => [text, start, end])).toEqual(want.wordTimes);
    });
    decoder.destroy();
  });
});

/** Ordinary, masked, or far off. */
function someLogit(random: () => number): number {
  const [kind, value] = [random(), 3 * random()];
  return kind < 0.05 ? -1e10 : kind < 0.1 ? Number.NEGATIVE_INFINITY : kind < 0.15 ? value - 40 : value;
}

describe('texts by enumeration', () => {
  const count = 4;
  const frames = 4;
  const random = seeded(20261130);
  const situations = Array.from({ length: 125 }, () => situation(random));
  /** All of them on the GPU take long: `WEBGPU_CTC_WHOLE=1` asks for that. */
  const step = (where: string) => (where === 'gpu' && !process.env.WEBGPU_CTC_WHOLE ? 4 : 1);
  test.each(['cpu', 'gpu'] as const)('500 problems that nobody chose, on the %s', async (where) => {
    for (const [i, one] of situations.entries()) {
      if (i % step(where) > 0) continue;
      const { classes, blank, separator, grams, units, lexicon, hotwords, weights } = one;
      const decoder = await CtcBeamDecoder.create({
        device: where === 'cpu' ? 'cpu' : (await sharedDevice()).device,
        tokens: Vocabulary.from([...classes], { blank, delimiter: separator }),
        ...(grams && { lm: await NGram.read(arpaOf(grams)), units }),
        ...(lexicon && {
          lexicon: new Lexicon(lexicon.words, { open: lexicon.open, unlisted: lexicon.unlisted }),
        }),
        ...(hotwords.length > 0 && { hotwords: new Hotwords(hotwords) }),
        ...{ weights, width: 400, nbest: 5 },
      });
      const values = seeded(i);
      const logits = Float32Array.from({ length: frames * count * 4 }, (_, k) =>
        k % 4 === 0 ? 3 * values() : someLogit(values),
      );
      const { readings } = await decoder.run({ logits: { data: logits, shape: [frames, count, 4] } });
      decoder.destroy();
      for (const [n, found] of readings.entries()) {
        const rows = Array.from({ length: frames }, (_, t) => {
          const row = Array.from(logits.subarray(4 * (count * t + n), 4 * (count * t + n) + 4));
          const most = Math.max(...row);
          const sum = Math.log(row.reduce((a, x) => a + Math.exp(x - most), 0));
          return row.map((x) => x - most - sum);
        });
        const right = enumerated(one, rows);
        const about = `problem ${i}, sequence ${n}`;
        expect(found.length, about).toBe(Math.min(5, right.length));
        // what needs a mask is possible, but no float tells such texts apart
        for (const [r, { text, ctc, total }] of found.entries()) {
          if (right[r]!.total < -1e6) break;
          expect(Math.abs(total - right[r]!.total), `${about}, total ${r}`).toBeLessThan(2e-4);
          const same = right.find((other) => other.text === text && Math.abs(other.total - total) < 2e-4);
          expect(same, `${about}: ${text}`).toBeDefined();
          expect(Math.abs(ctc - same!.ctc), `${about}, ctc of ${text}`).toBeLessThan(2e-4);
        }
      }
    }
  });
});

test('shaders find the tables where the library puts them', () => {
  const text = readFileSync(new URL('../shaders/shared/knowledge.wgsl', import.meta.url), 'utf8');
  const constants = Object.fromEntries(
    Array.from(text.matchAll(/const (\w+) = (\d+)u;/g), ([, name, value]) => [name!, Number(value)]),
  );
  const flags = Object.fromEntries(Object.entries(Flag).map(([name, flag]) => [name.toUpperCase(), flag]));
  const others = ['SPACE', 'OTHER'];
  const wanted = { ...tableConstants(), ...flags, SPACE: 0, OTHER: 1 };
  expect(Object.keys(constants).length).toBeGreaterThan(40);
  for (const [name, value] of Object.entries(constants)) expect(value, name).toBe(wanted[name as 'SPACE']);
  for (const name of Object.keys(tableConstants())) expect(constants, name).toHaveProperty(name);
  expect(others.every((name) => name in constants)).toBe(true);
});

describe('what comes in', () => {
  interface Inputs extends Omit<Pitfall, 'expected'> {
    readonly items: readonly {
      readonly what: string;
      readonly scores: 'logits' | 'logProbs';
      readonly shape: readonly number[];
      readonly emissions: Pitfall['emissions'];
      readonly expected: {
        readonly text?: string;
        readonly ctc?: number;
        readonly second?: readonly [string, number];
        readonly error?: true;
        readonly orEmpty?: true;
      };
      readonly tolerance?: number;
    }[];
  }
  const [inputs] = pitfalls<Inputs>('input');
  const { classes, blank, separator } = inputs!;
  const tokens = Vocabulary.from([...classes], { blank, delimiter: separator ?? null });

  describe.each(['cpu', 'gpu'] as const)('on the %s', (where) => {
    test.each(inputs!.items.map((item) => [item.what, item] as const))('%s', async (_, item) => {
      const device = where === 'cpu' ? 'cpu' : (await sharedDevice()).device;
      const decoder = await CtcBeamDecoder.create({ device, tokens, width: 400, nbest: 2 });
      const { scores, emissions, expected, tolerance = 1e-4 } = item;
      const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
      const read = async () => {
        const tensor = { data: emissionsOf(emissions), shape: [emissions.length, 4] as const };
        const input = { [scores]: tensor };
        return (await decoder.run(input as { logits: typeof tensor })).readings[0]!;
      };
      if (expected.error) {
        const found = await read().catch((error: Error) => error.message);
        if (!expected.orEmpty || typeof found === 'string') expect(found).toMatch(/frame \d of sequence 0/);
        else expect(found).toEqual([]);
      } else if (expected.text === undefined) {
        await read();
        expect(warned).toHaveBeenCalledWith(
          expect.stringMatching(/^webgpu-ctc: logProbs: .* no log-probabilities/),
        );
      } else {
        const [best, second] = await read();
        expect(best!.text).toBe(expected.text);
        expect(Math.abs(best!.ctc - expected.ctc!)).toBeLessThan(tolerance);
        if (expected.second) expect(second!.text).toBe(expected.second[0]);
        if (expected.second) expect(Math.abs(second!.ctc - expected.second[1])).toBeLessThan(tolerance);
      }
      warned.mockRestore();
      decoder.destroy();
    });

    test('a sequence has the same bits alone and in any batch, at every run', async () => {
      const device = where === 'cpu' ? 'cpu' : (await sharedDevice()).device;
      const decoder = await CtcBeamDecoder.create({ device, tokens, width: 6, nbest: 3 });
      const [frames, sequences] = [12, 5];
      const random = seeded(3);
      const logits = Float32Array.from({ length: frames * sequences * 4 }, () => 3 * random());
      const inputLengths = [12, 7, 0, 12, 3];
      const input = {
        logits: { data: logits, shape: [sequences, frames, 4], layout: 'NTC' },
        inputLengths,
      } as const;
      const { readings } = await decoder.run(input);
      expect((await decoder.run(input)).readings).toEqual(readings);
      for (const [n, length] of inputLengths.entries()) {
        const data = logits.slice(4 * frames * n, 4 * frames * (n + 1));
        const alone = await decoder.run({ logits: { data, shape: [frames, 4] }, inputLengths: [length] });
        expect(alone.readings[0]).toEqual(readings[n]);
      }
      decoder.destroy();
    });
  });

  test.each<[what: string, options: object, message: string | RegExp]>([
    ['a width of none', { width: 0 }, 'width: expected an integer from 1 to 2048, got 0'],
    ['a model that is none', { lm: {} }, 'lm: expected an NGram, got {}'],
    [
      'a hotword that cannot be spelled',
      { hotwords: new Hotwords({ 'a ü': 1 }) },
      "hotwords: expected phrases that the tokens can spell, got 'a ü'",
    ],
    [
      'knowledge without tokens',
      { tokens: undefined, hotwords: new Hotwords({ a: 1 }) },
      /^tokens: expected the vocabulary of the model/,
    ],
    ['another blank', { blank: 2 }, 'blank: expected 0, as of the vocabulary, got 2'],
    [
      'an unknown weight',
      { weights: { gamma: 1 } },
      "weights: expected the keys alpha, beta, unknown, got 'gamma'",
    ],
    [
      'a price above nothing',
      { tokenMinLogProb: 1 },
      'tokenMinLogProb: expected a number of at most 0, got 1',
    ],
    [
      'an unknown option',
      { beam: 3 },
      /^options: expected the keys device, blank, preload, tokens, .*, got 'beam'/,
    ],
    [
      'a lexicon of the wrong classes',
      { lexicon: new Lexicon([{ word: 'a', spellings: [[1]] }]) },
      /^lexicon: spelling of a: expected classes below 4/,
    ],
  ])('%s is refused by name', async (_, options, message) => {
    await expect(CtcBeamDecoder.create({ device: 'cpu', tokens, ...options })).rejects.toThrow(message);
  });

  test('scores of another number of classes are refused by name', async () => {
    const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens });
    const logits = { data: new Float32Array(10), shape: [2, 5] as const };
    await expect(decoder.run({ logits })).rejects.toThrow(
      'logits: expected 4 classes, as the vocabulary has, got 5',
    );
    expect(() => new Lexicon([])).toThrow('words: expected at least one word, got []');
    expect(
      () =>
        new Lexicon([
          { word: 'a', spellings: [] },
          { word: 'b', spellings: [[1]] },
        ]),
    ).toThrow('words[0].spellings: expected a list of one spelling or more, got []');
    expect(() => new Lexicon(['a b'])).toThrow("words[0]: expected a word without spaces, got 'a b'");
    expect(() => new Hotwords([['a', Number.NaN]])).toThrow(
      'phrases[0][1]: expected a number from −1e6 to 1e6, got NaN',
    );
  });
});

test('of any number of texts that are equally good none takes the place of a better one', async () => {
  const tokens = ['<blank>', '|', ...'abcdefghijklmnopqrstuvwxyz'];
  const random = seeded(7);
  const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens, width: 40 });
  for (let i = 0; i < 12; i++) {
    const frames = 12;
    const logits = new Float32Array(frames * 28);
    const path = Array.from({ length: frames }, () => (random() < 0.3 ? 0 : Math.floor(28 * random())));
    for (const [t, label] of path.entries()) logits[28 * t + label] = 8;
    const merged = path.filter((label, t) => label > 0 && label !== path[t - 1]);
    const text = merged.map((label) => (label === 1 ? ' ' : tokens[label])).join('');
    const { readings } = await decoder.run({ logits: { data: logits, shape: [frames, 28] } });
    expect(readings[0]![0]!.text).toBe(text.replace(/ +/g, ' ').trim());
  }
  decoder.destroy();
});

describe('tokens that are bytes', () => {
  const tokens = ['<blank>', '▁', '<0xC3>', '<0xA9>', 'a'];
  const heard = [4, 2, 3, 0, 1, 2, 3, 4];
  const logits = Float32Array.from({ length: 40 }, (_, i) => (heard[Math.floor(i / 5)] === i % 5 ? 8 : 0));

  test.each(['cpu', 'gpu'] as const)('are characters, in texts, hotwords and lexicons: %s', async (where) => {
    const device = where === 'cpu' ? 'cpu' : (await sharedDevice()).device;
    const known = { hotwords: new Hotwords({ 'aé éa': 5 }), lexicon: new Lexicon(['aé', 'éa', 'a']) };
    const decoder = await CtcBeamDecoder.create({ device, tokens, width: 400, ...known });
    const [[best]] = (await decoder.run({ logits: { data: logits, shape: [8, 5] } })).readings as [
      [BeamReading],
    ];
    expect(best).toMatchObject({ text: 'aé éa', hotwords: 5 });
    expect(best.words.map(({ text, start, end }) => [text, start, end])).toEqual([
      ['aé', 0, 3],
      ['éa', 5, 8],
    ]);
    decoder.destroy();
  });
});

test('a word that is spelled in several ways counts a label sequence once', async () => {
  // a b c is w and x in two ways
  const lexicon = new Lexicon([
    { word: 'w', spellings: [[1], [1, 2]] },
    { word: 'x', spellings: [[3], [2, 3]] },
  ]);
  const options = { device: 'cpu', lexicon, nbest: 9 } as const;
  const decoder = await CtcBeamDecoder.create({ ...options, tokens: ['<blank>', 'a', 'b', 'c'] });
  const logits = { data: new Float32Array(12), shape: [3, 4] } as const;
  const { readings } = await decoder.run({ logits });
  const ctcOf = Object.fromEntries(readings[0]!.map(({ text, ctc }) => [text, ctc]));
  // of the 64 paths: abc, aac, acc, ac with a blank in each of three places
  expect(ctcOf['w x']).toBeCloseTo(Math.log(6 / 64), 6);
  decoder.destroy();
});

test('what is white space elsewhere is a letter, but for what parts the words of a model', async () => {
  const tokens = ['<blank>', 'a', '\u3000', '\u00a0', '▁'];
  const heard = [1, 2, 1, 3, 1, 4, 1];
  const logits = Float32Array.from({ length: 35 }, (_, i) => (heard[Math.floor(i / 5)] === i % 5 ? 9 : 0));
  const hotwords = new Hotwords({ 'a\u3000a\u00a0a': 3 });
  const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens, hotwords });
  const { readings } = await decoder.run({ logits: { data: logits, shape: [7, 5] } });
  expect(readings[0]![0]).toMatchObject({ text: 'a\u3000a\u00a0a a', hotwords: 3 });
  decoder.destroy();
});

test('a recording without frames reads as nothing, in any batch', async () => {
  const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens: ['<blank>', 'a'], nbest: 2 });
  const none = { data: new Float32Array(), shape: [0, 3, 2] } as const;
  const { readings } = await decoder.run({ logits: none });
  const [nothing] = (
    await decoder.run({ logits: { data: new Float32Array(2), shape: [1, 2] }, inputLengths: [0] })
  ).readings;
  expect(readings).toEqual([nothing, nothing, nothing]);
  expect(nothing).toMatchObject([{ text: '', ctc: 0 }]);
  await expect(decoder.run({ logits: none, inputLengths: [0, 1, 0] })).rejects.toThrow('inputLengths[1]');
  await expect(decoder.run({ logits: { ...none, data: new Float32Array(6) } })).rejects.toThrow(
    'logits: expected 0 values (the product of the shape), got Float32Array of 6',
  );
  await expect(decoder.prepare({ logits: [0, 3, 2] })).rejects.toThrow('(T): expected an integer ≥ 1, got 0');
  decoder.destroy();
});

test.each([
  ['logits as log-probabilities', 'logProbs', (p: number) => Math.log(p) - 1],
  ['log10', 'logProbs', Math.log10],
  ['halves of probabilities', 'probs', (p: number) => p / 2],
] as const)('%s are told, in runs and in streams', async (_, key, wrong) => {
  const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens: ['<blank>', 'a', 'b'] });
  const right = Array(8).fill([0.5, 0.3, 0.2]).flat();
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (const [data, times] of [
    [right.map((p) => (key === 'probs' ? p : Math.log(p))), 0],
    [right.map(wrong), 2],
  ] as const) {
    warned.mockClear();
    await decoder.run({ [key]: { data: Float32Array.from(data), shape: [8, 3] } } as never);
    const stream = decoder.stream();
    for (let t = 0; t < 8; t++) stream.push({ [key]: data.slice(3 * t, 3 * t + 3) });
    expect(warned.mock.calls).toEqual(
      Array(times).fill([expect.stringMatching(/^webgpu-ctc: (logProbs|probs): .* no (log-)?probabilities/)]),
    );
  }
  warned.mockRestore();
  decoder.destroy();
});

test('words that the tokens cannot spell are told, and refused where there are no others', async () => {
  const tokens = ['<blank>', '|', 'a'];
  const create = (words: string[]) =>
    CtcBeamDecoder.create({ device: 'cpu', tokens, lexicon: new Lexicon(words) });
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const { notes } = await create(['a', 'zzz', 'aa']);
  expect(notes).toEqual(['1 of 3 words of the lexicon cannot be spelled, and are never read: zzz']);
  expect(warned).toHaveBeenCalledTimes(1);
  warned.mockRestore();
  await expect(create(['zzz'])).rejects.toThrow(
    "lexicon: expected words that the tokens can spell, got 'zzz'",
  );
});

/** A recording of thousands of frames in which each label and each blank is clear, and what lies in which frames. */
function clearRecording(classes: readonly string[], frames: number, quiet: number, seed: number) {
  const random = seeded(seed);
  const integer = (end: number) => Math.floor(end * random());
  const blank = classes.indexOf('-');
  const path: number[] = [];
  const spans: { label: number; start: number; end: number }[] = [];
  const silence = (count: number) => path.push(...Array<number>(count).fill(blank));
  while (path.length < frames) {
    if (spans.length === 300) silence(quiet);
    const label = (blank + 1 + integer(classes.length - 1)) % classes.length;
    silence(spans.at(-1)?.label === label ? 1 + integer(3) : integer(3));
    const start = path.length;
    path.push(...Array<number>(1 + integer(2)).fill(label));
    spans.push({ label, start, end: path.length });
  }
  const logits = Float32Array.from({ length: path.length * classes.length }, (_, i) =>
    path[Math.floor(i / classes.length)] === i % classes.length ? 14 : 2 * random(),
  );
  return { logits, spans, frames: path.length };
}

test('thousands of frames are read at once, by all their paths', async () => {
  const classes = ['a', 'b', 'c', '-'];
  const { logits, spans, frames } = clearRecording(classes, 6500, 0, 5);
  const tensor = { data: logits, shape: [frames, 4] } as const;
  const tokens = Vocabulary.from(classes, { blank: 3 });
  const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens, width: 2 });
  const [[best]] = (await decoder.run({ logits: tensor })).readings as [[BeamReading]];
  expect([...best.labels].map((label, i) => ({ label, start: best.starts[i]!, end: best.ends[i]! }))).toEqual(
    spans,
  );
  const ctc = await CtcLoss.create({ device: 'cpu', blank: 3, gradient: 'none' });
  const { loss } = await ctc.run({ logits: tensor, targets: [spans.map(({ label }) => label)] });
  const sum = (loss as unknown as number) * spans.length;
  expect(Math.abs(best.ctc + sum)).toBeLessThan(1e-6 * sum);
});

test('recordings that are equally likely to be anything have more paths than a number can count', async () => {
  const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens: ['-', 'a', 'b'], width: 5 });
  const ctc = await CtcLoss.create({ device: 'cpu', gradient: 'none', reduction: 'sum' });
  for (const frames of [1000, 3000]) {
    const tensor = { data: new Float32Array(3 * frames), shape: [frames, 3] } as const;
    const [[best]] = (await decoder.run({ logits: tensor })).readings as [[BeamReading]];
    const { loss } = await ctc.run({ logits: tensor, targets: [[...best.labels]] });
    expect(best.ctc / -(loss as unknown as number)).toBeCloseTo(1, 5);
    expect(best.probability).toBeGreaterThan(0);
  }
});

test('what costs more than silence, until its very end, has its times in a long recording, too', async () => {
  const frames = 12_000;
  const decoder = await CtcBeamDecoder.create({
    ...{
      device: 'cpu',
      tokens: ['-', '|', 'a', 'b'],
      width: 5,
      exact: false,
      hotwords: new Hotwords({ ab: 5 }),
    },
  });
  const logits = Float32Array.from({ length: 4 * frames }, (_, i) => (i % 4 === 0 ? 4 : 0));
  const [[best]] = (await decoder.run({ logits: { data: logits, shape: [frames, 4] } })).readings as [
    [BeamReading],
  ];
  expect(best.text.split(' ').length).toBeGreaterThan(100);
  expect(best.words.map(({ text }) => text).join(' ')).toBe(best.text);
});

test('what is ahead in a word of a model of tokens weighs nothing: narrow searches read what wide ones do', async () => {
  const tokens = ['-', '|', 'a', 'b', 'c'];
  // without <unk> an unknown word has a log10 probability of −100
  const grams = ['-99 <s>', '-1 </s>', ...tokens.slice(1).map((token) => `-0.7 ${token}`)];
  const arpa = ['\\data\\', 'ngram 1=6', '\\1-grams:', ...grams, '\\end\\'].join('\n');
  const known = { tokens, lm: await NGram.read(arpa), units: 'tokens' } as const;
  const heard = [2, 3, 0, 3, 4, 2];
  const logits = Float32Array.from({ length: 30 }, (_, i) => (heard[Math.floor(i / 5)] === i % 5 ? 6.5 : 0));
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  for (const device of ['cpu', (await sharedDevice()).device] as const)
    for (const narrow of [{}, { width: 2 }, { beamPruneLogProb: -10 }]) {
      const decoder = await CtcBeamDecoder.create({ device, ...known, ...narrow });
      const { readings } = await decoder.run({ logits: { data: logits, shape: [6, 5] } });
      expect(readings[0]![0]!.text).toBe('abbca');
      decoder.destroy();
    }
  warned.mockRestore();
});

test('a letter is the same by its token and by its bytes', async () => {
  const tokens = ['<blank>', 'é', '<0xC3>', '<0xA9>', 'x'];
  const probs = Float32Array.of(0.04, 0.28, 0.38, 0, 0.3, 0.04, 0.28, 0, 0.38, 0.3);
  const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens });
  const { readings } = await decoder.run({ probs: { data: probs, shape: [2, 5] } });
  expect(readings[0]![0]).toMatchObject({ text: 'é' });
  expect(readings[0]![0]!.ctc).toBeCloseTo(Math.log(0.28 ** 2 + 2 * 0.28 * 0.04 + 0.38 ** 2), 6);
  decoder.destroy();
});

test('of spelled words and others the numbers are those of what was read, each text once', async () => {
  const lexicon = new Lexicon([{ word: 'ba', spellings: [[3, 2]] }], { open: true });
  const grams = ['-2 <unk>', '-99 <s>', '-0.3 </s>', '-0.5 ab', '-0.5 ba'];
  const arpa = ['\\data\\', 'ngram 1=5', '\\1-grams:', ...grams, '\\end\\'].join('\n');
  const decoder = await CtcBeamDecoder.create({
    ...{ device: 'cpu', tokens: ['<blank>', '|', 'a', 'b', 'ab'], nbest: 3, lexicon },
    ...{ hotwords: new Hotwords({ ab: 5 }), lm: await NGram.read(arpa) },
    weights: { alpha: 1, beta: 0 },
  });
  const probs = Float32Array.of(0, 0, 0.5, 0, 0.5, 0.5, 0, 0, 0.5, 0);
  const [found] = (await decoder.run({ probs: { data: probs, shape: [2, 5] } })).readings;
  expect(new Set(found!.map(({ text }) => text)).size).toBe(found!.length);
  for (const { ctc, lm, unknown, hotwords, total } of found!)
    expect(total).toBeCloseTo(ctc + lm - 10 * Math.LN10 * unknown + hotwords, 4);
  decoder.destroy();
});

test('a frame that no word of a closed lexicon allows, however sure, ends nothing where classes are left out', async () => {
  const tokens = ['<blank>', '|', 'a', 'b', 'c'];
  const lexicon = new Lexicon(['ab']);
  const heard = [2, 3, 4, 0];
  const logits = Float32Array.from({ length: 20 }, (_, i) => (heard[Math.floor(i / 5)] === i % 5 ? 12 : 0));
  for (const device of ['cpu', (await sharedDevice()).device] as const) {
    const decoder = await CtcBeamDecoder.create({
      device,
      tokens,
      lexicon,
      tokenMinLogProb: -5,
      topTokens: 2,
    });
    const { readings } = await decoder.run({ logits: { data: logits, shape: [4, 5] } });
    expect(readings[0]![0]!.text).toBe('ab');
    const stream = decoder.stream();
    stream.push({ logits });
    expect(stream.end()).toEqual(readings[0]);
    decoder.destroy();
  }
});

test('probabilities are shares, whatever comes out', async () => {
  const probs = { data: Float32Array.of(0, 0, 0.52, 0.48), shape: [1, 4] } as const;
  for (const exact of [true, false]) {
    const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens: ['-', '|', 'a', 'b'], exact });
    const [[best]] = (await decoder.run({ probs })).readings as [[BeamReading]];
    expect(best.probability).toBeCloseTo(0.52, 6);
    expect(best.words[0]!.confidence).toBeCloseTo(0.52, 6);
    decoder.destroy();
  }
});

describe('a stream of thousands of frames', () => {
  const spelled = new Lexicon([
    { word: 'ox', spellings: [[2, 3]] },
    { word: 'an', spellings: [[3], [4]] },
  ]);
  test.each<[string, readonly string[], CtcBeamOptions]>([
    ['words between delimiters', ['-', '|', 'a', 'b', 'c'], { hotwords: new Hotwords({ 'a b': 2, c: 1 }) }],
    ['no words at all', ['a', 'b', 'c', '-'], {}],
    ['pieces that end words', ['a</w>', 'a', 'b</w>', 'b', '-'], {}],
    ['letters of two bytes', ['-', '|', '<0xC3>', '<0xA9>', 'a'], {}],
    ['words that have spellings, or none', ['-', '|', 'x', 'a', 'n'], { lexicon: spelled }],
  ])('keeps what was read, and when, for as long as it takes: %s', async (kind, classes, known) => {
    const isSpelled = known.lexicon !== undefined;
    // silence that is longer than what is kept, or a word
    const vocabulary = Vocabulary.from([...classes], { blank: classes.indexOf('-') });
    const decoder = await CtcBeamDecoder.create({
      ...{ device: 'cpu', tokens: vocabulary, width: 3, nbest: 2 },
      ...(isSpelled ? { lexicon: new Lexicon(known.lexicon!.words, { open: true, unlisted: -1 }) } : known),
    });
    const { logits, spans, frames } =
      kind === 'no words at all'
        ? clearRecording(classes, 4500, 0, 11)
        : clearRecording(classes, 5500, 4200, 12);
    const size = classes.length;
    const answers = [frames, 509].map((chunk) => {
      const stream = decoder.stream();
      let stable = '';
      for (let t = 0; t < frames; t += chunk) {
        const state = stream.push({ logits: logits.subarray(size * t, size * (t + chunk)) });
        expect(state.stable.startsWith(stable)).toBe(true);
        expect(state.best.startsWith(state.stable)).toBe(true);
        ({ stable } = state);
      }
      const readings = stream.end();
      expect(readings[0]!.text.startsWith(stable)).toBe(true);
      return readings;
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    for (const { text, words } of answers[0]!) expect(words.map((word) => word.text).join(' ')).toBe(text);
    const [{ labels, starts, ends, words }] = answers[0] as [BeamReading];
    const found = [...labels].map((label, i) => ({ label, start: starts[i]!, end: ends[i]! }));
    // a delimiter at an end of the text is nothing that a spelled word needs
    expect(found).toEqual(spans);
    const inside = words.every(({ start, end }, w) => start < end && start >= (words[w - 1]?.end ?? 0));
    expect(inside).toBe(true);
    decoder.destroy();
  });
});

describe('a stream', () => {
  interface Cut extends Omit<Pitfall, 'expected'> {
    readonly expected: {
      readonly final: { readonly text: string; readonly objective: number; readonly ctc: number };
      readonly second: { readonly text: string; readonly objective: number };
      readonly partial: readonly { readonly frames: number; readonly text: string }[];
    };
  }
  const [one] = pitfalls<Cut>('stream');
  const frames = one!.emissions.map((row) => emissionsOf([row]));

  test('however six frames are cut, the answer has the same bits, and what is asked in between changes nothing', async () => {
    const decoder = await CtcBeamDecoder.create({
      ...(await optionsOf(one as unknown as Pitfall)),
      device: 'cpu',
    });
    const answers = Array.from({ length: 32 }, (_, cuts) => {
      const stream = decoder.stream();
      let chunk: number[] = [];
      for (const [t, frame] of frames.entries()) {
        chunk.push(...frame);
        if (t < 5 && (cuts >> t) % 2 === 0) continue;
        const { stable, best } = stream.push({ logProbs: chunk });
        expect(best.startsWith(stable)).toBe(true);
        stream.push({ logProbs: [] });
        chunk = [];
      }
      return stream.end();
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const [best, second] = answers[0]!;
    expect(best).toMatchObject({ text: one!.expected.final.text });
    expect(best!.total).toBeCloseTo(one!.expected.final.objective, 4);
    expect(best!.ctc).toBeCloseTo(one!.expected.final.ctc, 4);
    expect(second!.text).toBe(one!.expected.second.text);
    expect(second!.total).toBeCloseTo(one!.expected.second.objective, 4);
    const { readings } = await decoder.run({
      logProbs: { data: Float32Array.from(frames.flatMap((frame) => [...frame])), shape: [6, 4] },
    });
    expect(answers[0]).toEqual(readings[0]);
  });

  test('is read as at once, to the bit, whatever is left out', async () => {
    const random = seeded(8);
    for (let i = 0; i < 40; i++) {
      const [width, nbest] = [1 + Math.floor(60 * random()), 1 + Math.floor(6 * random())];
      const weights = { beta: 4 * random() - 3 };
      const decoder = await CtcBeamDecoder.create({
        device: 'cpu',
        tokens: [...one!.classes],
        blank: 0,
        width,
        nbest,
        weights,
      });
      const data = Float32Array.from({ length: 36 }, () => 4 * random());
      const stream = decoder.stream();
      for (let t = 0; t < 9; t += 2) {
        const { stable, best } = stream.push({ logits: data.subarray(4 * t, 4 * (t + 2)) });
        expect(best.startsWith(stable)).toBe(true);
      }
      const [whole] = (await decoder.run({ logits: { data, shape: [9, 4] } })).readings;
      expect(stream.end()).toEqual(whole);
    }
  });

  test('without a model, the best text so far is the exact one', async () => {
    const { lm: _, ...options } = await optionsOf(one as unknown as Pitfall);
    const decoder = await CtcBeamDecoder.create({ ...options, weights: {}, device: 'cpu' });
    const stream = decoder.stream();
    for (const { frames: count, text } of one!.expected.partial)
      expect(stream.push({ logProbs: frames[count - 1]! })).toMatchObject({ best: text, frames: count });
  });
});

describe('spoken sentences', () => {
  const speech = (file: string) => readFileSync(new URL(`../fixtures/${file}`, import.meta.url));
  const { cases } = JSON.parse(String(speech('decode/expected.json'))) as {
    cases: { name: string; reference: { text: string }; found: Record<string, { objective: number }> }[];
  };
  const clips = cases.map(({ name }) => {
    const { data, shape } = readNpy(speech(`decode/${name}.npy`), name);
    return { data: Float32Array.from(data as Float32Array), shape };
  });
  const options = async () => ({
    tokens: Vocabulary.from(JSON.parse(String(speech('speech/vocab.json')))),
    lm: await NGram.read(speech('decode/lm.arpa.gz')),
    device: 'cpu' as const,
  });

  /** Insertions, deletions and exchanges of words. */
  const wrongWords = (one: string, other: string) => {
    const [a, b] = [one.split(' '), other.split(' ')];
    let row = b.map((_, j) => j + 1);
    row.unshift(0);
    for (const [i, word] of a.entries()) {
      const next = [i + 1];
      for (const [j, against] of b.entries())
        next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + Number(word !== against)));
      row = next;
    }
    return row.at(-1)!;
  };

  test('no text of a peer at any width has an objective above that of a width of 100; a width of 16 is close', async () => {
    const totals: number[][] = [];
    let wrong = 0;
    let all = 0;
    for (const width of [100, 16]) {
      const decoder = await CtcBeamDecoder.create({ ...(await options()), width });
      totals.push([]);
      for (const [i, { data, shape }] of clips.entries()) {
        const { readings } = await decoder.run({ logits: { data, shape: [shape[0]!, shape[1]!] } });
        totals.at(-1)!.push(readings[0]![0]!.total);
        if (width === 16) continue;
        const { text } = cases[i]!.reference;
        wrong += wrongWords(text, readings[0]![0]!.text);
        all += text.split(' ').length;
      }
    }
    const bests = cases.map(({ found }) =>
      Math.max(...Object.values(found).map(({ objective }) => objective)),
    );
    for (const [i, best] of bests.entries()) expect(totals[0]![i]).toBeGreaterThan(best - 1e-3);
    const below = bests.reduce((sum, best, i) => sum + best - totals[1]![i]!, 0) / bests.length;
    expect(below).toBeLessThan(0.25);
    expect(wrong / all).toBeLessThan(0.1);
  });

  test('a long recording is read in a stream as at once, however it is cut, and its beginning is forgotten', async () => {
    const decoder = await CtcBeamDecoder.create({ ...(await options()), width: 12, nbest: 2 });
    // one after another, a second of silence between them
    const silence = Float32Array.from({ length: 50 * 29 }, (_, i) => (i % 29 === decoder.blank ? 8 : -8));
    const long = Float32Array.from([0, 3, 6, 9, 12].flatMap((i) => [...clips[i]!.data, ...silence]));
    const frames = long.length / 29;
    const [whole] = (await decoder.run({ logits: { data: long, shape: [frames, 29] } })).readings;
    const answers = [1, 7, 50, frames].map((size) => {
      const stream = decoder.stream();
      let stable = '';
      for (let t = 0; t < frames; t += size) {
        const state = stream.push({ logits: long.subarray(29 * t, 29 * Math.min(frames, t + size)) });
        expect(state.stable.startsWith(stable)).toBe(true);
        expect(state.best.startsWith(state.stable)).toBe(true);
        ({ stable } = state);
      }
      return stream.end();
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    const [best] = answers[0]!;
    expect(best!.text).toBe(whole![0]!.text);
    expect(best!.words.map(({ start, end }) => [start, end])).toEqual(
      whole![0]!.words.map(({ start, end }) => [start, end]),
    );
    expect([...best!.labels]).toEqual([...whole![0]!.labels]);
    expect(best!.ctc).toBeLessThan(whole![0]!.ctc + 1e-6);
    expect(frames).toBeGreaterThan(1500);
  });
});
