import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as loss from '../src/cli/loss-command.js';
import { readNpy, writeNpy } from '../src/files/npy.js';
import { expectGradient, expectLosses } from './bars.js';
import { goldens, numbers, rowMaxima } from './golden.js';
import { cli, failureOf, json, safetensors, workshop } from './program.js';

const { place, write, npy } = workshop('loss');
const ints = (file: string, shape: readonly number[], values: readonly number[]) =>
  write(file, writeNpy(Int32Array.from(values), shape));
const goldenOf = (name: string) => {
  const golden = goldens.find((one) => one.name === name)!;
  const { data, shape } = golden.input.logProbs!;
  return { golden, shape, file: npy(`${name}.npy`, shape, data as Float32Array) };
};
const list = (values: unknown) => (values as number[]).join(',');

describe.each(['gpu', 'cpu'])('golden cases from .npy on the %s', (device) => {
  // biome-ignore format: a table
  test.each([
    ['ragged', 'rows in JSON', (rows: number[][]) => write('ragged.json', rows)],
    ['repeats', 'padded rows in .npy', (rows: number[][]) => ints('repeats-targets.npy', [rows.length, rows[0]!.length], rows.flat())],
  ])('%s, %s', async (name, _, targetsOf) => {
    const { golden, shape, file } = goldenOf(name);
    const { inputLengths, targetLengths } = golden.input;
    const grad = place(`${name}-${device}-grad.npy`);
    const { code, stdout, stderr } = await cli([
      ...['loss', file, '--targets', targetsOf(golden.input.targets as number[][]), '--grad', grad],
      ...['--input-lengths', write(`${name}-lengths.json`, inputLengths as number[])],
      ...['--target-lengths', list(targetLengths), '--blank', String(golden.blank)],
      ...['--input', 'log-probs', '--reduction', 'sum', '--device', device],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `${file}: log-probs (as asked), [${shape.join(', ')}] as TNC\n` });
    const [line] = json(stdout);
    expect(line).toMatchObject({ name: `${name}.npy`, device, strategy: 'fused', grad });
    const want = golden.expected.sum!;
    expectLosses([line.loss], numbers([want.loss].flat()), rowMaxima(golden), shape[0]);
    const written = readNpy(readFileSync(grad), grad);
    expect(written.shape).toEqual(shape);
    expectGradient(Array.from(written.data), numbers(want.grad!));
  });
});

