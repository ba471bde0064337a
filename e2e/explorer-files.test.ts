// What comes into the explorer from files, and what goes out of it.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright';
import { beforeAll, describe, expect, test } from 'vitest';
import { CtcAligner, CtcLoss, ctcLoss } from 'webgpu-ctc';
import { readTensor, writeNpy, writeTimedText } from 'webgpu-ctc/files';
import { mergeTokens, tokenise, Vocabulary, wordsOf } from 'webgpu-ctc/text';
import { sayFactor, sayProbability } from '../demo/explorer/engine/ways.js';
import { logitsOf, wideProblem } from '../demo/explorer/sources/made-up.js';
import { complaintsOf } from './axe.js';
import { drawn, explore, exploreOnCpu, says, sentence, settled } from './explore.js';

const speech = (name: string) => `fixtures/speech/${name}`;
/** The same beside files that are on no disk. */
const speechFile = (name: string) => file(name, readFileSync(speech(name)));
/** A file that is on no disk. */
const file = (name: string, content: Uint8Array | string) => ({
  ...{ name, mimeType: 'application/octet-stream', buffer: Buffer.from(content as string) },
});
const json = (name: string, content: unknown) => ({
  ...{ name, mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(content)) },
});
/** Of three classes in four frames that read 1 2. */
const probs = [0.1, 0.8, 0.1, 0.8, 0.1, 0.1, 0.1, 0.1, 0.8, 0.7, 0.2, 0.1];

async function load(page: Page, ...files: Parameters<Page['setInputFiles']>[1][]): Promise<void> {
  await page.locator('#data > button').click();
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: /^Open files/ }).click(),
  ]);
  await chooser.setFiles(files.flat() as string[]);
}

/** Saves what the Data menu offers under a name. */
async function saved(page: Page, name: RegExp): Promise<{ file: string; bytes: Buffer<ArrayBuffer> }> {
  await page.locator('#data > button').click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('#data').getByRole('button', { name }).click(),
  ]);
  return { file: download.suggestedFilename(), bytes: Buffer.from(readFileSync(await download.path())) };
}

interface Stubbed {
  /** Of each microphone that was given. */
  stubbed: MediaStreamTrack[];
}

/** In the page: a microphone that hears a sound of its own, and is refused the first time. */
function stubMicrophone(wav: string): void {
  const given: MediaStreamTrack[] = [];
  (window as unknown as Stubbed).stubbed = given;
  let isRefused = true;
  Object.defineProperty(navigator, 'mediaDevices', {
    value: {
      async getUserMedia() {
        if (isRefused) {
          isRefused = false;
          throw new DOMException('Permission denied', 'NotAllowedError');
        }
        const context = new AudioContext();
        const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
        const to = context.createMediaStreamDestination();
        const sound = context.createBufferSource();
        sound.buffer = await context.decodeAudioData(bytes.buffer);
        sound.connect(to);
        sound.start();
        given.push(...to.stream.getTracks());
        return to.stream;
      },
    },
  });
}

/** An ONNX model that gives what it gets: protocol buffers by hand. */
function identityOnnx(name: string, shape: readonly (number | string)[]): Uint8Array {
  const field = (number: number, content: number | string | number[]): number[] => {
    if (typeof content === 'number') return [number << 3, content];
    const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content;
    return [(number << 3) | 2, bytes.length, ...bytes];
  };
  const sizes = shape.flatMap((size) => field(1, field(typeof size === 'number' ? 1 : 2, size)));
  const value = (of: string) => [
    ...field(1, of),
    ...field(2, field(1, [...field(1, 1), ...field(2, sizes)])),
  ];
  const node = [...field(1, name), ...field(2, 'same'), ...field(4, 'Identity')];
  const graph = [
    ...[...field(1, node), ...field(2, 'g')],
    ...[...field(11, value(name)), ...field(12, value('same'))],
  ];
  return Uint8Array.from([
    ...field(1, 8),
    ...field(7, graph),
    ...field(8, [...field(1, ''), ...field(2, 13)]),
  ]);
}

const notice = (page: Page) => says(page, '#notice');
const text = (page: Page) => page.inputValue('#word');

/** Files, and what is said of them. */
const wrong: [files: Parameters<typeof load>[1][], message: RegExp][] = [
  [[file('notes.bin', 'hello')], /^notes\.bin: expected a \.npy or \.npz file/],
  [[file('table.csv', '0.1,0.2\n0.3,0.4\n')], /^table\.csv: expected .*got numbers as text/],
  [
    [file('old.lab', '0 50000 hello\n50000 90000 you\n')],
    /^old\.lab: expected a text, or words with their times in a \.TextGrid/,
  ],
  [[file('a.srt', '1\n00:00:x --> 00:00:02,000\nhi')], /^a\.srt: line 2: expected times/],
  [
    [file('labels.npy', writeNpy(Int32Array.of(1, 2), [2, 1]))],
    /^labels\.npy: dtype: expected one of f2, f4, f8/,
  ],
  [
    [file('b.npy', writeNpy(new Float32Array(24), [2, 3, 2, 2]))],
    /^b\.npy: expected one recording, .* got \[2, 3, 2, 2\]/,
  ],
  [[json('x.json', [[1, 'two']])], /^x\.json: \[1\]: expected a score, got "two"/],
  [[file('y.json', '{')], /^y\.json: expected JSON/],
  [[json('vocab.json', ['-', 'a'])], /load the emissions that it belongs to first/],
  [
    [file('s.npy', writeNpy(Float32Array.from(probs), [4, 3])), json('v.json', ['-', 'a', 'b', 'c'])],
    /^v\.json: expected the tokens of 3 classes, as the model has, got 4/,
  ],
  [[file('noise.wav', 'hello')], /^noise\.wav: expected a sound that this browser can decode/],
];

