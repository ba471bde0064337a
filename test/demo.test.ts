// The parts of the demo that need no page.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { isPossible, type Problem } from '../demo/explorer/engine/analysis.js';
import { bestPaths, logOf, tellable } from '../demo/explorer/engine/best-paths.js';
import { differenceOf, wordDifferenceOf } from '../demo/explorer/engine/difference.js';
import { statesAlong } from '../demo/explorer/engine/engine.js';
import { fitsOf } from '../demo/explorer/engine/label-fits.js';
import { rivalsOf } from '../demo/explorer/engine/rivals.js';
import { countPaths, leastFrames, sayCount, sayProbability } from '../demo/explorer/engine/ways.js';
import { partOf, windowAt } from '../demo/explorer/engine/window.js';
import { readInputs } from '../demo/explorer/files/inputs.js';
import { carried, withMoved } from '../demo/explorer/sound/words.js';
import { logitsOf } from '../demo/explorer/sources/made-up.js';
import { applyEdits, editLimits, noEdits } from '../demo/explorer/state/edits.js';
import { fromHash, initial, type State, toHash } from '../demo/explorer/state/state.js';
import { placeRead, type Read } from '../demo/explorer/view/strips.js';
import { banded, follow, lengthOf, pan, reveal, whole, zoom } from '../demo/explorer/view/viewport.js';
import { download, type Progress, sayBytes } from '../demo/shared/download.js';
import { bestClasses } from '../learning/best-path.js';
import { editDistance } from '../learning/edit-distance.js';
import { mulberry32 } from '../learning/random.js';
import { writeNpy } from '../src/files/npy.js';
import type { TimedText } from '../src/text/words.js';
import { npz } from './program.js';

/** All sequences of symbols 0 (blank), 1, 2 of some length, and what they read as. */
function* everyPath(frames: number): Generator<{ path: number[]; reads: string }> {
  for (let code = 0; code < 3 ** frames; code++) {
    const path = Array.from({ length: frames }, (_, t) => Math.floor(code / 3 ** t) % 3);
    const reads = path.filter((c, t) => c !== 0 && c !== path[t - 1]).join('');
    yield { path, reads };
  }
}

describe('ways', () => {
  test('hello in 12 frames has 8008', () => {
    expect(countPaths(12, [8, 5, 12, 12, 15])).toBe(8008n);
  });

  test.each([[[]], [[1]], [[1, 2]], [[1, 1]], [[1, 2, 1]], [[2, 2, 1]]])(
    '%j as counted one by one',
    (labels) => {
      for (let frames = 1; frames <= 7; frames++) {
        const count = [...everyPath(frames)].filter(({ reads }) => reads === labels.join('')).length;
        expect(countPaths(frames, labels)).toBe(BigInt(count));
        expect(count > 0).toBe(frames >= leastFrames(labels));
      }
    },
  );

  test.each([[[]], [[1]], [[1, 2]], [[1, 1]], [[1, 2, 1]], [[2, 2]]])(
    'the likeliest that read as %j are those of all, one by one',
    (labels) => {
      const random = mulberry32(7);
      for (let frames = 1; frames <= 6; frames++) {
        // some scores are those of a mask, some are equal
        const logProbs = Float32Array.from({ length: 3 * frames }, () =>
          random() < 0.1 ? -Infinity : Math.fround(Math.log(Math.ceil(8 * random()) / 8)),
        );
        const problem: Problem = { frames, classes: 3, blank: 0, labels, logits: logProbs };
        const all = [...everyPath(frames)]
          .filter(({ reads }) => reads === labels.join(''))
          .map(({ path }) => ({ path, states: statesAlong(path, problem) }))
          .map(({ path, states }) => ({ path, states, log: logOf(problem, logProbs, states) }))
          .filter(({ log }) => log > -Infinity)
          .sort((a, b) => b.log - a.log);
        for (const through of [undefined, { t: frames >> 1, s: Math.min(1, 2 * labels.length) }]) {
          const passing = all.filter(({ states }) => !through || states[through.t] === through.s);
          const found = bestPaths(problem, logProbs, 5, through);
          expect(found.length).toBe(Math.min(5, passing.length));
          found.forEach(({ states, log }, k) => {
            expect(log).toBeCloseTo(passing[k]!.log, 5);
            expect(log).toBeCloseTo(logOf(problem, logProbs, states), 5);
            expect(passing.some((other) => other.states.join() === states.join())).toBe(true);
          });
          expect(new Set(found.map(({ states }) => states.join())).size).toBe(found.length);
        }
      }
    },
  );

  test('of a lattice that is too large for eight there are fewer, or none', () => {
    const problem = {
      frames: 2000,
      classes: 27,
      blank: 0,
      labels: Array(400).fill(1),
      logits: new Float32Array(),
    };
    expect(tellable(problem, 8)).toBe(8);
    expect(tellable({ ...problem, frames: 40_000 }, 8)).toBe(3);
    expect(tellable({ ...problem, frames: 400_000 }, 8)).toBe(0);
  });

  test.each([
    [8008n, '8,008'],
    [123_456_789n, '123,456,789'],
    [12_345_678_901n, '1.2 · 10¹⁰'],
    [9_990_000_000n, '1.0 · 10¹⁰'],
    [3_199_000_000_000n, '3.2 · 10¹²'],
  ])('%d is %s', (count, words) => expect(sayCount(count)).toBe(words));

  test.each([
    [0, '100 %'],
    [Math.log(0.314), '31 %'],
    [Math.log(0.0314), '3.1 %'],
    [Math.log(0.00021), '0.02 %'],
    [Math.log(2.5e-23), '2.5 · 10⁻²³'],
    [Math.log(9.99e-129), '1.0 · 10⁻¹²⁸'],
    [-Infinity, '0'],
    [Number.NaN, 'NaN'],
  ])('e^%d is %s', (log, words) => expect(sayProbability(log)).toBe(words));
});

