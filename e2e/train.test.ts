// The training page, as it is built: it learns, it reads the hands of others, and nothing that happens to the GPU ends it.

import { readFileSync } from 'node:fs';
import type { FileChooser, Page } from 'playwright';
import { expect, test } from 'vitest';
import { readTensors } from 'webgpu-ctc/files';
import { editDistance } from '../learning/edit-distance.js';
import { defaults } from '../learning/settings.js';
import type { Handwriting } from '../learning/writer.js';
import { complaintsOf, drawn, firstLoad, says, type VisitOptions, visit } from './explore.js';

const hands: readonly (Handwriting & { readonly hand: string })[] = JSON.parse(
  readFileSync(new URL('../fixtures/hands/hands.json', import.meta.url), 'utf8'),
);
/** Four strings of each of five people, none of whom was looked at while the network was chosen. */
const replayed = ['Marta', 'Jens', 'Aiko', 'Henri', 'Pooja'].flatMap((name) =>
  hands.filter(({ hand }) => hand === name).slice(0, 4),
);

const ready = (page: Page) => page.locator('#go:enabled').waitFor();

/** Opens the page; the network is there, untrained. */
const train = (use: (page: Page) => Promise<void>, options: VisitOptions = {}) =>
  visit(
    async (page) => {
      await ready(page);
      await use(page);
    },
    { path: 'train.html', ...options },
  );

const stepsOf = async (page: Page) => Number((await says(page, '#steps')).replace(',', ''));
const errorsOf = async (page: Page) => Number.parseFloat(await says(page, '#errors'));
const until = (page: Page, steps: number) =>
  expect.poll(() => stepsOf(page), { timeout: 110_000, interval: 250 }).toBeGreaterThanOrEqual(steps);

/** Loads weights, or what is taken for them. */
async function load(page: Page, file: Parameters<FileChooser['setFiles']>[0]) {
  await page.click('#settings button');
  const choosing = page.waitForEvent('filechooser');
  await page.getByRole('button', { name: /^Load/ }).click();
  await (await choosing).setFiles(file);
}

/** Saves the weights, and gives the path of the file. */
async function saved(page: Page): Promise<string> {
  await page.click('#settings button');
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: /^Save/ }).click();
  return (await downloading).path();
}

/** Moves the mouse along strokes, as a person would. */
async function draw(page: Page, { strokes }: Handwriting) {
  const { x: left, y: top } = (await page.locator('#pad canvas').boundingBox())!;
  for (const stroke of strokes) {
    const [first, ...rest] = stroke;
    await page.mouse.move(left + first![0], top + first![1]);
    await page.mouse.down();
    // without a wait for the picture after each
    await Promise.all(rest.map(([x, y]) => page.mouse.move(left + x, top + y)));
    await page.mouse.up();
  }
}

/** What it reads of all that is on the pad. */
async function read(page: Page): Promise<string> {
  await page.waitForFunction(() => document.getElementById('reads')!.ariaBusy === 'false');
  return says(page, '#reads');
}

test(
  'it learns to read, and reads the hands of others; weights are saved, and loaded again',
  () =>
    train(async (page) => {
      expect(await says(page, '#trained')).toBe('untrained: guessing');
      // it does not begin by itself
      await draw(page, replayed[0]!);
      expect(await read(page)).not.toBe('');
      expect(await stepsOf(page)).toBe(0);
      expect(await errorsOf(page)).toBe(100);

      await page.click('#go');
      // what the button asks for is more: 300
      await until(page, 225);
      await page.click('#go');
      await expect.poll(() => says(page, '#go')).toBe('Go on teaching');
      await expect.poll(() => errorsOf(page)).toBeLessThan(10);
      expect(await says(page, '#film .says')).toMatch(/^after 2\d\d steps it reads 2047$/);

      let wrong = 0;
      let digits = 0;
      for (const string of replayed) {
        await page.click('#clear');
        await draw(page, string);
        wrong += editDistance(await read(page), string.text);
        digits += string.text.length;
      }
      console.log(`${replayed.length} strings of five hands: ${wrong} of ${digits} digits wrong`);
      expect(wrong / digits).toBeLessThanOrEqual(0.25);

      // back in the film
      await page.locator('#film input').press('Home');
      expect(await says(page, '#film .says')).toMatch(/^after 0 steps it reads/);

      // the step that was on its way has long ended
      const steps = await stepsOf(page);
      const file = await saved(page);
      const tensors = readTensors(readFileSync(file), 'digits.safetensors');
      expect((await tensors.get('losses')!()).shape).toEqual([steps]);
      const before = [await errorsOf(page), await says(page, '#reads')];
      await page.reload();
      await ready(page);
      await draw(page, replayed.at(-1)!);
      expect(await read(page)).not.toBe(before[1]);
      await load(page, file);
      await expect.poll(() => stepsOf(page), { timeout: 20_000 }).toBe(steps);
      await expect.poll(() => says(page, '#reads'), { timeout: 20_000 }).toBe(before[1]);
      expect(await errorsOf(page)).toBe(before[0]);
    }),
  180_000,
);

