import { checkObject, isList } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';

/** A word of a `Lexicon`. */
export interface LexiconWord {
  readonly word: string;
  /**
   * Label sequences that spell it, classes of the recogniser. Without them every label sequence that reads as the word does. Either all words
   * of a lexicon have spellings or none has.
   */
  readonly spellings?: readonly (readonly number[])[] | undefined;
  /** Added to the objective, in nats, each time the word is read. Default 0. */
  readonly weight?: number | undefined;
}

interface CheckedWord {
  readonly word: string;
  readonly spellings: readonly (readonly number[])[];
  readonly weight: number;
}

/** Options of a `Lexicon`. */
export interface LexiconOptions {
  /** Whether words may be read that it does not list. Default false: it is closed. */
  readonly open?: boolean | undefined;
  /** Of an open lexicon: what is added to the objective for a word that it does not list, in nats. Default 0. */
  readonly unlisted?: number | undefined;
}

/** Words that a `CtcBeamDecoder` reads: nothing else, or nothing else so readily. */
export class Lexicon {
  readonly open: boolean;
  readonly unlisted: number;
  /** Whether its words have spellings of their own. */
  readonly isSpelled: boolean;
  /** Each word once, with all its spellings. */
  readonly words: readonly CheckedWord[];

  /** @throws TypeError, RangeError for what is no word, for no words at all, and where some words have spellings and others none. */
  constructor(words: Iterable<string | LexiconWord>, options: LexiconOptions = {}) {
    checkObject('options', options, ['open', 'unlisted']);
    const { open = false, unlisted = 0 } = options;
    if (typeof open !== 'boolean') throw wrongKind('open', 'a boolean', open);
    this.open = open;
    this.unlisted = checkWeight('unlisted', unlisted);
    if (typeof words === 'string' || typeof (words as Iterable<string>)?.[Symbol.iterator] !== 'function')
      throw wrongKind('words', 'a list of words', words);
    const byWord = new Map<string, { word: string; spellings: (readonly number[])[]; weight: number }>();
    let spelled = 0;
    let count = 0;
    for (const given of words) {
      const { word, spellings, weight } = checkWord(given, `words[${count++}]`);
      if (spellings.length > 0) spelled++;
      const there = byWord.get(word);
      if (there) there.spellings.push(...spellings);
      else byWord.set(word, { word, spellings: [...spellings], weight });
    }
    if (count === 0) throw wrongValue('words', 'at least one word', []);
    if (spelled !== 0 && spelled !== count)
      throw wrongValue('words', 'spellings of all words or of none', `${spelled} of ${count} with spellings`);
    this.isSpelled = spelled > 0;
    this.words = [...byWord.values()];
  }
}

function checkWord(given: unknown, at: string): CheckedWord {
  if (typeof given !== 'string') checkObject(at, given as object, ['word', 'spellings', 'weight']);
  const {
    word,
    spellings = [],
    weight = 0,
  }: LexiconWord = typeof given === 'string' ? { word: given } : (given as LexiconWord);
  if (typeof word !== 'string') throw wrongKind(`${at}.word`, 'a string', word);
  if (!/^[^\t\n\r ]+$/u.test(word)) throw wrongValue(`${at}`, 'a word without spaces', word);
  if (!isList(spellings) || ((given as LexiconWord).spellings && spellings.length === 0))
    throw wrongKind(`${at}.spellings`, 'a list of one spelling or more', spellings);
  for (const [i, spelling] of spellings.entries())
    if (
      !isList(spelling) ||
      spelling.length === 0 ||
      !spelling.every((label) => Number.isInteger(label) && label >= 0)
    )
      throw wrongValue(`${at}.spellings[${i}]`, 'a list of one class or more', spelling);
  return { word, spellings, weight: checkWeight(`${at}.weight`, weight) };
}

/** A weight in nats. */
export function checkWeight(name: string, weight: unknown): number {
  if (typeof weight !== 'number') throw wrongKind(name, 'a number', weight);
  // beside more than that nothing else would count in a float
  if (!(Math.abs(weight) <= 1e6)) throw wrongValue(name, 'a number from −1e6 to 1e6', weight);
  return weight;
}
