import { addLogs } from '../problem/logs.js';
import type { Vocabulary } from '../text/vocabulary.js';
import type { Hypothesis } from './beam-search.js';
import { type Known, readClass, tokenNames } from './compile.js';
import { Flag, type KnowledgeTables, noWord } from './tables.js';
import {
  bestPath,
  determined,
  type Frames,
  labelGraph,
  logProbability,
  type PathSpan,
  Reads,
  spelledGraph,
  type TextGraph,
} from './text-graph.js';
import type { Step } from './tree.js';

/** A word of a reading. */
export interface ReadWord {
  readonly text: string;
  /** First frame, and the one after its last. */
  readonly start: number;
  readonly end: number;
  /** The share of the probability of the texts that were found of those that have the word there, too. */
  readonly confidence: number;
}

/** One of the texts that were found. */
export interface BeamReading {
  /** Its words with single spaces between them; empty where the classes have no tokens. */
  readonly text: string;
  readonly words: readonly ReadWord[];
  /** Classes of its best path, repeats merged, blanks left out, and for each the first frame and the one after its last. */
  readonly labels: Int32Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** ln of the probability of all label sequences that read as the text. */
  readonly ctc: number;
  /** ln of the probability that the language model gives it; 0 without one. */
  readonly lm: number;
  /** Words that the model does not know. */
  readonly unknown: number;
  /** What its hotwords add. */
  readonly hotwords: number;
  /** All of it with its weights: what is maximised. */
  readonly total: number;
  /** Its share of the probability of the texts that were found, by their totals. */
  readonly probability: number;
}

/** Words and labels with the frames that they cover. */
export interface Times {
  readonly words: readonly { readonly text: string; readonly start: number; readonly end: number }[];
  readonly labels: readonly { readonly label: number; readonly start: number; readonly end: number }[];
}

/** What of a recording is settled: its steps, its times, and its frames, which are not there any more. */
export interface Settled extends Times {
  readonly steps: number;
  readonly frames: number;
}

/** A text that was found, told apart from others. */
interface Text {
  readonly from: Hypothesis;
  readonly key: string;
  readonly text: string;
  readonly words: readonly string[];
  readonly labels: readonly number[];
  /** Where words are spelled: all spellings of each. */
  readonly spellings: readonly (readonly (readonly number[])[])[];
  ctc: number;
  readonly known: number;
}

/** The most texts that are scored exactly, and how far below the best, in nats, by the sums of the search. */
const scored = { texts: 16, below: 6 } as const;

/** Makes readings of what a search has found: texts, exact scores, times, confidences. */
export class Reader {
  readonly #known: Known;
  readonly #tables: KnowledgeTables;
  readonly #names: readonly string[];
  readonly #reads: Reads;
  readonly #spellings: ReadonlyMap<string, readonly (readonly number[])[]>;
  readonly #tokens: readonly string[];
  /** Places behind the end of a word. */
  readonly #gap: number;

  constructor(known: Known, tables: KnowledgeTables, names: readonly string[], blank: number) {
    this.#known = known;
    this.#tables = tables;
    this.#names = names;
    this.#reads = new Reads(tables, blank);
    this.#tokens = known.lm && known.units === 'tokens' ? tokenNames(known.vocabulary!, known.lm) : [];
    this.#gap = known.vocabulary?.delimiter === undefined ? 0 : 1;
    this.#spellings = new Map(known.lexicon?.words.map(({ word, spellings }) => [word, spellings]));
  }

