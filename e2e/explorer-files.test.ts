// What comes into the explorer from files, and what goes out of it.
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright';
import { beforeAll, describe, expect, test } from 'vitest';
import { CtcLoss, ctcLoss } from 'webgpu-ctc';
import { readTensor, writeNpy } from 'webgpu-ctc/files';
import { sayProbability } from '../demo/explorer/engine/ways.js';
import { logitsOf, wideProblem } from '../demo/explorer/sources/made-up.js';
import { explore, exploreOnCpu, says, sentence, settled } from './explore.js';

const speech = (name: string) => `fixtures/speech/${name}`;
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

const notice = (page: Page) => says(page, '#notice');
const text = (page: Page) => page.inputValue('#word');

/** Files, and what is said of them. */
const wrong: [files: Parameters<typeof load>[1][], message: RegExp][] = [
  [[file('notes.txt', 'hello')], /^notes\.txt: expected a \.npy or \.npz file/],
  [
    [file('labels.npy', writeNpy(Int32Array.of(1, 2), [2, 1]))],
    /^labels\.npy: dtype: expected one of f2, f4, f8/,
  ],
  [
    [file('b.npy', writeNpy(new Float32Array(12), [2, 3, 2]))],
    /^b\.npy: expected one recording, .* got \[2, 3, 2\]/,
  ],
  [[json('x.json', [[1, 'two']])], /^x\.json: \[1\]: expected a score, got "two"/],
  [[file('y.json', '{')], /^y\.json: expected JSON/],
  [[json('vocab.json', ['-', 'a'])], /load the emissions that it belongs to first/],
  [
    [file('s.npy', writeNpy(Float32Array.from(probs), [4, 3])), json('v.json', ['-', 'a', 'b', 'c'])],
    /^vocab\.json: expected at most 3 classes.* got 4/,
  ],
  [[file('noise.wav', 'hello')], /^noise\.wav: expected a sound that this browser can decode/],
];

describe('loading', () => {
  test('emissions without a vocabulary go by numbers; with one they are read', () =>
    explore(async (page) => {
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
          const pressed = page.locator('#data [aria-pressed="true"]');
          const taken = await pressed.innerText();
          await page.keyboard.press('Escape');
          return taken;
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
          expect(await kinds()).toBe(`${kind}\nAs detected`);
        }
        const before = await sentence(page);
        const change = async (kind: RegExp) => {
          await page.locator('#data > button').click();
          await page.locator('#data').getByRole('button', { name: kind }).click();
        };
        await change(/^Probabilities/);
        await expect.poll(() => notice(page)).toMatch(/expected a probability/);
        expect(await sentence(page)).toBe(before);
        await load(page, file('scores.npy', writeNpy(Float32Array.from(probs), [4, 3])));
        await expect.poll(kinds).toBe('Probabilities\nAs detected');
        await change(/^Logits/);
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
      await page
        .locator('#data')
        .getByRole('button', { name: /two\.safetensors: b/ })
        .click();
      await expect.poll(() => sentence(page)).toMatch(/In 2 frames/);
    }));

  test('JSON: rows, or a case file with its targets', () =>
    exploreOnCpu(async (page) => {
      await load(
        page,
        json('rows.json', [probs.slice(0, 3), probs.slice(3, 6), probs.slice(6, 9), probs.slice(9)]),
      );
      await expect.poll(() => sentence(page)).toMatch(/ways to spell 1 2/);
      await load(
        page,
        json('case.json', { shape: [4, 1, 3], logProbs: probs.map(Math.log), targets: [[2, 2]] }),
      );
      await expect.poll(() => sentence(page)).toMatch(/In 4 frames there are 5 ways to spell 2 2/);
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
