import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CtcError } from '../problem/errors.js';
import { Claims, inputsOf, type JobName, numberOf } from './claims.js';
import { exitCode, InputError } from './failure.js';
import { linesOf } from './input.js';
import { type Given, inFolder, type Job, pathIn } from './job.js';
import { wrongOption } from './options.js';
import { checkOutputs, clearLeftovers } from './output.js';
import { placeOf } from './place.js';
import { print, say } from './printable.js';
import { clock, progress } from './progress.js';
import { stateOf } from './record.js';

export interface Shard {
  /** From 1. */
  readonly index: number;
  readonly count: number;
}

export function shardOf(name: string, value: string): Shard {
  const [, index, count] = (/^(\d+)\/(\d+)$/.exec(value) ?? []).map(Number);
  if (!(index >= 1 && index <= count)) throw wrongOption(name, 'i/n with i from 1 to n, such as 2/8', value);
  return { index, count };
}

export interface ManifestOptions {
  readonly shard: Shard;
  /** Jobs in flight. */
  readonly jobs: number;
  /** Does again what is done. */
  readonly force: boolean;
  readonly quiet: boolean;
  readonly signal: AbortSignal;
  /** What holds for the jobs that do not say otherwise; the paths in it are absolute. */
  readonly defaults: Given;
  jobOf(given: Given): Job;
  /** Writes the outputs; what it returns is reported. */
  perform(job: Job): Promise<object>;
}

/**
 * Does the jobs of a manifest, one JSON object a line, and reports each on stdout. A job whose outputs all hold what it wrote
 * is done already, so that a run which was stopped is started again as it was. What it did not write, no job overwrites.
 *
 * @returns the exit code
 */
export async function runManifest(path: string, options: ManifestOptions): Promise<number> {
  return new Manifest(path, options).run();
}

class Manifest {
  readonly #path: string;
  /** That its jobs' paths are relative to. */
  readonly #folder: string;
  readonly #options: ManifestOptions;
  readonly #claims = new Claims();
  readonly #counts = { done: 0, skipped: 0, failed: 0 };
  readonly #cleared = new Map<string, Promise<void>>();
  #code = 0;
  /** Whether it could be read before its first job; else each job is looked at when its turn comes. */
  #isKnown = false;
  /** Jobs of this shard, where that is known. */
  #total = 0;

  constructor(path: string, options: ManifestOptions) {
    this.#path = path;
    this.#folder = path === '-' ? '' : dirname(path);
    this.#options = options;
  }

  async run(): Promise<number> {
    await this.#lookAhead();
    const { shard, jobs, signal, quiet } = this.#options;
    const shown = progress(quiet);
    const shareText = clock();
    const flying = new Set<Promise<void>>();
    let stopped: unknown;
    let line = 0;
    try {
      for await (const text of linesOf(this.#path, signal)) {
        line++;
        if (text.trim() === '' || (line - shard.index) % shard.count !== 0) continue;
        while (flying.size >= jobs) await Promise.race(flying);
        if (stopped !== undefined) break;
        const flight = this.#attempt(text, line).then(
          (report) => {
            shown.end();
            print(JSON.stringify(report));
            const { done, skipped, failed } = this.#counts;
            const left = this.#total > 0 && shareText((done + skipped + failed) / this.#total);
            shown.show(left ? `${this.#counted}: ${left}` : this.#counted);
          },
          (error) => {
            stopped ??= error;
          },
        );
        flying.add(flight);
        flight.finally(() => flying.delete(flight));
      }
    } finally {
      await Promise.all(flying);
      shown.end();
    }
    if (stopped !== undefined) throw stopped;
    if (!quiet) say(`${this.#path}: ${this.#counted}`);
    return this.#code;
  }

  get #counted(): string {
    const { done, skipped, failed } = this.#counts;
    return `${done} done, ${skipped} skipped, ${failed} failed`;
  }

