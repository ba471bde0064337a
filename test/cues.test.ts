// Texts that come with their times: what is in the file is read, all of it, or the line is named.

import fc from 'fast-check';
import { type CaptionsFileFormat, parseText } from 'media-captions';
import { describe, expect, test } from 'vitest';
import { readTimedText, type TimedWord, writeTimedText } from '../src/entries/files.js';
import { formatOf } from '../src/files/formats.js';

const textsOf = (fileName: string, text: string, tier?: string) =>
  readTimedText(fileName, text, { tier }).map(({ text }) => text);

/** One after another, with letters of any script and no markup. */
const words = fc
  .array(
    fc.tuple(
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
      fc.integer({ min: 0, max: 3000 }),
      fc.integer({ min: 50, max: 9000 }),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((list) => {
    let now = 0;
    return list.map(([text, pause, length]) => {
      const start = now + pause;
      now = start + length;
      return { text: text.replace(/[<>{}&\\]/gu, 'x'), start: start / 1000, end: now / 1000 };
    });
  });

describe.each(['srt', 'vtt'] as const)('.%s', (format) => {
  const name = `x.${format}`;

  test('what was written is read, as another reader reads it', () =>
    fc.assert(
      fc.asyncProperty(words, async (list) => {
        const written = writeTimedText(name, list);
        const read = readTimedText(name, written);
        const { cues } = await parseText(written, { type: format as CaptionsFileFormat });
        const theirs = cues.map(({ startTime, endTime, text }) => ({ text, start: startTime, end: endTime }));
        const close = (cues: readonly TimedWord[]) =>
          cues.map(({ text, start, end }) => [text.trim(), Math.round(1000 * start), Math.round(1000 * end)]);
        expect(close(read)).toEqual(close(theirs));
        const spoken = list.map(({ text }) => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, '')).join('');
        expect(read.map(({ text }) => text.replace(/\s+/gu, '')).join('')).toBe(spoken);
      }),
    ));

  test('is known without its name', () => {
    const text = writeTimedText(name, [{ text: 'a', start: 1, end: 2 }]);
    for (const given of [text, `\ufeff${text.replaceAll('\n', '\r\n')}`])
      expect(formatOf(given)).toBe(format);
  });
});

test('SubRip as people have it: no number, hours of one digit, carriage returns, positions, formats, an empty line in a cue', () => {
  const text = [
    '\ufeff1',
    '0:00:01,000 --> 0:00:02,500 X1:40 X2:600',
    '<i>Hello</i> {\\an8}there,',
    '- <font color="red">you</font> & a <3 b < c',
    '',
    '',
    'a second paragraph',
    '',
    'a third one, which is no number',
    '00:00:03.0 --> 00:00:04.25',
    'no number',
    '3',
    '00:05,5-->00:06,5',
    'no empty line before it',
    '',
    '00:07,000 --> 00:06,000',
    'its end before its start',
  ].join('\r\n');
  expect(readTimedText('x.srt', text)).toEqual([
    {
      start: 1,
      end: 2.5,
      text: 'Hello there,\n- you & a <3 b < c\na second paragraph\na third one, which is no number',
    },
    { start: 3, end: 4.25, text: 'no number' },
    { start: 5.5, end: 6.5, text: 'no empty line before it' },
    { start: 7, end: 6, text: 'its end before its start' },
  ]);
});

test('WebVTT: header, notes, styles and names of cues are no text; speakers, classes and times in it are left out', () => {
  const text = [
    'WEBVTT - a title',
    'X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000',
    '',
    'STYLE',
    '::cue { color: red }',
    '',
    'NOTE',
    'not --> this',
    '',
    'the name of a cue',
    '01:00:01.000 --> 01:00:02.000 align:start',
    '<v Fred>Hi, <c.yellow>I am</c> &lt;Fred&gt; &amp; &#x41;&unknown;</v> <00:01.500>now',
    'second line',
    '',
    '00:03.000 --> 00:04.000',
    '',
  ].join('\n');
  expect(readTimedText('x.VTT', text)).toEqual([
    { start: 3601, end: 3602, text: 'Hi, I am <Fred> & A&unknown; now\nsecond line' },
  ]);
});

test('however long a line of marks is, it is read in a step a letter', () => {
  const marks = '<[{"'.repeat(200_000);
  expect(readTimedText('x.vtt', `WEBVTT\n\n00:01.000 --> 00:02.000\n${marks}`)).toHaveLength(1);
  expect(readTimedText('x.srt', `00:01,000 --> 00:02,000\n${marks}`)).toHaveLength(1);
  expect(() => readTimedText('x.TextGrid', `"ooTextFile" "TextGrid" 0 1 ${'['.repeat(200_000)}`)).toThrow(
    'its end',
  );
});

describe('what is broken is told or read, and nothing is lost', () => {
  const first = '1\n00:00:01,000 --> 00:00:02,000\n';
  test.each(['->', '—>', '→', '–>'])('times with %s between them are refused', (arrow) => {
    const text = `${first}A\n\n2\n00:00:03,000 ${arrow} 00:00:04,000\nB`;
    expect(() => textsOf('x.srt', text)).toThrow('line 6: expected times');
  });

  test.each([
    ['an empty line below the number', `${first}A\n\n2\n\n00:00:03,000 --> 00:00:04,000\nB`, ['A', 'B']],
    ['#2', `${first}A\n\n#2\n00:00:03,000 --> 00:00:04,000\nB`, ['A', 'B']],
    ['2.', `${first}A\n\n2.\n00:00:03,000 --> 00:00:04,000\nB`, ['A', 'B']],
    ['a mark that nobody sees', `${first}A\n\n\u200b2\n\u200e00:00:03,000 --> 00:00:04,000\nB`, ['A', 'B']],
    ['a number without a cue at the end', `${first}A\n\n2\n`, ['A']],
    ['a text that is a number', `${first}1999\n\n2\n00:00:03,000 --> 00:00:04,000\n2000`, ['1999', '2000']],
    [
      'a number that is text, without an empty line below it',
      '00:01,000 --> 00:02,000\n42\n00:03,000 --> 00:04,000\nB',
      ['42', 'B'],
    ],
    ['lines that end twice', `${first}A`.replaceAll('\n', '\r\r\n'), ['A']],
    ['a space in the times', `${first.replace(',', ', ')}A`, ['A']],
    ['an arrow in a text', `${first}A --> B`, ['A --> B']],
    [
      'signs that are no tags',
      `${first}a<b & c>d if e <b and f> g <i>h</i>`,
      ['a<b & c>d if e <b and f> g h'],
    ],
  ])('.srt: %s', (_, text, texts) => {
    expect(textsOf('x.srt', text)).toEqual(texts);
  });

  test.each([
    ['a cue below the header', 'WEBVTT\n00:01.000 --> 00:02.000\nHello', ['Hello']],
    ['a name like that of a block', 'WEBVTT\n\nSTYLE guide\n00:01.000 --> 00:02.000\nHello', ['Hello']],
    [
      'a number that is text, without an empty line below it',
      'WEBVTT\n\n00:01.000 --> 00:02.000\n42\n00:03.000 --> 00:04.000\nB',
      ['42', 'B'],
    ],
    ['a tag over two lines', 'WEBVTT\n\n00:01.000 --> 00:02.000\n<v Roger\nBingham>Hello', ['Hello']],
    [
      'references',
      'WEBVTT\n\n00:01.000 --> 00:02.000\n&constructor; &#0; &#xD800; &#x1F600;',
      ['&constructor; &#0; &#xD800; 😀'],
    ],
    [
      'captions that roll',
      'WEBVTT\n\n00:00.000 --> 00:02.000 align:start\n \nthe<00:00:00.500><c> cat</c>\n\n00:02.000 --> 00:02.010\nthe cat\n \n\n' +
        '00:02.010 --> 00:04.000\nthe cat\nsat<00:00:03.000><c> on</c>\n\n00:04.000 --> 00:04.010\nsat on\n \n',
      ['the cat', 'sat on'],
    ],
  ])('.vtt: %s', (_, text, texts) => {
    expect(textsOf('x.vtt', text)).toEqual(texts);
  });

  test.each([
    ['a quote that is not doubled', (grid: string) => grid.replace('"bye!"', '"she said "bye" to me"')],
    ['more intervals than announced', (grid: string) => grid.replace('\n3\n3\n0', '\n3\n2\n0')],
    ['fewer than none', (grid: string) => grid.replace('\n3\n3\n0', '\n3\n-1\n0')],
    ['another class', (grid: string) => grid.replace('IntervalTier', 'Foo')],
    ['another file', (grid: string) => grid.replace('ooTextFile', 'Collection')],
    ['more tiers than announced', (grid: string) => `${grid}\n"IntervalTier"\n"x"\n0\n3\n0`],
  ])('TextGrid: %s is refused', (_, change) => {
    const grid =
      '"ooTextFile"\n"TextGrid"\n0\n3\n<exists>\n1\n"IntervalTier"\n"Mary"\n0\n3\n3\n0\n1.5\n"a"\n1.5\n2\n""\n2\n3\n"bye!"';
    expect(textsOf('x.TextGrid', grid)).toEqual(['a', 'bye!']);
    expect(change(grid)).not.toBe(grid);
    expect(() => textsOf('x.TextGrid', change(grid))).toThrow(RangeError);
  });
});

test.each([
  [
    'x.srt',
    'Hello world\nno cue',
    "line 1: expected a cue: a line with its times, and its text below, got 'Hello world'",
  ],
  [
    'x.srt',
    '1\n00:00:x,000 --> 00:00:02,500\nhi',
    'line 2: expected times, such as 00:00:01,000 --> 00:00:02,500',
  ],
  ['x.vtt', '00:01.000 --> 00:02.000\nhi', "line 1: expected WEBVTT, got '00:01.000 --> 00:02.000'"],
  [
    'x.vtt',
    'WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n\nlost',
    "line 6: expected a cue: a line with its times, and its text below, got 'lost'",
  ],
  ['x.TextGrid', 'Hello', 'text: expected a TextGrid with "ooTextFile" first'],
  [
    'x.ctm',
    'a 1 0 1 b\na 1 one 1 c',
    "line 2: expected name, channel, start, duration and a word, got 'a 1 one 1 c'",
  ],
  ['x.ctm', 'a 1 0 1', "line 1: expected name, channel, start, duration and a word, got 'a 1 0 1'"],
  ['x.ctm', 'a 1 0 1 x\nb 1 0 1 y', "name: expected one of 'a', 'b', got undefined"],
  ['x.doc', '', 'x.doc: expected a file name that ends in one of'],
])('%s: %j is refused', (name, text, message) => {
  expect(() => readTimedText(name, text)).toThrow(message);
});

describe('CTM', () => {
  test('what was written is read, a word a line', () =>
    fc.assert(
      fc.property(words, (list) => {
        const written = writeTimedText('x.ctm', list);
        const spoken = list
          .map(({ text }) => text.replace(/[\p{Cc}\p{Zl}\p{Zp} ]+/gu, ' ').trim())
          .filter(Boolean)
          .map((text) => text.replace(/\s+/g, '_').replace(/^;;/, '_'));
        const read = readTimedText('x.ctm', written);
        expect(read.map(({ text }) => text)).toEqual(spoken);
        const cues = readTimedText('x.TextGrid', writeTimedText('x.TextGrid', list));
        read.forEach(({ start, end }, i) => {
          expect([start, end]).toEqual([cues[i]!.start, cues[i]!.end].map((x) => expect.closeTo(x, 6)));
        });
      }),
    ));

  test('as scorers have it: comments, tabs, channels, confidences, and a recording of several', () => {
    const text =
      '\ufeff;; made by hand\r\n\r\ntalk A .5\t0.25 Hello 0.99\r\n  talk A 0.75 1. you\nother B 0 1 no 1.0 lex\n';
    expect(readTimedText('x.ctm', text, { name: 'talk' })).toEqual([
      { text: 'Hello', start: 0.5, end: 0.75 },
      { text: 'you', start: 0.75, end: 1.75 },
    ]);
    expect(readTimedText('x.ctm', text, { name: 'other' })).toEqual([{ text: 'no', start: 0, end: 1 }]);
    expect(() => readTimedText('x.ctm', text, { name: 'none' })).toThrow(
      "name: expected one of 'talk', 'other', got 'none'",
    );
    expect(readTimedText('x.ctm', ';; nothing\n')).toEqual([]);
    expect(() => readTimedText('x.ctm', '', { name: 'a' })).toThrow('name: expected a CTM with words');
    expect(() => readTimedText('x.srt', '', { name: 'a' })).toThrow('only a CTM names its recordings');
    expect(() => readTimedText('x.ctm', '', { name: 1 as never })).toThrow(
      'name: expected the name of a recording',
    );
  });
});

describe('TextGrid', () => {
  const characters = [{ text: 'a "b"', start: 0, end: 0.25 }];

  test('what was written is read, tier by tier', () =>
    fc.assert(
      fc.property(words, (list) => {
        const grid = writeTimedText('x.TextGrid', list, { characters });
        const spoken = list
          .map(({ text }) => text.replace(/[\p{Cc}\p{Zl}\p{Zp} ]+/gu, ' ').trim())
          .filter(Boolean);
        expect(textsOf('x.TextGrid', grid)).toEqual(spoken);
        expect(readTimedText('x.TextGrid', grid, { tier: 'characters' })).toEqual(characters);
        expect(formatOf(grid)).toBe('TextGrid');
      }),
    ));

  const short = (...tiers: readonly string[]) =>
    [
      'File type = "ooTextFile"',
      'Object class = "TextGrid"',
      '',
      0,
      3,
      '<exists>',
      tiers.length,
      ...tiers,
    ].join('\n');
  const utterances =
    '"IntervalTier"\n"Mary"\n0\n3\n3\n0\n1.5\n"she said ""hi"""\n1.5\n2\n""\n2\n3.0e0\n"bye!" ! a comment "not this"';

  test('the short form, with quotes, comments and points', () => {
    const grid = short(utterances, '"TextTier"\n"bell"\n0\n3\n1\n2.5\n"ding"');
    expect(readTimedText('x.TextGrid', grid, { tier: 'Mary' })).toEqual([
      { text: 'she said "hi"', start: 0, end: 1.5 },
      { text: 'bye!', start: 2, end: 3 },
    ]);
    expect(readTimedText('x.TextGrid', grid, { tier: 'bell' })).toEqual([
      { text: 'ding', start: 2.5, end: 2.5 },
    ]);
    expect(() => textsOf('x.TextGrid', grid)).toThrow("tier: expected one of 'Mary', 'bell', got undefined");
    expect(textsOf('x.TextGrid', short(utterances))).toEqual(['she said "hi"', 'bye!']);
  });

  test('a file that is cut off is refused, wherever that is', () => {
    const grid = short(utterances);
    const end = grid.indexOf('"bye!"');
    for (let length = 0; length < end; length++)
      expect(() => textsOf('x.TextGrid', grid.slice(0, length), 'Mary'), grid.slice(0, length)).toThrow(
        RangeError,
      );
  });
});
