import { resolve } from 'node:path';
import type { CtcReaderOptions, ReaderBackend } from '../api/contracts.js';
import type { Vocabulary } from '../entries/text.js';
import type { Emissions } from '../files/emissions.js';
import type { RunOptions } from '../problem/types.js';
import { jsonNumber } from './case.js';
import { inputsOf } from './claims.js';
import { readEmissions } from './emission-files.js';
import { inputError, UsageError } from './failure.js';
import { checkKeys, type Given, givenOf, type Job, jobOf, jobOptions, textOptions } from './job.js';
import { runManifest, shardOf } from './manifest.js';
import { choice, integer, parse, wrongOption } from './options.js';
import { checkOutputs, type OutputFile, writeOutputs } from './output.js';
import { print, printable, say } from './printable.js';
import { progress } from './progress.js';
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
}

/** In what `align` and `decode` differ. */
export interface Transcriber<R extends Instance> {
  readonly hasText: boolean;
  create(options: CtcReaderOptions): Promise<R>;
  /** All that can be said before the device is asked: S, if there is a target, and what remains to be done. */
  prepare(recording: Recording): Promise<{
    readonly labels?: number;
    run(instance: R, options: RunOptions): Promise<Result>;
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

/** The options of a job. */
const keysOf = (hasText: boolean) => ({ ...jobOptions, ...(hasText && textOptions) });

/** One recording or a manifest of them, from the command line to the files. @returns the exit code */
export async function transcribe<R extends Instance>(
  argv: string[],
  signal: AbortSignal,
  transcriber: Transcriber<R>,
): Promise<number> {
  const { values, positionals } = parse(argv, { ...keysOf(transcriber.hasText), ...runOptions });
  const { device: place, force, json, manifest, jobs, shard, ...rest } = values;
  const device = choice('--device', place, ['auto', 'gpu', 'cpu']);
  const work = new Transcription(transcriber, { device, force, json, signal });
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
  readonly signal: AbortSignal;
}

class Transcription<R extends Instance> {
  readonly #transcriber: Transcriber<R>;
  readonly #options: TranscriptionOptions;
  /** For all recordings, once there is one. */
  #instance: Promise<R> | undefined;

  constructor(transcriber: Transcriber<R>, options: TranscriptionOptions) {
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
    const { force, json } = this.#options;
    const job = jobOf({ ...given, emissions: positionals[0] }, this.#transcriber.hasText, optionOf);
    if ([job.emissions, job.vocab, job.textFile].filter((path) => path === '-').length > 1)
      throw new UsageError('-: expected stdin for one input, got it for several');
    const inputs = inputsOf(job).map(([, input]) => input);
    await checkOutputs(job.outputs, inputs, force);
    const shown = progress(json);
    const { report, result } = await this.#perform(job, false, (share) =>
      shown.show(`${Math.floor(100 * share)} %`),
    ).finally(shown.end);
    this.#print(job, report, result);
    return 0;
  }

  #print(job: Job, report: object, result: Result) {
    const { emissions, outputs } = job;
    if (this.#options.json) {
      const inline = outputs.length === 0 && { result: jsonOf(result) };
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
    const defaults = typeof given.vocab === 'string' ? { ...given, vocab: resolve(given.vocab) } : given;
    const part = shardOf('--shard', shard ?? '1/1');
    const { hasText } = this.#transcriber;
    // what is wrong for all jobs is told once, before the first
    const some = { emissions: 'a.npy', vocab: 'vocab.json', text: 'a' };
    jobOf({ ...some, ...given }, hasText, optionOf);
    // without a device no job would be done
    await this.#instanceOnce();
    const { force, signal, json } = this.#options;
    return runManifest(manifest, {
      ...{ jobs: atOnce, shard: part, force, signal, quiet: json, defaults },
      jobOf(ofManifest) {
        checkKeys(ofManifest, Object.keys(keysOf(hasText)));
        return jobOf(ofManifest, hasText);
      },
      perform: async (job) => (await this.#perform(job, true)).report,
    });
  }

  /** Reads, computes, writes. */
  async #perform(job: Job, ofManifest: boolean, onProgress?: (share: number) => void) {
    const { force, signal } = this.#options;
    const { emissions: file, split, outputs } = job;
    const emissions = await readEmissions(file, job, signal);
    const { frames, padding, classes, input, tensor } = emissions;
    const vocabulary = await readVocabulary(job.vocab, job.blank, classes, signal);
    const { labels, run } = await this.#transcriber.prepare({ job, emissions, vocabulary, signal });
    if (!ofManifest) this.#tell(whatIsRead(job, emissions, vocabulary, labels));
    const instance = await this.#instanceOnce();
    const result = await run(instance, { signal, onProgress }).catch((error) => {
      throw inputError(file, error);
    });
    const files = outputs.map((output): OutputFile => [output, contentOf(output, file, result, split)]);
    await writeOutputs(files, {
      mayReplace: async (path) => force || (ofManifest && (await stateOf(job, path)) === 'own'),
      ...(ofManifest && { before: () => remember(job, files) }),
    });
    const { device } = instance.backend;
    const sized = { frames, ...(padding > 0 && { padding }), classes, labels };
    const score = jsonNumber(result.score);
    return { report: { tensor, input, blank: vocabulary.blank, ...sized, score, device }, result };
  }

  #instanceOnce(): Promise<R> {
    this.#instance ??= (async () => {
      const instance = await this.#transcriber.create({ device: this.#options.device });
      const { device, adapter, reason } = instance.backend;
      this.#tell(`on the ${device}: ${adapter} (${reason})`);
      return instance;
    })();
    return this.#instance;
  }

  #tell(text: string) {
    if (!this.#options.json) say(text);
  }

  async end(): Promise<void> {
    await this.#instance?.then((instance) => instance.destroy()).catch(() => {});
  }
}

function whatIsRead(
  { frameSeconds }: Job,
  { frames, padding, classes, input, source }: Awaited<ReturnType<typeof readEmissions>>,
  { blank, blankReason }: Vocabulary,
  labels: number | undefined,
): string {
  const cut = padding > 0 ? ` (rows of zeros cut off at the end: ${padding})` : '';
  const sizes = `T = ${frames}${cut}, C = ${classes}${labels === undefined ? '' : `, S = ${labels}`}`;
  return `${source}: ${input}, ${sizes}, frames of ${1000 * frameSeconds} ms, blank ${blank} (${blankReason})`;
}

const optionOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
