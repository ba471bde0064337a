// What somebody loaded, as a source.
import { emissionsOf } from 'webgpu-ctc/files';
import { Vocabulary } from 'webgpu-ctc/text';
import { bestClasses, collapse } from '../../../learning/best-path.js';
import type { Own, Source, Tokens } from '../sources/source.js';
import { textOfLabels } from '../sources/spelled.js';

/** A longer word field would not be looked at. */
const longestText = 2000;

/**
 * @throws RangeError, TypeError naming the file and what is wrong: a kind that the scores cannot be, a vocabulary of more classes.
 */
export function ownSource(own: Own): Source {
  const { tensor, kind, targets, blank } = own.candidates[own.chosen]!;
  const { data: logits, frames, classes } = emissionsOf(tensor, { kind: own.kind ?? kind });
  const vocabulary = vocabularyOf(own.tokens, classes, blank);
  const labels = targets ?? collapse(bestClasses({ logits, frames, classes }), vocabulary.blank);
  const { seconds, sound, line } = own;
  const frameSeconds = own.frameSeconds ?? (seconds === undefined ? undefined : seconds / frames);
  return {
    ...{ name: tensor.name, logits, frames, classes, vocabulary, own },
    text: textOfLabels(labels, vocabulary).slice(0, longestText),
    ...(frameSeconds !== undefined && { frameSeconds }),
    ...(sound && { sound }),
    ...(line && { line }),
  };
}

/** Without a `vocab.json` classes go by their numbers: one types `3 1 4`. */
function vocabularyOf(tokens: Tokens | undefined, classes: number, blank = 0): Vocabulary {
  if (!tokens) {
    const numbers = Array.from({ length: classes }, (_, c) => (c === blank ? '<blank>' : String(c)));
    return Vocabulary.from(numbers);
  }
  const listed = Array.isArray(tokens)
    ? tokens.length
    : Object.values(tokens).reduce((most, label) => Math.max(most, label + 1), 0);
  if (listed > classes)
    throw new RangeError(
      `vocab.json: expected at most ${classes} classes, as the emissions have, got ${listed}`,
    );
  return Vocabulary.from(tokens, { classes });
}
