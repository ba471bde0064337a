/** Reading with knowledge: exact small cases, on each device. */
import { describe, expect, test } from 'vitest';
import { CtcBeamDecoder, type CtcBeamOptions, Hotwords, Lexicon, NGram } from 'webgpu-ctc/lm';
import { Vocabulary } from 'webgpu-ctc/text';
import { arpaOf, enumerated, situation } from './beam-enumeration.js';
import { sharedDevice } from './device.js';
import { arpa, emissionsOf, type Pitfall, pitfalls } from './pitfalls.js';
import { seeded } from './reference.js';

/** Options for a case, and a width that leaves nothing out. */
async function optionsOf(one: Pitfall): Promise<CtcBeamOptions> {
  const { classes, blank, separator, lm, lexicon, hotwords } = one;
  return {
    tokens: Vocabulary.from([...classes], { blank, delimiter: separator ?? null }),
    ...(lm && {
      lm: await NGram.read(arpa(lm.file)),
      units: lm.level === 'token' ? 'tokens' : 'words',
      weights: { alpha: lm.weight, beta: lm.wordBonus, unknown: lm.unknownOffset },
    }),
    ...(lexicon && {
      lexicon: new Lexicon(Object.entries(lexicon).map(([word, spellings]) => ({ word, spellings }))),
    }),
    ...(hotwords && { hotwords: new Hotwords(hotwords) }),
    width: 512,
    nbest: 8,
  };
}

describe.each(['cpu', 'gpu'] as const)('on the %s', (where) => {
  test.each(pitfalls('decode').map((one) => [one.name, one] as const))('%s', async (_, one) => {
    const decoder = await CtcBeamDecoder.create({
      ...(await optionsOf(one)),
      device: where === 'cpu' ? 'cpu' : (await sharedDevice()).device,
    });
    const { scores, emissions, classes, expected } = one;
    const tensor = { data: emissionsOf(emissions), shape: [emissions.length, classes.length] as const };
    const { readings } = await decoder.run({ [scores]: tensor } as { logits: typeof tensor });
    const [found] = readings;
    expect(
      new Set(found!.map(({ text, labels }) => (one.lm?.level === 'token' ? labels.join() : text))).size,
    ).toBe(found!.length);
    expected.nbest.forEach((want, i) => {
      const got = found![i]!;
      expect(got.text).toBe(want.text);
      expect(got.total).toBeCloseTo(want.objective, 4);
      expect(got.ctc).toBeCloseTo(want.ctc, 4);
      if (want.lm !== undefined) expect(got.lm).toBeCloseTo(want.lm, 4);
      if (want.hotwords !== undefined) expect(got.hotwords).toBeCloseTo(want.hotwords, 4);
      if (want.unknown !== undefined) expect(got.unknown).toBe(want.unknown);
      if (want.labels) expect([...got.labels]).toEqual(want.labels);
      if (want.wordTimes)
        expect(got.words.map(({ text, start, end }) => [text, start, end])).toEqual(want.wordTimes);
    });
    decoder.destroy();
  });
});

describe('texts by enumeration', () => {
  const count = 4;
  const frames = 4;
  const random = seeded(20261130);
  const situations = Array.from({ length: 125 }, () => situation(random));
  test.each(['cpu', 'gpu'] as const)('500 problems that nobody chose, on the %s', async (where) => {
    for (const [i, one] of situations.entries()) {
      const { classes, blank, separator, grams, units, lexicon, hotwords, weights } = one;
      const decoder = await CtcBeamDecoder.create({
        device: where === 'cpu' ? 'cpu' : (await sharedDevice()).device,
        tokens: Vocabulary.from([...classes], { blank, delimiter: separator }),
        ...(grams && { lm: await NGram.read(arpaOf(grams)), units }),
        ...(lexicon && {
          lexicon: new Lexicon(lexicon.words, { open: lexicon.open, unlisted: lexicon.unlisted }),
        }),
        ...(hotwords.length > 0 && { hotwords: new Hotwords(hotwords) }),
        ...{ weights, width: 400, nbest: 5 },
      });
      const values = seeded(i);
      const logits = Float32Array.from(
        { length: frames * count * 4 },
        () => 3 * values() - (values() < 0.1 ? 4 : 0),
      );
      const { readings } = await decoder.run({ logits: { data: logits, shape: [frames, count, 4] } });
      decoder.destroy();
      for (const [n, found] of readings.entries()) {
        const rows = Array.from({ length: frames }, (_, t) => {
          const row = Array.from(logits.subarray(4 * (count * t + n), 4 * (count * t + n) + 4));
          const sum = Math.log(row.reduce((a, x) => a + Math.exp(x), 0));
          return row.map((x) => x - sum);
        });
        const right = enumerated(one, rows);
        const about = `problem ${i}, sequence ${n}`;
        expect(found.length, about).toBe(Math.min(5, right.length));
        for (const [r, { text, ctc, total }] of found.entries()) {
          expect(Math.abs(total - right[r]!.total), `${about}, total ${r}`).toBeLessThan(2e-4);
          const same = right.find((other) => other.text === text && Math.abs(other.total - total) < 2e-4);
          expect(same, `${about}: ${text}`).toBeDefined();
          expect(Math.abs(ctc - same!.ctc), `${about}, ctc of ${text}`).toBeLessThan(2e-4);
        }
      }
    }
  });
});