describe('loading', () => {
  test('emissions without a vocabulary go by numbers; with one they are read', () =>
    exploreOnCpu(async (page) => {
      await load(page, speech('clip3.logits.npy'));
      await expect.poll(() => sentence(page)).toMatch(/In 259 frames/);
      expect(await text(page)).toMatch(/^\d+( \d+)+$/);
      await expect.poll(() => notice(page)).toMatch(/classes go by their numbers/);
      await load(page, speech('vocab.json'));
      await expect.poll(() => text(page)).toBe('oh dear oh dear i shall be to late');
      await expect.poll(() => sentence(page)).toMatch(/ways to spell oh dear/);
      expect(page.url()).not.toContain('#');
    }));

  test('what scores are is detected, shown and changeable', () =>
    exploreOnCpu(
      async (page) => {
        const logProbs = { data: Float32Array.from(probs, Math.log), shape: [4, 3] as const };
        const { loss } = await ctcLoss(logProbs, [1, 2], undefined, undefined, {
          device: 'cpu',
          reduction: 'none',
        });
        const spelled = `In 4 frames there are 15 ways to spell 1 2; together they have probability ${sayProbability(-loss)}, a loss of ${loss.toFixed(2)}.`;
        const kinds = async () => {
          await page.locator('#data > button').click();
          const line = page.locator('.assumed', { has: page.getByLabel('Scores') });
          const kind = await line.locator('option:checked').innerText();
          const why = await line.locator('small').innerText();
          await page.keyboard.press('Escape');
          return `${kind}, ${why}`;
        };
        for (const [content, kind] of [
          [probs, 'Probabilities'],
          [probs.map(Math.log), 'Log-probabilities'],
          [probs.map((p) => Math.log(p) + 3), 'Logits'],
        ] as const) {
          await load(page, file('scores.npy', writeNpy(Float32Array.from(content), [4, 3])));
          await expect.poll(() => text(page)).toBe('1 2');
          // the same probabilities, whatever they are written as
          await expect.poll(() => sentence(page)).toBe(spelled);
          expect(await kinds()).toBe(`${kind}, as detected`);
        }
        const before = await sentence(page);
        const change = async (kind: string) => {
          await page.locator('#data > button').click();
          await page.getByLabel('Scores').selectOption(kind);
          await page.keyboard.press('Escape');
        };
        await change('Probabilities');
        await expect.poll(() => notice(page)).toMatch(/expected a probability/);
        expect(await sentence(page)).toBe(before);
        await load(page, file('scores.npy', writeNpy(Float32Array.from(probs), [4, 3])));
        await expect.poll(kinds).toBe('Probabilities, as detected');
        await change('Logits');
        await expect.poll(() => sentence(page)).not.toBe(spelled);
      },
      { expected: [/the rows of this batch are probabilities/] },
    ));

  test('one of several tensors is chosen', () =>
    exploreOnCpu(async (page) => {
      const header = JSON.stringify({
        a: { dtype: 'F32', shape: [4, 3], data_offsets: [0, 48] },
        b: { dtype: 'F32', shape: [2, 6], data_offsets: [48, 96] },
      });
      const length = Buffer.alloc(8);
      length.writeUInt32LE(header.length);
      const data = Buffer.from(Float32Array.from([...probs, ...probs]).buffer);
      await load(page, file('two.safetensors', Buffer.concat([length, Buffer.from(header), data])));
      await expect.poll(() => notice(page)).toMatch(/2 tensors can be emissions/);
      await expect.poll(() => sentence(page)).toMatch(/In 4 frames/);
      await page.locator('#data > button').click();
      await page.getByLabel('Tensor').selectOption('two.safetensors: b [2, 6]');
      await expect.poll(() => sentence(page)).toMatch(/In 2 frames/);
    }));

  test('what is assumed is a line of Data each, which changes it', () =>
    exploreOnCpu(async (page) => {
      const sure = (said: number[]) =>
        said.flatMap((c) => Array.from({ length: 4 }, (_, k) => (k === c ? 6 : 0)));
      const batch = Float32Array.of(...sure([3, 0, 3, 1, 3, 2, 0, 3]), ...sure([3, 3, 1, 1, 3, 0, 3, 3]));
      const nested = { eng: { a: 0, b: 1, '|': 2, '-': 3 }, fra: { é: 0, è: 1, '|': 2, '-': 3 } };
      await load(page, file('b.npy', writeNpy(batch, [2, 8, 4])), json('vocab.json', nested));
      await expect.poll(() => text(page)).toBe('ab a');
      await page.locator('#data > button').click();
      const data = page.locator('#data');
      const line = (name: RegExp) => data.locator('.assumed', { hasText: name });
      await expect
        .poll(() =>
          line(/^Blank/)
            .locator('small')
            .innerText(),
        )
        .toBe('class 3, by the scores: class 3 is the best in 50 % of the frames');
      await page.getByLabel('Language').selectOption('fra');
      await expect.poll(() => text(page)).toBe('éè é');
      await data.getByRole('button', { name: 'The next item' }).click();
      await expect.poll(() => text(page)).toBe('èé');
      await line(/^Item 2 of 2/).waitFor();
      // as frames of a batch of eight: another order of the same numbers
      await page.getByLabel('Axes').selectOption('frames × items × classes');
      await line(/^Item 1 of 8/).waitFor();
      await page.getByLabel('Axes').selectOption('items × frames × classes');
      await expect.poll(() => text(page)).toBe('éè é');
      await page.getByLabel('Blank').selectOption('-');
      await expect
        .poll(() =>
          line(/^Blank/)
            .locator('small')
            .innerText(),
        )
        .toBe('class 3, as you say');
      // another one, and back to where the scores say
      await page.getByLabel('Blank').selectOption('é');
      await expect.poll(() => text(page)).not.toBe('éè é');
      await data.getByRole('button', { name: 'Take class 3, -' }).click();
      await expect.poll(() => text(page)).toBe('éè é');
      const frame = page.getByLabel('Frame, in milliseconds');
      expect(await frame.inputValue()).toBe('20');
      await data.getByRole('button', { name: 'Take 20 ms' }).click();
      await frame.fill('40');
      await frame.press('Enter');
      await expect
        .poll(() =>
          line(/^Frame/)
            .locator('small')
            .innerText(),
        )
        .toMatch(/^as you say/);
      expect(await complaintsOf(page, '#data')).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('tab', { name: 'Labels' }).click();
      await expect.poll(() => says(page, '.labels thead')).toContain('from–to, s');
      // a text that comes later
      await load(page, file('talk.txt', 'éè\n'));
      await expect.poll(() => text(page)).toBe('éè');
      await expect.poll(() => notice(page)).toBe('talk.txt is taken for the text: 1 line.');
    }));

  test('JSON: rows, or a case file with its targets', () =>
    exploreOnCpu(async (page) => {
      await load(
        page,
        json('rows.json', [probs.slice(0, 3), probs.slice(3, 6), probs.slice(6, 9), probs.slice(9)]),
      );
      await expect.poll(() => sentence(page)).toMatch(/ways to spell 1 2/);
      await page.getByRole('tab', { name: 'Edit' }).click();
      await page.getByLabel('Temperature').fill('2');
      await expect.poll(() => sentence(page)).toMatch(/Edited: temperature 2\.00\./);
      await load(
        page,
        json('case.json', { shape: [4, 1, 3], logProbs: probs.map(Math.log), targets: [[2, 2]] }),
      );
      await expect.poll(() => sentence(page)).toMatch(/In 4 frames there are 5 ways to spell 2 2/);
      // what was done to the others is no way back
      await page.keyboard.press('Control+z');
      await page.getByRole('tab', { name: 'Edit' }).click();
      expect(await page.getByRole('button', { name: 'Undo', exact: true }).isDisabled()).toBe(true);
      expect(await sentence(page)).not.toMatch(/Edited/);
    }));

  test('an error says what was expected, and nothing changes', () =>
    exploreOnCpu(async (page) => {
      const before = await sentence(page);
      for (const [files, message] of wrong) {
        await load(page, ...files);
        await expect.poll(() => notice(page)).toMatch(message);
        expect(await sentence(page)).toBe(before);
      }
    }));

  test('dropped files do as well', () =>
    exploreOnCpu(async (page) => {
      const bytes = [...writeNpy(Float32Array.from(probs), [4, 3])];
      const transfer = await page.evaluateHandle((content) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(content)], 'scores.npy'));
        return data;
      }, bytes);
      await page.dispatchEvent('#stage', 'dragover', { dataTransfer: transfer });
      expect(await page.locator('body.dropping').count()).toBe(1);
      await page.dispatchEvent('#stage', 'drop', { dataTransfer: transfer });
      await expect.poll(() => sentence(page)).toMatch(/ways to spell 1 2/);
      expect(await page.locator('body.dropping').count()).toBe(0);
    }));

  test('of more cells than can be shown some frames are', () =>
    explore(async (page) => {
      await load(page, file('long.npy', writeNpy(new Float32Array(20_000 * 3).fill(2), [20_000, 3])));
      await page.fill('#word', '1 2 '.repeat(200));
      await expect
        .poll(() => sentence(page), { timeout: 20_000 })
        .toMatch(/^In 1,\d{3} frames .*Shown: frames\s*to\s*of 20,000 frames/s);
      await page.fill('#word', '1 2');
      await expect.poll(() => sentence(page), { timeout: 20_000 }).toMatch(/ways to spell 1 2/);
    }));
});

