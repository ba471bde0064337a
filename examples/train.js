/**
 * Trains a recogniser of handwritten digit strings, headless: the network in jax-js, the loss from webgpu-ctc, all on one device.
 * Run with `npm run train`; it is the training of the page `demo/train.html`, from the same sources.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readHands } from './hands.js';
import { accent, curve, dim, line } from './terminal.js';
import { load, provideGpu } from './trainer.js';

const usage = `usage: npm run train -- [options]

  --steps N      until so many steps in all: default 500
  --out FILE     weights, saved every 25 steps: default digits.safetensors. If it is there, training goes on from it
  --fresh        begin anew all the same
  --seed N       of the first weights and the handwriting: default 1. The same seed learns the same
  --batch N      strings in a step: default 32
  --rate X       learning rate: default 0.008
  --device D     gpu, cpu or auto: the GPU, but for one that is software, which takes longer than the CPU. Default auto
  --hands        reads people's handwriting (fixtures/hands) once it is trained, and prints what it read wrong; writes no file
  --seeds N      with --hands: trains N times, from --seed on: default 1`;

const options = readOptions();
if (!options.hands) tryOut();
const { Trainer, room, testStrings } = await load('learning/trainer.ts');
const { sample } = await load('learning/writer.ts');

if (options.hands) {
  await readHands(options, Trainer);
  process.exit(0);
}
const backend = await provideGpu(options.device).catch(stop);
const saved = !options.fresh && existsSync(options.out) ? readFileSync(options.out) : undefined;
const trainer = await Trainer.create(options, { bytes: saved, name: options.out }).catch(stop);
if (saved && options.seed !== undefined && trainer.settings.seed !== options.seed) {
  stop(
    new Error(
      `--seed: expected ${trainer.settings.seed}, that of ${options.out}, got ${options.seed}; --fresh begins anew`,
    ),
  );
}
console.log(trainer.device === 'webgpu' ? backend.adapter : `CPU: ${backend.reason}`);
console.log(`seed ${trainer.settings.seed}, batch ${trainer.settings.batch}, rate ${trainer.settings.rate}`);
if (saved) console.log(`${options.out}: goes on after ${trainer.steps} steps`);

let interrupted = false;
process.once('SIGINT', () => {
  interrupted = true;
});
const began = performance.now();
const first = trainer.steps;
if (trainer.steps === 0) await trainer.errorRate();
report();
while (trainer.steps < options.steps && !interrupted) {
  await trainer.step();
  if (trainer.steps % 25 === 0 || trainer.steps === options.steps || interrupted) {
    await trainer.errorRate();
    save(await trainer.save());
    report(true);
  } else report();
}
line('');

const losses = trainer.losses;
const errors = trainer.errors;
if (losses.length === 0) {
  console.log('Interrupted before the first step.');
  process.exit(130);
}
console.log(`\nloss, step 1 to ${trainer.steps}\n${curve(losses, Math.max(...losses).toFixed(1))}`);
console.log(
  `\nerror rate\n${curve(
    errors.map(({ rate }) => rate),
    percent(Math.max(...errors.map(({ rate }) => rate))),
  )}`,
);
console.log(`\nwhat it reads in fresh handwriting`);
for (let i = 0; i < 6; i++) {
  const { text, strokes } = sample(2 ** 24 - 2, i, room);
  const { text: read } = await trainer.read(strokes);
  console.log(`  ${text.padEnd(6)} ${read === text ? read : accent(read || '–')}`);
}
console.log(
  `\n${percent(errors.at(-1).rate)} of the digits of ${testStrings} fresh strings are wrong. Weights: ${options.out}`,
);
process.exit(interrupted ? 130 : 0);

/** One line that stays up to date on a terminal; elsewhere a line for each measurement. */
function report(measured = false) {
  const { losses, errors, steps } = trainer;
  const recent = losses.slice(-25);
  const loss = recent.length
    ? `loss ${(recent.reduce((a, b) => a + b) / recent.length).toFixed(3)}`
    : 'untrained';
  const pace =
    steps > first ? dim(`${((performance.now() - began) / (steps - first)).toFixed(0)} ms a step`) : '';
  line(
    `step ${steps}/${options.steps}  ${loss}  error ${percent(errors.at(-1)?.rate ?? 1)}  ${pace}`,
    measured || steps === first,
  );
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

/** Whole, or as it was: a kill in the middle of writing loses nothing. @param {Uint8Array} bytes */
function save(bytes) {
  writeFileSync(`${options.out}.part`, bytes);
  renameSync(`${options.out}.part`, options.out);
}

function readOptions() {
  try {
    const number = (
      /** @type {string} */ name,
      /** @type {string | undefined} */ text,
      /** @type {number} */ least,
      /** @type {number} */ most,
    ) => {
      if (text === undefined) return undefined;
      const value = text.trim() === '' ? Number.NaN : Number(text);
      if (!(value >= least && value <= most) || (name !== 'rate' && !Number.isInteger(value)))
        throw new Error(
          `--${name}: expected ${name === 'rate' ? 'a number' : 'an integer'} from ${least} to ${most}, got ${text || 'nothing'}`,
        );
      return value;
    };
    const { values } = parseArgs({
      options: {
        ...{ steps: { type: 'string' }, out: { type: 'string' }, seed: { type: 'string' } },
        ...{
          batch: { type: 'string' },
          rate: { type: 'string' },
          device: { type: 'string' },
          fresh: { type: 'boolean' },
          hands: { type: 'boolean' },
          seeds: { type: 'string' },
          help: { type: 'boolean' },
        },
      },
    });
    if (values.seeds !== undefined && !values.hands)
      throw new Error('--seeds: expected with --hands, got it without');
    if (values.hands && (values.out !== undefined || values.fresh))
      throw new Error(`--hands: expected without --${values.fresh ? 'fresh' : 'out'}, as it writes no file`);
    if (values.out === '') throw new Error('--out: expected the name of a file, got nothing');
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    const device = [/** @type {const} */ ('auto'), 'gpu', 'cpu'].find(
      (name) => name === (values.device ?? 'auto'),
    );
    if (!device) throw new Error(`--device: expected auto, gpu or cpu, got ${values.device}`);
    return {
      device,
      steps: number('steps', values.steps, 1, 1e6) ?? 500,
      out: values.out ?? 'digits.safetensors',
      fresh: values.fresh ?? false,
      hands: values.hands ?? false,
      seeds: number('seeds', values.seeds, 1, 1000) ?? 1,
      seed: number('seed', values.seed, 0, 2 ** 48 - 1),
      batch: number('batch', values.batch, 1, 1024),
      // a file of weights has it in millionths
      rate: number('rate', values.rate, 1e-6, 1),
    };
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${usage}`);
    process.exit(2);
  }
}

/** Whether it can be written: now, not after 25 steps. */
function tryOut() {
  try {
    if (existsSync(options.out) && statSync(options.out).isDirectory()) throw new Error('a folder');
    writeFileSync(`${options.out}.part`, '');
    rmSync(`${options.out}.part`);
  } catch (error) {
    stop(
      new Error(
        `--out ${options.out}: expected a file that can be written, got ${/** @type {Error} */ (error).message}`,
      ),
    );
  }
}

/** @param {Error} error @returns {never} */
function stop(error) {
  console.error(error.message);
  process.exit(2);
}
