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

/** @throws InputError naming the file. */
export async function readVocabulary(
  { vocab: path, blank, language, delimiter }: Pick<Job, 'vocab' | 'blank' | 'language' | 'delimiter'>,
  signal: AbortSignal,
): Promise<VocabularyFile> {
  const text = await readText(path, signal);
  const told = <T>(make: () => T): T => {
    try {
      return make();
    } catch (error) {
      throw error instanceof SyntaxError
        ? new InputError(`${path}: not JSON: ${error.message}`)
        : inputError(path, error);
    }
  };
  return told(() => {
    const source = parseListing(text, path.toLowerCase().endsWith('.json') || undefined) as VocabularySource;
    return {
      listed: classesOf(listingOf(source, language)),
      of: (classes) => told(() => Vocabulary.from(source, { classes, blank, delimiter, language })),
    };
  });
}
