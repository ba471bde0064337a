export { mergeTokens, type TokenSpan } from '../problem/spans.js';
export { type Reading, readingOf } from '../text/reading.js';
export { segmentsOf } from '../text/segments.js';
export { withStar } from '../text/star.js';
export { type TokeniseOptions, type Transcript, tokenise } from '../text/transcript.js';
export { type Spelled, Vocabulary, type VocabularyOptions } from '../text/vocabulary.js';
export { type Path, type TimedText, type TimedWord, type Timing, wordsOf } from '../text/words.js';
