import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { cli, json, noWebgpu, redirected, spoken, start, system, workshop } from './program.js';

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
    [
      { id: 'missing', ...job, emissions: 'none.npy', output: 'some/m.srt' },
      2,
      /none\.npy: there is no such file/,
    ],
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
    [{ ...job, output: 'nowhere/x.srt' }, 2, /nowhere[\\/]x\.srt: expected a folder/],
    [{ ...job, output: 'some/0.srt' }, 2, /output: .*some[\\/]0\.srt is that of job 1$/],
    [{ ...job, output: 'some/f.srt', frame_ms: 10 }, 2, 'frame_ms: unknown key; did you mean frameMs?'],
    [{ ...job, output: 'some/f.srt', colour: 1 }, 2, /^colour: unknown key; known are id, emissions, /],
    [
      { ...job, output: 'some/f.srt', frameMs: -1 },
      2,
      'frameMs: expected milliseconds from 0.001 to 3600000, got -1',
    ],
    [{ ...job, output: 'some/f.srt', split: 3 }, 2, 'split: expected word, char, line, got 3'],
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

test("two containers with one host name and one process number do not take each other's files", async () => {
  mkdirSync(place('containers'));
  const outputs = async () => {
    vi.resetModules();
    return import('../src/cli/output.js');
  };
  const containers = [await outputs(), await outputs(), await outputs()];
  const files = containers.flatMap(({ writeOutputs }, c) =>
    Array.from({ length: 60 }, (_, k) => {
      const file = [place(`containers/${c}-${k}.srt`), `${c}-${k}`.repeat(1000)] as const;
      return { file, written: writeOutputs([file], { mayReplace: () => false }) };
    }),
  );
  await Promise.all(files.map(({ written }) => written));
  for (const { file } of files) expect(readFileSync(file[0], 'utf8')).toBe(file[1]);
  expect(readdirSync(place('containers'))).toHaveLength(180);
});

test('of two processes that write one file at the same time one is told, and the file is that of the other', async () => {
  mkdirSync(place('race'));
  const { writeOutputs } = await import('../src/cli/output.js');
  const names = Array.from({ length: 40 }, (_, k) => place(`race/${k}.srt`));
  const attempts = ['first', 'second'].map((content) =>
    Promise.allSettled(
      names.map((name) => writeOutputs([[name, content.repeat(500)]], { mayReplace: () => false })),
    ),
  );
  const [first, second] = await Promise.all(attempts);
  names.forEach((name, k) => {
    const outcomes = [first![k]!, second![k]!];
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { reason } = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(reason.message).toBe(`${name}: another process has made it meanwhile; --force overwrites it`);
    const winner = outcomes[0]!.status === 'fulfilled' ? 'first' : 'second';
    expect(readFileSync(name, 'utf8')).toBe(winner.repeat(500));
  });
  expect(readdirSync(place('race'))).toHaveLength(40);

  // of several files of one job all appear or none
  const both = [place('race/new.srt'), names[0]!].map((name) => [name, 'third'] as const);
  await expect(writeOutputs(both, { mayReplace: () => false })).rejects.toThrow('0.srt: another process');
  expect(readdirSync(place('race'))).toHaveLength(40);
  await writeOutputs(both, { mayReplace: () => true });
  expect(readFileSync(names[0]!, 'utf8')).toBe('third');
});

test('what a run that was killed had begun is cleared once it is a day old, whoever began it', async () => {
  const { run } = manifest('leftovers', 1);
  const temporary = (digit: string) => place(`leftovers/.webgpu-ctc-${digit.repeat(32)}.tmp`);
  const hours = (count: number) => Date.now() / 1000 - count * 3600;
  for (const [digit, age] of [
    ['a', 30],
    ['b', 20],
  ] as const) {
    write(`leftovers/.webgpu-ctc-${digit.repeat(32)}.tmp`, 'half');
    utimesSync(temporary(digit), hours(age), hours(age));
  }
  // as version 0.1 named them
  const former = write('leftovers/.webgpu-ctc-host-12-0.tmp', 'half');
  utimesSync(former, hours(30), hours(30));
  expect(await run()).toMatchObject({ code: 0 });
  expect(existsSync(former)).toBe(false);
  expect([existsSync(temporary('a')), existsSync(temporary('b'))]).toEqual([false, true]);
});

