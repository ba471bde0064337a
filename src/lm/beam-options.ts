import { checkChoice, checkInteger, checkObject } from '../problem/check.js';
import { isInstance, wrongKind, wrongValue } from '../problem/errors.js';
import type { VocabularySource } from '../text/listing.js';
import { Vocabulary } from '../text/vocabulary.js';
import { Hotwords } from './hotwords.js';
import type { Known, Weights } from './known.js';
import { checkWeight, Lexicon } from './lexicon.js';
import { NGram } from './n-gram.js';

/** What a search is to know, and how far it looks. */
export interface BeamOptions {
  /**
   * What the classes read as: a `Vocabulary`, or what makes one. Without it there are no texts, but label sequences, and nothing can be known of
   * them.
   */
  readonly tokens?: Vocabulary | VocabularySource | undefined;
  /** Class of the blank. Default: that of the vocabulary, else 0. */
  readonly blank?: number | undefined;
  /** How many texts are kept after each frame, from 1 to 2048. Default 100. */
  readonly width?: number | undefined;
  /** How many readings come out of each sequence, the best first. Default 1. */
  readonly nbest?: number | undefined;
  readonly lm?: NGram | undefined;
  /** What the words of the model are: words of the text, or tokens of the vocabulary. Default `words`. */
  readonly units?: 'words' | 'tokens' | undefined;
  readonly lexicon?: Lexicon | undefined;
  readonly hotwords?: Hotwords | undefined;
  /**
   * `alpha`: what the logarithm of the model's probability is multiplied by, default 0.5. `beta`: added for each word, in nats, default 1.5 with a
   * model and else 0. `unknown`: added to the logarithm to the base 10 of a word that the model does not know, default −10.
   */
  readonly weights?: Partial<Weights> | undefined;
  /** Classes of a frame that are looked at, the likeliest; if more than one, always the blank. Default 64. */
  readonly topTokens?: number | undefined;
  /** Classes below this log-probability are not looked at, but for the best one and the blank. Default −Infinity; pyctcdecode has −5. */
  readonly tokenMinLogProb?: number | undefined;
  /** Texts so far below the best one are dropped, in nats. Default −Infinity; pyctcdecode has −10. */
  readonly beamPruneLogProb?: number | undefined;
  /**
   * Whether the best texts are scored once more by the sum over all their paths, and not by what the search has followed. Default true.
   */
  readonly exact?: boolean | undefined;
}

export const beamKeys = [
  ...['tokens', 'width', 'nbest', 'lm', 'units', 'lexicon', 'hotwords', 'weights'],
  ...['topTokens', 'tokenMinLogProb', 'beamPruneLogProb', 'exact'],
] as const;

/** The same, checked. */
export interface CheckedBeam {
  readonly known: Known;
  readonly blank: number;
  readonly width: number;
  readonly nbest: number;
  /** How many texts a search leaves to choose the best ones from. */
  readonly texts: number;
  readonly topTokens: number;
  readonly tokenLogProb: number;
  readonly beamLogProb: number;
  readonly exact: boolean;
}

/** @throws TypeError, RangeError naming the option. */
export function checkBeam(options: BeamOptions): CheckedBeam {
  const { lm, units = 'words', lexicon, hotwords, exact = true } = options;
  const { width = 100, nbest = 1, topTokens = 64 } = options;
  if (lm !== undefined && !isInstance(lm, NGram)) throw wrongKind('lm', 'an NGram', lm);
  if (lexicon !== undefined && !isInstance(lexicon, Lexicon))
    throw wrongKind('lexicon', 'a Lexicon', lexicon);
  if (hotwords !== undefined && !isInstance(hotwords, Hotwords))
    throw wrongKind('hotwords', 'Hotwords', hotwords);
  checkChoice('units', units, ['words', 'tokens']);
  if (typeof exact !== 'boolean') throw wrongKind('exact', 'a boolean', exact);
  const vocabulary = vocabularyOf(options);
  const blank = checkInteger(
    'blank',
    options.blank === undefined ? (vocabulary?.blank ?? 0) : options.blank,
    0,
  );
  if (vocabulary && blank !== vocabulary.blank)
    throw wrongValue('blank', `${vocabulary.blank}, as of the vocabulary`, blank);
  return {
    known: { vocabulary, lm, units, lexicon, hotwords, weights: checkWeights(options) },
    ...{ blank, exact },
    width: checkInteger('width', width, 1, 2048),
    nbest: checkInteger('nbest', nbest, 1, 2048),
    texts: Math.max(32, 4 * nbest),
    topTokens: checkInteger('topTokens', topTokens, 1),
    tokenLogProb: checkLog('tokenMinLogProb', options.tokenMinLogProb),
    beamLogProb: checkLog('beamPruneLogProb', options.beamPruneLogProb),
  };
}

function vocabularyOf({ tokens, blank }: BeamOptions): Vocabulary | undefined {
  if (tokens === undefined || isInstance(tokens, Vocabulary)) return tokens;
  if (typeof tokens !== 'object' || tokens === null)
    throw wrongKind('tokens', 'a Vocabulary, or a list of tokens', tokens);
  try {
    return Vocabulary.from(tokens, { blank });
  } catch (error) {
    // named as it is called here
    (error as Error).message = `tokens: ${(error as Error).message.replace(/^vocabulary: /, '')}`;
    throw error;
  }
}

function checkWeights({ weights = {}, lm }: BeamOptions): Weights {
  checkObject('weights', weights, ['alpha', 'beta', 'unknown']);
  const { alpha = 0.5, beta = lm ? 1.5 : 0, unknown = -10 } = weights;
  return {
    alpha: checkWeight('weights.alpha', alpha),
    beta: checkWeight('weights.beta', beta),
    unknown: checkWeight('weights.unknown', unknown),
  };
}

function checkLog(name: string, value: number = Number.NEGATIVE_INFINITY): number {
  if (typeof value !== 'number') throw wrongKind(name, 'a number', value);
  if (!(value <= 0)) throw wrongValue(name, 'a number of at most 0', value);
  return value;
}
