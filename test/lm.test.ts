// n-gram models: ARPA files of people, KenLM's scores, a direct implementation of back-off, and files that are damaged.
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { CtcBeamDecoder, NGram } from '../src/entries/lm.js';

const fixture = (name: string) => readFileSync(`fixtures/${name}`);
const json = (name: string) => JSON.parse(fixture(name).toString());

type WordScore = [log10: number, order: number, unknown: boolean];
const scoresOf = (model: NGram, words: string | readonly string[]) =>
  model.score(words).words.map(({ log10, order, unknown }): WordScore => [log10, order, unknown]);
const near = (scores: readonly WordScore[]) =>
  scores.map(([log10, order, unknown]) => [expect.closeTo(log10, 5), order, unknown]);

describe('ARPA files as people have them', () => {
  const cases = readdirSync('fixtures/pitfalls/cases').filter((name) => name.startsWith('arpa_'));

  test('there are some', () => expect(cases.length).toBeGreaterThan(10));

  test.each(cases)('%s', async (name) => {
    const { file, reader, sentences } = json(`pitfalls/cases/${name}`);
    const reading = NGram.read(fixture(`pitfalls/cases/${file}`));
    if (reader === 'reject') {
      await expect(reading).rejects.toThrow(/^source: line \d+: expected .*, got /);
      return;
    }
    const model = await reading;
    if (reader === 'warn') expect(model.warnings).toEqual([expect.stringMatching(/^line \d+: /)]);
    else expect(model.warnings.filter((text) => !text.includes('no <unk>'))).toEqual([]);
    expect(model.warnings.some((text) => text.includes('no <unk>'))).toBe(name === 'arpa_no_unk.json');
    expect(sentences.length).toBeGreaterThan(0);
    for (const { text, log10, perWord } of sentences) {
      expect(model.score(text).log10, text).toBeCloseTo(log10, 5);
      expect(scoresOf(model, text), text).toEqual(near(perWord));
    }
  });

  test('the count that is too high is told with its section and its line', async () => {
    const model = fixture('pitfalls/arpa/arpa_count_too_high.arpa');
    await expect(NGram.read(model)).rejects.toThrow(
      "source: line 25: expected 9 2-grams, as \\data\\ promises, got 7 before '\\3-grams:'",
    );
  });
});

describe("KenLM's scores", () => {
  test.each([
    ['lm', (text: string) => text],
    ['char', (text: string) => [...text].map((letter) => letter.replace(' ', '|'))],
  ] as const)('%s', async (name, unitsOf) => {
    const model = await NGram.read(fixture(`decode/${name}.arpa.gz`));
    for (const { text, words, total, open } of json(`decode/${name}_scores.json`)) {
      const units = unitsOf(text);
      // KenLM adds in float32
      expect(Math.abs(model.score(units).log10 - total), text).toBeLessThanOrEqual(1e-5);
      if (!words) continue;
      expect(scoresOf(model, units), text).toEqual(near(words));
      const bare = model.score(units, { begin: false, end: false });
      expect(Math.abs(bare.log10 - open), text).toBeLessThanOrEqual(1e-5);
    }
  });
});

/** n-grams as their words with a space between, with probability and back-off. */
type Listed = ReadonlyMap<string, readonly [log10: number, backoff: number | undefined]>;

/** Back-off as it is defined. */
function direct(listed: Listed, order: number, history: readonly string[], word: string): WordScore {
  const score = (context: readonly string[]): [log10: number, order: number] => {
    const found = listed.get([...context, word].join(' '));
    if (found) return [found[0], context.length + 1];
    const [log10, used] = score(context.slice(1));
    return [log10 + (listed.get(context.join(' '))?.[1] ?? 0), used];
  };
  return [...score(order > 1 ? history.slice(1 - order) : []), word === '<unk>'];
}

function directly(listed: Listed, order: number, words: readonly string[]): WordScore[] {
  const known = [...words, '</s>'].map((word) => (listed.has(word) ? word : '<unk>'));
  return known.map((word, i) => direct(listed, order, ['<s>', ...known.slice(0, i)], word));
}

interface Written {
  readonly space?: string;
  readonly lineEnd?: string;
  readonly before?: string;
}

