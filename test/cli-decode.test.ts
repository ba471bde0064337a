import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CtcBeamDecoder, NGram } from 'webgpu-ctc/lm';
import { CtcRanker } from 'webgpu-ctc/node';
import { Vocabulary } from 'webgpu-ctc/text';
import * as decode from '../src/cli/decode-command.js';
import { jobOf } from '../src/cli/job.js';
import { Knowing } from '../src/cli/knowing.js';
import * as lm from '../src/cli/lm-command.js';
import { textOf, totalOf, wrongWords } from '../src/cli/lm-tune.js';
import { readNpy } from '../src/files/npy.js';
import { cli, failureOf, json, spoken, workshop } from './program.js';

const { place, write, npy } = workshop('decode');
const vocab = write('vocab.json', { '<pad>': 0, '|': 1, a: 2, b: 3, c: 4 });
const heard = spoken([2, 3, 1, 4], 24, 5); // ab c
// c and b are nearly as likely in the last word
for (let t = 0; t < 24; t++) if (heard[5 * t + 4] === 8) heard[5 * t + 3] = 7.5;
const small = npy('small.npy', [24, 5], heard);
const on = ['--vocab', vocab, '--device', 'cpu'];
const list = (name: string, ...lines: string[]) => write(name, lines.join('\n'));
const unigrams = ['-2\t<unk>', '-9\t<s>', '-1\t</s>', '-0.7\tab', '-0.5\tb', '-1.5\tc'];
const arpa = list('small.arpa', '\\data\\', 'ngram 1=6', '', '\\1-grams:', ...unigrams, '', '\\end\\');
const speech = ['--vocab', 'fixtures/speech/vocab.json', '--device', 'cpu'];
const trigram = NGram.read(readFileSync('fixtures/decode/lm.arpa.gz'));
const compact = trigram.then((model) => write('trigram.lm', model.write()));

interface Found {
  readonly text: string;
  readonly ctc: number;
  readonly lm: number;
  readonly unknown: number;
  readonly hotwords: number;
  readonly total: number;
  readonly probability: number;
  readonly words: readonly { text: string; start: number; end: number; confidence: number }[];
}

test('with a model the best texts, each with what it is worth, and their times in every format', async () => {
  const hotwords = list('names.txt', 'ab c\t2.5', '', 'bb');
  const [srt, ctm, whole] = [place('all.srt'), place('all.ctm'), place('all.json')];
  const outputs = [srt, ctm, whole].flatMap((file) => ['-o', file]);
  const weights = ['--alpha', '2', '--beta', '-1', '--unknown', '-3'];
  const known = ['--lm', arpa, '--hotwords', hotwords, ...weights, '--nbest', '4', '--width', '50'];
  const { code, stdout, stderr } = await cli(['decode', small, ...on, ...known, ...outputs]);
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: '' });
  const result = JSON.parse(readFileSync(whole, 'utf8'));
  const nbest: Found[] = result.nbest;
  expect(nbest.length).toBe(4);
  expect(nbest[0]!.text).toBe('ab b');
  expect(nbest.map(({ total }) => total)).toEqual(nbest.map(({ total }) => total).toSorted((a, b) => b - a));
  const model = await NGram.read(readFileSync(arpa));
  const ranker = await CtcRanker.create({ device: 'cpu', delimiter: 1 });
  const labels = nbest.map(({ text }) => [...text].map((letter) => ' abc'.indexOf(letter) + 1));
  const logits = { data: heard, shape: [24, 5] as const };
  const { rankings } = await ranker.run({ logits, candidates: labels });
  for (const [i, { text, words, ...parts }] of nbest.entries()) {
    const { log10, unknown } = model.score(text);
    expect(parts.lm).toBeCloseTo(log10 * Math.LN10, 4);
    expect(parts.unknown).toBe(unknown);
    expect(parts.ctc).toBeCloseTo(-rankings[0]!.losses[i]!, 4);
    expect(parts.hotwords).toBe(text.endsWith('ab c') ? 2.5 : 0);
    const known = 2 * (parts.lm - 3 * Math.LN10 * unknown) - text.split(' ').length + parts.hotwords;
    expect(parts.total).toBeCloseTo(parts.ctc + known, 3);
    expect(words.map((word) => word.text).join(' ')).toBe(text);
    for (const { confidence } of words) expect(confidence).toBeGreaterThanOrEqual(parts.probability - 1e-6);
  }
  // three frames a letter, three of a blank before each
  const times = [
    { text: 'ab', start: 0.06, end: 0.24 },
    { text: 'b', start: 0.42, end: 0.48 },
  ];
  expect(nbest[0]!.words).toMatchObject(times);
  expect(result).toMatchObject({ text: 'ab b', words: times });
  expect(result.score).toBeCloseTo(nbest[0]!.ctc, 5);
  expect(readFileSync(srt, 'utf8')).toMatch(/^00:00:00,060 --> 00:00:00,480\nab b$/m);
  expect(readFileSync(ctm, 'utf8')).toMatch(/ 0\.42\d* 0\.06\d* b /);
  const printed = await cli(['decode', small, ...on, ...known, '--quiet']);
  expect(printed).toEqual({ code: 0, stdout: nbest.map(({ text }) => `${text}\n`).join(''), stderr: '' });
});

