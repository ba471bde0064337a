import { resolve } from 'node:path';
import type { CtcReaderOptions, ReaderBackend } from '../api/contracts.js';
import type { Vocabulary } from '../entries/text.js';
import type { Emissions } from '../files/emissions.js';
import type { RunOptions } from '../problem/types.js';
import { meanConfidence } from '../text/segments.js';
import { beamOptions } from './beam-job.js';
import { jsonNumber } from './case.js';
import { inputsOf } from './claims.js';
import { readEmissions } from './emission-files.js';
import { InputError, inputError, UsageError } from './failure.js';
import {
  candidateOptions,
  checkKeys,
  type Given,
  givenOf,
  inputKeys,
  type Job,
  jobOf,
  jobOptions,
  type Takes,
  textOptions,
} from './job.js';
import { runManifest, shardOf } from './manifest.js';
import { choice, integer, parse, wrongOption } from './options.js';
import { checkOutputs, type OutputFile, writeOutputs } from './output.js';
import { print, printable, say } from './printable.js';
import { clock, progress } from './progress.js';
import { remember, stateOf } from './record.js';
import { contentOf, jsonOf, type Result } from './result.js';
import { readVocabulary } from './vocab.js';

interface Instance {
  readonly backend: ReaderBackend;
  destroy(): void;
}

export interface Recording {
  readonly job: Job;
  readonly emissions: Emissions;
  readonly vocabulary: Vocabulary;
  readonly signal: AbortSignal;
  /** Says something on stderr, once for all recordings. */
  tell(text: string): void;
}

/** How far a result can be trusted: in a line, and as it is reported. */
export interface Sureness {
  readonly text: string;
  readonly report: object;
  /** What is doubtful. */
  readonly notes?: readonly string[] | undefined;
}

/** In what `align`, `decode` and `rank` differ. */
export interface Transcriber<R extends Instance, O = Result> {
  readonly takes: Takes;
  create(options: CtcReaderOptions): Promise<R>;
  /** All that can be said before the device is asked: S, if there is a target, and what remains to be done. */
  prepare(recording: Recording): Promise<{
    readonly labels?: number;
    /** What the text was read as, where it is more than text. */
    readonly text?: string | undefined;
    run(instance: R, options: RunOptions): Promise<O>;
  }>;
  /** What is written on stdout where no output is named. */
  print(result: O): string;
  json(result: O): object;
  /** The text of a file in the format of its extension. */
  content(path: string, job: Job, result: O): string;
  sure(result: O, frames: number): Sureness;
}

/** What becomes of words with times. */
export const timed = {
  json: jsonOf,
  content: (path: string, { emissions, split }: Job, result: Result) =>
    contentOf(path, emissions, result, split),
  sure: howSure,
};

