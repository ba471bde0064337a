// Every function of webgpu-ctc/text, webgpu-ctc/files and webgpu-ctc/lm with everything that could be given by mistake.
import { describe, expect, test } from 'vitest';
import * as files from '../src/entries/files.js';
import { NGram } from '../src/entries/lm.js';
import * as text from '../src/entries/text.js';

const { Vocabulary } = text;
const vocabulary = Vocabulary.from(['-', '|', 'a', 'b']);
const timing = { frameSeconds: 0.02, offsetSeconds: 1 };
const path = { labels: [2, 0, 3], scores: [-0.1, -0.2, -0.3] };
const words = [{ text: 'a', start: 0, end: 1, confidence: 0.5, aligned: true }];
const tensor = { name: 'a.npy', dtype: '<f4', data: new Float32Array(6).fill(1), shape: [2, 3] };

const unigrams = '\\data\\\nngram 1=3\n\n\\1-grams:\n-1\t<s>\n-1\t</s>\n-1\ta\n\n\\end\\\n';
const model = await NGram.read(unigrams);

/** Of each function: how it is called rightly, under the names of its arguments. */
const calls: Record<string, [call: (...given: never[]) => unknown, given: Record<string, unknown>]> = {
  tokenise: [
    text.tokenise,
    { text: 'a b', vocabulary, options: { star: '*', freeStart: true, freeEnd: true } },
  ],
  wordsOf: [text.wordsOf, { transcript: text.tokenise('ab', vocabulary), path, options: timing }],
  readingOf: [text.readingOf, { ...path, vocabulary, options: timing }],
  segmentsOf: [text.segmentsOf, { words, options: { pauseSeconds: 1 } }],
  mergeTokens: [text.mergeTokens, { ...path, blank: 0 }],
  'Vocabulary.from': [Vocabulary.from, { vocabulary: { '<pad>': 0, a: 1 }, options: { blank: 0 } }],
  'Vocabulary.from of a list': [Vocabulary.from, { vocabulary: ['<pad>', 'a'], options: { classes: 3 } }],
  spell: [(word: string) => vocabulary.spell(word), { word: 'ab' }],
  read: [(label: number) => vocabulary.read(label), { label: 2 }],
  token: [(label: number) => vocabulary.token(label), { label: 2 }],
  emissionsOf: [files.emissionsOf, { tensor, options: { kind: 'logits', layout: 'TC' } }],
  scoreKindOf: [files.scoreKindOf, { data: new Float32Array(6), classes: 3 }],
  writeNpy: [files.writeNpy, { data: new Float32Array(6), shape: [2, 3] }],
  readTensors: [files.readTensors, { bytes: files.writeNpy(new Float32Array(2), [2]), fileName: 'a.npy' }],
  readTensor: [
    files.readTensor,
    {
      bytes: files.writeNpy(new Float32Array(2), [2]),
      fileName: 'a.npy',
      key: 'a.npy',
      options: { unpackedBytes: 100 },
    },
  ],
  'NGram.read': [NGram.read, { source: unigrams }],
  'score of a model': [
    (words: string[], options: object) => model.score(words, options),
    { words: ['a', 'b'], options: { begin: true, end: false } },
  ],
  ...Object.fromEntries(
    files.timedTextFormats.map((format) => [
      `writeTimedText of .${format}`,
      [
        files.writeTimedText,
        {
          fileName: `a.${format}`,
          words,
          options: { split: 'word', duration: 2, characters: words, name: 'a', channel: '1' },
        },
      ],
    ]),
  ),
};

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
}
const cyclicList: unknown[] = [];
cyclicList.push(cyclicList);
const cyclicObject: Record<string, unknown> = {};
cyclicObject.a = cyclicObject;