test('a spoken sentence with a trigram is worth what KenLM and PyTorch say', async () => {
  const { cases } = JSON.parse(readFileSync('fixtures/decode/expected.json', 'utf8'));
  const { text, ctc, lm, objective, unknown } = cases[0].reference;
  const { code, stdout } = await cli([
    ...['decode', 'fixtures/decode/clip1_noise0.npy', ...speech, '--lm', await compact, '--json'],
  ]);
  expect(code).toBe(0);
  const { result, ...report } = JSON.parse(stdout);
  expect(result.nbest.length).toBe(1);
  const [best] = result.nbest;
  expect(best).toMatchObject({ text, unknown });
  expect(best.ctc).toBeCloseTo(ctc, 3);
  expect(best.lm - 10 * Math.LN10 * unknown).toBeCloseTo(lm, 3);
  expect(best.total).toBeCloseTo(objective, 3);
  expect(report.total).toBeCloseTo(objective, 3);
});

test('a lexicon is closed, or open', async () => {
  const words = list('words.txt', 'ab', 'b\t-1', 'xx');
  const read = async (...more: string[]) => {
    const { stdout, stderr } = await cli(['decode', small, ...on, '--lexicon', words, ...more]);
    expect(stderr.match(/words\.txt: .*/g)).toEqual([
      'words.txt: 1 of 3 words cannot be spelled by the vocabulary, such as xx',
    ]);
    return stdout;
  };
  expect(await read()).toBe('ab b\n');
  expect(await read('--open-lexicon')).toBe('ab c\n');
});

test('manifests, with what a job knows or what all do; what is doubtful is told once', async () => {
  const own = list('own.json', 'ab c\t9');
  const letters = list(
    'letters.arpa',
    ...[
      '\\data\\',
      'ngram 1=5',
      '',
      '\\1-grams:',
      '-2\t<unk>',
      '-9\t<s>',
      '-1\t</s>',
      '-1\ta',
      '-1\tb',
      '\\end\\',
    ],
  );
  const output = (name: string) => place(`${name}.json`);
  const jobs = [
    { id: 'one', emissions: small, output: output('one') },
    { id: 'two', emissions: small, output: output('two'), hotwords: 'own.json', alpha: 0.25 },
    { id: 'three', emissions: small, output: output('three'), nbest: 2, lm: arpa },
    { id: 'four', emissions: small, output: output('four'), lexicon: 'own.json' },
    { id: 'five', emissions: small, output: own, hotwords: own },
    { id: 'six', emissions: small, output: output('six'), openLexicon: 1 },
  ];
  const manifest = list('jobs.jsonl', ...jobs.map((job) => JSON.stringify(job)));
  const { code, stdout, stderr } = await cli(['decode', '--manifest', manifest, ...on, '--lm', letters]);
  expect(code).toBe(2);
  const reports = Object.fromEntries(json(stdout).map((report) => [report.id, report]));
  const doubt = "every word of the model is a single letter: is it a model of tokens (units: 'tokens')?";
  expect(reports.one).toMatchObject({ status: 'done', notes: [doubt] });
  expect(stderr.split(doubt).length).toBe(2);
  expect(stderr).toContain(`${letters}: ${doubt}`);
  expect(reports.two).toMatchObject({ status: 'done' });
  expect(JSON.parse(readFileSync(output('two'), 'utf8')).nbest[0]).toMatchObject({
    text: 'ab c',
    hotwords: 9,
  });
  expect(reports.three.notes).toBeUndefined();
  expect(JSON.parse(readFileSync(output('three'), 'utf8')).nbest.length).toBe(2);
  expect(reports.four.error).toBe(`${place('own.json')}:1: expected one word, got 'ab c'`);
  expect(reports.five.error).toMatch(/^output: .*own\.json is the hotwords of job/);
  expect(reports.six.error).toBe('openLexicon: expected true or false, got 1');
});

