import { addLogs } from '../problem/logs.js';
import type { Vocabulary } from '../text/vocabulary.js';
import type { Hypothesis } from './beam-search.js';
import { type Compiled, readClass, tokenNames } from './compile.js';
import type { Known } from './known.js';
import type { Spelling } from './spelled-graph.js';
import { Flag, type KnowledgeTables, noWord } from './tables.js';
import {
  bestPath,
  type Frames,
  labelGraph,
  logProbability,
  type PathSpan,
  Reads,
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

/** A word or a label with the frames that it covers. */
export interface Timed {
  readonly start: number;
  readonly end: number;
}
export interface TimedWord extends Timed {
  readonly text: string;
}
export interface TimedLabel extends Timed {
  readonly label: number;
}

/** What of a recording is settled, and its frames are not there any more: how many steps, with their labels and, of a lexicon's spellings, words. */
export interface Settled {
  readonly steps: number;
  readonly words: readonly TimedWord[];
  readonly labels: readonly TimedLabel[];
  /** Whether they end in a word. */
  readonly isInWord: boolean;
}

export const nothingSettled: Settled = { steps: 0, words: [], labels: [], isInWord: false };

/** A text that was found, told apart from others. */
interface Text {
  readonly from: Hypothesis;
  readonly key: string;
  readonly text: string;
  readonly words: readonly string[];
  /** The same, as models and hotwords know them: a word that a lexicon of spellings does not list is none of theirs. */
  readonly knownWords: readonly string[];
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
  readonly #spelling: Spelling | undefined;
  readonly #reads: Reads;
  readonly #spellings: ReadonlyMap<string, readonly (readonly number[])[]>;
  readonly #tokens: readonly string[];
  /** Places behind the end of a word. */
  readonly #gap: number;
  readonly #isSpelled: boolean;
  /** The most words of a hotword. */
  readonly #longest: number;

  constructor(known: Known, { tables, names, spelling }: Compiled, blank: number) {
    this.#known = known;
    this.#tables = tables;
    this.#names = names;
    this.#spelling = spelling;
    this.#reads = new Reads(tables, blank);
    this.#tokens = known.lm && known.units === 'tokens' ? tokenNames(known.vocabulary!, known.lm) : [];
    this.#gap = known.vocabulary?.delimiter === undefined ? 0 : 1;
    this.#isSpelled = (tables.flags & Flag.spelled) !== 0;
    this.#longest = 0;
    for (const phrase of known.hotwords?.phrases.keys() ?? [])
      this.#longest = Math.max(this.#longest, phrase.split(' ').length);
    this.#spellings = new Map(known.lexicon?.words.map(({ word, spellings }) => [word, spellings]));
  }

  /**
   * The best of what was found, in descending order of their totals.
   * @param exact whether texts are scored by all their paths, not by those that the search has followed
   * @param settled what comes before the frames, and what they have all in common
   * @param at the frame of the recording that a frame is; by default itself
   */
  read(
    hypotheses: readonly Hypothesis[],
    frames: Frames,
    count: number,
    exact: boolean,
    settled = nothingSettled,
    at?: readonly number[],
  ): BeamReading[] {
    const texts = this.#texts(hypotheses);
    const best = texts[0] ? texts[0].ctc + texts[0].known : 0;
    const some = texts.filter(
      ({ ctc, known }, i) => i < count || (i < scored.texts && ctc + known > best - scored.below),
    );
    if (exact)
      for (const text of some) {
        const { graph } = this.#graph(text);
        text.ctc = logProbability(this.#spelling?.determined(graph) ?? graph, frames);
      }
    some.sort((a, b) => b.ctc + b.known - a.ctc - a.known);
    const all = some.reduce((sum, { ctc, known }) => addLogs(sum, ctc + known), -Infinity);
    const shares = some.map(({ ctc, known }) => Math.exp(ctc + known - all));
    return some.slice(0, count).map((text, i) => {
      const confidences = confidencesOf(text.words, some, shares);
      const { words, labels } = this.#timed(text, frames, settled, at);
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

  /** The best path of steps behind what is settled, and what would be settled until one of them, if a label of the path ends there. */
  path(
    { steps: all, exit }: Pick<Hypothesis, 'steps' | 'exit'>,
    frames: Frames,
    settled: Settled,
  ):
    | { readonly spans: readonly PathSpan[]; readonly until: (steps: number) => Settled | undefined }
    | undefined {
    const textOf = (steps: readonly Step[], exit: number) => this.#textOf({ steps, exit, ctc: 0, known: 0 });
    const text = textOf(all, exit);
    const { graph, wordEnds } = this.#graph(text, settled);
    const spans = bestPath(graph, frames, settled.labels.at(-1)?.label);
    if (!spans) return undefined;
    const words = wordEnds ? spelledWords(text.words, spans, wordEnds, this.#gap) : [];
    return {
      spans,
      until: (steps) => {
        const first = all.slice(0, steps);
        const { words: ended, labels } = textOf(first, Math.max(0, all[steps]?.exit ?? exit));
        const { place, isInWord } = this.#isLabels
          ? { place: steps, isInWord: false }
          : wordEnds
            ? { place: wordEnds[ended.length - 1] ?? 0, isInWord: settled.isInWord || ended.length > 0 }
            : this.#reads.placeOf(labels, settled.isInWord);
        const own = spans.filter((span) => span.place <= place);
        // a label may read as more than what ends there
        if (own.at(-1)?.place !== place) return undefined;
        return { steps, isInWord, words: words.slice(0, wordEnds && ended.length), labels: own };
      },
    };
  }

  #timed(text: Text, frames: Frames, settled: Settled, at?: readonly number[]) {
    const rest = settled.steps
      ? this.#textOf({ ...text.from, steps: text.from.steps.slice(settled.steps) })
      : text;
    const { graph, wordEnds } = this.#graph(rest, settled);
    const path = bestPath(graph, frames, settled.labels.at(-1)?.label) ?? [];
    const labels = [...settled.labels, ...path.map((span) => timesAt(span, at))];
    const own = wordEnds ? spelledWords(rest.words, path, wordEnds, this.#gap) : [];
    const words = wordEnds
      ? [...settled.words, ...own.map((word) => timesAt(word, at))]
      : this.#wordsOf(labels);
    return { words, labels };
  }

  /** The best text, as far as it comes behind what is settled. */
  best(
    hypotheses: readonly Hypothesis[],
    before: readonly Step[],
  ): { steps: readonly Step[]; exit: number } | undefined {
    return this.#texts(hypotheses.map((one) => ({ ...one, steps: [...before, ...one.steps] })))[0]?.from;
  }

  /**
   * What steps read as, behind a text; where words are spelled, those that have ended, and the last one if there is an exit.
   * @param isOpen whether more may follow, so that a letter of which some bytes are lacking is left out
   */
  textOf(before: string, steps: readonly Step[], exit?: number, isOpen = false): string {
    const { vocabulary } = this.#known;
    if (!vocabulary) return '';
    if (this.#isSpelled)
      return [before, ...this.#spelled(steps, exit, vocabulary).map(({ word }) => word)]
        .filter((text) => text !== '')
        .join(' ');
    const text = rawText(
      steps.map(({ label }) => label),
      vocabulary,
      isOpen,
    );
    return before + (before === '' || before.endsWith(' ') ? text.replace(/^ /, '') : text);
  }

  /** Whether a word may end in front of a step; if any letter will do, whether one may. */
  isBoundary(steps: readonly Step[], i: number, anyLetter = false): boolean {
    const { vocabulary } = this.#known;
    const { label, exit } = steps[i]!;
    if (this.#isSpelled) return exit >= 0;
    if (!vocabulary) return true;
    const before = i > 0 ? steps[i - 1]!.label : undefined;
    if (readClass(vocabulary, label).startsWith(' ')) return true;
    if (before === undefined) return false;
    if (readClass(vocabulary, before).endsWith(' ')) return true;
    return anyLetter && (vocabulary.byte(label) === undefined || vocabulary.byte(before) === undefined);
  }

  /** Each text once, the best first; of one whose words a lexicon of spellings lists and of the same one of other words the better. */
  #texts(hypotheses: readonly Hypothesis[]): Text[] {
    const found = new Map<string, Text>();
    const worth = ({ ctc, known }: Text) => ctc + known;
    for (const hypothesis of hypotheses) {
      const text = this.#textOf(hypothesis);
      const name = this.#isSpelled ? text.text : text.key;
      const there = found.get(name);
      if (there?.key === text.key) there.ctc = addLogs(there.ctc, text.ctc);
      else if (!there || worth(text) > worth(there)) found.set(name, text);
    }
    return [...found.values()].sort((a, b) => worth(b) - worth(a) || (a.key < b.key ? -1 : 1));
  }

  #textOf(from: Hypothesis): Text {
    const { steps, exit, ctc, known } = from;
    const { vocabulary } = this.#known;
    const labels = steps.map(({ label }) => label);
    if (this.#isSpelled) {
      const spelled = this.#spelled(steps, exit, vocabulary!);
      const words = spelled.map(({ word }) => word);
      const spellings = spelled.map(({ word, labels: own, isListed }) =>
        isListed ? this.#spellings.get(word)! : [own],
      );
      const knownWords = spelled.map(({ word, labels: own, isListed }) =>
        isListed ? word : ` ${own.join()}`,
      );
      const key = knownWords.join(' ');
      return { key, text: words.join(' '), words, knownWords, labels, spellings, ctc, known, from };
    }
    const text = vocabulary ? textOf(labels, vocabulary) : '';
    const words = text === '' ? [] : text.split(' ');
    const key = this.#isLabels ? labels.join() : text;
    return { key, text, words, knownWords: words, labels, spellings: [], ctc, known, from };
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
      // what reads as nothing is a word that cannot be read
      const word = isListed ? this.#names[name]! : textOf(labels, vocabulary) || '\ufffd';
      words.push({ word, labels, isListed });
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

  get #isLabels(): boolean {
    return (this.#tables.flags & Flag.labels) !== 0;
  }

  #graph(
    { labels, spellings }: Text,
    { isInWord } = nothingSettled,
  ): { graph: TextGraph; wordEnds?: readonly number[] } {
    if (this.#spelling)
      return this.#spelling.spelledGraph(spellings, this.#known.vocabulary!.delimiter, isInWord);
    if (this.#isLabels) return { graph: labelGraph(labels) };
    return { graph: this.#reads.graph(this.#reads.symbolsOf(labels, isInWord), isInWord) };
  }

  /** Words of a path by what its labels read as. */
  #wordsOf(path: readonly TimedLabel[]): TimedWord[] {
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
  #parts({ labels, knownWords: words }: Text): { lm: number; unknown: number; hotwords: number } {
    const { lm, units, hotwords } = this.#known;
    const { log10, unknown } = lm
      ? lm.score(units === 'tokens' ? labels.map((label) => this.#tokens[label]!) : words)
      : { log10: 0, unknown: 0 };
    return {
      lm: log10 * Math.LN10,
      unknown,
      hotwords: hotwords ? worthOf(words, hotwords.phrases, this.#longest) : 0,
    };
  }
}

/** What labels read as, its words with single spaces between them. */
function textOf(labels: readonly number[], vocabulary: Vocabulary): string {
  return rawText(labels, vocabulary).replace(/^ | $/g, '');
}

/** The same with the spaces at its ends. */
function rawText(labels: readonly number[], vocabulary: Vocabulary, isOpen = false): string {
  const pieces = labels.map((label) => vocabulary.byte(label) ?? readClass(vocabulary, label));
  return joined(pieces, isOpen).replace(/ +/g, ' ');
}

/** Texts, and bytes that are one where they follow each other; if more may follow, without a letter at the end of which some are lacking. */
function joined(pieces: readonly (string | number)[], isOpen = false): string {
  let text = '';
  for (let i = 0, end = 0; i < pieces.length; i = Math.max(end, i + 1)) {
    for (end = i; typeof pieces[end] === 'number'; ) end++;
    const bytes = Uint8Array.from(pieces.slice(i, end) as number[]);
    text +=
      end > i ? new TextDecoder().decode(bytes, { stream: isOpen && end === pieces.length }) : pieces[i];
  }
  return text;
}

/** Times in a recording of what is timed by frames that are some of its frames. */
export const timesAt = <T extends Timed>(one: T, at: readonly number[] | undefined): T =>
  at ? { ...one, start: at[one.start]!, end: at[one.end - 1]! + 1 } : one;

/** The longest phrase at each place. */
function worthOf(words: readonly string[], phrases: ReadonlyMap<string, number>, longest: number): number {
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

/**
 * Places in `words` of a longest common subsequence with `others`, by how few words have to be left out of both (Myers 1986): texts of one
 * recording are much alike, however long.
 */
function commonWords(words: readonly string[], others: readonly string[]): number[] {
  // of d words that are left out: how far one comes in `words` where k more of these are left out than of the others
  const tries: Map<number, number>[] = [];
  const ends = words.length - others.length;
  for (let d = 0; d <= words.length + others.length; d++) {
    const [last, next] = [tries.at(-1), new Map<number, number>()];
    for (let k = -d; k <= d; k += 2) {
      let x = last ? Math.max((last.get(k - 1) ?? -2) + 1, last.get(k + 1) ?? -1) : 0;
      while (x < words.length && x - k < others.length && words[x] === others[x - k]) x++;
      if (x <= words.length && x - k <= others.length) next.set(k, x);
    }
    tries.push(next);
    if (next.get(ends) === words.length) break;
  }
  const found: number[] = [];
  for (let [d, k, x] = [tries.length - 1, ends, words.length]; d >= 0; d--) {
    const last = tries[d - 1];
    const isFromFewer = last && (last.get(k - 1) ?? -2) + 1 >= (last.get(k + 1) ?? -1);
    const from = last ? (isFromFewer ? last.get(k - 1)! + 1 : last.get(k + 1)!) : 0;
    while (x > from) found.push(--x);
    k += isFromFewer ? -1 : 1;
    x = isFromFewer ? from - 1 : from;
  }
  return found;
}
