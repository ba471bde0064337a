// The training page, as it is built: it learns, it reads the hands of others, and nothing that happens to the GPU ends it.

import { readFileSync } from 'node:fs';
import type { FileChooser, Page } from 'playwright';
import { expect, test } from 'vitest';
import { readTensors } from 'webgpu-ctc/files';
import { digitColours } from '../demo/train/ink.js';
import { toHash } from '../demo/train/link.js';
import { editDistance } from '../learning/edit-distance.js';
import { defaults } from '../learning/settings.js';
import type { Handwriting } from '../learning/writer.js';
import { complaintsOf } from './axe.js';
import { drawn, firstLoad, says, type VisitOptions, visit } from './explore.js';

const hands: readonly (Handwriting & { readonly hand: string })[] = JSON.parse(
  readFileSync(new URL('../fixtures/hands/hands.json', import.meta.url), 'utf8'),
);
/** Two strings of each of five people, none of whom was looked at while the network was chosen. */
const replayed = ['Marta', 'Jens', 'Aiko', 'Henri', 'Pooja'].flatMap((name) =>
  hands.filter(({ hand }) => hand === name).slice(0, 2),
);

const ready = (page: Page) => page.locator('#go:enabled').waitFor();

/** Opens the page; the network is there, untrained. In a browser without a GPU, since software would be left to the CPU anyway. */
const train = (use: (page: Page) => Promise<void>, options: VisitOptions = {}) =>
  visit(
    async (page) => {
      await ready(page);
      await use(page);
    },
    { path: 'train.html', gpu: false, ...options },
  );

const stepsOf = async (page: Page) => Number((await says(page, '#steps')).replace(',', ''));
const errorsOf = async (page: Page) => Number.parseFloat(await says(page, '#errors'));
const until = (page: Page, steps: number) =>
  expect.poll(() => stepsOf(page), { timeout: 110_000, interval: 250 }).toBeGreaterThanOrEqual(steps);

/** Of the settings. */
async function choose(page: Page, name: RegExp) {
  await page.click('#settings button');
  await page.locator('#settings').getByRole('button', { name }).click();
}

/** Loads weights, or what is taken for them. */
async function load(page: Page, file: Parameters<FileChooser['setFiles']>[0]) {
  const choosing = page.waitForEvent('filechooser');
  await choose(page, /^Load/);
  await (await choosing).setFiles(file);
}

/** Saves the weights, and gives the path of the file. */
async function saved(page: Page): Promise<string> {
  const downloading = page.waitForEvent('download');
  await choose(page, /^Save/);
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

/** Which of the colours of the digits are on a canvas. */
async function coloursOn(page: Page, canvas: string, colours: readonly string[]): Promise<string[]> {
  await drawn(page);
  return page.locator(canvas).evaluate((from: HTMLCanvasElement, wanted) => {
    const { data } = from.getContext('2d')!.getImageData(0, 0, from.width, from.height);
    const found = new Set<string>();
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = data.slice(i, i + 3);
      found.add(`#${((r! << 16) | (g! << 8) | b!).toString(16).padStart(6, '0')}`);
    }
    return wanted.filter((colour) => found.has(colour));
  }, colours);
}

/** Pixels of the pad that have ink. */
const inkOf = (page: Page) =>
  page.locator('#pad canvas').evaluate((canvas: HTMLCanvasElement) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d')!;
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });

/** The phases as they are told, in the order in which they come. */
const watchPhases = (page: Page) =>
  page.evaluate(() => {
    const told: string[] = [];
    Object.assign(globalThis, { told });
    const note = () => told.push(document.querySelector('#phase strong')!.textContent!);
    new MutationObserver(note).observe(document.getElementById('phase')!, { childList: true });
    note();
  });
const phasesOf = (page: Page) => page.evaluate(() => (globalThis as unknown as { told: string[] }).told);

