// Besides the comparison: how times grow with the shape, and what a first call costs.
import { compare } from './compare.js';
import { milliseconds, ratio, table } from './report.js';
import { worker } from './teams.js';

/**
 * @typedef {import('./teams.js').Team} Team
 * @typedef {import('./problem.js').Shape} Shape
 * @typedef {{ rounds: number, seconds: number, scores: import('./problem.js').Scores }} Options
 */

/** Where the lattice takes the time, and where the classes do; which axes then count. */
const bases = /** @type {const} */ ([
  { base: [200, 8, 32, 80], axes: 'TNS' },
  { base: [100, 4, 4000, 10], axes: 'TNC' },
]);

/**
 * Slopes of `auto` on logarithmic scales over two doublings of each axis, from a shape that takes 20 ms or more.
 * @param {Team[]} teams @param {Options} options
 */
export async function slopes(teams, options) {
  const lines = [];
  for (const team of teams) {
    const runner = { team, contestant: team.contestants.includes('auto') ? 'auto' : team.contestants[0] };
    const time = async (/** @type {Shape} */ shape) => (await compare([runner], shape, options))[0]?.ms;
    for (const { base, axes } of bases) {
      /** @type {Shape} */
      let from = [...base];
      let start = await time(from);
      for (let grow = 0; start < 20 && grow < 12; grow++) {
        from = /** @type {Shape} */ (from.map((size, i) => (i === grow % 2 ? 2 * size : size)));
        start = await time(from);
      }
      for (const axis of axes) {
        const times = [start];
        for (const factor of [2, 4]) {
          const grown = from.map((size, i) => ('TNCS'[i] === axis ? factor * size : size));
          times.push(await time(/** @type {Shape} */ (grown)));
        }
        const rises = [1, 2].map((i) => Math.log2(times[i] / times[i - 1]));
        lines.push({ team: team.name, contestant: runner.contestant, from, axis, times, slopes: rises });
      }
    }
  }
  return lines;
}

/** @param {Awaited<ReturnType<typeof slopes>>} lines */
export function slopeTable(lines) {
  const head = ['on', 'from T, N, C, S', 'doubled', 'ms', 'slopes'];
  const rows = lines.map(({ team, contestant, from, axis, times, slopes }) => [
    `${team}, ${contestant}`,
    from.join(', '),
    axis,
    times.map(milliseconds).join(' → '),
    slopes.map(ratio).join(', '),
  ]);
  return table(head, rows);
}

/**
 * First calls of fresh processes, `auto`, and a second shape of the same class after each: a little smaller everywhere.
 * @param {Team[]} teams @param {Shape[]} shapes @param {Options} options
 */
export async function firstCalls(teams, shapes, { rounds, scores }) {
  const lines = [];
  for (const { name, env } of teams) {
    for (const shape of shapes) {
      const [T, N, C, S] = shape;
      /** @type {Shape} */
      const second = [Math.ceil(0.9 * T), Math.max(1, N - 1), Math.max(2, C - 4), Math.max(1, S - 1)];
      const calls = [];
      for (let round = 0; round < rounds; round++) {
        const child = worker({ where: 'gpu' }, env);
        try {
          const problems = [shape, second].map((shape) => ({ shape, scores }));
          calls.push(await child.ask({ do: 'first', problems }));
        } finally {
          child.end();
        }
      }
      // a whole call of the middle, rather than medians that do not add up
      const total = (/** @type {any} */ { create, calls: [{ prepare, run }] }) => create + prepare + run;
      const { create, calls: both } = calls.sort((a, b) => total(a) - total(b))[calls.length >> 1];
      lines.push({ team: name, shape, create, ...both[0], second: { shape: second, ...both[1] } });
    }
  }
  return lines;
}

/** @param {Awaited<ReturnType<typeof firstCalls>>} lines */
export function firstTable(lines) {
  const head = ['on', 'T, N, C, S', 'create', 'prepare', 'run', 'first call ms'];
  head.push('second shape', 'prepare', 'run', 'ms');
  const rows = lines.map(({ team, shape, create, prepare, run, second }) => [
    ...[team, shape.join(', ')],
    ...[create, prepare, run, create + prepare + run].map(milliseconds),
    second.shape.join(', '),
    ...[second.prepare, second.run, second.prepare + second.run].map(milliseconds),
  ]);
  return table(head, rows);
}
