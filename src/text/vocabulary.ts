import { checkInteger, checkObject, kindOf } from '../problem/check.js';
import { shown, wrongKind, wrongValue } from '../problem/errors.js';
import { Pieces } from './pieces.js';

export interface VocabularyOptions {
  /** Class of the blank, for a vocabulary that does not name it. One past the last class where it does not list it. */
  readonly blank?: number;
  /** Number of classes of the model, where it has more than the vocabulary lists. */
  readonly classes?: number;
}

/** A label and the characters of the text that it spells; none where several labels spell one character. */
export interface Spelled {
  readonly label: number;
  readonly text: string;
}

/** SentencePiece's mark of a word's beginning. */
const wordStart = '▁';

/** Letters that Unicode does not decompose, and the marks of typography. */
const plain = new Map(
  Object.entries({ '’': "'", '‘': "'", ʼ: "'", ʻ: "'", '`': "'", '´': "'", '‐': '-', '‑': '-', '–': '-' }),
);
for (const pair of ['æae', 'œoe', 'øo', 'łl', 'đd', 'ðd', 'þth', 'ßss', 'ıi'])
  plain.set(pair[0], pair.slice(1));

/** A quotation mark that looks like an apostrophe: nobody speaks it, and its label would move the start of the word. */
const quotes = /(?<![\p{L}\p{M}\p{N}])['’‘]|['’‘](?![\p{L}\p{M}\p{N}])/gu;

const isSpecial = (token: string) => /^(<.+>|\[.+\])$/su.test(token);

function tokensOf(json: Readonly<Record<string, number>> | readonly string[]): Map<number, string> {
  // neither a Map nor a typed array, whose entries are others than they look
  if (!/^(Object|Array)$/.test(kindOf(json)))
    throw wrongKind('vocabulary', '{ token: class } or an array of tokens', json);
  const tokens = new Map<number, string>();
  const seen = new Map<string, number>();
  const add = (token: string, label: number) => {
    // what fills a list up to a round number
    if (token === '') return;
    const [before, other] = [seen.get(token), tokens.get(label)];
    if (before !== undefined)
      throw wrongValue(`vocabulary[${label}]`, `a token other than that of class ${before}`, token);
    if (other !== undefined)
      throw wrongValue(`vocabulary[${shown(token)}]`, `a class other than that of ${shown(other)}`, label);
    tokens.set(label, token);
    seen.set(token, label);
  };
  if (Array.isArray(json)) {
    json.forEach((token, label) => {
      if (typeof token !== 'string') throw wrongKind(`vocabulary[${label}]`, 'a token', token);
      add(token, label);
    });
  } else {
    for (const [token, label] of Object.entries(json))
      add(token, checkInteger(`vocabulary[${shown(token)}]`, label, 0));
  }
  return tokens;
}