const shownError = ({ line, ...report }: Line & { error?: string }) => [line, report.status, report.error];
const inLines = (stdout: string) =>
  reportsOf(stdout)
    .sort((a, b) => a.line - b.line)
    .map(shownError);

describe('without --force a manifest overwrites only what it has written', () => {
  const notIts = (file: string) =>
    `${place(file)}: exists already, and is not what this job wrote; --force overwrites it`;

  test('not what was there before: all outputs of a job, or one of them', async () => {
    const { run, files } = manifest('theirs', 3);
    write('theirs/0.srt', 'mine');
    write('theirs/0.json', 'mine');
    write('theirs/1.json', 'mine');
    const { code, stdout } = await run();
    expect(code).toBe(2);
    expect(inLines(stdout)).toEqual([
      [1, 'failed', notIts('theirs/0.srt')],
      [2, 'failed', notIts('theirs/1.json')],
      [3, 'done', undefined],
    ]);
    for (const file of ['0.srt', '0.json', '1.json'])
      expect(readFileSync(place(`theirs/${file}`), 'utf8')).toBe('mine');
    expect(files()).toEqual(['0.json', '0.srt', '1.json', '2.json', '2.srt']);
    expect(having('done', reportsOf((await run('--force')).stdout))).toHaveLength(3);
    expect(having('skipped', reportsOf((await run()).stdout))).toHaveLength(3);
  });

  test('not what was changed since, nor what another job wrote there, though its record is cut off', async () => {
    const { run, path } = manifest('changed', 4);
    await run();
    write('changed/0.srt', 'corrected by hand');
    // as if the power had failed
    appendFileSync(place('changed/.webgpu-ctc-done'), '\n0123456789abcdef');
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[1] = lines[1]!.replace('"text":"c"', '"text":"cc"');
    lines[2] = lines[2]!.replace('2.npy', '6.npy');
    write('changed.jsonl', lines.join('\n'));
    rmSync(place('changed/3.srt'));
    const again = await run();
    expect(inLines(again.stdout)).toEqual([
      [1, 'failed', notIts('changed/0.srt')],
      [2, 'failed', notIts('changed/1.srt')],
      [3, 'failed', notIts('changed/2.srt')],
      [4, 'done', undefined],
    ]);
    expect(readFileSync(place('changed/0.srt'), 'utf8')).toBe('corrected by hand');
    expect(inLines((await run()).stdout)[3]).toEqual([4, 'skipped', undefined]);
    // the frames of the recording are others
    expect(having('failed', reportsOf((await run('--frame-ms', '10')).stdout))).toHaveLength(4);
  });

  test('and knows it when all was moved together', async () => {
    mkdirSync(place('here/out'), { recursive: true });
    npy('here/a.npy', [24, 5], spoken([2, 3], 24, 5));
    write('here/vocab.json', JSON.parse(readFileSync(vocab, 'utf8')));
    write('here/jobs.jsonl', { emissions: 'a.npy', vocab: 'vocab.json', output: 'out/a.srt' });
    const statusIn = async (folder: string) => {
      const { stdout } = await cli([
        'decode',
        '--manifest',
        place(`${folder}/jobs.jsonl`),
        '--device',
        'cpu',
      ]);
      return reportsOf(stdout).map(({ status }) => status);
    };
    expect(await statusIn('here')).toEqual(['done']);
    renameSync(place('here'), place('there'));
    expect(await statusIn('there')).toEqual(['skipped']);
  });

  test('not what any job reads, by whatever name, even with --force', async () => {
    mkdirSync(place('inputs'), { recursive: true });
    symlinkSync(place('inputs'), place('link'));
    write('inputs/text.srt', '1\n00:00:01,000 --> 00:00:02,000\nab c\n');
    write('inputs/vocab.json', JSON.parse(readFileSync(vocab, 'utf8')));
    write('inputs/own.json', JSON.parse(readFileSync(vocab, 'utf8')));
    const job = { emissions: place('0.npy'), text: 'ab c' };
    const jobs = [
      { ...job, output: 'inputs/../link/text.srt' },
      { ...job, output: 'link/vocab.json' },
      { ...job, output: 'inputs/jobs.json' },
      { ...job, output: 'inputs/own.json', vocab: 'inputs/own.json' },
      { ...job, text: undefined, textFile: 'link/text.srt', output: 'inputs/done.srt' },
      { ...job, output: 'link/done.srt' },
      { ...job, output: ['inputs/a.srt', 'link/a.srt'] },
    ];
    const path = write('inputs.jsonl', jobs.map((each) => `${JSON.stringify(each)}\n`).join(''));
    renameSync(path, place('inputs/jobs.json'));
    symlinkSync(place('inputs/jobs.json'), path);
    const args = ['align', '--manifest', path, '--vocab', place('inputs/vocab.json'), '--device', 'cpu'];
    const before = ['text.srt', 'vocab.json', 'own.json', 'jobs.json'].map((file) =>
      readFileSync(place(`inputs/${file}`), 'utf8'),
    );
    for (const force of [[], ['--force']]) {
      const { stdout } = await cli([...args, ...force]);
      expect(inLines(stdout)).toEqual([
        [1, 'failed', `output: ${place('inputs/../link/text.srt')} is the textFile of job 5`],
        [2, 'failed', `output: ${place('link/vocab.json')} is the vocab of job 1`],
        [3, 'failed', `output: ${place('inputs/jobs.json')} is the manifest`],
        [4, 'failed', `output: ${place('inputs/own.json')} is the vocab of job 4`],
        [5, 'done', undefined],
        [6, 'failed', `output: ${place('link/done.srt')} is that of job 5`],
        [7, 'failed', `${place('link/a.srt')}: expected each output once, got it twice`],
      ]);
      const after = ['text.srt', 'vocab.json', 'own.json', 'jobs.json'].map((file) =>
        readFileSync(place(`inputs/${file}`), 'utf8'),
      );
      expect(after).toEqual(before);
    }
  });

  test('not what a line with a mistake means to read, whatever the mistake, from a file or from stdin', async () => {
    const job = { emissions: place('0.npy'), text: 'ab c' };
    const [a, b] = ['meant/a.srt', 'meant/b.srt'];
    const wrong: [line: object, key: string][] = [
      [{ ...job, vocab: 'meant/0.json', output: a, frame_ms: 40 }, 'vocab'],
      [{ ...job, vocab: 'meant/1.json', output: a, frameMs: -1 }, 'vocab'],
      [{ ...job, vocab: 'meant/2.json', output: 'a.doc' }, 'vocab'],
      [{ ...job, vocab: 'meant/3.json', output: b, id: {} }, 'vocab'],
      [{ ...job, text: undefined, text_file: 'meant/4.json', output: b }, 'textFile'],
      [{ emissions: 'meant/5.json', tensor: 5, output: b }, 'emissions'],
      [{ Emissions: 'meant/6.json', output: b }, 'emissions'],
    ];
    mkdirSync(place('meant'));
    const files = wrong.map((_, k) => place(`meant/${k}.json`));
    for (const k of wrong.keys()) write(`meant/${k}.json`, JSON.parse(readFileSync(vocab, 'utf8')));
    const before = files.map((file) => readFileSync(file, 'utf8'));
    const writes = wrong.map((_, k) => ({ ...job, id: `writes ${k}`, output: `meant/${k}.json` }));
    const [first, second] = [wrong.map(([line]) => line), writes].map((lines) =>
      lines.map((line) => JSON.stringify(line)),
    ) as [string[], string[]];
    const path = write('meant.jsonl', [...second, ...first].join('\n'));
    const args = ['align', '--vocab', vocab, '--device', 'cpu', '--force'];
    const fromFile = await cli([...args, '--manifest', path]);
    const lines = [...first, ...second]
      .join('\n')
      .replaceAll('meant/', JSON.stringify(place('meant/')).slice(1, -1));
    const fromStdin = await cli([...args, '--manifest', '-', '--jobs', '1'], { input: lines });
    for (const [{ stdout }, shift] of [
      [fromFile, 8],
      [fromStdin, 1],
    ] as const) {
      const errors = new Map(inLines(stdout).map(([line, , error]) => [line, error]));
      wrong.forEach(([, key], k) => {
        const line = shift === 8 ? k + 1 : k + 8;
        expect(errors.get(line)).toBe(`output: ${files[k]} is the ${key} of job ${k + shift}`);
      });
    }
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before);
  });

  test('not what a job of another shard writes', async () => {
    mkdirSync(place('shards'));
    const job = { emissions: place('0.npy'), output: 'shards/a.srt' };
    const path = write(
      'shards.jsonl',
      `${JSON.stringify({ ...job, text: 'ab' })}\n${JSON.stringify({ ...job, text: 'c' })}`,
    );
    const args = ['align', '--manifest', path, '--vocab', vocab, '--device', 'cpu', '--shard', '2/2'];
    expect(inLines((await cli(args)).stdout)).toEqual([
      [2, 'failed', `output: ${place('shards/a.srt')} is that of job 1`],
    ]);
  });
});

