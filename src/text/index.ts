export { mergeTokens, type TokenSpan } from '../spans.js';
export { type Reading, readingOf } from './reading.js';
export { segmentsOf } from './segments.js';
export { withStar } from './star.js';
export { type TokeniseOptions, type Transcript, tokenise } from './transcript.js';
export { type Spelled, Vocabulary, type VocabularyOptions } from './vocabulary.js';
export { type Path, type TimedText, type TimedWord, type Timing, wordsOf } from './words.js';
