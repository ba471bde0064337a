import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as align from '../src/cli/align-command.js';
import * as decode from '../src/cli/decode-command.js';
import * as loss from '../src/cli/loss-command.js';
import { scoreKindOf } from '../src/files/emissions.js';
import { writeTimedText } from '../src/files/formats.js';
import { writeNpy } from '../src/files/npy.js';
import {
  cli,
  failureOf,
  json,
  noWebgpu,
  npz,
  redirected,
  safetensors,
  spoken,
  start,
  system,
  workshop,
} from './program.js';

const { folder, place, write, npy } = workshop('align');
const speech = (file: string) => `fixtures/speech/${file}`;
const clips: { name: string; text: string; greedy: string; words: { word: string; start: number }[] }[] =
  JSON.parse(readFileSync(speech('clips.json'), 'utf8'));
const { text: sentence, greedy } = clips[0]!;
const real = [speech('clip1.logits.npy'), '--vocab', speech('vocab.json')];

const vocabulary = { '<pad>': 0, '|': 1, a: 2, b: 3, c: 4 };
const vocab = write('vocab.json', vocabulary);
const [frames, width] = [24, 5];
const logits = spoken([2, 3, 1, 4], frames, width); // ab c
const small = npy('small.npy', [frames, width], logits);
const normalised = new Float32Array(logits.length);
for (let t = 0; t < frames; t++) {
  const row = logits.subarray(t * width, (t + 1) * width);
  const total = row.reduce((sum, score) => sum + Math.exp(score), 0);
  normalised.set(
    row.map((score) => score - Math.log(total)),
    t * width,
  );
}
const aligned = (file: string, ...args: string[]) =>
  cli(['align', file, '--vocab', vocab, '--device', 'cpu', '--text', 'ab c', ...args]);
const wordsIn = (stdout: string) =>
  JSON.parse(stdout).words.map(({ text, start, end }: Record<string, unknown>) => [text, start, end]);
const spokenWords = [
  ['ab', 0.06, 0.24],
  ['c', 0.42, 0.48],
];