test("an id is not another job's line", async () => {
  mkdirSync(place('ids'));
  const job = { emissions: place('0.npy'), output: place('ids/a.srt') };
  const input = [
    { ...job, id: 2, text: 'ab c' },
    { ...job, text: 'ab c' },
    { ...job, id: 2, text: 'c' },
    { ...job, id: [2], text: 'c' },
  ].map((each) => JSON.stringify(each));
  for (const manifest of ['-', write('ids.jsonl', input.join('\n'))]) {
    rmSync(place('ids'), { recursive: true });
    mkdirSync(place('ids'));
    const args = ['align', '--manifest', manifest, '--vocab', vocab, '--device', 'cpu', '--jobs', '1'];
    const { stdout } = await cli(args, { input: input.join('\n') });
    expect(inLines(stdout)).toEqual([
      [1, 'done', undefined],
      [2, 'failed', `output: ${place('ids/a.srt')} is that of job 2`],
      [3, 'failed', `output: ${place('ids/a.srt')} is that of job 2`],
      [4, 'failed', 'id: expected a string or a number, got [2]'],
    ]);
  }
});

test('a queue may send a job again, but none that reads what another wrote', async () => {
  mkdirSync(place('queue'));
  const job = { id: 'x', emissions: place('0.npy'), text: 'ab c', output: place('queue/a.srt') };
  const reads = {
    ...job,
    id: 'y',
    text: undefined,
    textFile: place('queue/a.srt'),
    output: place('queue/b.srt'),
  };
  const input = [job, job, reads].map((each) => JSON.stringify(each)).join('\n');
  const args = ['align', '--manifest', '-', '--vocab', vocab, '--device', 'cpu', '--jobs', '1'];
  expect(inLines((await cli(args, { input })).stdout)).toEqual([
    [1, 'done', undefined],
    [2, 'skipped', undefined],
    [3, 'failed', `textFile: ${place('queue/a.srt')} is the output of job x`],
  ]);
});