  /** All of it is looked at before the first job begins, where it can be read twice. */
  async #lookAhead() {
    const isFile = this.#path !== '-' && (await stat(this.#path).catch(() => undefined))?.isFile();
    if (!isFile) return;
    this.#isKnown = true;
    this.#claims.read(this.#path, 'the manifest');
    let line = 0;
    for await (const text of linesOf(this.#path, this.#options.signal)) {
      line++;
      const { shard } = this.#options;
      if (text.trim() !== '' && (line - shard.index) % shard.count === 0) this.#total++;
      try {
        const given = parse(text);
        this.#read(given, line);
        this.#claims.write(nameOf(given, line), this.#jobOf(given));
      } catch {
        // told when its turn comes
      }
    }
  }

  /** What a line does, as it is reported. @throws only what stops all jobs. */
  async #attempt(text: string, line: number): Promise<object> {
    let id: string | number = line;
    try {
      const given = parse(text);
      if (!this.#isKnown) {
        this.#claims.checkInputs(this.#inputsIn(given));
        this.#read(given, line);
      }
      const name = nameOf(given, line);
      id = numberOf(name);
      const job = this.#jobOf(given);
      const { emissions, outputs } = job;
      const done = await this.#perform(job, name);
      this.#counts[done.status]++;
      return { id, line, status: done.status, emissions, outputs, ...done.report };
    } catch (error) {
      // without a device no other job fares better
      const { signal } = this.#options;
      if (signal.aborted || (error instanceof CtcError && error.code === 'device-lost')) throw error;
      this.#counts.failed++;
      const exit = exitCode(error);
      this.#code = this.#code === 2 || exit !== 3 ? 2 : 3;
      return { id, line, status: 'failed', exit, error: (error as Error).message };
    }
  }

  async #perform(job: Job, name: JobName): Promise<{ status: 'done' | 'skipped'; report?: object }> {
    const { outputs } = job;
    if (outputs.length === 0) throw new InputError('output: expected a path, or an array of paths, got none');
    if (!this.#isKnown) this.#claims.write(name, job);
    this.#claims.check(name, job);
    for (const output of outputs) await this.#clear(output);
    const { force, perform } = this.#options;
    const states = force ? [] : await Promise.all(outputs.map((output) => stateOf(job, output)));
    if (states.length > 0 && states.every((state) => state === 'own')) return { status: 'skipped' };
    const other = states.indexOf('other');
    if (other >= 0)
      throw new InputError(
        `${outputs[other]}: exists already, and is not what this job wrote; --force overwrites it`,
      );
    const inputs = inputsOf(job).map(([, input]) => input);
    await checkOutputs(outputs, inputs, true);
    return { status: 'done', report: await perform(job) };
  }

  /** Removes what a run that was killed has left in the folder of an output, once. */
  #clear(output: string): Promise<void> | undefined {
    const place = dirname(placeOf(output));
    if (!this.#cleared.has(place)) this.#cleared.set(place, clearLeftovers(place));
    return this.#cleared.get(place);
  }

  #jobOf(given: Given): Job {
    const { jobOf, defaults } = this.#options;
    return inFolder(this.#folder, jobOf({ ...defaults, ...given }));
  }

  #inputsIn(given: Given) {
    return inputsOf({ ...this.#options.defaults, ...given }, (path) => pathIn(this.#folder, path));
  }

  #read(given: Given, line: number) {
    const number = isId(given.id) ? given.id : line;
    for (const [key, place] of this.#inputsIn(given)) this.#claims.read(place, `the ${key} of job ${number}`);
  }
}

const isId = (id: unknown) => typeof id === 'string' || typeof id === 'number';

function nameOf({ id }: Given, line: number): JobName {
  if (id === undefined || id === null) return { id: undefined, line };
  if (!isId(id)) throw wrongOption('id', 'a string or a number', id);
  return { id, line };
}

/** A line. @throws InputError unless it is a JSON object. */
export function parse(text: string): Given {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new InputError(`not JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new InputError(`expected a job, a JSON object, got ${text.slice(0, 60)}`);
  return json as Given;
}
