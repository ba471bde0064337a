/** How well a training reads the handwriting of people, which nothing is learned from: seed by seed, style by style. */
import { readFileSync } from 'node:fs';
import { line } from './terminal.js';
import { load, provideGpu } from './trainer.js';

/** @typedef {{ wrong: number, digits: number }} Errors */

/**
 * @param {{ steps: number, seed?: number, seeds: number, batch?: number, rate?: number, device?: 'auto' | 'gpu' | 'cpu' }} options
 * @param {any} Trainer
 */
export async function readHands({ steps, seed: first = 1, seeds, batch, rate, device }, Trainer) {
  const { editDistance } = await load('learning/edit-distance.ts');
  const strings = (/** @type {string} */ file) =>
    JSON.parse(readFileSync(new URL(`../fixtures/hands/${file}`, import.meta.url), 'utf8'));
  const [styles, hands] = [strings('styles.json'), strings('hands.json')];
  await provideGpu(device);

  const numbers = Array.from({ length: seeds }, (_, i) => first + i);
  /** @type {Map<string, Errors[]>} */
  const rows = new Map();
  for (const [column, seed] of numbers.entries()) {
    const trainer = await Trainer.create({ seed, batch, rate });
    while (trainer.steps < steps) {
      await trainer.step();
      line(`seed ${seed}: step ${trainer.steps}/${steps}`, trainer.steps % 200 === 0);
    }
    const read = async (/** @type {any[]} */ list, /** @type {(string: any) => string[]} */ namesOf) => {
      for (const string of list) {
        const { text } = await trainer.read(string.strokes);
        const wrong = editDistance(text, string.text);
        for (const name of namesOf(string)) {
          const row = rows.get(name) ?? numbers.map(() => ({ wrong: 0, digits: 0 }));
          rows.set(name, row);
          const cell = /** @type {Errors} */ (row[column]);
          cell.wrong += wrong;
          cell.digits += string.text.length;
        }
      }
    };
    await read(styles, ({ hand }) => [hand, `${new Set(styles.map(nameOf)).size} styles in all`]);
    await read(hands, () => [`${new Set(hands.map(nameOf)).size} hands in all`]);
    trainer.dispose();
  }
  line('');
  console.log(table(numbers, rows));
}

const nameOf = (/** @type {{ hand: string }} */ { hand }) => hand;

/** Wrong digits a row and a seed, and over the seeds. @param {number[]} seeds @param {Map<string, Errors[]>} rows */
function table(seeds, rows) {
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
  const whole = ([name]) => name.endsWith('in all');
  const sorted = [...rows].sort((a, b) => Number(whole(a)) - Number(whole(b)));
  const lines = [
    ['wrong digits of', 'digits', ...seeds.map((seed) => `seed ${seed}`), 'mean', 'worst'],
    ...sorted.map(([name, cells]) => {
      const shares = cells.map(({ wrong, digits }) => wrong / digits);
      const mean = shares.reduce((a, b) => a + b) / shares.length;
      return [name, String(cells[0]?.digits), ...[...shares, mean, Math.max(...shares)].map(percent)];
    }),
  ];
  const widths = lines[0]?.map((_, i) => Math.max(...lines.map((cells) => cells[i]?.length ?? 0))) ?? [];
  const row = (/** @type {string[]} */ cells) =>
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ');
  return lines.map(row).join('\n');
}
