import { checkInteger, kindOf } from '../problem/check.js';
import { shown, wrongKind, wrongValue } from '../problem/errors.js';
import { isSpecial } from './tokens.js';

/** What a vocabulary is made from: `{ token: class }`, tokens in the order of their classes, one of these for each language, or a tokenizer.json. */
export type VocabularySource =
  | Readonly<Record<string, number>>
  | readonly string[]
  | Readonly<Record<string, Readonly<Record<string, number>>>>
  | { readonly model: object };

/** Tokens by their classes, in the order in which they were listed. */
export type Listing = ReadonlyMap<number, string>;

/** Class and token of each, whatever they are listed in. @throws TypeError, RangeError naming what is wrong. */
export function listingOf(source: unknown, language: string | undefined): Listing {
  // neither a Map nor a typed array, whose entries are others than they look
  if (!/^(Object|Array)$/.test(kindOf(source)))
    throw wrongKind('vocabulary', '{ token: class } or an array of tokens', source);
  if (Array.isArray(source)) {
    return listed(Array.from(source, (token, label) => [token, label, `vocabulary[${label}]`]));
  }
  const model = (source as { model?: { vocab?: unknown } }).model;
  if (typeof model === 'object' && model !== null) {
    return ofTokenizer(model.vocab, (source as { added_tokens?: unknown }).added_tokens);
  }
  const entries = Object.entries(source as object);
  const nested = entries.filter(([, value]) => kindOf(value) === 'Object');
  if (nested.length === 0) return ofObject(source as object);
  const names = nested.map(([name]) => name);
  // where all are the same, it does not matter which
  const areSame = nested.every(([, value]) => areEqual(value as object, nested[0]![1] as object));
  const found = nested.find(([name]) => name === (language ?? (areSame ? names[0] : undefined)));
  if (!found) throw wrongValue('language', `one of ${names.map(shown).join(', ')}`, language);
  return ofObject(found[1] as object);
}

/** Whether two lists have the same classes for the same tokens. */
function areEqual(a: object, b: object): boolean {
  const [of, others] = [Object.entries(a), new Map(Object.entries(b))];
  return of.length === others.size && of.every(([token, label]) => others.get(token) === label);
}

/** How many classes are listed, with those that have no token between them. */
export const classesOf = (listing: Listing): number =>
  [...listing.keys()].reduce((most, label) => Math.max(most, label + 1), 0);

type Entry = readonly [token: unknown, label: unknown, place: string];

const ofObject = (source: object) =>
  listed(Object.entries(source).map(([token, label]) => [token, label, `vocabulary[${shown(token)}]`]));

/** `model.vocab` of a tokenizer.json, `{ token: class }` or with scores, `[[token, score], …]`, and the tokens added to it. */
function ofTokenizer(vocab: unknown, added: unknown): Listing {
  const place = 'vocabulary.model.vocab';
  const entries: Entry[] = [];
  if (Array.isArray(vocab))
    vocab.forEach((entry, label) => {
      entries.push([Array.isArray(entry) ? entry[0] : entry, label, `${place}[${label}]`]);
    });
  else if (kindOf(vocab) === 'Object')
    for (const [token, label] of Object.entries(vocab as object))
      entries.push([token, label, `${place}[${shown(token)}]`]);
  else throw wrongKind(place, '{ token: class } or an array', vocab);
  const known = new Set(entries.map(([token]) => token));
  if (Array.isArray(added))
    added.forEach((entry, i) => {
      if (typeof entry === 'object' && entry !== null && !known.has(entry.content))
        entries.push([entry.content, entry.id, `vocabulary.added_tokens[${i}]`]);
    });
  return listed(entries);
}

