import { isList } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { checkWeight } from './lexicon.js';

/**
 * Words and phrases that are likelier to be said than others: names, terms, commands. At each place of a text, from left to right, the longest
 * one that fits in whole words adds its weight, each time it occurs.
 */
export class Hotwords {
  /** Each phrase once, its words separated by single spaces; of one given twice the last weight. */
  readonly phrases: ReadonlyMap<string, number>;

  /**
   * @param phrases pairs of a phrase and its weight in nats, or an object of them: `{ 'Ada Lovelace': 8 }`
   * @throws TypeError, RangeError for what is no phrase, and for a weight that is not finite.
   */
  constructor(
    phrases: Iterable<readonly [phrase: string, weight: number]> | Readonly<Record<string, number>>,
  ) {
    if (typeof phrases !== 'object' || phrases === null)
      throw wrongKind('phrases', 'pairs of a phrase and its weight', phrases);
    const pairs = Symbol.iterator in phrases ? [...phrases] : Object.entries(phrases);
    const found = new Map<string, number>();
    for (const [i, pair] of pairs.entries()) {
      if (!isList(pair) || pair.length !== 2)
        throw wrongKind(`phrases[${i}]`, 'a pair of a phrase and its weight', pair);
      const [phrase, weight] = pair;
      if (typeof phrase !== 'string') throw wrongKind(`phrases[${i}][0]`, 'a string', phrase);
      const words = phrase.split(/[\t\n\r ]+/u).filter((word) => word !== '');
      if (words.length === 0) throw wrongValue(`phrases[${i}][0]`, 'a word or several', phrase);
      found.set(words.join(' '), checkWeight(`phrases[${i}][1]`, weight));
    }
    this.phrases = found;
  }
}