test('a path of classes goes through the states of the lattice, and through all that are possible', () => {
  const labels = [1, 1, 2];
  const possible = new Set<string>();
  for (const { path, reads } of everyPath(7)) {
    if (reads !== labels.join('')) continue;
    const problem: Problem = { logits: new Float32Array(), frames: 7, classes: 3, blank: 0, labels };
    const states = statesAlong(path, problem);
    states.forEach((s, t) => {
      expect(s % 2 ? labels[s >> 1] : 0).toBe(path[t]);
      possible.add(`${t} ${s}`);
    });
    expect(states[6]).toBeGreaterThanOrEqual(5);
  }
  const problem: Problem = { logits: new Float32Array(), frames: 7, classes: 3, blank: 0, labels };
  for (let t = 0; t < 7; t++)
    for (let s = 0; s < 7; s++) expect(isPossible(problem, { t, s })).toBe(possible.has(`${t} ${s}`));
});

describe('edits', () => {
  const softmax = (row: Float32Array) => {
    const e = row.map(Math.exp);
    const sum = e.reduce((a, b) => a + b);
    return e.map((x) => x / sum);
  };

  test('a painted class has its probability, the others share the rest as before', () => {
    const logits = logitsOf('abc', 8);
    const edited = applyEdits(logits, 27, 0, { ...noEdits, strokes: [{ c: 2, first: 3, end: 5, p: 0.7 }] });
    const [before, after] = [logits, edited].map((all) => softmax(all.subarray(27 * 4, 27 * 5)));
    expect(after![2]).toBeCloseTo(0.7, 5);
    for (let c = 0; c < 27; c++)
      if (c !== 2) expect(after![c]).toBeCloseTo((before![c]! * 0.3) / (1 - before![2]!), 5);
    expect(edited.subarray(0, 81)).toEqual(logits.subarray(0, 81));
  });

  test('a stroke of more frames and classes than there are paints those that there are', () => {
    const logits = logitsOf('abc', 3);
    const strokes = [
      { c: 2, first: 1, end: 1e5, p: 0.7 },
      { c: 27, first: 0, end: 3, p: 0.7 },
      { c: 2, first: 1e5, end: 1e5 + 1, p: 0.7 },
    ];
    const rows = vi.spyOn(Float32Array.prototype, 'subarray');
    const edited = applyEdits(logits, 27, 0, { ...noEdits, strokes });
    expect(rows).toHaveBeenCalledTimes(2);
    rows.mockRestore();
    expect(edited).toEqual(applyEdits(logits, 27, 0, { ...noEdits, strokes: [{ ...strokes[0]!, end: 3 }] }));
    expect(edited.every(Number.isFinite)).toBe(true);
  });

  test('bias and temperature', () => {
    const edited = applyEdits(Float32Array.of(1, 2, 3, 4), 2, 1, { bias: 3, temperature: 2, strokes: [] });
    expect([...edited]).toEqual([0.5, 4, 1.5, 5]);
  });
});

