// Visits the site as people do: with colours of their own, at 200 %, on a narrow phone, without a mouse; and runs its examples.
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Page } from 'playwright';
import { preview } from 'vite';
import { complaintsOf } from '../e2e/axe.js';
import { launchBrowser } from '../e2e/browser.js';
import { type Block, blocksOf, liveKindOf, patternOf } from './blocks.js';

/** A folder on a local port, by default at `/webgpu-ctc/`, as a page of a project lies on its server. */
export async function serveSite(
  folder: string,
  base = '/webgpu-ctc/',
): Promise<{ url: string; close: () => Promise<void> }> {
  const server = await preview({
    ...{ root: folder, base, configFile: false, logLevel: 'error' },
    ...{ build: { outDir: '.' }, preview: { host: '127.0.0.1', port: 0 } },
  });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the server has no local address');
  return { url, close: () => server.close() };
}

/** What a page asks of elsewhere and what the browser complains about, from now on. */
export function listen(page: Page, url: string): string[] {
  const complaints: string[] = [];
  const { origin } = new URL(url);
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${origin}/`) && !/^(blob|data):/.test(asked))
      complaints.push(`a request to ${asked}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} for ${response.url()}`);
  });
  page.on('console', (message) => {
    if (/error|warning/.test(message.type())) complaints.push(`${message.text()} (${page.url()})`);
  });
  page.on('pageerror', (error) => complaints.push(`${error} (${page.url()})`));
  return complaints;
}

/** How people see a page: 1280 × 800 pixels at 200 % are 640 × 400. */
const views = {
  light: { colorScheme: 'light', forcedColors: 'none', width: 1280, height: 800 },
  dark: { colorScheme: 'dark', forcedColors: 'none', width: 1280, height: 800 },
  'forced colours': { colorScheme: 'light', forcedColors: 'active', width: 1280, height: 800 },
  '200 %': { colorScheme: 'light', forcedColors: 'none', width: 640, height: 400 },
  '320 pixels': { colorScheme: 'dark', forcedColors: 'none', width: 320, height: 640 },
} as const;

/** What follows the size of the window does so in the next frame. */
async function resize(page: Page, width: number, height: number): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn))));
}

/** What axe finds in a page in each view, and what does not fit into the window. */
export async function complaintsIn(page: Page): Promise<string[]> {
  const complaints: string[] = [];
  for (const [name, { width, height, ...media }] of Object.entries(views)) {
    await page.emulateMedia(media);
    await resize(page, width, height);
    complaints.push(...(await complaintsOf(page)).map((told) => `${name}: ${told.slice(0, 1000)}`));
    const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (excess > 0) complaints.push(`${name}: ${excess} pixels too wide`);
  }
  return complaints;
}

/** The controls that the tabulator does not reach, or reaches where nobody sees it. */
export async function unreached(page: Page): Promise<string[]> {
  await page.evaluate(() => {
    const shown = (it: Element) => it.checkVisibility({ visibilityProperty: true });
    const all = [
      ...document.querySelectorAll('a[href], button:enabled, input, textarea, summary, [tabindex="0"]'),
    ];
    Object.assign(globalThis, { toReach: new Set(all.filter(shown)), hidden: [] as string[] });
    document.querySelector<HTMLElement>('body')!.focus();
  });
  const count = await page.evaluate(() => (globalThis as unknown as { toReach: Set<Element> }).toReach.size);
  for (let i = 0; i <= count; i++) {
    await page.keyboard.press('Tab');
    await page.evaluate(() => {
      const { toReach, hidden } = globalThis as unknown as { toReach: Set<Element>; hidden: string[] };
      const focused = document.activeElement!;
      toReach.delete(focused);
      const { x, y, width, height } = focused.getClientRects()[0] ?? new DOMRect();
      const above = document.elementFromPoint(x + width / 2, y + height / 2);
      if (focused !== document.body && above && !focused.contains(above) && !above.contains(focused))
        hidden.push(`under something else: ${focused.outerHTML.slice(0, 100)}`);
    });
  }
  return page.evaluate(() => {
    const { toReach, hidden } = globalThis as unknown as { toReach: Set<Element>; hidden: string[] };
    return [...[...toReach].map((it) => `not reached: ${it.outerHTML.slice(0, 100)}`), ...hidden];
  });
}

/** Runs an example of a page and compares what it prints or shows with what its document says. */
export async function complaintOfExample(
  page: Page,
  index: number,
  { line, shown }: Block,
): Promise<string[]> {
  const figure = page.locator('figure[data-live]').nth(index);
  await figure.getByRole('button', { name: /^Run/ }).click();
  await figure.and(page.locator('[data-state=ended], [data-state=failed]')).waitFor({ timeout: 30_000 });
  const printed = await figure.locator('.printed pre:not(.note)').allInnerTexts();
  const frame = figure.locator('iframe:not(.unseen)');
  if (await frame.count()) printed.push(await frame.contentFrame().locator('body').innerText());
  const all = printed.join('\n').trim();
  if ((await figure.getAttribute('data-state')) === 'failed') return [`the example of line ${line}: ${all}`];
  if (shown === undefined || patternOf(shown).test(all)) return [];
  return [`the example of line ${line} prints ${all}, and its document says ${shown}`];
}

/** The blocks of a document that have a button. */
export const examplesOf = (text: string): Block[] => blocksOf(text).filter(liveKindOf);

/** Visits every page of a site that has been made, tells what is wrong, and returns whether nothing is. */
export async function check(
  folder: string,
  base: string,
  examples: ReadonlyMap<string, readonly Block[]>,
): Promise<boolean> {
  const server = await serveSite(resolve(folder), base);
  const browser = await launchBrowser();
  const start = performance.now();
  let isRight = true;
  try {
    const page = await (await browser.newContext()).newPage();
    const heard = listen(page, server.url);
    const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((file) => file.replaceAll('\\', '/'))
      .filter((file) => file.endsWith('.html') && !file.startsWith('live/'))
      .sort();
    for (const address of pages) {
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.goto(server.url + address, { waitUntil: 'networkidle' });
      const found = await complaintsIn(page);
      if (!address.startsWith('explorer/')) {
        await resize(page, 1280, 800);
        found.push(...(await unreached(page)));
      }
      for (const [i, block] of (examples.get(address) ?? []).entries())
        found.push(...(await complaintOfExample(page, i, block)));
      found.push(...heard.splice(0));
      for (const complaint of found) console.log(`${address}: ${complaint}`);
      isRight &&= found.length === 0;
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${pages.length} pages visited in ${seconds} s: ${isRight ? 'nothing to say' : 'see above'}`);
  } finally {
    await browser.close();
    await server.close();
  }
  return isRight;
}