function arpaOf(listed: Listed, order: number, { space = '\t', lineEnd = '\n', before = '' }: Written = {}) {
  const lengths = Array.from({ length: order }, (_, k) => k + 1);
  const ofLength = (length: number) => [...listed].filter(([words]) => words.split(' ').length === length);
  const lines = [
    '\\data\\',
    ...lengths.map((length) => `ngram ${length}=${ofLength(length).length}`),
    ...lengths.flatMap((length) => [
      ...['', `\\${length}-grams:`],
      ...ofLength(length).map(([words, numbers]) => {
        const [log10, backoff] = numbers;
        return [log10, words, ...(backoff === undefined || length === order ? [] : [backoff])].join(space);
      }),
    ]),
    ...['', '\\end\\', ''],
  ];
  return before + lines.join(lineEnd);
}

const letters = ['a', 'b', 'é', '日本'];
/** Any n-grams whatever, in any order: their contexts and suffixes need not be there. */
const models = fc
  .record({
    order: fc.integer({ min: 1, max: 5 }),
    grams: fc.uniqueArray(
      fc.array(fc.constantFrom('<s>', '</s>', '<unk>', ...letters), { minLength: 2, maxLength: 5 }),
      {
        maxLength: 40,
        selector: (words) => words.join(' '),
      },
    ),
    numbers: fc.array(
      fc.tuple(
        fc.integer({ min: -3e6, max: 0 }),
        fc.option(fc.integer({ min: -1e6, max: 3e5 }), { nil: undefined }),
      ),
      {
        minLength: 47,
        maxLength: 47,
      },
    ),
    unigrams: fc.shuffledSubarray(['<s>', '</s>', '<unk>', ...letters], { minLength: 7 }),
  })
  .map(({ order, grams, numbers, unigrams }) => {
    const all = [...unigrams.map((word) => [word]), ...grams.filter(({ length }) => length <= order)];
    const entry = (words: string[], i: number) => {
      const [log10, backoff] = numbers[i]!;
      return [words.join(' '), [log10 / 1e6, backoff === undefined ? undefined : backoff / 1e6]] as const;
    };
    return { order, listed: new Map(all.map(entry)) };
  });
const sentences = fc.array(fc.constantFrom('zz', ...letters), { maxLength: 12 });
const written = fc.record({
  space: fc.constantFrom('\t', ' ', ' \t '),
  lineEnd: fc.constantFrom('\n', '\r\n', ' \n\n'),
  before: fc.constantFrom('', '\ufeff', '\n\n', '# a comment\n', 'This model was made by hand.\n\n'),
});

/** In pieces of these sizes, again and again. */
function inPieces(bytes: Uint8Array, sizes: readonly number[]): ReadableStream<Uint8Array> {
  let [at, i] = [0, 0];
  return new ReadableStream({
    pull(controller) {
      const size = sizes[i++ % sizes.length]!;
      if (at < bytes.length) controller.enqueue(bytes.subarray(at, at + size));
      else controller.close();
      at += size;
    },
  });
}
const sizes = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 });