describe('files that come to a page', () => {
  const one = writeNpy(Float32Array.of(0.5, 0.5, 0.25, 0.75), [2, 2]);
  const other = writeNpy(Float32Array.of(1, 2, 3, 4, 0, 0), [3, 2]);
  const retyped = (bytes: Uint8Array, dtype: string) =>
    Buffer.from(Buffer.from(bytes).toString('latin1').replace("'<i4'", `'${dtype}'`), 'latin1');
  const come = (arrays: Record<string, Uint8Array>) =>
    readInputs([new File([Uint8Array.from(npz(arrays))], 'two.npz')]);

  test('all tensors that can be emissions are candidates, what can be no scores is none', async () => {
    const text = retyped(writeNpy(Int32Array.of(97, 98), [2]), '<U1');
    const lengths = writeNpy(Int32Array.of(2), [1]);
    const { candidates } = await come({ text, one, lengths, other });
    expect(candidates.map(({ tensor, kind }) => [tensor.name, kind])).toEqual([
      ['two.npz: one', 'probs'],
      ['two.npz: other', 'logits'],
    ]);
  });

  test.each([
    ['is cut off', one.subarray(0, -4), /^two\.npz: one: shape: expected 16 bytes/],
    [
      'is of an unknown type',
      retyped(writeNpy(Int32Array.of(1, 2, 3, 4), [2, 2]), '<z4'),
      /^two\.npz: one: dtype/,
    ],
  ])('where a tensor %s, no other is taken in its place', async (_, damaged, message) => {
    for (const arrays of [
      { one: damaged, other },
      { other, one: damaged },
    ])
      await expect(come(arrays)).rejects.toThrow(message);
  });
});

describe('a part of a recording', () => {
  /** A path of so many labels, each state with some frames. */
  const pathOf = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 12,
    })
    .map((pauses) => [
      ...pauses.flatMap(([rest, said], i) => [...Array(rest).fill(2 * i), ...Array(said).fill(2 * i + 1)]),
      2 * pauses.length,
    ])
    .map((states) => Int32Array.from(states as number[]));

  test('has the labels that the best path says there, and windows are as large as they may be', () => {
    fc.assert(
      fc.property(
        pathOf,
        fc.nat(),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        (path, at, most, backwards) => {
          const labels = Array.from({ length: path.at(-1)! / 2 }, (_, i) => i + 1);
          const classes = labels.length + 1;
          const logits = Float32Array.from({ length: path.length * classes }, (_, i) => i);
          const whole: Problem = { frames: path.length, classes, blank: 0, labels, logits };
          const first = backwards ? 1 + (at % path.length) : at % path.length;
          const window = windowAt(path, first, most, backwards);
          const part = partOf(whole, path, window);
          expect(backwards ? window.end : window.first).toBe(first);
          expect(part.frames).toBe(window.end - window.first);
          expect(part.logits[0]).toBe(window.first * classes);
          const said = [...new Set([...path.subarray(window.first, window.end)].filter((s) => s % 2))];
          expect(part.labels).toEqual(said.map((s) => labels[s >> 1]));
          if (said.length > 0) expect(part.firstLabel).toBe(said[0]! >> 1);
          const cells = ({ frames, labels: { length } }: Problem) => frames * (2 * length + 1);
          if (part.frames > 1) expect(cells(part)).toBeLessThanOrEqual(most);
          const larger = backwards
            ? { first: window.first - 1, end: window.end }
            : { first: window.first, end: window.end + 1 };
          if (larger.first >= 0 && larger.end <= path.length)
            expect(cells(partOf(whole, path, larger))).toBeGreaterThan(most);
        },
      ),
      { seed: 2026, numRuns: 1000 },
    );
  });

  test('what follows the path shows it in all frames that are seen', () => {
    fc.assert(
      fc.property(
        pathOf,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (path, a, b) => {
          const all = whole(path.length, path.at(-1)! + 1);
          const length = Math.max(1, b * path.length);
          const first = a * (path.length - length);
          const view = { frames: { first, end: first + length }, states: { first: 0, end: 4 } };
          const { frames, states } = banded(view, path, all);
          expect(frames).toEqual(view.frames);
          for (let t = Math.floor(first); t < Math.floor(first + length - 1); t++) {
            expect(path[t]!).toBeGreaterThanOrEqual(states.first);
            expect(path[t]! + 1).toBeLessThanOrEqual(states.end);
          }
        },
      ),
      { seed: 2026, numRuns: 1000 },
    );
  });
});

