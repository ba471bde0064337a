// Whether another checkout gives the same bits: every operation on random shapes of ordinary scores, on both builds.
// node bench/bits.js CHECKOUT [--shapes 500] [--seed 1] [--device gpu]    (both with a built dist/; exit 1 where bits differ)
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { seeded } from './problem.js';

const number = /** @type {const} */ ({ type: 'string' });
const { values, positionals } = parseArgs({
  options: {
    shapes: { ...number, default: '500' },
    seed: { ...number, default: '1' },
    device: number,
    of: number,
  },
  allowPositionals: true,
});

/** @param {ArrayBufferView | number | undefined} value */
function hashOf(value) {
  const bytes = ArrayBuffer.isView(value) ? value : Float64Array.of(value ?? Number.NaN);
  return createHash('sha1')
    .update(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    .digest('hex');
}

/** Hashes of all results of a checkout, a line for each shape. @param {string} checkout */
async function tell(checkout) {
  const library = await import(pathToFileURL(`${checkout}/dist/node.js`).href);
  const next = seeded(Number(values.seed));
  /** @param {number} least @param {number} most */
  const draw = (least, most) => Math.round(least * (most / least) ** next());
  const device = values.device ?? 'gpu';
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
    const targets = Array.from({ length: N }, () =>
      Array.from({ length: Math.floor(next() * (S + 1)) }, () => 1 + Math.floor(next() * (C - 1))),
    );
    const input = { [scores]: { data, shape: [T, N, C] }, inputLengths };
    /** @type {Record<string, string>} */
    const hashes = {};
    /** @param {string} name @param {Record<string, any>} results @param {string[]} keys */
    const add = (name, results, keys) => {
      for (const key of keys) hashes[`${name} ${key}`] = hashOf(results[key]);
    };
    for (const strategy of ['step', 'fused', 'tiled']) {
      const ctc = await library.CtcLoss.create({ device, strategy, reduction: 'none' });
      add(strategy, await ctc.run({ ...input, targets }), ['loss', 'grad']);
      ctc.destroy();
    }
    const keep = ['alpha', 'beta', 'posterior'];
    const ctc = await library.CtcLoss.create({ device });
    const maxTargetLength = Math.max(...targets.map((row) => row.length));
    const task = await ctc.prepare({ [scores]: [T, N, C], maxTargetLength, keep });
    task.setTargets(targets, { inputLengths });
    await task.run({ [scores]: data });
    for (const name of keep) hashes[`lattice ${name}`] = hashOf(await task.read(name));
    ctc.destroy();
    for (const [name, more, keys] of /** @type {const} */ ([
      ['CtcAligner', { targets }, ['labels', 'scores', 'score']],
      ['CtcDecoder', {}, ['labels', 'scores']],
      ['CtcPosterior', { targets, samples: 2, seed: i }, ['durations', 'confidences', 'samples']],
    ])) {
      const one = await library[name].create({ device });
      add(name, await one.run({ ...input, ...more }), [...keys]);
      one.destroy();
    }
    console.log(JSON.stringify({ shape: [T, N, C, S, scores], hashes }));
  }
  process.exit(0);
}

/** @param {string} checkout */
function told(checkout) {
  const args = [
    fileURLToPath(import.meta.url),
    '--of',
    checkout,
    '--shapes',
    values.shapes,
    '--seed',
    values.seed,
  ];
  if (values.device) args.push('--device', values.device);
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return jsonOf(createInterface(child.stdout));
}

/** Drivers print warnings of their own in between. @param {AsyncIterable<string>} lines */
async function* jsonOf(lines) {
  for await (const line of lines) if (line.startsWith('{')) yield JSON.parse(line);
}

async function compare() {
  if (positionals.length !== 1)
    throw new Error('usage: node bench/bits.js CHECKOUT [--shapes N] [--seed N] [--device gpu|cpu]');
  const own = fileURLToPath(new URL('..', import.meta.url));
  const [before, after] = [told(positionals[0]), told(own)];
  /** @type {Map<string, unknown[][]>} */
  const differ = new Map();
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (let i = 0; i < Number(values.shapes); i++) {
    const [a, b] = await Promise.all([before.next(), after.next()]);
    if (a.done || b.done) throw new Error(`a checkout ended after ${i} shapes`);
    const { shape, hashes } = a.value;
    const now = b.value.hashes;
    for (const [name, hash] of Object.entries(hashes)) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
      if (now[name] !== hash) differ.set(name, [...(differ.get(name) ?? []), shape]);
    }
  }
  for (const [name, count] of counts) {
    const shapes = differ.get(name) ?? [];
    const first = shapes.length > 0 ? `, first ${shapes[0]?.join(' ')}` : '';
    console.log(`${name}: ${count - shapes.length} of ${count} shapes the same bits${first}`);
  }
  process.exitCode = differ.size > 0 ? 1 : 0;
}

await (values.of ? tell(values.of) : compare());
