import { shown } from '../problem/errors.js';
import { type Chunks, located } from './chunks.js';
import { joined } from './compact.js';
import { Grams, tablesOf } from './grams.js';
import type { NGramTables } from './n-gram-tables.js';
import { pauses } from './pauses.js';
import { WordIndex } from './word-index.js';

export interface Arpa {
  readonly tables: NGramTables;
  readonly counts: readonly number[];
  readonly warnings: readonly string[];
}

/** An ARPA file, of which only a piece and the tables are in memory. @throws RangeError naming the line */
export async function readArpa(chunks: Chunks): Promise<Arpa> {
  const reader = new Reader();
  const pause = pauses();
  try {
    for await (const chunk of chunks) {
      reader.take(chunk);
      await pause();
    }
  } catch (error) {
    throw located(error, reader.line);
  }
  return reader.end(pause);
}

const [TAB, LF, CR, SPACE, BACKSLASH] = [9, 10, 13, 32, 92] as const;
const isSpace = (byte: number) => byte === SPACE || byte === TAB || byte === CR;
const encoded = (text: string) => new TextEncoder().encode(text);
const marks = { unknown: encoded('<unk>'), begin: encoded('<s>'), end: encoded('</s>') };
const otherUnknown = encoded('<UNK>');
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** As KenLM. */
const missingUnknown = -100;

const most = { order: 255, lineBytes: 2 ** 20, linesBefore: 1000, warnings: 20 } as const;

class Reader {
  readonly #words = new WordIndex();
  #grams = new Grams(0);
  readonly #warnings: string[] = [];
  #unsaid = 0;
  /** How many n-grams of each order the file promises, and has beside those that are there twice. */
  readonly #promised: number[] = [];
  readonly #counts: number[] = [];
  #part: 'before' | 'counts' | 'grams' | 'after' = 'before';
  /** That of the section, and how many lines of it were read. */
  #order = 0;
  #found = 0;
  #line = 0;
  #first: Error | undefined;
  /** The words of the line before and the contexts that they end: in a sorted file most lines have the same. */
  readonly #pathWord = new Uint32Array(most.order);
  readonly #pathContext = new Uint32Array(most.order);
  #rest: Uint8Array = new Uint8Array(0);

  /** That of what comes next. */
  get line(): number {
    return this.#line + 1;
  }