describe('other texts', () => {
  const letter = fc.integer({ min: 1, max: 4 });
  const text = fc.array(letter, { maxLength: 12 });

  test('the text and what was heard go together with the fewest differences, and nothing is lost', () => {
    fc.assert(
      fc.property(text, text, (own, heard) => {
        const pieces = differenceOf(own, heard);
        let edits = 0;
        let [i, j] = [0, 0];
        for (const piece of pieces) {
          expect([piece.text.first, piece.heard.first]).toEqual([i, j]);
          [i, j] = [piece.text.end, piece.heard.end];
          const [a, b] = [own.slice(piece.text.first, i), heard.slice(piece.heard.first, j)];
          if (piece.same) expect(a).toEqual(b);
          else edits += editDistance(a.join(''), b.join(''));
        }
        expect([i, j]).toEqual([own.length, heard.length]);
        expect(edits).toBe(editDistance(own.join(''), heard.join('')));
      }),
      { seed: 2026, numRuns: 2000 },
    );
  });

  test('words that are exchanged are told as words', () => {
    const labels = (said: string) => [...said].map((sign) => (sign === ' ' ? 27 : sign.charCodeAt(0) - 96));
    const [own, heard] = ['four score and years seven ago', 'foour score and seven years ago'].map(labels);
    const say = (from: number[], { first, end }: { first: number; end: number }) =>
      String.fromCharCode(...from.slice(first, end).map((c) => (c === 27 ? 32 : c + 96)));
    const pieces = wordDifferenceOf(own!, heard!, 27);
    expect(pieces.map(({ same, text, heard: other }) => [same, say(own!, text), say(heard!, other)])).toEqual(
      [
        [false, 'four', 'foour'],
        [true, 'score and', 'score and'],
        [false, 'years seven', 'seven years'],
        [true, 'ago', 'ago'],
      ],
    );
  });

  test('are each one change away, each once, and no more than are asked for', () => {
    const labels = [8, 5, 12, 12, 15];
    const [frames, classes] = [12, 27];
    const logits = logitsOf('hello', frames);
    const problem: Problem = { frames, classes, blank: 0, labels, logits };
    const [best] = bestPaths(problem, logits, 1);
    const analysis = { problem, logProbs: logits, alignment: best, greedy: bestClasses(problem) } as never;
    const all = rivalsOf(analysis, 400);
    expect(new Set(all.map((rival) => rival.labels.join())).size).toBe(all.length);
    const distances = all.map((rival) =>
      editDistance(String.fromCharCode(...rival.labels), String.fromCharCode(...labels)),
    );
    all.forEach(({ change }, i) => {
      if (change.kind !== 'free') expect(distances[i]).toBe(change.kind === 'same' ? 0 : 1);
    });
    // with every class in every place; one l less is the same, whichever it is
    expect(all.length).toBe(1 + 4 + 4 + 5 * 25);
    expect(rivalsOf(analysis, 7).length).toBe(7);
  });

  test('how well a label fits, by numbers that are known', () => {
    // two frames of a, one of b; the second frame hears b better
    const p = [
      [0.1, 0.9, 0],
      [0.2, 0.3, 0.5],
      [0, 0.25, 0.75],
    ];
    const logProbs = Float32Array.from(p.flat(), Math.log);
    const problem: Problem = { frames: 3, classes: 3, blank: 0, labels: [1, 2], logits: logProbs };
    const alignment = { states: Int32Array.of(1, 1, 3) };
    const posterior = new Float32Array(15);
    posterior.set([0, 1, 0, 0, 0], 0);
    posterior.set([0, 0.5, 0, 0.5, 0], 5);
    posterior.set([0, 0, 0, 1, 0], 10);
    const [a, b] = fitsOf({ problem, logProbs, alignment } as never, posterior);
    expect([a!.first, a!.end, b!.first, b!.end]).toEqual([0, 2, 2, 3]);
    expect(a!.confidence).toBeCloseTo(Math.sqrt(0.9 * 0.3), 6);
    expect(a!.entropy).toBeCloseTo(Math.log(2) / 2, 6);
    expect(a!.distance).toBeCloseTo(Math.log(0.5 / 0.3) / 2, 6);
    expect([b!.confidence, b!.entropy, b!.distance]).toEqual([expect.closeTo(0.75, 6), 0, 0]);
  });
});