describe('what goes in', () => {
  const scores = [3, 1, 2, 0, 2, 5, 1, 1, 4, 0];
  const totals = [0, 5].map((at) =>
    Math.log(scores.slice(at, at + 5).reduce((sum, x) => sum + Math.exp(x), 0)),
  );
  const logProbs = scores.map((x, i) => x - totals[i < 5 ? 0 : 1]!);
  const logits = npy('logits.npy', [2, 5], scores);
  const on = ['--device', 'cpu'];
  const lossOf = async (...args: string[]) => json((await cli(['loss', ...args, ...on])).stdout)[0].loss;
  const known = -[0, 1, 2]
    .map((k) => logProbs[[2, 0, 2][k]!]! + logProbs[5 + [2, 2, 0][k]!]!)
    .reduce((a, b) => Math.log(Math.exp(a) + Math.exp(b)));

  test.each([
    ['TNC', [3, 2, 2], [0, 1], '0, 1'],
    ['NTC', [2, 3, 2], [1, 0], '1, 0'],
  ] as const)(
    '%s: a row of zeros is refused within the length of its sequence, and padding after it',
    async (layout, shape, at, place) => {
      const half = Math.log(0.5);
      const rowsOf = (zeros: (t: number, n: number) => boolean) =>
        Array.from({ length: 6 }, (_, row) => {
          const [t, n] = layout === 'TNC' ? [row >> 1, row % 2] : [row % 3, Math.floor(row / 3)];
          return zeros(t, n) ? [0, 0] : [half, half];
        }).flat();
      const args = [
        '--targets',
        ints(`${layout}-t.npy`, [2, 1], [1, 1]),
        '--layout',
        layout,
        '--reduction',
        'none',
      ];
      const padded = npy(
        `${layout}-padded.npy`,
        shape,
        rowsOf((t, n) => n === 1 && t > 1),
      );
      expect(await lossOf(padded, ...args, '--input-lengths', '3,2')).toEqual([
        expect.closeTo(-Math.log(6 / 8), 5),
        expect.closeTo(-Math.log(3 / 4), 5),
      ]);
      const message = (file: string, row: string) =>
        `${file}: [${row}]: expected log-probabilities, got a row of zeros`;
      const last = layout === 'TNC' ? '2, 1' : '1, 2';
      for (const lengths of [[], ['--input-lengths', '3']])
        expect(await failureOf(loss.run, [padded, ...args, ...lengths, ...on])).toEqual({
          code: 2,
          message: message(padded, last),
        });
      const wrong = npy(
        `${layout}-wrong.npy`,
        shape,
        rowsOf((t, n) => (layout === 'TNC' ? t === at[0] && n === at[1] : n === at[0] && t === at[1])),
      );
      expect(await failureOf(loss.run, [wrong, ...args, '--input-lengths', '3,2', ...on])).toEqual({
        code: 2,
        message: message(wrong, place),
      });
    },
  );

  test('logits, log-probs, probs, a tensor of several and another layout give the same loss', async () => {
    const several = write(
      'several.safetensors',
      safetensors({ x: Float32Array.from(scores), y: new Float32Array(5) }),
    );
    const all = [
      [logits],
      [npy('log-probs.npy', [2, 5], logProbs)],
      [npy('probs.npy', [2, 5], logProbs.map(Math.exp))],
      [`${several}:x`],
      [npy('batch.npy', [1, 2, 5], scores), '--layout', 'NTC'],
      [
        npy(
          'last.npy',
          [2, 5],
          scores.map((_, i) => scores[5 * Math.floor(i / 5) + [4, 1, 2, 3, 0][i % 5]!]!),
        ),
        '--blank',
        '4',
      ],
    ];
    for (const args of all) expect(await lossOf(...args, '--targets', '2')).toBeCloseTo(known, 5);
  });

  test('without --grad no gradient is computed, and with it the file is written once', async () => {
    const { stdout } = await cli(['loss', logits, '--targets', '2', ...on]);
    expect(Object.keys(json(stdout)[0])).toEqual(['name', 'loss', 'device', 'strategy']);
    const grad = write('grad.npy', 'mine');
    const args = ['loss', logits, '--targets', '2', '--grad', grad, ...on];
    expect(await cli(args)).toMatchObject({
      code: 2,
      stderr: `webgpu-ctc: ${grad}: exists already; --force overwrites it\n`,
    });
    expect(await cli([...args, '--force'])).toMatchObject({ code: 0 });
    expect(readNpy(readFileSync(grad), grad).shape).toEqual([2, 5]);
  });

  test('emissions, and a case, from stdin', async () => {
    const args = ['loss', '-', ...on];
    const [ofTensor] = json((await cli([...args, '--targets', '2'], { input: readFileSync(logits) })).stdout);
    expect(ofTensor.loss).toBeCloseTo(known, 5);
    const [ofCase] = json(
      (await cli(args, { input: JSON.stringify({ shape: [2, 5], logProbs, targets: [2] }) })).stdout,
    );
    expect(ofCase.loss).toBeCloseTo(known, 5);
  });

  // biome-ignore format: a table, one mistake a line
  test.each<[what: string, args: string[], message: string | RegExp]>([
    ['no targets', [logits], `--targets: expected the labels of ${logits}, got none`],
    ['two files', [logits, logits, '--targets', '2'], `loss: expected one file of emissions with --targets, got ${logits} ${logits}`],
    ['a case with --grad', ['case.json', '--grad', 'g.npy'], '--grad: expected with .npy, .npz or .safetensors, got case files'],
    ['a gradient that is no .npy', [logits, '--targets', '2', '--grad', 'g.json'], "--grad: expected a name that ends in .npy, got 'g.json'"],
    ['targets of no file', [logits, '--targets', 'a,b'], "--targets: expected integers, such as 1,2,3, or the name of a file, got 'a,b'"],
    ['empty targets', [logits, '--targets', ''], "--targets: expected integers, such as 1,2,3, or the name of a file, got ''"],
    ['a negative label', [logits, '--targets=-1,2'], "--targets: expected integers, such as 1,2,3, or the name of a file, got '-1,2'"],
    ['lengths with a fraction', [logits, '--targets', '2', '--input-lengths', '1.5'], "--input-lengths: expected integers, such as 1,2,3, or the name of a file, got '1.5'"],
    ['empty lengths', [logits, '--targets', '2', '--target-lengths', ''], "--target-lengths: expected integers, such as 1,2,3, or the name of a file, got ''"],
    ['an empty name', [''], "loss: expected names of files, got ''"],
    ['targets that are no list', [logits, '--targets', write('object.json', { a: 1 })], /object\.json: expected an array of labels, or of rows of labels$/],
    ['targets with a fraction', [logits, '--targets', npy('fractions.npy', [1], [2])], /fractions\.npy: dtype: expected one of i1, u1,/],
    ['a target out of range', [logits, '--targets', '5'], `${logits}: targets[0][0]: expected a class from 0 to 4 other than the blank (0), got 5`],
    ['a blank that is no number', [logits, '--targets', '2', '--blank', 'auto'], "--blank: expected an integer ≥ 0, got 'auto'"],
    ['a length too long', [logits, '--targets', '2', '--input-lengths', '3'], `${logits}: inputLengths: expected an integer from 0 to 2 (T), got 3`],
    ['lengths in rows', [logits, '--targets', '2', '--input-lengths', ints('rows.npy', [1, 1], [2])], /^--input-lengths: expected a flat list of lengths, got '.*rows\.npy'$/],
    ['scores that are no probabilities', [logits, '--targets', '2', '--input', 'probs'], `${logits}: [0, 0]: expected a probability, got 3`],
    ['an unknown layout', [logits, '--targets', '2', '--layout', 'CT'], "--layout: expected TNC, NTC, TC, got 'CT'"],
    ['a layout that does not fit', [logits, '--targets', '2', '--layout', 'TNC'], /expected 3 sizes for the layout TNC, got \[2, 5\]$/],
  ])('%s', async (_, args, message) => {
    expect(await failureOf(loss.run, [...args, ...on])).toEqual({
      code: 2,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });
});
