import { expect, test } from 'vitest';
import { withPage } from './browser.js';

test('WebGPU computes in a page and in a worker', () =>
  withPage(async ({ run, runInWorker }) => {
    console.log(`browser adapter: ${await run('smoke', 'adapter')}`);
    const numbers = Float32Array.from({ length: 100 }, (_, i) => i - 50.5);
    for (const runThere of [run, runInWorker]) {
      expect(await runThere('smoke', 'double', numbers)).toEqual(numbers.map((x) => 2 * x));
    }
  }));

test('a WebGPU canvas shows on a screenshot', () =>
  withPage(async ({ page, run }) => {
    await run('smoke', 'paint', [1, 0.6, 0.2, 1]);
    const png = await page.locator('canvas').screenshot();
    expect(await run('smoke', 'middlePixel', new Uint8Array(png))).toEqual([255, 153, 51, 255]);
  }));

test('numbers reach the browser and come back as they are', () =>
  withPage(async ({ run, runInWorker }) => {
    const value = {
      losses: [NaN, Infinity, -Infinity, -0],
      lengths: Int32Array.of(-1, 2 ** 31 - 1),
      bits: Uint16Array.of(0x7e00),
    };
    expect(await run('smoke', 'echo', value)).toEqual(value);
    expect(await runInWorker('smoke', 'echo', value)).toEqual(value);
  }));

test('pages and workers fetch files of the repository', () =>
  withPage(async ({ run, runInWorker }) => {
    expect(await run('smoke', 'fetchJson', '/package.json')).toMatchObject({ name: 'webgpu-ctc' });
    expect(await runInWorker('smoke', 'fetchJson', '/package.json')).toMatchObject({ name: 'webgpu-ctc' });
  }));

test('a GPU error that nobody catches fails the test', async () => {
  await expect(withPage(({ run }) => run('smoke', 'misuse'))).rejects.toThrow('GPUValidationError');
  await expect(withPage(({ runInWorker }) => runInWorker('smoke', 'misuse'))).rejects.toThrow(
    'GPUValidationError',
  );
  await withPage(({ run }) => run('smoke', 'misuse'), { expected: [/GPUValidationError: .*usage/] });
});
