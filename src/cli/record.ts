import { createHash } from 'node:crypto';
import { open, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { inputError } from './failure.js';
import { type Job, withInputs } from './job.js';
import type { OutputFile } from './output.js';
import { placeOf } from './place.js';

/**
 * In each folder with outputs of a manifest: a line for each file that a job wrote. A run that is started again knows by it
 * which of the files are its own; all others it leaves alone.
 */
const recordName = '.webgpu-ctc-done';

interface Known {
  readonly size: number;
  readonly seals: Set<string>;
}
const known = new Map<string, Known>();

/**
 * Of a job and what it wrote, so that neither another job's file nor a changed one is taken for it. The job's files go by where
 * they lie as seen from the output: all may be moved together, or be seen by machines under other names.
 */
function sealOf({ outputs: _, ...job }: Job, output: string, content: string | Uint8Array): string {
  const folder = dirname(output);
  const seen = withInputs(job, (path) => relative(folder, placeOf(path)));
  const said = JSON.stringify([basename(output), seen]);
  return createHash('sha256').update(said).update('\0').update(content).digest('hex').slice(0, 32);
}

/** To be called before the files appear: one that appears without its line would be somebody else's. */
export async function remember(job: Job, files: readonly OutputFile[]): Promise<void> {
  for (const [path, content] of files) {
    const output = placeOf(path);
    const record = join(dirname(output), recordName);
    const seal = sealOf(job, output, content);
    if ((await sealsIn(record)).has(seal)) continue;
    try {
      const file = await open(record, 'a');
      try {
        // at its end, in one piece: others may write, too. In front, since a line before it may have been cut off
        await file.appendFile(`\n${seal} ${JSON.stringify(basename(output))}`);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      throw inputError(record, error);
    }
  }
}

/** Of a job's outputs: `none` there, its `own`, or a file that this job did not write as it is. */
export async function stateOf(job: Job, path: string): Promise<'none' | 'own' | 'other'> {
  try {
    const content = await readFile(path);
    const output = placeOf(path);
    const seal = sealOf(job, output, content);
    return (await sealsIn(join(dirname(output), recordName), seal)).has(seal) ? 'own' : 'other';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'none';
    throw inputError(path, error);
  }
}

/** @param sought read again, if others have written meanwhile, unless this is there */
async function sealsIn(record: string, sought = ''): Promise<ReadonlySet<string>> {
  const before = known.get(record);
  if (before?.seals.has(sought)) return before.seals;
  const size = await stat(record).then(
    (found) => found.size,
    () => 0,
  );
  if (before?.size === size) return before.seals;
  const text = size === 0 ? '' : await readFile(record, 'utf8');
  const seals = new Set(text.match(/^[0-9a-f]{32}(?= )/gm));
  known.set(record, { size, seals });
  return seals;
}
