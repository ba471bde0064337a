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
import { progress } from './progress.js';
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
  const { shard, jobs, force, signal, quiet, defaults } = options;
  const folder = path === '-' ? '' : dirname(path);
  const counts = { done: 0, skipped: 0, failed: 0 };
  let code = 0;
  let stopped: unknown;
  const shown = progress(quiet);
  const claims = new Claims();
  const isFile = path !== '-' && (await stat(path).catch(() => undefined))?.isFile();
  const inputsIn = (given: Given) => inputsOf({ ...defaults, ...given }, (path) => pathIn(folder, path));
  const read = (given: Given, line: number) => {
    const number = isId(given.id) ? given.id : line;
    for (const [key, place] of inputsIn(given)) claims.read(place, `the ${key} of job ${number}`);
  };
  // all of it is looked at before the first job begins, where it can be read twice
  if (isFile) {
    claims.read(path, 'the manifest');
    let line = 0;
    for await (const text of linesOf(path, signal)) {
      line++;
      try {
        const given = parse(text);
        read(given, line);
        claims.write(nameOf(given, line), inFolder(folder, options.jobOf({ ...defaults, ...given })));
      } catch {
        // told when its turn comes
      }
    }
  }

  const cleared = new Map<string, Promise<void>>();
  const clear = (output: string) => {
    const place = dirname(placeOf(output));
    if (!cleared.has(place)) cleared.set(place, clearLeftovers(place));
    return cleared.get(place);
  };

  const attempt = async (text: string, line: number): Promise<object> => {
    let id: string | number = line;
    try {
      const given = parse(text);
      if (!isFile) {
        claims.checkInputs(inputsIn(given));
        read(given, line);
      }
      const name = nameOf(given, line);
      id = numberOf(name);
      const job = inFolder(folder, options.jobOf({ ...defaults, ...given }));
      const { emissions, outputs } = job;
      if (outputs.length === 0)
        throw new InputError('output: expected a path, or an array of paths, got none');
      if (!isFile) claims.write(name, job);
      claims.check(name, job);
      for (const output of outputs) await clear(output);
      const states = force ? [] : await Promise.all(outputs.map((output) => stateOf(job, output)));
      if (states.length > 0 && states.every((state) => state === 'own')) {
        counts.skipped++;
        return { id, line, status: 'skipped', emissions, outputs };
      }
      const other = states.indexOf('other');
      if (other >= 0)
        throw new InputError(
          `${outputs[other]}: exists already, and is not what this job wrote; --force overwrites it`,
        );
      const inputs = inputsOf(job).map(([, input]) => input);
      await checkOutputs(outputs, inputs, true);
      const report = await options.perform(job);
      counts.done++;
      return { id, line, status: 'done', emissions, outputs, ...report };
    } catch (error) {
      // without a device no other job fares better
      if (signal.aborted || (error instanceof CtcError && error.code === 'device-lost')) throw error;
      counts.failed++;
      const exit = exitCode(error);
      code = code === 2 || exit !== 3 ? 2 : 3;
      return { id, line, status: 'failed', exit, error: (error as Error).message };
    }
  };

  const flying = new Set<Promise<void>>();
  let line = 0;
  try {
    for await (const text of linesOf(path, signal)) {
      line++;
      if (text.trim() === '' || (line - shard.index) % shard.count !== 0) continue;
      while (flying.size >= jobs) await Promise.race(flying);
      if (stopped !== undefined) break;
      const flight = attempt(text, line).then(
        (report) => {
          shown.end();
          print(JSON.stringify(report));
          shown.show(`${counts.done} done, ${counts.skipped} skipped, ${counts.failed} failed`);
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
  if (!quiet) say(`${path}: ${counts.done} done, ${counts.skipped} skipped, ${counts.failed} failed`);
  return code;
}

const isId = (id: unknown) => typeof id === 'string' || typeof id === 'number';

function nameOf({ id }: Given, line: number): JobName {
  if (id === undefined || id === null) return { id: undefined, line };
  if (!isId(id)) throw wrongOption('id', 'a string or a number', id);
  return { id, line };
}

function parse(text: string): Given {
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