test('paths and values that are none are told, each with its job', async () => {
  mkdirSync(place('none'));
  const job = { emissions: place('0.npy'), text: 'ab', output: 'none/a.srt' };
  symlinkSync(place('nowhere.srt'), place('none/dangling.srt'));
  const deep = `${'['.repeat(1e5)}${']'.repeat(1e5)}`;
  const jobs: [job: object | string, error: unknown][] = [
    [{ ...job, emissions: 'a\0.npy' }, "emissions: expected a path without NUL, got 'a\0.npy'"],
    [{ ...job, vocab: '\0' }, "vocab: expected a path without NUL, got '\0'"],
    [{ ...job, text: undefined, textFile: 'a\0' }, "textFile: expected a path without NUL, got 'a\0'"],
    [{ ...job, output: ['b.srt', 'a\0.srt'] }, "output: expected a path without NUL, got 'a\0.srt'"],
    [{ ...job, emissions: '-' }, expect.stringMatching(/^\S+[\\/]-: there is no such file/)],
    [
      { ...job, output: 'none/dangling.srt' },
      `${place('none/dangling.srt')}: expected a file, got a link to ${place('nowhere.srt')}, where none is`,
    ],
    [{ ...job, output: `${'x'.repeat(300)}.srt` }, expect.stringMatching(/x\.srt: ENAMETOOLONG/)],
    [
      JSON.stringify({ ...job, frameMs: 0 }).replace(':0', `:${deep}`),
      'frameMs: expected milliseconds from 0.001 to 3600000, got what is nested too deep',
    ],
    [
      JSON.stringify({ ...job, id: 0 }).replace(':0', `:${deep}`),
      'id: expected a string or a number, got what is nested too deep',
    ],
    [{ ...job, frameMs: 1e308 }, 'frameMs: expected milliseconds from 0.001 to 3600000, got 1e+308'],
    [{ ...job, unpackedMb: 0 }, 'unpackedMb: expected an integer from 1 to 1000000000, got 0'],
  ];
  const lines = jobs.map(([given]) => (typeof given === 'string' ? given : JSON.stringify(given)));
  const path = write('none.jsonl', lines.join('\n'));
  const { code, stdout } = await cli(['align', '--manifest', path, '--vocab', vocab, '--device', 'cpu']);
  expect(code).toBe(2);
  expect(reportsOf(stdout).map((report) => (report as { exit?: number }).exit)).toEqual(jobs.map(() => 2));
  expect(inLines(stdout).map(([, , error]) => error)).toEqual(jobs.map(([, error]) => error));
  expect(readdirSync(place('none'))).toEqual(['dangling.srt']);
});