test('a model is read once for all jobs', async () => {
  const model = write('once.arpa', readFileSync(arpa, 'utf8'));
  const knowing = new Knowing();
  const vocabulary = Vocabulary.from(JSON.parse(readFileSync(vocab, 'utf8')));
  const job = { emissions: small, vocab, lm: model };
  const { signal } = new AbortController();
  await knowing.of(jobOf(job, 'knowledge'), vocabulary, signal);
  rmSync(model);
  await knowing.of(jobOf({ ...job, beta: 3 }, 'knowledge'), vocabulary, signal);
});

test('who reads greedily loads nothing of it', async () => {
  const loaded = async (...more: string[]) => {
    const folder = place(`coverage${more.length}`);
    mkdirSync(folder);
    const env = { NODE_V8_COVERAGE: folder };
    expect(await cli(['decode', small, ...on, ...more], { env })).toMatchObject({ code: 0 });
    const { result } = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8'));
    const files = result.flatMap(
      ({ url }: { url: string }) => url.match(/dist\/chunks\/([\w-]+)\.js$/)?.[1] ?? [],
    );
    return files.filter((file: string) => /knowledge|beam|arpa|lm/.test(file)).toSorted();
  };
  expect(await loaded()).toEqual([]);
  expect(await loaded('--lm', arpa)).toEqual(expect.arrayContaining(['arpa', 'beam-plan', 'knowledge']));
});

