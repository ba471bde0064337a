/** Reading with knowledge: exact small cases, on each device. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CtcBeamDecoder, type CtcBeamOptions, Hotwords, Lexicon, NGram } from 'webgpu-ctc/lm';
import { Vocabulary } from 'webgpu-ctc/text';
import { sharedDevice } from './device.js';
import { arpa, emissionsOf, type Pitfall, pitfalls } from './pitfalls.js';

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
void afterAll;
void beforeAll;
