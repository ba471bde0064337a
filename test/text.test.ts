import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
// @ts-expect-error: the examples are plain JavaScript
import { readMatrix } from '../examples/npy.js';
import {
  mergeTokens,
  type Path,
  readingOf,
  STAR,
  segmentsOf,
  type TimedWord,
  type TokeniseOptions,
  tokenise,
  Vocabulary,
  wordsOf,
} from '../src/entries/text.js';

interface Clip {
  readonly name: string;
  readonly text: string;
  readonly greedy: string;
  readonly shape: readonly [frames: number, classes: number];
  readonly frameSeconds: number;
  readonly words: readonly { readonly word: string; readonly start: number }[];
}

const speech = new URL('../fixtures/speech/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, speech), 'utf8'));
const vocabulary = Vocabulary.from(read('vocab.json'));
const clips = (read('clips.json') as Clip[]).map((clip) => {
  const { data } = readMatrix(new URL(`${clip.name}.logits.npy`, speech));
  return { ...clip, logProbs: logSoftmax(data, clip.shape[1]) };
});

const { frameSeconds } = clips[0]!;

const labelsOf = (word: string, of = vocabulary) => of.spell(word).map(({ label }) => label);
const tokensOf = (word: string, of: Vocabulary) => labelsOf(word, of).map((label) => of.token(label));

function logSoftmax(data: Float32Array, classes: number): Float32Array {
  const logProbs = new Float32Array(data.length);
  for (let at = 0; at < data.length; at += classes) {
    const row = data.subarray(at, at + classes);
    const top = Math.max(...row);
    const normaliser = top + Math.log(row.reduce((sum, score) => sum + Math.exp(score - top), 0));
    row.forEach((score, c) => {
      logProbs[at + c] = score - normaliser;
    });
  }
  return logProbs;
}

/** What a label has at a frame; the star that of the best class, or hardly less. */
function scoreAt(row: Float32Array, label: number, blank: number): number {
  if (label !== STAR) return row[label]!;
  const best = Math.max(...row);
  return best - (row[blank] === best ? 0.01 : 0.02);
}

/** The best path in float64, with the ties of torchaudio.functional.forced_align. */
function align(scores: Float32Array, frames: number, targets: readonly number[], blank: number) {
  const classes = scores.length / frames;
  const path = Array.from({ length: 2 * targets.length + 1 }, (_, s) => targets[(s - 1) / 2] ?? blank);
  const at = (alpha: Float64Array, s: number) => alpha[s] ?? -Infinity;
  const rowAt = (t: number) => scores.subarray(t * classes, (t + 1) * classes);
  const emissions = (t: number) => {
    const [row, star] = [rowAt(t), path.includes(STAR) ? scoreAt(rowAt(t), STAR, blank) : 0];
    return path.map((label) => (label === STAR ? star : row[label]!));
  };
  const first = emissions(0);
  let alpha = Float64Array.from(path, (_, s) => (s < 2 ? first[s]! : -Infinity));
  const steps: number[][] = [[]];
  for (let t = 1; t < frames; t++) {
    const before = alpha;
    const each = emissions(t);
    steps[t] = path.map((label, s) => {
      const [stay, step] = [at(before, s), at(before, s - 1)];
      const skip = label !== blank && label !== path[s - 2] ? at(before, s - 2) : -Infinity;
      return skip > step && skip > stay ? 2 : step > stay && step > skip ? 1 : 0;
    });
    alpha = before.map((_, s) => at(before, s - steps[t]![s]!) + each[s]!);
  }
  let s = path.length - 1;
  if (at(alpha, s - 1) >= at(alpha, s)) s--;
  const labels = new Int32Array(frames).fill(-1);
  const found = { labels, scores: new Float32Array(frames) };
  if (at(alpha, s) === -Infinity) return found;
  for (let t = frames - 1; t >= 0; t--) {
    labels[t] = path[s]!;
    found.scores[t] = scoreAt(rowAt(t), path[s]!, blank);
    s -= steps[t]![s] ?? 0;
  }
  return found;
}

function timed(clip: (typeof clips)[number], text: string, options: TokeniseOptions = {}) {
  const transcript = tokenise(text, vocabulary, options);
  const path = align(clip.logProbs, clip.shape[0], transcript.targets, vocabulary.blank);
  return wordsOf(transcript, path, { frameSeconds });
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const away = (words: readonly TimedWord[], clip: Clip, first = 0) =>
  words.map(({ start }, i) => Math.abs(start - clip.words[first + i]!.start));

describe('spoken sentences', () => {
  test('words start where they were spoken', () => {
    const errors = clips.flatMap((clip) => {
      const { words } = timed(clip, clip.text);
      expect(words.map(({ text }) => text)).toEqual(clip.words.map(({ word }) => word));
      return away(words, clip);
    });
    expect(median(errors)).toBeLessThanOrEqual(0.035);
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.18);
  });

  test.each(clips)('$name reads as recorded', ({ logProbs, shape: [frames, classes], greedy }) => {
    const rows = Array.from({ length: frames }, (_, t) => {
      const row = logProbs.subarray(t * classes, (t + 1) * classes);
      const best = Math.max(...row);
      return { label: row.indexOf(best), best };
    });
    const labels = rows.map(({ label }) => label);
    const scores = rows.map(({ best }) => best);
    const { text, words, characters } = readingOf(labels, scores, vocabulary, { frameSeconds });
    expect(text).toBe(greedy);
    expect(words.map((word) => word.text)).toEqual(greedy.split(/ +/));
    expect(characters.map((character) => character.text).join('')).toBe(greedy.replaceAll(' ', ''));
  });

  test.each([1, 3])('a star stands for %i words, wherever they are missing', (missing) => {
    const others: number[] = [];
    const starts: number[] = [];
    for (const clip of clips) {
      for (let first = 0; first + missing <= clip.words.length; first++) {
        const spoken = clip.words.map(({ word }) => word);
        const { words } = timed(
          clip,
          spoken
            .with(first, '*')
            .toSpliced(first + 1, missing - 1)
            .join(' '),
          {
            star: '*',
          },
        );
        starts.push(...away(words.slice(first, first + 1), clip, first));
        others.push(...away(words.slice(0, first), clip));
        others.push(...away(words.slice(first + 1), clip, first + missing));
      }
    }
    expect(Math.max(...others)).toBeLessThanOrEqual(0.18);
    expect(median(starts)).toBeLessThanOrEqual(0.035);
    expect(Math.max(...starts)).toBeLessThanOrEqual(0.35);
  });

  test('any words of the middle are found where both ends are free', () => {
    const errors: number[] = [];
    for (const clip of clips) {
      for (const count of [2, 3, 6, clip.words.length]) {
        for (let first = 0; first + count <= clip.words.length; first++) {
          const text = clip.words.slice(first, first + count).map(({ word }) => word);
          if (clip.text.split(text.join(' ')).length > 2) continue;
          const { words } = timed(clip, text.join(' '), { freeStart: true, freeEnd: true });
          expect(words.map((word) => word.text)).toEqual(text);
          errors.push(...away(words, clip, first));
        }
      }
    }
    expect(median(errors)).toBeLessThanOrEqual(0.035);
    expect(Math.max(...errors)).toBeLessThanOrEqual(0.2);
  });

  test('words that cannot be spelled keep their place', () => {
    const clip = clips[4]!;
    const { words, characters } = timed(
      clip,
      '— Four score (and) 42 1,000,000 seven years ago, our fathers … 7',
    );
    expect(words.map(({ text }) => text).join(' ')).toBe(
      '— Four score (and) 42 1,000,000 seven years ago, our fathers … 7',
    );
    const unspelled = [0, 4, 5, 11, 12];
    words.forEach(({ aligned, confidence }, w) => {
      expect([aligned, confidence > 0]).toEqual(unspelled.includes(w) ? [false, false] : [true, true]);
    });
    expectInOrder(words, clip.shape[0] * frameSeconds);
    expect(words[0]!.end).toBe(words[1]!.start);
    const spelled = characters.filter(({ aligned }) => aligned === true);
    expect(spelled.map(({ text }) => text).join('')).toBe('Fourscoreandsevenyearsagoourfathers');
    expect(
      away(
        words.filter(({ aligned }) => aligned === true),
        clip,
      ).every((error) => error <= 0.2),
    ).toBe(true);
  });

  test('sentences end at their marks and before pauses', () => {
    const { words } = timed(clips[2]!, 'Oh dear! "Oh dear!" I shall be too late…');
    const texts = segmentsOf(words).map(({ text }) => text);
    expect(texts).toEqual(['Oh dear!', '"Oh dear!"', 'I shall be too late…']);
    const [first] = segmentsOf(words);
    expect([first!.start, first!.end]).toEqual([words[0]!.start, words[1]!.end]);
    expect(first!.confidence).toBeGreaterThan(0.5);
    const late = words.map((word, w) =>
      w < 6 ? word : { ...word, start: word.start + 2, end: word.end + 2 },
    );
    expect(segmentsOf(late).map(({ text }) => text)).toEqual([
      ...texts.slice(0, 2),
      'I shall',
      'be too late…',
    ]);
    expect(segmentsOf(late, { pauseSeconds: 3 })).toHaveLength(3);
  });
});

describe('words given as segments', () => {
  const word = (start: number, end: number, confidence = 0.5) => ({
    ...{ text: 'a', start, end, confidence, aligned: true },
  });

  test('that take no time count alike', () => {
    expect(segmentsOf([word(1, 1)])).toMatchObject([{ start: 1, end: 1, confidence: 0.5 }]);
    expect(segmentsOf([word(1, 1, 0.25), word(1, 1, 0.75)])).toMatchObject([{ confidence: 0.5 }]);
    expect(segmentsOf([word(1, 1, 0.25), word(1, 2, 0.75)])).toMatchObject([{ confidence: 0.75 }]);
  });

  test('that overlap end with the last of them, and no pause is within one', () => {
    expect(segmentsOf([word(0, 9), word(1, 2), word(4, 5)])).toMatchObject([{ start: 0, end: 9 }]);
  });

  // biome-ignore format: a table
  test.each<[words: TimedWord[], message: string]>([
    [[word(2, 3), word(0, 1)], 'words[1].start: expected seconds ≥ 2 (the start of the word before), got 0'],
    [[word(2, 1)], 'words[0].end: expected seconds ≥ 2 (its start), got 1'],
    [[word(NaN, 1)], 'words[0].start: expected seconds, got NaN'],
    [[word(-Infinity, 1)], 'words[0].start: expected seconds, got -Infinity'],
    [[word(0, NaN)], 'words[0].end: expected seconds ≥ 0 (its start), got NaN'],
    [[word(0, Infinity)], 'words[0].end: expected seconds ≥ 0 (its start), got Infinity'],
    [[word(0, 1, NaN)], 'words[0].confidence: expected a number from 0 to 1, got NaN'],
    [[word(0, 1, -1)], 'words[0].confidence: expected a number from 0 to 1, got -1'],
    [[{ ...word(0, 1), aligned: false }, { ...word(-1, 1), aligned: false }], 'words[1].start: expected seconds ≥ 0 (the start of the word before), got -1'],
  ])('are refused by name: %#', (words, message) => {
    expect(() => segmentsOf(words)).toThrow(new RangeError(message));
  });
});

describe('a vocabulary', () => {
  test.each([
    [{ '<blank>': 0, a: 1 }, 0, '<blank>'],
    [{ '<pad>': 0, a: 1, '-': 2 }, 0, '<pad>'],
    [{ a: 0, '[UNK]': 1, '[PAD]': 2 }, 2, '[PAD]'],
    [['-', '|', 'E'], 0, '-'],
    [['_', 'a'], 0, '_'],
    [['<blk>', '<pad>', 'a'], 0, '<blk>'],
  ])('%o has the blank %i', (json, blank, token) => {
    const found = Vocabulary.from(json as Record<string, number> | string[]);
    expect([found.blank, found.blankToken]).toEqual([blank, token]);
    expect(found.blankReason).toContain(token);
  });

  test('a blank may be given, and lie behind the tokens', () => {
    const found = Vocabulary.from([' ', 'a', 'b'], { blank: 3 });
    expect([found.blank, found.blankToken, found.size, found.delimiter]).toEqual([3, undefined, 4, 0]);
    expect(Vocabulary.from(['-', 'a'], { classes: 9 }).size).toBe(9);
  });

  test.each([
    [['a', '-'], {}, RangeError, /<blank>.*option blank/],
    [['a', 'b'], { blank: 3 }, RangeError, /blank: expected an integer from 0 to 2.*got 3/],
    [{ '-': 0, a: 1.5 }, {}, RangeError, /vocabulary\['a'\].*got 1.5/],
    [{ '-': 0, a: -1 }, {}, RangeError, /vocabulary\['a'\].*got -1/],
    [
      { eng: { '<pad>': 0 }, deu: { '<pad>': 0, a: 1 } },
      {},
      RangeError,
      /language: expected one of 'eng', 'deu', got undefined/,
    ],
    [{ '-': 0, a: 1, b: 1 }, {}, RangeError, /vocabulary\['b'\].*'a'.*got 1/],
    [['-', 'a', 'a'], {}, RangeError, /vocabulary\[2\].*class 1.*got 'a'/],
    [['-', 5], {}, TypeError, /vocabulary\[1\].*a token.*got 5/],
    [['-', 'a'], { classes: 1 }, RangeError, /vocabulary: expected the tokens of 1 classes.*got 2/],
    [undefined, {}, TypeError, /vocabulary: expected/],
  ])('%o with %o is refused', (json, options, kind, message) => {
    const make = () => Vocabulary.from(json as unknown as string[], options);
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });

  test('gaps between the classes and empty tokens are harmless', () => {
    const found = Vocabulary.from({ '<pad>': 0, a: 7 });
    expect([found.size, found.token(3), found.read(3)]).toEqual([8, undefined, '']);
    expect(Vocabulary.from(['-', '', '', 'a']).spell('a')).toEqual([{ label: 3, text: 'a' }]);
  });

  test('text takes the case of the vocabulary', () => {
    const upper = Vocabulary.from(['<pad>', '|', 'A', 'B', "'"]);
    expect(labelsOf('aBba', upper)).toEqual([2, 3, 3, 2]);
    const both = Vocabulary.from(['<pad>', 'a', 'A', 'b']);
    expect(labelsOf('aAbB', both)).toEqual([1, 2, 3, 3]);
  });

  test('accents, ligatures and typography are kept where they can be spelled, else folded', () => {
    const german = Vocabulary.from([...'_abcdefghijklmnopqrstuvwxyzäöüß']);
    expect(tokensOf('Straße', german).join('')).toBe('straße');
    expect(tokensOf('Stra\u0308ße', german).join('')).toBe('sträße');
    expect(tokensOf('Café', german).join('')).toBe('cafe');
    const spell = (word: string) => tokensOf(word, vocabulary).join('');
    expect(['Straße', 'ﬁn', 'Søren', 'Ｗide', 'naïve'].map(spell)).toEqual([
      'strasse',
      'fin',
      'soren',
      'wide',
      'naive',
    ]);
    expect(['don’t', '“Don`t!”', '‘tis', "'quoted'", "dogs'"].map(spell)).toEqual([
      "don't",
      "don't",
      'tis',
      'quoted',
      'dogs',
    ]);
    expect(vocabulary.spell('ß').map(({ text }) => text)).toEqual(['ß', '']);
  });

  test('of a folded letter as much is spelled as can be', () => {
    const half = Vocabulary.from(['<blank>', 'ab', 'b', 'e', 'f', 'i']);
    // biome-ignore format: a table
    for (const [word, spelled] of [
      ['æ', [['*', 'æ'], ['e', '']]],
      ['bæ', [['b', 'b'], ['*', 'æ'], ['e', '']]],
      ['bab', [['b', 'b'], ['ab', 'ab']]],
      ['aæe', [['*', 'aæ'], ['e', ''], ['e', 'e']]],
      ['ﬁ', [['f', 'ﬁ'], ['i', '']]],
    ] as const)
      expect(half.spell(word).map(({ label, text }) => [label === STAR ? '*' : half.token(label), text])).toEqual(spelled);
    const transcript = tokenise('bæ', half);
    const path = { labels: transcript.targets, scores: [0, 0, 0] };
    const { words, characters } = wordsOf(transcript, path, { frameSeconds: 1 });
    expect(words).toMatchObject([{ text: 'bæ', start: 0, end: 3, aligned: 'part' }]);
    expect(characters.map(({ text, start, end, aligned }) => [text, start, end, aligned])).toEqual([
      ['b', 0, 1, true],
      ['æ', 1, 3, 'part'],
    ]);
  });

  test('the fewest tokens spell', () => {
    const pieces = Vocabulary.from(['<pad>', 's', 'c', 'h', 'sch', 'ch', 'o']);
    expect(tokensOf('schoch', pieces)).toEqual(['sch', 'o', 'ch']);
    expect(tokensOf('scoh', pieces)).toEqual(['s', 'c', 'o', 'h']);
  });

  test('a letter costs the same, however long the text is', () => {
    const pieces = Vocabulary.from(['-', 'a', 'ab', 'aaaab']);
    const lookups = (letters: number) => {
      pieces.spell('a');
      const looked = vi.spyOn(Map.prototype, 'get');
      try {
        expect(pieces.spell('a'.repeat(letters))).toHaveLength(letters);
        return looked.mock.calls.length / letters;
      } finally {
        looked.mockRestore();
      }
    };
    expect(lookups(20_000)).toBeLessThanOrEqual(1.1 * lookups(1000));
  });

  test('special tokens are never spelled', () => {
    const special = Vocabulary.from(['<pad>', '<s>', '</s>', '[UNK]', 's', 'u', 'n', 'k', '|']);
    expect(tokensOf('<s>[UNK]</s>|', special)).toEqual(['s', 'u', 'n', 'k', 's']);
    expect([1, 2, 3, 8].map((label) => special.read(label))).toEqual(['', '', '', ' ']);
  });

  test('of sentence pieces marks the words and needs no delimiter', () => {
    const pieces = Vocabulary.from(['<unk>', '▁', '▁the', 'r', 'e', 'd', '▁red', 's'], { blank: 8 });
    const { targets, wordOf, textOf } = tokenise('The reds, — sed', pieces);
    expect(targets.map((label) => pieces.token(label))).toEqual(['▁the', '▁red', 's', '▁', 's', 'e', 'd']);
    expect(wordOf).toEqual([0, 1, 1, -1, 3, 3, 3]);
    expect(textOf).toEqual(['The', 'red', 's', '', 's', 'e', 'd']);
    const { text, words } = readingOf(targets, targets, pieces, { frameSeconds: 1 });
    expect(text).toBe('the reds sed');
    expect(words.map((word) => word.text)).toEqual(['the', 'reds', 'sed']);
  });

  test.each(['\n', '\t', '\u3000', '\u00a0', ' '])(
    'the white space %j parts words wherever a token has it',
    (space) => {
      const spaced = Vocabulary.from(['<blank>', '|', 'c', space, `a${space}`, `${space}b`]);
      const reading = (...labels: number[]) => readingOf(labels, labels, spaced, { frameSeconds: 1 });
      for (const [labels, want] of [
        [
          [2, 3, 2],
          ['c', 'c'],
        ],
        [
          [4, 2],
          ['a', 'c'],
        ],
        [
          [2, 5],
          ['c', 'b'],
        ],
        [
          [4, 5, 2],
          ['a', 'bc'],
        ],
        [
          [4, 3, 2],
          ['a', 'c'],
        ],
        [[3, 2, 3], ['c']],
      ] as const) {
        const { text, words } = reading(...labels);
        expect(words.map((word) => word.text)).toEqual(want);
        expect(text.split(/\s+/u)).toEqual(want);
      }
    },
  );
});

describe('a transcript', () => {
  test('keeps the words as written and puts delimiters between those that are spelled', () => {
    const { words, targets, wordOf, spelled } = tokenise('  Oh,\n— "I"  ', vocabulary);
    expect(words).toEqual(['Oh,', '—', '"I"']);
    expect(targets.map((label) => vocabulary.token(label)).join('')).toBe('oh|i');
    expect(wordOf).toEqual([0, 0, -1, 2]);
    expect(spelled).toEqual([true, false, true]);
  });

  test('has stars where they are asked for', () => {
    const free = { star: '*', freeStart: true, freeEnd: true };
    const { words, targets, wordOf } = tokenise('a * a', vocabulary, free);
    expect(words).toEqual(['a', '*', 'a']);
    expect(targets).toEqual([STAR, 3, 1, STAR, 1, 3, STAR]);
    expect(wordOf).toEqual([-1, 0, -1, 1, -1, 2, -1]);
    expect(tokenise('*', vocabulary).targets).toEqual([]);
  });

  test.each(['日本語のテキスト。', '👩‍👩‍👧 🎉', 'שלום עולם', 'مرحبا', '\u202eabc\u202c', '', '\ud800'])(
    'of %j does no harm',
    (text) => {
      const clip = clips[3]!;
      const { words } = timed(clip, text);
      expect(words.map((word) => word.text)).toEqual(text.split(/\s+/u).filter(Boolean));
      expectInOrder(words, clip.shape[0] * frameSeconds);
    },
  );

  test('in a vocabulary of its script is spelled', () => {
    const hebrew = Vocabulary.from(['<pad>', '|', ...'אבגדהוזחטיכלמנסעפצקרשתםןץףך']);
    expect(tokensOf('שָׁלוֹם', hebrew).join('')).toBe('שלום');
    const kana = Vocabulary.from(['<pad>', ...'あかが日本']);
    expect(tokensOf('日本が', kana).join('')).toBe('日本が');
  });
});

describe('an alignment', () => {
  test('spans are the labels, equal ones apart', () => {
    const spans = mergeTokens([0, 3, 3, 0, 3, 4, 0, -1], [-1, -1, -2, 0, -4, -5, 0, 0], 0);
    expect(spans).toEqual([
      { label: 3, start: 1, end: 3, score: -1.5 },
      { label: 3, start: 4, end: 5, score: -4 },
      { label: 4, start: 5, end: 6, score: -5 },
    ]);
  });

  test('confidence is the geometric mean of the frames of the labels', () => {
    const transcript = tokenise('ab', vocabulary);
    const path = { labels: [0, 3, 3, 0, 4], scores: [-9, -1, -2, -9, -3] };
    const { words, characters } = wordsOf(transcript, path, { frameSeconds: 0.5, offsetSeconds: 10 });
    const [word] = words;
    expect(word).toMatchObject({ text: 'ab', start: 10.5, end: 12.5, aligned: true });
    expect(word!.confidence).toBeCloseTo(Math.exp(-2), 12);
    expect(characters.map(({ start, end }) => [start, end])).toEqual([
      [10.5, 11.5],
      [12, 12.5],
    ]);
  });

  test('characters up to the middle between neighbours of the same word', () => {
    const transcript = tokenise('ab a', vocabulary);
    const [a, b, space] = [3, 4, 1];
    const labels = [0, a, 0, 0, b, 0, space, 0, a, 0];
    const path = { labels, scores: labels.map(() => 0) };
    const spansOf = (spans?: 'labels' | 'midpoints') =>
      wordsOf(transcript, path, { frameSeconds: 1, offsetSeconds: 10, spans }).characters.map(
        ({ start, end }) => [start, end],
      );
    expect(spansOf()).toEqual([
      [11, 12],
      [14, 15],
      [18, 19],
    ]);
    expect(spansOf('labels')).toEqual(spansOf());
    expect(spansOf('midpoints')).toEqual([
      [11, 13],
      [13, 15],
      [18, 19],
    ]);
    expect(() => spansOf('middle' as never)).toThrow(
      "spans: expected one of 'labels', 'midpoints', got 'middle'",
    );
  });

  test('a letter that several labels spell is one character', () => {
    const path = { labels: [21, 0, 21], scores: [0, 0, 0] };
    const { characters } = wordsOf(tokenise('ß', vocabulary), path, { frameSeconds: 1 });
    expect(characters).toMatchObject([{ text: 'ß', start: 0, end: 3 }]);
  });

  test('without a path no word is aligned', () => {
    const { words, characters } = wordsOf(
      tokenise('no path', vocabulary),
      { labels: [-1, -1, -1], scores: [0, 0, 0] },
      { frameSeconds: 1 },
    );
    expect(words.map(({ start, end, aligned }) => [start, end, aligned])).toEqual([
      [0, 1, false],
      [1, 3, false],
    ]);
    expect(characters).toEqual([]);
  });

  test('frames beyond the input are not time', () => {
    const path = { labels: [3, 0, -1, -1], scores: [0, 0, 0, 0] };
    const { words } = wordsOf(tokenise(`a ${'—'.repeat(40)}`, vocabulary), path, { frameSeconds: 1 });
    expect(words[1]).toMatchObject({ start: 1, end: 2 });
  });

  test('what a star heard has times, and says nothing of how sure the text is', () => {
    const transcript = tokenise('a 42 b7', vocabulary);
    expect(transcript.spelled).toEqual([true, false, 'part']);
    const [a, b, space] = ['a', 'b', '|'].map((token) => labelsOf(token)[0] ?? vocabulary.delimiter!);
    const labels = [0, a!, space!, STAR, STAR, STAR, space!, b!, STAR, STAR];
    const scores = [-9, -1, -9, -5, -5, -5, -9, -2, -7, -7];
    const { words, characters } = wordsOf(transcript, { labels, scores }, { frameSeconds: 1 });
    expect(words).toEqual([
      { text: 'a', start: 1, end: 2, confidence: expect.closeTo(Math.exp(-1), 12), aligned: true },
      { text: '42', start: 3, end: 6, confidence: 0, aligned: false },
      { text: 'b7', start: 7, end: 10, confidence: expect.closeTo(Math.exp(-2), 12), aligned: 'part' },
    ]);
    expect(characters.map(({ text, aligned }) => [text, aligned])).toEqual([
      ['a', true],
      ['42', false],
      ['b', true],
      ['7', false],
    ]);
  });

  test('a star that heard nothing leaves its word beside the next, or between its neighbours', () => {
    const transcript = tokenise('42 a', vocabulary);
    const space = vocabulary.delimiter!;
    const labels = [STAR, space, ...Array(98).fill(0), 3, 0];
    const { words } = wordsOf(transcript, { labels, scores: labels.map(() => 0) }, { frameSeconds: 1 });
    expect(words[0]).toMatchObject({ text: '42', start: expect.closeTo(99.88, 9), end: 100, aligned: false });
  });

  test('words without a delimiter between them share a star by length', () => {
    const pieces = Vocabulary.from(['<blank>', '▁a', '▁b']);
    const transcript = tokenise('a 12 3456 b', pieces);
    expect(transcript.targets).toEqual([1, STAR, 2]);
    const labels = [1, STAR, STAR, STAR, STAR, STAR, STAR, 2];
    const { words } = wordsOf(transcript, { labels, scores: labels.map(() => 0) }, { frameSeconds: 1 });
    expect(words.map(({ text, start, end, aligned }) => [text, start, end, aligned])).toEqual([
      ['a', 0, 1, true],
      ['12', 1, 3, false],
      ['3456', 3, 7, false],
      ['b', 7, 8, true],
    ]);
  });

  test.each([
    [
      'of another text',
      { labels: [3, 4], scores: [0, 0] },
      { frameSeconds: 1 },
      RangeError,
      /^labels: expected a path of the transcript's targets, \[3\], got \[3, 4\]$/,
    ],
    ['of unequal length', { labels: [3], scores: [0, 0] }, { frameSeconds: 1 }, RangeError, /scores.*got 2/],
    ['without labels', { scores: [] }, { frameSeconds: 1 }, TypeError, /labels/],
    ['without seconds', { labels: [3], scores: [0] }, {}, TypeError, /frameSeconds.*undefined/],
    [
      'with a label that is no number',
      { labels: [NaN], scores: [0] },
      { frameSeconds: 1 },
      RangeError,
      /labels\[0\].*got NaN/,
    ],
    [
      'with frames beyond all time',
      { labels: [3, 0], scores: [0, 0] },
      { frameSeconds: 1e308 },
      RangeError,
      /^frameSeconds.*got 1e\+308/,
    ],
    ['that is none', null, { frameSeconds: 1 }, TypeError, /^path: expected \{ labels, scores \}, got null/],
    ['with frames of no length', { labels: [3], scores: [0] }, { frameSeconds: 0 }, RangeError, /got 0/],
  ])('a path %s is refused', (_, path, options, kind, message) => {
    const make = () => wordsOf(tokenise('a', vocabulary), path as Path, options as { frameSeconds: number });
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });

  test('wrong arguments are named', () => {
    expect(() => tokenise(5 as unknown as string, vocabulary)).toThrow(
      /^text: expected a string, or words with their labels, got 5/,
    );
    expect(() => tokenise('a', {} as Vocabulary)).toThrow(/^vocabulary: expected a Vocabulary/);
    expect(() => tokenise('a', vocabulary, { star: '' })).toThrow(RangeError);
    expect(() => segmentsOf([], { pauseSeconds: -1 })).toThrow(/^pauseSeconds/);
  });
});

function expectInOrder(words: readonly TimedWord[], seconds: number) {
  let before = 0;
  for (const { start, end, confidence } of words) {
    expect(start).toBeGreaterThanOrEqual(before);
    expect(end).toBeGreaterThanOrEqual(start);
    expect(confidence).toBeGreaterThanOrEqual(0);
    expect(confidence).toBeLessThanOrEqual(1);
    before = end;
  }
  expect(before).toBeLessThanOrEqual(seconds);
}

describe('whatever the text', () => {
  const letters = fc.string({ unit: fc.constantFrom(...'abcxyz'), minLength: 1, maxLength: 8 });
  const sentence = fc.array(letters, { maxLength: 8 });
  const claim = { seed: 2026, numRuns: 300 };

  test('what is spelled reads back', () => {
    fc.assert(
      fc.property(sentence, (words) => {
        const { targets, wordOf, textOf } = tokenise(words.join(' '), vocabulary);
        expect(targets.map((label) => vocabulary.read(label)).join('')).toBe(words.join(' '));
        words.forEach((word, w) => {
          expect(textOf.filter((_, i) => wordOf[i] === w).join('')).toBe(word);
        });
      }),
      claim,
    );
  });

  test('and so it does in pieces, if each letter is one', () => {
    const pieces = Vocabulary.from(['-', '▁', ...'abcxyz', 'ab', 'abc', '▁xy', 'zz', '▁a']);
    fc.assert(
      fc.property(sentence, (words) => {
        const { targets } = tokenise(words.join(' '), pieces);
        const path = targets.flatMap((label) => [label, pieces.blank]);
        const { text } = readingOf(
          path,
          path.map(() => 0),
          pieces,
          { frameSeconds: 1 },
        );
        expect(text).toBe(words.join(' '));
      }),
      claim,
    );
  });

  test('words stay as they are, and all labels are classes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const { words, targets, wordOf, textOf } = tokenise(text, vocabulary, { star: '*' });
        expect(words.join('')).toBe(text.replace(/\s+/gu, ''));
        expect(targets.every((label) => label === STAR || (label > 0 && label < vocabulary.size))).toBe(true);
        expect([wordOf.length, textOf.length]).toEqual([targets.length, targets.length]);
      }),
      claim,
    );
  });

  test('times run forwards within the input', () => {
    const word = fc.oneof(letters, fc.constantFrom('42', '—', '*', 'a,', '日本'));
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 6 }),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom(...clips),
        (words, freeStart, freeEnd, frames, { logProbs }) => {
          const transcript = tokenise(words.join(' '), vocabulary, { star: '*', freeStart, freeEnd });
          const scores = logProbs.subarray(0, frames * vocabulary.size);
          const path = align(scores, frames, transcript.targets, vocabulary.blank);
          const timedText = wordsOf(transcript, path, { frameSeconds });
          expect(timedText.words.map(({ text }) => text)).toEqual(words);
          expectInOrder(timedText.words, frames * frameSeconds);
          expectInOrder(timedText.characters, frames * frameSeconds);
          expectInOrder(segmentsOf(timedText.words), frames * frameSeconds);
        },
      ),
      claim,
    );
  });
});

