import { checkObject, isList } from '../problem/check.js';
import { wrongKind } from '../problem/errors.js';
import { lazily } from '../problem/load.js';
import type { NGramSource } from './chunks.js';
import { writeCompact } from './compact.js';
import { findArc, type NGramTables, placeIn } from './n-gram-tables.js';

const loadReader = lazily('both', () => import('./read-model.js'));

/** Which sentence marks are scored with the words. */
export interface NGramScoreOptions {
  /** Whether `<s>` stands before the words. Default: true. */
  readonly begin?: boolean;
  /** Whether `</s>` is scored after the words. Default: true. */
  readonly end?: boolean;
}

/** What a model says of a word behind those before it. */
export interface NGramWordScore {
  readonly word: string;
  /** Its log-probability to base 10. */
  readonly log10: number;
  /** The number of words of the longest n-gram in the model that ends with it, from 1. */
  readonly order: number;
  /** Whether the model does not list it, and it scores as `<unk>`. */
  readonly unknown: boolean;
}

/** What a model says of a sentence. */
export interface NGramScore {
  /** The log-probability to base 10: the sum over `words`. */
  readonly log10: number;
  /** How many words the model does not list. */
  readonly unknown: number;
  /** The words, and `</s>` unless `end` is false. */
  readonly words: readonly NGramWordScore[];
}

/**
 * A back-off n-gram language model, with the scores of KenLM. Its units are the words of the file, or characters where the file has those.
 */
export class NGram {
  /** How many words the longest n-grams have. */
  readonly order: number;
  /** How many n-grams there are of one word, of two, and so on. */
  readonly counts: readonly number[];
  /** Bytes of its tables. */
  readonly bytes: number;
  /** What was wrong with the file and was mended, with the lines. */
  readonly warnings: readonly string[];
  /** @internal */
  readonly tables: NGramTables;
  #words: ReadonlyMap<string, number> | undefined;

  private constructor(tables: NGramTables, counts: readonly number[], warnings: readonly string[]) {
    this.tables = tables;
    this.order = tables.order;
    this.counts = counts;
    this.warnings = warnings;
    const arrays = Object.values(tables).filter((table) => ArrayBuffer.isView(table));
    this.bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /**
   * Reads a model: an ARPA file or what `write` has made of one, either of them packed by gzip or not. The content says which it is.
   *
   * Only tabs, spaces and line ends separate words, which are compared as they are: a letter with its accent in one code point or in two makes
   * two words. Of n-grams that are there twice the first counts; without `<unk>` an unknown word has a log-probability of −100.
   *
   * @param source The file: bytes, a `Blob`, the body of a `Response` or another stream of bytes, or an ARPA file's text. Bytes must not
   *   change until it is read.
   * @throws TypeError for a wrong argument, RangeError naming the line and what was expected there, CtcError `load-failed`
   */
  static async read(source: NGramSource): Promise<NGram> {
    const { readModel } = await loadReader();
    const { tables, counts, warnings } = await readModel(source);
    return new NGram(tables, counts, warnings);
  }

  /**
   * Scores a sentence.
   *
   * @param words The words, or a text of words with spaces between them.
   * @throws TypeError for a wrong argument
   */
  score(words: string | readonly string[], options: NGramScoreOptions = {}): NGramScore {
    const list = typeof words === 'string' ? words.split(/[ \t\r\n]+/).filter(Boolean) : words;
    if (!isList(list)) throw wrongKind('words', 'a text or a list of words', words);
    checkObject('options', options, ['begin', 'end']);
    const { begin = true, end = true } = options;
    for (const [name, value] of Object.entries({ begin, end }))
      if (typeof value !== 'boolean') throw wrongKind(name, 'a boolean', value);
    let state = begin ? this.tables.start : 0;
    const step = (word: string, id: number): NGramWordScore => {
      const [log10, order, next] = this.#step(state, id);
      state = next;
      return { word, log10, order, unknown: id === this.tables.unknown };
    };
    const scores = Array.from(list, (word, i) => {
      if (typeof word !== 'string') throw wrongKind(`words[${i}]`, 'a word', word);
      return step(word, this.words.get(word) ?? this.tables.unknown);
    });
    if (end) scores.push(step('</s>', this.tables.end));
    return {
      log10: scores.reduce((sum, { log10 }) => sum + log10, 0),
      unknown: scores.filter(({ unknown }) => unknown).length,
      words: scores,
    };
  }

  /** The model as a compact file, which `read` takes at about the speed of a copy. */
  write(): Uint8Array<ArrayBuffer> {
    return writeCompact(this.tables, this.counts);
  }

  /** @internal Its words with their numbers. */
  get words(): ReadonlyMap<string, number> {
    if (!this.#words) {
      const { wordBytes, wordEnds } = this.tables;
      const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
      const word = (w: number) => decoder.decode(wordBytes.subarray(wordEnds[w - 1] ?? 0, wordEnds[w]));
      this.#words = new Map(Array.from(wordEnds, (_, w) => [word(w), w]));
    }
    return this.#words;
  }

  #step(from: number, word: number): [log10: number, order: number, next: number] {
    const { arcLog, arcNext, failTo, failLog, stateStart, filled } = this.tables;
    let [state, log10] = [from, 0];
    let arc = findArc(this.tables, state, word);
    for (; arc < 0; arc = findArc(this.tables, state, word)) {
      log10 += failLog[state]!;
      state = failTo[state]!;
    }
    // an arc that no n-gram stands for: what it backs off to is that of a shorter context
    let listed = arc;
    while (listed < 0 || placeIn(filled, listed) >= 0) {
      state = failTo[state]!;
      listed = findArc(this.tables, state, word);
    }
    return [log10 + arcLog[arc]!, stateStart.findLastIndex((first) => first <= state) + 1, arcNext[arc]!];
  }
}
