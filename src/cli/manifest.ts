import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { CtcError } from '../errors.js';
import { exitCode, InputError } from './failure.js';
import { linesOf } from './input.js';
import { type Given, inFolder, type Job } from './job.js';
import { wrongOption } from './options.js';
import { allExist, checkOutputs, clearLeftovers } from './output.js';
import { progress } from './progress.js';

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
  jobOf(given: Given): Job;
  /** Writes the outputs; what it returns is reported. */
  perform(job: Job): Promise<object>;
}

/**
 * Does the jobs of a manifest, one JSON object a line, and reports each on stdout. What has all its outputs is done already,
 * so that a run which was stopped is started again as it was.
 *
 * @returns the exit code
 */
export async function runManifest(path: string, options: ManifestOptions): Promise<number> {
  const { shard, jobs, force, signal, quiet } = options;
  const folder = path === '-' ? '' : dirname(path);
  const counts = { done: 0, skipped: 0, failed: 0 };
  let code = 0;
  let stopped: unknown;
  const shown = progress(quiet);
  /** Whose an output is, by a hash of its path, since a manifest may be long. */
  const owners = new Map<bigint, unknown>();
  const cleared = new Map<string, Promise<void>>();

  const claim = (outputs: readonly string[], id: unknown) => {
    for (const output of outputs) {
      const hash = createHash('sha256').update(resolve(output)).digest().readBigUInt64LE();
      const owner = owners.get(hash) ?? id;
      // a queue may send a job again
      if (owner !== id) throw new InputError(`output: ${output} is that of job ${owner}`);
      owners.set(hash, id);
    }
  };
  const clear = (output: string) => {
    const place = dirname(resolve(output));
    if (!cleared.has(place)) cleared.set(place, clearLeftovers(place));
    return cleared.get(place);
  };

  const attempt = async (text: string, line: number): Promise<object> => {
    let id: unknown = line;
    try {
      const given = parse(text);
      id = given.id ?? line;
      const job = inFolder(folder, options.jobOf(given));
      const { emissions, outputs } = job;
      if (outputs.length === 0)
        throw new InputError('output: expected a path, or an array of paths, got none');
      claim(outputs, id);
      for (const output of outputs) await clear(output);
      if (!force && (await allExist(outputs))) {
        counts.skipped++;
        return { id, line, status: 'skipped', emissions, outputs };
      }
      await checkOutputs(outputs, true);
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
          console.log(JSON.stringify(report));
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
  if (!quiet)
    console.error(`${path}: ${counts.done} done, ${counts.skipped} skipped, ${counts.failed} failed`);
  return code;
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