describe('any model, whatever is missing in it', () => {
  test('scores as back-off is defined, and the compact file says the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        models,
        written,
        sizes,
        fc.array(sentences, { minLength: 3, maxLength: 3 }),
        async ({ order, listed }, how, pieces, texts) => {
          const bytes = new TextEncoder().encode(arpaOf(listed, order, how));
          const model = await NGram.read(inPieces(bytes, pieces));
          expect(model.order).toBe(order);
          expect(model.counts.reduce((a, b) => a + b)).toBe(listed.size);
          const again = await NGram.read(inPieces(gzipSync(model.write()), pieces));
          expect(again.tables).toEqual(model.tables);
          expect(again.counts).toEqual(model.counts);
          for (const words of texts) {
            expect(scoresOf(model, words)).toEqual(near(directly(listed, order, words)));
            expect(again.score(words)).toEqual(model.score(words));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('its tables are an automaton as they say', async () => {
    await fc.assert(
      fc.asyncProperty(models, async ({ order, listed }) => {
        const { tables } = await NGram.read(arpaOf(listed, order));
        const { arcStart, arcWord, arcNext, failTo, wordEnds, stateStart } = tables;
        const states = failTo.length;
        expect([...arcWord.subarray(0, arcStart[1])]).toEqual([...wordEnds.keys()]);
        expect(arcStart.length).toBe(states + 1);
        expect(arcStart[states]).toBe(arcWord.length);
        for (let state = 0; state < states; state++) {
          const words = arcWord.subarray(arcStart[state], arcStart[state + 1]);
          expect([...words]).toEqual([...new Set(words)].sort((a, b) => a - b));
          if (state > 0) expect(failTo[state]).toBeLessThan(state);
        }
        for (const next of arcNext) expect(next).toBeLessThan(states);
        expect(stateStart[0]).toBe(0);
        const contexts = [...listed]
          .filter(([, [, backoff]]) => backoff)
          .map(([words]) => words.split(' ').length);
        for (let length = 1; length < order; length++)
          if (contexts.includes(length))
            expect(stateStart[length + 1] ?? states).toBeGreaterThan(stateStart[length]!);
      }),
      { numRuns: 50 },
    );
  });
});

const small = new Map<string, [number, number | undefined]>([
  ...[
    ['<unk>', [-1, undefined]],
    ['<s>', [-99, -0.5]],
    ['</s>', [-1, undefined]],
    ['a', [-0.5, -0.25]],
    ['b', [-0.75, undefined]],
  ],
  ...[
    ['<s> a', [-0.25, undefined]],
    ['a b', [-0.125, undefined]],
  ],
] as [string, [number, number | undefined]][]);
const text = arpaOf(small, 2);
const withLine = (line: number, content: string | undefined) =>
  text
    .split('\n')
    .toSpliced(line - 1, 1, ...(content === undefined ? [] : [content]))
    .join('\n');

describe('what it is read from', () => {
  const bytes = new TextEncoder().encode(text);
  const { buffer } = bytes.slice();
  test.each<[string, () => Parameters<typeof NGram.read>[0]]>([
    ['text', () => text],
    ['bytes', () => bytes],
    ['bytes within others', () => new Uint8Array([1, 2, 3, ...bytes, 4]).subarray(3, -1)],
    ['an ArrayBuffer', () => buffer],
    ['a Blob', () => new Blob([bytes])],
    ['a File, packed', () => new File([gzipSync(bytes)], 'model.arpa')],
    ['the body of a response', () => new Response(bytes).body!],
    ['a stream, byte by byte, packed', () => inPieces(gzipSync(bytes), [1])],
    ['a stream with empty pieces', () => inPieces(bytes, [0, 7])],
  ])('%s', async (_, sourceOf) => {
    const model = await NGram.read(sourceOf());
    expect(model.score('a b').log10).toBeCloseTo(-0.25 - 0.125 - 1, 6);
    expect([model.order, model.counts, model.warnings]).toEqual([2, [5, 2], []]);
  });

  test('an error of the stream is what is thrown, and a stream that is not read to its end is let go', async () => {
    const broken = new Error('no network');
    const failing = (beginning: Uint8Array) =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          if (controller.desiredSize === 1) controller.enqueue(beginning);
          controller.error(broken);
        },
      });
    await expect(NGram.read(failing(bytes.subarray(0, 20)))).rejects.toBe(broken);
    await expect(NGram.read(failing(gzipSync(bytes).subarray(0, 20)))).rejects.toBe(broken);
    const cancel = vi.fn();
    const endless = new ReadableStream<Uint8Array>({
      pull: (it) => it.enqueue(new TextEncoder().encode('<p>\n')),
      cancel,
    });
    await expect(NGram.read(endless)).rejects.toThrow(
      "source: line 1: expected \\data\\, with which an ARPA file begins, got '<p>'",
    );
    expect(cancel).toHaveBeenCalledOnce();
    const taken = new Response(bytes).body!;
    taken.getReader();
    await expect(NGram.read(taken)).rejects.toThrow('source: expected a stream that nobody else reads');
    const strings = new ReadableStream({ pull: (it) => it.enqueue('\\data\\') });
    await expect(NGram.read(strings)).rejects.toThrow(
      "source: expected a stream whose chunks are Uint8Arrays, got '\\data\\'",
    );
  });

  test('words are those between spaces and line ends, or a list of any words', async () => {
    const model = await NGram.read(text);
    expect(model.score(' a\t b\r\n').words.map(({ word }) => word)).toEqual(['a', 'b', '</s>']);
    expect(model.score('a\u00a0b').unknown).toBe(1);
    expect(model.score(['a b', ''], { end: false })).toMatchObject({
      unknown: 2,
      words: [{ word: 'a b' }, { word: '' }],
    });
    expect(model.score('', { begin: false, end: false })).toEqual({ log10: 0, unknown: 0, words: [] });
  });
});

