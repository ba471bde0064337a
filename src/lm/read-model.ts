import { lazily } from '../problem/load.js';
import { located, type NGramSource, peek, unpacked } from './chunks.js';
import { magic } from './compact.js';
import type { NGramTables } from './n-gram-tables.js';
import { isCompact, readCompact } from './read-compact.js';

const loadArpa = lazily('both', () => import('./arpa.js'));

/** A model as it was read. */
export interface ReadModel {
  readonly tables: NGramTables;
  readonly counts: readonly number[];
  /** What was wrong with the file and was mended. */
  readonly warnings: readonly string[];
}

/** A file of either kind, whose content says of which. */
export async function readModel(source: NGramSource): Promise<ReadModel> {
  const [head, chunks] = await peek(await unpacked(source), magic.length).catch((error) => {
    throw located(error, 1);
  });
  if (isCompact(head)) return { ...(await readCompact(chunks)), warnings: [] };
  const { readArpa } = await loadArpa();
  return readArpa(chunks);
}