describe('downloads', () => {
  test.each([
    [{ bytes: 12_300, total: 26_000 }, '12 of 26 kB'],
    [{ bytes: 400_000, total: 4_371_670 }, '0.4 of 4.4 MB'],
    [{ bytes: 512, total: undefined }, '1 kB'],
  ])('%j is %s', (progress, words) => expect(sayBytes(progress)).toBe(words));

  test('say how much has come, and which file did not', async () => {
    const chunks = [3, 5, 4].map((length) => new Uint8Array(length).fill(length));
    const answer = (headers: Record<string, string>, status = 200) => {
      const body = new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.close();
        },
      });
      return new Response(body, { headers, status });
    };
    const seen: Progress[] = [];
    const counted = (progress: Progress) => seen.push(progress);
    const fetched = vi.spyOn(globalThis, 'fetch');
    try {
      fetched.mockResolvedValueOnce(answer({ 'content-length': '12' }));
      const bytes = await download('a.npy', { counted });
      expect([...bytes]).toEqual(chunks.flatMap((chunk) => [...chunk]));
      expect(seen.map(({ bytes, total }) => [bytes, total])).toEqual([
        [3, 12],
        [8, 12],
        [12, 12],
      ]);
      // what is compressed is longer than the server says
      fetched.mockResolvedValueOnce(answer({ 'content-length': '6', 'content-encoding': 'gzip' }));
      await download('a.npy', { counted });
      expect(seen.at(-1)).toEqual({ bytes: 12, total: undefined });
      fetched.mockResolvedValueOnce(answer({}, 404));
      await expect(download('a.npy')).rejects.toThrow(/^a\.npy: 404/);
    } finally {
      fetched.mockRestore();
    }
  });
});

