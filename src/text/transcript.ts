import { checkObject } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { Vocabulary } from './vocabulary.js';

export interface TokeniseOptions {
  /** A word of the text that stands for anything that may be spoken there, such as `*`. Default: none. */
  readonly star?: string;
  /** Anything may be spoken before the first word. Default false. */
  readonly freeStart?: boolean;
  /** Anything may be spoken after the last word. Default false. */
  readonly freeEnd?: boolean;
}

/** A text as words and as the targets to align. */
export interface Transcript {
  /** The words as they were written, between white space, in order. */
  readonly words: readonly string[];
  /** Classes; the star is the one after the vocabulary's last, its `size`, which must be how many the model has. Empty where nothing can be spelled. */
  readonly targets: readonly number[];
  /** For each target the index of its word; −1 for delimiters and for what is free at either end. */
  readonly wordOf: readonly number[];
  /** For each target the characters of its word that it spells; empty where the target before has begun them. */
  readonly textOf: readonly string[];
  /** Class of the star, where the targets hold one: the scores then need `withStar`. */
  readonly star: number | undefined;
  /** Class of the blank. */
  readonly blank: number;
}

/**
 * The words of a text and the labels that spell them, in the order of speech. A word that cannot be spelled (digits, a dash)
 * stays among the words and has no target.
 *
 * @throws TypeError, RangeError for a wrong argument.
 */
export function tokenise(text: string, vocabulary: Vocabulary, options: TokeniseOptions = {}): Transcript {
  if (typeof text !== 'string') throw wrongKind('text', 'a string', text);
  if (!(vocabulary instanceof Vocabulary)) throw wrongKind('vocabulary', 'a Vocabulary', vocabulary);
  checkObject('options', options, ['star', 'freeStart', 'freeEnd']);
  const { star, freeStart = false, freeEnd = false } = options;
  if (star !== undefined && typeof star !== 'string') throw wrongKind('star', 'a word', star);
  if (star !== undefined && !/^\S+$/u.test(star)) throw wrongValue('star', 'a word without spaces', star);
  for (const [name, free] of Object.entries({ freeStart, freeEnd }))
    if (typeof free !== 'boolean') throw wrongKind(name, 'a boolean', free);

  const { size, blank, delimiter, marksWords } = vocabulary;
  const words = text.split(/\s+/u).filter((word) => word !== '');
  const targets: number[] = [];
  const wordOf: number[] = [];
  const textOf: string[] = [];
  const push = (label: number, word: number, spelled: string) => {
    targets.push(label);
    wordOf.push(word);
    textOf.push(spelled);
  };
  if (freeStart) push(size, -1, '');
  let spelledBefore = false;
  words.forEach((word, w) => {
    const isStar = word === star;
    const spelled = isStar ? [{ label: size, text: word }] : vocabulary.spell(word);
    if (spelled.length === 0) return;
    if (spelledBefore && delimiter !== undefined && !marksWords) push(delimiter, -1, '');
    for (const { label, text } of spelled) push(label, label === delimiter ? -1 : w, text);
    spelledBefore = true;
  });
  if (freeEnd) push(size, -1, '');
  return { words, targets, wordOf, textOf, star: targets.includes(size) ? size : undefined, blank };
}
