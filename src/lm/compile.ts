import { wrongKind, wrongValue } from '../problem/errors.js';
import type { Vocabulary } from '../text/vocabulary.js';
import type { hotwordAutomaton } from './hotword-automaton.js';
import type { Known } from './known.js';
import type { NGram } from './n-gram.js';
import type { Spelling } from './spelled-graph.js';
import { Flag, Kind, type KnowledgeTables, noClass, noWord, OTHER, SPACE } from './tables.js';

/** A word of the trie, as symbols. */
interface Entry {
  readonly path: string;
  readonly word: number;
  readonly price: number;
  readonly name: number;
}

const LN10 = Math.LN10;
/** An automaton of no phrases: its two states, without arcs. */
const [noArcs, nothing] = [new Uint32Array(0), new Float32Array(2)];
const noHotwords = {
  ...{ start: new Uint32Array(3), symbol: noArcs, next: noArcs, fail: new Uint32Array(2) },
  ...{ gain: nothing, worth: nothing, end: nothing, most: nothing },
};
/** Words of one spelling that can be told apart. */
const mostHomophones = 4095;
/** In place of −Infinity, the logarithm to base 10 of what a model says is impossible: differences of it are numbers. */
const leastLog = -1e4;

/**
 * The letters that classes read as, and those of words that are spelled by classes; numbers from 2 on. Where some classes are bytes all letters are
 * bytes, so that a letter is the same by whichever it is written.
 */
class Alphabet {
  readonly #numbers = new Map<string | number, number>([[' ', SPACE]]);
  readonly #ofBytes: boolean;

  constructor(ofBytes: boolean) {
    this.#ofBytes = ofBytes;
  }

  add(text: string): number[] {
    return this.#lettersOf(text).map((letter) => this.addLetter(letter));
  }

  /** A letter, or a byte. */
  addLetter(letter: string | number): number {
    const number = this.#numbers.get(letter) ?? this.#numbers.size + 1;
    this.#numbers.set(letter, number);
    return number;
  }

  /** Undefined where a letter is of no class. */
  find(text: string): number[] | undefined {
    const found = this.#lettersOf(text).map((letter) => this.#numbers.get(letter) ?? OTHER);
    return found.includes(OTHER) ? undefined : found;
  }

  #lettersOf(text: string): (string | number)[] {
    return [...text].flatMap((letter): (string | number)[] =>
      this.#ofBytes && letter !== ' ' ? [...new TextEncoder().encode(letter)] : [letter],
    );
  }
}

/** What a class reads as. What a model of words has for white space is a space; others, such as U+3000, are letters. */
export function readClass(vocabulary: Vocabulary, label: number): string {
  return vocabulary.read(label).replace(/[ \t\n\r\u2581]+/g, ' ');
}

/** What only some searches need, and what makes it. */
interface Parts {
  readonly automaton?: typeof hotwordAutomaton | undefined;
  readonly spelling?: Spelling | undefined;
}

/** All tables for a search. */
export interface Compiled {
  readonly tables: KnowledgeTables;
  /** Words by name: the lexicon's, then the model's that are no part of it. */
  readonly names: readonly string[];
  /** Where words have spellings of their own, what they need. */
  readonly spelling?: Spelling | undefined;
  /** Words of the lexicon that the tokens cannot spell. */
  readonly unspelled: readonly string[];
}

/**
 * @param classes how many there are, where there is no vocabulary
 * @param parts what makes an automaton of hotwords, if there are any, and what spellings need
 * @throws RangeError for a hotword or a spelling that the classes cannot write, and where kinds of knowledge exclude each other.
 */
