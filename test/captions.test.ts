// Captions of any text keep to what subtitlers keep to.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TimedWord, writeTimedText } from '../src/entries/files.js';
import { columnsOf, endsSentence, segmented } from '../src/text/script.js';

interface Cue {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

const seconds = (clock: string) => {
  const [h, m, s] = clock.replace(',', '.').split(':').map(Number);
  return 3600 * h! + 60 * m! + s!;
};

function cuesOf(words: readonly TimedWord[], options: Parameters<typeof writeTimedText>[2] = {}): Cue[] {
  const srt = writeTimedText('x.srt', words, options).trim();
  if (srt === '') return [];
  return srt.split('\n\n').map((cue) => {
    const [, times, ...lines] = cue.split('\n');
    const [start, end] = times!.split(' --> ').map(seconds);
    return { start: start!, end: end!, lines };
  });
}

/** Words one after another. */
const spoken = (text: string, secondsPerWord = 0.4) =>
  text
    .split(' ')
    .map((word, i) => ({ text: word, start: secondsPerWord * i, end: secondsPerWord * (i + 0.9) }));

describe('captions', () => {
  const letters = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'今天天气很好我们去公园。'), minLength: 1, maxLength: 80 }),
    fc.string({ unit: fc.constantFrom(...'สวัสดีครับผม'), minLength: 1, maxLength: 60 }),
    fc.string({ unit: fc.constantFrom(...'abc.'), minLength: 1, maxLength: 120 }),
  );
  const words = fc
    .array(
      fc.tuple(
        letters,
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 0, max: 12, noNaN: true }),
      ),
      {
        maxLength: 12,
      },
    )
    .map((list) => {
      let now = 0;
      return list.map(([text, pause, length]) => {
        const start = now + pause;
        now = start + length;
        return { text, start, end: now };
      });
    });

  test('at most two lines of 42 columns and 7 seconds, at least a frame of video, one after another: any text', () => {
    fc.assert(
      fc.property(words, fc.constantFrom('caption' as const, 'word' as const), (list, split) => {
        let before = 0;
        const cues = cuesOf(list, { split, language: 'zh' });
        for (const { start, end, lines } of cues) {
          expect(end - start).toBeGreaterThanOrEqual(0.0415);
          expect(start).toBeGreaterThanOrEqual(before - 1e-9);
          before = end;
          if (split === 'word') continue;
          expect(end - start).toBeLessThanOrEqual(7.0005);
          expect(lines.length).toBeLessThanOrEqual(2);
          for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(42);
        }
        const bare = (text: string) => text.replace(/[\s\p{Cc}\p{Zl}\p{Zp}]|-->|→/gu, '');
        expect(bare(cues.flatMap(({ lines }) => lines).join(''))).toBe(
          bare(list.map(({ text }) => text).join('')),
        );
      }),
      { numRuns: 1500, seed: 3 },
    );
  });

  test.each([
    ['كيف حالك؟ انا بخير.', 2],
    ['राम घर गया। सीता आई।', 2],
    ['وہ گیا۔ میں آیا۔', 2],
    ['「はい。」 「いいえ。」', 2],
    ['He saw Dr. Smith at 9:30 a.m. in the park.', 1],
    ['“Is it?” She said no.', 2],
    ['J. R. R. Tolkien wrote it.', 1],
    ['Հա՛։ Ոչ։', 2],
    ['ခွေး။ ကြောင်။', 2],
  ])('%s', (text, count) => {
    expect(cuesOf(spoken(text))).toHaveLength(count);
  });

  test('a text without spaces is cut between words, where its characters were spoken', () => {
    const text = '今天天气很好我们一起去公园散步看见了许多花和鸟还有孩子们在草地上跑来跑去非常开心';
    const characters = [...text].map((character, i) => ({
      text: character,
      start: 0.3 * i,
      end: 0.3 * i + 0.2,
    }));
    const cues = cuesOf([{ text, start: 0, end: 0.3 * text.length }], { characters, language: 'zh' });
    expect(cues.length).toBeGreaterThan(1);
    let at = 0;
    for (const { start, lines } of cues) {
      expect(start).toBeCloseTo(0.3 * at, 2);
      at += lines.join('').length;
    }
    const pieces = segmented(text, 'zh');
    const starts = new Set(pieces.map((_, i) => pieces.slice(0, i).join('').length));
    let place = 0;
    for (const line of cues.flatMap(({ lines }) => lines)) {
      expect(starts.has(place)).toBe(true);
      place += line.length;
    }
  });

  test('a cue for each line of the text', () => {
    const list = spoken('one day the cat sat');
    const cues = cuesOf(list, { split: [2, 2, 1] });
    expect(cues.map(({ lines }) => lines)).toEqual([['one day'], ['the cat'], ['sat']]);
    expect(cues.map(({ start }) => start)).toEqual([0, 0.8, 1.6]);
    expect(() => cuesOf(list, { split: [2, 2] })).toThrow('split: expected cues of 5 words in all, got 4');
  });

  test('what ends a sentence', () => {
    const ends = ['end.', 'end?"', 'fin…', '終わり。」', 'No.', '1999.'];
    const none = ['Dr.', 'a.m.', 'U.S.', '"Mrs.', 'J.', 'vs.', 'middle', '3.5'];
    expect(ends.filter((word) => !endsSentence(word))).toEqual([]);
    expect(none.filter(endsSentence)).toEqual([]);
  });
});