describe('a file that is wrong', () => {
  // biome-ignore format: a table, one mistake a line
  test.each<[what: string, content: string, message: string]>([
    ['empty', '', 'line 1: expected \\data\\, got the end of the file'],
    ['a page', '\n<!DOCTYPE html>\n<p>\n', "line 2: expected \\data\\, with which an ARPA file begins, got '<!DOCTYPE html>'"],
    ['one long line', 'x'.repeat(2 ** 20 + 1), 'line 1: expected a line of at most 1048576 bytes, got a longer one'],
    ['cut off in the counts', '\\data\\\nngram 1=3', 'line 3: expected \\1-grams:, got the end of the file'],
    ['cut off in a section', text.split('\n').slice(0, 8).join('\n'), 'line 9: expected \\end\\, got the end of the file'],
    ['without \\end\\', withLine(16, undefined), 'line 16: expected \\end\\, got the end of the file'],
    ['no counts', '\\data\\\n\\1-grams:', "line 2: expected ngram 1=COUNT, got '\\1-grams:'"],
    ['counts out of order', withLine(3, 'ngram 3=2'), "line 3: expected ngram 2=COUNT or \\1-grams:, got 'ngram 3=2'"],
    ['a count that is none', withLine(2, 'ngram 1=many'), "line 2: expected ngram 1=COUNT, got 'ngram 1=many'"],
    ['sections out of order', withLine(5, '\\2-grams:'), "line 5: expected \\1-grams:, got '\\2-grams:'"],
    ['a count too low', withLine(3, 'ngram 2=1'), "line 14: expected \\end\\ after 1 2-grams, as \\data\\ promises, got '-0.125\\ta b'"],
    ['a count too high', withLine(3, 'ngram 2=3'), "line 16: expected 3 2-grams, as \\data\\ promises, got 2 before '\\end\\'"],
    ['a huge count', withLine(3, 'ngram 2=4000000000'), "line 16: expected 4000000000 2-grams, as \\data\\ promises, got 2 before '\\end\\'"],
    ['a section less than is promised', withLine(3, 'ngram 2=2\nngram 3=1'), "line 17: expected \\3-grams:, got '\\end\\'"],
    ['NaN', withLine(9, 'nan\ta\t-0.5'), "line 9: expected a log10 probability, a word and perhaps a back-off, got 'nan\\ta\\t-0.5'"],
    ['a number with a comma', withLine(9, '-0,5\ta'), "line 9: expected a log10 probability, a word and perhaps a back-off, got '-0,5\\ta'"],
    ['a number too large', withLine(9, '-1e39\ta\t1e39'), "line 9: expected a log10 probability, a word and perhaps a back-off, got '-1e39\\ta\\t1e39'"],
    ['a back-off that is none', withLine(9, '-0.5\ta\tb'), "line 9: expected a log10 probability, a word and perhaps a back-off, got '-0.5\\ta\\tb'"],
    ['a positive probability', withLine(9, '0.5\ta'), "line 9: expected a log10 probability of at most 0, got '0.5'"],
    ['a probability alone', withLine(9, '-0.5'), "line 9: expected a log10 probability, a word and perhaps a back-off, got '-0.5'"],
    ['too few words', withLine(13, '-0.5\ta'), "line 13: expected a log10 probability, 2 words and perhaps a back-off, got '-0.5\\ta'"],
    ['too many words', withLine(13, '-0.5\ta b a -1'), "line 13: expected a log10 probability, 2 words and perhaps a back-off, got '-0.5\\ta b a -1'"],
    ['a word that is no 1-gram', withLine(13, '-0.5\ta c'), "line 13: expected words that are among the 1-grams, got 'c'"],
    ['no </s>', withLine(8, '-1 c'), 'line 12: expected </s> among the 1-grams before it, got none'],
    ['no 1-grams', '\\data\\\nngram 1=0\n\\end\\', 'line 3: expected <s> among the 1-grams before it, got none'],
  ])('%s', async (_, content, message) => {
    await expect(NGram.read(content)).rejects.toThrow(new RangeError(`source: ${message.replaceAll('\\t', '\t')}`));
  });

  test('a word in Latin-1', async () => {
    const bytes = Buffer.from(withLine(10, '-0.75\t\xe9'), 'latin1');
    await expect(NGram.read(bytes)).rejects.toThrow(
      "source: line 10: expected a word in UTF-8, got '\ufffd'",
    );
  });

  test.each([
    ['an n-gram twice', withLine(14, '-0.5\t<s> a'), "line 14: '<s> a' is there twice; the first counts"],
    [
      'a word twice',
      withLine(8, '-1 </s>\n-0.5\ta\t-0.25').replace('1=5', '1=6'),
      "line 10: 'a' is there twice; the first counts",
    ],
    [
      '<UNK> beside <unk>',
      withLine(7, '-99 <s> -0.5\n-2\t<UNK>').replace('1=5', '1=6'),
      "line 8: '<UNK>' is there twice; the first counts",
    ],
    [
      'a back-off of the longest',
      withLine(13, '-0.25 <s> a -0.5'),
      'line 13: a back-off of a 2-gram, which nothing is longer than, is not used',
    ],
    ['something after the end', `${text}\nmore`, "line 18: 'more' behind \\end\\ is not read"],
  ])('%s is mended and told', async (_, content, warning) => {
    const model = await NGram.read(content.replace('<s> a\n\n', '<s> a\n'));
    expect(model.warnings.map((text) => text.replaceAll('\t', ' '))).toEqual([warning]);
    expect(model.score('a').log10).toBeCloseTo(-0.25 - 0.25 - 1, 6);
  });

  test('a probability of 0 stays one, as in KenLM, packed and unpacked', async () => {
    const model = await NGram.read(withLine(10, '-inf\tb'));
    expect(model.warnings).toEqual([]);
    for (const read of [model, await NGram.read(model.write())]) {
      expect(read.score('b').log10).toBe(Number.NEGATIVE_INFINITY);
      expect(read.score('a').log10).toBeCloseTo(-0.25 - 0.25 - 1, 6);
    }
    // and is read where there is nothing else
    const options = { device: 'cpu', tokens: ['<blank>', 'a', 'b'], lm: model, nbest: 3 } as const;
    const decoder = await CtcBeamDecoder.create({ ...options, weights: { alpha: 0.5, beta: 0 } });
    const only = { data: Float32Array.of(-9, -9, 9), shape: [1, 3] } as const;
    const { readings } = await decoder.run({ logits: only });
    expect(readings[0]!.map(({ text, lm }) => [text, lm])).toContainEqual(['b', Number.NEGATIVE_INFINITY]);
    expect(readings[0]![0]!.text).not.toBe('b');
  });

  test('of a thousand warnings twenty are kept, and the rest is counted', async () => {
    const { warnings } = await NGram.read(text + 'more\n'.repeat(1000));
    expect(warnings.length).toBe(21);
    expect(warnings.at(-1)).toBe('and 980 more');
  });

  test('whatever bytes are changed, a line is named or a model is read that scores', async () => {
    const original = new TextEncoder().encode(text);
    const change = fc.tuple(
      fc.nat(original.length - 1),
      fc.constantFrom(...new TextEncoder().encode('\t\n\r \\-.0159aens<>/=\0'), 0xff, 0xc3),
    );
    const seen = { models: 0, errors: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 2 }), async (changes) => {
        const bytes = original.slice();
        for (const [at, byte] of changes) bytes[at] = byte;
        const model = await NGram.read(bytes).catch((error: Error) => error);
        seen[model instanceof NGram ? 'models' : 'errors']++;
        if (model instanceof NGram) expect(model.score('a b').log10).toBeLessThanOrEqual(0);
        else
          expect(`${model.name}: ${model.message}`).toMatch(
            /^RangeError: source: line \d+: expected .*, got /,
          );
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.models, seen.errors)).toBeGreaterThan(3);
  });

  test('gzip that is cut off or damaged', async () => {
    const packed = gzipSync(text);
    for (const length of [3, 12, packed.length - 9, packed.length - 1])
      await expect(NGram.read(packed.subarray(0, length)), String(length)).rejects.toThrow(
        /^source: line \d+: expected gzip data, got some that does not unpack beyond byte \d+: /,
      );
    const damaged = packed.slice();
    damaged[packed.length - 6]! ^= 1; // its checksum
    await expect(NGram.read(damaged)).rejects.toThrow(/^source: line \d+: expected gzip data, got /);
  });

  test('a compact file that is cut off anywhere, or has any bit changed', async () => {
    const file = (await NGram.read(text)).write();
    for (let length = 0; length < file.length; length++)
      await expect(NGram.read(file.subarray(0, length)), String(length)).rejects.toThrow(
        /^source: (compact model|line 1): expected .*, got /,
      );
    await expect(NGram.read(new Uint8Array([...file, 0, 0, 0, 0]))).rejects.toThrow(/bytes, got/);
    for (let bit = 0; bit < 8 * file.length; bit++) {
      const damaged = file.slice();
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      await expect(NGram.read(damaged), String(bit)).rejects.toThrow(
        /^source: (compact model|line 1): expected .*, got /,
      );
    }
    const newer = file.slice();
    newer[7] = 0x32;
    await expect(NGram.read(newer)).rejects.toThrow("source: compact model: expected version 1, got '2'");
  });

  test.each([
    ['an arc that leads out of the states', 'arcNext', 3, 3],
    ['an arc of no word', 'arcWord', 6, 5],
    ['words out of order', 'arcWord', 1, 2],
    ['arcs that end before they begin', 'arcStart', 2, 4],
    ['too few arcs', 'arcStart', 3, 6],
    ['a state that fails to itself', 'failTo', 2, 2],
    ['a word that ends before it begins', 'wordEnds', 2, 7],
    ['more letters than there are', 'wordEnds', 4, 15],
    ['states of one word from the second on', 'stateStart', 0, 1],
  ] as const)('a compact file whose checksum is right, with %s', async (_, table, place, value) => {
    const model = await NGram.read(text);
    model.tables[table][place] = value;
    await expect(NGram.read(model.write())).rejects.toThrow(
      'compact model: expected tables that fit each other',
    );
  });
});

