// Alignment and greedy reading: on each adapter and the CPU twin, against what one would write by hand.
import { median } from './compare.js';
import { milliseconds, ratio, table } from './report.js';

/**
 * @typedef {import('./teams.js').Team} Team
 * @typedef {import('./problem.js').Shape} Shape labels: 0 to read greedily
 * @typedef {{ team: string, what: string, shape: Shape, ms: number, min: number, max: number, memory?: number, perPlain?: number }} Line
 */

const byHand = ['plain JavaScript', 'read back, argmax in JavaScript'];
const known = ['align', 'align (CPU twin)', 'greedy', 'greedy (CPU twin)', ...byHand];

/** @type {Shape[]} */
export const readingShapes = [
  [30000, 1, 32, 3000],
  [1000, 32, 5000, 0],
];

/**
 * Medians of interleaved runs.
 * @param {Team[]} teams @param {{ shapes: Shape[], only: RegExp, pace: { rounds: number } }} options
 */
export async function readingTimes(teams, { shapes, only, pace: { rounds } }) {
  /** @type {Line[]} */
  const lines = [];
  for (const shape of shapes) {
    const runners = [];
    for (const team of teams) {
      const isWanted = (/** @type {string} */ what) => only.test(`${team.name} ${what}`);
      if (!known.some(isWanted)) continue; // what takes part takes memory
      const { ways } = await team.child.ask({ do: 'readingWays', shape });
      for (const what of ways.filter(isWanted))
        runners.push({ team, what, times: /** @type {number[]} */ ([]), memory: 0, score: Number.NaN });
    }
    for (let round = -1; round < rounds; round++) {
      for (const runner of runners) {
        // the plain one does not get faster
        if (round < 0 && (runner.what === byHand[0] || rounds === 1)) continue;
        const { ms, memory, score } = await runner.team.child.ask({ do: 'read', what: runner.what });
        Object.assign(runner, { memory, score });
        if (round >= 0) runner.times.push(ms);
      }
    }
    const plain = runners.find(({ what }) => byHand.includes(what));
    for (const { team, what, times, memory, score } of runners) {
      if (Math.abs(score - runners[0].score) > 1e-6 * Math.abs(score))
        console.error(`${what} on ${team.name} finds a score of ${score}, others ${runners[0].score}`);
      const ms = median(times);
      const perPlain = plain && plain.times.length > 0 ? ms / median(plain.times) : undefined;
      lines.push({
        team: team.name,
        what,
        shape,
        ms,
        min: Math.min(...times),
        max: Math.max(...times),
        memory,
        perPlain,
      });
    }
  }
  return lines;
}

/** @param {Line[]} lines */
export function readingTable(lines) {
  const head = ['on', 'T, N, C, S', '', 'median ms', 'fastest–slowest', '× by hand', 'memory MiB'];
  const rows = lines.map(({ team, what, shape, ms, min, max, memory, perPlain }) => [
    ...[team, shape.join(', '), what],
    ...[milliseconds(ms), `${milliseconds(min)}–${milliseconds(max)}`, ratio(perPlain)],
    memory ? (memory / 2 ** 20).toFixed(1) : '',
  ]);
  return table(head, rows);
}