test('what is wrong is told, with its file and line', async () => {
  const failed = (...more: string[]) => failureOf(decode.run, [small, ...on, ...more]);
  const odd = list('odd.txt', 'ab', '', 'ab é\t3');
  const heavy = list('heavy.txt', 'ab\t3', 'b\tmuch');
  const empty = list('empty.txt', '', ' ');
  const other = list('other.txt', 'xx', 'yy');
  const cut = list('cut.arpa', '\\data\\', 'ngram 1=2', '', '\\1-grams:', '-2 <unk>', '\\end\\');
  const mistakes: [more: string[], message: string | RegExp][] = [
    [
      ['--hotwords', odd],
      `${odd}:3: expected a phrase that the vocabulary can spell, got 'ab é', of which it has no 'é'`,
    ],
    [['--hotwords', heavy], `${heavy}:2: expected a text, or a text, a tab and a number, got 'b\tmuch'`],
    [['--lexicon', empty], `${empty}: expected a text in some line, got none`],
    [['--lexicon', other], `${other}: expected words that the vocabulary can spell, got xx …`],
    [['--lm', cut], /cut\.arpa: line 6: expected /],
    [['--lm', place('none')], `${place('none')}: there is no such file or folder (ENOENT)`],
    [['--alpha', '1'], 'alpha: expected with a language model, got 1 without'],
    [['--open-lexicon'], 'open-lexicon: expected with a lexicon, got it without'],
    [['--lm', arpa, '--alpha', 'x'], "--alpha: expected a number, got 'x'"],
    [['--lm', arpa, '--units', 'letters'], "--units: expected words, tokens, got 'letters'"],
    [['--nbest', '0'], "--nbest: expected an integer from 1 to 2048, got '0'"],
  ];
  for (const [more, message] of mistakes)
    expect(await failed(...more)).toEqual({
      code: 2,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  const certain = npy(
    'certain.npy',
    [4, 5],
    Array.from({ length: 20 }, (_, i) => (i % 5 === 4 ? 0 : -Infinity)),
  );
  const words = list('ab.txt', 'ab');
  const args = [certain, ...on, '--blank', '0', '--input', 'log-probs', '--lexicon', words];
  expect(await failureOf(decode.run, args)).toEqual({
    code: 3,
    message: `${certain}: expected a text of the lexicon in 4 frames, got none that is possible`,
  });
});

test('weights are found by re-weighting what was read once', async () => {
  const { cases } = JSON.parse(readFileSync('fixtures/decode/expected.json', 'utf8')) as {
    cases: { name: string; reference: { text: string } }[];
  };
  const some = cases.filter(({ name }) => /clip[357]_noise3/.test(name));
  const jobs = some.map(({ name, reference: { text } }) => ({
    emissions: join(process.cwd(), `fixtures/decode/${name}.npy`),
    text: `${text[0]!.toUpperCase()}${text.slice(1)}!`, // as people write
  }));
  const manifest = list('tune.jsonl', ...jobs.map((job) => JSON.stringify(job)));
  const found = ['--nbest', '30', '--width', '30'];
  const { code, stdout } = await cli([
    ...['lm', 'tune', '--manifest', manifest, ...speech, '--lm', await compact, '--json'],
    ...[...found, '--alphas', '0,0.5,0.9', '--betas', '-1,1.5,3'],
  ]);
  expect(code).toBe(0);
  const tuned = JSON.parse(stdout);
  const words = some.flatMap(({ reference }) => reference.text.split(' '));
  expect(tuned).toMatchObject({ status: 'done', words: words.length, unknown: -10 });
  expect(tuned.wrong).toBe(Math.min(...tuned.surface.flat()));
  expect(tuned.wrong).toBeLessThan(Math.min(...tuned.surface[0]));

  const options = {
    ...{ tokens: Vocabulary.from(JSON.parse(readFileSync('fixtures/speech/vocab.json', 'utf8'))) },
    ...{ lm: await trigram, width: 30, nbest: 30, device: 'cpu' as const },
  };
  const start = { alpha: 0.5, beta: 1.5, unknown: -10 };
  const other = { alpha: 0.9, beta: 3 };
  const [decoder, fresh] = [
    await CtcBeamDecoder.create(options),
    await CtcBeamDecoder.create({ ...options, weights: other }),
  ];
  let [wrong, again, common] = [0, 0, 0];
  for (const { name, reference } of some) {
    const { data, shape } = readNpy(readFileSync(`fixtures/decode/${name}.npy`), name);
    const logits = { data: Float32Array.from(data as Float32Array), shape: shape as [number, number] };
    const [readings, others] = [
      (await decoder.run({ logits })).readings[0]!,
      (await fresh.run({ logits })).readings[0]!,
    ];
    wrong += wrongWords(readings[0]!.text, reference.text);
    const texts = readings.map((reading) => textOf(reading, start, false));
    for (const text of texts) {
      const same = others.find((reading) => reading.text === text.text);
      if (!same) continue;
      common++;
      expect(totalOf(text, other.alpha, other.beta)).toBeCloseTo(same.total, 3);
    }
    const best = texts.toSorted(
      (a, b) => totalOf(b, other.alpha, other.beta) - totalOf(a, other.alpha, other.beta),
    );
    again += wrongWords(best[0]!.text, reference.text);
  }
  expect(common).toBeGreaterThan(20);
  expect(tuned.surface[1][1]).toBe(wrong);
  expect(tuned.surface[2][2]).toBe(again);
});

test('wrong words are counted as insertions, deletions and exchanges', () => {
  expect(wrongWords('a b c', 'a b c')).toBe(0);
  expect(wrongWords('a x c d', 'a b c')).toBe(2);
  expect(wrongWords('', 'a b')).toBe(2);
  expect(wrongWords('b c', 'a b')).toBe(2);
});

test('a table of all weights and the best pair; what is wrong with a job is told with its line', async () => {
  const manifest = list('one.jsonl', JSON.stringify({ emissions: small, text: 'AB C' }));
  const args = ['lm', 'tune', '--manifest', manifest, ...on, '--lm', arpa];
  const { code, stdout } = await cli([...args, '--alphas', '0,0.5,3', '--betas', '0,1']);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: [
      'words wrong, in %; beta from left to right',
      'alpha     0     1',
      '    0   0.0   0.0',
      '  0.5   0.0   0.0',
      '    3  50.0  50.0',
      '--alpha 0 --beta 0: 0 of 2 words wrong, 0.0 %',
      '',
    ].join('\n'),
  });
  const failed = (...more: string[]) => failureOf(lm.run, ['tune', ...more]);
  const known = [...on, '--lm', arpa];
  const bad = list('bad.jsonl', JSON.stringify({ emissions: small, text: 'ab' }), '{"emissions": "x"}');
  expect(await failed('--manifest', bad, ...known)).toEqual({
    code: 2,
    message: `${bad}:2: expected exactly one of text and textFile, got neither`,
  });
  expect(await failed(...known)).toMatchObject({
    message: '--manifest: expected a file of jobs, as of webgpu-ctc align, got none',
  });
  expect(await failed('--manifest', manifest, ...on)).toMatchObject({
    message: '--lm: expected a language model, such as model.lm or model.arpa.gz, got none',
  });
  expect(await failed('--manifest', manifest, ...known, '--alphas', '1,,2')).toMatchObject({
    message: "--alphas: expected a number, got ''",
  });
});