describe('a large model', () => {
  /** The whole of it has 2 million n-grams. */
  const part = process.env.WEBGPU_CTC_WHOLE ? 1 : 1 / 20;
  const perOrder = Math.round(500_000 * part);

  /** Each bigram goes on to one n-gram of each length, in an order that leaps about. */
  function* lines(): Generator<string> {
    const words = perOrder / 25;
    const word = (i: number) => ` w${i % words}`;
    const lengths = [2, 3, 4, 5];
    yield `\\data\\\nngram 1=${words + 3}\n${lengths.map((length) => `ngram ${length}=${perOrder}\n`).join('')}`;
    yield '\n\\1-grams:\n-2.5\t<unk>\n-99\t<s>\t-0.5\n-1.5\t</s>\n';
    for (let i = 0; i < words; i++) yield `-${1 + i / words}\t${word(i).trim()}\t-0.25\n`;
    for (const length of lengths) {
      yield `\n\\${length}-grams:\n`;
      for (let k = 0; k < perOrder; k++) {
        const i = (k * 7919) % perOrder;
        const more = lengths.slice(1, length - 1).map((longer) => word(13 * i + longer));
        const last = length < 5 ? '\t-0.125' : '';
        yield `-${(i % 4999) / 1000}\t${word(Math.floor(i / 25)).trim()}${word(i * 7)}${more.join('')}${last}\n`;
      }
    }
    yield '\n\\end\\\n';
  }

  /** A stream that is written while it is read. */
  function stream(): { source: ReadableStream<Uint8Array>; written: () => number } {
    const made = lines();
    let written = 0;
    const source = new ReadableStream<Uint8Array>({
      pull(controller) {
        let chunk = '';
        while (chunk.length < 60_000) {
          const { done, value } = made.next();
          if (done) break;
          chunk += value;
        }
        written += chunk.length;
        if (chunk === '') controller.close();
        else controller.enqueue(new TextEncoder().encode(chunk));
      },
    });
    return { source, written: () => written };
  }

  test('takes no more than eight times its size in memory, and lets others have their turn', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    // what earlier tests have left is freed a turn later
    used();
    await new Promise((resolve) => setImmediate(resolve));
    const before = used();
    let [most, turns, ended] = [0, 0, false];
    // every pause is taken for one that is due
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 20));
    const look = () => {
      if (ended) return;
      if (turns++ % 4 === 0) most = Math.max(most, used() - before);
      setImmediate(look);
    };
    setImmediate(look);
    const { source, written } = stream();
    const model = await NGram.read(source).finally(() => {
      ended = true;
      clock.mockRestore();
    });
    most = Math.max(most, used() - before);
    expect(model.counts.slice(1)).toEqual(Array(4).fill(perOrder));
    expect(model.warnings).toEqual([]);
    const pieces = written() / 65_536;
    expect(turns).toBeGreaterThan(pieces);
    console.log(
      `${(written() / 1e6).toFixed(1)} MB of ARPA take ${(most / 1e6).toFixed(1)} MB at most, ${turns} turns`,
    );
    expect(most).toBeGreaterThan(model.bytes);
    expect(most / written()).toBeLessThan(8);
  });
});
