// Runs contestants in turn, so that whatever else the machine does meets them all alike.
import { setTimeout as delay } from 'node:timers/promises';

/**
 * @typedef {import('./teams.js').Team} Team
 * @typedef {import('./problem.js').Shape} Shape
 * @typedef {{ team: Team, contestant: string }} Runner
 * @typedef {{
 *   shape: Shape, team: string, contestant: string, chosen?: string, memory?: number, first: number,
 *   runs: number, ms: number, min: number, max: number,
 * }} Result times in milliseconds; `first`: preparation and first run
 */

/** Milliseconds: what takes less counts as the median of several, what takes more needs no warm-up besides its first run. */
const [short, slow] = [50, 10_000];

/** @param {Iterable<number>} numbers */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1] + sorted[Math.floor(middle)]) / 2;
}

/** Prepares, leaving out with a word who cannot. @param {Runner[]} runners @param {Shape} shape @param {string} scores */
async function prepare(runners, shape, scores) {
  /** @param {string} who @param {unknown} error */
  const leave = (who, error) =>
    console.error(`left out at ${shape}: ${who}: ${/** @type {Error} */ (error).message}`);
  /** @type {(Runner & { first: number, loss?: number, memory?: number, chosen?: string, times: number[], spent: number, repeats: number, broken: boolean })[]} */
  const ready = [];
  for (const team of new Set(runners.map(({ team }) => team))) {
    try {
      await team.child.ask({ do: 'shape', shape, scores });
    } catch (error) {
      leave(team.name, error);
      continue;
    }
    for (const { contestant } of runners.filter((runner) => runner.team === team)) {
      try {
        const answer = await team.child.ask({ do: 'prepare', contestant });
        ready.push({ team, contestant, ...answer, times: [], spent: 0, repeats: 1, broken: false });
      } catch (error) {
        leave(`${contestant} on ${team.name}`, error);
      }
    }
  }
  const expected = ready.find(({ loss }) => loss !== undefined)?.loss ?? 0;
  for (const { contestant, team, loss } of ready) {
    if (loss !== undefined && Math.abs(loss - expected) > 1e-3 * Math.abs(expected))
      console.error(`at ${shape} ${contestant} on ${team.name} finds a loss of ${loss}, others ${expected}`);
  }
  return ready;
}

/**
 * One shape by all. Who has spent `seconds` sits out the rounds that are left.
 * @param {Runner[]} runners @param {Shape} shape
 * @param {{ rounds: number, seconds: number, scores: string }} options @returns {Promise<Result[]>}
 */
export async function compare(runners, shape, { rounds, seconds, scores }) {
  const ready = await prepare(runners, shape, scores);
  for (let round = -1; round < rounds; round++) {
    const turn = round % 2 ? ready : ready.toReversed(); // no one always follows the same neighbour
    for (const one of turn) {
      const warmUp = round < 0;
      const enough = warmUp ? one.first > slow : one.times.length > 0 && one.spent > 1000 * seconds;
      if (enough || one.broken) continue;
      await delay(5); // for garbage collectors and spinning threads of the one before
      try {
        const { contestant } = one;
        const repeats = warmUp && one.first < 1000 ? 3 : one.repeats;
        const { ms } = await one.team.child.ask({ do: 'run', contestant, repeats });
        if (warmUp) one.repeats = Math.min(10, Math.ceil(short / ms));
        else one.times.push(ms);
        one.spent += repeats * ms;
      } catch (error) {
        const { message } = /** @type {Error} */ (error);
        console.error(`failed at ${shape}: ${one.contestant} on ${one.team.name}: ${message}`);
        one.broken = true;
      }
    }
  }
  return ready
    .filter(({ times }) => times.length > 0)
    .map(({ team, contestant, chosen, memory, first, times }) => ({
      ...{ shape, team: team.name, contestant, chosen, memory, first },
      ...{ runs: times.length, ms: median(times), min: Math.min(...times), max: Math.max(...times) },
    }));
}
