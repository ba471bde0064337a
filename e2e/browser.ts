import { type Browser, chromium, type Page } from 'playwright';
import { findChromium } from '../src/node/drivers.js';
import type { JobCall, RunJob } from './jobs.js';
import type { testPage as TestPage } from './page.js';
import { serve } from './serve.js';

declare const testPage: typeof TestPage;

/** Without a GPU, pages are drawn by the CPU alone, which costs far less than a software GPU; WebGPU canvases fail there. */
export async function launchBrowser({ gpu = true } = {}): Promise<Browser> {
  const { executablePath, args, env } = await findChromium();
  const all = gpu ? args : [...args, '--disable-gpu'];
  const launch = () => chromium.launch({ executablePath, args: all, env });
  // once in some hundred starts the packaged Chromium crashes before it has a page
  return launch().catch(launch);
}

export type OpenPage = { page: Page; run: RunJob; runInWorker: RunJob };

interface PageOptions {
  readonly expected?: readonly RegExp[];
  readonly path?: string;
  /** Before the page is opened. */
  readonly before?: (page: Page) => Promise<unknown>;
}

/** `inPage`, in a browser of its own: a lost GPU process harms nobody else. */
export async function withPage<R>(
  use: (open: OpenPage) => Promise<R>,
  options: PageOptions = {},
): Promise<R> {
  const browser = await launchBrowser();
  const server = await serve();
  try {
    return await inPage({ browser, url: server.url }, use, options);
  } finally {
    await browser.close();
    await server.close();
  }
}

/**
 * Opens the test page (or another `path` of the repository) as a visitor who was never there. Errors and warnings on the
 * console, errors that nobody caught, and requests to another origin fail the test unless `expected` matches them.
 */
export async function inPage<R>(
  { browser, url }: { browser: Browser; url: string },
  use: (open: OpenPage) => Promise<R>,
  { expected = [], path = 'e2e/index.html', before }: PageOptions = {},
): Promise<R> {
  const complaints: string[] = [];
  const complain = (text: string) => expected.some((known) => known.test(text)) || complaints.push(text);
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    page.on('console', (message) => {
      if (/error|warning/.test(message.type())) complain(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => complain(error.stack ?? error.message));
    page.on('crash', () => complain('the page crashed'));
    const { origin } = new URL(url);
    page.on('request', (request) => {
      const asked = request.url();
      if (!asked.startsWith(`${origin}/`) && !/^(blob|data):/.test(asked)) complain(`a request to ${asked}`);
    });
    await before?.(page);
    await page.goto(url + path);

    const call = (module: string, job: string, args: unknown[]): JobCall => ({ module, job, args });
    const run = (module: string, job: string, ...args: unknown[]) =>
      page.evaluate((it) => testPage.doJob(it), call(module, job, args));
    const runInWorker = (module: string, job: string, ...args: unknown[]) =>
      page.evaluate((it) => testPage.doJobInWorker(it), call(module, job, args));
    const result = await use({ page, run: run as RunJob, runInWorker: runInWorker as RunJob });
    // The errors of the last job arrive a turn later.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
    if (complaints.length) throw new Error('the browser complained:');
    return result;
  } catch (error) {
    if (error instanceof Error) error.message = [error.message, ...complaints].join('\n');
    throw error;
  } finally {
    await context.close();
  }
}