describe('links', () => {
  const state: State = {
    ...initial,
    ...{ example: 'cat', text: 'Größe & 100 % #<b>', layer: 'gradient', scale: 'linear', bestPath: false },
    ...{ samples: 8, selected: { t: 4, s: 7 }, highlight: 2, blank: 3 },
    ...{
      panel: 'paths',
      path: { kind: 'through', t: 3, s: 2 },
      window: { first: 2, end: 6 },
      follows: false,
    },
    edits: { bias: -1.5, temperature: 0.5, strokes: [{ c: 2, first: 3, end: 5, p: 0.7 }] },
  };

  test('carry the state', () => expect(fromHash(`#${toHash(state)}`)).toEqual(state));
  test('say nothing where there is nothing', () => expect(fromHash('')).toBeUndefined());

  test.each([
    '#example=__proto__&layer=constructor&at=-1.2&samples=1e9&label=x&bias=NaN&temperature=0&blank=-1',
    '#paint=1_2~a_b_c_d~1_5_2_0.5~0_0_1_1~&at=99999999.1',
    '#text=hello&paint=1_0_9007199254740991_0.5~1_-1_3_0.5~1_0_3_0.5_1~_0_3_0.5~1e1_0x1_3_0.5~1_0_3_1e-300',
    '#at=&samples=&label=&bias=&temperature=&blank=&paint=___&at=1.2',
    '#%&%zz&=&text=hello&bias=%00&at=1.2.3&blank=١&label=+1&samples=1.0e1&temperature=Infinity',
  ])('from strangers are understood as far as they can be: %s', (hash) => {
    expect(fromHash(hash)).toEqual(initial);
  });

  test('whatever they hold, ask for no more than can be shown', () => {
    const number = fc.oneof(
      fc.constantFrom(
        '9007199254740991',
        '1e308',
        '-0',
        'NaN',
        '0x10',
        '',
        ' ',
        '٣',
        '-5',
        '0.5',
        '1e5',
        '999999',
      ),
      fc.integer().map(String),
      fc.double().map(String),
    );
    const value = fc.oneof(
      number,
      fc.string({ unit: 'binary' }),
      fc.array(number, { maxLength: 6 }).map((fields) => fields.join('.')),
      fc
        .array(fc.array(number, { maxLength: 5 }), { maxLength: 9 })
        .map((strokes) => strokes.map((fields) => fields.join('_')).join('~')),
    );
    const key = fc.constantFrom(
      ...'example text layer scale best samples at label bias temperature blank paint'.split(' '),
    );
    const raw = fc.tuple(fc.oneof(key, fc.string()), value, fc.boolean());
    const within = (value: number | undefined, least: number, most: number) =>
      expect(value === undefined || (value >= least && value <= most && !Object.is(value, -0))).toBe(true);
    fc.assert(
      fc.property(fc.array(raw, { minLength: 1, maxLength: 12 }), (fields) => {
        const hash = fields.map(
          ([name, value, encode]) =>
            `${name}=${encode ? encodeURIComponent(Buffer.from(value).toString()) : value}`,
        );
        const state = fromHash(`#${hash.join('&')}`);
        if (!state) return;
        const { text, samples, selected, highlight, edits, blank } = state;
        expect(text.length).toBeLessThanOrEqual(2000);
        within(samples, 0, 50);
        within(selected?.t, 0, 1e6);
        within(selected?.s, 0, 1e6);
        within(highlight, 0, 2000);
        within(blank, 0, 1e5);
        within(edits.bias, editLimits.bias.min, editLimits.bias.max);
        within(edits.temperature, editLimits.temperature.min, editLimits.temperature.max);
        for (const { c, first, end, p } of edits.strokes) {
          for (const count of [c, first, end]) expect(Number.isInteger(count)).toBe(true);
          within(c, 0, 1e5);
          within(first, 0, end - 1);
          within(end, 1, 1e6);
          within(p, editLimits.p.min, editLimits.p.max);
        }
        // what was understood is what the page puts into its own link
        expect(fromHash(`#${toHash(state)}`)).toEqual(state);
      }),
      { seed: 2026, numRuns: 2000 },
    );
    expect(fromHash(`#paint=${'1_0_1_0.5~'.repeat(1e5)}`)?.edits.strokes.length).toBe(1000);
  });

  test('keep a text of any length within bounds', () => {
    expect(fromHash(`#text=${'a'.repeat(1e5)}`)?.text.length).toBe(2000);
  });
});

describe('the view', () => {
  const all = whole(100, 21);

  test('zooming keeps the point, and stays inside', () => {
    const near = zoom(all, 4, 0.3, 0.5, all);
    expect(near.frames.first + 0.3 * lengthOf(near.frames)).toBeCloseTo(30);
    expect(lengthOf(near.frames)).toBeCloseTo(25);
    expect(zoom(near, 1e-3, 0.9, 0.1, all)).toEqual(all);
    expect(lengthOf(zoom(all, 1e6, 0, 0, all).frames)).toBe(4);
  });

  test('panning stops at the ends', () => {
    const near = zoom(all, 4, 0, 0, all);
    expect(pan(near, -10, -10, all)).toEqual(near);
    expect(pan(near, 1e9, 0, all).frames.end).toBe(100);
  });

  test('a cell is brought into view', () => {
    const near = zoom(all, 4, 0, 0, all);
    const { frames, states } = reveal(near, 90, 20, all);
    expect([frames.end, states.end]).toEqual([91, 21]);
    expect(reveal(near, 3, 2, all)).toEqual(near);
  });

  test('what moves is followed in time and along the states, and only when it is not seen', () => {
    const share = fc.nat(100).map((n) => n / 100);
    fc.assert(
      fc.property(
        ...([fc.double({ min: 1, max: 20, noNaN: true }), share, share, share, share] as const),
        (factor, x, y, time, place) => {
          const near = zoom(all, factor, x, y, all);
          const [frame, state] = [time * 99, Math.min(20, Math.floor(place * 21))];
          const at = follow(near, frame, state, all);
          expect(at.frames.first - 1e-9).toBeLessThanOrEqual(frame);
          expect(at.frames.end + 1e-9).toBeGreaterThanOrEqual(frame);
          expect(at.states.first - 1e-9).toBeLessThanOrEqual(state);
          expect(at.states.end + 1e-9).toBeGreaterThanOrEqual(state + 1);
          const again = follow(at, frame, state, all);
          expect(again.frames.first).toBeCloseTo(at.frames.first, 9);
          expect(again.states.first).toBeCloseTo(at.states.first, 9);
        },
      ),
    );
  });
});

