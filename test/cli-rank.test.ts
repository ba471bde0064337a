import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as rank from '../src/cli/rank-command.js';
import { cli, failureOf, json, spoken, workshop } from './program.js';

const { place, write, npy } = workshop('rank');
const clips: { text: string }[] = JSON.parse(readFileSync('fixtures/speech/clips.json', 'utf8'));
const vocab = write('vocab.json', { '<pad>': 0, '|': 1, a: 2, b: 3, c: 4 });
const small = npy('small.npy', [24, 5], spoken([2, 3, 1, 4], 24, 5)); // ab c
const list = (name: string, ...lines: string[]) => write(name, lines.join('\n'));
const on = ['--vocab', vocab, '--device', 'cpu'];

test('of the sentences of all clips the one that was spoken comes first', async () => {
  const real = [
    'fixtures/speech/clip4.logits.npy',
    '--vocab',
    'fixtures/speech/vocab.json',
    '--device',
    'cpu',
  ];
  const candidates = list('clips.txt', ...clips.map(({ text }) => text));
  const { code, stdout, stderr } = await cli(['rank', ...real, '--candidates', candidates]);
  expect(code).toBe(0);
  const ranking = JSON.parse(stdout);
  expect(ranking.candidates.map(({ text }: { text: string }) => text).toSorted()).toEqual(
    clips.map(({ text }) => text).toSorted(),
  );
  expect(ranking.candidates[0]).toMatchObject({ text: clips[3]!.text, probability: 1 });
  expect(stderr).toContain(`text: ${clips.length} candidates`);
});

test('in a table and in JSON, texts held apart by any spaces', async () => {
  const candidates = list('some.txt', 'ab c', '', ' ab   c ', 'abc', 'c', 'bbbbbbbbbbbbbbbbbbbbbbb');
  const [table, whole] = [place('ranking.tsv'), place('ranking.json')];
  const { code, stdout, stderr } = await cli([
    'rank',
    small,
    ...on,
    '--candidates',
    candidates,
    '-o',
    table,
    '-o',
    whole,
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  const [head, ...rows] = readFileSync(table, 'utf8')
    .trimEnd()
    .split('\n')
    .map((row) => row.split('\t'));
  expect(head).toEqual(['text', 'probability', 'loss', 'distance']);
  expect(rows.map(([text]) => text)).toEqual(['ab c', 'ab   c', 'abc', 'c', 'bbbbbbbbbbbbbbbbbbbbbbb']);
  expect(rows.at(-1)!.slice(1)).toEqual(['0', 'Infinity', 'Infinity']);
  const { mass, free, candidates: all } = JSON.parse(readFileSync(whole, 'utf8'));
  expect(free.text).toBe('ab c');
  expect(all.map((one: object) => Object.values(one).map(String))).toEqual(rows);
  expect(all[0].loss).toBe(all[1].loss);
  // twice the same text is one
  const own = [...new Set<number>(all.map(({ loss }: { loss: number }) => loss))].filter(Number.isFinite);
  expect(mass).toBeCloseTo(
    own.reduce((sum, loss) => sum + Math.exp(-loss), 0),
    5,
  );
  expect(stderr).toMatch(/'ab c': 0\.\d\d among the candidates, of which any is it by /);
});

test('with --prefixes also how likely what is said begins with each text, in whole words', async () => {
  const candidates = list('begins.txt', 'ab c', 'ab', 'a', 'c');
  const table = await cli(['rank', small, ...on, '--candidates', candidates, '--prefixes', '-o', '-.tsv']);
  const [head, ...rows] = table.stdout
    .trimEnd()
    .split('\n')
    .map((row) => row.split('\t'));
  expect(head).toEqual(['text', 'probability', 'loss', 'distance', 'prefix']);
  const prefixes = Object.fromEntries(rows.map((row) => [row[0]!, Number(row[4])]));
  expect(prefixes['ab c']).toBeLessThan(Number(rows[0]![2]) + 1e-6);
  expect(prefixes.ab).toBeLessThan(prefixes['ab c']!);
  // ab begins with a letter, not with the word a
  expect(prefixes.a).toBeGreaterThan(prefixes.ab! + 1);
  const job = { emissions: small, candidates, prefixes: 'yes' };
  const { code, stdout } = await cli(['rank', '--manifest', '-', ...on], { input: JSON.stringify(job) });
  expect(code).toBe(2);
  expect(json(stdout)).toMatchObject([
    { error: expect.stringContaining("prefixes: expected true or false, got 'yes'") },
  ]);
});

test('manifests, with candidates of a job or of all', async () => {
  const shared = list('shared.txt', 'ab c', 'c');
  const own = list('own.txt', 'b', 'a');
  const [first, second] = [place('first.json'), place('second.tsv')];
  const jobs = [
    { id: 'one', emissions: small, output: first },
    { id: 'two', emissions: small, output: second, candidates: own },
    { id: 'three', emissions: small, output: place('none.srt') },
  ];
  const args = ['rank', '--manifest', '-', ...on, '--candidates', shared];
  const { code, stdout } = await cli(args, { input: jobs.map((job) => JSON.stringify(job)).join('\n') });
  const reports = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => [JSON.parse(line).id, JSON.parse(line)]),
  );
  expect(code).toBe(2);
  expect(reports.one).toMatchObject({ status: 'done', best: 'ab c' });
  expect(reports.two).toMatchObject({ status: 'done' });
  expect(readFileSync(second, 'utf8')).toMatch(/^text\tprobability/);
  expect(reports.three.error).toContain('expected a name that ends in one of .json, .tsv');
  const again = await cli(args, { input: JSON.stringify(jobs[0]) });
  expect(json(again.stdout)).toMatchObject([{ status: 'skipped' }]);
});

test('what is wrong is told', async () => {
  const failed = (candidates: string, ...more: string[]) =>
    failureOf(rank.run, [small, ...on, '--candidates', candidates, ...more]);
  const odd = list('odd.txt', 'ab', 'axb');
  expect(await failed(odd)).toEqual({
    code: 2,
    message: `${odd}:2: expected a text that the vocabulary can spell, got axb`,
  });
  const empty = list('empty.txt', '', ' ');
  expect(await failed(empty)).toEqual({
    code: 2,
    message: `${empty}: expected a text in some line, got none`,
  });
  const long = list('long.txt', 'b'.repeat(20));
  expect(await failed(long)).toEqual({
    code: 3,
    message: `${small}: expected a path for one of the candidates, got none in 24 frames`,
  });
  expect(await failureOf(rank.run, [small, ...on])).toMatchObject({
    code: 2,
    message: '--candidates: expected a file of texts, one a line, got none',
  });
  expect((await failed(odd, '--text', 'ab')).message).toBe('--text: unknown option');
});
