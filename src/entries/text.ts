/**
 * Text on both sides of a recogniser: vocabularies, the labels that spell a text, and words and readings with their times. It needs no device.
 */
export { mergeTokens, type TokenSpan } from '../problem/spans.js';
export { STAR } from '../problem/star.js';
export type { VocabularySource } from '../text/listing.js';
export { type Reading, readingOf } from '../text/reading.js';
export { segmentsOf } from '../text/segments.js';
export { type LabelledWord, type TokeniseOptions, type Transcript, tokenise } from '../text/transcript.js';
export { type Spelled, Vocabulary, type VocabularyOptions } from '../text/vocabulary.js';
export {
  type Path,
  type TimedText,
  type TimedWord,
  type Timing,
  type WordsOptions,
  wordsOf,
} from '../text/words.js';