/** The strings that are being learned are those of one's own hand, from the first step on. */
const filmed = (page: Page, pictures: number) =>
  expect
    .poll(async () => Number(await page.locator('#film input').getAttribute('max')), { timeout: 20_000 })
    .toBeGreaterThanOrEqual(pictures);

test(
  'it learns to read, and reads the hands of others; what it has learned is found again after a reload',
  () =>
    train(async (page) => {
      const asked: string[] = [];
      page.on('dialog', (dialog) => {
        asked.push(dialog.type());
        dialog.accept();
      });
      expect(await says(page, '#trained')).toBe('It has learned nothing yet, and guesses.');
      await expect.poll(() => says(page, '#film .says')).toMatch(/^after 0 steps it reads/);
      for (const hidden of ['#tell', '#link', '#replay']) expect(await page.isVisible(hidden)).toBe(false);
      await watchPhases(page);
      // it does not begin by itself
      const [first] = replayed;
      await draw(page, first!);
      expect(await read(page)).not.toBe('');
      expect(await page.inputValue('#said')).toBe(await says(page, '#reads'));
      expect(await stepsOf(page)).toBe(0);
      expect(await errorsOf(page)).toBe(100);

      await page.click('#go');
      // what the button asks for is more: 500
      await until(page, 125);
      await page.click('#go');
      await expect.poll(() => says(page, '#go')).toBe('Go on teaching');
      await expect.poll(() => errorsOf(page)).toBeLessThan(25);
      expect([...new Set(await phasesOf(page))]).toEqual(['Guessing', 'Silence', 'First spikes', 'Reading']);
      expect(await says(page, '#phase')).toMatch(/^Reading, phase 4 of 4: a spike for each digit/);

      // the film is of what was drawn, each digit of it in its colour
      expect(await read(page)).toBe(first!.text);
      await expect
        .poll(() => says(page, '#film .says'))
        .toMatch(new RegExp(`^after 1[2-4]\\d steps it reads ${first!.text}$`));
      const colours = [...first!.text].map((digit) => digitColours.light[Number(digit)]!);
      expect(await coloursOn(page, '#film .ink', digitColours.light)).toEqual(
        digitColours.light.filter((colour) => colours.includes(colour)),
      );

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

      // of a list it is the one that fits, or none: what each weighs is the loss of it
      const { text: last } = replayed.at(-1)!;
      const free = await read(page);
      await page.fill('#numbers', `42, ${last}; 7`);
      await expect
        .poll(() => says(page, '#choice'))
        .toMatch(/^[\d.]+ % of what it sees, and 100 % of what is in/);
      expect(await says(page, '#reads')).toBe(last);
      await page.fill('#numbers', '42, 7');
      await expect
        .poll(() => says(page, '#choice'))
        .toMatch(new RegExp(`^None of these: .* It reads ${free}\\.$`));
      expect(await says(page, '#reads')).toBe('');
      expect(await page.inputValue('#said')).toBe(free);
      await page.fill('#numbers', '42, x');
      await expect.poll(() => says(page, '#choice')).toMatch(/^Expected numbers .* got x\.$/);
      await page.fill('#numbers', '');
      await expect.poll(() => says(page, '#reads')).toBe(free);
      await expect.poll(() => says(page, '#choice')).toBe('');

      // of what was drawn last there is the same film, back to the first step
      await filmed(page, 20);
      await expect
        .poll(() => says(page, '#film .says'))
        .toMatch(new RegExp(`^after 1[2-4]\\d steps it reads ${await read(page)}$`));
      await page.locator('#film input').press('Home');
      expect(await says(page, '#film .says')).toMatch(/^after 0 steps it reads/);

      // the step that was on its way has long ended
      const steps = await stepsOf(page);
      const file = await saved(page);
      const tensors = readTensors(readFileSync(file), 'digits.safetensors');
      expect((await tensors.get('losses')!()).shape).toEqual([steps]);
      const before = [await errorsOf(page), await says(page, '#reads')];
      const isBefore = async () => {
        await expect.poll(() => stepsOf(page), { timeout: 20_000 }).toBe(steps);
        await draw(page, replayed.at(-1)!);
        await expect.poll(() => says(page, '#reads'), { timeout: 20_000 }).toBe(before[1]);
        expect(await errorsOf(page)).toBe(before[0]);
        await page.click('#clear');
      };
      await page.reload();
      await ready(page);
      await isBefore();
      // in the middle of a step, whose weights are not kept after all
      await page.click('#go');
      await expect.poll(() => says(page, '#trained')).toMatch(/^It is learning/);
      await choose(page, /^Start afresh/);
      await expect.poll(() => stepsOf(page), { timeout: 20_000 }).toBe(0);
      await page.reload();
      await ready(page);
      expect(await stepsOf(page)).toBe(0);
      await load(page, file);
      await isBefore();
      expect(asked).toEqual([]);
    }),
  180_000,
);

