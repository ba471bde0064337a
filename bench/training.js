// A step of the training of demo/train.html: from the pen's movements to new weights, and what of it is loss and gradient.
import { join } from 'node:path';
import { Child } from './children.js';
import { median } from './compare.js';
import { milliseconds, table } from './report.js';

/** @typedef {{ adapter: string, steps: number[], losses: number[], readBack: number }} Line */

/** @param {import('./teams.js').Team[]} teams @param {number} rounds @returns {Promise<Line[]>} */
export async function trainingTimes(teams, rounds) {
  const lines = [];
  for (const { name, env } of teams) {
    const child = new Child(process.execPath, [join(import.meta.dirname, 'training-worker.js')], env);
    try {
      lines.push({ adapter: name, ...(await child.ask({ rounds })) });
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
