// The parts of the demo that need no page.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { CtcAligner } from 'webgpu-ctc';
import { readTensor } from 'webgpu-ctc/files';
import { NGram } from 'webgpu-ctc/lm';
import { STAR, type TimedWord, tokenise, Vocabulary, wordsOf } from 'webgpu-ctc/text';
import { isPossible, type LatticeOnHost, type Problem } from '../demo/explorer/engine/analysis.js';
import { bestPaths, logOf, tellable } from '../demo/explorer/engine/best-paths.js';
import { differenceOf, wordDifferenceOf } from '../demo/explorer/engine/difference.js';
import { Engine, statesAlong } from '../demo/explorer/engine/engine.js';
import { fitsOf } from '../demo/explorer/engine/label-fits.js';
import { rivalsOf } from '../demo/explorer/engine/rivals.js';
import { toAligner, withStar } from '../demo/explorer/engine/star.js';
import { countPaths, leastFrames, sayCount, sayProbability } from '../demo/explorer/engine/ways.js';
import { partOf, windowAt } from '../demo/explorer/engine/window.js';
import { readInputs } from '../demo/explorer/files/inputs.js';
import { ownOf, ownSource } from '../demo/explorer/files/own.js';
import { referenceOf } from '../demo/explorer/files/reference.js';
import { isSession, readSession, writeSession } from '../demo/explorer/files/session.js';
import { readEmissions } from '../demo/explorer/files/tensors.js';
import { rowsOf, type SpokenWord } from '../demo/explorer/panels/word-rows.js';
import { timeErrors, worstOf } from '../demo/explorer/sound/time-errors.js';
import { carried, withMoved } from '../demo/explorer/sound/words.js';
import { heard } from '../demo/explorer/sources/examples.js';
import { logitsOf } from '../demo/explorer/sources/made-up.js';
import type { Own, ReferenceWord } from '../demo/explorer/sources/source.js';
import { spelledIn } from '../demo/explorer/sources/spelled.js';
import { applyEdits, editLimits, noEdits } from '../demo/explorer/state/edits.js';
import { fromHash, initial, type State, toHash } from '../demo/explorer/state/state.js';
import { placeRead, type Read } from '../demo/explorer/view/strips.js';
import { banded, follow, lengthOf, pan, reveal, whole, zoom } from '../demo/explorer/view/viewport.js';
import { download, type Progress, sayBytes } from '../demo/shared/download.js';
import { bestClasses, logSumExp } from '../learning/best-path.js';
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
    [Math.log(2.5), '250 %'],
    [Math.log(3.14e12), '3.1 · 10¹²'],
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
    expect(candidates.map((one) => [one.tensor.name, readEmissions(one).kind])).toEqual([
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

describe('what files are taken for', () => {
  /** Logits of frames that are sure of a class each. */
  const sureOf = (said: readonly number[], classes: number) => {
    const logits = new Float32Array(said.length * classes);
    said.forEach((c, t) => {
      logits[t * classes + c] = 6;
    });
    return logits;
  };
  const npy = (data: Float32Array, shape: number[], name = 'talk.npy') =>
    new File([writeNpy(data, shape).slice()], name);
  const came = async (...files: File[]) => {
    const { candidates, vocabulary, transcript, timed } = await readInputs(files);
    const own = {
      ...{ candidates: candidates as [(typeof candidates)[0]], chosen: 0 },
      ...(vocabulary && { vocabulary }),
      ...(transcript && { transcript }),
      ...(timed && { reference: referenceOf(timed, 'talk') }),
    };
    return { own, source: ownSource(own), found: { vocabulary, transcript, timed } };
  };

  // of class 0 that is the blank, unless a list says another: – a – b | a
  const said = [0, 0, 1, 0, 2, 0, 3, 1, 0];
  const listed = ['<pad>', 'a', 'b', '|'];
  const tokenizer = {
    model: { type: 'WordLevel', vocab: Object.fromEntries(listed.map((token, c) => [token, c])) },
    added_tokens: [{ id: 0, content: '<pad>' }],
  };
  test.each([
    ['vocab.json', JSON.stringify(Object.fromEntries(listed.map((token, c) => [token, c])))],
    ['list.json', JSON.stringify(listed)],
    ['tokenizer.json', JSON.stringify(tokenizer)],
    ['tokens.txt', '<blk> 0\na 1\nb 2\n| 3\n'],
    ['any.txt', '<blk>\na\nb\n|\n'],
    ['pieces.vocab', '<pad>\t0\na\t-1.5\nb\t-2\n|\t-3e-2\n'],
    // the blank is not listed, and the first class by the scores
    ['ppocr_keys.txt', 'a\nb\n|\n'],
  ])('a vocabulary as %s', async (name, text) => {
    const { source } = await came(npy(sureOf(said, 4), [9, 4]), new File([text], name));
    expect([source.text, source.vocabulary.blank, source.vocabulary.size]).toEqual(['ab a', 0, 4]);
    expect(source.taken!.blankReason).toBe(
      name === 'ppocr_keys.txt'
        ? 'by the scores: class 0 is the best in 56 % of the frames'
        : `the vocabulary has '${/blk/.test(text) ? '<blk>' : '<pad>'}'`,
    );
  });

  test('a blank that is last, or in the middle, is where the scores say; another can be said', async () => {
    const { source } = await came(
      npy(sureOf([3, 0, 3, 1, 3, 2, 0, 3, 3], 4), [9, 4]),
      new File([JSON.stringify(['a', 'b', '|'])], 'nemo.json'),
    );
    expect([source.text, source.vocabulary.blank]).toEqual(['ab a', 3]);
    expect(source.taken!.notes).toEqual([
      'the blank is not listed: it is the class that follows the 3 tokens listed',
    ]);
    const fairseq = await came(
      npy(sureOf([0, 4, 0, 5, 0, 6, 4, 0, 0], 7), [9, 7]),
      new File(['a 90\nb 80\n| 70\n'], 'dict.txt'),
    );
    // what fairseq calls <pad> is no blank that ever wins
    expect([fairseq.source.vocabulary.blank, fairseq.source.taken!.best]).toEqual([
      1,
      { c: 0, share: expect.closeTo(5 / 9) },
    ]);
    expect(ownSource({ ...fairseq.own, blank: 0 }).text).toBe('ab a');
  });

  test('a vocabulary for each language: the first, or the one that is chosen', async () => {
    const nested = { eng: { '<pad>': 0, a: 1, b: 2, '|': 3 }, fra: { '<pad>': 0, é: 1, è: 2, '|': 3 } };
    const { own, source } = await came(
      npy(sureOf(said, 4), [9, 4]),
      new File([JSON.stringify(nested)], 'vocab.json'),
    );
    expect([source.text, source.taken!.languages]).toEqual(['ab a', ['eng', 'fra']]);
    expect(ownSource({ ...own, language: 'fra' }).text).toBe('éè é');
  });

  test('added tokens belong to the vocabulary beside them', async () => {
    const { source } = await came(
      npy(sureOf(said, 4), [9, 4]),
      new File(['{"<pad>": 0}'], 'added_tokens.json'),
      new File(['{"a": 1, "b": 2, "|": 3}'], 'vocab.json'),
    );
    expect(source.text).toBe('ab a');
    await expect(
      readInputs([new File(['{"a": 1}'], 'x.json'), new File(['{"a": 1}'], 'y.json')]),
    ).rejects.toThrow('y.json: expected one vocabulary, got x.json, too');
  });

  test('a text is told from a list of tokens by its name, and by its lines', async () => {
    const scores = npy(sureOf(said, 4), [9, 4]);
    const kindsOf = async (name: string, content: string | Uint8Array) => {
      const { vocabulary, transcript, timed } = await readInputs([
        scores,
        new File([content as string], name),
      ]);
      const [kind, file] = Object.entries({ vocabulary, transcript, timed }).find(([, one]) => one)!;
      return [kind, file!.guessed, file!.why, file!.text];
    };
    const list = '<pad>\na\nb\n|\n';
    expect(await kindsOf('x.txt', list)).toEqual([
      'vocabulary',
      true,
      '4 lines of a token for 4 classes',
      list,
    ]);
    expect(await kindsOf('x.lab', list)).toEqual(['transcript', false, 'by its name', list]);
    expect(await kindsOf('x.txt', 'ab a\n')).toEqual(['transcript', true, '1 line', 'ab a\n']);
    expect((await kindsOf('tokens', 'ab\na\n'))[0]).toBe('vocabulary');
    const utf16 = new Uint8Array(new Uint16Array([0xfeff, ...Buffer.from('ab a')]).buffer);
    expect(await kindsOf('x.txt', utf16)).toEqual(['transcript', true, '1 line', 'ab a']);
    const srt = '1\n00:00:00,000 --> 00:00:01,000\nab a\n';
    expect((await kindsOf('old.txt', srt)).slice(0, 3)).toEqual(['timed', false, 'it is srt']);
    await expect(kindsOf('x.txt', Uint8Array.of(0x61, 0xe4))).rejects.toThrow(
      'x.txt: expected text in UTF-8',
    );
    const { source } = await came(
      scores,
      new File([JSON.stringify(listed)], 'v.json'),
      new File(['b\n a\n'], 'x.txt'),
    );
    expect(source.text).toBe('b a');
  });

  test('words with their times are the reference and the text; of a CTM of several recordings those of this one', async () => {
    const ctm = 'other 1 0 1 no\ntalk 1 0.1 0.2 ab\ntalk 1 0.4 0.1 a 0.9\ntalk 1 0.6 0.1 <eps>\n';
    const scores = npy(sureOf(said, 4), [9, 4]);
    const { source } = await came(
      scores,
      new File([JSON.stringify(listed)], 'v.json'),
      new File([ctm], 'all.ctm'),
    );
    expect(source.text).toBe('ab a');
    expect(source.reference!.words).toEqual([
      { text: 'ab', start: 0.1, end: expect.closeTo(0.3, 9) },
      { text: 'a', start: 0.4, end: 0.5 },
    ]);
    expect([source.frameSeconds, source.taken!.frame]).toEqual([0.02, 'proposed']);
    const caption = '1\n00:00:00,000 --> 00:00:01,000\nab\na b\n';
    const { own } = await came(scores, new File([caption], 'c.srt'));
    expect(own.reference!.words).toEqual([{ text: 'ab', start: 0 }, { text: 'a' }, { text: 'b', end: 1 }]);
    expect(() => referenceOf({ name: 'x.ctm', text: ctm }, 'none')).toThrow(
      "x.ctm: name: expected one of 'other', 'talk'",
    );
    expect(() => referenceOf({ name: 'x.srt', text: '' }, '')).toThrow(
      'x.srt: expected words with their times, got none',
    );
  });

  test('what is compared has as many frames and classes, however each was cut', async () => {
    const one = sureOf(said, 4);
    const { own } = await came(
      npy(one, [9, 4], 'one.npy'),
      npy(sureOf([1, 0, 2, 0, 0, 0, 3, 0, 0], 4).fill(0, 28), [9, 4], 'two.npy'),
      npy(sureOf(said.slice(1), 4), [8, 4], 'three.npy'),
    );
    const { other, frames } = ownSource({ ...own, other: 1 });
    expect([other!.name, other!.logits.length, frames]).toEqual(['two.npy', 36, 9]);
    expect(() => ownSource({ ...own, other: 2 })).toThrow(
      'three.npy: expected [9, 4], as one.npy has, got [8, 4]',
    );
  });

  test('an example to which something is added is what it was', async () => {
    const { own: _, taken, ...source } = ownSource(await ownOf(heard('cat', 8)));
    const { heard: __, vocabulary, ...example } = heard('cat', 8);
    expect(source).toEqual({ ...example, vocabulary: source.vocabulary });
    expect([source.vocabulary.blank, source.vocabulary.size]).toEqual([vocabulary.blank, vocabulary.size]);
    expect(taken).toMatchObject({ kind: 'logits', shape: [8, 27], layout: 'TC', padding: 0 });
  });

  test('axes, items and padding: what is usual, and what is said', async () => {
    const one = sureOf(said, 4);
    const transposed = Float32Array.from({ length: 36 }, (_, i) => one[(i % 9) * 4 + Math.floor(i / 9)]!);
    const softmax = (logits: Float32Array) => {
      const sums = Float32Array.from({ length: 9 }, (_, t) =>
        logits.subarray(4 * t, 4 * t + 4).reduce((sum, x) => sum + Math.exp(x), 0),
      );
      return (t: number, c: number) => Math.exp(logits[4 * t + c]!) / sums[t]!;
    };
    const p = softmax(one);
    const turned = Float32Array.from({ length: 36 }, (_, i) => p(i % 9, Math.floor(i / 9)));
    const found = await came(npy(turned, [4, 9]));
    expect(found.source).toMatchObject({ frames: 9, classes: 4, text: '1 2 3 1' });
    expect(found.source.taken).toMatchObject({
      ...{ kind: 'probs', layout: 'CT' },
      swapped: 'whose columns are normalised and whose rows are not',
    });
    // of logits a vocabulary tells
    const { source } = await came(npy(transposed, [4, 9]), new File([JSON.stringify(listed)], 'v.json'));
    expect([source.text, source.taken!.layout]).toEqual(['ab a', 'CT']);
    const plain = await came(npy(transposed, [4, 9]));
    expect(plain.source.frames).toBe(4);
    expect(ownSource({ ...plain.own, layout: 'CT' }).text).toBe('1 2 3 1');

    const other = sureOf([0, 2, 0, 2, 0, 1, 0, 0, 0], 4).fill(0, 28);
    const batch = await came(npy(Float32Array.of(...one, ...other), [2, 9, 4]));
    expect([batch.source.text, batch.source.taken]).toEqual([
      '1 2 3 1',
      expect.objectContaining({ items: 2, item: 0, layout: 'NTC', padding: 0 }),
    ]);
    const second = ownSource({ ...batch.own, item: 1 });
    expect([second.text, second.frames, second.taken!.padding]).toEqual(['2 2 1', 7, 2]);
    const kept = ownSource({ ...batch.own, item: 1, inputLength: 9 });
    expect([kept.frames, kept.taken!.padding]).toEqual([9, 0]);
  });
});

describe('a star', () => {
  const classes = 3;
  /** Scores that are often equal, and sometimes masked. */
  const scoresOf = (frames: number, random: () => number) =>
    Float32Array.from({ length: frames * classes }, () =>
      random() < 0.1 ? -1e10 : Math.round(6 * random()) / 2,
    );
  const cases = [[STAR], [1, STAR], [STAR, 1], [1, STAR, 1], [STAR, 2, STAR], [1, 1, STAR]];
  const own = (frames: number, labels: readonly number[], seed: number, blank = 0): Problem => ({
    ...{ frames, classes, blank, labels, logits: scoresOf(frames, mulberry32(seed)) },
  });

  /** All paths over the blank and the labels as they stand, as states and their logarithm. */
  function* pathsOf(problem: Problem, logProbs: Float32Array) {
    const states = 2 * problem.labels.length + 1;
    const classOf = (s: number) => (s % 2 ? problem.labels[s >> 1]! : problem.blank);
    function* from(path: number[]): Generator<number[]> {
      if (path.length === problem.frames) {
        if (path.at(-1)! >= states - 2) yield path;
        return;
      }
      const s = path.at(-1)!;
      for (let to = s; to <= Math.min(s + 2, states - 1); to++)
        if (to < s + 2 || (to % 2 === 1 && classOf(to) !== classOf(s))) yield* from([...path, to]);
    }
    for (const s of [0, 1])
      for (const path of from([s])) {
        const log = path.reduce((sum, s, t) => sum + logProbs[t * problem.classes + classOf(s)]!, 0);
        yield { path, log };
      }
  }

  test('loss, posterior and the path are those of all paths over one class more', async () => {
    const engine = await Engine.create(true);
    const aligner = await CtcAligner.create({ device: 'cpu' });
    for (const [seed, labels] of cases.entries()) {
      for (const frames of [1, 3, 5]) {
        const given = own(frames, labels, seed + 1, seed % 2 ? 0 : 2);
        if (given.labels.includes(given.blank)) continue;
        const problem = withStar(given);
        const analysis = await engine.analyse(problem);
        const { logProbs } = analysis;
        const paths = [...pathsOf(problem, logProbs)];
        const all = logSumExp(paths.map(({ log }) => log));
        const {
          labels: path,
          scores,
          score,
        } = await aligner.run({
          logits: { data: given.logits, shape: [frames, classes] as const },
          ...{ targets: [...labels], blank: given.blank },
        });
        if (all === Number.NEGATIVE_INFINITY) {
          expect([analysis.loss, analysis.alignment, score]).toEqual([Infinity, undefined, -Infinity]);
          continue;
        }
        expect(analysis.loss).toBeCloseTo(-all, 5);
        const { posterior, stride } = (analysis.lattice as { onHost: LatticeOnHost }).onHost;
        for (let t = 0; t < frames; t++) {
          for (let s = 0; s < 2 * labels.length + 1; s++) {
            const through = paths.filter(({ path }) => path[t] === s).map(({ log }) => Math.exp(log - all));
            expect(posterior[t * stride + s]).toBeCloseTo(
              through.reduce((sum, share) => sum + share, 0),
              5,
            );
          }
        }
        // the library's own star
        const { alignment } = analysis;
        expect(toAligner(alignment!.labels, problem)).toEqual([...path]);
        expect([...alignment!.scores]).toEqual([...scores]);
        // the price in the lattice is that of the path
        path.forEach((c, t) => {
          expect(logProbs[t * (classes + 1) + (c === STAR ? classes : c)]).toBeCloseTo(scores[t]!, 5);
        });
        const best = paths.reduce((most, { log }) => Math.max(most, log), -Infinity);
        expect(logOf(problem, logProbs, alignment!.states)).toBeCloseTo(best, 5);
      }
    }
    aligner.destroy();
    engine.destroy();
  });

  test('a problem beside: its loss, and the share of the paths that each class has, are those of all paths', async () => {
    const engine = await Engine.create(true);
    const shown = own(4, [1, 2], 3);
    const { version } = await engine.analyse(shown);
    for (const labels of [[1], [2, 1], [1, STAR]]) {
      const problem = withStar(own(4, labels, 9));
      const { loss, posterior, logProbs, alignment } = await engine.beside(problem);
      const paths = [...pathsOf(problem, logProbs)];
      const all = logSumExp(paths.map(({ log }) => log));
      expect(loss).toBeCloseTo(-all, 5);
      for (let i = 0; i < posterior.length; i++) {
        const [t, c] = [Math.floor(i / problem.classes), i % problem.classes];
        const through = paths.filter(({ path }) => {
          const s = path[t]!;
          return (s % 2 ? problem.labels[s >> 1] : problem.blank) === c;
        });
        expect(posterior[i]).toBeCloseTo(Math.exp(logSumExp(through.map(({ log }) => log)) - all), 5);
      }
      const best = Math.max(...paths.map(({ log }) => log));
      expect(logOf(problem, logProbs, alignment!.states)).toBeCloseTo(best, 5);
    }
    // what is shown stays
    expect((await engine.analyse(shown)).version).toBe(version + 1);
    engine.destroy();
  });

  test('the gradient is that of the loss by the scores, and a star has none', async () => {
    const engine = await Engine.create(true);
    // no equal scores: there the best class changes
    const random = mulberry32(5);
    const logits = Float32Array.from({ length: 12 }, () => 4 * random());
    const problem = (logits: Float32Array<ArrayBuffer>) =>
      withStar({ ...{ frames: 4, classes, blank: 0, labels: [1, STAR], logits } });
    const { grad } = await engine.analyse(problem(logits));
    const step = 2 ** -7;
    for (let i = 0; i < 12; i++) {
      const [up, down] = await Promise.all(
        [step, -step].map(async (by) => {
          const { loss } = await engine.analyse(problem(logits.map((x, k) => (k === i ? x + by : x))));
          return loss;
        }),
      );
      expect(grad[Math.floor(i / 3) * 4 + (i % 3)]).toBeCloseTo((up! - down!) / (2 * step), 3);
    }
    expect([3, 7, 11, 15].map((at) => grad[at])).toEqual([0, 0, 0, 0]);
    engine.destroy();
  });

  test('stands for a * of the text, for what cannot be spelled, and at free ends', () => {
    const vocabulary = Vocabulary.from(['<blank>', '|', 'a', 'b']);
    const targets = (text: string, star: boolean, free: boolean) =>
      spelledIn(text, vocabulary, { star, free }).targets;
    expect(targets('a * b', true, false)).toEqual([2, 1, STAR, 1, 3]);
    expect(targets('a 7 b', true, false)).toEqual([2, 1, STAR, 1, 3]);
    expect(targets('a * b', false, true)).toEqual([STAR, 2, 1, 3, STAR]);
    expect(targets('a * 7 b', false, false)).toEqual([2, 1, 3]);
  });
});

describe('a session', () => {
  const state: State = {
    ...initial,
    ...{ example: 'own', text: 'a *', star: true, layer: 'gradient', selected: { t: 1, s: 2 }, with: 'b' },
    edits: { bias: 0.1, temperature: 0.7, strokes: [{ c: 1, first: 0, end: 2, p: 0.31 }] },
  };
  const tensor = {
    ...{ name: 'two.npz: one', dtype: '<f8', shape: [2, 3] },
    data: Float32Array.of(0.1, -Infinity, 1e-38, -0, 3e38, 7),
    exact: Float64Array.of(0.1, 1e-300, 1e-38, -0, 3e38, 7),
  };
  const own: Own = {
    candidates: [{ tensor, said: 'logits', targets: [1], blank: 2 }, { tensor: { ...tensor, name: 'b' } }],
    ...{
      chosen: 1,
      other: 0,
      kind: 'logits',
      layout: 'TC',
      item: 0,
      inputLength: 2,
      language: 'fra',
      blank: 0,
    },
    vocabulary: { name: 'v.txt', text: '<blank>\na\nb\n' },
    transcript: { name: 't.txt', text: 'a *' },
    reference: {
      name: 'r.ctm',
      words: [
        { text: 'a', start: 0.1 },
        { text: 'é', end: 1 / 3 },
      ],
    },
    sound: new File([Uint8Array.of(0, 1, 254, 255)], 'a.wav', { type: 'audio/wav' }),
    ...{ seconds: 1 / 3, frameSeconds: 0.04 },
  };
  const moved = new Map([[0, { start: 0.1, end: 0.2 }]]);
  const written = async () => (await writeSession({ state, own, moved })).json;

  test('is what it was, to the bit', async () => {
    const json = await written();
    expect(isSession(json)).toBe(true);
    const { sound, ...read } = readSession({ name: 'x.json', text: json }).own!;
    const { sound: given, ...expected } = own;
    expect(read).toEqual(expected);
    expect(read.candidates[0].tensor.data.map((x) => (Object.is(x, -0) ? 1 : 0))[3]).toBe(1);
    expect(await (sound as File).arrayBuffer()).toEqual(await given!.arrayBuffer());
    expect([(sound as File).name, sound!.type]).toEqual(['a.wav', 'audio/wav']);
    expect(readSession({ name: 'x.json', text: json })).toMatchObject({ state, moved });
    // words of any number, and the language model as it was
    const nGram = await NGram.read(
      '\\data\\\nngram 1=3\n\n\\1-grams:\n-1\t<s>\n-1\t</s>\n-0.5\tword\n\n\\end\\\n',
    );
    const known = { words: 'word '.repeat(500), others: true, model: { name: 'a.arpa', nGram } };
    const again = readSession({
      name: 'x.json',
      text: (await writeSession({ state: { ...state, known }, own, moved })).json,
    });
    expect(again.state.known).toEqual({ words: known.words, others: true });
    expect(again.model!.name).toBe('a.arpa');
    expect((await NGram.read(again.model!)).score('word')).toEqual(nGram.score('word'));
    // of an example the page has the scores
    const example = { ...initial, text: 'x'.repeat(5000), panel: 'paths' as const };
    const { json: short } = await writeSession({ state: example, moved: new Map() });
    expect(readSession({ name: 'x.json', text: short })).toEqual({ state: example, moved: new Map() });
  });

  test('of a large sound says that it is left out', async () => {
    const sound = new Blob([new Uint8Array(20e6 + 1)]);
    const { json, isMute } = await writeSession({ state, own: { ...own, sound }, moved });
    expect([isMute, json.length < 5000]).toEqual([true, true]);
    expect(readSession({ name: 'x.json', text: json }).own!.sound).toBeUndefined();
  });

  test.each([
    [(json: string) => json.slice(0, -9), 'x.json: expected a whole session, as Data saves it'],
    [
      (json: string) => json.replace('"version":1', '"version":2'),
      'x.json: version: expected 1, got 2; a newer page has saved it',
    ],
    [(json: string) => json.replace('"version":1', '"version":"a"'), 'x.json: version: expected 1, got "a"'],
    [
      (json: string) => json.replace('"shape":[2,3]', '"shape":[2,4]'),
      'candidates[0]: tensor: data: expected 32 bytes, got 24',
    ],
    [(json: string) => json.replace('"data":"', '"data":"%'), 'data: expected bytes in Base64, got "%'],
    [
      (json: string) => json.replace('"chosen":1', '"chosen":2'),
      'own: chosen: expected a number from 0 to 1, got 2',
    ],
    [(json: string) => json.replace('"kind":"logits"', '"kind":"__proto__"'), 'kind: expected one of logits'],
    [
      (json: string) => json.replace(/"candidates":\[.*?\}\}\]/, '"candidates":[]'),
      'candidates: expected at least one tensor',
    ],
    [
      (json: string) => json.replace('"frameSeconds":0.04', '"frameSeconds":1e999'),
      'frameSeconds: expected a number from',
    ],
    [
      (json: string) => json.replace('"word":0', '"word":0.5'),
      'moved[0]: word: expected a whole number, got 0.5',
    ],
  ])('that is damaged or newer is refused by its name (%#)', async (damage, message) => {
    const json = damage(await written());
    expect(() => readSession({ name: 'x.json', text: json })).toThrow(message);
    const files = [new File([json], 'x.json')];
    await expect(readInputs(files)).rejects.toThrow(message);
    await expect(readInputs([...files, new File(['a'], 'a.txt')])).rejects.toThrow(
      'expected a session alone',
    );
  });

  test('of a stranger is read or refused, whatever it holds', async () => {
    const whole = JSON.parse(await written());
    const paths: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]) => {
      paths.push(path);
      if (typeof value === 'object' && value)
        for (const [key, inner] of Object.entries(value)) walk(inner, [...path, key]);
    };
    walk(whole, []);
    const other = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0.5, '', '__proto__', null, [], {}));
    fc.assert(
      fc.property(fc.constantFrom(...paths.slice(1)), other, (path, value) => {
        const changed = structuredClone(whole);
        const last = path.at(-1)!;
        const place = path.slice(0, -1).reduce((at, key) => at[key], changed);
        place[last] = value;
        try {
          const { own, state } = readSession({ name: 'x.json', text: JSON.stringify(changed) });
          expect(state.text.length).toBeGreaterThanOrEqual(0);
          if (own) for (const { tensor } of own.candidates) expect(tensor.data).toBeInstanceOf(Float32Array);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect((error as Error).message).toMatch(/^x\.json: /);
        }
      }),
      { seed: 2026, numRuns: 1000 },
    );
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

  test('with a star has its scores, and those of the recogniser alone', () => {
    const logits = Float32Array.from({ length: 18 }, (_, i) => (i * 7) % 5);
    const whole = withStar({ frames: 6, classes: 3, blank: 0, labels: [1, STAR, 2], logits });
    const path = Int32Array.of(1, 1, 2, 3, 3, 5);
    const part = partOf(whole, path, { first: 2, end: 5 });
    expect([part.labels, part.firstLabel]).toEqual([[3], 1]);
    expect([...part.logits]).toEqual([...whole.logits.subarray(8, 20)]);
    expect([...part.star!.logits]).toEqual([...logits.subarray(6, 15)]);
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

  test('words of two texts go together in rows, and what is the same for long is left out', () => {
    const word = (text: string, label: number): SpokenWord => ({ text, key: text, label });
    const words = (text: string) => text.split(' ').map(word);
    const say = (one: string, two: string) =>
      rowsOf(words(one), words(two)).map((row) =>
        row === 'more' ? '…' : `${row.one?.text ?? ''}${row.same ? '=' : '/'}${row.two?.text ?? ''}`,
      );
    expect(say('four years seven ago', 'four seven years ago now')).toEqual([
      ...['four=four', 'years/seven', 'seven/years', 'ago=ago', '/now'],
    ]);
    const long = 'abcdefghijklmnopqrstuvwxyz012345'.split('');
    const changed = long.with(10, 'x!').join(' ');
    expect(say(long.join(' '), changed)).toEqual(['…', 'i=i', 'j=j', 'k/x!', 'l=l', 'm=m', '…']);
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
    ...{ samples: 8, selected: { t: 4, s: 7 }, highlight: 2, blank: 3, star: true, free: true },
    ...{
      panel: 'paths',
      path: { kind: 'through', t: 3, s: 2 },
      with: 'a & b',
      window: { first: 2, end: 6 },
      follows: false,
      known: { words: 'ä, b & c', others: true },
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
      ...'example text layer scale best samples at label bias temperature blank paint words others'.split(
        ' ',
      ),
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

describe('a reference', () => {
  const word = (text: string, start: number, end: number, aligned: boolean | 'part' = true) => ({
    ...{ text, start, end, confidence: 1, aligned },
  });

  test('words go together by their letters, errors are in milliseconds, and what does not match is told', () => {
    const words = [
      word('Oh,', 0.1, 0.3),
      word('dear', 0.35, 0.5),
      word('me', 0.6, 0.7),
      word('42', 0.8, 0.9, false),
    ];
    const reference = [
      { text: 'oh', start: 0.12, end: 0.28 },
      { text: 'DEAR', start: 0.3 },
      { text: 'you', start: 0.5, end: 0.6 },
      { text: '42', start: 0.7, end: 0.9 },
    ];
    const found = timeErrors(words, reference);
    expect(found.errors).toEqual([
      { start: expect.closeTo(-20, 6), end: expect.closeTo(20, 6) },
      { start: expect.closeTo(50, 6) },
      undefined,
      undefined,
    ]);
    expect([found.matched, found.extra, found.missing]).toEqual([3, ['me'], ['you']]);
    // of −20 and 50; of 20
    expect(found.starts).toEqual({
      ...{
        count: 2,
        bias: expect.closeTo(15, 6),
        median: expect.closeTo(35, 6),
        mean: expect.closeTo(35, 6),
      },
      percentile95: expect.closeTo(20 + 0.95 * 30, 6),
    });
    expect(found.ends).toMatchObject({ count: 1, bias: expect.closeTo(20, 6) });
    expect(found.errors.map(worstOf)).toEqual([expect.closeTo(20, 6), expect.closeTo(50, 6), 1, 1]);
    expect(timeErrors([], reference)).toMatchObject({ starts: undefined, matched: 0 });
    const many = Array<(typeof reference)[0]>(5000).fill(reference[0]!);
    expect(() => timeErrors(many as never, many)).toThrow(
      /at most 20,000,000 pairs of words, got 5000 × 5000/,
    );
  });

  test('of eight spoken sentences: as far from the true times as their README says', async () => {
    const clips = JSON.parse(readFileSync('fixtures/speech/clips.json', 'utf8'));
    const aligner = await CtcAligner.create({ device: 'cpu' });
    const vocabulary = Vocabulary.parse(readFileSync('fixtures/speech/vocab.json', 'utf8'));
    const [aligned, measured]: [TimedWord[], ReferenceWord[]] = [[], []];
    for (const [n, { name, text, frameSeconds, words: truth }] of clips.entries()) {
      const { data, shape } = await readTensor(readFileSync(`fixtures/speech/${name}.logits.npy`), name);
      const logits = { data: data as Float32Array<ArrayBuffer>, shape: shape as [number, number] };
      const transcript = tokenise(text, vocabulary);
      const path = await aligner.run({ logits, targets: transcript.targets });
      // one after another
      const offsetSeconds = 100 * n;
      aligned.push(...wordsOf(transcript, path, { frameSeconds, offsetSeconds }).words);
      for (const { word: text, start, end } of truth)
        measured.push({ text, start: start + offsetSeconds, end: end + offsetSeconds });
    }
    aligner.destroy();
    const { errors, starts, matched } = timeErrors(aligned, measured);
    expect(matched).toBe(measured.length);
    const sizes = errors.map((error) => Math.abs(error!.start!));
    sizes.forEach((size, i) => {
      expect(size).toBeCloseTo(1000 * Math.abs(aligned[i]!.start - measured[i]!.start!), 6);
    });
    expect([starts!.median, starts!.percentile95, Math.max(...sizes)].map(Math.round)).toEqual([30, 71, 173]);
    expect(starts!.mean).toBeCloseTo(sizes.reduce((sum, size) => sum + size, 0) / sizes.length, 9);
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
