import { dirname, resolve } from 'node:path';
import type { BeamReading } from '../entries/lm.js';
import { STAR } from '../problem/star.js';
import { transcriptOf } from './align-command.js';
import { type BeamJob, beamOf, beamOptions } from './beam-job.js';
import { readEmissions } from './emission-files.js';
import { InputError, inputError, UsageError } from './failure.js';
import { linesOf } from './input.js';
import { checkKeys, type Given, givenOf, inFolder, type Job, jobOf, jobOptions, textOptions } from './job.js';
import { Knowing } from './knowing.js';
import { parse as lineOf } from './manifest.js';
import { choice, number, parse, wrongOption } from './options.js';
import { print, say } from './printable.js';
import { progress } from './progress.js';
import { optionOf } from './transcribe.js';
import { readVocabulary } from './vocab.js';

/** Weights that are tried where none are named. */
const grid = {
  alphas: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5],
  betas: [-1, 0, 0.5, 1, 1.5, 2, 3, 4],
} as const;

const startTexts = 100;

export interface TunedWeights {
  readonly alpha: number;
  readonly beta: number;
  readonly unknown: number;
}

/** A text of an n-best list: what it is worth does not depend on the weights but for the sum. */
export interface TunedText {
  readonly text: string;
  readonly ctc: number;
  /** ln of the probability by the model, with what is added for words that it does not know. */
  readonly lm: number;
  /** Words, or labels where they are the model's units. */
  readonly units: number;
  /** What hotwords and lexicon add. */
  readonly rest: number;
}

/** @param weights those with which the reading was found */
export function textOf(reading: BeamReading, weights: TunedWeights, isOfTokens: boolean): TunedText {
  const { text, ctc, labels, words, total } = reading;
  const lm = reading.lm + reading.unknown * weights.unknown * Math.LN10;
  const units = isOfTokens ? labels.length : words.length;
  return { text, ctc, lm, units, rest: total - ctc - weights.alpha * lm - weights.beta * units };
}

/** What a text is worth with other weights. */
export const totalOf = ({ ctc, lm, units, rest }: TunedText, alpha: number, beta: number) =>
  ctc + alpha * lm + beta * units + rest;

/** Insertions, deletions and exchanges of words between two texts. */
export function wrongWords(text: string, reference: string): number {
  const [own, right] = [text, reference].map((one) => one.split(' ').filter(Boolean)) as [string[], string[]];
  let row = Array.from({ length: right.length + 1 }, (_, j) => j);
  for (const [i, word] of own.entries()) {
    const next = [i + 1];
    for (const [j, other] of right.entries())
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + Number(word !== other)));
    row = next;
  }
  return row.at(-1)!;
}

interface Recording {
  readonly reference: string;
  readonly texts: readonly TunedText[];
}

/** Of each pair of weights the words that are wrong in all recordings: a row for each alpha. */
function surfaceOf(recordings: readonly Recording[], alphas: readonly number[], betas: readonly number[]) {
  const wrong = recordings.map(({ reference, texts }) =>
    texts.map(({ text }) => wrongWords(text, reference)),
  );
  return alphas.map((alpha) =>
    betas.map((beta) => {
      let sum = 0;
      for (const [i, { texts }] of recordings.entries()) {
        const totals = texts.map((text) => totalOf(text, alpha, beta));
        sum += wrong[i]![totals.indexOf(Math.max(...totals))]!;
      }
      return sum;
    }),
  );
}

/** Of the pairs with the fewest wrong words the one that lies in the midst of them. */
function bestOf(surface: readonly (readonly number[])[]): [row: number, column: number] {
  const least = Math.min(...surface.flat());
  const places = surface.flatMap((row, i) =>
    row.flatMap((wrong, j): [number, number][] => (wrong === least ? [[i, j]] : [])),
  );
  const farness = ([i, j]: readonly [number, number]) =>
    places.reduce((sum, [row, column]) => sum + (row - i) ** 2 + (column - j) ** 2, 0);
  return places.reduce((best, place) => (farness(place) < farness(best) ? place : best));
}

const tuneOptions = {
  ...jobOptions,
  ...beamOptions,
  manifest: { type: 'string' },
  alphas: { type: 'string' },
  betas: { type: 'string' },
  device: { type: 'string', default: 'auto' },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', short: 'q', default: false },
} as const;

function numbers(name: string, given: string | undefined, otherwise: readonly number[]): readonly number[] {
  return given === undefined ? otherwise : given.split(',').map((one) => number(name, one));
}

/** `webgpu-ctc lm tune`. @returns the exit code */
export async function tune(argv: string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parse(argv, tuneOptions);
  const { manifest, alphas, betas, device: place, json, quiet, ...rest } = values;
  if (positionals.length > 0)
    throw new UsageError(`lm tune: expected emissions in a manifest, got ${positionals.join(' ')}`);
  if (!manifest) throw wrongOption('--manifest', 'a file of jobs, as of webgpu-ctc align', manifest);
  const tried = {
    alphas: numbers('--alphas', alphas, grid.alphas),
    betas: numbers('--betas', betas, grid.betas),
  };
  const device = choice('--device', place, ['auto', 'gpu', 'cpu']);
  const given = givenOf(rest);
  const beam = beamOf(given, optionOf);
  if (beam.lm === undefined)
    throw wrongOption('--lm', 'a language model, such as model.lm or model.arpa.gz', beam.lm);
  const weights = { alpha: beam.alpha ?? 0.5, beta: beam.beta ?? 1.5, unknown: beam.unknown ?? -10 };
  const nbest = beam.nbest ?? startTexts;
  const search = { ...beam, ...weights, nbest, width: beam.width ?? Math.max(100, nbest) };
  const isQuiet = quiet || json;
  const recordings = await readAll(manifest, given, search, { device, signal, isQuiet });
  const surface = surfaceOf(recordings, tried.alphas, tried.betas);
  report({ ...tried, surface, unknown: weights.unknown, words: wordsIn(recordings) }, json, isQuiet);
  return 0;
}