/** The size of a video, once the page has a picture of it. */
const playable = (page: Page, video: Buffer) =>
  page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    const element = document.createElement('video');
    element.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
    await new Promise((resolve, reject) =>
      Object.assign(element, { onloadeddata: resolve, onerror: reject }),
    );
    return [element.videoWidth, element.videoHeight];
  }, video.toString('base64'));

/** Changes what the browser keeps. False if it keeps nothing. */
const changeKept = (page: Page, change: object) =>
  page.evaluate(async (changed) => {
    const done = <R>(request: IDBRequest<R>) =>
      new Promise<R>((resolve) => Object.assign(request, { onsuccess: () => resolve(request.result) }));
    const database = await done(indexedDB.open('webgpu-ctc training'));
    const store = database.transaction('kept', 'readwrite').objectStore('kept');
    const kept = await done(store.get('own'));
    if (kept) await done(store.put({ ...kept, ...changed }, 'own'));
    database.close();
    return kept !== undefined;
  }, change);

test(
  'settings, strings that it is told, a link, a replay; what is kept, and what is no longer understood',
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
      await page.getByRole('button', { name: /^Start afresh/ }).click();
      await expect
        .poll(() => says(page, '#trained'), { timeout: 20_000 })
        .toBe('It has learned nothing yet, and guesses.');
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

      // the page's hand is seen writing
      await page.click('#write');
      const some = { timeout: 20_000, interval: 20 };
      await expect.poll(() => inkOf(page), some).toBeGreaterThan(0);
      const ink = await inkOf(page);
      await expect.poll(() => inkOf(page), some).toBeGreaterThan(ink);
      await page.click('#clear');

      // it is told what it read wrong, and learns it at once
      const [string] = replayed;
      await draw(page, string!);
      const tell = async (text: string) => {
        await page.getByLabel('It read this wrong? Tell it.').fill(text);
        await page.getByRole('button', { name: 'Teach it this' }).click();
      };
      const expected = 'Tell it the digits that you wrote: expected 1 to 16 of them, got';
      for (const [text, complaint] of [
        ['four', new RegExp(`^${expected} four\\.$`)],
        ['4'.repeat(5000), new RegExp(`^${expected} 5,000 characters\\.$`)],
        ['4'.repeat(16), /^There is too little ink for 4{16}\.$/],
      ] as const) {
        await tell(text);
        expect(await says(page, '#notice')).toMatch(complaint);
      }
      expect(await says(page, '#go')).toBe('Teach it to read');
      await tell([...string!.text].join(' '));
      expect(await says(page, '#notice')).toMatch(new RegExp(`^It learns that this says ${string!.text}:`));
      await page.click('#settings button');
      expect(await says(page, '#settings .popover')).toContain('1 string that you have told it');
      await page.keyboard.press('Escape');
      await until(page, 12);
      expect(await page.inputValue('#said')).toBe([...string!.text].join(' '));
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

      // a few seconds of it as a video, however often that is asked for
      await filmed(page, 2);
      const recording = page.waitForEvent('download');
      await page.click('#replay');
      await page.click('#replay');
      await page.locator('#busy button').waitFor();
      expect(await page.locator('#busy button').count()).toBe(1);
      const video = await recording;
      expect(video.suggestedFilename()).toBe('learning-to-read.webm');
      expect(await playable(page, readFileSync(await video.path()))).toEqual([960, 600]);

      // a link has the settings and the string, and what it was said to be
      await page.evaluate(() => {
        navigator.clipboard.writeText = async (text) => void Object.assign(globalThis, { copied: text });
      });
      await page.click('#link');
      const copied = await page.evaluate(() => (globalThis as unknown as { copied: string }).copied);
      expect(copied.length).toBeLessThan(600);
      const learned = await stepsOf(page);
      const file = await saved(page);
      await page.goto(copied);
      await ready(page);
      expect(await stepsOf(page)).toBe(0);
      expect(await settings()).toEqual(chosen);
      await page.click('#settings button');
      expect(await says(page, '#settings .popover')).toContain('1 string that you have told it');
      await page.getByRole('button', { name: /^Forget it/ }).click();
      await page.click('#settings button');
      expect(await says(page, '#settings .popover')).not.toContain('that you have told it');
      await page.keyboard.press('Escape');
      // the same ink is read in the same way
      await expect
        .poll(async () => {
          const [film, pad] = [await says(page, '#film .says'), await read(page)];
          // the page's hand may still be writing
          return pad !== '' && film === `after 0 steps it reads ${pad}`;
        })
        .toBe(true);

      // what the visitor has taught is still there without the link: the settings, and pictures of that network alone
      await page.goto(copied.replace(/#.*/, ''));
      await ready(page);
      await expect.poll(() => stepsOf(page), { timeout: 20_000 }).toBe(learned);
      expect(await settings()).toEqual(chosen);
      await expect
        .poll(() => says(page, '#film .says'), { timeout: 20_000 })
        .toMatch(new RegExp(`^after ${learned} steps`));
      expect(await page.locator('#film input').getAttribute('max')).toBe('0');

      // another tab goes on from there, and leaves it as it is
      const second = await page.context().newPage();
      await second.goto(page.url());
      await ready(second);
      await expect
        .poll(() => says(second, '#notice'), { timeout: 20_000 })
        .toMatch(/^This page is open in another tab, too\./);
      expect(await stepsOf(second)).toBe(learned);
      await second.click('#go');
      await until(second, learned + 1);
      await second.click('#go');
      await expect.poll(() => says(second, '#go')).toBe('Go on teaching');
      await saved(second);
      await second.close();
      await page.bringToFront();
      await page.reload();
      await ready(page);
      await expect.poll(() => stepsOf(page), { timeout: 20_000 }).toBe(learned);

      // but for weights that this page no longer understands
      const isDropped = async (change: object) => {
        expect(await changeKept(page, change)).toBe(true);
        await page.reload();
        await ready(page);
        expect(await says(page, '#notice')).toMatch(/^What it had learned here was of another network/);
        expect(await stepsOf(page)).toBe(0);
        expect(await changeKept(page, {})).toBe(false);
      };
      await isDropped({ version: 1 });
      await load(page, file);
      await expect.poll(() => changeKept(page, {}), { timeout: 20_000 }).toBe(true);
      await expect.poll(() => stepsOf(page)).toBe(learned);
      await isDropped({ weights: new Uint8Array(9) });
    }),
  120_000,
);