const runOptions = {
  device: { type: 'string', default: 'auto' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  quiet: { type: 'boolean', short: 'q', default: false },
  manifest: { type: 'string' },
  jobs: { type: 'string' },
  shard: { type: 'string' },
} as const;

/** The options of a job. */
const keysOf = (takes: Takes) => ({
  ...jobOptions,
  ...(takes === 'text' && textOptions),
  ...(takes === 'candidates' && candidateOptions),
  ...(takes === 'knowledge' && beamOptions),
});

/** One recording or a manifest of them, from the command line to the files. @returns the exit code */
export async function transcribe<R extends Instance, O>(
  argv: string[],
  signal: AbortSignal,
  transcriber: Transcriber<R, O>,
): Promise<number> {
  const { values, positionals } = parse(argv, { ...keysOf(transcriber.takes), ...runOptions });
  const { device: place, force, json, quiet, manifest, jobs, shard, ...rest } = values;
  const device = choice('--device', place, ['auto', 'gpu', 'cpu']);
  const work = new Transcription(transcriber, { device, force, json, quiet: quiet || json, signal });
  const given = givenOf(rest);
  try {
    return await (manifest === undefined
      ? work.one(given, positionals, { '--jobs': jobs, '--shard': shard })
      : work.many(manifest, given, positionals, jobs, shard));
  } finally {
    await work.end();
  }
}

interface TranscriptionOptions {
  readonly device: 'auto' | 'gpu' | 'cpu';
  readonly force: boolean;
  readonly json: boolean;
  /** Nothing on stderr but errors. */
  readonly quiet: boolean;
  readonly signal: AbortSignal;
}

class Transcription<R extends Instance, O> {
  readonly #transcriber: Transcriber<R, O>;
  readonly #options: TranscriptionOptions;
  /** For all recordings, once there is one. */
  #instance: Promise<R> | undefined;
  /** What was told once. */
  readonly #told = new Set<string>();

  constructor(transcriber: Transcriber<R, O>, options: TranscriptionOptions) {
    this.#transcriber = transcriber;
    this.#options = options;
  }

  /** A single recording. `ofMany`: options that only a manifest has. */
  async one(given: Given, positionals: readonly string[], ofMany: Record<string, string | undefined>) {
    for (const [name, value] of Object.entries(ofMany))
      if (value !== undefined)
        throw new UsageError(`${name}: expected with --manifest, got '${value}' without`);
    if (positionals.length !== 1)
      throw new UsageError(
        `expected one file of emissions, got ${positionals.join(' ') || 'none'}; for many there is --manifest`,
      );
    const { force, quiet, json } = this.#options;
    const job = jobOf({ ...given, emissions: positionals[0] }, this.#transcriber.takes, optionOf);
    if (inputKeys.filter((key) => job[key] === '-').length > 1)
      throw new UsageError('-: expected stdin for one input, got it for several');
    const inputs = inputsOf(job).map(([, input]) => input);
    const [files, printed] = outputsOf(job);
    if (printed.length > 1 || (printed.length > 0 && json))
      throw new UsageError(
        `${printed.join(', ')}: expected one output on stdout, got ${json ? 'another by --json' : 'several'}`,
      );
    await checkOutputs(files, inputs, force);
    const shown = progress(quiet);
    const text = clock();
    const { report, result, sure } = await this.#perform(job, false, (share) =>
      shown.show(text(share)),
    ).finally(shown.end);
    this.#tell(sure);
    this.#print(job, report, result);
    return 0;
  }

  #print(job: Job, report: object, result: O) {
    const { emissions, outputs } = job;
    const [, printed] = outputsOf(job);
    for (const output of printed)
      process.stdout.write(printable(this.#transcriber.content(output, job, result)));
    if (this.#options.json) {
      const inline = outputs.length === 0 && { result: this.#transcriber.json(result) };
      print(JSON.stringify({ status: 'done', emissions, outputs, ...report, ...inline }));
    } else if (outputs.length === 0) {
      const text = this.#transcriber.print(result);
      print(text);
      if (printable(text) !== text)
        say(`${job.vocab}: expected tokens that can be printed; control characters are written as \\u001b`);
    }
  }

  /** The jobs of a manifest. */
  async many(
    manifest: string,
    given: Given,
    positionals: readonly string[],
    jobs: string | undefined,
    shard: string | undefined,
  ): Promise<number> {
    if (manifest === '') throw wrongOption('--manifest', 'a file', manifest);
    const own = [...positionals, ...['output', 'text', 'textFile'].filter((key) => given[key] !== undefined)];
    if (own.length > 0)
      throw new UsageError(
        `--manifest: expected emissions, text and output in its jobs, got ${own.join(', ')}`,
      );
    const atOnce = integer('--jobs', jobs ?? 4, 1);
    // a job's own paths are relative to its manifest
    const ownPaths = inputKeys.flatMap((key) =>
      typeof given[key] === 'string' ? [[key, resolve(given[key])]] : [],
    );
    const defaults = { ...given, ...Object.fromEntries(ownPaths) };
    const part = shardOf('--shard', shard ?? '1/1');
    const { takes } = this.#transcriber;
    // what is wrong for all jobs is told once, before the first
    const some = { emissions: 'a.npy', vocab: 'vocab.json', text: 'a', candidates: 'a.txt' };
    jobOf({ ...some, ...given }, takes, optionOf);
    // without a device no job would be done
    await this.#instanceOnce();
    const { force, signal, quiet } = this.#options;
    return runManifest(manifest, {
      ...{ jobs: atOnce, shard: part, force, signal, quiet, defaults },
      jobOf(ofManifest) {
        checkKeys(ofManifest, Object.keys(keysOf(takes)));
        return jobOf(ofManifest, takes);
      },
      perform: async (job) => {
        const [, [printed]] = outputsOf(job);
        if (printed !== undefined)
          throw new InputError(`${printed}: expected a file in a manifest, got stdout`);
        return (await this.#perform(job, true)).report;
      },
    });
  }

  /** Reads, computes, writes. */
  async #perform(job: Job, ofManifest: boolean, onProgress?: (share: number) => void) {
    const { force, signal } = this.#options;
    const { emissions: file } = job;
    const [outputs] = outputsOf(job);
    const listing = await readVocabulary(job, signal);
    const emissions = await readEmissions(file, job, listing.listed, signal);
    const { frames, padding, classes, input, tensor } = emissions;
    const vocabulary = listing.of(classes);
    checkBlank(job, emissions, vocabulary);
    const tell = (text: string) => this.#tellOnce(text);
    const recording = { job, emissions, vocabulary, signal, tell };
    const { labels, text, run } = await this.#transcriber.prepare(recording);
    if (!ofManifest) this.#tell(whatIsRead(job, emissions, vocabulary, labels, text));
    const instance = await this.#instanceOnce();
    const result = await run(instance, { signal, onProgress }).catch((error) => {
      throw inputError(file, error);
    });
    const files = outputs.map(
      (output): OutputFile => [output, this.#transcriber.content(output, job, result)],
    );
    await writeOutputs(files, {
      mayReplace: async (path) => force || (ofManifest && (await stateOf(job, path)) === 'own'),
      ...(ofManifest && { before: () => remember(job, files) }),
    });
    const { device } = instance.backend;
    const sized = { frames, ...(padding > 0 && { padding }), classes, labels };
    const sure = this.#transcriber.sure(result, frames);
    const notes = [...vocabulary.notes, ...(sure.notes ?? [])];
    const quality = { ...sure.report, ...(notes.length > 0 && { notes }) };
    return {
      report: { tensor, input, blank: vocabulary.blank, ...sized, ...quality, device },
      ...{ result, sure: sure.text },
    };
  }

  #instanceOnce(): Promise<R> {
    this.#instance ??= (async () => {
      const instance = await this.#transcriber.create({ device: this.#options.device });
      const { device, adapter, reason } = instance.backend;
      this.#tell(`on the ${device}: ${adapter} (${reason.replace("device: 'gpu'", '--device gpu')})`);
      return instance;
    })();
    return this.#instance;
  }

  #tell(text: string) {
    if (!this.#options.quiet) say(text);
  }

  #tellOnce(text: string) {
    if (!this.#told.has(text)) this.#tell(text);
    this.#told.add(text);
  }

  async end(): Promise<void> {
    await this.#instance?.then((instance) => instance.destroy()).catch(() => {});
  }
}

/**
 * A blank is the best class of many frames of any model. One that never is, while a token that is no text often is, has been taken for it.
 * @throws InputError unless it was given.
 */
function checkBlank(
  { vocab, blank: given }: Job,
  { data, frames, classes }: Emissions,
  vocabulary: Vocabulary,
): void {
  if (given !== undefined) return;
  const wins = new Array<number>(classes).fill(0);
  for (let t = 0; t < frames; t++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (data[t * classes + c]! > data[t * classes + best]!) best = c;
    wins[best]!++;
  }
  if (wins[vocabulary.blank]! > 0) return;
  const often = wins.indexOf(Math.max(...wins));
  const token = vocabulary.token(often);
  if (wins[often]! * 5 < frames || (token !== undefined && !/^[<[].*[>\]]$/su.test(token))) return;
  throw new InputError(
    `${vocab}: expected a blank that is the best class of some frames, got class ${vocabulary.blank} (${vocabulary.blankReason}), which is of none; ` +
      `class ${often}${token === undefined ? '' : ` (${token})`} is of ${wins[often]} of ${frames}: --blank ${often}`,
  );
}

/** Below it a text is hardly what was said: right ones have 0.5 and more. */
const lowConfidence = 0.25;

/** The share of frames in which something else is heard above which a text is hardly what was said, or all of it. */
const mostMismatched = 0.1;

function howSure({ score, words, mismatched = 0, notes, nbest }: Result, frames: number): Sureness {
  const aligned = words.filter((word) => word.aligned !== false);
  const takesTime = aligned.some(({ start, end }) => end > start);
  // mean of the words' own, by how long they take
  const confidence = takesTime ? Number(meanConfidence(aligned).toFixed(6)) : null;
  const unspelled = words
    .filter(({ aligned, text }) => aligned !== true && /[\p{L}\p{N}]/u.test(text))
    .map(({ text }) => text);
  const some = unspelled.slice(0, 5).join(' ') + (unspelled.length > 5 ? ' …' : '');
  const lines = [
    `confidence ${confidence === null ? 'none' : confidence.toFixed(2)}, ${words.length} word${words.length === 1 ? '' : 's'}`,
  ];
  if (unspelled.length > 0) lines.push(`${unspelled.length} not spelled, or not whole: ${some}`);
  if (mismatched > 0) {
    const isMuch = mismatched > mostMismatched * frames;
    const why =
      'if the text is a part of the recording, --free start,end; if words are missing in it, --star';
    lines.push(
      `${isMuch ? 'warning: ' : ''}something else than the text is heard in ${mismatched} of ${frames} frames${isMuch ? ` (${why})` : ''}`,
    );
  }
  if (confidence !== null && confidence < lowConfidence)
    lines.push('warning: this is low; is it the text of this recording, and the vocabulary of this model?');
  const report = {
    score: jsonNumber(score),
    confidence,
    ...(mismatched > 0 && { mismatched }),
    ...(unspelled.length > 0 && { unspelled }),
    ...(nbest?.[0] && { total: jsonNumber(nbest[0].total), probability: nbest[0].probability }),
  };
  return { text: lines.join('; '), report, notes };
}

/** Outputs that are files, and those on stdout: `-.srt`. */
function outputsOf({ outputs }: Job): [files: string[], printed: string[]] {
  const isPrinted = (path: string) => /^-\.[^/\\]+$/.test(path);
  return [outputs.filter((path) => !isPrinted(path)), outputs.filter(isPrinted)];
}

function whatIsRead(
  { frameSeconds }: Job,
  { frames, padding, classes, input, source, starred }: Awaited<ReturnType<typeof readEmissions>>,
  { blank, blankReason, notes }: Vocabulary,
  labels: number | undefined,
  text: string | undefined,
): string {
  const cut = padding > 0 ? ` (rows that say nothing cut off at the end: ${padding})` : '';
  const star = starred ? ' (a column of zeros, that of a star, left out)' : '';
  const sizes = `T = ${frames}${cut}, C = ${classes}${star}${labels === undefined ? '' : `, S = ${labels}`}${text ? ` (text: ${text})` : ''}`;
  return `${source}: ${input}, ${sizes}, frames of ${1000 * frameSeconds} ms${frameSeconds < 0.001 ? ' (milliseconds, not seconds: is that meant?)' : ''}, blank ${blank} (${blankReason})${notes.map((note) => `; vocabulary: ${note}`).join('')}`;
}

export const optionOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
