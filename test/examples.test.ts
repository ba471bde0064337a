import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('own passes: a loop that learns, and micro-batches that add up to the whole', async () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)('node', ['examples/own-passes.js'], { cwd });
  const losses = Array.from(stdout.matchAll(/^step +\d+ {2}loss ([\d.]+)$/gm), ([, loss]) => Number(loss));
  expect(losses.length, stderr).toBe(5);
  expect(losses).toEqual(losses.toSorted((a, b) => b - a));
  expect(losses.at(-1)).toBeLessThan(1);
  expect(stdout).toContain('4 batches of 2: the gradient of one batch of 8 within 1e-5 of its largest');
});