test(
  'a device that is lost in the middle, twice: it says so and goes on from the last weights',
  () =>
    train(
      async (page) => {
        // what is on the pad is on it after the crash
        await draw(page, replayed[0]!);
        await drawn(page);
        const ink = await inkOf(page);
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
        expect(await inkOf(page)).toBe(ink);
      },
      {
        // a step of few strings is enough to be lost in
        ...{ path: 'train.html?device=gpu#batch=4', gpu: true, alone: true },
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
      const { whileHeld } = globalThis as { whileHeld?: Promise<void> };
      if (asked.kind === 'read' && whileHeld) whileHeld.then(() => postMessage.call(this, asked, ...rest));
      else postMessage.call(this, asked, ...rest);
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
      await expect.poll(() => strokesOf(page)).toHaveLength(1);
      await page.locator('#clear').press('Enter');
      for (const button of ['#undo', '#clear']) {
        await press();
        await page.locator(button).press('Enter');
        await page.mouse.move(x + 90, y + 20);
        expect(await strokesOf(page)).toEqual([]);
        await page.mouse.up();
        expect(await strokesOf(page)).toEqual([]);
      }
      // what the link says of its ink, a touch alone, cannot be
      await page.locator('#settings > button').press('Enter');
      expect(await says(page, '#settings .popover')).not.toContain('that you have told it');
      await page.keyboard.press('Escape');
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
      // who is in the field, about to write, is not disturbed by what is read meanwhile; a reading waits until it is left
      await page.evaluate(() => {
        Object.assign(globalThis, {
          whileHeld: new Promise((release) => Object.assign(globalThis, { release })),
        });
      });
      await page.locator('#write').press('Enter');
      await page.locator('#said').focus();
      const before = await page.inputValue('#said');
      await page.evaluate(() => (globalThis as unknown as { release: () => void }).release());
      const reading = await read(page);
      expect(reading).not.toBe(before);
      expect(await page.inputValue('#said')).toBe(before);
      await page.keyboard.press('Tab');
      expect(await page.inputValue('#said')).toBe(reading);
      // a page that becomes smaller
      await page.fill('#said', '12');
      const widest = Math.max(...(await strokesOf(page)).flat().map(([left]) => left));
      expect(widest).toBeGreaterThan(300);
      await page.setViewportSize({ width: 320, height: 500 });
      await expect
        .poll(async () => Math.max(...(await strokesOf(page)).flat().map(([left]) => left)))
        .toBeLessThan(304);
      // it is the same ink, of which the visitor has said something
      expect(await page.inputValue('#said')).toBe('12');
    },
    {
      // and this page in a browser that has a GPU, be it software
      gpu: true,
      path: `train.html#${toHash({ settings: {}, strokes: [[[5, 5]]], text: '12' })}`,
      async before(page) {
        await page.emulateMedia({ reducedMotion: 'reduce' });
        await watchStrokes(page);
      },
    },
  ));