test('a * stands for anything, on the path that the library’s aligner takes', () =>
  exploreOnCpu(
    async (page) => {
      await expect.poll(() => sentence(page)).toMatch(/ways to spell oh dear, though/);
      await page.fill('#word', 'oh dear * late');
      await page.getByRole('button', { name: 'Let * stand for anything' }).click();
      await expect
        .poll(() => sentence(page))
        .toMatch(
          /spell oh dear \* late with \* for anything\. What they add up to is no probability; .* is −?\d/,
        );
      expect(page.url()).toMatch(/text=oh\+dear\+\*\+late&star=1/);
      await page.locator('#data > button').click();
      await page.getByRole('button', { name: /^Free ends/ }).click();
      await expect.poll(() => page.url()).toMatch(/star=1&free=1/);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Frames of label 1, *' }).waitFor();
      const { bytes } = await saved(page, /^Alignment/);
      const { path, words, classes } = JSON.parse(String(bytes));
      const vocabulary = Vocabulary.parse(readFileSync(speech('vocab.json'), 'utf8'));
      const transcript = tokenise('oh dear * late', vocabulary, {
        ...{ star: '*', freeStart: true, freeEnd: true },
      });
      const { data, shape } = await readTensor(readFileSync(speech('clip3.logits.npy')), 'clip3');
      const aligner = await CtcAligner.create({ device: 'cpu' });
      const logits = { data: data as Float32Array<ArrayBuffer>, shape: shape as [number, number] };
      const { labels } = await aligner.run({ logits, targets: transcript.targets });
      aligner.destroy();
      expect(path.map((frame: { class: number }) => frame.class)).toEqual([...labels]);
      expect([words.length, classes]).toEqual([4, 29]);
      // its row above the lattice
      await expect.poll(() => page.locator('#emissions .gutter').innerText()).toContain('*');
      await page.getByRole('button', { name: 'More' }).click();
      await page.getByRole('button', { name: /^Gradient/ }).click();
      await page.keyboard.press('Escape');
      await expect.poll(() => says(page, '#legend')).toContain('Gradient: softmax − posterior; * has none');
      const gradient = await saved(page, /^Layer: gradient/);
      expect((await readTensor(gradient.bytes, gradient.file)).shape).toEqual([259, 29]);
      await page.getByRole('tab', { name: 'Loss' }).click();
      await expect.poll(() => says(page, '#panel-loss')).toMatch(/A text with \* is many texts at once/);
      await page.getByRole('tab', { name: 'Labels' }).click();
      await expect.poll(() => says(page, '.labels')).toMatch(/\*\d+\t[\d.–]+\t\d+\t–\t/);

      // what could be read of it is of its scores alone; a language model knows better, also after a session
      const known = 'oh dear i shall be too late the quick brown fox jumps over lazy dog'.split(' ');
      const grams = ['<s>', '</s>', ...known].map((word) => `-1\t${word}`);
      const model = `\\data\\\nngram 1=${grams.length}\n\n\\1-grams:\n${grams.join('\n')}\n\n\\end\\\n`;
      await load(page, file('words.arpa', model));
      const first = (list: string) => page.locator(`.readings ${list} .rivals code`).first();
      const isRead = async () => {
        await expect.poll(() => first('details').innerText()).toBe('oh dear oh dear i shall be too late');
        expect(await first(':not(details)').innerText()).toBe('oh dear oh dear i shall be to late');
        expect(await says(page, '.readings .model')).toMatch(/^words\.arpa: 14 words, 1-grams/);
      };
      await isRead();
      const session = await saved(page, /^Session/);
      await page.getByRole('button', { name: 'Forget' }).click();
      await expect.poll(() => page.locator('.readings details .rivals').count()).toBe(0);
      await load(page, file(session.file, session.bytes));
      await isRead();
    },
    { hash: '#example=dear&text=oh+dear,+though' },
  ));

