// examples/page as somebody runs it: `npx vite examples/page`.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { expect, test } from 'vitest';
import { inPage, launchBrowser } from './browser.js';

const speech = (name: string) => fileURLToPath(new URL(`../fixtures/speech/${name}`, import.meta.url));
const { text, words } = JSON.parse(readFileSync(speech('clips.json'), 'utf8'))[0] as {
  text: string;
  words: { word: string; start: number }[];
};

test('the example in TypeScript aligns a recording of files, saves subtitles, and says what is wrong', async () => {
  const root = fileURLToPath(new URL('../examples/page', import.meta.url));
  const server = await createServer({
    ...{ root, configFile: false, logLevel: 'warn', optimizeDeps: { noDiscovery: true } },
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
  });
  await server.listen();
  const browser = await launchBrowser();
  try {
    await inPage(
      { browser, url: server.resolvedUrls!.local[0]! },
      async ({ page }) => {
        const status = page.getByRole('status');
        const files = page.locator('input[type=file]');
        await files.nth(0).setInputFiles(speech('clip1.logits.npy'));
        await files.nth(1).setInputFiles(speech('vocab.json'));
        await page.getByRole('textbox', { name: 'Text' }).fill(text);
        await page.getByRole('button', { name: 'Align' }).click();
        await expect
          .poll(() => status.textContent(), { timeout: 30_000 })
          .toMatch(/^\d+ words, on the [cg]pu$/);
        const rows = page.locator('tbody tr');
        expect(await rows.count()).toBe(words.length);
        const [from, , word] = await rows.first().locator('td').allTextContents();
        expect(word).toBe(words[0]!.word);
        expect(Math.abs(Number(from) - words[0]!.start)).toBeLessThan(0.3);
        const [download] = await Promise.all([
          page.waitForEvent('download'),
          page.getByRole('button', { name: 'Save as subtitles' }).click(),
        ]);
        expect(readFileSync(await download.path(), 'utf8')).toMatch(/^1\n00:00:\d\d,\d{3} --> /);
        await files.nth(1).setInputFiles(speech('clips.json'));
        await page.getByRole('button', { name: 'Align' }).click();
        await expect.poll(() => status.textContent()).toMatch(/^vocabulary/);
        expect(await rows.first().isVisible()).toBe(false);
      },
      { path: '' },
    );
  } finally {
    await browser.close();
    await server.close();
  }
});