const odd: [what: string, value: unknown][] = [
  ...[undefined, null, true, 0, -1, 1.5, 1e308, 2 ** 40, NaN, Infinity, '', 'x', '* *'].map(
    (value): [string, unknown] => [JSON.stringify(value) ?? String(value), value],
  ),
  ['a bigint', 1n],
  ['a symbol', Symbol('s')],
  ['a function', () => 0],
  ['an empty list', []],
  ['a list of nothing', [undefined]],
  ['a list of null', [null, null, null]],
  ['a list of NaN', [NaN, NaN, NaN]],
  ['a list of symbols', [Symbol('s'), Symbol('s'), Symbol('s')]],
  ['a list with holes', new Array(3)],
  ['a list of lists', [[2], [0], [3]]],
  ['an object', {}],
  ['an object without prototype', Object.create(null)],
  ['a map', new Map([['a', 1]])],
  ['a date', new Date(0)],
  ['an error', new Error('no')],
  ['what looks like a list', { length: 3, 0: 2, 1: 0, 2: 3 }],
  ['an object of objects', { a: { b: 1 } }],
  ['an ArrayBuffer', new ArrayBuffer(8)],
  ['a DataView', new DataView(new ArrayBuffer(8))],
  ['bytes', new Uint8Array(3)],
  ['bigints', new BigInt64Array(3)],
  ['doubles', new Float64Array(6)],
  ['a proxied list', new Proxy([2, 0, 3], {})],
  ['a proxied object', new Proxy({}, {})],
  ['proxied floats', new Proxy(new Float32Array(6), {})],
  ['a list that holds itself', cyclicList],
  ['an object that holds itself', cyclicObject],
  ['a deep list', nested(100_000, (inner) => [inner])],
  ['a deep object', nested(100_000, (a) => ({ a }))],
  ['a long text', 'x'.repeat(1e5)],
];

type Way = [name: string, what: string, value: unknown, odd: unknown];

/** A value, each time with something odd in its place, or in one place of it. */
function* spoiltWays(value: unknown, name: string): Generator<Way> {
  for (const [what, other] of odd) yield [name, what, other, other];
  if (typeof value !== 'object' || value === null || value instanceof Vocabulary) return;
  if (ArrayBuffer.isView(value)) return;
  for (const [key, inner] of Object.entries(value).slice(0, 8)) {
    const place = Array.isArray(value) ? `${name}[${key}]` : `${name}.${key}`;
    for (const [where, what, other, spoilt] of spoiltWays(inner, place)) {
      const copy = Array.isArray(value) ? [...value] : { ...value };
      Reflect.set(copy, key, other);
      yield [where, what, copy, spoilt];
    }
  }
}

const textOf = (value: unknown) => (/^(string|number)$/.test(typeof value) ? String(value) : '');

/** What an engine says of a mistake that nobody looked for. */
const unforeseen =
  /Cannot |is not (a function|iterable|an object)|call stack|undefined \(|Invalid (array|typed|time)|incompatible|requires|Receiver/;

describe.each(Object.entries(calls))('%s', (_, [call, given]) => {
  const names = Object.keys(given);

  test('takes what is right', async () => {
    await call(...(Object.values(given) as never[]));
  });

  test.each(names)('a wrong %s is named, with what was expected', async (name) => {
    const wrong: unknown[] = [];
    for (const [where, what, value, spoilt] of spoiltWays(given[name], name)) {
      try {
        await call(...(Object.values({ ...given, [name]: value }) as never[]));
      } catch (error) {
        const { message } = error as Error;
        // a field is called as it is where it belongs: `frameSeconds` is enough for that of the options. A file is
        // called by its name, and where two arguments do not fit each other, one is called and the other shown
        const fields = Object.keys(Object(given[name])).filter((key) => Number.isNaN(Number(key)));
        const parts = [...where.split(/[.[\]]+/), ...fields, textOf(spoilt), textOf(given.fileName)].filter(
          (part) => part !== '',
        );
        const named = parts.some((part) => message.includes(part));
        const isOurs = error instanceof TypeError || error instanceof RangeError;
        const isPlain = /: .*expected|expected .* got/s.test(message) && !unforeseen.test(message);
        if (!isOurs || !named || !isPlain || message.replaceAll('x'.repeat(1e5), '').length > 400)
          wrong.push(`${where}, ${what}: ${message.slice(0, 200)}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
