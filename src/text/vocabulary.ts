import { checkInteger, checkObject } from '../problem/check.js';
import { shown, wrongKind, wrongValue } from '../problem/errors.js';
import { STAR } from '../problem/star.js';
import {
  blankOf,
  classesOf,
  isBlankName,
  isHarmless,
  type Listing,
  listingOf,
  namesBlank,
  parseListing,
  type VocabularySource,
} from './listing.js';
import { Speller } from './spelling.js';
import { byteOf, type Convention, conventionOf, isSpecial, lettersOf, marksOf, written } from './tokens.js';

/** Options of `Vocabulary.from` and `Vocabulary.parse`. */
export interface VocabularyOptions {
  /**
   * Class of the blank, for a vocabulary that does not name it. `'first'` and `'last'` are the model's first and last class, also where the
   * vocabulary does not list the blank: with `'first'` its tokens are then those of the classes from 1 on.
   */
  readonly blank?: number | 'first' | 'last' | undefined;
  /** Number of classes of the model. Default: as many as the vocabulary lists. */
  readonly classes?: number | undefined;
  /** The token that stands between words, or its class; null for none. Default: `<space>`, else a space, else `|`. */
  readonly delimiter?: string | number | null | undefined;
  /** Of the text, such as `tr`: which case its letters have. And which vocabulary, where there is one for each language. */
  readonly language?: string | undefined;
}

/** A label and the characters of the text that it spells; none where several labels spell one character. */
export interface Spelled {
  /** A class, or `STAR` for a part of a word that is said and that no token spells. */
  readonly label: number;
  readonly text: string;
}

/** The classes of a recogniser and how they spell text. */
export class Vocabulary {
  /** Number of classes, the blank among them. */
  readonly size: number;
  /** Class of the blank. */
  readonly blank: number;
  /** Its token, where it has one. */
  readonly blankToken: string | undefined;
  /** Why that class is taken for the blank. */
  readonly blankReason: string;
  /** Class that stands between words, where there is one. */
  readonly delimiter: number | undefined;
  /** Whether words are marked at their beginning or end by their pieces: `▁` of SentencePiece, `##`, `Ġ`, `</w>`. */
  readonly marksWords: boolean;
  /** What was assumed where the list and the model's classes differ, in words. */
  readonly notes: readonly string[];

  readonly #tokens: Listing;
  readonly #convention: Convention;
  readonly #isTurkish: boolean | undefined;
  /** Made for the first word that is spelled: reading needs none. */
  #speller: Speller | undefined;

  /**
   * From what comes with a model, as JSON: `{ token: class }`, as wav2vec2's vocab.json, such a one for each language, an array of tokens in
   * the order of their classes, or a tokenizer.json. The blank is `<blank>`, else `<blk>`, `<pad>`, `[PAD]`, else `-` or `_` as class 0. Between
   * words stands `<space>`, else a space, else `|`; or words begin with `▁` or `Ġ`, end with `</w>`, or go on with `##`. Classes without a
   * token are harmless, and so are tokens past the model's classes; a second token for a class is not.
   *
   * @throws TypeError, RangeError if there is no blank, for what is not a class, or where the list does not fit the number of classes.
   */
  static from(source: VocabularySource, options: VocabularyOptions = {}): Vocabulary {
    checkObject('options', options, ['blank', 'classes', 'delimiter', 'language']);
    const { language } = options;
    if (language !== undefined && typeof language !== 'string')
      throw wrongKind('language', 'a string', language);
    return new Vocabulary(fitted(listingOf(source, language), options), options.delimiter, language);
  }

  /**
   * From a file that comes with a model, as text: JSON as above; `tokens.txt`, a token and its class a line; a dictionary, a token a line;
   * SentencePiece's `.vocab`, a token and its score a line; fairseq's `dict.txt`, a token and how often it occurs.
   *
   * @throws SyntaxError for JSON that is none, and what `from` throws.
   */
  static parse(text: string, options: VocabularyOptions = {}): Vocabulary {
    if (typeof text !== 'string') throw wrongKind('text', 'the text of a vocabulary file', text);
    return Vocabulary.from(parseListing(text) as VocabularySource, options);
  }

