// This checkout beside another, both with a built dist/: whether every operation gives the same bits, or with --times how long it takes.
// node bench/before.js CHECKOUT [--shapes 500] [--seed 1] [--device gpu]      exit 1 where bits differ
// node bench/before.js CHECKOUT --times [--shape 50,16,20,30] [--only CtcLoss] [--rounds 15] [--starts 5] [--device gpu]
//   runs of prepared tasks, in turn in two processes, which are started anew: where memory lies makes one process faster than another
//   for all its life. Time of all cores, that is less disturbed than the clock's: the median of each start, then of the starts, and the
//   ratios of all. A line for each shape and work, as soon as it is known
// node bench/before.js CHECKOUT --first [--shape 50,16,20,30] [--only CtcLoss] [--starts 5] [--device gpu]
//   a process from its start to the result of its first call, by the clock
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { problem, seeded, shapes } from './problem.js';

const text = /** @type {const} */ ({ type: 'string' });
const { values, positionals } = parseArgs({
  options: {
    ...{
      shapes: { ...text, default: '500' },
      seed: { ...text, default: '1' },
      rounds: { ...text, default: '15' },
      starts: { ...text, default: '5' },
    },
    ...{ device: { ...text, default: 'gpu' }, shape: text, of: text, only: text },
    ...{ times: { type: 'boolean', default: false }, first: { type: 'boolean', default: false } },
  },
  allowPositionals: true,
});
const { device } = values;

/** @typedef {{ name: string, keys: readonly string[], run: () => Promise<Record<string, any>> }} Work */

