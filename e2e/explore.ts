// Visits to the page of demo/, as it is built.
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll } from 'vitest';
import { inPage, launchBrowser } from './browser.js';
import { serveBuilt } from './built.js';

export interface VisitOptions {
  readonly viewport?: { width: number; height: number };
  readonly hash?: string;
  readonly before?: (page: Page) => Promise<unknown>;
  readonly expected?: readonly RegExp[];
  /** In a browser of its own, for what harms others. */
  readonly alone?: boolean;
}

let browser: Browser;
export let site: Awaited<ReturnType<typeof serveBuilt>>;

beforeAll(async () => {
  [browser, site] = await Promise.all([launchBrowser(), serveBuilt()]);
});
afterAll(async () => {
  await browser?.close();
  await site?.close();
});

/** Opens the page and waits for its first lattice. Motion is off: the sweep has a test of its own. */
export async function explore(use: (page: Page) => Promise<void>, options: VisitOptions = {}): Promise<void> {
  const { viewport = { width: 1280, height: 800 }, hash = '', before, expected = [], alone } = options;
  const visited = alone ? await launchBrowser() : browser;
  try {
    await inPage(
      { browser: visited, url: site.url },
      async ({ page }) => {
        await settled(page);
        await use(page);
      },
      {
        ...{ path: `index.html${hash}`, expected },
        async before(page) {
          await page.setViewportSize(viewport);
          await page.emulateMedia({ reducedMotion: 'reduce' });
          await before?.(page);
        },
      },
    );
  } finally {
    if (alone) await visited.close();
  }
}

/** Until the sentence says a result, and the inspector something of it. */
export const settled = (page: Page) =>
  page.waitForFunction(
    () =>
      /probability|needs at least|Type a word/.test(document.getElementById('sentence')!.textContent!) &&
      document.querySelector('.says')!.textContent,
  );

export const says = (page: Page, selector: string) => page.locator(selector).innerText();
export const sentence = (page: Page) => says(page, '#sentence');
