// One adapter, or the CPU, in a process of its own, since a driver is chosen once in a process.
// Reads requests from stdin, a line of JSON each: { do: one of the functions below, … }; answers each with a line.
import { createInterface } from 'node:readline';
import { bandwidth } from './bandwidth.js';
import { median } from './compare.js';
import { create, findContestants, inputFor, prepare } from './contestants.js';
import { dispatchOnly, readFloat } from './gpu.js';
import { waysToRank } from './rank.js';
import { waysToRead } from './read.js';
import { waysToSearch } from './search.js';

/**
 * @typedef {import('./contestants.js').Ready} Ready
 * @typedef {{ shape: import('./problem.js').Shape, scores: import('./problem.js').Scores }} Problem
 */

const { where, ...options } = JSON.parse(process.argv[2]);
const filter = options.kernels === undefined ? undefined : await dispatchOnly(new RegExp(options.kernels));

/** @type {Awaited<ReturnType<typeof findContestants>>} */
let found;
/** @type {import('./contestants.js').Input | undefined} */
let input;
/** @type {Map<string, Ready>} */
const ready = new Map();

/** @type {Awaited<ReturnType<typeof waysToRead>> | undefined} */
let reading;
/** @type {Awaited<ReturnType<typeof waysToRank>> | undefined} */
let ranking;
/** @type {Awaited<ReturnType<typeof waysToSearch>> | undefined} */
let searching;

const does = {
  /** Which adapter this is, and what can be run on it. */
  async open() {
    found = await findContestants(where, options);
    return { name: found.name, contestants: [...found.contestants.keys()], left: found.left };
  },

  async bandwidth() {
    return found.device ? bandwidth(found.device) : {};
  },

  /** Frees what was before. @param {Problem} request */
  async shape({ shape, scores }) {
    for (const { end } of ready.values()) end();
    ready.clear();
    input?.end();
    input = await inputFor(found.device, shape, scores);
    return {};
  },

  /** With a first run. @param {{ contestant: string }} request */
  async prepare({ contestant }) {
    const start = performance.now();
    const given = /** @type {NonNullable<typeof input>} */ (input);
    const one = /** @type {Ready} */ (await found.contestants.get(contestant)?.(given));
    ready.set(contestant, one);
    const onHost = await one.run();
    const first = performance.now() - start;
    const loss = onHost ?? (found.device && (await readFloat(found.device, given.out.loss)));
    return { first, loss, memory: one.memory, chosen: one.chosen };
  },

  /** @param {{ contestant: string, repeats: number }} request */
  async run({ contestant, repeats }) {
    const one = /** @type {Ready} */ (ready.get(contestant));
    filter?.(true);
    if (repeats > 1) await one.run(); // settles what the one before has left
    const times = [];
    while (times.length < repeats) {
      const start = performance.now();
      await one.run();
      times.push(performance.now() - start);
    }
    filter?.(false);
    return { ms: median(times) };
  },

  /**
   * From nothing to the result of a first run, then of others; uploads do not count.
   * @param {{ problems: Problem[] }} request
   */
  async first({ problems }) {
    const start = performance.now();
    const ctc = await create(where);
    const created = performance.now() - start;
    const calls = [];
    for (const { shape, scores } of problems) {
      const input = await inputFor(/** @type {GPUDevice | undefined} */ (ctc.device), shape, scores);
      const start = performance.now();
      const task = await prepare(ctc, input);
      const prepared = performance.now();
      await task.run();
      calls.push({ prepare: prepared - start, run: performance.now() - prepared });
      task.end();
      input.end();
    }
    return { create: created, calls };
  },

  /** Frees what was before. @param {{ shape: import('./problem.js').Shape }} request */
  async readingWays({ shape }) {
    reading?.end();
    reading = await waysToRead(where, shape);
    return { ways: [...reading.ways.keys()] };
  },

  /** One alignment, or one reading. @param {{ what: string }} request */
  async read({ what }) {
    const start = performance.now();
    const answer = await reading?.ways.get(what)?.();
    return { ms: performance.now() - start, ...answer };
  },

  /** Frees what was before. @param {{ shape: import('./problem.js').Shape }} request */
  async rankingWays({ shape }) {
    ranking?.end();
    ranking = await waysToRank(where, shape);
    return { ways: [...ranking.ways.keys()] };
  },

  /** One ranking. @param {{ what: string }} request */
  async rank({ what }) {
    const start = performance.now();
    const answer = await ranking?.ways.get(what)?.();
    return { ms: performance.now() - start, ...answer };
  },

  /** Frees what was before. */
  async searchWays() {
    searching?.end();
    searching = await waysToSearch(where);
    return { ways: [...searching.ways.keys()] };
  },

  /** One batch. @param {{ what: string }} request */
  async search({ what }) {
    const start = performance.now();
    const answer = await searching?.ways.get(what)?.();
    return { ms: performance.now() - start, ...answer };
  },
};

for await (const line of createInterface(process.stdin)) {
  const request = JSON.parse(line);
  /** @type {object} */
  const answer = await does[/** @type {keyof typeof does} */ (request.do)](request).catch(
    (/** @type {Error} */ { message }) => ({ error: message }),
  );
  process.stdout.write(`${JSON.stringify({ do: request.do, ...answer })}\n`);
}
process.exit(0); // Dawn would keep it alive