test(
  'settings: a rate, a seed, a batch, strings of one’s own; a training begun anew; a file that is none',
  () =>
    train(async (page) => {
      await expect.poll(() => says(page, '#film .says')).not.toBe('');
      const first = await says(page, '#film .says');
      await page.click('#settings button');
      await page.getByLabel('Seed').fill('7');
      await page.getByLabel('Seed').press('Enter');
      const batch = page.getByRole('slider', { name: /Strings in a step/ });
      await batch.press('Home');
      await page.getByRole('slider', { name: /Learning rate/ }).press('ArrowLeft');
      await page.getByRole('button', { name: /^Begin anew/ }).click();
      await expect.poll(() => says(page, '#trained'), { timeout: 20_000 }).toBe('untrained: guessing');
      await expect.poll(() => says(page, '#film .says'), { timeout: 20_000 }).not.toBe(first);
      const settings = async () => {
        await page.click('#settings button');
        const of = (name: RegExp) => page.getByRole('slider', { name }).inputValue();
        const shown = [
          await page.getByLabel('Seed').inputValue(),
          await of(/Strings in a step/),
          await of(/Learning rate/),
        ];
        await page.keyboard.press('Escape');
        return shown;
      };
      const chosen = await settings();
      expect(chosen.slice(0, 2)).toEqual(['7', '4']);
      expect(Number(chosen[2])).toBeCloseTo(Math.log10(defaults.rate) - 0.1, 1);
      // no seed is none to begin with
      await page.click('#settings button');
      await page.getByLabel('Seed').fill('');
      await page.getByLabel('Seed').blur();
      await page.keyboard.press('Escape');
      expect(await settings()).toEqual(chosen);

      await draw(page, replayed[0]!);
      await page.click('#settings button');
      await page.getByLabel('The pad says').fill(replayed[0]!.text);
      await page.getByRole('button', { name: 'Learn from it' }).click();
      expect(await says(page, '#notice')).toMatch(/^Learns from it/);
      expect(await says(page, '#settings .popover')).toContain('1 sample');
      await page.keyboard.press('Escape');
      await page.click('#go');
      await until(page, 5);
      // while nobody looks it pauses
      const look = (hidden: boolean) =>
        page.evaluate((value) => {
          Object.defineProperty(document, 'hidden', { value, configurable: true });
          document.dispatchEvent(new Event('visibilitychange'));
        }, hidden);
      await look(true);
      await expect.poll(() => says(page, '#go')).toBe('Go on teaching');
      const steps = await stepsOf(page);
      await page.waitForTimeout(1000);
      expect(await stepsOf(page)).toBeLessThanOrEqual(steps + 1);
      await look(false);
      await until(page, steps + 3);
      await page.click('#go');

      await load(page, { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no weights') });
      await expect
        .poll(() => says(page, '#notice'), { timeout: 20_000 })
        .toMatch(/notes\.txt: expected a \.npy/);
      // nothing was lost
      expect(await stepsOf(page)).toBeGreaterThanOrEqual(steps);
      await expect.poll(() => page.locator('#go').isEnabled(), { timeout: 20_000 }).toBe(true);

      // what is in a file is left without a question, what is nowhere is not
      const asked: string[] = [];
      page.on('dialog', (dialog) => {
        asked.push(dialog.type());
        dialog.accept();
      });
      const learned = await stepsOf(page);
      const file = await saved(page);
      await page.reload();
      await ready(page);
      expect(asked).toEqual([]);
      expect(await settings()).not.toEqual(chosen);
      await page.click('#go');
      await until(page, 1);
      await page.click('#go');
      await page.reload();
      await ready(page);
      expect(asked).toEqual(['beforeunload']);

      // the file's settings are shown, and pictures of its network alone
      await load(page, file);
      await expect.poll(() => stepsOf(page), { timeout: 20_000 }).toBe(learned);
      expect(await settings()).toEqual(chosen);
      await expect
        .poll(() => says(page, '#film .says'), { timeout: 20_000 })
        .toMatch(new RegExp(`^after ${learned} steps`));
      expect(await page.locator('#film input').getAttribute('max')).toBe('0');
    }),
  120_000,
);

test(
  'a device that is lost in the middle, twice: it says so and goes on from the last weights',
  () =>
    train(
      async (page) => {
        // a step of few strings is enough to be lost in
        await page.click('#settings button');
        await page.getByRole('slider', { name: /Strings in a step/ }).press('Home');
        await page.keyboard.press('Escape');
        // what is on the pad is on it after the crash
        await draw(page, replayed[0]!);
        const inkOf = () =>
          page.locator('#pad canvas').evaluate((canvas: HTMLCanvasElement) => {
            const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!;
            copy.drawImage(canvas, 0, 0);
            const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
            return data.filter((value, i) => i % 4 === 3 && value > 0).length;
          });
        await drawn(page);
        const ink = await inkOf();
        expect(ink).toBeGreaterThan(100);
        await page.click('#go');
        await until(page, 27);
        const rate = await errorsOf(page);
        // the device of the worker, wherever it is used next
        const [worker] = page.workers();
        await worker!.evaluate(() => {
          const { createCommandEncoder } = GPUDevice.prototype;
          GPUDevice.prototype.createCommandEncoder = function (...args) {
            GPUDevice.prototype.createCommandEncoder = createCommandEncoder;
            this.destroy();
            return createCommandEncoder.apply(this, args);
          };
        });
        await expect
          .poll(() => says(page, '#notice'), { timeout: 30_000 })
          .toBe('The GPU went away. Going on after step 25, on another one …');
        const wentBack = () => expect.poll(() => stepsOf(page), { timeout: 30_000, interval: 20 }).toBe(25);
        await wentBack();
        await until(page, 27);
        expect(await errorsOf(page)).toBe(rate);
        await page.locator('#notice').evaluate((notice) => {
          notice.textContent = '';
        });
        const browser = await page.context().browser()!.newBrowserCDPSession();
        await browser.send('Browser.crashGpuProcess');
        await expect
          .poll(() => says(page, '#notice'), { timeout: 30_000 })
          .toBe('The GPU went away. Going on after step 25, on another one …');
        await wentBack();
        await until(page, 27);
        expect(await says(page, '#backend')).toMatch(/^WebGPU/);
        expect(await inkOf()).toBe(ink);
      },
      {
        path: 'train.html?device=gpu',
        alone: true,
        expected: [/lost|destroyed|gpu|context|no longer exists|external Instance/i],
      },
    ),
  120_000,
);

/** Every stroke that is on the pad, as the network gets it: kept by the page for the test. */
async function strokesOf(page: Page) {
  await read(page);
  return page.evaluate(() => (globalThis as unknown as { strokes: (readonly [number, number])[][] }).strokes);
}
const watchStrokes = (page: Page) =>
  page.addInitScript(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (asked: { kind: string; strokes: unknown }, ...rest: []) {
      if (asked.kind === 'read') Object.assign(globalThis, { strokes: structuredClone(asked.strokes) });
      return postMessage.call(this, asked, ...rest);
    };
  });

test('undone, cleared or written by the page while the pen is down: the stroke is over', () =>
  train(
    async (page) => {
      const { x, y, width, height } = (await page.locator('#pad canvas').boundingBox())!;
      const press = async () => {
        await page.mouse.move(x + 20, y + 20);
        await page.mouse.down();
        await page.mouse.move(x + 60, y + 60);
      };
      for (const button of ['#undo', '#clear']) {
        await press();
        await page.locator(button).press('Enter');
        await page.mouse.move(x + 90, y + 20);
        expect(await strokesOf(page)).toEqual([]);
        await page.mouse.up();
        expect(await strokesOf(page)).toEqual([]);
      }
      await press();
      await page.locator('#write').press('Enter');
      const written = await strokesOf(page);
      await page.mouse.move(x + 90, y + 20);
      await page.mouse.up();
      expect(written.flat()).not.toHaveLength(0);
      expect(await strokesOf(page)).toEqual(written);

      // beside the pad there is no ink
      await page.click('#clear');
      await press();
      for (const [left, top] of [
        [-30, 40],
        [40, height + 30],
        [width + 5, -5],
        [80, 80],
      ])
        await page.mouse.move(x + left!, y + top!);
      await page.mouse.up();
      expect(await strokesOf(page)).toEqual([
        [
          [20, 20],
          [60, 60],
          [80, 80],
        ],
      ]);
      // a page that becomes smaller
      await page.locator('#write').press('Enter');
      const widest = Math.max(...(await strokesOf(page)).flat().map(([left]) => left));
      expect(widest).toBeGreaterThan(300);
      await page.setViewportSize({ width: 320, height: 500 });
      await expect
        .poll(async () => Math.max(...(await strokesOf(page)).flat().map(([left]) => left)))
        .toBeLessThan(304);
    },
    {
      async before(page) {
        await page.emulateMedia({ reducedMotion: 'reduce' });
        await watchStrokes(page);
      },
    },
  ));

test('a network that cannot be loaded: it says so', () =>
  visit(
    async (page) => {
      await expect
        .poll(() => says(page, '#trained'))
        .toBe('There is no network: the training could not be loaded. A reload tries again.');
      expect(await page.locator('#go').isDisabled()).toBe(true);
    },
    {
      path: 'train.html',
      before: (page) => page.route(/worker.*\.js$/, (route) => route.abort()),
      expected: [/Failed to load/],
    },
  ));

test('without WebGPU it learns on the CPU, and says so', () =>
  train(
    async (page) => {
      expect(await says(page, '#backend')).toBe('CPU: there is no WebGPU here');
      await draw(page, replayed[0]!);
      expect(await read(page)).not.toBe('');
      await page.click('#go');
      await until(page, 3);
    },
    {
      before: (page) =>
        page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined })),
    },
  ));

