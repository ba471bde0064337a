/**
 * n-gram language models: ARPA files and compact ones, and what they say of a sentence. It needs no device and no file system.
 */
export type { ByteStream, NGramSource } from '../lm/chunks.js';
export { NGram, type NGramScore, type NGramScoreOptions, type NGramWordScore } from '../lm/n-gram.js';
