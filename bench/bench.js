// Loss and gradient: every strategy on every adapter found, buffers of the device in and out, the CPU twin, PyTorch, and
// the natural composition in jax-js. Medians of interleaved repeats. `node bench/bench.js --help` says what else.
import { availableParallelism, cpus } from 'node:os';
import { compare } from './compare.js';
import { explorerTable, explorerTimes } from './explorer.js';
import { longest } from './jax.js';
import { firstCalls, firstTable, slopes, slopeTable } from './modes.js';
import { readOptions } from './options.js';
import { rankingTable, rankingTimes } from './ranking.js';
import { readingTable, readingTimes } from './reading.js';
import { randomTable, rate, timeTable } from './report.js';
import { searchTable, searchTimes } from './searching.js';
import { adapters, cpuTwin, pytorch } from './teams.js';
import { inkTable, inkTimes, trainingTable, trainingTimes } from './training.js';

/** @typedef {import('./teams.js').Team} Team */

/** Keeps the contestants that are asked for, and ends processes that are left with none. @param {Team | undefined} team */
function wanted(team) {
  if (!team) return false;
  team.contestants = team.contestants.filter((name) => options.only.test(`${team.name} ${name}`));
  for (const why of team.left ?? []) console.error(`${team.name}: left out: ${why}`);
  if (team.contestants.length === 0) team.child.end();
  return team.contestants.length > 0;
}

/** @param {Team[]} teams */
async function compareAll(teams) {
  /** @type {Map<string, import('./report.js').Bandwidth>} */
  const bandwidths = new Map();
  for (const { child, name } of gpus) {
    const measured = child.ask({ do: 'bandwidth' });
    await measured.then((bandwidth) => bandwidths.set(name, bandwidth)).catch(console.error);
  }
  const results = [];
  for (const shape of options.shapes) {
    console.error(`${shape} …`);
    const compiles = options.random === undefined && shape[0] <= longest;
    const runners = teams
      .flatMap((team) => team.contestants.map((contestant) => ({ team, contestant })))
      .filter(({ contestant }) => compiles || contestant !== 'jax-js');
    const times = await compare(runners, shape, options.pace);
    results.push(...rate(times, options.pace.scores, bandwidths));
  }
  return { bandwidths, results };
}

/** Read and written. @param {number} bytesPerMs */
const perSecond = (bytesPerMs) => `${(bytesPerMs / 1e6).toFixed(1)} GB/s`;

/** @param {Awaited<ReturnType<typeof compareAll>>} measured @param {Team[]} teams */
function* report({ bandwidths, results }, teams) {
  for (const { name } of teams) {
    const { copy, shader } = bandwidths.get(name) ?? {};
    const speed = copy && shader && `: copies ${perSecond(copy)}, by a shader ${perSecond(shader)}`;
    yield `\n${name}${speed ?? ''}\n`;
    const own = results.filter(({ team }) => team === name);
    yield options.random === undefined ? timeTable(own) : randomTable(own);
  }
  if (results.some(({ contestant }) => contestant === 'jax-js'))
    yield `\njax-js is unrolled over time, which it compiles for long: it is run up to T = ${longest} only.`;
}

const options = readOptions();
/** @param {object} json @param {string} text */
const print = (json, text) => console.log(options.json ? JSON.stringify(json, undefined, 1) : text);
const { scores } = options.pace;
const machine = `${cpus()[0].model}, ${availableParallelism()} cores, Node ${process.version}; ${scores}`;

if (options.explorer) {
  const lines = await explorerTimes(options.pace.rounds);
  print({ machine, results: lines }, `${machine}\n\n${explorerTable(lines)}`);
  process.exit(0);
}

// in reading and ranking modes the contestants are others
const gpus = (await adapters(options)).filter((team) => options.reading || options.ranking || wanted(team));
if (gpus.length === 0) console.error('no adapter is left to measure on');
if (options.first) {
  const lines = await firstCalls(gpus, options.shapes, options.pace);
  print({ machine, results: lines }, `${machine}\n\n${firstTable(lines)}`);
} else if (options.reading) {
  const teams = [...gpus, await cpuTwin()];
  const lines = await readingTimes(teams, options);
  const torch = await pytorch(2);
  const searches = await searchTimes(teams, torch, options);
  const tables = [
    lines.length > 0 ? readingTable(lines) : '',
    searches.length > 0 ? searchTable(searches) : '',
  ];
  print({ machine, results: lines, searches }, [machine, ...tables.filter(Boolean)].join('\n\n'));
  for (const { child } of torch ? [...teams, torch] : teams) child.end();
} else if (options.ranking) {
  const teams = [...gpus, await cpuTwin()];
  const lines = await rankingTimes(teams, options);
  print({ machine, results: lines }, `${machine}\n\n${rankingTable(lines)}`);
  for (const { child } of teams) child.end();
} else if (options.training) {
  const lines = await trainingTimes(gpus, options.pace.rounds);
  const ink = await inkTimes(options.pace.rounds);
  print({ machine, results: lines, ink }, `${machine}\n\n${trainingTable(lines)}\n\n${inkTable(ink)}`);
} else if (options.slopes) {
  const lines = await slopes(gpus, options.pace);
  print({ machine, results: lines }, `${machine}\n\n${slopeTable(lines)}`);
} else {
  const more = options.random === undefined ? [await cpuTwin(), await pytorch()] : [];
  const teams = [...gpus, ...more.filter((team) => team !== undefined).filter(wanted)];
  const measured = await compareAll(teams);
  const bandwidths = Object.fromEntries(measured.bandwidths);
  print({ machine, bandwidths, results: measured.results }, [machine, ...report(measured, teams)].join('\n'));
  for (const { child } of teams) child.end();
}
for (const { child } of gpus) child.end();
