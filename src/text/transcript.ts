import { checkChoice, checkInteger, checkObject, isList } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { STAR } from '../problem/star.js';
import { type Spelled, Vocabulary } from './vocabulary.js';

/** A word whose labels a tokenizer of the caller's has made. */
export interface LabelledWord {
  readonly text: string;
  /** Classes, in the order of speech; none for what nobody says. */
  readonly labels: ArrayLike<number>;
}

/** Options of `tokenise`. */
export interface TokeniseOptions {
  /** A word of the text that stands for anything that may be spoken there, such as `*`. Default: none. */
  readonly star?: string | undefined;
  /** Anything may be spoken before the first word. Default false. */
  readonly freeStart?: boolean | undefined;
  /** Anything may be spoken after the last word. Default false. */
  readonly freeEnd?: boolean | undefined;
  /**
   * How a word is said that is not written as it is said, such as a number: its readings, each a word or several. The first is taken; the word
   * keeps its text. No reading leaves it as it is.
   */
  readonly expand?: ((word: string) => readonly string[]) | undefined;
  /** Whether what stands in brackets or angles, such as `[laughter]`, is said as it is written. `'heard'`: something else is. Default `'said'`. */
  readonly tags?: 'said' | 'heard' | undefined;
}

/** A text as words and as the targets to align. */
export interface Transcript {
  /** The words as they were written, between white space, in order. */
  readonly words: readonly string[];
  /** Classes and, for what is said and not spelled, `STAR`. Empty where there is neither. */
  readonly targets: readonly number[];
  /** For each target the index of its word; −1 for delimiters and for what is free at either end. */
  readonly wordOf: readonly number[];
  /** For each target the characters of its word that it spells; empty where the target before has begun them. */
  readonly textOf: readonly string[];
  /** For each word whether its targets spell all of it that is said, a part, or nothing. Default: all, where it has targets. */
  readonly spelled?: readonly (boolean | 'part')[];
  /** Class of the blank. */
  readonly blank: number;
}

/**
 * The words of a text and the labels that spell them, in the order of speech. What is said and cannot be spelled has a star in its place, which
 * stands for whatever is said there. A word of which nobody says anything (a dash) stays among the words and has no target.
 *
 * @param text the text, or its words with the labels of another tokenizer
 * @throws TypeError, RangeError for a wrong argument.
 */
export function tokenise(
  text: string | readonly LabelledWord[],
  vocabulary: Vocabulary,
  options: TokeniseOptions = {},
): Transcript {
  if (typeof text !== 'string' && !Array.isArray(text))
    throw wrongKind('text', 'a string, or words with their labels', text);
  if (!(vocabulary instanceof Vocabulary)) throw wrongKind('vocabulary', 'a Vocabulary', vocabulary);
  const { freeStart, freeEnd, ...spelling } = checkOptions(options);
  const { blank, delimiter, marksWords } = vocabulary;
  const words =
    typeof text === 'string'
      ? wordsOfText(text).map((word) => ({ word: word.text, parts: spelledBy(word, vocabulary, spelling) }))
      : text.map((word, w) => ({ word: word?.text, parts: labelled(word, `text[${w}]`, vocabulary) }));
  const targets: number[] = [];
  const wordOf: number[] = [];
  const textOf: string[] = [];
  const push = (label: number, word: number, spelled: string) => {
    // a star and a star are one
    if (label === STAR && targets.at(-1) === STAR) return;
    targets.push(label);
    wordOf.push(word);
    textOf.push(spelled);
  };
  if (freeStart) push(STAR, -1, '');
  const between = typeof text === 'string' && !marksWords ? delimiter : undefined;
  let spelledBefore = false;
  words.forEach(({ parts }, w) => {
    if (parts.length === 0) return;
    if (spelledBefore && between !== undefined) push(between, -1, '');
    for (const { label, text } of parts) push(label, label === delimiter ? -1 : w, text);
    spelledBefore = true;
  });
  if (freeEnd) push(STAR, -1, '');
  return {
    words: words.map(({ word }) => word),
    ...{ targets, wordOf, textOf, blank },
    spelled: words.map(({ word, parts }) => (word === spelling.star && parts.length > 0) || howMuch(parts)),
  };
}

