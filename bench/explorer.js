// The explorer of demo/ in Chromium, built: from an edit to the new lattice, and the frames of a zoom.
import { median } from './compare.js';
import { load, withBuiltPage } from './pages.js';
import { milliseconds, table } from './report.js';

/** @typedef {import('playwright').Page} Page */
/** @typedef {{ what: string, times: number[], adapter: string }} Line */

const letters = 'abcdefghijklmnopqrstuvwxyz';

/**
 * Opens scores of somebody's own, [frames, 27], and asks for a text.
 * @param {Page} page @param {Uint8Array} scores @param {string} text
 */
async function open(page, scores, text) {
  await page.click('#data > button');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.click('text=Open files')]);
  const file = (/** @type {string} */ name, /** @type {Uint8Array | string} */ content) => ({
    ...{ name, mimeType: 'application/octet-stream', buffer: Buffer.from(/** @type {string} */ (content)) },
  });
  const vocabulary = JSON.stringify(['<blank>', ...letters]);
  await chooser.setFiles([file('scores.npy', scores), file('vocab.json', vocabulary)]);
  await page.fill('#word', text);
  const asked = `ways to spell ${text.slice(0, 20)}`;
  await page.waitForFunction(
    (part) => document.getElementById('sentence')?.textContent?.includes(part),
    asked,
  );
  await page.waitForTimeout(500);
}

/** From a slider's event until the lattice of the new scores has been drawn. @param {number} rounds */
async function timeEdits(rounds) {
  const slider = /** @type {HTMLInputElement} */ (
    document.querySelectorAll('#panel-edit input[type=range]')[1]
  );
  const sentence = /** @type {HTMLElement} */ (document.getElementById('sentence'));
  const times = [];
  for (let round = -3; round < rounds; round++) {
    const before = sentence.textContent;
    const start = performance.now();
    slider.value = String(Number(slider.value) === 0 ? 1 : 0);
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    while (sentence.textContent === before) await new Promise((then) => setTimeout(then));
    await new Promise(requestAnimationFrame); // in which the page draws
    if (round >= 0) times.push(performance.now() - start);
    await new Promise((then) => setTimeout(then, 200));
  }
  return times;
}

/** From one frame to the next while the wheel turns. @param {number} rounds */
async function timeZoom(rounds) {
  const plot = /** @type {HTMLElement} */ (document.querySelector('#lattice .plot'));
  const { x, y, width, height } = plot.getBoundingClientRect();
  const at = { clientX: x + width / 2, clientY: y + height / 2 };
  const times = [];
  let last = performance.now();
  for (let i = 0; i < 20 * rounds; i++) {
    const deltaY = i % 40 < 20 ? -40 : 40;
    plot.dispatchEvent(
      new WheelEvent('wheel', { ...at, deltaY, ctrlKey: true, bubbles: true, cancelable: true }),
    );
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times.slice(5);
}

/** On the GPU that there is, and on the CPU. @param {number} rounds @returns {Promise<Line[]>} */
export async function explorerTimes(rounds) {
  const lines = [];
  for (const path of ['', '?device=cpu']) lines.push(...(await timesOf(path, rounds)));
  return lines;
}

/** @param {string} path @param {number} rounds @returns {Promise<Line[]>} */
async function timesOf(path, rounds) {
  const { logitsOf, wideProblem } = await load('demo/explorer/sources/made-up.ts');
  const { writeNpy } = await load('src/entries/files.ts');
  return withBuiltPage(path, { reducedMotion: 'reduce' }, async (page) => {
    await page.waitForFunction(() =>
      /probability/.test(document.getElementById('sentence')?.textContent ?? ''),
    );
    const adapter = path ? 'CPU' : (await page.innerText('#backend')).replace(/^.*: /, '');
    const word = 'thequickbrownfoxjumpsoverthela';
    await open(page, writeNpy(logitsOf(word, 200), [200, 27]), word);
    await page.click('#tab-edit');
    await page.waitForSelector('#panel-edit input');
    const edits = await page.evaluate(timeEdits, 3 * rounds);
    const { logits, text } = wideProblem(2000, 500);
    await open(page, writeNpy(logits, [2000, 27]), text);
    const zoom = await page.evaluate(timeZoom, rounds);
    return [
      { what: 'an edit, 200 frames, 30 labels: until the new lattice is drawn', times: edits, adapter },
      { what: 'zooming, 2000 frames, 1001 states, 1280 × 800: from frame to frame', times: zoom, adapter },
    ];
  });
}

/** @param {Line[]} lines */
export function explorerTable(lines) {
  const rows = lines.map(({ what, times, adapter }) => [
    ...[adapter, what],
    ...[median(times), Math.min(...times), Math.max(...times)].map(milliseconds),
  ]);
  return table(['on', 'what', 'ms', 'min', 'max'], rows);
}