test('a reference: how far each word lies from where it was spoken, also without a sound', () =>
  exploreOnCpu(async (page) => {
    const [, , clip] = JSON.parse(readFileSync(speech('clips.json'), 'utf8'));
    const truth: { text: string; start: number; end: number }[] = clip.words.map(
      ({ word, start, end }: { word: string; start: number; end: number }) => ({ text: word, start, end }),
    );
    const grid = writeTimedText('clip3.TextGrid', truth);
    await load(page, speechFile('clip3.logits.npy'), speechFile('vocab.json'), file('clip3.TextGrid', grid));
    await expect.poll(() => text(page)).toBe(clip.text);
    const panel = page.locator('#panel-words');
    await expect.poll(() => panel.innerText()).toMatch(/9 of 9 words are matched with clip3\.TextGrid/);
    expect(await panel.innerText()).toMatch(/That a frame is 20 ms is a proposal/);
    expect(await page.locator('#sound').isVisible()).toBe(false);
    // the library's own words, and the differences one by one
    const vocabulary = Vocabulary.parse(readFileSync(speech('vocab.json'), 'utf8'));
    const transcript = tokenise(clip.text, vocabulary);
    const { data, shape } = await readTensor(readFileSync(speech('clip3.logits.npy')), 'clip3');
    const aligner = await CtcAligner.create({ device: 'cpu' });
    const logits = { data: data as Float32Array<ArrayBuffer>, shape: shape as [number, number] };
    const path = await aligner.run({ logits, targets: transcript.targets });
    aligner.destroy();
    const { words } = wordsOf(transcript, path, { frameSeconds: 0.02 });
    const errors = words.map(({ start, end }, i) => [start - truth[i]!.start, end - truth[i]!.end] as const);
    const seen = async () =>
      (await panel.locator('.ref').allInnerTexts()).map((cell) =>
        cell.replaceAll('−', '-').split(' ').map(Number),
      );
    expect(await seen()).toEqual(
      errors.map((both) => both.map((seconds) => expect.closeTo(Math.round(1000 * seconds), -0.1))),
    );
    const sizes = errors.map(([start]) => Math.abs(1000 * start)).sort((a, b) => a - b);
    const mean = sizes.reduce((sum, size) => sum + size, 0) / 9;
    // 0.95 · 8 = 7.6: between the last two of nine
    const percentile = sizes[7]! + 0.6 * (sizes[8]! - sizes[7]!);
    const column = panel.locator('.errors tr td:nth-child(2)');
    expect((await column.allInnerTexts()).slice(0, 3)).toEqual(
      [sizes[4]!, mean, percentile].map((ms) => `${ms.toFixed(0)} ms`),
    );
    await panel.getByRole('button', { name: 'ref, ms' }).click();
    const largest = (await seen()).map((both) => Math.max(...both.map(Math.abs)));
    expect(largest).toEqual(largest.toSorted((a, b) => b - a));
    // brackets over the frame numbers
    const teal = page.locator('#axis canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, 3);
      return data.filter((_, i) => i % 4 === 3 && data[i]! > 99 && data[i - 2]! > data[i - 3]! + 40).length;
    });
    const share = truth.reduce((sum, { start, end }) => sum + end - start, 0) / (259 * 0.02);
    const { width } = (await page.locator('#axis canvas').boundingBox())!;
    expect(await teal).toBeGreaterThan(share * width);
    expect(await complaintsOf(page, '#inspector')).toEqual([]);
    // its sound comes later, and says how long a frame is
    await load(page, speechFile('clip3.wav'));
    await expect.poll(() => page.locator('#sound').isVisible()).toBe(true);
    await expect.poll(() => panel.innerText()).not.toMatch(/is a proposal/);
    expect(await text(page)).toBe(clip.text);
  }));

