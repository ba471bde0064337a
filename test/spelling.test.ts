// How a vocabulary spells: against all spellings, one by one, and in the languages of the world.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { STAR, tokenise, Vocabulary } from '../src/entries/text.js';

const tokensOf = (vocabulary: Vocabulary, word: string) =>
  vocabulary.spell(word).map(({ label }) => (label === STAR ? '*' : vocabulary.token(label)));

/** Every way to spell a word with these tokens, letters left out: the fewest of those, then the fewest labels. */
function fewest(word: string, tokens: readonly string[]): { missing: number; labels: number } {
  const ways = (at: number): { missing: number; labels: number }[] => {
    if (at === word.length) return [{ missing: 0, labels: 0 }];
    const skipped = ways(at + 1).map(({ missing, labels }) => ({ missing: missing + 1, labels }));
    const spelled = tokens
      .filter((token) => word.startsWith(token, at))
      .flatMap((token) =>
        ways(at + token.length).map(({ missing, labels }) => ({ missing, labels: labels + 1 })),
      );
    return [...skipped, ...spelled];
  };
  return ways(0).reduce((best, way) =>
    way.missing < best.missing || (way.missing === best.missing && way.labels < best.labels) ? way : best,
  );
}

describe('against all spellings', () => {
  const piece = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 3 });
  const drawn = fc.record({
    tokens: fc.uniqueArray(piece, { minLength: 1, maxLength: 6 }),
    word: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 7 }),
  });

  test('as few letters are left out as can be, and then there are as few labels', () => {
    let [missed, dead] = [0, 0];
    fc.assert(
      fc.property(drawn, ({ tokens, word }) => {
        const spelled = Vocabulary.from(['<blank>', ...tokens]).spell(word);
        const labels = spelled.filter(({ label }) => label !== STAR);
        const covered = labels.reduce((sum, { label }) => sum + tokens[label - 1]!.length, 0);
        const best = fewest(word, tokens);
        expect({ missing: word.length - covered, labels: labels.length }).toEqual(best);
        // nothing of the word is lost, or changes its place
        expect(spelled.map(({ text }) => text).join('')).toBe(word);
        if (best.missing > 0) missed++;
        // the longest first would leave more out
        if (best.missing === 0 && greedy(word, tokens) > 0) dead++;
      }),
      { numRuns: 3000, seed: 7 },
    );
    expect(missed).toBeGreaterThan(100);
    expect(dead).toBeGreaterThan(3);
  });

  function greedy(word: string, tokens: readonly string[]): number {
    let missing = 0;
    for (let at = 0; at < word.length; ) {
      const longest = tokens
        .filter((token) => word.startsWith(token, at))
        .sort((a, b) => b.length - a.length)[0];
      if (longest === undefined) missing++;
      at += longest?.length ?? 1;
    }
    return missing;
  }

  const letters = fc.constantFrom(
    'e',
    'é',
    'e\u0301',
    'ê',
    'ế',
    'n',
    'ñ',
    'u\u0308',
    'ü',
    'ǘ',
    '\u09af\u09bc',
    '\u09df',
  );
  test('letters composed or not are spelled where the parts of both are the same', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(letters, { minLength: 1, maxLength: 6 }),
        fc.array(letters, { minLength: 1, maxLength: 5 }),
        fc.constantFrom('NFC' as const, 'NFD' as const, undefined),
        (tokens, word, form) => {
          const listed = [...new Set(tokens.map((token) => (form ? token.normalize(form) : token)))];
          const vocabulary = Vocabulary.from(['<blank>', ...listed]);
          for (const letter of word) {
            const parts = letter.normalize('NFD');
            if (!listed.some((token) => token.normalize('NFD') === parts)) continue;
            const spelled = vocabulary.spell(letter);
            expect(spelled.map(({ label }) => vocabulary.token(label)!.normalize('NFD')).join('')).toBe(
              parts,
            );
          }
        },
      ),
      { numRuns: 1000, seed: 8 },
    );
  });

  test('of any text the words joined are the text, each letter is in one target, and targets are of their words', () => {
    const vocabulary = Vocabulary.from([..."_|abcdefghijklmnopqrstuvwxyz'"]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const transcript = tokenise(text, vocabulary);
        expect(transcript.words.join(' ')).toBe(
          text
            .split(/\s+/u)
            .filter((word) => word !== '')
            .join(' '),
        );
        transcript.words.forEach((word, w) => {
          const spelled = transcript.textOf.filter((_, i) => transcript.wordOf[i] === w).join('');
          let at = 0;
          for (const letter of spelled) {
            at = word.indexOf(letter, at);
            expect(at).toBeGreaterThanOrEqual(0);
            at += letter.length;
          }
        });
        for (const target of transcript.targets)
          expect(target === STAR || (target > 0 && target < 29)).toBe(true);
      }),
      { numRuns: 2000, seed: 9 },
    );
  });
});

