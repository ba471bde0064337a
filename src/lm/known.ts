import type { Vocabulary } from '../text/vocabulary.js';
import type { Hotwords } from './hotwords.js';
import type { Lexicon } from './lexicon.js';
import type { NGram } from './n-gram.js';

/** How much each kind of knowledge counts. */
export interface Weights {
  /** Of the language model: its natural logarithm is multiplied by it. */
  readonly alpha: number;
  /** Added for each word, in nats; for each label where the model's words are tokens. */
  readonly beta: number;
  /** Added to the logarithm to the base 10 of a word that the model does not know. */
  readonly unknown: number;
}

/** What is known of the texts that are read. */
export interface Known {
  readonly vocabulary?: Vocabulary | undefined;
  readonly lm?: NGram | undefined;
  readonly units: 'words' | 'tokens';
  readonly lexicon?: Lexicon | undefined;
  readonly hotwords?: Hotwords | undefined;
  readonly weights: Weights;
}