test.each([
  ['light', 1280, 800, 320],
  ['dark', 1280, 800, 320],
  ['light', 390, 844, 337.6],
  ['light', 320, 568, 227.2],
  // on its side: what is pressed is beside the pad
  ['dark', 844, 390, 310],
] as const)('for everyone: %s, %d × %d', (colorScheme, width, height, tall) =>
  train(
    async (page) => {
      // from the keyboard alone
      await page.locator('#write').press('Enter');
      await expect.poll(() => says(page, '#reads'), { timeout: 20_000 }).not.toBe('');
      await page.locator('#settings button').press('Enter');
      expect(await complaintsOf(page)).toEqual([]);
      await page.keyboard.press('Escape');
      const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      expect(wide).toBeLessThanOrEqual(inner!);
      const pad = (await page.locator('#pad').boundingBox())!;
      expect(Math.abs(pad.height - tall)).toBeLessThanOrEqual(1);
      const go = (await page.locator('#go').boundingBox())!;
      expect(go.y + go.height).toBeLessThanOrEqual(height);
      // all that is pressed is as large as a finger
      const small = await page
        .locator('button:visible, a:visible')
        .evaluateAll((elements) =>
          elements.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML),
        );
      expect(small).toEqual([]);
    },
    {
      viewport: { width, height },
      before: (page) => page.emulateMedia({ colorScheme, reducedMotion: 'reduce' }),
    },
  ),
);

test('the page itself is small: what trains comes in the worker', () => {
  const { files, bytes: sum } = firstLoad('train.html');
  console.log(`the training page loads ${sum} bytes of script and style, gzipped, before its worker`);
  expect(files.length).toBeGreaterThan(1);
  expect(sum).toBeLessThanOrEqual(40_000);
});
