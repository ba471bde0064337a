// What the state asks of a source: the problem, and what of the text cannot be spelled.
import type { Source } from '../sources/source.js';
import { spelledIn, unspelledIn } from '../sources/spelled.js';
import { applyEdits } from '../state/edits.js';
import type { State } from '../state/state.js';
import type { Problem } from './analysis.js';
import { withStar } from './star.js';

/** That of the vocabulary, where no other is asked for. */
export const blankOf = ({ vocabulary, classes }: Source, { blank }: State): number =>
  blank !== undefined && blank < classes ? blank : vocabulary.blank;

/** The problem; of another text, or of other scores, which are unedited. */
export function askedOf(
  source: Source,
  state: State,
  { text = state.text, scores }: { text?: string; scores?: Float32Array<ArrayBuffer> } = {},
): Problem {
  const { logits: given, frames, classes, vocabulary } = source;
  const blank = blankOf(source, state);
  const { targets } = spelledIn(text, vocabulary, state);
  const labels = targets.filter((label) => label !== blank && label < classes);
  const logits = scores ?? applyEdits(given, classes, blank, state.edits);
  return withStar({ frames, classes, blank, labels, logits });
}

/** What of the text has no symbol: also what a symbol spells that is the blank now. */
export function unspelledOf(source: Source, state: State): string[] {
  const { text, star, free } = state;
  const { vocabulary, classes } = source;
  const blank = blankOf(source, state);
  const { targets } = spelledIn(text, vocabulary, { star, free });
  const lost = targets.filter((label) => label === blank || label >= classes);
  const unspelled = star || free ? [] : unspelledIn(text, vocabulary);
  return [...new Set([...unspelled, ...lost.map((label) => vocabulary.read(label))])];
}