  take(chunk: Uint8Array): void {
    const bytes = this.#rest.length > 0 ? joined([this.#rest, chunk]) : chunk;
    let from = 0;
    for (let to = bytes.indexOf(LF); to >= 0; to = bytes.indexOf(LF, from)) {
      this.#take(bytes, from, to);
      from = to + 1;
    }
    this.#rest = bytes.slice(from);
    if (this.#rest.length <= most.lineBytes) return;
    this.#line++;
    throw this.#first ?? this.#wrong(`a line of at most ${most.lineBytes} bytes`, 'a longer one');
  }

  async end(pause: () => Promise<void>): Promise<Arpa> {
    if (this.#rest.length > 0) this.#take(this.#rest, 0, this.#rest.length);
    this.#line++;
    if (this.#part === 'before' && this.#first) throw this.#first;
    const expected = { before: '\\data\\', counts: '\\1-grams:', grams: '\\end\\', after: '' }[this.#part];
    if (expected) throw this.#wrong(expected, 'the end of the file');
    if (this.#unsaid > 0) this.#warnings.push(`and ${this.#unsaid} more`);
    const find = (mark: Uint8Array) => this.#words.find(mark, 0, mark.length);
    const { unknown, begin, end } = marks;
    const ids = { unknown: find(unknown), begin: find(begin), end: find(end) };
    const tables = await tablesOf(this.#grams, this.#words, this.#promised.length, ids, pause);
    return { tables, counts: this.#counts, warnings: this.#warnings };
  }

  #wrong(expected: string, got: string): RangeError {
    return new RangeError(`source: line ${this.#line}: expected ${expected}, got ${got}`);
  }

  #warn(text: string): void {
    if (this.#warnings.length < most.warnings) this.#warnings.push(`line ${this.#line}: ${text}`);
    else this.#unsaid++;
  }

  /** A line. */
  #take(bytes: Uint8Array, begin: number, end: number): void {
    let [from, to] = [begin, end];
    if (this.#line++ === 0 && byteOrderMark.every((byte, i) => bytes[from + i] === byte)) from += 3;
    while (from < to && isSpace(bytes[from]!)) from++;
    while (from < to && isSpace(bytes[to - 1]!)) to--;
    if (from === to) return;
    if (this.#part === 'grams' && bytes[from] !== BACKSLASH) {
      this.#takeGram(bytes, from, to);
      return;
    }
    const text = new TextDecoder().decode(bytes.subarray(from, to));
    if (this.#part === 'before') this.#takeBefore(text);
    else if (this.#part === 'after') this.#warn(`${shown(text)} behind \\end\\ is not read`);
    else if (bytes[from] === BACKSLASH) this.#takeHeading(text);
    else this.#takeCount(text);
  }

  /** Some programs write what they are before the file proper. */
  #takeBefore(text: string): void {
    if (text === '\\data\\') this.#part = 'counts';
    else {
      this.#first ??= this.#wrong('\\data\\, with which an ARPA file begins', shown(text));
      if (this.#line > most.linesBefore) throw this.#first;
    }
  }

  #takeCount(text: string): void {
    const order = this.#promised.length + 1;
    const [, found, count] = /^ngram[ \t]+(\d+)[ \t]*=[ \t]*(\d+)$/.exec(text) ?? [];
    if (Number(found) !== order || order > most.order || Number(count) > 0xffff_ffff)
      throw this.#wrong(`ngram ${order}=COUNT${order > 1 ? ' or \\1-grams:' : ''}`, shown(text));
    this.#promised.push(Number(count));
  }

  #takeHeading(text: string): void {
    const { length } = this.#promised;
    if (length === 0) throw this.#wrong('ngram 1=COUNT', shown(text));
    const promised = this.#promised[this.#order - 1];
    if (this.#order > 0 && this.#found !== promised)
      throw this.#wrong(
        `${promised} ${this.#order}-grams, as \\data\\ promises`,
        `${this.#found} before ${shown(text)}`,
      );
    if (this.#order === 0) this.#grams = new Grams(this.#promised.reduce((sum, count) => sum + count, 0));
    // a section that is promised to be empty may be left out
    let order = this.#order + 1;
    while (text !== `\\${order}-grams:` && this.#promised[order - 1] === 0) this.#counts[order++ - 1] = 0;
    const expected = order > length ? '\\end\\' : `\\${order}-grams:`;
    if (text !== expected) throw this.#wrong(expected, shown(text));
    if (this.#order <= 1 && order > 1) this.#endWords();
    this.#part = order > length ? 'after' : 'grams';
    if (this.#part === 'after') return;
    this.#order = order;
    this.#found = 0;
    this.#counts[order - 1] = 0;
  }

  /** Once all words are known. */
  #endWords(): void {
    for (const mark of [marks.begin, marks.end])
      if (this.#words.find(mark, 0, mark.length) < 0)
        throw this.#wrong(`${new TextDecoder().decode(mark)} among the 1-grams before it`, 'none');
    if (this.#words.find(marks.unknown, 0, marks.unknown.length) >= 0) return;
    this.#warn('no <unk> among the 1-grams: an unknown word has a log10 probability of −100');
    this.#grams.add(0, this.#words.add(marks.unknown, 0, marks.unknown.length), missingUnknown, 0);
  }

  #takeGram(bytes: Uint8Array, from: number, to: number): void {
    const order = this.#order;
    const promised = this.#promised[order - 1]!;
    if (this.#found++ === promised) {
      const next = order === this.#promised.length ? '\\end\\' : `\\${order + 1}-grams:`;
      throw this.#wrong(
        `${next} after ${promised} ${order}-grams, as \\data\\ promises`,
        textOf(bytes, from, to),
      );
    }
    let at = tokenEnd(bytes, from, to);
    const log = this.#number(bytes, from, at);
    if (log > 0) throw this.#wrong('a log10 probability of at most 0', textOf(bytes, from, at));
    const first = tokenStart(bytes, at, to);
    let [context, word, known, isSame] = [0, 0, false, true];
    for (let k = 1; k <= order; k++) {
      const begin = tokenStart(bytes, at, to);
      at = tokenEnd(bytes, begin, to);
      if (begin === at || Number.isNaN(log)) throw this.#notGram(bytes, from, to);
      if (order === 1) [word, known] = this.#addWord(bytes, begin, at);
      else word = this.#wordOf(bytes, begin, at);
      if (k === order) break;
      if (isSame && this.#pathWord[k] === word && this.#pathContext[k]! > 0) context = this.#pathContext[k]!;
      else {
        isSame = false;
        context = this.#grams.find(context, word) || this.#grams.fill(context, word);
        this.#pathWord[k] = word;
        this.#pathContext[k] = context;
      }
    }
    const begin = tokenStart(bytes, at, to);
    const end = tokenEnd(bytes, begin, to);
    const backoff = begin === end ? 0 : this.#number(bytes, begin, end);
    if (end < to || Number.isNaN(backoff)) throw this.#notGram(bytes, from, to);
    if (backoff !== 0 && order === this.#promised.length && order > 1)
      this.#warn(`a back-off of a ${order}-gram, which nothing is longer than, is not used`);
    if (known || this.#grams.add(context, word, log, backoff) === 0) {
      this.#warn(`${textOf(bytes, first, at)} is there twice; the first counts`);
    } else this.#counts[order - 1]!++;
  }

  #notGram(bytes: Uint8Array, from: number, to: number): RangeError {
    const words = this.#order === 1 ? 'a word' : `${this.#order} words`;
    return this.#wrong(`a log10 probability, ${words} and perhaps a back-off`, textOf(bytes, from, to));
  }

  /** NaN if it is none. */
  #number(bytes: Uint8Array, from: number, to: number): number {
    const number = Math.fround(numberOf(bytes, from, to));
    return number === Infinity ? Number.NaN : number;
  }

  /** A word of the 1-grams, and whether it was there before. */
  #addWord(bytes: Uint8Array, from: number, to: number): [word: number, known: boolean] {
    if (isEqual(bytes, from, to, otherUnknown)) return this.#addWord(marks.unknown, 0, marks.unknown.length);
    const known = this.#words.find(bytes, from, to);
    if (known >= 0) return [known, true];
    if (bytes.subarray(from, to).some((byte) => byte > 0x7f))
      try {
        new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, to));
      } catch {
        throw this.#wrong('a word in UTF-8', textOf(bytes, from, to));
      }
    return [this.#words.add(bytes, from, to), false];
  }

  /** A word of a longer n-gram. */
  #wordOf(bytes: Uint8Array, from: number, to: number): number {
    let word = this.#words.find(bytes, from, to);
    if (word < 0 && isEqual(bytes, from, to, otherUnknown))
      word = this.#words.find(marks.unknown, 0, marks.unknown.length);
    if (word < 0) throw this.#wrong('words that are among the 1-grams', textOf(bytes, from, to));
    return word;
  }
}

/** As an error shows it. */
const textOf = (bytes: Uint8Array, from: number, to: number) =>
  shown(new TextDecoder().decode(bytes.subarray(from, Math.min(to, from + 400))));

function tokenStart(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && isSpace(bytes[at]!)) at++;
  return at;
}

function tokenEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && !isSpace(bytes[at]!)) at++;
  return at;
}

const isEqual = (bytes: Uint8Array, from: number, to: number, other: Uint8Array) =>
  to - from === other.length && other.every((byte, i) => bytes[from + i] === byte);

const powers = Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));

/** A decimal number, NaN if it is none. As few digits as these are read without a string: it is where the time goes. */
function numberOf(bytes: Uint8Array, from: number, to: number): number {
  let [digits, value, point] = [0, 0, -1];
  const signed = bytes[from] === 0x2d || bytes[from] === 0x2b;
  let at = signed ? from + 1 : from;
  for (; at < to; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit >= 0 && digit <= 9) value = 10 * value + digit;
    else if (digit === -2 && point < 0) point = digits--;
    else break;
    digits++;
  }
  if (at === to && digits > 0 && digits <= 15) {
    const size = point < 0 ? value : value / powers[digits - point]!;
    return bytes[from] === 0x2d ? -size : size;
  }
  const text = new TextDecoder().decode(bytes.subarray(from, to));
  if (/^-inf(inity)?$/i.test(text)) return Number.NEGATIVE_INFINITY;
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
