// What a reader of the scores may know of the language: words, and a language model.
import type { NGram } from 'webgpu-ctc/lm';

export interface LanguageModel {
  readonly name: string;
  readonly nGram: NGram;
}

export interface Known {
  /** As they were typed, with white space or commas between them; '' for none. */
  readonly words: string;
  /** Whether others may be read, too, less readily. */
  readonly others: boolean;
  /** No link can carry it. */
  readonly model?: LanguageModel;
}

/** Letters of words that go into a link. */
export const mostLinkedWords = 400;

export const wordsIn = (typed: string): string[] => typed.split(/[\s,;]+/u).filter(Boolean);
