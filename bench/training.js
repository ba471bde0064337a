// A step of the training of demo/train.html: from the pen's movements to new weights, and what of it is loss and gradient.
import { join } from 'node:path';
import { Child } from './children.js';
import { median } from './compare.js';
import { withBuiltPage } from './pages.js';
import { milliseconds, table } from './report.js';

/** @typedef {{ adapter: string, steps: number[], losses: number[], readBack: number }} Line */

/** @param {import('./teams.js').Team[]} teams @param {number} rounds @returns {Promise<Line[]>} */
export async function trainingTimes(teams, rounds) {
  const lines = [];
  const places = teams.map(({ name, env }) => ({ name, env, device: 'gpu' }));
  for (const { name, env, device } of [...places, { name: 'CPU', env: process.env, device: 'cpu' }]) {
    const child = new Child(process.execPath, [join(import.meta.dirname, 'training-worker.js')], env);
    try {
      lines.push({ adapter: name, ...(await child.ask({ rounds, device })) });
    } catch (error) {
      console.error(`${name}: left out: ${/** @type {Error} */ (error).message}`);
    }
    child.end();
  }
  return lines;
}

/** @param {Line[]} lines */
export function trainingTable(lines) {
  const rows = lines.map(({ adapter, steps, losses, readBack }) => [
    adapter,
    ...[median(steps), Math.min(...steps), Math.max(...steps), median(losses)].map(milliseconds),
    `${((100 * median(losses)) / median(steps)).toFixed(1)} %`,
    String(readBack),
  ]);
  return table(
    ['on', 'step, ms', 'min', 'max', 'loss and gradient', 'share', 'bytes read back a step'],
    rows,
  );
}

/** From a movement of the pen until its ink has been drawn, while the page trains. @param {number} count */
async function timeInk(count) {
  const canvas = /** @type {HTMLElement} */ (document.querySelector('#pad canvas'));
  const { x, y, height } = canvas.getBoundingClientRect();
  const send = (/** @type {string} */ type, /** @type {number} */ i) =>
    canvas.dispatchEvent(
      new PointerEvent(type, {
        ...{ pointerId: 1, isPrimary: true, button: 0, bubbles: true, cancelable: true },
        ...{ clientX: x + 100 + i, clientY: y + height * (0.5 + 0.3 * Math.sin(i / 10)) },
      }),
    );
  canvas.setPointerCapture = () => {}; // there is no such pointer
  send('pointerdown', 0);
  const times = [];
  for (let i = 1; i <= count; i++) {
    const start = performance.now();
    send('pointermove', i);
    await new Promise(requestAnimationFrame); // in which the page draws, before this
    times.push(performance.now() - start);
    await new Promise((then) => setTimeout(then, 7));
  }
  send('pointerup', count);
  return times;
}

/** @param {number} rounds */
export const inkTimes = (rounds) =>
  withBuiltPage('train.html', {}, async (page) => {
    await page.locator('#go:enabled').click();
    await page.waitForFunction(() => Number(document.getElementById('steps')?.textContent) >= 20);
    const times = await page.evaluate(timeInk, 100 * rounds);
    return { adapter: (await page.innerText('#backend')).replace(/,.*$/, ''), times };
  });

/** @param {Awaited<ReturnType<typeof inkTimes>>} ink */
export function inkTable({ adapter, times }) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) => milliseconds(sorted[Math.ceil(share * sorted.length) - 1]);
  const row = [
    adapter,
    at(0.5),
    at(0.99),
    at(1),
    `${times.filter((time) => time > 50).length} of ${times.length}`,
  ];
  return table(['page on', 'pen to ink, ms', '99 %', 'max', 'above 50 ms'], [row]);
}