export function compile(known: Known, classes = 0, parts: Parts = {}): Compiled {
  const { vocabulary, lm, lexicon, hotwords } = known;
  const size = vocabulary?.size ?? classes;
  const bytes = Array.from({ length: size }, (_, label) => vocabulary?.byte(label));
  const alphabet = new Alphabet(bytes.some((byte) => byte !== undefined));
  const reads = Array.from({ length: size }, (_, label) => {
    if (!vocabulary || label === vocabulary.blank) return [];
    const byte = bytes[label];
    return byte === undefined ? alphabet.add(readClass(vocabulary, label)) : [alphabet.addLetter(byte)];
  });
  const flags = flagsOf(known);
  const isSpelled = (flags & Flag.spelled) !== 0;
  if (isSpelled) parts.spelling!.checkSpelled(known);
  const ids = lm?.words ?? new Map<string, number>();
  if (isSpelled) for (const { word } of lexicon!.words) alphabet.add(word);
  const [names, unspelled]: [string[], string[]] = [[], []];
  const entries = entriesOf(known, isSpelled, ids, (word) => alphabet.find(word), names, unspelled);
  if (unspelled.length > 0 && unspelled.length === lexicon!.words.length)
    throw wrongValue('lexicon', 'words that the tokens can spell', unspelled[0]);
  const spelledNames = isSpelled ? names.map((name) => alphabet.find(name)!) : [];
  const phrases = [...(hotwords?.phrases ?? [])].map(([phrase, weight]) => {
    const symbols = alphabet.find(phrase);
    if (!symbols) throw wrongValue('hotwords', 'phrases that the tokens can spell', phrase);
    return [symbols, weight] as const;
  });
  const hot = parts.automaton?.(phrases) ?? noHotwords;
  const model = modelOf(lm, known.weights.alpha);
  const lists = listsOf(reads, 'symbolStart', 'symbols');
  // of a model of tokens words have no probability
  const unigrams = lm && known.units === 'words' ? model.lmLog : new Float32Array(1);
  const trie = trieOf(entries, unlistedOf(known), unigrams);
  const most = mostOf(trie, unigrams);
  if (most.mostExits > mostHomophones)
    throw wrongValue('lexicon', `at most ${mostHomophones} words of one spelling`, most.mostExits);
  const tokens =
    lm && known.units === 'tokens'
      ? tokensOf(known, ids)
      : { classWord: new Uint32Array(1), classPrice: new Float32Array(1) };
  const tables = {
    ...{ flags, hot, ...lists, ...tokens, ...trie, ...model },
    ...listsOf(spelledNames, 'letterStart', 'letters'),
    kinds: kindsOf(reads, isSpelled),
    delimiter: vocabulary?.delimiter ?? noClass,
    mostHeard: largest(hot.end) + largest(hot.worth),
    mostToken: largest(tokens.classPrice),
    ...most,
  } as KnowledgeTables;
  return { tables, names, spelling: parts.spelling, unspelled };
}

function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, values[i]!);
  return most;
}

function kindsOf(reads: readonly (readonly number[])[], isSpelled: boolean): Uint32Array {
  return Uint32Array.from(reads, (symbols) => {
    const space = symbols.lastIndexOf(SPACE);
    if (isSpelled || space > 0) return Kind.other;
    return space === 0 ? Kind.space : symbols.length <= 1 ? Kind.letter : Kind.inside;
  });
}

/** The most that a step in the trie adds. */
function mostOf(
  { nodeStart, nodeNext, ahead, exitStart, exitPrice }: ReturnType<typeof trieOf>,
  unigrams: Float32Array,
) {
  const firsts = nodeNext.subarray(nodeStart[0], nodeStart[1]);
  const nodes = ahead.length;
  let leaving = 0;
  for (let node = 1; node < nodes; node++)
    for (let exit = exitStart[node]!; exit < exitStart[node + 1]!; exit++)
      leaving = Math.max(leaving, exitPrice[exit]! - ahead[node]!);
  return {
    mostFirst: firsts.reduce((first, node) => Math.max(first, ahead[node]!), ahead[nodes - 1]!),
    mostLeaving: leaving + largest(unigrams),
    mostExits: exitStart.reduce(
      (exits, start, node) => Math.max(exits, start - (exitStart[node - 1] ?? 0)),
      0,
    ),
  };
}

