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
  const { follow } = await load('learning/pen.ts');
  const { Random } = await load('learning/random.ts');
  const strings = (/** @type {string} */ file) =>
    JSON.parse(readFileSync(new URL(`../fixtures/hands/${file}`, import.meta.url), 'utf8'));
  const [styles, hands] = [strings('styles.json'), strings('hands.json')];
  const changed = changes(follow).map(({ name, change }, i) => ({
    name,
    list: hands.map((/** @type {any} */ string, /** @type {number} */ n) => ({
      ...{ text: string.text, strokes: change(string.strokes, new Random(i, n)) },
    })),
  }));
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
    for (const { name, list } of changed) await read(list, () => [`  ${name}`]);
    trainer.dispose();
  }
  line('');
  console.log(table(numbers, rows));
}

/** @typedef {(readonly (readonly [x: number, y: number])[])[]} Strokes */

/**
 * What hands differ in, done to strings that are there: each digit larger or smaller, the pen trembling, each stroke begun at its other
 * end. @param {typeof import('../learning/pen.js').follow} follow
 */
function changes(follow) {
  /** Which digit each stroke is of, as far as digits stand apart. */
  const digitsOf = (/** @type {Strokes} */ strokes) => {
    /** @type {number[][]} */
    const digits = [];
    for (const { stroke, group } of follow(strokes).places) {
      digits[group] ??= [];
      digits[group].push(stroke);
    }
    return digits;
  };
  const extent = (/** @type {Strokes} */ strokes, /** @type {0 | 1} */ axis) => {
    const values = strokes.flat().map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const heightOf = (/** @type {Strokes} */ strokes) => {
    const [top = 0, bottom = 0] = extent(strokes, 1);
    return bottom - top;
  };
  return [
    {
      name: 'each digit larger or smaller by up to 30 %',
      change(/** @type {Strokes} */ strokes, /** @type {import('../learning/random.js').Random} */ random) {
        const resized = [...strokes];
        let moved = 0;
        for (const digit of digitsOf(strokes)) {
          const own = digit.map((i) => strokes[i] ?? []);
          const [left = 0, right = 0] = extent(own, 0);
          const [, foot = 0] = extent(own, 1);
          const size = random.between(0.7, 1.3);
          for (const i of digit)
            resized[i] = (strokes[i] ?? []).map(([x, y]) => [
              moved + left + (x - left) * size,
              foot + (y - foot) * size,
            ]);
          moved += (right - left) * (size - 1);
        }
        return resized;
      },
    },
    {
      name: 'trembling by 2 % of the height',
      change(/** @type {Strokes} */ strokes, /** @type {import('../learning/random.js').Random} */ random) {
        const deviation = 0.02 * heightOf(strokes);
        return strokes.map((stroke) =>
          stroke.map(([x, y]) => [x + random.normal(deviation), y + random.normal(deviation)]),
        );
      },
    },
    {
      name: 'each stroke begun at its other end',
      change: (/** @type {Strokes} */ strokes) => strokes.map((stroke) => stroke.toReversed()),
    },
  ];
}

const nameOf = (/** @type {{ hand: string }} */ { hand }) => hand;

/** Wrong digits a row and a seed, and over the seeds. @param {number[]} seeds @param {Map<string, Errors[]>} rows */
function table(seeds, rows) {
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
  // a person each, then all of them
  const whole = ([name]) => name.endsWith('in all') || name.startsWith(' ');
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