function blankOf(tokens: ReadonlyMap<number, string>): [blank: number, reason: string] {
  for (const name of ['<blank>', '<blk>', '<pad>', '[pad]']) {
    const found = [...tokens].find(([, token]) => token.toLowerCase() === name);
    if (found) return [found[0], `the vocabulary has ${shown(found[1])}`];
  }
  const first = tokens.get(0);
  if (first === '-' || first === '_') return [0, `class 0 is ${shown(first)}`];
  throw wrongValue(
    'vocabulary',
    "'<blank>', '<blk>', '<pad>' or '[PAD]', or '-' or '_' as class 0, or else the option blank",
    [...tokens.values()],
  );
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
  /** Whether words are marked at their beginning, by `▁` as SentencePiece has it. */
  readonly marksWords: boolean;

  readonly #tokens: ReadonlyMap<number, string>;
  /** By token: those that spell text. */
  readonly #classes = new Map<string, number>();
  readonly #characters = new Set<string>();
  /** Made for the first word that is spelled: reading needs none. */
  #pieces: Pieces | undefined;
  readonly #folded = new Map<string, readonly string[]>();

  /**
   * A `vocab.json` as wav2vec2's, `{ token: class }`, or an array of tokens in the order of their classes. The blank is
   * `<blank>`, else `<blk>`, `<pad>`, `[PAD]`, else `-` or `_` as class 0. Between words stands `|`, else a space,
   * `<space>`; or words begin with `▁`. Classes without a token are harmless, a second token for a class is not.
   *
   * @throws TypeError, RangeError if there is no blank, or for what is not a class.
   */
  static from(
    json: Readonly<Record<string, number>> | readonly string[],
    options: VocabularyOptions = {},
  ): Vocabulary {
    checkObject('options', options, ['blank', 'classes']);
    const tokens = tokensOf(json);
    const listed = [...tokens.keys()].reduce((most, label) => Math.max(most, label + 1), 0);
    const size = options.classes === undefined ? listed : checkInteger('classes', options.classes, listed);
    const [blank, reason] =
      options.blank === undefined
        ? blankOf(tokens)
        : [checkInteger('blank', options.blank, 0, size, ' (one past the last class)'), 'it was given'];
    return new Vocabulary(tokens, Math.max(size, blank + 1), blank, reason);
  }

  private constructor(tokens: ReadonlyMap<number, string>, size: number, blank: number, blankReason: string) {
    this.size = size;
    this.blank = blank;
    this.blankToken = tokens.get(blank);
    this.blankReason = blankReason;
    this.#tokens = tokens;

    for (const [label, token] of tokens)
      if (label !== blank && !isSpecial(token)) this.#classes.set(token, label);
    this.marksWords = [...this.#classes.keys()].some((token) => token.startsWith(wordStart));
    if (this.marksWords) {
      this.delimiter = this.#classes.get(wordStart);
    } else {
      const space = [...tokens].find(([, token]) => token === '<space>')?.[0];
      this.delimiter = this.#classes.get('|') ?? this.#classes.get(' ') ?? space;
      if (this.delimiter !== undefined) this.#classes.delete(tokens.get(this.delimiter)!);
    }
    for (const token of this.#classes.keys()) for (const character of token) this.#characters.add(character);
  }

  /** The token of a class, if it has one. @throws TypeError, RangeError for what is no class of any model. */
  token(label: number): string | undefined {
    checkInteger('label', label, 0);
    return this.#tokens.get(label);
  }

  /**
   * What a class reads as: its token, a space in front where a word begins, a space alone for the delimiter. Empty for the
   * blank, for tokens like `<s>` and `[UNK]` and for classes without a token.
   *
   * @throws TypeError, RangeError for what is no class of any model.
   */
  read(label: number): string {
    checkInteger('label', label, 0);
    if (label === this.delimiter) return ' ';
    const token = this.#tokens.get(label) ?? '';
    if (label === this.blank || isSpecial(token)) return '';
    return this.marksWords ? token.replaceAll(wordStart, ' ') : token;
  }

  /**
   * The labels that spell a word, the longest token first at each place, so that pieces of words do as well as letters. A
   * character that the vocabulary lacks is spelled in its other case, without typography, accents and ligatures, or left
   * out. Tokens like `<s>` and `[UNK]` never spell anything.
   *
   * @throws TypeError unless the word is a string.
   */
  spell(word: string): Spelled[] {
    if (typeof word !== 'string') throw wrongKind('word', 'a string', word);
    const letters = this.marksWords ? [{ letter: wordStart, text: '' }] : [];
    for (const character of word.replaceAll(wordStart, '').normalize('NFC').replace(quotes, '')) {
      this.#fold(character).forEach((letter, i) => {
        letters.push({ letter, text: i === 0 ? character : '' });
      });
    }
    this.#pieces ??= new Pieces(this.#classes);
    const longest = this.#pieces.longestAt(letters.map(({ letter }) => letter));
    const spelled: Spelled[] = [];
    for (let at = 0; at < letters.length; ) {
      const piece = longest[at];
      const end = at + (piece?.length ?? 1);
      if (piece) {
        const text = letters.slice(at, end).map((letter) => letter.text);
        spelled.push({ label: piece.label, text: text.join('') });
      } else if (letters[end]?.text === '') {
        // the rest of a folded character spells it alone
        letters[end].text = letters[at].text;
      }
      at = end;
    }
    return spelled.some(({ label }) => label !== this.delimiter) ? spelled : [];
  }

  /** A character in characters of the vocabulary: the first of its forms that lies wholly in the vocabulary, else those characters of the last form that do. */
  #fold(character: string): readonly string[] {
    const known = this.#folded.get(character);
    if (known) return known;
    const forms = [
      character,
      plain.get(character.toLowerCase()) ?? character,
      character.normalize('NFKC'),
      character.normalize('NFKD'),
    ];
    const spellings = forms.map((form) => [...form].map((letter) => this.#inItsCase(letter)));
    const whole = spellings.find((spelling) => !spelling.includes(undefined));
    const folded = (whole ?? spellings[forms.length - 1]).flatMap((letters) => (letters ? [...letters] : []));
    this.#folded.set(character, folded);
    return folded;
  }

  #inItsCase(letter: string): string | undefined {
    return [letter, letter.toLowerCase(), letter.toUpperCase()].find((form) =>
      [...form].every((each) => this.#characters.has(each)),
    );
  }
}
