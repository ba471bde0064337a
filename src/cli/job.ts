import { isAbsolute, join } from 'node:path';
import { type FileLayout, fileLayouts, type ScoreKind, scoreKinds } from '../files/emissions.js';
import { type BeamJob, beamOf } from './beam-job.js';
import { InputError } from './failure.js';
import { checkPath, choice, flag, integer, megabytes, wrongOption } from './options.js';
import { checkFormat, rankingFormats, type Split } from './result.js';

/** One recording to align or to read, and where the result goes. */
export interface Job extends BeamJob {
  readonly emissions: string;
  readonly tensor?: string | undefined;
  readonly input?: ScoreKind | undefined;
  readonly layout?: FileLayout | undefined;
  /** Which recording of a batch, from 0. */
  readonly item?: number | undefined;
  /** Frames of the recording. */
  readonly length?: number | undefined;
  /** That a tensor of a compressed file may have. */
  readonly unpackedBytes?: number | undefined;
  readonly vocab: string;
  /** Tokens that were added to the vocabulary, in a file of their own. */
  readonly addedTokens?: string | undefined;
  /** Left out: as the vocabulary says. */
  readonly blank?: number | 'first' | 'last' | undefined;
  /** Of the text, and of a vocabulary with one for each. */
  readonly language?: string | undefined;
  /** The token between words. */
  readonly delimiter?: string | undefined;
  readonly frameSeconds: number;
  readonly text?: string | undefined;
  readonly textFile?: string | undefined;
  /** A file of texts to choose from, one a line. */
  readonly candidates?: string | undefined;
  /** Whether they are also taken for beginnings. */
  readonly prefixes?: boolean | undefined;
  /** Of a TextGrid that is the text. */
  readonly tier?: string | undefined;
  readonly star?: string | undefined;
  readonly free: readonly ('start' | 'end')[];
  readonly tags?: 'said' | 'heard' | undefined;
  readonly split?: Split | undefined;
  readonly outputs: readonly string[];
}

/** Of the command line, in the order of `Job`; a job of a manifest has the same in camel case. */
export const jobOptions = {
  tensor: { type: 'string' },
  input: { type: 'string' },
  layout: { type: 'string' },
  item: { type: 'string' },
  length: { type: 'string' },
  'unpacked-mb': { type: 'string' },
  vocab: { type: 'string' },
  'added-tokens': { type: 'string' },
  blank: { type: 'string' },
  language: { type: 'string' },
  delimiter: { type: 'string' },
  'frame-ms': { type: 'string' },
  split: { type: 'string' },
  output: { type: 'string', short: 'o', multiple: true },
} as const;

export const textOptions = {
  text: { type: 'string' },
  'text-file': { type: 'string' },
  tier: { type: 'string' },
  star: { type: 'string' },
  free: { type: 'string' },
  tags: { type: 'string' },
} as const;

export const candidateOptions = { candidates: { type: 'string' }, prefixes: { type: 'boolean' } } as const;

/** What a command takes besides emissions. */
export type Takes = 'text' | 'candidates' | 'knowledge';

const camelCase = (option: string) => option.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** What was given for a job under the names that a manifest has. */
export type Given = Readonly<Record<string, unknown>>;

export function givenOf(values: Given): Given {
  return Object.fromEntries(Object.entries(values).map(([option, value]) => [camelCase(option), value]));
}

/** A key without its style. */
export const plain = (key: string) => key.toLowerCase().replace(/[-_]/g, '');

/** @throws InputError naming the key, what was expected and what came. */
export function checkKeys(given: Given, options: readonly string[]): void {
  const keys = ['id', 'emissions', ...options.map(camelCase)];
  for (const key of Object.keys(given)) {
    if (keys.includes(key)) continue;
    const meant = keys.find((known) => plain(known) === plain(key));
    throw new InputError(
      `${key}: unknown key; ${meant ? `did you mean ${meant}?` : `known are ${keys.join(', ')}`}`,
    );
  }
}

/**
 * @param named how a key is called where it was given
 * @throws InputError naming what is wrong.
 */
