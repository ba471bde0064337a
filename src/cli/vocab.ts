import { Vocabulary, type VocabularySource } from '../entries/text.js';
import { classesOf, listingOf, parseListing } from '../text/listing.js';
import { InputError, inputError } from './failure.js';
import { readText } from './input.js';
import type { Job } from './job.js';

/** A file of tokens, before it is known how many classes the model has. */
export interface VocabularyFile {
  /** Classes that it lists. */
  readonly listed: number;
  /** @throws InputError naming the file, where it does not fit a model of so many classes. */
  of(classes: number): Vocabulary;
}

type Listed = Pick<Job, 'vocab' | 'addedTokens' | 'blank' | 'language' | 'delimiter'>;

/** @throws InputError naming the file. */
export async function readVocabulary(job: Listed, signal: AbortSignal): Promise<VocabularyFile> {
  const { vocab: path, addedTokens, blank, language, delimiter } = job;
  const own = await readListing(path, signal);
  const source =
    addedTokens === undefined
      ? own
      : withAdded(path, own, addedTokens, await readListing(addedTokens, signal));
  return told(path, () => ({
    listed: classesOf(listingOf(source, language)),
    of: (classes) => told(path, () => Vocabulary.from(source, { classes, blank, delimiter, language })),
  }));
}

async function readListing(path: string, signal: AbortSignal): Promise<VocabularySource> {
  const text = await readText(path, signal);
  return told(
    path,
    () => parseListing(text, path.toLowerCase().endsWith('.json') || undefined) as VocabularySource,
  );
}

type Flat = Readonly<Record<string, number>>;

/** A vocab.json and the added_tokens.json beside it, both `{ token: class }`. */
function withAdded(path: string, source: unknown, addedPath: string, added: unknown): VocabularySource {
  const [own, more] = [flat(path, source), flat(addedPath, added)];
  const tokens = new Map(Object.entries(own).map(([token, label]) => [label, token]));
  for (const [token, label] of Object.entries(more)) {
    const [before, other] = [own[token], tokens.get(label)];
    if (before !== undefined && before !== label)
      throw new InputError(
        `${addedPath}: '${token}' is class ${label} there, and class ${before} in ${path}`,
      );
    if (other !== undefined && other !== token)
      throw new InputError(`${addedPath}: class ${label} is '${token}' there, and '${other}' in ${path}`);
  }
  return { ...own, ...more };
}

function flat(path: string, listing: unknown): Flat {
  const isFlat =
    typeof listing === 'object' &&
    listing !== null &&
    !Array.isArray(listing) &&
    Object.values(listing).every((label) => Number.isInteger(label));
  if (!isFlat)
    throw new InputError(`${path}: expected { token: class }, as vocab.json and added_tokens.json are`);
  return listing as Flat;
}

function told<T>(path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw error instanceof SyntaxError
      ? new InputError(`${path}: not JSON: ${error.message}`)
      : inputError(path, error);
  }
}
