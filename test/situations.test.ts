// Situations of people who align and read with the models of others: a recogniser that is sure of one class a frame, so that what is
// right is known by construction.
import { Tokenizer } from '@huggingface/tokenizers';
import { toCardinal as inGerman } from 'n2words/de-DE';
import { toCardinal as inEnglish } from 'n2words/en-US';
import { describe, expect, test } from 'vitest';
import { CtcAligner, CtcDecoder } from 'webgpu-ctc/node';
import {
  readingOf,
  type TimedWord,
  type TokeniseOptions,
  tokenise,
  Vocabulary,
  wordsOf,
} from '../src/entries/text.js';
import { sharedDevice } from './device.js';
import { cli, json, workshop } from './program.js';

const gpu = await sharedDevice();
const shop = workshop('situations');

/** Log-probabilities, [T, C]: the class that is said has `p`, the others share the rest. */
function said(labels: readonly number[], classes: number, p = 0.9): Float32Array<ArrayBuffer> {
  const data = new Float32Array(labels.length * classes).fill(Math.log((1 - p) / (classes - 1)));
  labels.forEach((label, t) => {
    data[t * classes + label] = Math.log(p);
  });
  return data;
}

type Said = string | readonly [token: string, frames: number];

/** The classes of tokens, some for several frames. */
const framesOf = (tokens: readonly string[], list: readonly Said[]) =>
  list.flatMap((one) => {
    const [token, count] = typeof one === 'string' ? [one, 1] : one;
    expect(tokens).toContain(token);
    return Array<number>(count).fill(tokens.indexOf(token));
  });

const letters = [...'abcdefghijklmnopqrstuvwxyz'];
const list = ['<pad>', '<s>', '</s>', '<unk>', '|', ...letters, "'"];
const classes = list.length;
const listed = Object.fromEntries(list.map((token, label) => [token, label]));
const vocabulary = Vocabulary.from(listed);

const told = (words: readonly TimedWord[]) =>
  words.map(({ text, start, end }) => `${text} ${start.toFixed(2)}-${end.toFixed(2)}`).join(', ');
const sure = (words: readonly TimedWord[]) => words.map(({ confidence }) => Number(confidence.toFixed(2)));

const frameSeconds = 0.02;

/** The words of a text in log-probabilities: the same on the GPU and on the CPU. */
async function aligned(
  of: Vocabulary,
  text: string,
  logProbs: Float32Array<ArrayBuffer>,
  options?: TokeniseOptions,
) {
  const shape = [logProbs.length / of.size, of.size] as const;
  const transcript = tokenise(text, of, options);
  const both = await Promise.all(
    [gpu.device, 'cpu' as const].map(async (device) => {
      const aligner = await CtcAligner.create({ device, blank: of.blank });
      const path = await aligner.run({ logProbs: { data: logProbs, shape }, targets: transcript.targets });
      aligner.destroy();
      return wordsOf(transcript, path, { frameSeconds });
    }),
  );
  expect(told(both[0]!.words)).toBe(told(both[1]!.words));
  return { ...both[1]!, transcript };
}

async function read(of: Vocabulary, logProbs: Float32Array<ArrayBuffer>) {
  const decoder = await CtcDecoder.create({ device: 'cpu', blank: of.blank });
  const shape = [logProbs.length / of.size, of.size] as const;
  const { labels, scores } = await decoder.run({ logProbs: { data: logProbs, shape } });
  return readingOf(labels, scores, of, { frameSeconds });
}

/** A command with what it answers, or what it says is wrong. */
async function run(
  ...args: string[]
): Promise<{ code: number | null; words?: TimedWord[]; text?: string; error?: string }> {
  const { code, stdout } = await cli([...args, '--device', 'cpu', '--json']);
  const [{ result, error }] = json(stdout).slice(-1) as [{ result?: object; error?: string }];
  return { code, ...result, ...(error !== undefined && { error }) };
}

