// The site in a browser: what axe and the keyboard find on a page that has some of all, the search, and examples of each kind.
// `npm run site -- --check` visits every page and runs every example.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSite } from '../site/build.js';
import { complaintOfExample, complaintsIn, examplesOf, listen, serveSite, unreached } from '../site/check.js';
import build from '../test/build.js';
import { launchBrowser } from './browser.js';

const folder = join(mkdtempSync(join(tmpdir(), 'webgpu-ctc-site-')), 'site');
let browser: Browser;
let site: Awaited<ReturnType<typeof serveSite>>;

beforeAll(async () => {
  build();
  await writeSite(folder);
  [site, browser] = await Promise.all([serveSite(folder), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
  rmSync(join(folder, '..'), { recursive: true });
});

/** A page of the site: whatever it asks of elsewhere or complains about fails the test. */
async function onPage(address: string, use: (page: Page, heard: string[]) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const heard = listen(page, site.url);
  try {
    await page.goto(site.url + address);
    await use(page, heard);
    expect(heard).toEqual([]);
  } finally {
    await context.close();
  }
}

const examplesIn = (file: string) => examplesOf(readFileSync(new URL(`../${file}`, import.meta.url), 'utf8'));

test('a page with tables and with an example that has run is accessible in all views, and every control is reached', () =>
  onPage('docs/reading.html', async (page) => {
    expect(await unreached(page)).toEqual([]);
    const [first] = examplesIn('docs/reading.md');
    expect(await complaintOfExample(page, 0, first!)).toEqual([]);
    expect(await complaintsIn(page)).toEqual([]);
  }));

test('the first example shows what its document says, changed ones what they are changed to, and wrong ones their error', () =>
  onPage('index.html', async (page, heard) => {
    const [first] = examplesIn('README.md');
    expect(await complaintOfExample(page, 0, first!)).toEqual([]);
    const figure = page.locator('figure[data-live]').first();
    await figure.getByRole('button', { name: /^Edit/ }).click();
    const code = figure.getByRole('textbox');
    await code.fill(
      '<!doctype html><body></body><script type="module">console.log([1, { a: "b" }], -0, 2n);</script>',
    );
    await figure.getByRole('button', { name: /^Run/ }).click();
    await expect.poll(() => figure.getByRole('status').innerText()).toBe("[ 1, { a: 'b' } ] -0 2n");
    await code.fill('<script type="module">throw new RangeError("no such class");</script>');
    await figure.getByRole('button', { name: /^Run/ }).click();
    await expect.poll(() => figure.getByRole('status').innerText()).toBe('Error RangeError: no such class');
    expect(heard.splice(0)).toEqual([expect.stringContaining('no such class')]);
    await figure.getByRole('button', { name: /^Restore/ }).click();
    expect(await code.isVisible()).toBe(false);
  }));

test('examples find the files that their document puts beside them', () =>
  onPage('docs/apps.html', async (page) => {
    const examples = examplesIn('docs/apps.md');
    const index = examples.findIndex(({ code }) => code.includes('new Worker('));
    expect(await complaintOfExample(page, index, examples[index]!)).toEqual([]);
  }));

test('the search is opened, asked and left from the keyboard', () =>
  onPage('index.html', async (page) => {
    await page.keyboard.press('Control+K');
    await page.keyboard.type('how long how sure');
    const places = page.getByRole('dialog').getByRole('link');
    await expect.poll(() => places.first().innerText()).toContain('How long, how sure');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/docs\/reading\.html#how-long/);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.keyboard.press('Escape');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Search');
  }));

test('on a narrow window the list of pages is opened by a button, and closed by Escape', () =>
  onPage('docs/loss.html', async (page) => {
    await page.setViewportSize({ width: 390, height: 844 });
    const list = page.getByRole('navigation', { name: 'Pages', exact: true });
    await expect.poll(() => list.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Menu' }).press('Enter');
    expect(await list.isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await list.isVisible()).toBe(false);
  }));