  /** @internal */
  private constructor(fitted: Fitted, delimiter: VocabularyOptions['delimiter'], language?: string) {
    if (!(fitted?.tokens instanceof Map))
      throw new TypeError(
        'Vocabulary: expected Vocabulary.from(…) or Vocabulary.parse(…), got new Vocabulary(…)',
      );
    const { tokens, size, blank, blankReason, notes } = fitted;
    this.size = size;
    this.blank = blank;
    this.blankToken = tokens.get(blank);
    this.blankReason = blankReason;
    this.notes = notes;
    this.#tokens = tokens;
    this.#isTurkish = language === undefined ? undefined : /^(tr|az)\b/i.test(language);
    const texts = [...tokens].filter(
      ([label, token]) => label !== blank && label < size && !isSpecial(token),
    );
    const convention = conventionOf(texts.map(([, token]) => token));
    this.delimiter = delimiterOf(tokens, convention, delimiter);
    if (this.delimiter !== undefined && (this.delimiter >= size || this.delimiter === blank))
      throw wrongValue(
        'delimiter',
        `a class from 0 to ${size - 1} other than the blank (${blank})`,
        this.delimiter,
      );
    // where a space stands between words, a lone ▁ is a letter
    const isLetter = convention === '▁' && this.delimiter !== undefined && tokens.get(this.delimiter) !== '▁';
    this.#convention = isLetter ? 'letters' : convention;
    this.marksWords = this.#convention !== 'letters';
  }

  /** The token of a class, if it has one. @throws TypeError, RangeError for what is no class of any model. */
  token(label: number): string | undefined {
    checkInteger('label', label, 0);
    return this.#tokens.get(label);
  }