describe('words that were moved', () => {
  const words = fc.array(fc.constantFrom<string>('a', 'b', 'c'), { maxLength: 8 });

  test('one word more, one less or one changed: the others keep what was set', () =>
    fc.assert(
      fc.property(words, fc.nat(8), fc.nat(1), fc.nat(1), (before, place, less, more) => {
        const at = Math.min(place, before.length - less);
        if (at < 0) return;
        // the new word is none of the others
        const after = before.toSpliced(at, less, ...(more ? ['new'] : []));
        const moved = new Map(before.map((_, i) => [i, { start: i, end: i + 1 }]));
        const kept = carried(moved, before, after);
        expect(kept.size).toBe(Math.min(before.length, after.length));
        // each where its word is: a word that is twice in a row may be either
        for (const [i, { start }] of kept) if (after[i] !== 'new') expect(after[i]).toBe(before[start]);
      }),
    ));

  test('what was not moved gives way to what was', () => {
    const word = (text: string, start: number, end: number) => ({ text, start, end, confidence: 1 });
    const aligned = { words: [word('a', 0, 1), word('b', 1, 2), word('c', 2, 3)], characters: [] };
    const { words: set } = withMoved(
      aligned as unknown as TimedText,
      new Map([[1, { start: 0.5, end: 3.5 }]]),
    );
    expect(set.map(({ start, end }) => [start, end])).toEqual([
      [0, 0.5],
      [0.5, 3.5],
      [3.5, 3.5],
    ]);
  });
});

describe('what is read, under the lattice', () => {
  const widthOf = (text: string, size: number) => 0.6 * size * text.length;
  /** Letters of equal width from `left` on; `_` is the space. */
  const lettersOf = (text: string, each: number, left = 0): Read[] =>
    [...text].map((letter, i) => ({
      name: letter === '_' ? 'space' : letter,
      ...{ left: left + i * each, right: left + (i + 1) * each },
    }));
  const namesOf = (letters: Read[], width: number) =>
    placeRead(letters, width, widthOf).map(({ name }) => name);

  test('letters where they have room, words where these have', () => {
    expect(namesOf(lettersOf('oh_dear', 20), 140).join('')).toBe('ohdear');
    expect(namesOf(lettersOf('oh_dear', 9), 63)).toEqual(['oh', 'dear']);
  });

  test('under a strong zoom those that the edge cuts stay letters', () => {
    expect(namesOf(lettersOf('ab', 500, -250), 600)).toEqual(['a', 'b']);
    // a sliver has no room for its letter
    expect(namesOf(lettersOf('ab', 500, -498), 600)).toEqual(['b']);
  });

  test('one noisy stretch becomes dots, and takes nothing from the others', () => {
    const noise = lettersOf('xyzxyzxyzxyzxyz', 2, 100);
    const letters = [...lettersOf('one_', 25), ...noise, ...lettersOf('_two', 25, 130)];
    expect(namesOf(letters, 240)).toEqual(['o', 'n', 'e', '…', 't', 'w', 'o']);
  });

  test('where nearly all would be dots there is nothing', () => {
    expect(namesOf(lettersOf('one_two_three_four_five', 2), 46)).toEqual([]);
  });

  test('nothing lies over another, whatever is read', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('a', 'bc', 'space'), fc.integer({ min: 1, max: 60 })), {
          maxLength: 30,
        }),
        fc.integer({ min: -50, max: 50 }),
        fc.integer({ min: 10, max: 900 }),
        (reads, first, width) => {
          let left = first;
          const letters = reads
            .map(([name, length]) => {
              left += length;
              return { name, left: left - length, right: left };
            })
            .filter((read) => read.right > 0 && read.left < width);
          let end = 0;
          for (const { name, x, size } of placeRead(letters, width, widthOf)) {
            expect(x - widthOf(name, size) / 2).toBeGreaterThanOrEqual(end);
            end = x + widthOf(name, size) / 2;
            expect(end).toBeLessThanOrEqual(width);
          }
        },
      ),
    ));
});
