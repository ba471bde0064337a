// Visits to the pages of demo/, as they are built.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, inject } from 'vitest';
import { inPage, launchBrowser } from './browser.js';
import { serveBuilt } from './built.js';

export interface VisitOptions {
  readonly viewport?: { width: number; height: number };
  readonly path?: string;
  readonly before?: (page: Page) => Promise<unknown>;
  readonly expected?: readonly RegExp[];
  /** In a browser of its own, for what harms others. */
  readonly alone?: boolean;
  /** `false`: in a browser that has none. */
  readonly gpu?: boolean;
}

/** With a GPU and without, each launched for the first visit. */
const browsers = new Map<boolean, Promise<Browser>>();
export let site: Awaited<ReturnType<typeof serveBuilt>>;

beforeAll(async () => {
  site = await serveBuilt(inject('demoFolder'));
});
afterAll(async () => {
  for (const browser of browsers.values()) await (await browser).close();
  await site?.close();
});

function shared(gpu: boolean): Promise<Browser> {
  const browser = browsers.get(gpu) ?? launchBrowser({ gpu });
  browsers.set(gpu, browser);
  return browser;
}

/** Opens a page. */
export async function visit(use: (page: Page) => Promise<void>, options: VisitOptions = {}): Promise<void> {
  const {
    viewport = { width: 1280, height: 800 },
    path = 'index.html',
    before,
    expected = [],
    alone,
    gpu = true,
  } = options;
  const visited = await (alone ? launchBrowser({ gpu }) : shared(gpu));
  try {
    await inPage({ browser: visited, url: site.url }, ({ page }) => use(page), {
      ...{ path, expected },
      async before(page) {
        await page.setViewportSize(viewport);
        await before?.(page);
      },
    });
  } finally {
    if (alone) await visited.close();
  }
}

interface ExploreOptions extends VisitOptions {
  readonly hash?: string;
  readonly device?: 'cpu';
}

/** Opens the explorer and waits for its first lattice. Motion is off: the sweep has a test of its own. */
export const explore = (
  use: (page: Page) => Promise<void>,
  { hash = '', device, before, ...options }: ExploreOptions = {},
): Promise<void> =>
  visit(
    async (page) => {
      await settled(page);
      await use(page);
    },
    {
      ...{ ...options, path: `index.html${device ? `?device=${device}` : ''}${hash}` },
      async before(page) {
        await page.emulateMedia({ reducedMotion: 'reduce' });
        await before?.(page);
      },
    },
  );

/** For what has nothing to do with a GPU: no kernels have to be compiled. */
export const exploreOnCpu: typeof explore = (use, options = {}) =>
  explore(use, { ...options, device: 'cpu', gpu: false });

/** Until the sentence says a result, and the inspector something of it. */
export const settled = (page: Page) =>
  page.waitForFunction(
    () =>
      /probability|needs at least|Type a word/.test(document.getElementById('sentence')!.textContent!) &&
      document.querySelector('.says')!.textContent,
  );

/** What was asked to be drawn is: pages draw once a frame. */
export const drawn = (page: Page) =>
  page.evaluate(
    () => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))),
  );
export const says = (page: Page, selector: string) => page.locator(selector).innerText();
/** The answer, with what is told and offered beside it, but not the way to the story. */
export const sentence = (page: Page) =>
  page
    .locator('#sentence > :not(.invitation)')
    .evaluateAll((parts) => parts.map((part) => (part as HTMLElement).innerText).join('\n'));

/** The scripts and styles that a page names, and their bytes, gzipped. */
export function firstLoad(html: string): { files: string[]; bytes: number } {
  const text = readFileSync(join(site.folder, html), 'utf8');
  const files = [...text.matchAll(/(?:src|href)="(\.\/[^"]+\.(?:js|css))"/g)].map(([, file]) => file!);
  const sizes = files.map((file) => gzipSync(readFileSync(join(site.folder, file))).length);
  return { files, bytes: sizes.reduce((all, size) => all + size, 0) };
}
