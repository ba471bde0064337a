// Pages of demo/ in Chromium, as they are built.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/** A module of the repository's. @param {string} file */
export const load = async (file) =>
  (await runnerImport(fileURLToPath(new URL(`../${file}`, import.meta.url)))).module;

/**
 * Opens a page, and closes all when it has been used.
 * @template R
 * @param {string} path @param {import('playwright').BrowserContextOptions} options
 * @param {(page: import('playwright').Page) => Promise<R>} use
 */
export async function withBuiltPage(path, options, use) {
  const { launchBrowser } = await load('e2e/browser.ts');
  const { serveBuilt } = await load('e2e/built.ts');
  const browser = await launchBrowser();
  const place = mkdtempSync(join(tmpdir(), 'webgpu-ctc-pages-'));
  const site = await serveBuilt(place);
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, ...options });
    await page.goto(site.url + path);
    return await use(page);
  } finally {
    await browser.close();
    await site.close();
    rmSync(place, { recursive: true, force: true });
  }
}