type Checked = Required<Pick<TokeniseOptions, 'freeStart' | 'freeEnd' | 'tags'>> & TokeniseOptions;

function checkOptions(options: TokeniseOptions): Checked {
  checkObject('options', options, ['star', 'freeStart', 'freeEnd', 'expand', 'tags']);
  const { star, freeStart = false, freeEnd = false, expand, tags = 'said' } = options;
  if (star !== undefined && typeof star !== 'string') throw wrongKind('star', 'a word', star);
  if (star !== undefined && !/^\S+$/u.test(star)) throw wrongValue('star', 'a word without spaces', star);
  for (const [name, free] of Object.entries({ freeStart, freeEnd }))
    if (typeof free !== 'boolean') throw wrongKind(name, 'a boolean', free);
  if (expand !== undefined && typeof expand !== 'function')
    throw wrongKind('expand', 'a function from a word to its readings', expand);
  checkChoice('tags', tags, ['said', 'heard']);
  return { star, freeStart, freeEnd, expand, tags };
}

interface Word {
  readonly text: string;
  /** Whether it lies in brackets or angles. */
  readonly isTag: boolean;
}

/** Between white space. */
function wordsOfText(text: string): Word[] {
  const tags = [...text.matchAll(/\[[^\]]*\]|<[^>]*>/gu)].map(
    (tag) => [tag.index, tag.index + tag[0].length] as const,
  );
  let at = 0;
  return [...text.matchAll(/\S+/gu)].map(({ 0: word, index }) => {
    while (at < tags.length && tags[at]![1] <= index) at++;
    const tag = tags[at];
    // what follows a tag directly is no letter of a word of its own
    const rest = tag ? word.slice(Math.max(0, tag[1] - index)) : '';
    return { text: word, isTag: tag !== undefined && tag[0] <= index && !/[\p{L}\p{N}]/u.test(rest) };
  });
}

/** The labels of a word of a text. */
function spelledBy(
  { text, isTag }: Word,
  vocabulary: Vocabulary,
  { star, expand, tags }: Pick<Checked, 'star' | 'expand' | 'tags'>,
): Spelled[] {
  if (text === star || (isTag && tags === 'heard')) return [{ label: STAR, text }];
  const reading = firstReading(text, expand);
  if (reading === undefined) return vocabulary.spell(text);
  const { delimiter, marksWords } = vocabulary;
  const parts: Spelled[] = [];
  for (const word of reading.split(/\s+/u)) {
    const spelled = vocabulary.spell(word);
    if (parts.length > 0 && spelled.length > 0 && delimiter !== undefined && !marksWords)
      parts.push({ label: delimiter, text: '' });
    parts.push(...spelled);
  }
  return parts.map(({ label }, i) => ({ label, text: i === 0 ? text : '' }));
}

function firstReading(word: string, expand: TokeniseOptions['expand']): string | undefined {
  const readings: unknown = expand?.(word);
  if (readings === undefined) return undefined;
  if (!Array.isArray(readings)) throw wrongKind(`expand('${word}')`, 'an array of readings', readings);
  const [first] = readings;
  if (first !== undefined && typeof first !== 'string')
    throw wrongKind(`expand('${word}')[0]`, 'a reading', first);
  return first?.trim() === '' ? undefined : first?.trim();
}

/** The labels that the caller has made. */
function labelled(word: LabelledWord, place: string, { size, blank }: Vocabulary): Spelled[] {
  if (typeof word !== 'object' || word === null || typeof word.text !== 'string')
    throw wrongKind(place, '{ text, labels }', word);
  const { text, labels } = word;
  if (!isList(labels)) throw wrongKind(`${place}.labels`, 'an array of classes', labels);
  return Array.from(labels, (label, i) => {
    checkInteger(`${place}.labels[${i}]`, label, 0, size - 1);
    if (label === blank) throw wrongValue(`${place}.labels[${i}]`, 'a class other than the blank', label);
    return { label, text: i === 0 ? text : '' };
  });
}

/** Whether labels spell all of what is said, a part, or nothing: for the rest there is a star. */
export function howMuch(parts: readonly { readonly label: number }[]): boolean | 'part' {
  const stars = parts.filter(({ label }) => label === STAR).length;
  return stars === parts.length ? false : stars === 0 ? true : 'part';
}