  /**
   * The best of what was found, in descending order of their totals.
   * @param exact whether texts are scored by all their paths, not by those that the search has followed
   * @param settled what comes before the frames, and what they have all in common
   */
  read(
    hypotheses: readonly Hypothesis[],
    frames: Frames,
    count: number,
    exact: boolean,
    settled?: Settled,
  ): BeamReading[] {
    const texts = this.#texts(hypotheses);
    const best = texts[0] ? texts[0].ctc + texts[0].known : 0;
    const some = texts.filter(
      ({ ctc, known }, i) => i < count || (exact && i < scored.texts && ctc + known > best - scored.below),
    );
    const scoring = exact && !settled;
    if (scoring)
      for (const text of some) text.ctc = logProbability(determined(this.#graph(text).graph), frames);
    some.sort((a, b) => b.ctc + b.known - a.ctc - a.known);
    const all = some.reduce((sum, { ctc, known }) => addLogs(sum, ctc + known), -Infinity);
    const shares = some.map(({ ctc, known }) => Math.exp(ctc + known - all));
    return some.slice(0, count).map((text, i) => {
      const confidences = confidencesOf(text.words, some, shares);
      const { words, labels } = this.#timed(text, frames, settled);
      return {
        text: text.text,
        words: words.map((word, w) => ({ ...word, confidence: confidences[w] ?? 0 })),
        labels: Int32Array.from(labels, ({ label }) => label),
        starts: Int32Array.from(labels, ({ start }) => start),
        ends: Int32Array.from(labels, ({ end }) => end),
        ctc: text.ctc,
        ...this.#parts(text),
        total: text.ctc + text.known,
        probability: shares[i]!,
      };
    });
  }

  /** When the words and labels of steps are said, by their best path. */
  timed(steps: readonly Step[], exit: number, frames: Frames): Times {
    return this.#timed(this.#textOf({ steps, exit, ctc: 0, known: 0 }), frames);
  }

  #timed(text: Text, frames: Frames, settled?: Settled): Times {
    const rest = settled ? this.#textOf({ ...text.from, steps: text.from.steps.slice(settled.steps) }) : text;
    const { graph, wordEnds } = this.#graph(rest);
    const first = settled?.frames ?? 0;
    const path = (bestPath(graph, frames) ?? []).map((span) => ({
      ...span,
      start: span.start + first,
      end: span.end + first,
    }));
    const words = wordEnds ? spelledWords(rest.words, path, wordEnds, this.#gap) : this.#wordsOf(path);
    return {
      words: [...(settled?.words ?? []), ...words],
      labels: [...(settled?.labels ?? []), ...path.map(({ label, start, end }) => ({ label, start, end }))],
    };
  }

  /** The best text, as far as it comes behind what is settled. */
  best(
    hypotheses: readonly Hypothesis[],
    before: readonly Step[],
  ): { steps: readonly Step[]; exit: number } | undefined {
    const behind = hypotheses.map((one) => ({ ...one, steps: [...before, ...one.steps] }));
    const [best] = this.#texts(behind);
    return behind.find((one) => this.#textOf(one).key === best?.key);
  }

  /** What steps read as; where words are spelled, those that have ended, and the last one if there is an exit. */
  textOf(steps: readonly Step[], exit?: number): string {
    const { vocabulary } = this.#known;
    if (!vocabulary) return '';
    const isSpelled = (this.#tables.flags & Flag.spelled) !== 0;
    if (isSpelled)
      return this.#spelled(steps, exit, vocabulary)
        .map(({ word }) => word)
        .join(' ');
    return textOf(
      steps.map(({ label }) => label),
      vocabulary,
    );
  }

  /** How many words steps are. */
  wordsIn(steps: readonly Step[], exit: number): number {
    return this.#textOf({ steps, exit: Math.max(exit, 0), ctc: 0, known: 0 }).words.length;
  }

  /** Whether a word may end in front of a step. */
  isBoundary({ label, exit }: Step): boolean {
    const { vocabulary } = this.#known;
    return !vocabulary || exit >= 0 || readClass(vocabulary, label).startsWith(' ');
  }

  /** Each text once, the best first. */
  #texts(hypotheses: readonly Hypothesis[]): Text[] {
    const found = new Map<string, Text>();
    for (const hypothesis of hypotheses) {
      const text = this.#textOf(hypothesis);
      const there = found.get(text.key);
      if (there) there.ctc = addLogs(there.ctc, text.ctc);
      else found.set(text.key, text);
    }
    return [...found.values()].sort((a, b) => b.ctc + b.known - a.ctc - a.known || (a.key < b.key ? -1 : 1));
  }

  #textOf(from: Hypothesis): Text {
    const { steps, exit, ctc, known } = from;
    const { vocabulary } = this.#known;
    const labels = steps.map(({ label }) => label);
    const isLabels = (this.#tables.flags & Flag.labels) !== 0;
    if ((this.#tables.flags & Flag.spelled) !== 0) {
      const spelled = this.#spelled(steps, exit, vocabulary!);
      const words = spelled.map(({ word }) => word);
      const spellings = spelled.map(({ word, labels: own, isListed }) =>
        isListed ? this.#spellings.get(word)! : [own],
      );
      const key = spelled.map(({ word, labels: own, isListed }) => (isListed ? word : own.join())).join(' ');
      return { key, text: words.join(' '), words, labels, spellings, ctc, known, from };
    }
    const text = vocabulary ? textOf(labels, vocabulary) : '';
    const words = text === '' ? [] : text.split(' ');
    return { key: isLabels ? labels.join() : text, text, words, labels, spellings: [], ctc, known, from };
  }

  /** The words that were chosen: a delimiter ends one, or the next one begins. `last`: the exit of the last word, if that has ended. */
  #spelled(steps: Hypothesis['steps'], last: number | undefined, vocabulary: Vocabulary) {
    const { nodeStart, nodeSymbol, nodeNext, exitStart, exitName, ahead, delimiter } = this.#tables;
    const words: { word: string; labels: number[]; isListed: boolean }[] = [];
    let node = 0;
    let labels: number[] = [];
    const leave = (exit: number) => {
      if (node === 0) return;
      const name = exitName[exitStart[node]! + exit]!;
      const isListed = name !== noWord;
      words.push({ word: isListed ? this.#names[name]! : textOf(labels, vocabulary), labels, isListed });
      [node, labels] = [0, []];
    };
    for (const { label, exit } of steps) {
      if (exit >= 0) leave(exit);
      if (label === delimiter) continue;
      labels.push(label);
      const arcs = nodeSymbol.subarray(nodeStart[node]!, nodeStart[node + 1]!);
      const at = node === ahead.length - 1 ? -1 : arcs.indexOf(label + 2);
      node = at < 0 ? ahead.length - 1 : nodeNext[nodeStart[node]! + at]!;
    }
    if (last !== undefined) leave(last);
    return words;
  }

  #graph({ labels, spellings }: Text): { graph: TextGraph; wordEnds?: readonly number[] } {
    const { flags } = this.#tables;
    if ((flags & Flag.spelled) !== 0) return spelledGraph(spellings, this.#known.vocabulary!.delimiter);
    return {
      graph:
        (flags & Flag.labels) !== 0 ? labelGraph(labels) : this.#reads.graph(this.#reads.symbolsOf(labels)),
    };
  }

  /** Words of a path by what its labels read as. */
  #wordsOf(path: readonly PathSpan[]): { text: string; start: number; end: number }[] {
    const { vocabulary } = this.#known;
    const words: { pieces: (string | number)[]; start: number; end: number }[] = [];
    let isNew = true;
    for (const { label, start, end } of vocabulary ? path : []) {
      const byte = vocabulary!.byte(label);
      for (const [i, part] of (byte === undefined
        ? readClass(vocabulary!, label).split(' ')
        : [byte]
      ).entries()) {
        if (i > 0) isNew = true;
        if (part === '') continue;
        if (isNew) words.push({ pieces: [], start, end });
        isNew = false;
        const word = words.at(-1)!;
        word.pieces.push(part);
        word.end = end;
      }
    }
    return words.map(({ pieces, start, end }) => ({ text: joined(pieces), start, end }));
  }

  /** What a text is worth, in its parts. */
  #parts({ labels, words }: Text): { lm: number; unknown: number; hotwords: number } {
    const { lm, units, hotwords } = this.#known;
    const { log10, unknown } = lm
      ? lm.score(units === 'tokens' ? labels.map((label) => this.#tokens[label]!) : words)
      : { log10: 0, unknown: 0 };
    return { lm: log10 * Math.LN10, unknown, hotwords: hotwords ? worthOf(words, hotwords.phrases) : 0 };
  }
}

/** What labels read as, its words with single spaces between them. */
function textOf(labels: readonly number[], vocabulary: Vocabulary): string {
  const text = joined(labels.map((label) => vocabulary.byte(label) ?? readClass(vocabulary, label)));
  return text.replace(/ +/g, ' ').replace(/^ | $/g, '');
}

/** Texts, and bytes that are one where they follow each other. */
function joined(pieces: readonly (string | number)[]): string {
  let text = '';
  for (let i = 0, end = 0; i < pieces.length; i = Math.max(end, i + 1)) {
    for (end = i; typeof pieces[end] === 'number'; ) end++;
    text += end > i ? new TextDecoder().decode(Uint8Array.from(pieces.slice(i, end) as number[])) : pieces[i];
  }
  return text;
}

/** The longest phrase at each place. */
function worthOf(words: readonly string[], phrases: ReadonlyMap<string, number>): number {
  const longest = Math.max(0, ...Array.from(phrases.keys(), (phrase) => phrase.split(' ').length));
  let sum = 0;
  for (let at = 0; at < words.length; ) {
    let length = Math.min(longest, words.length - at);
    while (length > 0 && !phrases.has(words.slice(at, at + length).join(' '))) length--;
    sum += phrases.get(words.slice(at, at + length).join(' ')) ?? 0;
    at += Math.max(1, length);
  }
  return sum;
}

/** A word's edges lead to the places from its start to its end; behind that there is the place behind its delimiter. */
function spelledWords(
  words: readonly string[],
  path: readonly PathSpan[],
  wordEnds: readonly number[],
  gap: number,
): { text: string; start: number; end: number }[] {
  return words.map((text, w) => {
    const after = w > 0 ? wordEnds[w - 1]! + gap : 0;
    const own = path.filter(({ place }) => place > after && place <= wordEnds[w]!);
    return { text, start: own[0]?.start ?? 0, end: own.at(-1)?.end ?? 0 };
  });
}

/** For each word of a text, the share of those texts that have it at the same place, by their longest common words. */
function confidencesOf(
  words: readonly string[],
  texts: readonly Text[],
  shares: readonly number[],
): number[] {
  const sums = new Array<number>(words.length).fill(0);
  for (const [i, { words: others }] of texts.entries())
    for (const w of commonWords(words, others)) sums[w]! += shares[i]!;
  return sums.map((sum) => Math.min(1, sum));
}

/** Places in `words` of a longest common subsequence with `others`. */
function commonWords(words: readonly string[], others: readonly string[]): number[] {
  const columns = others.length + 1;
  const lengths = new Uint32Array((words.length + 1) * columns);
  for (let i = words.length - 1; i >= 0; i--)
    for (let j = others.length - 1; j >= 0; j--)
      lengths[i * columns + j] =
        words[i] === others[j]
          ? lengths[(i + 1) * columns + j + 1]! + 1
          : Math.max(lengths[(i + 1) * columns + j]!, lengths[i * columns + j + 1]!);
  const found: number[] = [];
  for (let i = 0, j = 0; i < words.length && j < others.length; ) {
    if (words[i] === others[j]) {
      found.push(i++);
      j++;
    } else if (lengths[(i + 1) * columns + j]! >= lengths[i * columns + j + 1]!) i++;
    else j++;
  }
  return found;
}