/** @param {ArrayBufferView | number | undefined} value */
function hashOf(value) {
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(value)
    ? value
    : Float64Array.of(value ?? Number.NaN);
  return createHash('sha1')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

/** Shapes, scores and targets of every kind, from the seed. */
function* randomProblems() {
  const next = seeded(Number(values.seed));
  /** @param {number} least @param {number} most */
  const draw = (least, most) => Math.round(least * (most / least) ** next());
  for (let i = 0; i < Number(values.shapes); i++) {
    const [T, N, C, S] = [draw(2, 400), draw(1, 8), draw(2, 700), draw(1, 80)];
    const spread = draw(1, 40);
    const scores = next() < 0.5 ? 'logits' : 'logProbs';
    const data = Float32Array.from({ length: T * N * C }, () => spread * (next() - 0.5));
    for (let row = 0; scores === 'logProbs' && row < data.length; row += C) {
      let sum = 0;
      for (let c = row; c < row + C; c++) sum += Math.exp(data[c]);
      for (let c = row; c < row + C; c++) data[c] -= Math.log(sum);
    }
    const inputLengths = Array.from({ length: N }, () => (next() < 0.5 ? T : draw(1, T)));
    const label = () => 1 + Math.floor(next() * (C - 1));
    const targets = Array.from({ length: N }, () =>
      Array.from({ length: Math.floor(next() * (S + 1)) }, label),
    );
    yield {
      shape: [T, N, C, S, scores],
      input: { [scores]: { data, shape: [T, N, C] }, inputLengths },
      targets,
    };
  }
}

/** All that a library can do with a problem. @param {any} library @param {any} input @param {number[][]} targets @returns {Work[]} */
function worksOf(library, input, targets) {
  /** @param {string} name @param {object} options @param {object} more */
  const once = (name, options, more) => async () => {
    const one = await library[name].create({ device, ...options });
    const results = await one.run({ ...input, ...more });
    one.destroy();
    return results;
  };
  const keep = ['alpha', 'beta', 'posterior'];
  const lattice = async () => {
    const ctc = await library.CtcLoss.create({ device });
    const { inputLengths, ...scores } = input;
    const [[key, tensor]] = Object.entries(scores);
    const maxTargetLength = Math.max(...targets.map((row) => row.length));
    const task = await ctc.prepare({ [key]: tensor.shape, maxTargetLength, keep });
    task.setTargets(targets, { inputLengths });
    await task.run({ [key]: tensor.data });
    const read = await Promise.all(keep.map(async (name) => [name, await task.read(name)]));
    ctc.destroy();
    return Object.fromEntries(read);
  };
  const ofLoss = ['loss', 'grad'];
  return [
    ...['step', 'fused', 'tiled'].map((strategy) => ({
      ...{ name: `CtcLoss ${strategy}`, keys: ofLoss },
      run: once('CtcLoss', { strategy, reduction: 'none' }, { targets }),
    })),
    { name: 'kept lattice', keys: keep, run: lattice },
    { name: 'CtcAligner', keys: ['labels', 'scores', 'score'], run: once('CtcAligner', {}, { targets }) },
    { name: 'CtcDecoder', keys: ['labels', 'scores'], run: once('CtcDecoder', {}, {}) },
    {
      ...{ name: 'CtcPosterior', keys: ['durations', 'confidences', 'samples'] },
      run: once('CtcPosterior', {}, { targets, samples: 2, seed: 5 }),
    },
  ];
}

/** What a checkout answers, a line of JSON each: hashes of all results, or the time of each work whenever it is asked. @param {string} checkout */
async function tell(checkout) {
  const library = await import(pathToFileURL(`${checkout}/dist/node.js`).href);
  /** @param {object} line */
  const say = (line) => console.log(JSON.stringify(line));
  if (!values.times && !values.first) {
    for (const { shape, input, targets } of randomProblems()) {
      /** @type {Record<string, string>} */
      const hashes = {};
      for (const { name, keys, run } of worksOf(library, input, targets)) {
        const results = await run();
        for (const key of keys) hashes[`${name} ${key}`] = hashOf(results[key]);
      }
      say({ shape, hashes });
    }
    return;
  }
  const shape = shapeOf(values.shape ?? '');
  const { data, targets } = problem(shape, 'logits');
  const works = values.first
    ? worksOf(library, { logits: { data, shape: shape.slice(0, 3) } }, targets)
    : preparedOf(library, shape, data, targets);
  if (values.first) {
    await works.find(({ name }) => name === values.only)?.run();
    say({ done: true });
    process.exit();
  }
  for await (const line of createInterface(process.stdin)) {
    const before = process.cpuUsage();
    await works.find(({ name }) => name === line)?.run();
    const { user, system } = process.cpuUsage(before);
    say({ ms: (user + system) / 1000 });
  }
}

/** @param {string} text @returns {import('./problem.js').Shape} */
const shapeOf = (text) => /** @type {any} */ (text.split(',').map(Number));

/** Runs of tasks, which are prepared at their first. @param {any} library @param {number[]} shape @param {Float32Array} logits @param {number[][]} targets */
function preparedOf(library, [T, N, C, maxTargetLength], logits, targets) {
  /** @param {string} name @param {object} options @param {object} more */
  const prepared = (name, options, more) => {
    /** @type {Promise<any> | undefined} */
    let made;
    const make = async () => {
      const task = await (await library[name].create({ device, ...options })).prepare({
        ...{ logits: [T, N, C], ...more },
      });
      task.setTargets?.(targets);
      return task;
    };
    const run = async () => {
      made ??= make();
      return (await made).run({ logits });
    };
    return { name: `${name} ${Object.values(options)} prepared`.replace('  ', ' '), run };
  };
  return [
    ...['step', 'fused', 'tiled'].map((strategy) => prepared('CtcLoss', { strategy }, { maxTargetLength })),
    prepared('CtcAligner', {}, { maxTargetLength }),
    prepared('CtcDecoder', {}, {}),
    prepared('CtcPosterior', {}, { maxTargetLength, samples: 2 }),
  ];
}

/** @param {string} checkout @param {Record<string, string>} more */
function start(checkout, more = {}) {
  const { shapes, seed, device } = values;
  const options = Object.entries({ of: checkout, shapes, seed, device, ...more }).flatMap(([name, value]) =>
    value ? [`--${name}`, value] : [],
  );
  for (const mode of /** @type {const} */ (['times', 'first'])) if (values[mode]) options.push(`--${mode}`);
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { child, lines: jsonOf(createInterface(child.stdout)) };
}

const bothCheckouts = [/** @type {string} */ (positionals[0]), fileURLToPath(new URL('..', import.meta.url))];

/** @param {Record<string, string>} [more] */
const startBoth = (more) => bothCheckouts.map((checkout) => start(checkout, more));

/** Drivers print warnings of their own in between, with no end of line. @param {AsyncIterable<string>} lines */
async function* jsonOf(lines) {
  for await (const line of lines) {
    const start = line.indexOf('{"');
    if (start >= 0) yield JSON.parse(line.slice(start));
  }
}

/** @param {ReturnType<typeof start>[]} both */
async function compareBits(both) {
  /** @type {Map<string, { count: number, differ: unknown[][] }>} */
  const seen = new Map();
  for (let i = 0; i < Number(values.shapes); i++) {
    const [before, now] = await Promise.all(both.map(({ lines }) => lines.next()));
    if (!before?.value || !now?.value) throw new Error(`a checkout ended after ${i} shapes`);
    for (const [name, hash] of Object.entries(before.value.hashes)) {
      const of = seen.get(name) ?? { count: 0, differ: [] };
      seen.set(name, of);
      of.count++;
      if (now.value.hashes[name] !== hash) of.differ.push(before.value.shape);
    }
  }
  for (const [name, { count, differ }] of seen) {
    const first = differ.length > 0 ? `, first ${differ[0]?.join(' ')}` : '';
    console.log(`${name}: ${count - differ.length} of ${count} shapes the same bits${first}`);
    if (differ.length > 0) process.exitCode = 1;
  }
}

const onceNames = worksOf({}, {}, []).map(({ name }) => name);
const preparedNames = preparedOf({}, [0, 0, 0, 0], new Float32Array(), []).map(({ name }) => name);

/** @param {number[]} list */
const medianOf = (list) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

/** @typedef {{ before: number, now: number }} Start */

/** @param {string} name @param {readonly Start[]} starts */
function show(name, starts) {
  const [before, now] = [medianOf(starts.map((it) => it.before)), medianOf(starts.map((it) => it.now))];
  const ratios = starts.map((it) => it.now / it.before).toSorted((a, b) => a - b);
  console.log(
    `${name}: ${before.toFixed(2)} ms before, ${now.toFixed(2)} now, ratio ${medianOf(ratios).toFixed(3)}` +
      `, from ${ratios[0]?.toFixed(2)} to ${ratios.at(-1)?.toFixed(2)}`,
  );
}

const shapesAsked = values.shape ? [shapeOf(values.shape)] : shapes.slice(0, 5);

/** A dispatch a step takes seconds in the large shapes. @param {import('./problem.js').Shape} shape @param {readonly string[]} names */
const namesOf = ([T], names) =>
  names.filter((name) => (values.only ? name.includes(values.only) : T < 200 || !/step|lattice/.test(name)));

async function compareTimes() {
  for (const shape of shapesAsked)
    for (const name of namesOf(shape, preparedNames)) {
      /** @type {Start[]} */
      const starts = [];
      for (let round = 0; round < Number(values.starts); round++) {
        const both = startBoth({ shape: shape.join() });
        const [before = Number.NaN, now = Number.NaN] = await inTurn(both, name);
        starts.push({ before, now });
        for (const { child } of both) child.kill();
      }
      show(`${shape}, ${name}`, starts);
    }
}

async function compareFirst() {
  /** @param {string} checkout @param {Record<string, string>} more */
  const firstOf = async (checkout, more) => {
    const from = performance.now();
    const { lines, child } = start(checkout, more);
    const { value } = await lines.next();
    if (!value) throw new Error('a checkout ended before its first call did');
    const ms = performance.now() - from;
    child.kill();
    return ms;
  };
  for (const shape of shapesAsked)
    for (const only of namesOf(shape, onceNames)) {
      /** @type {Start[]} */
      const starts = [];
      for (let round = 0; round < Number(values.starts); round++) {
        const [before, now] = bothCheckouts;
        const more = { shape: shape.join(), only };
        const one = { before: await firstOf(before ?? '', more), now: await firstOf(now ?? '', more) };
        starts.push(one);
      }
      show(`${shape}, ${only}, first call`, starts);
    }
}

/** Milliseconds that a work takes at each start: until it is warm; then at least, and at most, but for three rounds. */
const spends = { warm: 500, least: 600, most: 3000 };

/** Each as often first as second: their medians. @param {ReturnType<typeof start>[]} both @param {string} work */
async function inTurn(both, work) {
  /** @type {number[][]} */
  const times = [[], []];
  let spent = 0;
  /** @param {number} round */
  const runBoth = async (round) => {
    const ms = [0, 0];
    for (const b of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const one = both[b];
      one?.child.stdin.write(`${work}\n`);
      const { value } = (await one?.lines.next()) ?? {};
      if (!value) throw new Error('a checkout ended before its time was told');
      ms[b] = value.ms;
      spent += value.ms;
    }
    return ms;
  };
  for (let round = 0; round < 2 || spent < spends.warm; round++) await runBoth(round);
  spent = 0;
  const enough = (/** @type {number} */ round) =>
    round >= 3 && (spent > spends.most || (round >= Number(values.rounds) && spent > spends.least));
  for (let round = 0; !enough(round); round++) {
    const ms = await runBoth(round);
    for (const b of [0, 1]) times[b]?.push(ms[b] ?? Number.NaN);
  }
  return times.map(medianOf);
}

if (values.of) await tell(values.of);
else if (positionals.length !== 1)
  throw new Error('expected the folder of one other checkout; see the first lines of this file');
else if (values.times) await compareTimes();
else if (values.first) await compareFirst();
else await compareBits(startBoth());
