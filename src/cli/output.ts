import { randomBytes } from 'node:crypto';
import { link, lstat, open, opendir, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, inputError } from './failure.js';
import { placeOf } from './place.js';

/** Their names are drawn by lot: neither its host name nor its number tells a process of one container from another's. */
const temporary = /^\.webgpu-ctc-[\w-]+\.tmp$/;
const day = 24 * 60 * 60 * 1000;

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw inputError(path, error);
  }
}

/**
 * Before any work.
 *
 * @param inputs what is read, which nothing may overwrite
 * @throws InputError unless every file can be written.
 */
export async function checkOutputs(
  outputs: readonly string[],
  inputs: readonly string[],
  force: boolean,
): Promise<void> {
  const places = outputs.map(placeOf);
  const read = new Map(inputs.map((input) => [placeOf(input), input]));
  for (const [i, output] of outputs.entries()) {
    if (places.indexOf(places[i]!) < i)
      throw new InputError(`${output}: expected each output once, got it twice`);
    const input = read.get(places[i]!);
    if (input !== undefined)
      throw new InputError(`${output}: expected another file than the input ${input}, got the same`);
    const found = await statOf(output);
    const folder = dirname(output);
    if (!found && (await lstat(output).catch(() => undefined)))
      throw new InputError(
        `${output}: expected a file, got a link to ${await readlink(output)}, where none is`,
      );
    if (!found && !(await statOf(folder))?.isDirectory())
      throw new InputError(`${output}: expected a folder ${folder}, got none`);
    // renaming onto /dev/null would replace it
    if (found && !found.isFile()) throw new InputError(`${output}: expected a file, got a folder or device`);
    if (found && !force) throw new InputError(`${output}: exists already; --force overwrites it`);
    await tryFolder(output);
  }
}

const tried = new Set<string>();

/** Whether a file can be made beside an output is known once one was made: permissions alone do not say it. */
async function tryFolder(output: string): Promise<void> {
  const folder = dirname(await realpath(output).catch(() => output));
  if (tried.has(folder)) return;
  try {
    const { path, file } = await openTemporary(folder);
    await file.close();
    await rm(path, { force: true });
  } catch (error) {
    throw new InputError(`${output}: expected a folder that can be written, got ${(error as Error).message}`);
  }
  tried.add(folder);
}

async function openTemporary(folder: string) {
  const path = join(folder, `.webgpu-ctc-${randomBytes(16).toString('hex')}.tmp`);
  return { path, file: await open(path, 'wx') };
}

/** What is written where. */
export type OutputFile = readonly [path: string, content: string | Uint8Array];

/**
 * A file that is whole gets its name, unless another process has made one of that name meanwhile.
 *
 * @throws with `EEXIST` then
 */
async function moveToNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    // some file systems have no second names: an empty file holds the place
    await (await open(to, 'wx')).close();
    await rename(from, to);
  }
}

/** When files appear, and which of them may take the place of others. */
interface Appearing {
  /** Asked when a file is about to appear. */
  mayReplace(path: string): boolean | Promise<boolean>;
  /** Called just before the first appears. */
  before?(): Promise<void>;
}

/**
 * Each file appears whole or not at all, the first only once all are on the disk. What has appeared at one of their names since
 * `checkOutputs` stays, and then none of them appears.
 */
export async function writeOutputs(
  files: readonly OutputFile[],
  { mayReplace, before }: Appearing,
): Promise<void> {
  const moves: [from: string, to: string, path: string][] = [];
  const made: string[] = [];
  try {
    for (const [path, content] of files) {
      const to = await realpath(path).catch(() => path);
      try {
        const temporary = await openTemporary(dirname(to));
        moves.push([temporary.path, to, path]);
        try {
          await temporary.file.writeFile(content);
          // else a power cut could leave an empty file that counts as done
          await temporary.file.sync();
        } finally {
          await temporary.file.close();
        }
      } catch (error) {
        throw inputError(path, error);
      }
    }
    await before?.();
    for (const [from, to, path] of moves) {
      try {
        if (await mayReplace(path)) await rename(from, to);
        else {
          await moveToNew(from, to);
          made.push(to);
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw inputError(path, error);
        throw new InputError(`${path}: another process has made it meanwhile; --force overwrites it`);
      }
    }
  } catch (error) {
    for (const path of [...moves.map(([from]) => from), ...made]) await rm(path, { force: true });
    throw error;
  }
}

/**
 * Removes what runs that were killed left in a folder. By age alone: whether another machine's process, or another container's,
 * still writes, nobody here can tell, and nobody writes for a day.
 */
export async function clearLeftovers(folder: string): Promise<void> {
  try {
    for await (const { name } of await opendir(folder)) {
      if (!temporary.test(name)) continue;
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined); // another may clear, too
      if (found && Date.now() - found.mtimeMs > day) await rm(path, { force: true });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw inputError(folder, error);
  }
}