const wordsIn = (recordings: readonly Recording[]) =>
  recordings.reduce((sum, { reference }) => sum + reference.split(' ').length, 0);

/** Reads the recordings of a manifest, each once. @throws InputError naming the line and what is wrong. */
async function readAll(
  manifest: string,
  given: Given,
  search: BeamJob & TunedWeights,
  { device, signal, isQuiet }: { device: 'auto' | 'gpu' | 'cpu'; signal: AbortSignal; isQuiet: boolean },
): Promise<Recording[]> {
  // a job's own paths are relative to its manifest
  const own = ['vocab', 'addedTokens'].flatMap((key) =>
    typeof given[key] === 'string' ? [[key, resolve(given[key])]] : [],
  );
  const defaults = { ...given, ...Object.fromEntries(own) };
  const knowing = new Knowing();
  const told = new Set<string>();
  const shown = progress(isQuiet);
  const recordings: Recording[] = [];
  let line = 0;
  try {
    for await (const text of linesOf(manifest, signal)) {
      line++;
      if (text.trim() === '') continue;
      shown.show(`${recordings.length} read`);
      const ofLine = lineOf(text);
      checkKeys(ofLine, Object.keys({ ...jobOptions, ...textOptions }));
      const job = inFolder(
        manifest === '-' ? '' : dirname(manifest),
        jobOf({ ...defaults, ...ofLine }, 'text'),
      );
      const { notes, ...recording } = await readOne({ ...job, ...search }, search, knowing, device, signal);
      for (const note of notes) if (!isQuiet && !told.has(note)) say(note);
      for (const note of notes) told.add(note);
      recordings.push(recording);
    }
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${manifest}:${line}: ${error.message}`) : error;
  } finally {
    shown.end();
    knowing.destroy();
  }
  if (recordings.length === 0) throw new InputError(`${manifest}: expected a job in some line, got none`);
  return recordings;
}

/** The n best texts of a recording, and what was said as the vocabulary writes it. */
async function readOne(
  job: Job,
  weights: TunedWeights,
  knowing: Knowing,
  device: 'auto' | 'gpu' | 'cpu',
  signal: AbortSignal,
): Promise<Recording & { readonly notes: readonly string[] }> {
  const listing = await readVocabulary(job, signal);
  const emissions = await readEmissions(job.emissions, job, listing.listed, signal);
  const vocabulary = listing.of(emissions.classes);
  const { targets } = await transcriptOf(job, vocabulary, signal);
  const read = Array.from(targets, (label) => (label === STAR ? '*' : vocabulary.read(label))).join('');
  const reference = read.replace(/[\s\u2581]+/gu, ' ').trim();
  const known = await knowing.of(job, vocabulary, signal);
  const { readings, notes } = await known.run(emissions, { device }, { signal }).catch((error) => {
    throw inputError(job.emissions, error);
  });
  if (readings.length === 0)
    throw new InputError(`${job.emissions}: expected a text that is possible, got none of the lexicon`);
  const texts = readings.map((reading) => textOf(reading, weights, job.units === 'tokens'));
  return { reference, texts, notes: [...known.notes, ...notes.map((note) => `${job.lm}: ${note}`)] };
}

interface Tuned {
  readonly alphas: readonly number[];
  readonly betas: readonly number[];
  /** Wrong words, a row for each alpha. */
  readonly surface: readonly (readonly number[])[];
  readonly unknown: number;
  readonly words: number;
}

function report({ alphas, betas, surface, unknown, words }: Tuned, json: boolean, isQuiet: boolean): void {
  const [row, column] = bestOf(surface);
  const [alpha, beta, wrong] = [alphas[row]!, betas[column]!, surface[row]![column]!];
  if (json) {
    print(JSON.stringify({ status: 'done', alpha, beta, unknown, words, wrong, alphas, betas, surface }));
    return;
  }
  const share = (count: number) => ((100 * count) / words).toFixed(1);
  const rows = [
    ['alpha', ...betas.map(String)],
    ...alphas.map((one, i) => [String(one), ...surface[i]!.map(share)]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((cells) => cells[i]!.length)));
  print(`words wrong, in %; beta from left to right`);
  for (const cells of rows) print(cells.map((cell, i) => cell.padStart(widths[i]!)).join('  '));
  print(`--alpha ${alpha} --beta ${beta}: ${wrong} of ${words} words wrong, ${share(wrong)} %`);
  const isAtEdge = (i: number, count: number) => count > 1 && (i === 0 || i === count - 1);
  if (!isQuiet && (isAtEdge(row, alphas.length) || isAtEdge(column, betas.length)))
    say('the best pair is at an edge of what was tried: --alphas and --betas name others');
}
