// Ranking: on each adapter and the CPU twin, against losses of copies.
import { median } from './compare.js';
import { milliseconds, ratio, table } from './report.js';

/**
 * @typedef {import('./teams.js').Team} Team
 * @typedef {import('./problem.js').Shape} Shape T, K candidates, C, S
 * @typedef {{ team: string, what: string, shape: Shape, ms: number, min: number, max: number, memory: number, perCopies: number }} Line
 */

/** Ten thousand words, and a line of handwriting. @type {Shape[]} */
export const rankingShapes = [[120, 10000, 97, 10]];

/**
 * Medians of interleaved runs. Where the bits of losses differ, it is said.
 * @param {Team[]} teams @param {{ shapes: Shape[], only: RegExp, pace: { rounds: number } }} options
 */
export async function rankingTimes(teams, { shapes, only, pace: { rounds } }) {
  /** @type {Line[]} */
  const lines = [];
  for (const shape of shapes) {
    for (const { name, child } of teams.filter(({ name }) => only.test(name))) {
      /** @type {{ ways: string[] }} */
      const { ways } = await child.ask({ do: 'rankingWays', shape });
      const runners = ways.map((what) => ({
        what,
        times: /** @type {number[]} */ ([]),
        memory: 0,
        losses: '',
      }));
      for (let round = -1; round < rounds; round++) {
        for (const runner of runners) {
          const { ms, ...rest } = await child.ask({ do: 'rank', what: runner.what });
          Object.assign(runner, rest);
          if (round >= 0) runner.times.push(ms);
        }
      }
      const all = new Set(runners.map(({ losses }) => losses).filter(Boolean));
      if (all.size > 1) console.error(`${shape} on ${name}: losses differ`);
      const copies = median(runners.at(-1)?.times ?? []);
      for (const { what, times, memory } of runners) {
        const ms = median(times);
        const range = { min: Math.min(...times), max: Math.max(...times) };
        lines.push({ team: name, what, shape, ms, ...range, memory, perCopies: ms / copies });
      }
    }
  }
  return lines;
}

/** @param {Line[]} lines */
export function rankingTable(lines) {
  const head = ['on', 'T, K, C, S', '', 'median ms', 'fastest–slowest', '× copies', 'memory MiB'];
  const rows = lines.map(({ team, what, shape, ms, min, max, memory, perCopies }) => [
    ...[team, shape.join(', '), what],
    ...[milliseconds(ms), `${milliseconds(min)}–${milliseconds(max)}`, ratio(perCopies)],
    (memory / 2 ** 20).toFixed(1),
  ]);
  return table(head, rows);
}