describe('comparing', () => {
  const vocabulary = Vocabulary.parse(readFileSync(speech('vocab.json'), 'utf8'));
  const said = 'oh dear oh dear i shall be too late';

  test('two texts: both losses, how many times, word by word; in the link', () =>
    exploreOnCpu(
      async (page) => {
        const { data, shape } = await readTensor(readFileSync(speech('clip3.logits.npy')), 'clip3');
        const logits = { data: data as Float32Array<ArrayBuffer>, shape: shape as [number, number] };
        const ctc = await CtcLoss.create({ device: 'cpu', reduction: 'none' });
        const lossOf = async (text: string) =>
          (await ctc.run({ logits, targets: [...tokenise(text, vocabulary).targets] })).loss;
        const heard = 'oh dear oh dear i shall be to late';
        const losses = [await lossOf(said), await lossOf(heard)] as const;
        ctc.destroy();
        await page.getByRole('tab', { name: 'Loss' }).click();
        await page.getByRole('button', { name: 'Compare the two' }).click();
        const panel = page.locator('#panel-compare');
        const by = losses[0] - losses[1];
        await expect
          .poll(() => panel.locator('.verdict').innerText())
          .toBe(
            `The other explains the recording better: ${by.toFixed(3)} nats, ${sayFactor(by)} times the probability.`,
          );
        const numbers = await panel.locator('.numbers').first().locator('td').allInnerTexts();
        expect(numbers).toEqual([...losses, -by].map((x) => x.toFixed(3).replace('-', '−')));
        expect(await panel.locator('.differs').allInnerTexts()).toEqual([
          expect.stringMatching(/^too\t[\d.]+ %\tto\t[\d.]+ %$/),
        ]);
        await expect
          .poll(() => says(page, '#legend'))
          .toContain('Path mass of each symbol: this text − the other');
        expect(page.url()).toMatch(/panel=compare/);
        expect(page.url()).toContain(`with=${heard.replaceAll(' ', '+')}`);
        expect(await complaintsOf(page, '#inspector')).toEqual([]);
        await page.getByRole('button', { name: 'Exchange' }).click();
        await expect.poll(() => text(page)).toBe(heard);
        await expect.poll(() => panel.locator('.verdict').innerText()).toMatch(/^This text explains/);
        await page.getByLabel('Other text').fill('z'.repeat(300));
        await expect.poll(() => panel.locator('.verdict').innerText()).toBe('Only this text has a path.');
        await page.getByRole('button', { name: 'Stop comparing' }).click();
        await expect.poll(() => page.getByRole('tab', { name: 'Compare' }).count()).toBe(0);
        expect(page.url()).not.toMatch(/with=/);
        await expect.poll(() => says(page, '#legend')).toContain('What is heard');
      },
      { hash: `#example=dear&text=${said.replaceAll(' ', '+')}` },
    ));

  test('two tensors: label by label, and the change of the path mass', () =>
    exploreOnCpu(async (page) => {
      const labels = [1, 2];
      const shape = [4, 3] as const;
      const one = Float32Array.from(probs, Math.log);
      const two = one.map((x, i) => x / 2 + (i % 5) / 4);
      await load(page, file('one.npy', writeNpy(one, shape)), file('two.npy', writeNpy(two, shape)));
      await expect.poll(() => text(page)).toBe('1 2');
      const compare = async (name: RegExp) => {
        await page.locator('#data > button').click();
        await page.locator('#data').getByRole('button', { name }).click();
      };
      await compare(/^With two/);
      const panel = page.locator('#panel-compare');
      const sides = await Promise.all(
        [one, two].map(async (data) => {
          const logits = { data, shape };
          const ctc = await CtcLoss.create({ device: 'cpu', reduction: 'none' });
          const task = await ctc.prepare({ logits: shape, maxTargetLength: 2, keep: ['posterior'] });
          task.setTargets(labels);
          const { loss } = await task.run({ logits: data });
          const posterior = await task.read('posterior');
          const aligner = await CtcAligner.create({ device: 'cpu' });
          const { labels: path, scores } = await aligner.run({ logits, targets: labels });
          ctc.destroy();
          aligner.destroy();
          return { loss, posterior, spans: mergeTokens(path, scores, 0) };
        }),
      );
      const [a, b] = sides as [(typeof sides)[0], (typeof sides)[0]];
      await expect
        .poll(() => panel.locator('.verdict').innerText())
        .toBe(
          `A explains the text better: ${(b.loss - a.loss).toFixed(3)} nats, ${sayFactor(b.loss - a.loss)} times the probability.`,
        );
      const expected = a.spans
        .map(({ score, label }, i) => ({ label, a: Math.exp(score), b: Math.exp(b.spans[i]!.score) }))
        .sort((p, q) => Math.abs(q.a - q.b) - Math.abs(p.a - p.b));
      const rows = await panel.locator('.labels tbody tr').allInnerTexts();
      expect(rows.map((row) => row.split('\t').at(-1))).toEqual(
        expected.map(({ a, b }) => `${a < b ? '−' : '+'}${(100 * Math.abs(a - b)).toFixed(1)} %`),
      );
      await panel.locator('.labels tbody tr').first().click();
      const { label } = expected[0]!;
      await expect.poll(() => says(page, '#lattice .gutter')).toContain(String(label));
      await page.getByRole('button', { name: 'Change of the path mass' }).click();
      await expect.poll(() => says(page, '#legend')).toContain('Path mass here − with two.npy');
      const { file: name, bytes } = await saved(page, /^Layer: change/);
      expect(name).toBe('one.change.npy');
      const { data } = await readTensor(bytes, name);
      a.posterior.forEach((share, i) => {
        expect(data[i]).toBeCloseTo(share - b.posterior[i]!, 5);
      });
      await page.getByRole('button', { name: 'Stop comparing' }).click();
      await expect.poll(() => page.getByRole('tab', { name: 'Compare' }).count()).toBe(0);
    }));
});

