import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as lm from '../src/cli/lm-command.js';
import { cli, failureOf, json, workshop } from './program.js';

const { folder, place, write } = workshop('lm');
const arpa = 'fixtures/pitfalls/arpa/arpa_duplicate_eos.arpa';
const packed = 'fixtures/decode/char.arpa.gz';

test('a model is built, told and read again, and scores as KenLM', async () => {
  const built = place('char.lm');
  const { code, stdout, stderr } = await cli(['lm', 'build', packed, '-o', built]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  const bytes = readFileSync(built).length;
  const counts = '31 1-grams, 614 2-grams, 5697 3-grams, 16584 4-grams, 29321 5-grams, 26719 6-grams';
  expect(stderr).toBe(`${built}: ${counts}, ${bytes} bytes\n`);
  const cases: { text: string; total: number }[] = JSON.parse(
    readFileSync('fixtures/decode/char_scores.json', 'utf8'),
  );
  const lines = cases.map(({ text }) => [...text.replaceAll(' ', '|')].join(' '));
  const scored = await cli(['lm', 'score', built, write('letters.txt', `${lines.join('\r\n')}\r\n`)]);
  expect(scored).toMatchObject({ code: 0, stderr: '' });
  expect(json(scored.stdout)).toEqual(
    cases.map(({ total }, i) => {
      const text = lines[i]!;
      const words = expect.toSatisfy((words: unknown[]) => words.length === text.split(' ').length + 1);
      return { text, log10: expect.closeTo(total, 4), unknown: 0, words };
    }),
  );
});

test('sentences on stdin, warnings on stderr, and none with --quiet', async () => {
  const args = ['lm', 'score', arpa, '-'];
  const { code, stdout, stderr } = await cli(args, { input: 'a zz b\n\na' });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `${arpa}: line 10: '</s>' is there twice; the first counts\n`,
  });
  const words = [
    [-0.62, 2, false],
    [-2.18, 1, true],
    [-1.02, 1, false],
    [-0.38, 2, false],
  ];
  const [first, empty, last] = json(stdout);
  expect(first).toEqual({ text: 'a zz b', log10: -4.2, unknown: 1, words });
  expect(empty).toMatchObject({ text: '', log10: -99.41, words: [[-99.41, 1, false]] });
  expect(last).toMatchObject({ text: 'a', log10: -1.82 });
  expect((await cli([...args, '--quiet'], { input: '' })).stderr).toBe('');
  const piped = await cli(['lm', 'build', '-', '-o', place('piped.lm')], { input: readFileSync(arpa) });
  expect(piped.stderr).toMatch(/^-: line 10: .*\n.*piped\.lm: 8 1-grams, 7 2-grams, 3 3-grams, \d+ bytes\n$/);
});

describe('what is wrong ends with code 2 and is named', () => {
  const here = write('here.lm', 'x');
  const page = write('page.arpa', '<!DOCTYPE html>');
  const out = place('out.lm');
  test.each<[args: string[], message: string]>([
    [[], 'lm: expected build, score or tune, got none'],
    [['biuld'], "lm: expected build, score or tune, got 'biuld'; did you mean build?"],
    [['build'], 'lm build: expected a model, got none'],
    [['build', arpa, 'more', '-o', out], `lm build: expected a model, got ${arpa} more`],
    [['build', arpa], '--output: expected a file, got none'],
    [['build', arpa, '-o', here], `${here}: exists already; --force overwrites it`],
    [['build', here, '-o', here], `${here}: expected another file than the input ${here}, got the same`],
    [['build', place('none'), '-o', out], `${place('none')}: there is no such file or folder (ENOENT)`],
    [['build', folder, '-o', out], `${folder}: expected a file, got a folder (EISDIR)`],
    [
      ['build', page, '-o', out],
      `${page}: line 1: expected \\data\\, with which an ARPA file begins, got '<!DOCTYPE html>'`,
    ],
    [['score', arpa], `lm score: expected a model and sentences, got ${arpa}`],
    [['score', '-', '-'], 'lm score: expected stdin once, got it twice'],
    [['score', arpa, here, '-o', out], '--output: expected with lm build, got lm score'],
    [['score', arpa, here, '--force'], '--force: expected with lm build, got lm score'],
    [['score', arpa, place('none')], `${place('none')}: there is no such file or folder (ENOENT)`],
  ])('%j', async (args, message) => {
    expect(await failureOf(lm.run, args)).toEqual({ code: 2, message });
  });
});