describe.each(['gpu', 'cpu'])('a spoken sentence on the %s', (device) => {
  const on = ['--device', device];

  test('all formats in one call, and the words start where they were spoken', async () => {
    const outputs = ['srt', 'vtt', 'TextGrid', 'ctm', 'json'].map((format) =>
      place(`clip-${device}.${format}`),
    );
    const { code, stdout, stderr } = await cli([
      ...['align', ...real, '--text', sentence, ...on],
      ...outputs.flatMap((output) => ['-o', output]),
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr.match(/on the (gpu|cpu): \S/g)).toEqual([
      `on the ${device}: ${stderr.match(/on the .pu: (\S)/)![1]}`,
    ]);
    expect(stderr).toContain(
      "logits (detected), T = 382, C = 29, S = 74, frames of 20 ms, blank 0 (the vocabulary has '<blank>')",
    );
    const [srt, vtt, grid, ctm, whole] = outputs.map((output) => readFileSync(output, 'utf8'));
    expect(srt).toMatch(/^1\n00:00:00,260 --> 00:00:03,460\nalice was beginning/);
    expect(vtt).toMatch(/^WEBVTT\n\n00:00:00\.260 --> /);
    expect(grid).toMatch(/xmax = 7\.640[\s\S]*name = "words"[\s\S]*name = "characters"/);
    expect(ctm).toMatch(/^clip1\.logits 1 0\.260 0\.360 alice 0\.9\d\d\n/);
    const { words, text, duration } = JSON.parse(whole!);
    expect({ text, duration }).toEqual({ text: sentence, duration: 7.64 });
    const late = clips[0]!.words
      .map(({ start }, i) => Math.abs(words[i].start - start))
      .sort((a, b) => a - b);
    expect(late[late.length >> 1]).toBeLessThan(0.035);
    expect(late.at(-1)).toBeLessThan(0.18);
  });

  test('decode prints the text', async () => {
    const { code, stdout } = await cli(['decode', ...real, ...on]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${greedy}\n` });
  });
});

describe('what goes in', () => {
  test.each([
    ['[T, C]', [frames, width]],
    ['[1, T, C]', [1, frames, width]],
    ['[T, 1, C]', [frames, 1, width]],
  ])('%s', async (_, shape) => {
    const { code, stdout } = await aligned(npy('shape.npy', shape, logits));
    expect(code).toBe(0);
    expect(wordsIn(stdout)).toEqual(spokenWords);
  });

  test.each([
    ['logits', logits],
    ['log-probs', normalised],
    ['probs', normalised.map(Math.exp)],
  ])('%s: rows of zeros at the end are cut off, and told', async (kind, values) => {
    const zeros = Array.from({ length: 3 * width }, () => 0);
    const file = npy(`${kind}-padded.npy`, [frames + 3, width], [...values, ...zeros]);
    const { stdout, stderr } = await aligned(file);
    expect(wordsIn(stdout)).toEqual(spokenWords);
    expect(stderr).toContain(`T = ${frames} (rows that say nothing cut off at the end: 3), C = ${width}`);
    expect(json((await aligned(file, '--json')).stdout)).toMatchObject([{ frames, padding: 3 }]);
    expect(json((await aligned(small, '--json')).stdout)[0]).not.toHaveProperty('padding');
  });

  test.each([
    ['logits', logits],
    ['log-probs', normalised],
    ['probs', normalised.map(Math.exp)],
  ])('%s, detected and told, or as asked', async (kind, values) => {
    const file = npy(`${kind}.npy`, [frames, width], values);
    const detected = await aligned(file);
    expect(detected.stderr).toContain(`${kind} (detected)`);
    const asked = await aligned(file, '--input', kind);
    expect(asked.stderr).toContain(`${kind} (as asked)`);
    for (const { stdout } of [detected, asked]) {
      const { score } = JSON.parse(stdout);
      expect(wordsIn(stdout)).toEqual(spokenWords);
      expect(score).toBeCloseTo(-frames * Math.log(1 + 4 * Math.exp(-8)), 4);
    }
  });

  test('padding of zeros does not hide what the rows are, and all zeros are logits', () => {
    const padded = (values: Float32Array) => Float32Array.from([...values, ...new Float32Array(2 * width)]);
    expect(scoreKindOf(padded(normalised), width)).toBe('log-probs');
    expect(scoreKindOf(padded(normalised.map(Math.exp)), width)).toBe('probs');
    expect(scoreKindOf(padded(logits), width)).toBe('logits');
    expect(scoreKindOf(new Float32Array(10), width)).toBe('logits');
  });

  test('a tensor of several, by FILE:NAME or --tensor, or the only one that can be scores', async () => {
    const two = write('two.safetensors', safetensors({ logits, other: logits }));
    for (const args of [[`${two}:logits`], [two, '--tensor', 'logits']]) {
      const [file, ...rest] = args as [string];
      expect(wordsIn((await aligned(file, ...rest)).stdout)).toEqual(spokenWords);
    }
    const one = write('one.safetensors', safetensors({ logits, lengths: Int32Array.of(frames) }));
    expect(wordsIn((await aligned(one)).stdout)).toEqual(spokenWords);
  });

  describe('of several tensors without a name', () => {
    const retyped = (bytes: Uint8Array, from: string, to: string) => {
      const text = Buffer.from(bytes).toString('latin1').replace(from, to);
      return Buffer.from(text.replace(`${' '.repeat(to.length - from.length)}\n`, '\n'), 'latin1');
    };
    const scores = readFileSync(small);
    const teacher = writeNpy(logits.toReversed(), [frames, width]);
    const flipped = Buffer.from(npz({ logits: scores, teacher }));
    flipped[flipped.indexOf('PK\x03\x04') + 14]! ^= 1; // its CRC-32
    flipped[flipped.indexOf('PK\x01\x02') + 16]! ^= 1;

    // biome-ignore format: a table
    test.each<[what: string, bytes: Uint8Array, message: RegExp]>([
      ['is damaged', flipped, /^logits\.npy: CRC-32: expected \d+, got \d+; /],
      ['is cut off', npz({ teacher, logits: scores.subarray(0, 300) }), /^logits: shape: expected 480 bytes .*; /],
      ['has a longer float', npz({ logits: retyped(scores, "'<f4'", "'<f16'"), teacher }), /^logits: dtype: expected one of .*, got '<f16'; /],
      ['has complex numbers', npz({ teacher, logits: retyped(scores, "'<f4'", "'<c8'") }), /^logits: dtype: expected one of .*, got '<c8'; /],
      ["has a type of somebody's own", npz({ teacher, logits: retyped(scores, "'<f4'", "'|V4'") }), /^logits: dtype: expected one of .*, got '\|V4'; /],
      ['has a float of eight bits', Buffer.from(Buffer.from(safetensors({ logits, teacher: logits })).toString('latin1').replace('"F32"', '"F8" '), 'latin1'), /^logits: dtype: expected one of .*, got 'F8'; /],
    ])('one that %s may be the very one, and is told', async (what, bytes, message) => {
      const file = write(`${what.replaceAll(' ', '-')}.npz`, bytes);
      const told = expect.stringMatching(message);
      for (const [run, args] of [
        [decode.run, [file, '--vocab', vocab]],
        [loss.run, [file, '--targets', '1']],
      ] as const) {
        const failure = await failureOf(run, [...args, '--device', 'cpu']);
        expect(failure).toEqual({ code: 2, message: expect.stringContaining(`${file}: `) });
        expect(failure.message.slice(file.length + 2)).toEqual(told);
        expect(failure.message).toMatch(/; choose one with .*:NAME$/);
      }
    });

    test('text and long integers are no scores, and what was taken is told by its name', async () => {
      const text = retyped(writeNpy(Int32Array.of(97, 98), [2]), "'<i4'", "'<U1'");
      const long = retyped(retyped(writeNpy(Int32Array.of(-1, 5), [2]), "'<i4'", "'<i8'"), '(2,)', '(1,)');
      const file = write('mixed.npz', npz({ text, long, logits: scores }));
      const { stdout, stderr } = await aligned(file);
      expect(wordsIn(stdout)).toEqual(spokenWords);
      expect(stderr).toContain(`${file}: logits: logits (detected), T = 24`);
      expect(json((await aligned(file, '--json')).stdout)).toMatchObject([
        { emissions: file, tensor: 'logits' },
      ]);
      expect(json((await aligned(small, '--json')).stdout)[0]).not.toHaveProperty('tensor');
      const ofLoss = await cli(['loss', file, '--targets', '1', '--device', 'cpu']);
      expect(ofLoss.stderr).toBe(`${file}: logits: logits (detected), [24, 5] as TC\n`);
      expect(json(ofLoss.stdout)).toMatchObject([{ tensor: 'logits' }]);
    });
  });

  test('a .npz that unpacks to far more than it weighs is refused, unless --unpacked-mb allows it', async () => {
    const frames = 4_000_000;
    const silence = write(
      'silence.npz',
      npz({ logits: writeNpy(new Float32Array(frames * width), [frames, width]) }),
    );
    const [bytes, most] = [4 * frames * width + 128, 2 ** 26];
    for (const named of [silence, `${silence}:logits`]) {
      const args = ['decode', named, '--vocab', vocab, '--device', 'cpu'];
      const message = `${silence}: logits.npy: size: expected at most ${most} bytes (--unpacked-mb), got ${bytes}`;
      expect(await failureOf(decode.run, args.slice(1))).toEqual({ code: 2, message });
    }
    const one = write('one.npz', npz({ logits: readFileSync(small) }));
    expect(wordsIn((await aligned(one, '--unpacked-mb', '1')).stdout)).toEqual(spokenWords);
    const tooMuch = ['--targets', '1', '--unpacked-mb', '79', '--device', 'cpu'];
    expect(await failureOf(loss.run, [silence, ...tooMuch])).toEqual({
      code: 2,
      message: `${silence}: logits.npy: size: expected at most 79000000 bytes (--unpacked-mb), got ${bytes}`,
    });
  });

  test('a text file, with a vocabulary as a list', async () => {
    const file = write('text.txt', 'ab\nc\n');
    const list = write('list.json', Object.keys(vocabulary));
    const { stdout } = await cli(['align', small, '--vocab', list, '--text-file', file, '--device', 'cpu']);
    expect(wordsIn(stdout)).toEqual(spokenWords);
  });

  test.each(['emissions', 'text', 'vocab'])('%s from stdin', async (which) => {
    const input = { emissions: readFileSync(small), text: 'ab c', vocab: JSON.stringify(vocabulary) }[which];
    const text = which === 'text' ? ['--text-file', '-'] : ['--text', 'ab c'];
    const args = [which === 'emissions' ? '-' : small, '--vocab', which === 'vocab' ? '-' : vocab, ...text];
    const { code, stdout } = await cli(['align', ...args, '--device', 'cpu'], { input });
    expect(code).toBe(0);
    expect(wordsIn(stdout)).toEqual(spokenWords);
  });

  test('--frame-ms stretches time, --blank is used and told', async () => {
    const { stdout, stderr } = await aligned(small, '--frame-ms', '12.5', '--blank', '0');
    expect(wordsIn(stdout)).toEqual([
      ['ab', 0.0375, 0.15],
      ['c', 0.2625, 0.3],
    ]);
    expect(stderr).toContain('frames of 12.5 ms, blank 0 (it was given)');
  });

  test('--split word and char: what a cue holds', async () => {
    const texts: Record<string, string[]> = {};
    for (const split of ['word', 'char']) {
      const [srt, ctm] = [place(`${split}.srt`), place(`${split}.ctm`)];
      await aligned(small, '--split', split, '-o', srt, '-o', ctm);
      texts[split] = readFileSync(srt, 'utf8').match(/^[a-z]+$/gm)!;
      expect(readFileSync(ctm, 'utf8').match(/[a-z]+(?= [\d.]+$)/gm)).toEqual(texts[split]);
    }
    expect(texts).toEqual({ word: ['ab', 'c'], char: ['a', 'b', 'c'] });
  });

  test('--star and --free: a transcript with gaps', async () => {
    const gap = ['align', small, '--vocab', vocab, '--device', 'cpu'];
    const starred = await cli([...gap, '--text', '* c', '--star', '*']);
    expect(wordsIn(starred.stdout)).toEqual([
      ['*', expect.any(Number), expect.any(Number)],
      ['c', 0.42, 0.48],
    ]);
    const free = await cli([...gap, '--text', 'c', '--free', 'start']);
    expect(wordsIn(free.stdout)).toEqual([['c', 0.42, 0.48]]);
    const ends = await cli([...gap, '--text', 'b', '--free', 'start,end']);
    expect(wordsIn(ends.stdout)).toEqual([['b', 0.18, 0.24]]);
  });
});

describe('what comes out', () => {
  test('--json: one object on stdout and nothing on stderr, of a result and of a failure', async () => {
    const inline = await aligned(small, '--json');
    expect(inline.stderr).toBe('');
    expect(json(inline.stdout)).toMatchObject([
      {
        status: 'done',
        emissions: small,
        outputs: [],
        input: 'logits (detected)',
        blank: 0,
        frames,
        classes: width,
        labels: 4,
        device: 'cpu',
        result: { text: 'ab c' },
      },
    ]);
    const output = place('report.vtt');
    const [report] = json((await aligned(small, '--json', '-o', output)).stdout);
    expect(report).toMatchObject({ status: 'done', outputs: [output] });
    expect(report).not.toHaveProperty('result');
    const failed = await aligned(place('none.npy'), '--json');
    expect(failed).toMatchObject({ code: 2, stderr: '' });
    expect(json(failed.stdout)).toEqual([
      { status: 'failed', exit: 2, error: expect.stringContaining('none.npy: there is no such file') },
    ]);
  });

  test('a file that exists stays unless --force is given, and nothing is computed first', async () => {
    const output = write('there.srt', 'mine');
    const refused = await cli(['align', 'nowhere.npy', '--vocab', vocab, '--text', 'a', '-o', output]);
    expect(refused).toMatchObject({
      code: 2,
      stderr: `webgpu-ctc: ${output}: exists already; --force overwrites it\n`,
    });
    expect(readFileSync(output, 'utf8')).toBe('mine');
    expect(await aligned(small, '-o', output, '--force')).toMatchObject({ code: 0 });
    expect(readFileSync(output, 'utf8')).toMatch(/^1\n/);
  });

  test('an output is not what is read, nor another output, by whatever name, even with --force', async () => {
    const own = write('own.json', vocabulary);
    symlinkSync(own, place('own-link.json'));
    const text = write('own.srt', 'ab c');
    const given = ['align', small, '--vocab', own, '--text-file', text, '--force'];
    const outputs: [outputs: string[], message: string][] = [
      [
        [`${folder}/./own.json`],
        `${folder}/./own.json: expected another file than the input ${own}, got the same`,
      ],
      [
        [place('own-link.json')],
        `${place('own-link.json')}: expected another file than the input ${own}, got the same`,
      ],
      [[text], `${text}: expected another file than the input ${text}, got the same`],
      [[place('b.srt'), `${folder}/./b.srt`], `${folder}/./b.srt: expected each output once, got it twice`],
    ];
    for (const [files, message] of outputs) {
      const { code, stderr } = await cli([...given, ...files.flatMap((file) => ['-o', file])]);
      expect({ code, stderr }).toEqual({ code: 2, stderr: `webgpu-ctc: ${message}\n` });
    }
    expect([JSON.parse(readFileSync(own, 'utf8')), readFileSync(text, 'utf8')]).toEqual([vocabulary, 'ab c']);
    const before = readFileSync(small);
    const args = [small, '--targets', '2,3', '--grad', small, '--force', '--device', 'cpu'];
    expect(await failureOf(loss.run, args)).toEqual({
      code: 2,
      message: `${small}: expected another file than the input ${small}, got the same`,
    });
    expect(readFileSync(small)).toEqual(before);
  });

  test.runIf(system.hasSignals)(
    'a link to nothing and a folder that takes no file are told before any work',
    async () => {
      symlinkSync(place('nowhere.srt'), place('dangling.srt'));
      mkdirSync(place('locked'));
      chmodSync(place('locked'), 0o555);
      // the permissions of a folder do not stop root
      const locked = process.getuid?.() === 0 ? '/proc' : place('locked');
      const message = async (output: string) => {
        const args = ['nowhere.npy', '--vocab', vocab, '--text', 'a', '-o', output, '--force'];
        return (await failureOf(align.run, args)).message;
      };
      expect(await message(place('dangling.srt'))).toBe(
        `${place('dangling.srt')}: expected a file, got a link to ${place('nowhere.srt')}, where none is`,
      );
      expect(await message(`${locked}/a.srt`)).toMatch(
        /\/a\.srt: expected a folder that can be written, got E/,
      );
      expect(readdirSync(folder)).not.toContain('nowhere.srt');
    },
  );

  test('control characters of a file reach no terminal, and no message either', async () => {
    const odd = write('odd.json', { '<pad>': 0, '\x1b[2J': 1, '\x9b': 2, '\r': 3, ä: 4 });
    const file = npy(
      'odd.npy',
      [4, width],
      [1, 2, 3, 4].flatMap((c) => [0, 1, 2, 3, 4].map((k) => (k === c ? 9 : 0))),
    );
    const read = ['decode', file, '--vocab', odd, '--device', 'cpu'];
    const { code, stdout, stderr } = await cli(read);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '\\u001b[2J\\u009b\\u000dä\n' });
    expect(stderr).toContain(
      `${odd}: expected tokens that can be printed; control characters are written as \\u001b\n`,
    );
    const inline = await cli([...read, '--json']);
    expect(inline.stdout).not.toMatch(/[^\P{Cc}\n]/u);
    expect(json(inline.stdout)[0].result.text).toBe('\x1b[2J\x9b\rä');
    const named = write('named.safetensors', safetensors({ '\x1b[31m': logits, b: logits }));
    const failed = await aligned(named);
    expect(failed.stderr).toMatch(/got \\u001b\[31m, b; choose one/);
  });

  test.runIf(system.hasFullDevice)('streams that are gone', async () => {
    const read = ['decode', small, '--vocab', vocab, '--device', 'cpu'];
    const full = 'webgpu-ctc: stdout: ENOSPC: no space left on device, write\n';
    for (const [args, redirection, code, out, err] of [
      [read, '>/dev/full', 2, '', expect.stringContaining(full)],
      [[...read, '--json'], '>/dev/full', 2, '', full],
      [['--help'], '>/dev/full', 2, '', full],
      [read, '2>&-', 0, 'ab c\n', ''],
      [read, '2>/dev/full', 0, 'ab c\n', ''],
      [read.with(1, 'none.npy'), '2>&-', 2, '', ''],
      [read.with(1, 'none.npy'), '2>/dev/full', 2, '', ''],
    ] as const)
      expect(redirected([...args], redirection)).toEqual({ code, stdout: out, stderr: err });
    const program = start(['dist/cli.js', ...read]);
    program.leave();
    const { code, stderr } = await program.end;
    expect(code).toBe(141);
    expect(stderr).toContain('stdout: expected a reader until the end, got one that left (| head)\n');
  });

  test('a link stays one', async () => {
    const target = write('target.srt', 'old');
    symlinkSync(target, place('link.srt'));
    expect(await aligned(small, '-o', place('link.srt'), '--force')).toMatchObject({ code: 0 });
    expect(readFileSync(target, 'utf8')).toMatch(/^1\n/);
  });

  test('decode writes the same formats', async () => {
    const [srt, whole] = [place('read.srt'), place('read.json')];
    const { code, stdout } = await cli([
      'decode',
      small,
      '--vocab',
      vocab,
      '-o',
      srt,
      '-o',
      whole,
      '--device',
      'cpu',
    ]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(readFileSync(srt, 'utf8')).toMatch(/^ab c$/m);
    expect(JSON.parse(readFileSync(whole, 'utf8'))).toMatchObject({
      text: 'ab c',
      words: [{ text: 'ab' }, { text: 'c' }],
    });
  });

  test.each(['align', 'decode', 'rank', 'loss', 'info'])('%s --help teaches in a screen', async (command) => {
    const { code, stdout, stderr } = await cli([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^usage: webgpu-ctc ${command}`));
    const lines = stdout.split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(130);
  });
});