test('labels of another vocabulary are refused, not left out of the text', () => {
  const vocabulary = Vocabulary.from(['<blank>', 'a', 'b']);
  const read = (labels: number[]) =>
    readingOf(
      labels,
      labels.map(() => 0),
      vocabulary,
      { frameSeconds: 0.02 },
    ).text;
  expect(read([1, 0, 2, -1])).toBe('ab');
  expect(() => read([1, 3, 3, 2])).toThrow(
    'labels[1]: expected a class of the vocabulary, 0 to 2 (if the model has more, its option classes says how many), got 3',
  );
  const wide = Vocabulary.from(['<blank>', 'a', 'b'], { classes: 5 });
  expect(readingOf([1, 3, 2], [0, 0, 0], wide, { frameSeconds: 0.02 }).text).toBe('ab');
});

test('of tokens in GPT-2’s bytes those that are a part of a letter are put together, read and spelled', () => {
  const vocabulary = Vocabulary.from(['<blank>', 'Ġcaf', 'Ã', '©', 'Ġb']);
  const read = readingOf([1, 2, 3, 0, 4], [0, 0, 0, 0, 0], vocabulary, { frameSeconds: 1 });
  expect(read.text).toBe('café b');
  expect(read.words.map(({ text, start, end }) => [text, start, end])).toEqual([
    ['café', 0, 3],
    ['b', 4, 5],
  ]);
  expect([...tokenise('café', vocabulary).targets]).toEqual([1, 2, 3]);
});
