import { opendir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError, inputError } from './failure.js';

/** Who writes a temporary file, so that whoever finds it can tell whether it is still being written. */
const host = hostname().replace(/[^\w-]/g, '_');
const temporary = /^\.webgpu-ctc-([\w-]+)-(\d+)-\d+\.tmp$/;
const day = 24 * 60 * 60 * 1000;
let count = 0;

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw inputError(path, error);
  }
}

/** Before any work. @throws InputError unless every file can be written. */
export async function checkOutputs(outputs: readonly string[], force: boolean): Promise<void> {
  for (const [i, output] of outputs.entries()) {
    if (outputs.indexOf(output) < i)
      throw new InputError(`${output}: expected each output once, got it twice`);
    const found = await statOf(output);
    if (!found && !(await statOf(dirname(output)))?.isDirectory())
      throw new InputError(`${output}: expected a folder ${dirname(output)}, got none`);
    // renaming onto /dev/null would replace it
    if (found && !found.isFile()) throw new InputError(`${output}: expected a file, got a folder or device`);
    if (found && !force) throw new InputError(`${output}: exists already; --force overwrites it`);
  }
}

export async function allExist(outputs: readonly string[]): Promise<boolean> {
  for (const output of outputs) if (!(await statOf(output))?.isFile()) return false;
  return true;
}

/** Each file appears whole or not at all, the first only once all are on the disk. */
export async function writeOutputs(
  files: readonly (readonly [path: string, content: string | Uint8Array])[],
): Promise<void> {
  const moves: [from: string, to: string][] = [];
  try {
    for (const [path, content] of files) {
      const to = await realpath(path).catch(() => path);
      const from = join(dirname(to), `.webgpu-ctc-${host}-${process.pid}-${count++}.tmp`);
      moves.push([from, to]);
      // else a power cut could leave an empty file that counts as done
      await writeFile(from, content, { flush: true }).catch((error) => {
        throw inputError(path, error);
      });
    }
    for (const [from, to] of moves) await rename(from, to);
  } catch (error) {
    for (const [from] of moves) await rm(from, { force: true });
    throw error;
  }
}

/** Removes what runs that were killed left in a folder. To be called before this process writes there. */
export async function clearLeftovers(folder: string): Promise<void> {
  try {
    for await (const { name } of await opendir(folder)) {
      const [, writer, pid] = temporary.exec(name) ?? [];
      if (pid === undefined) continue;
      const path = join(folder, name);
      // whether a process of another machine lives, nobody here can tell
      const left = writer === host ? !isRunning(Number(pid)) : Date.now() - (await stat(path)).mtimeMs > day;
      if (left) await rm(path, { force: true });
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw inputError(folder, error);
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false; // it had this number before
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
