import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clock } from '../src/cli/progress.js';
import { expectGradient, expectLosses } from './bars.js';
import { strategies } from './compute.js';
import { goldens, numbers, reductions, rowMaxima } from './golden.js';
import { noWebgpu, system } from './program.js';

const repository = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'webgpu-ctc-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

function program(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, args, {
    cwd: repository,
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (written.stdout += text));
  child.stderr.on('data', (text) => (written.stderr += text));
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, ...written })),
  );
}
const cli = (args: string[], env?: NodeJS.ProcessEnv) => program(['dist/cli.js', ...args], env);
/** Dawn prints its own complaints about a driver, C++ places among them; those are not ours. */
const stackTrace = /^\s+at .*\.[cm]?[jt]s:\d/m;

beforeAll(async () => expect(await program(['scripts/setup.mjs'])).toMatchObject({ code: 0 }));

/** One JSON object per line, no line more. */
function lines(stdout: string) {
  expect(stdout.endsWith('\n')).toBe(true);
  return stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line));
}

const names = [
  'docs_padded',
  'infeasible',
  'minus_infinity_inputs',
  'nan_in_unused_class',
  'ragged',
  'repeats',
];
names.push(
  'guide_1_unbatched_unnormalised',
  'guide_3_concatenated_zero_infinity',
  'guide_4_unbatched_scalar_lengths',
);
names.push('required_at_minus_2000');

describe.each(['gpu', 'cpu'])('golden cases on the %s, many in one call', (device) => {
  test.each(reductions)('%s', async (reduction) => {
    const files = names.map((name) => `fixtures/golden/${name}.json`);
    const { code, stdout, stderr } = await cli([
      'loss',
      ...files,
      '--device',
      device,
      '--reduction',
      reduction,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringMatching(/webgpu-ctc:|error/i) });
    const results = lines(stdout);
    expect(results.map(({ name }) => name)).toEqual(names);
    for (const result of results) {
      expect(Object.keys(result)).toEqual(['name', 'loss', 'grad', 'device', 'strategy']);
      expect(result.device).toBe(device);
      expect(result.strategy).toBe('fused');
      const golden = goldens.find(({ name }) => name === result.name)!;
      const want = golden.expected[reduction]!;
      expect(Array.isArray(result.loss)).toBe(
        reduction === 'none' && golden.input.logProbs!.shape.length === 3,
      );
      const frames = golden.input.logProbs!.shape[0];
      expectLosses(numbers([result.loss].flat()), numbers([want.loss].flat()), rowMaxima(golden), frames);
      expect(result.grad).toHaveLength(golden.input.logProbs!.data.length);
      if (want.grad) expectGradient(numbers(result.grad), numbers(want.grad));
    }
    const infeasible = results[names.indexOf('infeasible')];
    if (reduction !== 'none') expect(infeasible.loss).toBe('Infinity');
    expect(infeasible.grad).toContain('NaN');
  });
});

test.each(strategies)('--strategy %s is what computes', async (strategy) => {
  const golden = goldens.find(({ name }) => name === 'repeats')!;
  const { code, stdout } = await cli(['loss', 'fixtures/golden/repeats.json', '--strategy', strategy]);
  expect(code).toBe(0);
  const [result] = lines(stdout);
  expect(result.strategy).toBe(strategy);
  expectGradient(numbers(result.grad), numbers(golden.expected.mean!.grad!));
});

/** A case of two sequences that is right but for what is changed. */
const good = {
  name: 'good',
  shape: [3, 2, 3],
  logProbs: Array(18).fill(-1.0986),
  targets: [[1], [2]] as unknown,
  targetsLayout: 'padded',
  inputLengths: [3, 3],
  targetLengths: [1, 1],
  blank: 0,
  zeroInfinity: false,
};
const numbersWith = (value: unknown) => good.logProbs.with(4, value as number);

