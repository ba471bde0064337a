// Firefox, whose WebGPU is wgpu with naga. Runs where a Firefox is found.
import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { serveBuilt } from './built.js';
import { findFirefox, inFirefox, jobsOf } from './firefox.js';
import { expectGoldens } from './golden.js';
import { serve } from './serve.js';

const firefox = findFirefox();
if (!firefox)
  console.log('No Firefox is found: install it (Debian: firefox-esr), or set WEBGPU_CTC_FIREFOX to its path');

const says = (page: Page, selector: string) =>
  page.$eval(selector, (element) => (element as HTMLElement).innerText);

/** How many colours a picture has, in the page. */
async function coloursOf(picture: string): Promise<number> {
  const image = new Image();
  image.src = `data:image/png;base64,${picture}`;
  await image.decode();
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext('2d')!;
  context.drawImage(image, 0, 0);
  return new Set(new Uint32Array(context.getImageData(0, 0, width, height).data.buffer)).size;
}

describe.skipIf(!firefox)('in Firefox', () => {
  let repository: Awaited<ReturnType<typeof serve>>;
  let site: Awaited<ReturnType<typeof serveBuilt>>;
  beforeAll(async () => {
    [repository, site] = await Promise.all([serve(), serveBuilt(inject('demoFolder'))]);
  });
  afterAll(() => Promise.all([repository?.close(), site?.close()]));

  test(
    "PyTorch's results in a page and in a worker, and what reads and aligns",
    () =>
      inFirefox(firefox!, `${repository.url}e2e/index.html`, async (page) => {
        await page.waitForFunction('globalThis.testPage');
        console.log(`${await page.browser().version()}, ${firefox}`);
        for (const place of ['page', 'worker'] as const)
          await expectGoldens(jobsOf(page, place), `Firefox, ${place}`);
        const scores = Float32Array.from({ length: 30 * 5 }, (_, i) => 4 * Math.sin(i * i));
        const { gpu, cpu } = await jobsOf(page, 'page')('ctc', 'read', scores, [30, 5], [1, 2, 2, 4]);
        expect(gpu.device).toBe('gpu');
        for (const key of ['labels', 'ids', 'samples'] as const) expect(gpu[key]).toEqual(cpu[key]);
        for (const key of ['scores', 'durations'] as const)
          gpu[key].forEach((value, i) => {
            expect(value).toBeCloseTo(cpu[key][i]!, 4);
          });
      }),
    240_000,
  );

  test(
    'the explorer draws its lattice',
    () =>
      inFirefox(firefox!, `${site.url}index.html`, async (page) => {
        await page.waitForFunction(() =>
          /probability/.test(document.getElementById('sentence')!.textContent!),
        );
        expect(await says(page, '#backend')).toMatch(/^Computed on WebGPU: \w/);
        const plot = (await page.$('#lattice .plot'))!;
        const picture = await plot.screenshot({ encoding: 'base64' });
        expect(await page.evaluate(coloursOf, picture)).toBeGreaterThan(20);
      }),
    120_000,
  );

  test(
    'the training page learns on the GPU',
    () =>
      inFirefox(firefox!, `${site.url}train.html?device=gpu`, async (page) => {
        await page.waitForSelector('#go:enabled', { timeout: 60_000 });
        expect(await says(page, '#backend')).toMatch(/^WebGPU/);
        await page.click('#go');
        await page.waitForFunction(() => Number(document.getElementById('steps')!.textContent) >= 30, {
          timeout: 110_000,
        });
      }),
    180_000,
  );

  test(
    'the page that reads pictures reads its own',
    () =>
      inFirefox(firefox!, `${site.url}read.html`, async (page) => {
        await page.click('#go');
        await page.waitForSelector('.boxes .character', { timeout: 60_000 });
        expect(await page.$eval('#text', (input) => (input as HTMLInputElement).value)).toBe(
          'Reading between the lines',
        );
        expect(await page.$$('.boxes .character')).toHaveLength(22);
      }),
    120_000,
  );
});
