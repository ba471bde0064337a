// Beam search: on each adapter and the CPU twin, against a yardstick that many machines have: loss and gradient in PyTorch.
import { median } from './compare.js';
import { milliseconds, ratio, table } from './report.js';

/**
 * @typedef {import('./teams.js').Team} Team
 * @typedef {{ team: string, what: string, ms: number, min: number, max: number, memory?: number, perYardstick?: number }} Line
 */

/** What PyTorch's loss and gradient are measured at. @type {import('./problem.js').Shape} */
const yardstick = [1000, 16, 32, 200];
const known = [
  'width 16',
  'width 100',
  'width 100, pruned',
  'width 100, 1000 hotwords',
  'greedy, of the clips',
];

/**
 * Medians of interleaved runs of the 24 clips of fixtures/decode as one batch. Where the best texts are worth something else elsewhere, it is said.
 * @param {Team[]} teams @param {Team | undefined} torch @param {{ only: RegExp, pace: { rounds: number } }} options
 */
export async function searchTimes(teams, torch, { only, pace: { rounds } }) {
  const runners = [];
  for (const { name, child } of teams) {
    const isWanted = (/** @type {string} */ what) => only.test(`${name} ${what}`);
    if (!known.some(isWanted)) continue; // what takes part takes memory
    /** @type {{ ways: string[] }} */
    const { ways } = await child.ask({ do: 'searchWays' });
    for (const what of ways.filter(isWanted))
      runners.push({ team: name, what, run: () => child.ask({ do: 'search', what }) });
  }
  if (runners.length > 0 && torch) {
    const [contestant] = torch.contestants;
    await torch.child.ask({ do: 'shape', shape: yardstick, scores: 'logits' });
    await torch.child.ask({ do: 'prepare', contestant });
    const what = `loss and gradient of ${yardstick.join(', ')}`;
    const run = () => torch.child.ask({ do: 'run', contestant, repeats: 1 });
    runners.push({ team: torch.name, what, run });
  }
  const measured = runners.map((runner) => ({
    ...runner,
    times: /** @type {number[]} */ ([]),
    score: 0,
    memory: 0,
  }));
  for (let round = -1; round < rounds; round++)
    for (const runner of round % 2 ? measured : measured.toReversed()) {
      const { ms, ...answer } = await runner.run();
      Object.assign(runner, answer);
      if (round >= 0) runner.times.push(ms);
    }
  const per = torch && measured.length > 0 ? median(measured[measured.length - 1].times) : undefined;
  return measured.map(({ team, what, times, score, memory }) => {
    const first = measured.find((other) => other.what === what)?.score ?? score;
    if (Math.abs(score - first) > 1e-3 * Math.abs(first))
      console.error(`${what} on ${team} finds texts worth ${score}, others ${first}`);
    const ms = median(times);
    const range = { min: Math.min(...times), max: Math.max(...times) };
    return { team, what, ms, ...range, memory, perYardstick: per && ms / per };
  });
}

/** @param {Line[]} lines */
export function searchTable(lines) {
  const head = ['on', '', 'median ms', 'fastest–slowest', '× Y', 'memory MiB'];
  const rows = lines.map(({ team, what, ms, min, max, memory, perYardstick }) => [
    ...[team, what, milliseconds(ms), `${milliseconds(min)}–${milliseconds(max)}`, ratio(perYardstick)],
    memory ? (memory / 2 ** 20).toFixed(1) : '',
  ]);
  return table(head, rows);
}
