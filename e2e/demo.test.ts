import { expect, test } from 'vitest';
import { withPage } from './browser.js';

const path = 'demo/index.html';

test('the demo page computes on WebGPU while one types', () =>
  withPage(
    async ({ page }) => {
      await page.waitForFunction(() => /WebGPU: \w/.test(document.getElementById('backend')!.textContent));
      const loss = () => page.locator('#loss').textContent().then(Number);
      await expect.poll(loss).toBeGreaterThan(0);
      const right = await loss();
      await page.fill('#transcript', 'helo');
      await expect.poll(loss).toBeGreaterThan(right + 1);
      await page.fill('#transcript', 'hellllllllo');
      await expect.poll(() => page.locator('#probability').textContent()).toMatch(/too few frames|10−\d+$/);
    },
    { path },
  ));

test('a page without WebGPU computes on the CPU and says why', () =>
  withPage(
    async ({ page }) => {
      await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }));
      await page.reload();
      await page.waitForFunction(() =>
        /CPU: .*navigator\.gpu/.test(document.getElementById('backend')!.textContent),
      );
      await expect.poll(() => page.locator('#loss').textContent().then(Number)).toBeGreaterThan(0);
    },
    { path },
  ));