function flagsOf({ vocabulary, lm, units, lexicon, hotwords }: Known): number {
  if (!vocabulary && (lm || lexicon || hotwords))
    throw wrongKind(
      'tokens',
      'the vocabulary of the model, without which its labels are no text',
      vocabulary,
    );
  const isTokens = lm !== undefined && units === 'tokens';
  const isSpelled = lexicon?.isSpelled === true;
  const adjacent = isSpelled && vocabulary!.delimiter === undefined;
  return (
    (!vocabulary || isTokens ? Flag.labels : 0) |
    (isSpelled ? Flag.spelled : 0) |
    (isTokens ? Flag.tokens : 0) |
    (lexicon && !lexicon.open ? Flag.closed : 0) |
    (lm ? Flag.lm : 0) |
    (hotwords && hotwords.phrases.size > 0 ? Flag.hotwords : 0) |
    (adjacent ? Flag.adjacent : 0)
  );
}

/** Words of the lexicon, and of the model where it is open or there is none. */
function entriesOf(
  { lm, units, lexicon, weights }: Known,
  isSpelled: boolean,
  ids: ReadonlyMap<string, number>,
  find: (word: string) => number[] | undefined,
  names: string[],
  unspelled: string[],
): Entry[] {
  const isWordModel = lm !== undefined && units === 'words';
  const beta = units === 'tokens' && lm ? 0 : weights.beta;
  const unknown = isWordModel ? weights.alpha * LN10 * weights.unknown : 0;
  const wordOf = (word: string) => (isWordModel ? (ids.get(word) ?? lm.tables.unknown) : 0);
  const entries: Entry[] = [];
  const add = (word: string, weight: number, paths: readonly string[]) => {
    const id = wordOf(word);
    const price = beta + weight + (isWordModel && id === lm.tables.unknown ? unknown : 0);
    const name = names.push(word) - 1;
    for (const path of new Set(paths)) entries.push({ path, word: id, price, name });
  };
  const pathOf = (symbols: readonly number[]) => String.fromCharCode(...symbols);
  for (const { word, spellings, weight } of lexicon?.words ?? []) {
    const symbols = find(word);
    // a class is a symbol of its own, behind the two that are taken
    const paths = isSpelled
      ? spellings.map((labels) => pathOf(labels.map((label) => label + 2)))
      : symbols
        ? [pathOf(symbols)]
        : [];
    if (paths.length > 0) add(word, weight, paths);
    else unspelled.push(word);
  }
  if (!isWordModel || (lexicon && !lexicon.open) || isSpelled) return entries;
  const listed = new Set(names);
  const { unknown: unk, begin, end } = lm.tables;
  for (const [word, id] of ids) {
    if (id === unk || id === begin || id === end || listed.has(word)) continue;
    const symbols = find(word);
    if (symbols && symbols.length > 0) add(word, lexicon ? lexicon.unlisted : 0, [pathOf(symbols)]);
  }
  return entries;
}

/** A word that is in no list. */
function unlistedOf({ lm, units, lexicon, weights }: Known): Entry | undefined {
  if (lexicon && !lexicon.open) return undefined;
  const isWordModel = lm !== undefined && units === 'words';
  const beta = units === 'tokens' && lm ? 0 : weights.beta;
  const price = beta + (lexicon?.unlisted ?? 0) + (isWordModel ? weights.alpha * LN10 * weights.unknown : 0);
  return { path: '', word: isWordModel ? lm.tables.unknown : 0, price, name: noWord };
}

/** The word of a model of tokens for each class; that of a delimiter may be written in another way. */
export function tokenNames(vocabulary: Vocabulary, { words }: NGram): string[] {
  return Array.from({ length: vocabulary.size }, (_, label) => {
    const token = vocabulary.token(label) ?? '';
    const names = label === vocabulary.delimiter ? [token, '|', '▁', '<space>', ' '] : [token];
    return names.find((name) => words.has(name)) ?? token;
  });
}

