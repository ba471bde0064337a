// The command line of the bench.
import { parseArgs } from 'node:util';
import { drawShapes, shapes as standard } from './problem.js';
import { rankingShapes } from './ranking.js';
import { readingShapes } from './reading.js';

const help = `usage: npm run bench -- [options]      (or, after a build: node bench/bench.js [options])

Adapters: of the default driver, of the drivers that VK_ICD_FILENAMES names (their manifests, with colons between), of
those that are installed, and SwiftShader from @sparticuz/chromium. PyTorch: of any python3 that has it, or of $PYTHON.

what to measure
  (nothing)          the standard shapes by all: medians, ratios, share of the copy bandwidth, memory
  --first            first calls of fresh processes with shader caches off, at the first four shapes
  --slopes           how times grow over doublings of T, N, C and S
  --reading          alignment, and greedy decoding where S is 0, against what one writes by hand; beam search of the clips of
                     fixtures/decode, against loss and gradient in PyTorch (--only 'width|clips' for these alone)
  --ranking          many texts and one recording (T, candidates, C, S), against losses of as many copies
  --explorer         the page of demo/ in Chromium: edits and zooming
  --training         a step of the training of demo/train.html, and the share of loss and gradient in it
  --random SEED      auto against the forced strategies at 20 shapes drawn from the seed

how
  --shapes 'LIST'    T,N,C,S, or the number of a standard shape (1 to ${standard.length}); spaces between
  --only REGEX       of adapter and contestant, such as 'llvmpipe.* (auto|step)$|pytorch'
  --scores logProbs  instead of logits
  --rounds N         repeats: default 7, with --first, --slopes and --random 3
  --seconds N        of one contestant at one shape, after which it repeats no more: default 20
  --kernels REGEX    after one whole run only the dispatches of these kernels; the lattice alone: 'alpha|beta|sweep|spread'
  --plain            on devices with default limits and without features
  --json             results as JSON`;

const text = /** @type {const} */ ({ type: 'string' });
const flag = /** @type {const} */ ({ type: 'boolean', default: false });

/** What is asked for. Says what it does not understand, and ends. */
export function readOptions() {
  try {
    return read();
  } catch (error) {
    console.error(`${/** @type {Error} */ (error).message}\n\n${help}`);
    process.exit(2);
  }
}

function read() {
  const { values } = parseArgs({
    options: {
      ...{
        first: flag,
        slopes: flag,
        reading: flag,
        ranking: flag,
        explorer: flag,
        training: flag,
        random: text,
        shapes: text,
        only: text,
        scores: text,
        rounds: text,
      },
      ...{ seconds: text, kernels: text, plain: flag, json: flag, help: flag },
    },
  });
  if (values.help) {
    console.log(help);
    process.exit();
  }
  const {
    first,
    slopes,
    reading,
    ranking,
    explorer,
    training,
    random,
    shapes,
    only,
    scores = 'logits',
    kernels,
    plain,
    json,
  } = values;
  if (scores !== 'logits' && scores !== 'logProbs')
    throw new Error(`--scores: logits or logProbs, not ${scores}`);
  const seed = random === undefined ? undefined : number('--random', random);
  const few = first || slopes || reading || ranking || training || seed !== undefined;
  return {
    ...{ first, slopes, reading, ranking, explorer, training, random: seed, kernels, plain, json },
    shapes:
      chosen(shapes) ??
      (reading || ranking
        ? reading
          ? readingShapes
          : rankingShapes
        : seed !== undefined
          ? drawShapes(seed, 20)
          : standard.slice(0, first ? 4 : 7)),
    only: new RegExp(only ?? '', 'i'),
    pace: /** @type {const} */ ({
      rounds: number('--rounds', values.rounds ?? (few ? '3' : '7')),
      seconds: number('--seconds', values.seconds ?? '20'),
      scores,
    }),
  };
}

/** @param {string} name @param {string} value */
function number(name, value) {
  if (!(Number(value) >= 0)) throw new Error(`${name}: expected a number, got ${value}`);
  return Number(value);
}

/** @param {string | undefined} list */
function chosen(list) {
  return list?.match(/\S+/g)?.map((item) => {
    const shape = item.includes(',') ? item.split(',').map(Number) : standard[Number(item) - 1];
    if (shape?.length !== 4 || !shape.every((size, i) => size > 0 || (i === 3 && size === 0)))
      throw new Error(`--shapes: expected T,N,C,S or 1 to ${standard.length}, got ${item}`);
    return /** @type {import('./problem.js').Shape} */ (shape);
  });
}
