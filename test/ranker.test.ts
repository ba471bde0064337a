/** Many texts, one recording: each candidate's loss is that of a run of it alone, to the bit, and what follows from the losses. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CtcAligner, CtcLoss, CtcRanker, type Ranking } from 'webgpu-ctc/node';
import { type Forced, forced } from '../src/api/forced.js';
import { sharedDevice } from './device.js';
import { pitfalls } from './pitfalls.js';
import { collapse, seeded } from './reference.js';

const gpu = await sharedDevice();
const withSubgroups = await sharedDevice('subgroups');
const devices = { cpu: 'cpu', gpu: gpu.device, subgroups: withSubgroups.device } as const;
type On = keyof typeof devices;
/** What is another on another device is done for each: shuffles are the same whatever the scores are, and logarithms are `enumeration`'s. */
const keysOf = (on: On) =>
  (['logits', 'logProbs', 'probs'] as const).slice(0, { cpu: 3, gpu: 2, subgroups: 1 }[on]);

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
  test.each(keysOf(on))(
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

/** What a path of classes reads: labels, or a text in which a run of delimiters is one and those at the ends are none. */
function readOf(path: readonly number[], blank: number, delimiter: number | undefined): string {
  const labels = collapse(path, blank);
  const words = labels.map((label) => (label === delimiter ? ' ' : `<${label}>`)).join('');
  return words.replace(/ +/g, ' ').trim();
}

/** The probability of everything that can be read, from every path of classes. */
function everyReading(rows: readonly (readonly number[])[], blank: number, delimiter: number | undefined) {
  const found = new Map<string, number>();
  const extend = (path: readonly number[], p: number) => {
    if (path.length === rows.length) {
      const read = readOf(path, blank, delimiter);
      found.set(read, (found.get(read) ?? 0) + p);
    } else for (const [c, own] of rows[path.length]!.entries()) extend([...path, c], p * own);
  };
  extend([], 1);
  return found;
}

/** Of each text that can be read, the probability of all that begin with it, up to a border. */
function expectPrefixes(
  { prefixLosses }: Ranking,
  truth: readonly (readonly [text: string, p: number])[],
  border: string,
) {
  for (const [k, [text]] of truth.entries()) {
    const all = truth.filter(([other]) => text === '' || `${other}${border}`.startsWith(text + border));
    const loss = -Math.log(all.reduce((sum, [, p]) => sum + p, 0));
    expect(Math.abs(prefixLosses![k]! - loss), `${text}, ${prefixLosses![k]}, not ${loss}`).toBeLessThan(
      2e-6,
    );
  }
}

describe.each(['cpu', 'gpu', 'subgroups'] as const)('texts on %s', (on) => {
  test.each(keysOf(on))(
    'of every text the probability is that of all paths which read as it: %s',
    async (key) => {
      for (const [seed, frames, classes] of [
        [1, 6, 4],
        [2, 5, 4],
        [3, 7, 3],
        [4, 1, 3],
        [5, 2, 4],
      ] as const) {
        const random = seeded(10 * seed + on.length);
        const blank = Math.floor(classes * random());
        const delimiter = (blank + 1) % classes;
        const rows = Array.from({ length: frames }, () => {
          const odds = Array.from({ length: classes }, () => Math.exp(3 * random()));
          return odds.map((x) => x / odds.reduce((a, b) => a + b, 0));
        });
        const truth = [...everyReading(rows, blank, delimiter)];
        // as they may be written: with more delimiters than there have to be
        const candidates = truth.map(([text]) => {
          const labels = text.match(/<\d>| /g) ?? [];
          const written = labels.flatMap((label) =>
            label === ' ' ? Array(1 + Math.floor(2 * random())).fill(delimiter) : [Number(label[1])],
          );
          return random() < 0.3 ? [delimiter, ...written, delimiter] : written;
        });
        const data = Float32Array.from(rows.flat(), (p) =>
          key === 'probs' ? p : Math.log(p) + (key === 'logits' ? 2 : 0),
        );
        const input = { [key]: { data, shape: [frames, classes] }, candidates } as never;
        const [ranking] = await rankings(on, input, seed % 2 ? {} : cuts['a few candidates at a time'], {
          ...{ blank, delimiter, prefixes: true },
        });
        const losses = truth.map(([, p]) => -Math.log(p));
        for (const [k, loss] of losses.entries())
          expect(
            Math.abs(ranking!.losses[k]! - loss),
            `${truth[k]![0]}: ${ranking!.losses[k]}, not ${loss}`,
          ).toBeLessThan(3e-6);
        expectPrefixes(ranking!, truth, ' ');
        expect(ranking!.mass).toBeCloseTo(1, 5);
        const reading = readOf(
          rows.map((row) => row.indexOf(Math.max(...row))),
          blank,
          delimiter,
        );
        expect(
          readOf(
            [...ranking!.free.labels].flatMap((label) => [blank, label]),
            blank,
            delimiter,
          ),
        ).toBe(reading);
        const plain = everyReading(rows, blank, undefined);
        const sequences = [...plain].map(([text]) => text.match(/\d/g)?.map(Number) ?? []);
        const alone = { ...(input as object), candidates: sequences } as never;
        const [begun] = await rankings(on, alone, {}, { blank, prefixes: true });
        expectPrefixes(begun!, [...plain], '');
        expect(ranking!.free.loss).toBeCloseTo(losses[truth.findIndex(([text]) => text === reading)]!, 5);
      }
    },
  );

  const folder = new URL('../fixtures/pitfalls/cases/', import.meta.url);
  const cases = readdirSync(folder).filter((file) => file.startsWith('candidates_'));
  test.each(cases)('%s', async (file) => {
    const { classes, blank, separator, emissions, candidates, expected } = JSON.parse(
      readFileSync(new URL(file, folder), 'utf8'),
    );
    const spell = (text: string) =>
      [...text].map((letter) => classes.indexOf(letter === ' ' ? classes[separator] : letter));
    const logProbs = {
      data: Float32Array.from(emissions.flat()),
      shape: [emissions.length, classes.length] as const,
    };
    const texts = { logProbs, candidates: candidates.map(spell) };
    const [ranking] = await rankings(on, texts, {}, { blank, delimiter: separator, prefixes: true });
    for (const [text, p] of Object.entries<number>(expected.startsWith ?? {}))
      expect(Math.exp(-ranking!.prefixLosses![candidates.indexOf(text)]!)).toBeCloseTo(p, 5);
    const [plain] = await rankings(on, texts, {}, { blank });
    const near = (got: Iterable<number>, wanted: readonly number[]) => {
      for (const [i, x] of [...got].entries()) expect(x).toBeCloseTo(wanted[i]!, 4);
    };
    near(
      ranking!.losses.map((loss) => -loss),
      expected.ctc,
    );
    near(
      plain!.losses.map((loss) => -loss),
      expected.ctcPlain,
    );
    near(ranking!.probabilities, expected.posterior);
    near(plain!.probabilities, expected.posteriorPlain);
    near([1 - ranking!.mass, -ranking!.free.loss], [expected.other, expected.free.ctc]);
    near(
      ranking!.distances.map((distance) => 0 - distance),
      expected.belowFree,
    );
    expect([...ranking!.free.labels]).toEqual(spell(expected.free.text));
    expect(candidates[ranking!.best]).toBe(candidates[expected.ctc.indexOf(Math.max(...expected.ctc))]);
  });
});

describe.each(['cpu', 'gpu'] as const)('what is defined on %s', (on) => {
  const third = Math.log(1 / 3);
  const even = (frames: number, sequences = 1) => ({
    data: new Float32Array(frames * sequences * 3).fill(third),
    shape: [frames, sequences, 3] as const,
  });

  test('a candidate that is given twice counts once in the mass, and one that is too long not at all', async () => {
    const candidates = [[1], [1], [], [2, 2, 2], [1, 2]];
    const [ranking] = await rankings(on, { logits: even(2), candidates });
    // of the nine paths 1, 11, 1_ and _1 read as [1]
    const paths = [3, 3, 1, 0, 1];
    const { losses, probabilities, mass, best, distances, free } = ranking!;
    for (const [k, count] of paths.entries()) {
      expect(losses[k]).toBeCloseTo(-Math.log(count / 9), 6);
      expect(probabilities[k]).toBeCloseTo(count / 8, 6);
    }
    expect(mass).toBeCloseTo(5 / 9, 6);
    expect(best).toBe(0);
    expect([distances[3], probabilities[3]]).toEqual([Infinity, 0]);
    // the first of equal classes is the blank
    expect(free).toEqual({ labels: new Int32Array(), loss: losses[2] });
  });

  test('without any frames what reads as nothing is all there is', async () => {
    const logits = { data: new Float32Array(), shape: [0, 2, 3] } as const;
    const all = await rankings(on, { logits, candidates: [[[1], []], [[2]]] }, {}, { prefixes: true });
    const losses = [Float64Array.of(Infinity, 0), Float64Array.of(Infinity)];
    expect(all).toMatchObject([
      { losses: losses[0], best: 1, mass: 1, prefixLosses: losses[0] },
      { losses: losses[1], best: -1, mass: 0, free: { loss: 0 } },
    ]);
    expect(all[1]!.losses).toEqual(losses[1]);
  });

  test('with a delimiter two ways to write a text are one candidate', async () => {
    const [ranking] = await rankings(
      on,
      { logits: even(3), candidates: [[2, 1, 2], [1], [2], []] },
      {},
      { delimiter: 2 },
    );
    expect(ranking!.losses[0]).toBe(ranking!.losses[1]);
    expect(ranking!.losses[2]).toBe(ranking!.losses[3]);
    expect(ranking!.mass).toBeCloseTo(Math.exp(-ranking!.losses[1]!) + Math.exp(-ranking!.losses[3]!), 6);
  });

  test('no candidate has a path: zeros, and none is the best', async () => {
    const input = {
      logits: even(1, 2),
      candidates: [
        [
          [1, 2],
          [2, 1],
        ],
        [[1]],
      ],
      inputLengths: [1, 1],
    };
    const [none, some] = await rankings(on, input);
    expect(none).toMatchObject({ best: -1, mass: 0 });
    expect([...none!.losses, ...none!.distances]).toEqual(Array(4).fill(Infinity));
    expect([...none!.probabilities]).toEqual([0, 0]);
    expect([some!.best, some!.losses.length, some!.probabilities[0]]).toEqual([0, 1, 1]);
  });

  test('without frames the empty text is certain', async () => {
    const [ranking] = await rankings(on, { logits: even(2), candidates: [[1], []], inputLengths: [0] });
    expect(ranking).toMatchObject({ best: 1, mass: 1, free: { loss: 0 } });
    expect([...ranking!.losses]).toEqual([Infinity, 0]);
  });

  test('a NaN that counts makes nothing known, one that does not nothing unknown', async () => {
    const logProbs = even(2);
    logProbs.data[2] = Number.NaN;
    const [some, all] = [
      await rankings(on, { logProbs, candidates: [[1], [2]] }),
      await rankings(on, { logProbs, candidates: [[1], []] }),
    ].map(([ranking]) => ranking!);
    expect([...some!.losses]).toEqual([expect.closeTo(Math.log(3), 5), Number.NaN]);
    expect([...some!.probabilities, some!.mass]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(some!.best).toBe(-1);
    expect(all!.best).toBe(0);
    expect(all!.mass).toBeCloseTo(4 / 9, 5);
  });

  test('lists of both depths, rows and tables are told apart, and what is wrong with them is told by its place', async () => {
    const logits = even(3, 2);
    const table = { data: Uint8Array.of(1, 2, 2, 1), shape: [2, 2] as const };
    const expected = await rankings(on, {
      logits,
      candidates: [
        [1, 2],
        [2, 1],
      ],
    });
    expect(await rankings(on, { logits, candidates: table })).toEqual(expected);
    expect(await rankings(on, { logits, candidates: [table, [Int32Array.of(1, 2), [2n, 1n]]] })).toEqual(
      expected,
    );
    const wrong = (candidates: unknown, options = {}) =>
      expect(rankings(on, { logits, candidates } as never, {}, options)).rejects;
    await wrong([]).toThrow('candidates: expected at least one candidate, got []');
    await wrong([[[1]], []]).toThrow('candidates[1]: expected at least one candidate, got []');
    await wrong([[[1]]]).toThrow(
      'candidates: expected 2 lists, one for each recording, or one list for all, got [[[…]]]',
    );
    await wrong([[[1]], [[1], [0]]]).toThrow(
      'candidates[1][1][0]: expected a class from 0 to 2 other than the blank (0), got 0',
    );
    await wrong([[1], [3]]).toThrow(
      'candidates[1][0]: expected a class from 0 to 2 other than the blank (0), got 3',
    );
    await wrong([1, 2]).toThrow('candidates[0]: expected a list of labels, got 1');
    await wrong([[1]], { delimiter: 3 }).toThrow(
      'delimiter: expected a class from 0 to 2 other than the blank (0), got 3',
    );
    await wrong([[1]], { delimiter: 0 }).toThrow(
      'delimiter: expected a class from 0 to 2 other than the blank (0), got 0',
    );
    await wrong([[1]], { delimiter: -1 }).toThrow('delimiter: expected an integer ≥ 0, got -1');
    const ranker = await CtcRanker.create({ device: devices[on] });
    const task = await ranker.prepare({ logits: logits.shape, maxTargetLength: 2, candidates: 2 });
    expect(() => task.setCandidates([[1], [2], []])).toThrow(
      'candidates: expected at most 2 (candidates of prepare), got 3',
    );
    expect(() => task.setCandidates([[1, 2, 1]])).toThrow(
      'candidates[0]: expected at most 2 labels (maxTargetLength), got 3',
    );
    ranker.destroy();
  });
});

describe.each(['cpu', 'gpu'] as const)('texts that may not be what was said, by enumeration, on %s', (on) => {
  interface Case {
    readonly name: string;
    readonly classes: readonly string[];
    readonly blank: number;
    readonly separator: number;
    readonly emissions: readonly (readonly number[])[];
    readonly text: string;
    readonly alternatives?: Readonly<Record<string, readonly string[]>>;
    readonly expected: {
      readonly subsets?: readonly { readonly keep: readonly boolean[]; readonly ctc: number }[];
      readonly said?: readonly boolean[];
      readonly path?: readonly number[];
      readonly pathScore?: number;
      readonly alternatives?: Readonly<Record<string, readonly number[]>>;
      readonly sum?: Readonly<Record<string, number>>;
      readonly best?: Readonly<Record<string, string>>;
    };
  }
  test.each(pitfalls<Case>('align').map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const { classes, blank, separator, emissions, text, alternatives = {}, expected } = one;
    const spell = (words: string) =>
      [...words].map((letter) => (letter === ' ' ? separator : classes.indexOf(letter)));
    const logProbs = {
      data: Float32Array.from(emissions.flat()),
      shape: [emissions.length, classes.length] as const,
    };
    const rank = async (texts: readonly string[]) => {
      const input = { logProbs, candidates: texts.map(spell) };
      return (await rankings(on, input, {}, { blank, delimiter: separator }))[0]!;
    };
    const kept = (keep: readonly boolean[]) =>
      text
        .split(' ')
        .filter((_, i) => keep[i])
        .join(' ');
    if (expected.subsets) {
      const { losses, best } = await rank(expected.subsets.map(({ keep }) => kept(keep)));
      for (const [i, { ctc }] of expected.subsets.entries()) expect(-losses[i]!).toBeCloseTo(ctc, 4);
      expect(expected.subsets[best]!.keep).toEqual(expected.said);
      const aligner = await CtcAligner.create({ device: devices[on], blank });
      const { labels, score } = await aligner.run({ logProbs, targets: [spell(text)] });
      expect([...labels]).toEqual(expected.path);
      expect(score).toBeCloseTo(expected.pathScore!, 4);
      aligner.destroy();
    }
    for (const [word, readings] of Object.entries(alternatives)) {
      const { losses, best, mass } = await rank(readings);
      for (const [i, ctc] of expected.alternatives![word]!.entries()) expect(-losses[i]!).toBeCloseTo(ctc, 4);
      expect(Math.log(mass)).toBeCloseTo(expected.sum![word]!, 4);
      expect(readings[best]).toBe(expected.best![word]);
    }
  });
});