describe('a mistake ends with its code and a message that names the file or the option', () => {
  const nan = npy('nan.npy', [frames, width], logits.with(3 * width + 2, NaN));
  const text = ['--text', 'ab c'];
  const known = ['--vocab', vocab];
  const ok = [small, ...known, ...text];
  const file = (name: string, content: string | Uint8Array | object) => write(name, content);
  mkdirSync(place('folder.srt'));
  // biome-ignore format: a table, one mistake a line
  const mistakes: [what: string, args: string[], message: string | RegExp, code?: number][] = [
    ['no emissions', [...known, ...text], 'expected one file of emissions, got none; for many there is --manifest'],
    ['two emissions', ['b.npy', ...ok], `expected one file of emissions, got b.npy ${small}; for many there is --manifest`],
    ['no vocabulary', [small, ...text], "--vocab: expected the model's vocabulary, such as vocab.json or tokens.txt, got none"],
    ['no text', [small, ...known], 'expected exactly one of --text and --text-file, got neither'],
    ['two texts', [...ok, '--text-file', 'a.txt'], 'expected exactly one of --text and --text-file, got both'],
    ['an empty text', [small, ...known, '--text', ''], "--text: expected text, got ''"],
    ['a text that cannot be spelled', [small, ...known, '--text', '42 %'], 'text: expected words that the vocabulary can spell, got 42 %'],
    ['two from stdin', ['-', '--vocab', '-', ...text], '-: expected stdin for one input, got it for several'],
    ['an unknown option', [...ok, '--stars', '*'], '--stars: unknown option; did you mean --star?'],
    ['an unknown input', [...ok, '--input', 'probabilities'], "--input: expected logits, log-probs, probs, got 'probabilities'"],
    ['an unknown layout', [...ok, '--layout', 'CTN'], "--layout: expected TC, TNC, NTC, CT, NCT, got 'CTN'"],
        ['an unknown split', [...ok, '--split', 'page'], "--split: expected word, char, line, got 'page'"],
    ['an unknown end', [...ok, '--free', 'middle'], "--free: expected start, end, got 'middle'"],
    ['a star of two words', [...ok, '--star', '* *'], "text: star: expected a word without spaces, got '* *'"],
    ['frames without length', [...ok, '--frame-ms', '0'], "--frame-ms: expected milliseconds from 0.001 to 3600000, got '0'"],
    ['frames without end', [...ok, '--frame-ms', '1e308'], "--frame-ms: expected milliseconds from 0.001 to 3600000, got '1e308'"],
    ['frames shorter than any', [...ok, '--frame-ms', '1e-320'], "--frame-ms: expected milliseconds from 0.001 to 3600000, got '1e-320'"],
    ['frames of no number', [...ok, '--frame-ms', '20ms'], "--frame-ms: expected milliseconds from 0.001 to 3600000, got '20ms'"],
    ['a blank that is no class', [...ok, '--blank', 'pad'], "--blank: expected a class, first, last or auto, got 'pad'"],
    ['a blank too large', [...ok, '--blank', '5'], `${vocab}: blank: expected an integer from 0 to 4, got 5`],
    ['--shard without a manifest', [...ok, '--shard', '1/2'], "--shard: expected with --manifest, got '1/2' without"],
    ['an unknown format', [...ok, '-o', 'a.txt'], 'a.txt: expected a name that ends in one of .srt, .vtt, .TextGrid, .ctm, .json'],
    ['an output without a name', [...ok, '-o', ''], "--output: expected a path, got ''"],
    ['a manifest without a name', ['--manifest', '', ...known], "--manifest: expected a file, got ''"],
    ['the same output twice', [...ok, '-o', 'a.srt', '-o', 'a.srt'], 'a.srt: expected each output once, got it twice'],
    ['an output in no folder', [...ok, '-o', 'no/a.srt'], 'no/a.srt: expected a folder no, got none'],
    ['a folder as output', [...ok, '-o', place('folder.srt'), '--force'], `${place('folder.srt')}: expected a file, got a folder or device`],
    ['no such file', ['none.npy', ...known, ...text], /^none\.npy: there is no such file or folder \(ENOENT\)/],
    ['a folder', [folder, ...known, ...text], /: expected a file, got a folder \(EISDIR\)/],
    ['no tensor', [file('text.npy', 'hello'), ...known, ...text], /text\.npy: expected a \.npy or \.npz file of NumPy's/],
    ['a text in another encoding', [small, ...known, '--text-file', file('latin.txt', Uint8Array.of(0x61, 0xe4))], /latin\.txt: expected text in UTF-8, .*, got 0xe4 at byte 1$/],
    ['a vocabulary that is nested', [small, '--vocab', file('nested.json', `{"<pad>": 0, "a": ${'['.repeat(1e5)}${']'.repeat(1e5)}}`), ...text], /nested\.json: vocabulary\['a'\]: expected an integer ≥ 0, got /],
    ['megabytes that are none', [...ok, '--unpacked-mb', '0.5'], "--unpacked-mb: expected an integer from 1 to 1000000000, got '0.5'"],
    ['a truncated file', [file('short.npy', readFileSync(small).subarray(0, 200)), ...known, ...text], /short\.npy: shape: expected 480 bytes/],
    ['integers', [file('integers.npy', writeNpy(new Int32Array(6), [2, 3])), ...known, ...text], /integers\.npy: dtype: expected one of f2, f4, f8/],
    ['a batch', [npy('batch.npy', [2, 12, width], logits), ...known, ...text], /batch\.npy: expected one recording, \[T, C\], \[1, T, C\] or \[T, 1, C\], got \[2, 12, 5\]; --item N takes one/],
    ['another layout', [small, ...known, ...text, '--layout', 'TNC'], `${small}: expected one recording, [T, N, C], got [24, 5]`],
    ['several tensors', [file('many.safetensors', safetensors({ x: logits, y: logits })), ...known, ...text], /many\.safetensors: expected one tensor of scores, got x, y; choose one with .*many\.safetensors:NAME$/],
    ['no such tensor', [`${place('many.safetensors')}:z`, ...known, ...text], /many\.safetensors: expected a tensor z, got x, y$/],
    ['NaN', [nan, ...known, ...text], `${nan}: [3, 2]: expected a score; if it is padding, --length says how many frames there are, got NaN`],
    ['a negative probability', [...ok.with(0, npy('negative.npy', [1, width], [1, -1, 1, 0, 0])), '--input', 'probs'], /negative\.npy: \[0, 1\]: expected a probability, got -1$/],
    ['a vocabulary that is no JSON', [small, '--vocab', file('bad.json', '{'), ...text], /bad\.json: not JSON: /],
    ['a vocabulary without blank', [small, '--vocab', file('plain.json', { a: 0, b: 1 }), ...text], /plain\.json: vocabulary: expected '<blank>'/],
    ['a vocabulary of another model', [small, '--vocab', speech('vocab.json'), ...text], /vocab\.json: vocabulary: expected the tokens of 5 classes, as the model has, got 29/],
    ['too few frames', [small, ...known, '--text', 'abc '.repeat(9)], `${small}: expected at least 35 frames for the 35 labels of the text, got 24`, 3],
    ['a letter of probability 0', [npy('never.npy', [2, width], [0, 0, 0, -Infinity, 0, 0, 0, 0, -Infinity, 0]), ...known, '--text', 'b'], /never\.npy: expected a path for the text, got only paths of probability 0$/, 3],
  ];

  test.each(mistakes)('%s', async (_, args, message, code = 2) => {
    const failure = await failureOf(align.run, [...args, '--device', 'cpu']);
    expect(failure).toEqual({
      code,
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  test.each([
    [
      'a mistake in the command line, with the usage',
      [small, ...text],
      2,
      /^webgpu-ctc: --vocab: expected .*\n\nusage: webgpu-ctc /,
    ],
    [
      'a mistake in a file',
      [nan, ...known, ...text],
      2,
      /^webgpu-ctc: .*nan\.npy: \[3, 2\]: expected a score; .*, got NaN\n$/,
    ],
    ['an impossible target', [small, ...known, '--text', 'abc '.repeat(9)], 3, /^webgpu-ctc: .* got 24$/m],
  ])('%s, from the outside', (_, args, code, message) => expectFailure(args, code, message));

  test.runIf(system.namesDrivers)('no WebGPU, from the outside', () =>
    expectFailure([...ok, '--device', 'gpu'], 4, /^webgpu-ctc: .*nonexistent\.json/m),
  );

  async function expectFailure(args: readonly string[], code: number, message: string | RegExp) {
    const { stderr, ...run } = await cli(['align', ...args], { env: noWebgpu });
    expect(run).toEqual({ code, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at .*\.[cm]?[jt]s:\d/m);
  }

  test('an unknown device, as any choice', async () => {
    const { code, stderr } = await cli(['align', ...ok, '--device', 'cuda']);
    expect({ code, first: stderr.split('\n')[0] }).toEqual({
      code: 2,
      first: "webgpu-ctc: --device: expected auto, gpu, cpu, got 'cuda'",
    });
  });

  test('decode takes no text', async () => {
    const message = expect.stringMatching(/^--text: unknown option/);
    expect(await failureOf(decode.run, ok)).toEqual({ code: 2, message });
  });
});

test('a terminal shows how far the work is, and what was said stays', () => {
  const terminal = 'data:text/javascript,process.stderr.isTTY=true';
  const args = [
    'dist/cli.js',
    'align',
    small,
    '--vocab',
    vocab,
    '--text',
    'ab c',
    '--device',
    'cpu',
    '-o',
    place('tty.srt'),
  ];
  const { stderr } = spawnSync(process.execPath, ['--import', terminal, ...args], { encoding: 'utf8' });
  const clear = '\r\x1b[K';
  expect(stderr).toMatch(/blank 0 \(.*\n[\s\S]*on the cpu: .*\n/);
  expect(stderr.endsWith(`${clear}100 %${clear}confidence 1.00, 2 words\n`)).toBe(true);
});

describe.runIf(system.hasSignals)('interrupted', () => {
  const hour = [60_000, 7500] as const;
  const long = place('long.npy');
  const words = place('long.txt');
  writeFileSync(long, writeNpy(new Float32Array(hour[0] * width).fill(1), [hour[0], width]));
  writeFileSync(words, Array.from({ length: hour[1] }, (_, i) => 'abc'[i % 3]).join(''));

  test.each([
    ['gpu', 'SIGINT', 130],
    ['cpu', 'SIGINT', 130],
    ['cpu', 'SIGTERM', 143],
  ] as const)('on the %s by %s: code %i, and no file is left', async (device, signal, code) => {
    const [srt, whole] = [`stopped-${device}.srt`, `stopped-${device}.json`];
    const files = ['--text-file', words, '-o', place(srt), '-o', place(whole)];
    const program = start(['dist/cli.js', 'align', long, '--vocab', vocab, '--device', device, ...files]);
    expect(await program.until('stderr', (text) => text.includes('on the '))).toBe(true);
    program.kill(signal);
    const { stderr, ...run } = await program.end;
    expect(run).toEqual({ code, stdout: '' });
    expect(stderr).toMatch(`webgpu-ctc: interrupted by ${signal}\n`);
    expect(readdirSync(folder).filter((name) => /stopped|\.tmp$/.test(name))).toEqual([]);
  });

  test('while it waits for stdin', async () => {
    const tells =
      "data:text/javascript,process.on('newListener',(name)=>name==='SIGTERM'&&process.stderr.write('ready'))";
    const args = ['--import', tells, 'dist/cli.js', 'decode', '-', '--vocab', vocab];
    const program = start(args, { open: true });
    await program.until('stderr', (text) => text.includes('ready'));
    program.kill('SIGINT');
    expect(await program.end).toMatchObject({ code: 130 });
  });
});

describe('a text that is not all of the recording', () => {
  test('is told, by the frames in which something else is heard, though its words are sure', async () => {
    const on = [...real, '--device', 'cpu', '-o', '-.srt'];
    const part = 'sitting by her sister';
    const { code, stderr } = await cli(['align', ...on, '--text', part]);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /confidence 0\.9\d.*warning: something else than the text is heard in \d{2,} of 382 frames \(if the text is a part of the recording, --free start,end/s,
    );
    for (const args of [
      ['--text', part, '--free', 'start,end'],
      ['--text', sentence],
      ['--text', sentence.replace('very', '5')],
    ])
      expect((await cli(['align', ...on, ...args])).stderr).not.toContain('something else');
    // a word that is missing is told without a warning
    const words = sentence.split(' ');
    const missing = await cli(['align', ...on, '--text', words.slice(0, -1).join(' ')]);
    expect(missing.stderr).toMatch(/1\d words; something else than the text is heard in \d+ of 382 frames$/m);
    const { stdout } = await cli(['align', ...real, '--device', 'cpu', '--json', '--text', part]);
    const [{ mismatched }] = json(stdout);
    expect(mismatched).toBeGreaterThan(38);
  });
});

describe('a text that has times already', () => {
  const old = '1\n00:00:09,000 --> 00:00:09,500\n<i>ab</i>\n\n2\n00:00:10,000 --> 00:00:11,000\nb\nc\n';
  const said = npy('mended.npy', [60, width], spoken([2, 3, 1, 3, 1, 4], 60, width)); // ab b c
  const mended = (file: string, ...args: string[]) =>
    cli(['align', said, '--vocab', vocab, '--device', 'cpu', '--text-file', file, ...args]);
  const lines = (text: string) =>
    text
      .trimEnd()
      .split('\n')
      .filter((line) => !/-->|^$|^\d+$/.test(line));

  test.each(['old.srt', 'old.txt'])('subtitles keep their cues and lines, called %s', async (name) => {
    const { code, stdout, stderr } = await mended(write(name, old), '-o', '-.srt');
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /^1\n00:00:00,\d+ --> 00:00:\d\d,\d+\nab\n\n2\n00:00:0\d,\d+ --> 00:00:0\d,\d+\nb\nc\n$/,
    );
    expect(stderr).toContain('(text: srt, 2 cues)');
  });

  test('WebVTT and a TextGrid, and another split where one is asked for', async () => {
    const vtt = write(
      'old.vtt',
      'WEBVTT\n\n00:09.000 --> 00:10.000\n<v A>ab b\n\n00:10.000 --> 00:11.000\nc\n',
    );
    expect(lines((await mended(vtt, '-o', '-.srt')).stdout)).toEqual(['ab b', 'c']);
    expect(lines((await mended(vtt, '-o', '-.srt', '--split', 'word')).stdout)).toEqual(['ab', 'b', 'c']);
    const grid = writeTimedText('x.TextGrid', [
      { text: 'ab b', start: 1, end: 2 },
      { text: 'c', start: 3, end: 4 },
    ]);
    const file = write('old.TextGrid', grid);
    expect(lines((await mended(file, '-o', '-.srt')).stdout)).toEqual(['ab b c']);
    expect(lines((await mended(file, '-o', '-.srt', '--split', 'line')).stdout)).toEqual(['ab b', 'c']);
    const { code, stderr } = await mended(file, '--tier', 'words2');
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("old.TextGrid: tier: expected one of 'words', got 'words2'"),
    ]);
  });

  test('the words of a CTM are the text', async () => {
    const { stdout, stderr } = await mended(
      write('old.ctm', 'a 1 0.1 0.2 ab\na 1 0.4 0.1 b\na 1 0.6 0.1 c 0.9\n'),
    );
    expect(JSON.parse(stdout).text).toBe('ab b c');
    expect(stderr).toContain('(text: ctm, 3 cues)');
  });

  test('what is wrong in it is named by its line', async () => {
    const { code, stderr } = await mended(write('bad.srt', `${old}\n00:00:1x --> 00:00:12,000\nc\n`));
    expect([code, stderr]).toEqual([2, expect.stringContaining('bad.srt: line 10: expected times')]);
  });
});
