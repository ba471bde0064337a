import { Vocabulary } from '../entries/text.js';
import { InputError, inputError } from './failure.js';
import { readJson } from './input.js';

/** The vocabulary of a model with so many classes. @throws InputError naming the file. */
export async function readVocabulary(
  path: string,
  blank: number | undefined,
  classes: number,
  signal: AbortSignal,
): Promise<Vocabulary> {
  const json = (await readJson(path, signal)) as Record<string, number> | string[];
  const listed = Array.isArray(json)
    ? json.findLastIndex((token) => token !== '') + 1
    : Object.values(json ?? {}).reduce(
        (most, label) => (typeof label === 'number' ? Math.max(most, label + 1) : most),
        0,
      );
  if (listed > classes)
    throw new InputError(
      `${path}: expected at most ${classes} classes, as the emissions have, got ${listed}`,
    );
  try {
    const vocabulary = Vocabulary.from(json, { classes, ...(blank !== undefined && { blank }) });
    if (vocabulary.size > classes)
      throw new RangeError(`blank: expected a class from 0 to ${classes - 1}, got ${vocabulary.blank}`);
    return vocabulary;
  } catch (error) {
    throw inputError(path, error);
  }
}