describe('a sound', () => {
  test('is recognised in the page; its words are moved and saved', () =>
    exploreOnCpu(async (page) => {
      await load(page, speech('clip4.wav'));
      await expect
        .poll(() => text(page), { timeout: 60_000 })
        .toBe('hello hello little rabbit will you tell me all');
      await expect.poll(() => sentence(page)).toMatch(/In 220 frames/);

      await page.getByRole('tab', { name: 'Words' }).click();
      const first = page.getByLabel('hello, start in seconds').first();
      await expect.poll(() => first.inputValue()).toBe('0.20');
      // over the waveform: the right edge of the first word
      const edge = page.locator('#wave [part~="region-handle-right"]').first();
      // once the waveform shares the time of the lattice
      const plot = (await page.locator('#lattice .plot').boundingBox())!;
      const place = plot.x + (plot.width * 0.58) / (220 * 0.02);
      const middle = async () => edge.boundingBox().then((box) => (box ? box.x + box.width / 2 : 0));
      await expect.poll(async () => Math.abs((await middle()) - place), { timeout: 10_000 }).toBeLessThan(8);
      const [x, y] = [await middle(), (await edge.boundingBox())!.y + 20];
      await page.mouse.move(x, y);
      await page.mouse.down();
      await page.mouse.move(x + 10, y, { steps: 5 });
      await page.mouse.up();
      const end = page.getByLabel('hello, end in seconds').first();
      await expect.poll(async () => Number(await end.inputValue())).toBeGreaterThan(0.6);
      // and by the keyboard: a word cannot cross its neighbour
      await end.fill('5');
      await end.press('Enter');
      const second = await page.getByLabel('hello, start in seconds').nth(1).inputValue();
      await expect.poll(() => end.inputValue()).toBe(second);
      const { file, bytes } = await saved(page, /^Words as SRT/);
      expect(file).toBe('clip4.srt');
      expect(String(bytes)).toMatch(/^1\n00:00:00,200 --> /);
      expect(String((await saved(page, /^Words as CTM/)).bytes)).toMatch(/^clip4 1 0\.200 0\.500 hello /);
      // another letter: what was moved stays with its word, also behind a word more
      await page.fill('#word', 'hello hello little rabbid will you tell me all');
      await page.getByLabel('rabbid, start in seconds').waitFor();
      expect(await end.inputValue()).toBe(second);
      await page.fill('#word', 'oh hello hello little rabbid will you tell me all');
      await page.getByLabel('oh, start in seconds').waitFor();
      expect(await end.inputValue()).toBe(second);
      expect(Number(await page.getByLabel('oh, end in seconds').inputValue())).toBeLessThanOrEqual(0.2);
      await page.fill('#word', 'hello hello little rabbid will you tell me all');
      await expect.poll(() => page.getByLabel('oh, start in seconds').count()).toBe(0);
      await page.fill('#word', 'hello hello little rabbit will you tell me all');
      await page.getByLabel('rabbit, start in seconds').waitFor();
      await page.getByRole('button', { name: 'As they were aligned' }).click();
      expect(String((await saved(page, /^Words as CTM/)).bytes)).toMatch(/^clip4 1 0\.200 0\.380 hello /);
    }));

  test('the recogniser is loaded only then, says its size, and can be cancelled', () =>
    exploreOnCpu(async (page) => {
      const before = await sentence(page);
      let asked = false;
      // the model never comes
      await page.context().route('**/*.onnx', () => {
        asked = true;
      });
      expect(page.workers()).toHaveLength(0);
      await load(page, speech('clip4.wav'));
      await expect.poll(() => says(page, '#busy'), { timeout: 30_000 }).toMatch(/of 18\.6 MB/);
      await expect.poll(() => asked).toBe(true);
      expect(page.workers()).toHaveLength(1);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await expect.poll(() => says(page, '#busy')).toBe('');
      await expect.poll(() => page.workers().length).toBe(0);
      expect(await sentence(page)).toBe(before);
    }));

  test('of the visitor’s own: a recording, through a model of the visitor’s own', () =>
    exploreOnCpu(
      async (page) => {
        const features = file('features.onnx', identityOnnx('features', [1, 80, 'T']));
        await load(page, features, speechFile('clip4.wav'));
        await expect
          .poll(() => notice(page), { timeout: 30_000 })
          .toBe(
            'features.onnx: expected one input [1, samples] of float32, the sound at 16 kHz, got features [1, 80, T] of float32; run it elsewhere, and open what it gives',
          );
        await page.locator('#data > button').click();
        expect(await says(page, '#data')).not.toMatch(/features/);
        await page.keyboard.press('Escape');
        const model = file('mine.onnx', readFileSync(speech('model.onnx')));
        await load(page, model, speechFile('vocab.json'));
        await expect.poll(() => notice(page)).toMatch(/^mine\.onnx is remembered/);

        const record = async () => {
          await page.locator('#data > button').click();
          await page.getByRole('button', { name: /^Record/ }).click();
        };
        const card = page.getByRole('region', { name: 'Record' });
        const tracks = () =>
          page.evaluate(() => (window as unknown as Stubbed).stubbed.map((t) => t.readyState));
        await record();
        expect(await card.innerText()).toMatch(/mine\.onnx will read it/);
        expect(await tracks()).toEqual([]);
        await card.getByRole('button', { name: 'Start' }).click();
        // refused the first time
        await expect
          .poll(() => card.innerText())
          .toMatch(/^The microphone was not given to this page, and that is fine/);
        await card.getByRole('button', { name: 'Try again' }).click();
        const level = () => card.getByLabel('Level').evaluate((meter) => (meter as HTMLMeterElement).value);
        await expect.poll(level).toBeGreaterThan(0.3);
        expect(await complaintsOf(page, '.recorder')).toEqual([]);
        expect(await tracks()).toEqual(['live']);
        await card.getByRole('button', { name: 'Cancel' }).click();
        await expect.poll(tracks).toEqual(['ended']);
        await record();
        await card.getByRole('button', { name: 'Start' }).click();
        await expect.poll(() => card.getByLabel('Time').innerText()).toBe('0:01 of 1:00');
        await card.getByRole('button', { name: 'Stop' }).click();
        await expect.poll(tracks).toEqual(['ended', 'ended']);
        await expect.poll(() => text(page), { timeout: 30_000 }).toMatch(/^hel+o/);
        await expect.poll(() => sentence(page)).toMatch(/^In \d\d frames/);
        await page.getByRole('tab', { name: 'Words' }).waitFor();
        // a sound that follows goes the same way
        await load(page, speechFile('clip4.wav'));
        await expect.poll(() => text(page)).toBe('hello hello little rabbit will you tell me all');
        expect(page.workers()).toHaveLength(1);
        await page.locator('#data > button').click();
        await page.getByRole('button', { name: 'Forget mine.onnx' }).click();
        await expect.poll(() => page.workers().length).toBe(0);
        await page.keyboard.press('Escape');
        await record();
        await card.getByText('What it can, and what it cannot').click();
        expect(await card.innerText()).toMatch(/some 600 words of three synthetic English voices/);
        await page.keyboard.press('Escape');
        expect(await card.count()).toBe(0);
      },
      {
        before: (page) =>
          page.addInitScript(stubMicrophone, readFileSync(speech('clip4.wav')).toString('base64')),
      },
    ));

  test('plays, with a head that moves over the lattice', () =>
    exploreOnCpu(
      async (page) => {
        const marks = () =>
          page.locator('canvas.marks').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
        const still = await marks();
        await page.getByRole('button', { name: 'Listen' }).click();
        await expect.poll(marks).not.toBe(still);
        const early = await marks();
        await expect.poll(marks).not.toBe(early);
        await page.getByRole('button', { name: 'Stop listening' }).click();
        await page.getByRole('button', { name: 'Listen' }).waitFor();
        // from the middle of a lattice that is seen from close by to where the best path is
        for (let i = 0; i < 5; i++) {
          await page.getByRole('button', { name: 'Zoom in' }).click();
        }
        const labels = () => page.locator('#lattice .gutter').innerText();
        const middle = await labels();
        await page.getByRole('button', { name: 'Listen' }).click();
        await expect.poll(labels, { timeout: 10_000 }).not.toBe(middle);
      },
      { hash: '#example=rabbit&text=hello+hello+little+rabbit+will+you+tell+me+all' },
    ));
});