  /**
   * What a class reads as: its token, a space in front where a word begins and behind where one ends, a space alone for the delimiter. Empty
   * for the blank, for tokens like `<s>` and `[UNK]`, for bytes and for classes without a token.
   *
   * @throws TypeError, RangeError for what is no class of any model.
   */
  read(label: number): string {
    checkInteger('label', label, 0);
    if (label === this.delimiter) return ' ';
    const token = this.#tokens.get(label) ?? '';
    if (label === this.blank || isSpecial(token) || this.byte(label) !== undefined) return '';
    const { text, begins, ends } = written(token, this.#convention);
    return `${begins ? ' ' : ''}${text}${ends ? ' ' : ''}`;
  }

  /** The byte that a class stands for, if its token is one, as `<0xE7>`: those that follow each other are one text in UTF-8. */
  byte(label: number): number | undefined {
    return byteOf(this.token(label) ?? '', this.#convention);
  }

  /**
   * The labels that spell a word: those that leave the fewest letters out, then those nearest to what is written (composed and decomposed
   * letters, then the other case, typography and ligatures, compatible characters, accents left out, bytes), then the fewest. A part that
   * is said and that no token spells is a `STAR`. What nobody says has no label: punctuation that the vocabulary lacks, pictures, signs
   * like ™.
   *
   * @throws TypeError unless the word is a string.
   */
  spell(word: string): Spelled[] {
    if (typeof word !== 'string') throw wrongKind('word', 'a string', word);
    const isToken = isSpecial(word) && [...this.#tokens.values()].includes(word);
    if (isToken) return [{ label: STAR, text: word }];
    this.#speller ??= new Speller(
      [...this.#tokens].flatMap(([label, token]) => [...this.#lettersOf(token, label)]),
      this.#isTurkish,
    );
    const marks = marksOf[this.#convention];
    const parts = this.#speller.spell(this.#convention === '▁' ? word.replaceAll('▁', '') : word, marks);
    const spelled = parts.map(({ label = STAR, text }) => ({ label, text }));
    return spelled.some(({ label }) => label !== this.delimiter) ? spelled : [];
  }

  #lettersOf(token: string, label: number) {
    const isNone = label === this.blank || label >= this.size || label === this.delimiter;
    const isText = !isSpecial(token) || byteOf(token, this.#convention) !== undefined;
    // a lone ▁ begins a word
    return (isNone && !(this.marksWords && token === '▁')) || !isText
      ? []
      : lettersOf(token, label, this.#convention);
  }
}

interface Fitted {
  readonly tokens: Listing;
  readonly size: number;
  readonly blank: number;
  readonly blankReason: string;
  readonly notes: readonly string[];
}

/** A list and the model's classes: where the blank is, and which token is of which class. */
function fitted(listing: Listing, { blank, classes }: VocabularyOptions): Fitted {
  const count = classesOf(listing);
  const size = classes === undefined ? undefined : checkInteger('classes', classes, 1);
  if (blank === 'first' || blank === 'last') return atAnEnd(listing, count, size, blank);
  if (blank !== undefined) checkInteger('blank', blank, 0, size === undefined ? count : size - 1);
  checkCount(listing, count, size, blank);
  const [found, blankReason] =
    blank === undefined ? namedBlank(listing, count, size) : [blank, 'it was given'];
  if (size !== undefined && found >= size)
    throw wrongValue('blank', `a class from 0 to ${size - 1}, as the model has ${size} classes`, found);
  const notes = size === undefined ? [] : notesOn(listing, count, size);
  return { tokens: listing, size: size ?? Math.max(count, found + 1), blank: found, blankReason, notes };
}

/** The blank that is listed; where none is and the model has more classes, that is why. */
function namedBlank(listing: Listing, count: number, size: number | undefined) {
  try {
    return blankOf(listing);
  } catch (error) {
    throw size === count + 1 || size === count + 2 ? wrongCount(listing, count, size) : error;
  }
}

/** The model's first or last class is the blank, listed or not. */
function atAnEnd(
  listing: Listing,
  count: number,
  classes: number | undefined,
  end: 'first' | 'last',
): Fitted {
  const there = listing.get(end === 'first' ? 0 : count - 1);
  const isNamed = there !== undefined && isBlankName(there);
  const isListed =
    isNamed || (classes === undefined ? there !== undefined && namesBlank(there) : classes <= count);
  const more = (classes ?? (isListed ? count : count + 1)) - count;
  checkBeyond(listing, count, classes);
  if (more <= 0 && there !== undefined && !namesBlank(there))
    throw new RangeError(
      `blank: expected a list without its blank, or with it as the ${end}, got ${shown(there)} there and ${count} tokens for ${classes} classes; blank: ${end === 'first' ? 0 : count - 1} takes that class`,
    );
  if (isNamed && more > 0) {
    if (end === 'last')
      throw new RangeError(
        `blank: expected the last of ${classes} classes, got ${shown(there)} as class ${count - 1}; blank: ${count - 1} takes that one`,
      );
    const notes = notesOn(listing, count, count + more);
    return { tokens: listing, size: count + more, blank: 0, blankReason: 'it was given as the first', notes };
  }
  const withSpace = more === 2;
  if (more > 2) throw wrongCount(listing, count, count + more);
  const notes: string[] = [];
  const shift = !isListed && end === 'first' ? 1 : 0;
  const tokens = new Map([...listing].map(([label, token]) => [label + shift, token]));
  if (!isListed)
    notes.push(
      end === 'first'
        ? `the blank is not listed: it is class 0, and the ${count} tokens listed follow it`
        : `the blank is not listed: it is the class that follows the ${count} tokens listed`,
    );
  if (withSpace) {
    tokens.set(end === 'first' ? count + 1 : count, ' ');
    // PaddleOCR adds one to a dictionary that has one, and trains that which it added
    const isSecond = [...listing.values()].includes(' ');
    notes.push(`the ${isSecond ? 'second ' : ''}space is not listed: it is the class behind the tokens`);
  }
  const size = count + more;
  return {
    tokens,
    size,
    blank: end === 'first' ? 0 : size - 1,
    blankReason: `it was given as the ${end}`,
    notes,
  };
}

/** @throws RangeError where text is listed past the last class. */
function checkBeyond(listing: Listing, count: number, size: number | undefined): void {
  if (size !== undefined && [...listing].some(([label, token]) => label >= size && !isHarmless(token)))
    throw wrongCount(listing, count, size);
}

/** @throws RangeError where a list and the number of classes do not belong together. */
function checkCount(
  listing: Listing,
  count: number,
  size: number | undefined,
  blank: number | undefined,
): void {
  if (size === undefined || count === size) return;
  checkBeyond(listing, count, size);
  if (count > size || size - count > 2) return;
  // a blank that is also a letter: the list has no place for it
  const token = blank === undefined ? undefined : listing.get(blank);
  if (token !== undefined && !namesBlank(token)) throw wrongCount(listing, count, size);
}

function wrongCount(listing: Listing, count: number, size: number): RangeError {
  const shownTokens = [listing.get(0), listing.get(count - 1)].map((token) => shown(token ?? ''));
  const explained =
    size === count + 1
      ? "; is the blank not listed? blank: 'first' or 'last'"
      : size === count + 2
        ? "; are the blank and the space not listed, as PaddleOCR has it? blank: 'first'"
        : '';
  return new RangeError(
    `vocabulary: expected the tokens of ${size} classes, as the model has, got ${count} (from ${shownTokens.join(' to ')})${explained}`,
  );
}

function notesOn(listing: Listing, count: number, size: number): string[] {
  const beyond = [...listing].filter(([label]) => label >= size).map(([, token]) => token);
  const notes: string[] = [];
  if (beyond.length > 0) notes.push(`${beyond.join(', ')}: past the last class, never used`);
  if (count < size) notes.push(`${size - count} of ${size} classes have no token`);
  return notes;
}

function delimiterOf(
  tokens: Listing,
  convention: Convention,
  given: VocabularyOptions['delimiter'],
): number | undefined {
  // of two the later one, which takes the place of the other
  const classOf = (token: string) => [...tokens].findLast(([, other]) => other === token)?.[0];
  if (given === null) return undefined;
  if (typeof given === 'string') {
    const found = classOf(given);
    if (found === undefined) throw wrongValue('delimiter', 'a token of the vocabulary', given);
    return found;
  }
  if (given !== undefined) return checkInteger('delimiter', given, 0);
  const space = classOf('<space>') ?? classOf(' ');
  if (space !== undefined) return space;
  return convention === 'letters' ? classOf('|') : convention === '▁' ? classOf('▁') : undefined;
}
