import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, json, noWebgpu, spoken, start, workshop } from './program.js';

const { place, write, npy } = workshop('jobs');
const vocab = write('vocab.json', { '<pad>': 0, '|': 1, a: 2, b: 3, c: 4 });
const texts = ['ab c', 'c', 'a b', 'cab'];
const classes = [[2, 3, 1, 4], [4], [2, 1, 3], [4, 2, 3]];
/** Each has its own length, so that results do not look the same. */
for (let k = 0; k < 200; k++) {
  const frames = 24 + k;
  npy(`${k}.npy`, [frames, 5], spoken(classes[k % 4]!, frames, 5));
}

interface Line {
  readonly id: unknown;
  readonly line: number;
  readonly status: 'done' | 'skipped' | 'failed';
}

/** A manifest of jobs that write to a folder of their own. */
function manifest(name: string, count: number, more: object[] = []) {
  mkdirSync(place(name));
  const jobs = Array.from({ length: count }, (_, k) => ({
    emissions: place(`${k}.npy`),
    text: texts[k % 4],
    output: [place(`${name}/${k}.srt`), place(`${name}/${k}.json`)],
  }));
  const lines = [...jobs, ...more].map((job) => `${JSON.stringify(job)}\n`);
  const path = write(`${name}.jsonl`, lines.join(''));
  const args = ['align', '--manifest', path, '--vocab', vocab];
  return {
    path,
    args,
    run: (...options: string[]) => cli([...args, '--device', 'cpu', ...options]),
    /** Waits for more after the first lines, so that it is never done before it is stopped. */
    start: (first: number, ...options: string[]) => {
      const input = lines.slice(0, first).join('');
      return start(['dist/cli.js', ...args.with(2, '-'), ...options], { input, open: true });
    },
    files: () => outputsIn(name).sort(),
    results: () =>
      new Map(outputsIn(name).map((file) => [file, readFileSync(join(place(name), file), 'utf8')])),
  };
}
/** Beside them is the record of what was written, and what a run that was killed had begun. */
const outputsIn = (folder: string) => readdirSync(place(folder)).filter((file) => !file.startsWith('.'));
const reportsOf = (stdout: string): Line[] => json(stdout.slice(0, stdout.lastIndexOf('\n') + 1));
const having = (status: string, reports: Line[]) => reports.filter((report) => report.status === status);

describe.each(['gpu', 'cpu'])('200 jobs on the %s', (device) => {
  test('killed twice in the middle and started again: each result once, as if nothing had happened', async () => {
    const whole = manifest(`whole-${device}`, 200);
    const undisturbed = await cli([...whole.args, '--device', device]);
    expect(undisturbed).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('200 done, 0 skipped, 0 failed'),
    });
    expect(whole.files()).toHaveLength(400);
    expect(undisturbed.stderr.match(new RegExp(`on the ${device}: `, 'g'))).toHaveLength(1);

    const killed = manifest(`killed-${device}`, 200);
    const done = new Map<number, number>();
    const count = (reports: Line[]) => {
      for (const { line } of having('done', reports)) done.set(line, (done.get(line) ?? 0) + 1);
    };
    for (const [first, enough] of [
      [100, 40],
      [180, 60],
    ] as const) {
      const program = killed.start(first, '--device', device);
      await program.until('stdout', (text) => having('done', reportsOf(text)).length >= enough);
      program.kill('SIGKILL');
      const { code, stdout } = await program.end;
      expect(code).toBe(null);
      count(reportsOf(stdout));
    }
    const { code, stdout } = await cli([...killed.args, '--device', device]);
    expect(code).toBe(0);
    const reports = reportsOf(stdout);
    count(reports);
    expect(having('failed', reports)).toEqual([]);
    expect(reports.map(({ line }) => line).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    // what was done and not yet reported when the process was killed was skipped later; nothing was done twice
    expect([...done.values()].every((times) => times === 1)).toBe(true);
    expect(killed.results()).toEqual(whole.results());
  });
});