describe('stdout that is gone is no success', () => {
  test('a reader that leaves ends the run with 141, and what is undone is done later', async () => {
    const { start, run, files } = manifest('left', 200);
    const program = start(200, '--device', 'cpu', '--jobs', '2');
    await program.until('stdout', (text) => having('done', reportsOf(text)).length >= 3);
    program.leave();
    const { code, stderr } = await program.end;
    expect(code).toBe(141);
    expect(stderr).toContain(
      'webgpu-ctc: stdout: expected a reader until the end, got one that left (| head)\n',
    );
    const done = files().length / 2;
    expect(done).toBeLessThan(200);
    const after = reportsOf((await run()).stdout);
    expect([having('skipped', after).length, having('done', after).length]).toEqual([done, 200 - done]);
  });

  test.runIf(system.hasFullDevice)('a full disk ends it with 2', async () => {
    const { args, files } = manifest('full', 30);
    const { code, stderr } = redirected([...args, '--device', 'cpu', '--jobs', '1'], '>/dev/full');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^webgpu-ctc: stdout: ENOSPC/m);
    expect(files().length).toBeLessThan(60);
  });
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

test.runIf(system.hasSignals)(
  'an interrupt ends what is in flight, leaves nothing half-written, and the rest is done later',
  async () => {
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
  },
);

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
      'frames of no length for all jobs',
      ['--frame-ms', '0'],
      "--frame-ms: expected milliseconds from 0.001 to 3600000, got '0'",
    ],
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
    expect(stderr).toMatch(/^webgpu-ctc: none\.jsonl: there is no such file/m);
  });

  test.runIf(system.namesDrivers)('no WebGPU with --device gpu ends at once', async () => {
    const run = await cli([...jobs.args, '--device', 'gpu'], { env: noWebgpu });
    expect(run).toMatchObject({ code: 4, stdout: '' });
    expect(jobs.files()).toEqual([]);
  });
});
