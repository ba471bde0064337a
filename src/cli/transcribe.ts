import { resolve } from 'node:path';
import type { Vocabulary } from '../entries/text.js';
import type { Emissions } from '../files/emissions.js';
import type { CtcReaderOptions, ReaderBackend, RunOptions } from '../problem/types.js';
import { jsonNumber } from './case.js';
import { inputsOf } from './claims.js';
import { readEmissions } from './emission-files.js';
import { inputError, UsageError } from './failure.js';
import { checkKeys, givenOf, type Job, jobOf, jobOptions, textOptions } from './job.js';
import { runManifest, shardOf } from './manifest.js';
import { choice, integer, parse, wrongOption } from './options.js';
import { checkOutputs, type OutputFile, writeOutputs } from './output.js';
import { print, printable, say } from './printable.js';
import { progress } from './progress.js';
import { remember, stateOf } from './record.js';
import { contentOf, jsonOf, type Result } from './result.js';
import { readVocabulary } from './vocab.js';

interface Reader {
  readonly backend: ReaderBackend;
  destroy(): void;
}

export interface Recording {
  readonly job: Job;
  readonly emissions: Emissions;
  readonly vocabulary: Vocabulary;
  readonly signal: AbortSignal;
}

/** In what `align` and `decode` differ. */
export interface Transcriber<R extends Reader> {
  readonly hasText: boolean;
  create(options: CtcReaderOptions): Promise<R>;
  /** All that can be said before the device is asked: S, if there is a target, and what remains to be done. */
  prepare(recording: Recording): Promise<{
    readonly labels?: number;
    run(reader: R, options: RunOptions): Promise<Result>;
  }>;
  /** What is written on stdout where no output is named. */
  print(result: Result): string;
}

const runOptions = {
  device: { type: 'string', default: 'auto' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  manifest: { type: 'string' },
  jobs: { type: 'string' },
  shard: { type: 'string' },
} as const;

/** One recording or a manifest of them, from the command line to the files. @returns the exit code */
export async function transcribe<R extends Reader>(
  argv: string[],
  signal: AbortSignal,
  transcriber: Transcriber<R>,
): Promise<number> {
  const ofJob = { ...jobOptions, ...(transcriber.hasText && textOptions) };
  const { values, positionals } = parse(argv, { ...ofJob, ...runOptions });
  const { device: asked, force, json, manifest, jobs, shard, ...rest } = values;
  const device = choice('--device', asked, ['auto', 'gpu', 'cpu']);
  const given = givenOf(rest);
  const tell = (text: string) => json || say(text);

  const readers = new Map<number, Promise<R>>();
  const readerFor = async (blank: number): Promise<R> => {
    const known = readers.get(blank);
    if (known) return known;
    const isFirst = readers.size === 0;
    const made = transcriber.create({ device, blank });
    readers.set(blank, made);
    const { backend } = await made;
    if (isFirst) tell(`on the ${backend.device}: ${backend.adapter} (${backend.reason})`);
    return made;
  };

  const perform = async (job: Job, told: (text: string) => void, onProgress?: (share: number) => void) => {
    const { emissions: file, frameSeconds, split, outputs } = job;
    const emissions = await readEmissions(file, job, signal);
    const { frames, padding, classes, input, source, tensor } = emissions;
    const vocabulary = await readVocabulary(job.vocab, job.blank, classes, signal);
    const { blank, blankReason } = vocabulary;
    const { labels, run } = await transcriber.prepare({ job, emissions, vocabulary, signal });
    const cut = padding > 0 ? ` (rows of zeros cut off at the end: ${padding})` : '';
    const sizes = `T = ${frames}${cut}, C = ${classes}${labels === undefined ? '' : `, S = ${labels}`}`;
    told(
      `${source}: ${input}, ${sizes}, frames of ${1000 * frameSeconds} ms, blank ${blank} (${blankReason})`,
    );
    const reader = await readerFor(blank);
    const result = await run(reader, { signal, onProgress }).catch((error) => {
      throw inputError(file, error);
    });
    const files = outputs.map((output): OutputFile => [output, contentOf(output, file, result, split)]);
    await writeOutputs(files, {
      mayReplace: async (path) => force || (manifest !== undefined && (await stateOf(job, path)) === 'own'),
      ...(manifest !== undefined && { before: () => remember(job, files) }),
    });
    const { device } = reader.backend;
    const sized = { frames, ...(padding > 0 && { padding }), classes, labels };
    const report = { tensor, input, blank, ...sized, score: jsonNumber(result.score), device };
    return { report, result };
  };

  const single = async (): Promise<number> => {
    for (const [name, value] of Object.entries({ '--jobs': jobs, '--shard': shard }))
      if (value !== undefined)
        throw new UsageError(`${name}: expected with --manifest, got '${value}' without`);
    if (positionals.length !== 1)
      throw new UsageError(
        `expected one file of emissions, got ${positionals.join(' ') || 'none'}; for many there is --manifest`,
      );
    const [emissions] = positionals;
    const job = jobOf({ ...given, emissions }, transcriber.hasText, optionOf);
    if ([job.emissions, job.vocab, job.textFile].filter((path) => path === '-').length > 1)
      throw new UsageError('-: expected stdin for one input, got it for several');
    const inputs = inputsOf(job).map(([, input]) => input);
    await checkOutputs(job.outputs, inputs, force);
    const shown = progress(json);
    const { report, result } = await perform(job, tell, (share) =>
      shown.show(`${Math.floor(100 * share)} %`),
    ).finally(shown.end);
    const { outputs } = job;
    if (json) {
      const inline = outputs.length === 0 && { result: jsonOf(result) };
      print(JSON.stringify({ status: 'done', emissions, outputs, ...report, ...inline }));
    } else if (outputs.length === 0) {
      const text = transcriber.print(result);
      print(text);
      if (printable(text) !== text)
        tell(`${job.vocab}: expected tokens that can be printed; control characters are written as \\u001b`);
    }
    return 0;
  };

  const many = async (manifest: string): Promise<number> => {
    if (manifest === '') throw wrongOption('--manifest', 'a file', manifest);
    const own = [...positionals, ...['output', 'text', 'textFile'].filter((key) => given[key] !== undefined)];
    if (own.length > 0)
      throw new UsageError(
        `--manifest: expected emissions, text and output in its jobs, got ${own.join(', ')}`,
      );
    const atOnce = integer('--jobs', jobs ?? 4, 1);
    // a job's own paths are relative to its manifest
    const defaults = typeof given.vocab === 'string' ? { ...given, vocab: resolve(given.vocab) } : given;
    const part = shardOf('--shard', shard ?? '1/1');
    // what is wrong for all jobs is told once, before the first
    const some = { emissions: 'a.npy', vocab: 'vocab.json', text: 'a' };
    jobOf({ ...some, ...given }, transcriber.hasText, optionOf);
    // without a device no job would be done, and 0 is the usual blank
    await readerFor(0);
    return runManifest(manifest, {
      jobs: atOnce,
      shard: part,
      force,
      signal,
      quiet: json,
      defaults,
      jobOf(ofManifest) {
        checkKeys(ofManifest, Object.keys(ofJob));
        return jobOf(ofManifest, transcriber.hasText);
      },
      perform: async (job) => (await perform(job, () => {})).report,
    });
  };

  try {
    return await (manifest === undefined ? single() : many(manifest));
  } finally {
    for (const reader of readers.values()) await reader.then((made) => made.destroy()).catch(() => {});
  }
}

const optionOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