test('three shards give the same as one run, and no job twice', async () => {
  const one = manifest('one', 30);
  await one.run();
  const three = manifest('three', 30);
  const runs = await Promise.all([1, 2, 3].map((i) => three.run('--shard', `${i}/3`)));
  const seen = runs.map(({ stdout }) => having('done', reportsOf(stdout)).map(({ line }) => line));
  seen.forEach((numbers, i) => {
    expect(numbers).toHaveLength(10);
    for (const line of numbers) expect((line - 1) % 3).toBe(i);
  });
  expect(three.results()).toEqual(one.results());
});

test('what fails is reported and the rest is done; started again, only that is tried', async () => {
  write('corrupt.npy', readFileSync(place('0.npy')).subarray(0, 300));
  const job = { emissions: '0.npy', text: 'ab c' };
  const wrong: [job: unknown, exit: number, error: string | RegExp][] = [
    [
      { id: 'corrupt', ...job, emissions: 'corrupt.npy', output: 'some/c.srt' },
      2,
      /corrupt\.npy: shape: expected 480 bytes of data/,
    ],
    [{ id: 'missing', ...job, emissions: 'none.npy', output: 'some/m.srt' }, 2, /none\.npy: ENOENT/],
    [
      { id: 'long', ...job, text: 'ab'.repeat(40), output: 'some/l.srt' },
      3,
      /0\.npy: expected at least 80 frames for the 80 labels of the text, got 24$/,
    ],
    [{ ...job }, 2, 'output: expected a path, or an array of paths, got none'],
    [
      { ...job, text: undefined, output: 'some/t.srt' },
      2,
      'expected exactly one of text and textFile, got neither',
    ],
    [{ ...job, output: 'some/x.doc' }, 2, /x\.doc: expected a name that ends in one of/],
    [{ ...job, output: 7 }, 2, 'output: expected a path, or an array of paths, got 7'],
    [{ ...job, output: 'nowhere/x.srt' }, 2, /nowhere\/x\.srt: expected a folder/],
    [{ ...job, output: 'some/0.srt' }, 2, /output: .*some\/0\.srt is that of job 1$/],
    [{ ...job, output: 'some/f.srt', frame_ms: 10 }, 2, 'frame_ms: unknown key; did you mean frameMs?'],
    [{ ...job, output: 'some/f.srt', colour: 1 }, 2, /^colour: unknown key; known are id, emissions, /],
    [
      { ...job, output: 'some/f.srt', frameMs: -1 },
      2,
      'frameMs: expected milliseconds from 0.001 to 3600000, got -1',
    ],
    [{ ...job, output: 'some/f.srt', split: 3 }, 2, 'split: expected word, char, got 3'],
    [['a'], 2, 'expected a job, a JSON object, got ["a"]'],
  ];
  const { run, path, files } = manifest(
    'some',
    4,
    wrong.map(([given]) => given as object),
  );
  write('some.jsonl', `${readFileSync(path, 'utf8')}\n{"emissions"\n`);
  const { code, stdout, stderr } = await run();
  expect(code).toBe(2);
  expect(stderr).toContain(`${path}: 4 done, 0 skipped, 15 failed`);
  const reports = reportsOf(stdout).sort((a, b) => a.line - b.line);
  expect(having('done', reports).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  expect(reports.slice(4)).toEqual([
    ...wrong.map(([given, exit, error], i) => ({
      id: (given as { id?: string }).id ?? i + 5,
      line: i + 5,
      status: 'failed',
      exit,
      error: typeof error === 'string' ? error : expect.stringMatching(error),
    })),
    { id: 20, line: 20, status: 'failed', exit: 2, error: expect.stringMatching(/^not JSON: /) },
  ]);
  expect(files()).toHaveLength(8);

  const again = reportsOf((await run()).stdout);
  expect(having('skipped', again)).toHaveLength(4);
  expect(having('done', again)).toEqual([]);
});

test('exit code 3 if no worse than an impossible target failed', async () => {
  const job = { emissions: '0.npy', text: 'ab'.repeat(40), output: 'impossible/x.srt' };
  const { run } = manifest('impossible', 2, [job]);
  expect(await run()).toMatchObject({ code: 3 });
});

test('a job is done again where an output is missing, all are with --force', async () => {
  const { run, results } = manifest('again', 3);
  await run();
  const first = results();
  rmSync(place('again/1.srt'));
  const partly = reportsOf((await run()).stdout);
  expect(having('done', partly)).toMatchObject([{ line: 2 }]);
  expect(having('done', reportsOf((await run('--force')).stdout))).toHaveLength(3);
  expect(results()).toEqual(first);
});

test('options of a job go before those of the command line, and paths are relative to the manifest', async () => {
  write('text.txt', 'ab c');
  const job = { emissions: '0.npy', textFile: 'text.txt', vocab: 'vocab.json', frameMs: 10 };
  const { run } = manifest('own', 1, [{ ...job, output: 'own/own.json' }]);
  await run('--frame-ms', '40');
  const duration = (file: string) => JSON.parse(readFileSync(place(file), 'utf8')).duration;
  expect([duration('own/0.json'), duration('own/own.json')]).toEqual([0.96, 0.24]);
});

test('decode has manifests, too', async () => {
  mkdirSync(place('read'));
  const jobs = [0, 1].map((k) => ({ emissions: place(`${k}.npy`), output: place(`read/${k}.json`) }));
  const input = jobs.map((job) => JSON.stringify(job)).join('\r\n');
  const { code, stdout } = await cli(['decode', '--manifest', '-', '--vocab', vocab, '--device', 'cpu'], {
    input,
  });
  expect(code).toBe(0);
  expect(having('done', reportsOf(stdout))).toHaveLength(2);
  const read = jobs.map(({ output }) => JSON.parse(readFileSync(output, 'utf8')).text);
  expect(read).toEqual(texts.slice(0, 2));
});

test('an interrupt ends what is in flight, leaves nothing half-written, and the rest is done later', async () => {
  const { start, run, files } = manifest('interrupted', 200);
  const program = start(200, '--device', 'cpu', '--jobs', '2');
  await program.until('stdout', (text) => having('done', reportsOf(text)).length >= 10);
  program.kill('SIGINT');
  const { code, stdout } = await program.end;
  expect(code).toBe(130);
  const before = having('done', reportsOf(stdout)).length;
  expect(files()).toHaveLength(2 * before);
  const after = reportsOf((await run()).stdout);
  expect(having('skipped', after)).toHaveLength(before);
  expect(having('done', after)).toHaveLength(200 - before);
});

describe('a wrong command line', () => {
  const jobs = manifest('wrong', 1);
  test.each([
    [
      'a shard out of range',
      ['--shard', '3/2'],
      "--shard: expected i/n with i from 1 to n, such as 2/8, got '3/2'",
    ],
    ['shard 0', ['--shard', '0/2'], "--shard: expected i/n with i from 1 to n, such as 2/8, got '0/2'"],
    ['no jobs', ['--jobs', '0'], "--jobs: expected an integer ≥ 1, got '0'"],
    [
      'emissions beside it',
      ['0.npy'],
      '--manifest: expected emissions, text and output in its jobs, got 0.npy',
    ],
    [
      'an output beside it',
      ['-o', 'a.srt'],
      '--manifest: expected emissions, text and output in its jobs, got output',
    ],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await jobs.run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toContain(`webgpu-ctc: ${message}`);
  });

  test('no such manifest', async () => {
    const { code, stderr } = await cli([
      'align',
      '--manifest',
      'none.jsonl',
      '--vocab',
      vocab,
      '--device',
      'cpu',
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^webgpu-ctc: none\.jsonl: ENOENT/m);
  });

  test('no WebGPU with --device gpu ends at once', async () => {
    const run = await cli([...jobs.args, '--device', 'gpu'], { env: noWebgpu });
    expect(run).toMatchObject({ code: 4, stdout: '' });
    expect(jobs.files()).toEqual([]);
  });
});
