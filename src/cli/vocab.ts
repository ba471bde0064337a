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

/** A vocab.json and the added_tokens.json beside it, both `{ token: class }`. */
function withAdded(
  path: string,
  source: VocabularySource,
  addedPath: string,
  added: VocabularySource,
): VocabularySource {
  const isFlat = (listing: VocabularySource): listing is Readonly<Record<string, number>> =>
    !Array.isArray(listing) && Object.values(listing).every((label) => typeof label === 'number');
  for (const [name, listing] of [
    [path, source],
    [addedPath, added],
  ] as const)
    if (!isFlat(listing))
      throw new InputError(`${name}: expected { token: class }, as vocab.json and added_tokens.json are`);
  return { ...(source as Readonly<Record<string, number>>), ...(added as Readonly<Record<string, number>>) };
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