export function jobOf(given: Given, takes: Takes, named = (key: string) => key): Job {
  const hasText = takes === 'text';
  const text = (key: string, expected = 'text') => {
    const value = given[key];
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw wrongOption(named(key), expected, value);
    return value as string | undefined;
  };
  const needed = (key: string, expected: string) => {
    const value = text(key, expected);
    if (value === undefined) throw wrongOption(named(key), expected, value);
    return value;
  };
  const file = (key: string, expected: string) => checkPath(named(key), needed(key, expected));
  const one = <T extends string>(key: string, choices: readonly T[]) =>
    given[key] === undefined ? undefined : choice(named(key), given[key], choices);

  const emissions = file('emissions', 'a .npy, .npz or .safetensors file');
  const vocab = file('vocab', "the model's vocabulary, such as vocab.json or tokens.txt");
  if (hasText && (given.text === undefined) === (given.textFile === undefined))
    throw new InputError(
      `expected exactly one of ${named('text')} and ${named('textFile')}, got ${given.text === undefined ? 'neither' : 'both'}`,
    );
  const { blank = 'auto', frameMs = 20, output = [] } = given;
  const milliseconds = typeof frameMs === 'string' ? Number(frameMs) : frameMs;
  if (typeof milliseconds !== 'number' || !(milliseconds >= shortestFrame && milliseconds <= longestFrame))
    throw wrongOption(named('frameMs'), `milliseconds from ${shortestFrame} to ${longestFrame}`, frameMs);
  const outputs = Array.isArray(output) ? output : [output];
  for (const path of outputs) {
    if (typeof path !== 'string') throw wrongOption(named('output'), 'a path, or an array of paths', output);
    if (path === '') throw wrongOption(named('output'), 'a path', path);
    const known = takes === 'candidates' ? rankingFormats : undefined;
    checkFormat(checkPath(named('output'), path), known);
  }
  const free = text('free', 'start, end or both')?.split(',') ?? [];
  return {
    emissions,
    tensor: text('tensor', 'the name of a tensor'),
    input: one('input', scoreKinds),
    layout: one('layout', fileLayouts),
    item: given.item === undefined ? undefined : integer(named('item'), given.item, 0),
    length: given.length === undefined ? undefined : integer(named('length'), given.length, 0),
    unpackedBytes:
      given.unpackedMb === undefined ? undefined : megabytes(named('unpackedMb'), given.unpackedMb),
    vocab,
    addedTokens: given.addedTokens === undefined ? undefined : file('addedTokens', 'a file'),
    blank: blankOf(named('blank'), blank),
    language: text('language', 'a language, such as en'),
    delimiter: text('delimiter', 'the token between words'),
    frameSeconds: milliseconds / 1000,
    text: text('text'),
    textFile: given.textFile === undefined ? undefined : file('textFile', 'a file'),
    candidates: takes === 'candidates' ? file('candidates', 'a file of texts, one a line') : undefined,
    prefixes: given.prefixes === undefined ? undefined : flag(named('prefixes'), given.prefixes),
    tier: text('tier', 'the name of a tier'),
    star: text('star', 'a word of the text'),
    free: free.map((end) => choice(named('free'), end, ['start', 'end'])),
    tags: one('tags', ['said', 'heard']),
    split: one('split', hasText ? ['word', 'char', 'line'] : ['word', 'char']),
    ...(takes === 'knowledge' && beamOf(given, named)),
    outputs,
  };
}

function blankOf(name: string, blank: unknown): Job['blank'] {
  if (blank === 'auto') return undefined;
  if (blank === 'first' || blank === 'last') return blank;
  if (typeof blank === 'string' && !/^\d+$/.test(blank))
    throw wrongOption(name, 'a class, first, last or auto', blank);
  return integer(name, blank, 0);
}

/** Milliseconds from a frame to the next: less than a sample of any sound, and an hour. Beyond, files could not hold the times. */
const [shortestFrame, longestFrame] = [0.001, 3_600_000];

/** A path as a manifest has it: relative to the manifest. There - is a file, since stdin may be the manifest itself. */
export const pathIn = (folder: string, path: string) =>
  isAbsolute(path) ? path : path === '-' ? `${folder || '.'}/-` : join(folder, path);

/** The keys of what a job reads. */
export const inputKeys = [
  'emissions',
  'vocab',
  'addedTokens',
  'textFile',
  'candidates',
  'lm',
  'lexicon',
  'hotwords',
] as const satisfies (keyof Job)[];

/** A job with other paths for what it reads. */
export function withInputs<J extends Pick<Job, (typeof inputKeys)[number]>>(
  job: J,
  place: (path: string) => string,
): J {
  const placed = inputKeys.flatMap((key) => (job[key] ? [[key, place(job[key])]] : []));
  return { ...job, ...Object.fromEntries(placed) };
}

/** A job as a manifest has it. */
export function inFolder(folder: string, job: Job): Job {
  const place = (path: string) => pathIn(folder, path);
  return { ...withInputs(job, place), outputs: job.outputs.map(place) };
}