describe('a bad file ends with code 2 and a message that names file and key', () => {
  // biome-ignore format: a table, one mistake a line
  const bad: [what: string, content: unknown, message: string | RegExp][] = [
    ['empty', '', /^not JSON: /],
    ['not JSON', 'shape: [1]', /^not JSON: /],
    ['truncated', JSON.stringify(good).slice(0, 60), /^not JSON: /],
    ['an array', [good], /^\(top level\): expected an object, got \[/],
    ['null', null, '(top level): expected an object, got null'],
    ["PyTorch's spelling", { input_lengths: [1, 1] }, 'input_lengths: unknown key; did you mean inputLengths?'],
    ['a key that nobody knows', { colour: 1 }, 'colour: unknown key; known are name, shape, logProbs, logits, probs, targets, targetsLayout, inputLengths, targetLengths, blank, zeroInfinity'],
    ['a blank that is nested', `${JSON.stringify({ ...good, blank: undefined }).slice(0, -1)},"blank":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, /^blank: expected an integer ≥ 0, got /],
    ['targets that are nested', `${JSON.stringify({ ...good, targets: undefined }).slice(0, -1)},"targets":{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`, /^targets: expected an array, got what is nested too deep/],
    ['a name that is none', { name: {} }, 'name: expected a string, got {}'],
    ['null for lengths', { inputLengths: null }, 'inputLengths: expected an array of integers, or one integer, got null'],
    ['no shape', { shape: undefined }, 'shape: expected [T, N, C] or [T, C], got nothing'],
    ['a shape as text', { shape: '3,2,3' }, 'shape: expected [T, N, C] or [T, C], got "3,2,3"'],
    ['an empty shape', { shape: [], logProbs: [1] }, /shape: expected \[T, N, C\]/],
    ['a shape of strings', { shape: ['3', 2, 3] }, /shape\[0\].*: expected an integer ≥ 1, got ['"]3['"]/],
    ['a negative shape', { shape: [-3, -2, 3] }, /shape\[0\].*: expected an integer ≥ 1, got -3/],
    ['an empty axis', { shape: [0, 2, 3], logProbs: [] }, /shape\[0\].*: expected an integer ≥ 1, got 0/],
    ['a shape of null', { shape: [null, 2, 3], logProbs: [] }, /shape\[0\].*: expected an integer ≥ 1, got null/],
    ['a huge shape with little data', { shape: [1e6, 1e6, 1e6] }, 'logProbs: expected 1000000000000000000 values (the product of shape), got 18'],
    ['too little data', { shape: [3, 2, 4] }, 'logProbs: expected 24 values (the product of shape), got 18'],
    ['no logProbs', { logProbs: undefined }, /^expected exactly one of logits, logProbs and probs, got none/],
    ['both', { logits: [1] }, /^expected exactly one of logits, logProbs and probs, got logProbs and logits/],
    ['logProbs as text', { logProbs: '1' }, 'logProbs: expected a flat array of numbers, got "1"'],
    ['nested logProbs', { logProbs: [[[1]]] }, 'shape: expected [1, 1, 1], that of logProbs, got [3,2,3]'],
    ['ragged logProbs', { shape: undefined, logProbs: [[[1, 2]], [[1]]] }, 'logProbs[1][0]: expected 2 values, as in the first row, got [1]'],
    ['nested logProbs of the right count', { logProbs: numbersWith([1]) }, 'logProbs[4]: expected a number, "NaN", "Infinity" or "-Infinity", got [1]'],
    ['a wrong string', { logProbs: numbersWith('-inf') }, 'logProbs[4]: expected a number, "NaN", "Infinity" or "-Infinity", got "-inf"'],
    ['a number as string', { logProbs: numbersWith('1') }, 'logProbs[4]: expected a number, "NaN", "Infinity" or "-Infinity", got "1"'],
    ["a word that every object knows", { logProbs: numbersWith('constructor') }, 'logProbs[4]: expected a number, "NaN", "Infinity" or "-Infinity", got "constructor"'],
    ['null among the numbers', { logProbs: numbersWith(null) }, 'logProbs[4]: expected a number, "NaN", "Infinity" or "-Infinity", got null'],
    ['no targets', { targets: undefined }, 'targets: expected an array, got nothing'],
    ['a label out of range', { targets: [[1], [3]] }, 'targets[1][0]: expected a class from 0 to 2 other than the blank (0), got 3'],
    ['a label equal to the blank', { blank: 2 }, 'targets[1][0]: expected a class from 0 to 2 other than the blank (2), got 2'],
    ['a fractional label', { targets: [[1.5], [2]] }, 'targets[0][0]: expected a class from 0 to 2 other than the blank (0), got 1.5'],
    ['a label as string', { targets: [['1'], [2]] }, "targets[0][0]: expected a class from 0 to 2 other than the blank (0), got '1'"],
    ['too few targets', { targets: [[1]] }, /targets: expected 2 .*got 1/],
    ['a wrong targetsLayout', { targetsLayout: 'flat' }, 'targetsLayout: expected "padded" or "concatenated", got "flat"'],
    ['padded but flat', { targets: [1, 2] }, /^targets: expected an array of rows/],
    ['concatenated but nested', { targetsLayout: 'concatenated' }, /^targets: expected a flat array/],
    ['concatenated, not adding up', { targetsLayout: 'concatenated', targets: [1, 2, 1] }, /^targets: expected 2 labels/],
    ['a blank out of range', { blank: 3 }, 'blank: expected an integer from 0 to 2 (C − 1), got 3'],
    ['a blank as string', { blank: '0' }, "blank: expected an integer ≥ 0, got '0'"],
    ['zeroInfinity as string', { zeroInfinity: 'no' }, "zeroInfinity: expected a boolean, got 'no'"],
    ['an input length too long', { inputLengths: [3, 4] }, 'inputLengths[1]: expected an integer from 0 to 3 (T), got 4'],
    ['a negative input length', { inputLengths: [3, -1] }, 'inputLengths[1]: expected an integer from 0 to 3 (T), got -1'],
    ['too few input lengths', { inputLengths: [3] }, /^inputLengths: expected 2 .*got 1/],
    ['lengths as text', { inputLengths: '33' }, /^inputLengths: expected .*, got '33'/],
    ['a target length too long', { targetLengths: [1, 2] }, 'targetLengths[1]: expected at most 1 (its row of targets), got 2'],
    ['null among the lengths', { targetLengths: [1, null] }, /^targetLengths\[1\]: expected an integer.*, got null/],
  ];

  test('all of them in one call, and a good one after them still has its answer', async () => {
    const file = (i: number) => join(folder, `bad-${i}.json`);
    bad.forEach(([, content], i) => {
      const isChange = typeof content === 'object' && content !== null && !Array.isArray(content);
      const whole = isChange ? { ...good, ...content } : content;
      writeFileSync(file(i), typeof whole === 'string' ? whole : JSON.stringify(whole));
    });
    const remarks = { origin: 'a test', note: 'no key besides these', expected: {} };
    writeFileSync(join(folder, 'good.json'), JSON.stringify({ ...good, ...remarks }));
    const files = [...bad.keys()].map(file);
    const missing = join(folder, 'missing.json');
    const all = [...files, missing, folder, join(folder, 'good.json')];
    const { code, stdout, stderr } = await cli(['loss', ...all, '--device', 'cpu']);
    expect(code).toBe(2);
    expect(lines(stdout)).toMatchObject([{ name: 'good' }]);
    expect(stderr).not.toMatch(stackTrace);
    const messages = stderr.split('\nwebgpu-ctc: ').map((line) => line.replace(/^webgpu-ctc: |\n$/g, ''));
    const seen = bad.map(([what], i) => {
      const told = messages.find((message) => message.startsWith(`${file(i)}: `));
      return [what, told?.slice(file(i).length + 2)];
    });
    const wanted = bad.map(([what, , message]) => [
      what,
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
    expect(seen).toEqual(wanted);
    expect(stderr).toContain(`webgpu-ctc: ${missing}: there is no such file`);
    expect(stderr).toContain(`webgpu-ctc: ${folder}: expected a file, got a folder`);
  });
});

test('the time that is left is told once it can be known', () => {
  let now = 0;
  const text = clock(() => now);
  const told = [
    [1000, 0.5],
    [10_000, 0.01],
    [10_000, 0.25],
    [10_000, 0.05],
    [100_000, 0.02],
    [1_000_000, 0.1],
    [10_000, 1],
  ].map(([ms, share]) => {
    now = ms!;
    return text(share!);
  });
  expect(told).toEqual([
    '50 %',
    '1 %',
    '25 %, 30 s left',
    '5 %, 3 min left',
    '2 %, 1 h 22 min left',
    '10 %, 2 h 30 min left',
    '100 %',
  ]);
});

describe('a wrong command line ends with code 2, the reason and the usage', () => {
  test.each([
    ['nothing', [], 'expected a command, loss, align, decode, rank, lm, info or completion, got none'],
    [
      'an unknown command',
      ['los'],
      "expected a command, loss, align, decode, rank, lm, info or completion, got 'los'; did you mean loss?",
    ],
    ['no file', ['loss'], 'loss: expected case files, got none'],
    ['an unknown option', ['loss', 'a.json', '--zero'], /--zero: unknown option/],
    [
      'an unknown reduction',
      ['loss', 'a.json', '--reduction', 'avg'],
      "--reduction: expected none, sum, mean, got 'avg'",
    ],
    [
      'an unknown device',
      ['loss', 'a.json', '--device', 'GPU'],
      "--device: expected auto, gpu, cpu, got 'GPU'",
    ],
    [
      'an unknown strategy',
      ['loss', 'a.json', '--strategy', 'x'],
      "--strategy: expected auto, step, fused, tiled, got 'x'",
    ],
    ['an option without value', ['loss', 'a.json', '--device'], /--device/],
    ['info with a file', ['info', 'a.json'], "info: expected nothing after it, got 'a.json'"],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await cli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const [first] = stderr.split('\n');
    if (typeof message === 'string') expect(first).toBe(`webgpu-ctc: ${message}`);
    else expect(first).toMatch(message);
    expect(stderr).toContain(`usage: webgpu-ctc ${args[0] === 'info' ? 'info' : 'loss CASE.json…'}`);
    expect(stderr).not.toMatch(stackTrace);
  });

  test.each([
    [['aling'], /got 'aling'; did you mean align\?/],
    [
      ['align', '--vocap', 'v.json', 'a.npy'],
      /--vocap: unknown option; did you mean --vocab\?\n\nusage: webgpu-ctc align/,
    ],
    [['align', 'a.npy', '--json=yes'], /--json: expected no value, got 'yes'/],
    [['align', 'a.npy', '--vocab', '--force'], /--vocab: expected a value/],
    [['completion', 'bahs'], /expected bash, zsh, fish, got bahs; did you mean bash\?/],
  ])('%j', async (args, message) => {
    const { code, stderr } = await cli(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
    // its own usage alone
    expect(stderr.match(/usage: /g)!.length).toBe(1);
  });

  test('--version is that of the package; completion completes in a shell', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
    expect(await cli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    const { stdout } = await cli(['completion', 'bash']);
    const complete = (words: string[]) =>
      spawnSync(
        'bash',
        [
          '-c',
          `${stdout}\nCOMP_WORDS=(webgpu-ctc ${words.join(' ')}); COMP_CWORD=${words.length}; _webgpu_ctc; echo "\${COMPREPLY[@]}"`,
        ],
        { encoding: 'utf8' },
      ).stdout.trim();
    if (spawnSync('bash', ['--version']).status !== 0) return;
    expect(complete(['al'])).toBe('align');
    expect(complete(['align', '--voc'])).toBe('--vocab');
    expect(complete(['loss', '--expect-'])).toBe('--expect-grad --expect-loss');
  });

  test('--help is no mistake', async () => {
    const { code, stdout, stderr } = await cli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^usage: webgpu-ctc loss/);
  });
});

describe.runIf(system.namesDrivers)('where WebGPU is impossible', () => {
  const file = 'fixtures/golden/repeats.json';

  test('--device gpu ends with code 4 and says why', async () => {
    const { code, stdout, stderr } = await cli(['loss', file, '--device', 'gpu'], noWebgpu);
    expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
    expect(stderr).toMatch(/^webgpu-ctc: .*nonexistent\.json/m);
    expect(stderr).not.toMatch(stackTrace);
  });

  test('--device auto runs on the CPU', async () => {
    const { code, stdout } = await cli(['loss', file], noWebgpu);
    expect(code).toBe(0);
    expect(lines(stdout)).toMatchObject([{ name: 'repeats', device: 'cpu', strategy: 'fused' }]);
  });

  test('info says why, and what to do', async () => {
    const { code, stdout } = await cli(['info'], noWebgpu);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^adapter +none/);
    expect(stdout).toMatch(/^why +.*nonexistent\.json/m);
  });
});

test('info names the adapter, features and limits', async () => {
  const { code, stdout } = await cli(['info']);
  expect(code).toBe(0);
  for (const line of [/^adapter +\w/m, /^features +\S/m, /^maxStorageBufferBindingSize +[\d,]{9}/m]) {
    expect(stdout).toMatch(line);
  }
});