describe('as languages have it', () => {
  // biome-ignore format: a table
  test.each<[what: string, tokens: string[], word: string, spelled: string[]]>([
    ['Turkish', [...'ışik'], 'IŞIK', [...'ışık']],
    ['Turkish, the i with a dot', [...'ıiz'], 'İZ', [...'iz']],
    ['Greek, the last letter', [...'οδςσ'], 'ΟΔΟΣ', [...'οδος']],
    ['Greek, with one sigma', [...'οδσ'], 'οδος', [...'οδοσ']],
    ['Greek, a sigma within', [...'οσφςα'], 'ΣΟΦΟΣ', [...'σοφος']],
    ['German in capitals', [...'ABESTR'], 'Straße', [...'STRASSE']],
    ['Vietnamese, partly decomposed', ['ê', '\u0301', 't'], 'tết', ['t', 'ê', '\u0301', 't']],
    ['Vietnamese, without tones', ['ê', 't'], 'tết', ['t', 'ê', 't']],
    ['Bengali, composed', ['\u09df', '\u09be'], '\u09be\u09af\u09bc', ['\u09be', '\u09df']],
    ['Hindi, a vowel that is missing', ['क', 'त'], 'कित', ['क', '*', 'त']],
    ['Arabic, without its vowels', [...'كتب'], 'كَتَبَ', [...'كتب']],
    ['Arabic, stretched', [...'كتب'], 'كـتـب', [...'كتب']],
    ['Hebrew, without its points', [...'שלום'], 'שָׁלוֹם', [...'שלום']],
    ['Korean, by its letters', [...'한국'.normalize('NFD')], '한국', [...'한국'.normalize('NFD')]],
    ['Japanese, halfwidth', ['カ', 'タ'], 'ｶﾀ', ['カ', 'タ']],
    ['wide letters', [...'abc'], 'ＡＢＣ', [...'abc']],
    ['a capitalised word in its pieces', ['▁hel', 'lo', '▁', 'h'], 'Hello', ['▁hel', 'lo']],
    ['pieces that lead to a dead end', ['▁', '▁ab', '▁a', 'bc', 'a', 'b'], 'abc', ['▁a', 'bc']],
    ['bytes', ['▁', '北', '<0xE7>', '<0x88>', '<0xBF>'], '北爿', ['▁', '北', '<0xE7>', '<0x88>', '<0xBF>']],
    ['word pieces', ['hel', '##lo', '##l', 'lo'], 'hello', ['hel', '##lo']],
    ['bytes of GPT-2', ['ĠcafÃ©', 'Ġca', 'fÃ©', 'c'], 'café', ['ĠcafÃ©']],
    ['ends of words', ['hel', 'lo</w>', 'lo', 'l'], 'hello', ['hel', 'lo</w>']],
    ['what nobody says', [...'intmw'], 'Win™', [...'win']],
    ['a picture', [...'i'], 'ℹ️', []],
    ['a dash', [...'ab'], '—', []],
    ['a number', [...'ab'], '42', ['*']],
    ['a number within', [...'covid'], 'covid19', [...'covid', '*']],
    ['a sign that is said', [...'at'], 'at&t', ['a', 't', '*', 't']],
    ['another script', [...'ab'], '北京', ['*']],
    ['a token that is no text', ['<unk>', ...'unk'], '<unk>', ['*']],
    ['a phone of several characters', ['t͡ʃ', 'ʈʰ', 'ã'], 't͡ʃʈʰa\u0303', ['t͡ʃ', 'ʈʰ', 'ã']],
  ])('%s', (_, tokens, word, spelled) => {
    expect(tokensOf(Vocabulary.from(['<blank>', ...tokens]), word)).toEqual(spelled);
  });
});