test('a recording whose lattice is too large is aligned as a whole, and shown in parts', () =>
  exploreOnCpu(async (page) => {
    const [frames, letters] = [6000, 'abcdefghijklmnopqrstuvwxyz'];
    const { logits } = wideProblem(frames, 400);
    const scores = file('long.npy', writeNpy(logits, [frames, 27]));
    await load(page, scores, json('vocab.json', ['<blank>', ...letters]));
    const shown = async () =>
      (
        await Promise.all(['From', 'To'].map((name) => page.getByLabel(`${name}, in frames`).inputValue()))
      ).map(Number);
    await expect.poll(() => sentence(page)).toMatch(/^In \d,\d{3} frames/);
    const read = await text(page);
    const [first, end] = await shown();
    expect(first).toBe(0);
    expect(end).toBeGreaterThan(1000);
    expect(end).toBeLessThan(frames);
    await page.getByRole('button', { name: 'Later' }).click();
    await expect.poll(async () => (await shown())[0]).toBe(end! - Math.floor(end! / 10));
    // the alignment that is saved is that of all frames
    const { bytes } = await saved(page, /^Alignment/);
    const { path, targets } = JSON.parse(String(bytes));
    expect([path.length, targets.length]).toEqual([frames, read.length]);
  }));

describe('saving', () => {
  let twin: { alpha: Float64Array; posterior: Float64Array; grad: Float32Array };
  beforeAll(async () => {
    const ctc = await CtcLoss.create({ device: 'cpu', reduction: 'none' });
    const task = await ctc.prepare({ logits: [12, 27], maxTargetLength: 5, keep: ['alpha', 'posterior'] });
    task.setTargets([8, 5, 12, 12, 15]);
    const { grad } = await task.run({ logits: logitsOf('hello', 12) });
    twin = { alpha: await task.read('alpha'), posterior: await task.read('posterior'), grad };
    ctc.destroy();
  });

  test('each layer is what the CPU twin has', () =>
    explore(async (page) => {
      const layers = { alpha: 'Forward', gradient: undefined, posterior: 'Path mass' } as const;
      for (const [layer, name] of Object.entries(layers)) {
        if (name) await page.getByRole('radio', { name }).click();
        else {
          await page.getByRole('button', { name: 'More' }).click();
          await page.getByRole('button', { name: /^Gradient/ }).click();
          await page.keyboard.press('Escape');
        }
        const { file, bytes } = await saved(page, /^Layer/);
        expect(file).toBe(`hello.${layer}.npy`);
        const { data, shape } = await readTensor(bytes, file);
        const expected = { ...twin, gradient: twin.grad }[layer as keyof typeof layers];
        expect(shape).toEqual(layer === 'gradient' ? [12, 27] : [12, 11]);
        expected.forEach((value, i) => {
          if (value === Number.NEGATIVE_INFINITY) expect(data[i]).toBe(value);
          else expect(Math.abs(data[i]! - value)).toBeLessThan(1e-5);
        });
      }
    }));

  /** What is in a part of a saved picture, and in its last line. */
  async function seenIn(page: Page, bytes: Buffer, part: string) {
    const stage = (await page.locator('#stage').boundingBox())!;
    const box = (await page.locator(part).boundingBox())!;
    return page.evaluate(
      async ({ url, x, y, width, height }) => {
        const image = new Image();
        image.src = url;
        await image.decode();
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d')!;
        context.drawImage(image, -x, -y);
        const colours = new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
        // the last line: what the colours mean
        const line = new OffscreenCanvas(image.width, 1).getContext('2d')!;
        line.drawImage(image, 0, 32 - image.height);
        const below = line.getImageData(0, 0, image.width, 1).data;
        const orange = [...below.keys()].filter((i) => i % 4 === 0 && below[i]! - below[i + 2]! > 50);
        return { colours, orange: orange.length };
      },
      {
        url: `data:image/png;base64,${bytes.toString('base64')}`,
        x: Math.round(2 * (box.x - stage.x)) + 24,
        y: Math.round(2 * (box.y - stage.y)) + 64,
        width: Math.floor(2 * box.width),
        height: Math.floor(2 * box.height),
      },
    );
  }

  test('a picture has twice the pixels, and all parts of the stage', () =>
    explore(async (page) => {
      const { file, bytes } = await saved(page, /^Picture/);
      expect(file).toBe('hello.png');
      const stage = (await page.locator('#stage').boundingBox())!;
      const legend = (await page.locator('#legend').boundingBox())!;
      expect(bytes.readUInt32BE(16)).toBe(Math.ceil(2 * stage.width) + 48);
      expect(bytes.readUInt32BE(20)).toBe(Math.ceil(2 * (legend.y - stage.y)) + 128);
      const { colours, orange } = await seenIn(page, bytes, '#lattice .plot');
      expect(colours).toBeGreaterThan(30);
      expect(orange).toBeGreaterThan(150);
    }));

  test('a session brings back what was loaded and done, bit for bit', () =>
    exploreOnCpu(async (page) => {
      const grid = writeTimedText('r.TextGrid', [{ text: 'oh', start: 0.3, end: 0.6 }]);
      await load(
        page,
        ...['clip3.logits.npy', 'vocab.json', 'clip3.wav'].map(speechFile),
        ...[file('r.TextGrid', grid), file('t.txt', 'oh dear * late')],
      );
      const star = page.getByRole('button', { name: 'Let * stand for anything' });
      await star.click();
      // the words are those of the new text once what was offered for the old one is gone
      await expect.poll(() => star.count()).toBe(0);
      const end = page.getByLabel('oh, end in seconds');
      await end.fill('0.61');
      await end.press('Enter');
      await drawn(page);
      await expect.poll(() => end.inputValue()).toBe('0.61');
      await page.getByRole('tab', { name: 'Edit' }).click();
      await page.getByLabel('Blank bias').fill('0.7');
      await page.getByRole('radio', { name: 'Forward' }).click();
      await expect.poll(() => sentence(page)).toMatch(/Edited: blank bias 0\.7/);
      const all = async () => ({
        layer: (await saved(page, /^Layer/)).bytes.toString('base64'),
        alignment: String((await saved(page, /^Alignment/)).bytes),
        words: String((await saved(page, /^Words as CTM/)).bytes),
        ...{ sentence: await sentence(page), url: page.url(), text: await text(page) },
      });
      const before = await all();
      expect(before.words).toMatch(/ oh [\d.]+\n/);
      const session = await saved(page, /^Session/);
      expect(session.file).toBe('clip3.logits.session.json');
      await page.getByRole('button', { name: 'Examples' }).click();
      await page.locator('#examples').getByRole('button', { name: /^cat/ }).click();
      await expect.poll(() => sentence(page)).toMatch(/ways to spell cat/);
      await load(page, file(session.file, session.bytes));
      await expect.poll(() => sentence(page)).toBe(before.sentence);
      expect(await all()).toEqual(before);
      await page.getByRole('tab', { name: 'Words' }).click();
      await expect.poll(() => end.inputValue()).toBe('0.61');
      await expect.poll(() => says(page, '#panel-words')).toContain('matched with r.TextGrid');
      expect(await page.locator('#sound').isVisible()).toBe(true);
    }));
  test('a picture shows the waveform that is seen, and the scores', () =>
    exploreOnCpu(
      async (page) => {
        await page.locator('#wave [part~="region-handle-right"]').first().waitFor();
        const { bytes } = await saved(page, /^Picture/);
        expect((await seenIn(page, bytes, '#wave')).colours).toBeGreaterThan(10);
        expect((await seenIn(page, bytes, '#emissions .plot')).colours).toBeGreaterThan(10);
      },
      { hash: '#example=dear&text=oh+dear&panel=words' },
    ));

  test('an alignment has the path, and seconds where they are known', () =>
    exploreOnCpu(
      async (page) => {
        const { bytes } = await saved(page, /^Alignment/);
        const { text, path, words, duration, frames } = JSON.parse(String(bytes));
        expect({ text, duration, frames }).toEqual({ text: 'oh dear', duration: 5.18, frames: 259 });
        expect(path).toHaveLength(259);
        expect(words.map((word: { text: string }) => word.text)).toEqual(['oh', 'dear']);
      },
      { hash: '#example=dear&text=oh+dear' },
    ));
});

test('a reload that would lose what was loaded is asked about, and no other', () =>
  exploreOnCpu(async (page) => {
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      dialog.accept();
    });
    const reload = async () => {
      // browsers ask those alone who have done something
      await page.locator('#word').click();
      await page.reload();
      await settled(page);
    };
    await reload();
    expect(asked).toEqual([]);
    await load(page, speech('clip3.logits.npy'));
    await expect.poll(() => sentence(page)).toMatch(/^In 2\d\d frames/);
    await reload();
    expect(asked).toEqual(['beforeunload']);
  }));
