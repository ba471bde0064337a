/**
 * Reading with knowledge: a beam search with n-gram language models, lexicons and hotwords, in a batch or while a recording is heard.
 */
export * from '../api/ctc-beam-decoder.js';
export type { BeamOptions } from '../lm/beam-options.js';
export type { BeamStream, StreamChunk, StreamState } from '../lm/beam-stream.js';
export type { ByteStream, NGramSource } from '../lm/chunks.js';
export { Hotwords } from '../lm/hotwords.js';
export { Lexicon, type LexiconOptions, type LexiconWord } from '../lm/lexicon.js';
export { NGram, type NGramScore, type NGramScoreOptions, type NGramWordScore } from '../lm/n-gram.js';
export type { BeamReading, ReadWord } from '../lm/reader.js';