function tokensOf({ vocabulary, lm, weights }: Known, ids: ReadonlyMap<string, number>) {
  const { unknown } = lm!.tables;
  const classWord = Uint32Array.from(tokenNames(vocabulary!, lm!), (name) => ids.get(name) ?? unknown);
  const classPrice = Float32Array.from(
    classWord,
    (word) => weights.beta + (word === unknown ? weights.alpha * LN10 * weights.unknown : 0),
  );
  return { classWord, classPrice };
}

function listsOf(
  lists: readonly (readonly number[])[],
  start: string,
  all: string,
): Record<string, Uint32Array> {
  let count = 0;
  const starts = Uint32Array.from([0, ...lists.map(({ length }) => (count += length))]);
  return { [start]: starts, [all]: Uint32Array.from(lists.flat()) };
}

function modelOf(lm: NGram | undefined, alpha: number) {
  const t = lm?.tables;
  const scaled = (logs: Float32Array) => logs.map((log) => Math.max(log, leastLog) * alpha * LN10);
  return {
    lmStart: t?.arcStart ?? Uint32Array.of(0, 0),
    lmWord: t?.arcWord ?? noArcs,
    lmNext: t?.arcNext ?? noArcs,
    lmLog: t ? scaled(t.arcLog) : Float32Array.of(0),
    lmFail: t?.failTo ?? new Uint32Array(1),
    lmFailLog: t ? scaled(t.failLog) : new Float32Array(1),
    ...{ lmBegin: t?.start ?? 0, lmEnd: t?.end ?? 0 },
  };
}

/** The trie of all entries. Paths are sorted, so that the child a word goes on with is the last one made. */
function trieOf(entries: Entry[], unlisted: Entry | undefined, unigrams: Float32Array) {
  entries.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.name - b.name));
  const [parents, symbols] = [[0], [0]];
  const exits: Entry[][] = [[]];
  const open: number[] = [0];
  let before = '';
  for (const entry of entries) {
    const { path } = entry;
    let shared = 0;
    while (shared < before.length && before[shared] === path[shared]) shared++;
    open.length = shared + 1;
    for (let i = shared; i < path.length; i++) {
      parents.push(open[i]!);
      symbols.push(path.charCodeAt(i));
      exits.push([]);
      open.push(parents.length - 1);
    }
    exits[open[path.length]!]!.push(entry);
    before = path;
  }
  const count = parents.length;
  const outside = unlisted ? [unlisted] : [];
  // where no listed word ends, an unlisted one may
  for (let node = 1; node < count; node++) if (exits[node]!.length === 0) exits[node] = outside;
  exits.push(outside);
  const weight = ({ word, price }: Entry) => price + unigrams[word]!;
  const ahead = new Float32Array(count + 1).fill(unlisted ? weight(unlisted) : -Infinity);
  for (let node = count - 1; node > 0; node--) {
    for (const exit of exits[node]!) ahead[node] = Math.max(ahead[node]!, weight(exit));
    ahead[parents[node]!] = Math.max(ahead[parents[node]!]!, ahead[node]!);
  }
  ahead[0] = 0;
  const all = exits.flat();
  const children = new Uint32Array(count + 2);
  for (let node = 1; node < count; node++) children[parents[node]! + 1]!++;
  for (let node = 0; node <= count; node++) children[node + 1]! += children[node]!;
  const place = children.slice();
  const [nodeSymbol, nodeNext] = [new Uint32Array(count - 1), new Uint32Array(count - 1)];
  for (let node = 1; node < count; node++) {
    const at = place[parents[node]!]!++;
    nodeSymbol[at] = symbols[node]!;
    nodeNext[at] = node;
  }
  let sum = 0;
  return {
    ...{ nodeStart: children, nodeSymbol, nodeNext, ahead },
    exitStart: Uint32Array.from([0, ...exits.map(({ length }) => (sum += length))]),
    exitWord: Uint32Array.from(all, ({ word }) => word),
    exitPrice: Float32Array.from(all, ({ price }) => price),
    exitName: Uint32Array.from(all, ({ name }) => name),
  };
}