const catSat: readonly Said[] = [
  ...([['<pad>', 3], 'c', 'c', '<pad>', 'a', 'a', '<pad>', 't', ['<pad>', 2]] as const),
  ...([['|', 2], '<pad>', 's', '<pad>', 'a', '<pad>', 't', ['<pad>', 5]] as const),
];
const cat = framesOf(list, catSat);
const catScores = said(cat, classes);
const right = 'cat 0.06-0.20, sat 0.30-0.40';

const file = {
  get cat() {
    return shop.npy('cat.npy', [cat.length, classes], catScores);
  },
  get vocab() {
    return shop.write('vocab.json', listed);
  },
};
const align = (emissions: string, vocab: string, ...more: string[]) =>
  run('align', emissions, '--vocab', vocab, '--text', 'cat sat', ...more);

describe('emissions', () => {
  test.each([
    ['zeros', 0],
    ['−Infinity', Number.NEGATIVE_INFINITY],
    ['one value', -3.5],
    ['each class its share', Math.log(1 / classes)],
  ])('rows of %s at the end are padding', async (_, value) => {
    // an unsure last letter, which could go into the padding
    const scores = catScores.slice();
    const row = scores.subarray((cat.length - 6) * classes, (cat.length - 5) * classes);
    row.fill(Math.log(0.05 / (classes - 2)));
    row[listed.t!] = Math.log(0.4);
    row[0] = Math.log(0.55);
    const padded = new Float32Array((cat.length + 50) * classes).fill(value);
    padded.set(scores);
    const { words } = await align(shop.npy('pad.npy', [cat.length + 50, classes], padded), file.vocab);
    expect(told(words!)).toBe(right);
  });

  test('swapped axes are refused with the way out, which reads them', async () => {
    const labels = [...cat, ...Array<number>(40).fill(0)];
    const [scores, T] = [said(labels, classes), labels.length];
    const turned = new Float32Array(scores.length);
    for (let t = 0; t < T; t++)
      for (let c = 0; c < classes; c++) turned[c * T + t] = scores[t * classes + c]!;
    const swapped = shop.npy('ct.npy', [classes, T], turned);
    const refused = await run('decode', swapped, '--vocab', file.vocab);
    expect(refused).toMatchObject({
      code: 2,
      error: expect.stringMatching(/axes swapped\? --layout CT or NCT reads them so/),
    });
    expect((await run('decode', swapped, '--vocab', file.vocab, '--layout', 'CT')).text).toBe('cat sat');
    const batch = shop.npy('nct.npy', [1, classes, T], turned);
    expect((await run('decode', batch, '--vocab', file.vocab)).code).toBe(2);
    expect((await run('decode', batch, '--vocab', file.vocab, '--layout', 'NCT')).text).toBe('cat sat');
  });

  test('log-probabilities with a star’s column, or with masked classes, are log-probabilities', async () => {
    const wide = classes + 1;
    const starred = new Float32Array(cat.length * wide);
    for (let t = 0; t < cat.length; t++)
      starred.set(catScores.subarray(t * classes, (t + 1) * classes), t * wide);
    const vocab = shop.write('star.json', { ...listed, '*': classes });
    const { words } = await align(shop.npy('star.npy', [cat.length, wide], starred), vocab);
    expect([told(words!), sure(words!)]).toEqual([right, [0.9, 0.9]]);
    for (const mask of [Number.NEGATIVE_INFINITY, -1e9]) {
      const masked = catScores.map((score) => (score < -3 ? mask : score));
      const { words } = await align(shop.npy('masked.npy', [cat.length, classes], masked), file.vocab);
      expect([told(words!), sure(words!)]).toEqual([right, [0.9, 0.9]]);
    }
  });

  test('logits with swapped axes, of a model with more classes than tokens', async () => {
    const [rows, T] = [classes + 2, 120];
    const logits = Float32Array.from({ length: rows * T }, (_, i) => 4 * Math.sin(i * i));
    const swapped = shop.npy('cl.npy', [rows, T], logits);
    expect(await run('decode', swapped, '--vocab', file.vocab)).toMatchObject({
      code: 2,
      error: expect.stringMatching(
        /far more classes than the 32 tokens.*--layout CT or NCT reads them so; --layout TC takes them/,
      ),
    });
    for (const layout of ['CT', 'TC'])
      expect((await run('decode', swapped, '--vocab', file.vocab, '--layout', layout)).code).toBe(0);
  });

  test('probabilities of which some were cut are refused, unless it is said what they are', async () => {
    const probs = catScores.map(Math.exp).map((p) => (p > 0.01 ? p : 0));
    const cut = shop.npy('cut.npy', [cat.length, classes], probs);
    const { code, error } = await run('decode', cut, '--vocab', file.vocab);
    expect([code, error]).toEqual([
      2,
      expect.stringMatching(/some were cut; --input probs takes them for that, --input logits for logits$/),
    ]);
    for (const input of ['probs', 'logits'])
      expect((await run('decode', cut, '--vocab', file.vocab, '--input', input)).text).toBe('cat sat');
  });

  test('a star’s column is read by nobody; costs, and axes of one size that are swapped, are refused', async () => {
    const wide = classes + 1;
    const starred = new Float32Array(cat.length * wide);
    for (let t = 0; t < cat.length; t++)
      starred.set(catScores.subarray(t * classes, (t + 1) * classes), t * wide);
    const emissions = shop.npy('starred.npy', [cat.length, wide], starred);
    for (const vocab of [file.vocab, shop.write('starred.json', { ...listed, '*': classes })])
      expect((await run('decode', emissions, '--vocab', vocab)).text).toBe('cat sat');

    const costs = shop.npy(
      'costs.npy',
      [cat.length, classes],
      catScores.map((score) => -score),
    );
    expect((await align(costs, file.vocab)).error).toMatch(
      /got negative logarithms of probabilities; their negatives/,
    );

    const few = ['<pad>', 'a', 'b', 'c'];
    const square = said([1, 0, 2, 3], 4);
    const turned = square.map((_, i) => square[(i % 4) * 4 + Math.floor(i / 4)]!);
    // each class is said at its own place, so that columns add up and rows do not
    turned.set([Math.log(0.5), Math.log(0.4), Math.log(0.9), Math.log(0.9)], 0);
    for (let c = 0; c < 4; c++) {
      const sum = [1, 2, 3].reduce((all, t) => all + Math.exp(turned[4 * t + c]!), 0);
      for (const t of [1, 2, 3]) turned[4 * t + c]! += Math.log((1 - Math.exp(turned[c]!)) / sum);
    }
    const vocab = shop.write('few.json', few);
    const { error } = await run('decode', shop.npy('square.npy', [4, 4], turned), '--vocab', vocab);
    expect(error).toMatch(/columns are normalised and whose rows are not: are the axes swapped/);
  });

  test('NaN beyond the frames of the recording is not read', async () => {
    const padded = new Float32Array((cat.length + 3) * classes).fill(Number.NaN);
    padded.set(catScores);
    const emissions = shop.npy('nan.npy', [cat.length + 3, classes], padded);
    expect((await align(emissions, file.vocab)).error).toMatch(/if it is padding, --length says/);
    expect(told((await align(emissions, file.vocab, '--length', String(cat.length))).words!)).toBe(right);
  });

  test('one of a batch, and its frames', async () => {
    const two = new Float32Array(2 * catScores.length);
    two.set(catScores, catScores.length);
    const batch = shop.npy('two.npy', [2, cat.length, classes], two);
    const { error } = await align(batch, file.vocab);
    expect(error).toMatch(/--item N takes one of a batch/);
    const { words } = await align(batch, file.vocab, '--item', '1', '--length', String(cat.length));
    expect(told(words!)).toBe(right);
    // of many frames and few sequences nobody knows which is which
    const many = shop.npy(
      'many.npy',
      [cat.length, 2, classes],
      new Float32Array(2 * catScores.length).fill(-1),
    );
    expect((await align(many, file.vocab, '--item', '1')).error).toMatch(/expected --layout NTC or TNC/);
  });
});