test('a link or a network that cannot be loaded: it says so', () =>
  visit(
    async (page) => {
      expect(await says(page, '#notice')).toBe(
        'The handwriting in this link cannot be read. The link may have been cut.',
      );
      await expect
        .poll(() => says(page, '#trained'))
        .toBe('There is no network: the training could not be loaded. A reload tries again.');
      expect(await page.locator('#go').isDisabled()).toBe(true);
    },
    {
      path: 'train.html#ink=____',
      before: (page) => page.route(/worker.*\.js$/, (route) => route.abort()),
      expected: [/Failed to load/],
    },
  ));

test('without WebGPU it learns on the CPU, and says so; where nothing is kept, a reload is asked about', () =>
  train(
    async (page) => {
      expect(await says(page, '#backend')).toBe('CPU: there is no WebGPU here');
      await draw(page, replayed[0]!);
      expect(await read(page)).not.toBe('');
      await page.click('#go');
      await until(page, 27);
      await page.click('#go');
      const asked: string[] = [];
      page.on('dialog', (dialog) => {
        asked.push(dialog.type());
        dialog.accept();
      });
      await page.reload();
      await ready(page);
      expect(asked).toEqual(['beforeunload']);
      expect(await stepsOf(page)).toBe(0);
      expect(await page.isVisible('#notice')).toBe(false);
    },
    {
      before: (page) =>
        page.addInitScript(() => {
          Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined });
          Object.defineProperty(globalThis, 'indexedDB', { value: undefined });
        }),
    },
  ));