function listed(entries: readonly Entry[]): Listing {
  const tokens = new Map<number, string>();
  const seen = new Map<string, number>();
  for (const [token, label, place] of entries) {
    if (typeof token !== 'string') throw wrongKind(place, 'a token', token);
    checkInteger(place, label, 0);
    // what fills a list up to a round number
    if (token === '') continue;
    const [before, other] = [seen.get(token), tokens.get(label as number)];
    if (before !== undefined) throw wrongValue(place, `a token other than that of class ${before}`, token);
    if (other !== undefined) throw wrongValue(place, `a class other than that of ${shown(other)}`, label);
    tokens.set(label as number, token);
    seen.set(token, label as number);
  }
  return tokens;
}

/** The names of a blank that mean nothing else. */
const blankNames = ['<blank>', '<blk>', '<pad>', '[pad]'];

/** What looks like a blank, and may be a letter. */
const perhapsBlank = /^(ε|∅|<?eps>?|blank|\[blank\]|<?(ctc[-_]?)?blank>?|\[ctc[-_]?blank\]|<emp>)$/iu;

/** The class that a vocabulary calls its blank. @throws RangeError if none is, with what may be. */
export function blankOf(tokens: Listing): [blank: number, reason: string] {
  for (const name of blankNames) {
    const found = [...tokens].find(([, token]) => token.toLowerCase() === name);
    if (found) return [found[0], `the vocabulary has ${shown(found[1])}`];
  }
  const first = tokens.get(0);
  if (first === '-' || first === '_') return [0, `class 0 is ${shown(first)}`];
  const perhaps = [...tokens].find(([, token]) => perhapsBlank.test(token));
  const hint = perhaps ? ` (blank: ${perhaps[0]} for ${shown(perhaps[1])})` : '';
  throw wrongValue(
    'vocabulary',
    `'<blank>', '<blk>', '<pad>' or '[PAD]', or '-' or '_' as class 0, or else the option blank, a class, 'first' or 'last'${hint}`,
    [...tokens.values()],
  );
}

/** What models have no class for, though it is listed behind the others: symbols of a lexicon, and the star. */
const isAuxiliary = (token: string): boolean => /^(#\d+|\*|<star>)$/.test(token);

/** Whether a token past the last class says nothing about the model. */
export const isHarmless = (token: string): boolean => isSpecial(token) || isAuxiliary(token);

/** Whether a token is the name of a blank and of nothing else. */
export const isBlankName = (token: string): boolean =>
  blankNames.includes(token.toLowerCase()) || perhapsBlank.test(token);

/** Whether a token can be the name of a blank: it spells nothing that is read. */
export const namesBlank = (token: string): boolean =>
  isSpecial(token) || perhapsBlank.test(token) || token === '-' || token === '_';

/**
 * A vocabulary as it comes with a model, as text: JSON; or a line for each token, alone (a dictionary of PaddleOCR), or with its class (the
 * tokens.txt of icefall and ESPnet) or its score (SentencePiece's .vocab).
 *
 * @throws SyntaxError for JSON that is none; RangeError for a line that is none of these.
 */
export function parseListing(text: string, isJson = /^\s*[[{]\s*["{[\]}]/.test(text)): unknown {
  const content = text.replace(/^\ufeff/, '');
  if (isJson) return JSON.parse(content);
  const lines = content.split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  const withNumber = lines.map((line) => /^(.*?)[ \t]+(\d+)$/su.exec(line));
  if (lines.length > 0 && withNumber.every((found) => found)) {
    const entries = withNumber.map(
      (found) => [found![1] === '' ? ' ' : found![1]!, Number(found![2])] as const,
    );
    const classes = new Set(entries.map(([, label]) => label));
    if (classes.size === lines.length && Math.max(...classes) < 2 * lines.length + 16)
      return Object.fromEntries(entries);
    // how often each occurs, as fairseq has it, which puts four tokens of its own before them
    return ['<s>', '<pad>', '</s>', '<unk>', ...entries.map(([token]) => token)];
  }
  const withScore = lines.map((line) => /^(.*)\t-?[\d.]+(?:e-?\d+)?$/isu.exec(line));
  if (lines.length > 0 && withScore.every((found) => found)) return withScore.map((found) => found![1]!);
  return lines;
}
