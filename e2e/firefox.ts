import { execFileSync } from 'node:child_process';
import puppeteer, { type Page } from 'puppeteer-core';
import { withVulkan } from '../test/vulkan.js';
import type { RunJob } from './jobs.js';
import type { testPage as TestPage } from './page.js';
import { pack, unpack } from './wire.js';

declare const testPage: typeof TestPage;

/** Where WebGPU is not yet on by itself. */
const preferences = {
  'dom.webgpu.enabled': true,
  'dom.webgpu.workers.enabled': true,
  'dom.webgpu.allow-in-parent': true,
  'dom.webgpu.wgpu-backend': 'vulkan',
  'gfx.webgpu.ignore-blocklist': true,
};

/** The path of a Firefox; undefined where there is none. `WEBGPU_CTC_FIREFOX` names one. */
export function findFirefox(): string | undefined {
  const { WEBGPU_CTC_FIREFOX: named } = process.env;
  for (const name of named ? [named] : ['firefox', 'firefox-esr']) {
    try {
      execFileSync(name, ['--version'], { stdio: 'ignore', timeout: 20_000, killSignal: 'SIGKILL' });
      return execFileSync('which', [name], { encoding: 'utf8' }).trim();
    } catch {}
  }
  if (named) throw new Error(`WEBGPU_CTC_FIREFOX=${named}: it does not start`);
  return undefined;
}

/** A page in a Firefox of its own, without errors that nobody caught. */
export async function inFirefox<R>(
  executablePath: string,
  url: string,
  use: (page: Page) => Promise<R>,
): Promise<R> {
  const browser = await puppeteer.launch({
    ...{ browser: 'firefox', executablePath, headless: true },
    ...{ env: withVulkan(), extraPrefsFirefox: preferences, protocolTimeout: 240_000 },
  });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(url);
    const result = await use(page);
    if (complaints.length > 0) throw new Error(`Firefox complained:\n${complaints.join('\n')}`);
    return result;
  } finally {
    await browser.close();
  }
}

/** `RunJob` of the test page in Firefox. */
export const jobsOf = (page: Page, place: 'page' | 'worker'): RunJob =>
  (async (module: string, job: string, ...args: unknown[]) => {
    const call = pack({ module, job, args });
    return unpack(await page.evaluate((it, where) => testPage.doPackedJob(it, where), call, place));
  }) as RunJob;