/** Goes through the page by the Tab key, and names what had the focus. */
async function tabbed(page: Page): Promise<string[]> {
  const names: string[] = [];
  // from the top
  await page.evaluate(() => Object.assign(document.body, { tabIndex: -1 }).focus());
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const name = await page.evaluate(() => {
      const { activeElement: at } = document;
      return at === document.body ? '' : (at?.textContent || at?.id || at?.getAttribute('type'))!.trim();
    });
    if (name === '' || names.includes(name)) break;
    names.push(name);
  }
  return names;
}

/** Colours, the size of the window, and how tall the pad is in it. */
const looks = [
  ['light', 1280, 800, 320],
  ['dark', 1280, 800, 320],
  ['forced', 1280, 800, 320],
  ['dark', 1024, 768, 307.2],
  ['light', 390, 844, 337.6],
  ['light', 320, 568, 227.2],
  // on its side: what is pressed is beside the pad
  ['dark', 844, 390, 310],
  // 1280 × 800, enlarged to 200 %
  ['light', 640, 400, 320],
] as const;

test('for everyone: light, dark, in forced colours, small and enlarged, and from the keyboard alone', () =>
  train(
    async (page) => {
      await page.locator('#write').press('Enter');
      await expect.poll(() => says(page, '#reads'), { timeout: 20_000 }).not.toBe('');
      await page.locator('#go').press('Enter');
      await until(page, 5);
      await page.locator('#go').press('Enter');
      await expect.poll(() => page.isVisible('#replay')).toBe(true);
      expect(await tabbed(page)).toEqual([
        ...['See CTC', 'Settings', 'Write for me', 'Undo', 'Clear', 'said', 'Teach it this', 'numbers'],
        ...['Go on teaching', 'Copy link', 'Save replay', 'range'],
      ]);
      for (const [colours, width, height, tall] of looks) {
        const look = `${colours}, ${width} × ${height}`;
        await page.setViewportSize({ width, height });
        await page.emulateMedia({
          colorScheme: colours === 'dark' ? 'dark' : 'light',
          forcedColors: colours === 'forced' ? 'active' : 'none',
        });
        await page.locator('#settings > button').press('Enter');
        expect(await complaintsOf(page), look).toEqual([]);
        await page.keyboard.press('Escape');
        const [wide, inner] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        expect(wide, look).toBeLessThanOrEqual(inner!);
        const pad = (await page.locator('#pad').boundingBox())!;
        expect(Math.abs(pad.height - tall), look).toBeLessThanOrEqual(1);
        await page.evaluate(() => scrollTo(0, 0));
        const go = (await page.locator('#go').boundingBox())!;
        expect(go.y + go.height, look).toBeLessThanOrEqual(height);
        // all that is pressed is as large as a finger
        const small = await page
          .locator('button:visible, a:visible, input:visible')
          .evaluateAll((elements) =>
            elements.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML),
          );
        expect(small, look).toEqual([]);
      }
      await page.fill('#numbers', '42, 1234, x');
      await expect.poll(() => says(page, '#choice')).not.toBe('');
      await page.setViewportSize({ width: 320, height: 568 });
      expect(await complaintsOf(page, '#reading')).toEqual([]);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0);
    },
    { before: (page) => page.emulateMedia({ reducedMotion: 'reduce' }) },
  ));

test('the page itself is small: what trains comes in the worker', () => {
  const { files, bytes: sum } = firstLoad('train.html');
  console.log(`the training page loads ${sum} bytes of script and style, gzipped, before its worker`);
  expect(files.length).toBeGreaterThan(1);
  expect(sum).toBeLessThanOrEqual(40_000);
});