describe('vocabularies', () => {
  test('a blank that never wins, while a special token does, is told', async () => {
    const fairseq = ['<s>', '<pad>', '</s>', '<unk>', '|', ...letters, "'"];
    const vocab = shop.write(
      'fairseq.json',
      Object.fromEntries(fairseq.map((token, label) => [token, label])),
    );
    const { code, error } = await align(file.cat, vocab);
    expect([code, error]).toEqual([2, expect.stringMatching(/class 0 \(<s>\) is of \d+ of 25: --blank 0$/)]);
    expect(told((await align(file.cat, vocab, '--blank', '0')).words!)).toBe(right);
  });

  test('tokens past the model’s classes are harmless', async () => {
    const added = { ...listed, '<S>': classes, '</S>': classes + 1 };
    expect(told((await align(file.cat, shop.write('added.json', added))).words!)).toBe(right);
    const of = Vocabulary.from(added, { classes });
    expect(of.notes).toEqual(['<S>, </S>: past the last class, never used']);
    const { words } = await aligned(of, 'cat * sat', catScores, { star: '*' });
    expect(words[0]!.text).toBe('cat');
  });

  test('symbols of a lexicon are no classes; a dictionary of another model is refused, whatever its blank', async () => {
    const symbols = { ...listed, '#0': classes, '#1': classes + 1 };
    expect(told((await align(file.cat, shop.write('lexicon.json', symbols))).words!)).toBe(right);
    const dictionary = Array.from('0123456789abcdefgh');
    for (const blank of ['first', 'last'] as const)
      for (const count of [16, 17, 18])
        expect(() => Vocabulary.from(dictionary, { blank, classes: count })).toThrow(RangeError);
    expect(() => Vocabulary.from(dictionary, { classes: 19 })).toThrow(/blank: 'first' or 'last'/);
  });

  test('the case of i is that of the language', () => {
    const spelled = (tokens: string, word: string, language?: string) => {
      const of = Vocabulary.from(['<pad>', ...tokens], { language });
      return of
        .spell(word)
        .map(({ label }) => of.token(label))
        .join('');
    };
    expect(spelled('IİY', 'iyi')).toBe('İYİ');
    expect(spelled('abcinı', 'IN')).toBe('ın');
    expect(spelled('abcinı', 'IN', 'en')).toBe('in');
    expect(spelled('abcin', 'IN', 'tr-TR')).toBe('in');
  });

  test.each<[name: string, content: string | object, more: string[]]>([
    ['nested.json', { eng: listed, deu: listed }, ['--language', 'eng']],
    ['tokens.txt', list.map((token, label) => `${token} ${label}`).join('\n'), []],
    ['dict.txt', list.join('\n'), []],
    ['spm.vocab', list.map((token, label) => `${token}\t${-label / 2}`).join('\n'), []],
    ['tokenizer.json', { version: '1.0', added_tokens: [], model: { vocab: listed } }, []],
    ['unigram.json', { model: { vocab: list.map((token) => [token, -1]) } }, []],
    ['utf16.txt', `\ufeff${list.join('\r\n')}`, []],
  ])('%s', async (name, content, more) => {
    const bytes = name.startsWith('utf16') ? Buffer.from(content as string, 'utf16le') : content;
    expect(told((await align(file.cat, shop.write(name, bytes), ...more)).words!)).toBe(right);
  });

  test('a blank is found where it is named, else its place is asked for', () => {
    for (const blank of ['<pad>', '[PAD]', '<blk>', '<blank>', '<BLANK>'])
      expect(Vocabulary.from(['a', blank]).blank).toBe(1);
    for (const blank of ['ε', '<eps>', '<ctc_blank>', 'blank', '[blank]', '[CTCblank]', '<EMP>'])
      expect(() => Vocabulary.from([blank, 'a'])).toThrow(/option blank/);
  });

  test('an English dictionary of PaddleOCR has a space, and its model another one', async () => {
    const dictionary = [...letters, ' '];
    const own = ['<blank>', ...dictionary, ' 2'];
    const labels = framesOf(own, [...'cat', ' 2', ...'sat', '<blank>']);
    const probs = said(labels, own.length).map(Math.exp);
    const of = Vocabulary.from(dictionary, { blank: 'first', classes: own.length });
    expect(of.notes.join()).toMatch(/second space is not listed/);
    expect(tokenise('cat sat', of).targets).toEqual(framesOf(own, [...'cat', ' 2', ...'sat']));
    const emissions = shop.npy('en.npy', [labels.length, own.length], probs);
    const dict = shop.write('en_dict.txt', dictionary.join('\n'));
    expect((await run('decode', emissions, '--vocab', dict, '--blank', 'first')).text).toBe('cat sat');
  });

  test('a blank that is listed at an end is not put there once more', () => {
    for (const named of ['<blank>', '<pad>', 'blank', '<eps>']) {
      const of = Vocabulary.from([named, 'a', 'b'], { blank: 'first', classes: 4 });
      expect([0, 1, 2, 3].map((label) => of.token(label))).toEqual([named, 'a', 'b', undefined]);
      expect([of.blank, of.size]).toEqual([0, 4]);
      expect(() => Vocabulary.from(['a', 'b', named], { blank: 'last', classes: 4 })).toThrow(
        /blank: 2 takes that one/,
      );
      expect(Vocabulary.from(['a', 'b', named], { blank: 'last', classes: 3 }).blank).toBe(2);
    }
    // what may be a letter, or a token of another kind, is one where the model has a class more
    for (const first of ['-', '_', '<unk>'])
      expect(Vocabulary.from([first, 'a'], { blank: 'first', classes: 3 }).token(1)).toBe(first);
    for (const delimiter of [0, 99])
      expect(() => Vocabulary.from(['<blank>', 'a', 'b'], { delimiter })).toThrow(
        `delimiter: expected a class from 0 to 2 other than the blank (0), got ${delimiter}`,
      );
  });

  test('as many frames as a list has tokens, whose model has a class or two more', async () => {
    const own = ['<blank>', ...letters];
    const labels = framesOf(own, [['<blank>', 20], ...'cat', ['<blank>', 3]]);
    expect(labels.length).toBe(letters.length);
    const emissions = shop.npy('square.npy', [labels.length, own.length], said(labels, own.length));
    const dict = shop.write('letters.txt', letters.join('\n'));
    expect((await run('decode', emissions, '--vocab', dict, '--blank', 'first')).text).toBe('cat');
  });

  test('a language that only the model knows by that name', async () => {
    const tokens = ['<pad>', ...'今天好'];
    const named = shop.write('mms.json', {
      'cmn-script_simplified': Object.fromEntries(tokens.map((token, i) => [token, i])),
      fra: { a: 0 },
    });
    const labels = framesOf(tokens, [...'今天好', '<pad>']);
    const emissions = shop.npy('mms.npy', [labels.length, tokens.length], said(labels, tokens.length));
    const read = await run('decode', emissions, '--vocab', named, '--language', 'cmn-script_simplified');
    expect(read.text).toBe('今天好');
  });

  test('NeMo’s last class; a dictionary without its blank; PaddleOCR’s without its space', async () => {
    const nemo = [' ', ...letters, "'"];
    const scores = said(
      framesOf(
        [...nemo, '<pad>'],
        catSat.map((one) => swap(one)),
      ),
      nemo.length + 1,
    );
    const emissions = shop.npy('nemo.npy', [cat.length, nemo.length + 1], scores);
    const vocab = shop.write('nemo.json', nemo);
    for (const blank of ['28', 'last'])
      expect(told((await align(emissions, vocab, '--blank', blank)).words!)).toBe(right);
    const { error } = await align(emissions, vocab);
    expect(error).toMatch(/blank/);

    const dictionary = ['a', 'b', 'c', 'd'];
    const labels = framesOf(['blank', ...dictionary], [['blank', 2], 'b', 'blank', 'a', 'blank', 'd']);
    const shifted = shop.npy('shifted.npy', [labels.length, 5], said(labels, 5));
    const dict = shop.write('dict4.json', dictionary);
    const wrong = await run('decode', shifted, '--vocab', dict, '--blank', '0');
    expect([wrong.code, wrong.error]).toEqual([
      2,
      expect.stringMatching(/5 classes.*got 4.*--blank first or last/),
    ]);
    expect((await run('decode', shifted, '--vocab', dict, '--blank', 'first')).text).toBe('bad');

    const withSpace = framesOf(['blank', ...dictionary, ' '], ['b', 'a', ' ', 'd', 'blank']);
    const ocr = shop.npy('ocr.npy', [withSpace.length, 6], said(withSpace, 6));
    expect((await run('decode', ocr, '--vocab', dict, '--blank', '0')).error).toMatch(/as PaddleOCR has it/);
    expect((await run('decode', ocr, '--vocab', dict, '--blank', 'first')).text).toBe('ba d');

    function swap(one: Said): Said {
      return typeof one === 'string' ? (one === '|' ? ' ' : one) : [one[0] === '|' ? ' ' : one[0], one[1]];
    }
  });

  test('where a space is listed the bar is a letter', async () => {
    const tokens = ['blank', ...'0123abc|', ' '];
    const of = Vocabulary.from(tokens, { blank: 0 });
    const scores = said(
      framesOf(tokens, ['a', 'blank', '|', 'blank', 'b', 'blank', ' ', 'c']),
      tokens.length,
    );
    expect((await read(of, scores)).text).toBe('a|b c');
    const { transcript } = await aligned(of, 'a|b c', scores);
    expect(transcript.targets.map((label) => tokens[label])).toEqual(['a', '|', 'b', ' ', 'c']);
  });

  test('bytes are one character', async () => {
    const tokens = ['<blank>', '<unk>', '▁', '北', '東', '<0xE7>', '<0x88>', '<0xBF>'];
    const of = Vocabulary.from(tokens);
    const scores = said(
      framesOf(tokens, ['▁', '北', '<blank>', '東', '<blank>', '<0xE7>', '<0x88>', '<0xBF>', '<blank>']),
      tokens.length,
    );
    expect((await read(of, scores)).text).toBe('北東爿');
    expect(told((await aligned(of, '北東爿', scores)).words)).toMatch(/^北東爿 0\.0[02]-0\.16$/);
  });
});

describe('the command line', () => {
  test('subtitles on stdout, in each way to write it', async () => {
    const args = [
      'align',
      file.cat,
      '--vocab',
      file.vocab,
      '--text',
      'cat sat',
      '--device',
      'cpu',
      '--quiet',
    ];
    const right = '1\n00:00:00,060 --> 00:00:00,400\ncat sat\n';
    for (const output of [['-o', '-.srt'], ['-o-.srt'], ['--output=-.srt'], ['--output', '-.srt']])
      expect(await cli([...args, ...output])).toEqual({ code: 0, stdout: right, stderr: '' });
    expect(await cli([...args, '-o=-.srt'])).toMatchObject({ code: 2, stdout: '' });
    expect(await cli([...args, '--text', 'cat'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^webgpu-ctc: --text: expected it once, got it twice/),
    });
  });
});

describe('texts', () => {
  test('what is written composed, and what in parts', async () => {
    const tokens = ['<pad>', '|', '\u09af', '\u09bc', '\u09df', '\u09be'];
    const scores = said(
      framesOf(tokens, [
        ['<pad>', 5],
        ['\u09be', 2],
        ['<pad>', 3],
        ['\u09df', 2],
        ['<pad>', 20],
      ]),
      tokens.length,
    );
    const { transcript, words } = await aligned(Vocabulary.from(tokens), '\u09be\u09df', scores);
    expect([transcript.targets, sure(words)]).toEqual([[5, 4], [0.9]]);
  });

  test('a number is what is heard in its place', async () => {
    const labels = framesOf(list, [
      ...([['<pad>', 3], 'h', 'e', 'l', '<pad>', 'l', 'o', ['<pad>', 2], '|', ['<pad>', 2]] as const),
      ...([...'twenty', ['<pad>', 2], '|', ['<pad>', 2], ...'world', ['<pad>', 4]] as const),
    ]);
    const scores = said(labels, classes, 0.85);
    labels.forEach((label, t) => {
      if (label === 0) return;
      for (let c = 0; c < classes; c++)
        if (c !== label) scores[t * classes + c] = Math.log(c === 0 ? 0.08 : 0.07 / (classes - 2));
    });
    const { words } = await aligned(vocabulary, 'hello 20 world', scores);
    expect(told(words)).toBe('hello 0.06-0.18, 20 0.28-0.40, world 0.50-0.60');
    expect(words.map(({ aligned }) => aligned)).toEqual([true, false, true]);
    // and with its reading it is aligned, under its own text
    const expand = (word: string) => (word === '20' ? ['twenty', 'two oh'] : []);
    const spelled = await aligned(vocabulary, 'hello 20 world', scores, { expand });
    expect(told(spelled.words)).toBe(told(words));
    expect(spelled.words.map(({ aligned }) => aligned)).toEqual([true, true, true]);
    expect(spelled.characters.map(({ text }) => text)).toEqual([...'hello', '20', ...'world']);
  });

  test('what nobody says has no time', async () => {
    const labels = framesOf(list, [
      ['<pad>', 3],
      ...'win',
      ['<pad>', 3],
      '|',
      ['<pad>', 3],
      ...'top',
      ['<pad>', 4],
    ]);
    const { words } = await aligned(vocabulary, 'Win™ top', said(labels, classes));
    expect([told(words), sure(words)]).toEqual(['Win™ 0.06-0.12, top 0.26-0.32', [0.9, 0.9]]);
  });

  test('tags are spoken as written, or heard', async () => {
    const labels = framesOf(list, [...'hi', '|', 'm', '<pad>', 'm', '|', ...'yo']);
    const { words } = await aligned(vocabulary, 'hi [loud laughter] yo', said(labels, classes), {
      tags: 'heard',
    });
    expect(told(words.filter(({ aligned }) => aligned === true))).toBe('hi 0.00-0.04, yo 0.14-0.18');
    expect(tokenise('[ah]', vocabulary).targets).toEqual([listed.a, listed.h]);
  });

  test('labels of any tokenizer', async () => {
    const words = [
      { text: 'Cat', labels: [listed.c!, listed.a!, listed.t!, listed['|']!] },
      { text: '—', labels: [] },
      { text: 'sat.', labels: [listed.s!, listed.a!, listed.t!] },
    ];
    const transcript = tokenise(words, vocabulary);
    const aligner = await CtcAligner.create({ device: 'cpu' });
    const logProbs = { data: catScores, shape: [cat.length, classes] as const };
    const path = await aligner.run({ logProbs, targets: transcript.targets });
    expect(told(wordsOf(transcript, path, { frameSeconds }).words)).toBe(
      'Cat 0.06-0.20, — 0.20-0.30, sat. 0.30-0.40',
    );
    expect(() => tokenise([{ text: 'a', labels: [99] }], vocabulary)).toThrow(
      /^text\[0\]\.labels\[0\]: expected an integer from 0 to 31/,
    );
  });

  test('a tokenizer.json: its tokenizer gives the pieces that the model was trained on', () => {
    const vocab = Object.fromEntries(
      ['<pad>', '<unk>', '▁', ...'helowrd', '▁h', 'll', 'he', '▁he', 'llo', '▁w', 'or'].map((token, i) => [
        token,
        i,
      ]),
    );
    const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
    const merges = ['▁ h', 'h e', '▁h e', 'l l', 'll o', '▁ w', 'o r'].map((pair) => pair.split(' '));
    const json = {
      version: '1.0',
      added_tokens: [{ id: 0, content: '<pad>', special: true }],
      ...{ normalizer: null, pre_tokenizer: metaspace, post_processor: null, decoder: metaspace },
      model: { type: 'BPE', unk_token: '<unk>', vocab, merges },
    };
    const tokenizer = new Tokenizer(json, {});
    const of = Vocabulary.from(json);
    const text = 'hello world  hello';
    const words = text.split(/\s+/).map((word) => ({
      text: word,
      labels: tokenizer.encode(word, { add_special_tokens: false }).ids,
    }));
    const theirs = tokenise(words, of);
    const ours = tokenise(text, of);
    const spelled = ({ targets }: typeof ours) =>
      targets
        .map((label) => of.read(label))
        .join('')
        .trim();
    expect(theirs.targets).toEqual([
      vocab['▁he'],
      vocab.llo,
      vocab['▁w'],
      vocab.or,
      vocab.l,
      vocab.d,
      vocab['▁he'],
      vocab.llo,
    ]);
    expect([spelled(theirs), spelled(ours)]).toEqual(['hello world hello', 'hello world hello']);
    expect(theirs.words).toEqual(ours.words);
  });

  test.each([
    ['en', inEnglish, 'of 20 cats', 'of|twenty|cats'],
    ['en', inEnglish, 'of 1984 cats', 'of|one|thousand|nine|hundred|eightyfour|cats'],
    ['de', inGerman, 'am 21. mai', 'am|21.|mai'],
    ['de', inGerman, 'nach 21 tagen', 'nach|einundzwanzig|tagen'],
  ] as const)('whole numbers in words, %s: %3$s', (_, toCardinal, text, spelled) => {
    const expand = (word: string) => (/^\d+$/.test(word) ? [toCardinal(Number(word))] : []);
    const { targets, words } = tokenise(text, vocabulary, { expand });
    expect(words).toEqual(text.split(' '));
    expect(targets.map((label) => (label === -2 ? '*' : list[label])).join('')).toBe(
      spelled.replace(/21\./, '*'),
    );
  });

  test('tokens that were added, in a file of their own', async () => {
    const vocab = shop.write('own.json', Object.fromEntries([...letters, '|'].map((token, i) => [token, i])));
    const added = shop.write('added_tokens.json', { '<s>': 27, '<pad>': 28 });
    const own = [...letters, '|', '<s>', '<pad>'];
    const labels = framesOf(own, [['<pad>', 3], ...'cat', ['<pad>', 3]]);
    const emissions = shop.npy('added.npy', [labels.length, own.length], said(labels, own.length));
    const with_ = (...args: string[]) => run('align', emissions, '--vocab', vocab, '--text', 'cat', ...args);
    expect((await with_()).code).toBe(2);
    const { words } = await with_('--added-tokens', added);
    expect(told(words!)).toBe('cat 0.06-0.12');
    for (const [content, message] of [
      ['null', /null\.json: expected \{ token: class \}/],
      ['5', /5\.json: expected \{ token: class \}/],
      ['{"a":27}', /'a' is class 27 there, and class 0 in/],
      ['{"<s>":0}', /class 0 is '<s>' there, and 'a' in/],
    ] as const) {
      const other = shop.write(`${content.length > 4 ? 'other' : content}.json`, content);
      const { code, error } = await with_('--added-tokens', other);
      expect([code, error]).toEqual([2, expect.stringMatching(message)]);
    }
    expect(await with_('--added-tokens', added, '--tier', 'words')).toMatchObject({
      code: 2,
      error: expect.stringContaining('expected a TextGrid with --tier words, got text'),
    });
    const { code, error } = await with_('--added-tokens', shop.write('list.json', ['<s>']));
    expect([code, error]).toEqual([2, expect.stringContaining('list.json: expected { token: class }')]);
  });

  test('files in UTF-8 and UTF-16, and no others', async () => {
    const labels = framesOf(list, [['<pad>', 3], ...'cafe', ['<pad>', 2], ['|', 2], ...'noir', ['<pad>', 3]]);
    const emissions = shop.npy('cafe.npy', [labels.length, classes], said(labels, classes));
    const with_ = (bytes: Uint8Array) =>
      run('align', emissions, '--vocab', file.vocab, '--text-file', shop.write('t.txt', bytes));
    for (const bytes of [
      Buffer.from('\ufeffcafé\r\nnoir\r\n'),
      Buffer.from('\ufeffcafé noir', 'utf16le'),
      Buffer.from('\ufeffcafé noir', 'utf16le').swap16(),
    ])
      expect((await with_(bytes)).text).toBe('café noir');
    const { code, error } = await with_(Buffer.from('café noir', 'latin1'));
    expect([code, error]).toEqual([2, expect.stringMatching(/got 0xe9 at byte 3$/)]);
  });
});
