import type { NGramTables } from './n-gram-tables.js';
import { inRanges } from './pauses.js';
import { grown, slotsFor, type WordIndex } from './word-index.js';

/**
 * The n-grams of a model while it is read, as a trie: each is its context's number and a word. 0 is the empty one, w + 1 that of word w alone.
 * Every context of an n-gram is there, listed or filled in.
 */
export class Grams {
  count = 1;
  /** Those that are not listed. */
  readonly filled = new Set<number>();
  context = new Uint32Array(1);
  word = new Uint32Array(1);
  length = new Uint8Array(1);
  log = new Float32Array(1);
  backoff = new Float32Array(1);
  /** Of each slot context, word and n-gram, or zeros: beside each other, since waiting for the memory is most of the work. */
  #slots = new Uint32Array(3 * slotsFor(1));
  readonly #promised: number;

  /** @param promised how many there will be, if the file says the truth */
  constructor(promised: number) {
    this.#promised = promised;
  }

  /** @returns 0 if there is none */
  find(context: number, word: number): number {
    return context === 0 ? word + 1 : this.#slots[this.#slotOf(context, word) + 2]!;
  }

  /** @returns its number, 0 if it is there already; a single word must be a new one */
  add(context: number, word: number, log: number, backoff: number): number {
    if (this.count === this.log.length) this.#grow();
    const gram = this.count;
    if (context !== 0 && !this.#place(context, word, gram)) return 0;
    this.context[gram] = context;
    this.word[gram] = word;
    this.length[gram] = this.length[context]! + 1;
    this.log[gram] = log;
    this.backoff[gram] = backoff;
    this.count++;
    return gram;
  }

  /** A context that longer n-grams have though it is not listed. */
  fill(context: number, word: number): number {
    const gram = this.add(context, word, 0, 0);
    this.filled.add(gram);
    return gram;
  }

  #grow(): void {
    const { count } = this;
    const length = Math.max(count + 1024, Math.min(2 * count, this.#promised + 1));
    this.context = grown(this.context, length);
    this.word = grown(this.word, length);
    this.length = grown(this.length, length);
    this.log = grown(this.log, length);
    this.backoff = grown(this.backoff, length);
    if (3 * slotsFor(length) === this.#slots.length) return;
    this.#slots = new Uint32Array(3 * slotsFor(length));
    for (let gram = 1; gram < count; gram++)
      if (this.context[gram] !== 0) this.#place(this.context[gram]!, this.word[gram]!, gram);
  }

  /** @returns whether it was not there */
  #place(context: number, word: number, gram: number): boolean {
    const slot = this.#slotOf(context, word);
    if (this.#slots[slot]! > 0) return false;
    this.#slots[slot] = context;
    this.#slots[slot + 1] = word;
    this.#slots[slot + 2] = gram;
    return true;
  }

  /** Where the n-gram is, or would be. */
  #slotOf(context: number, word: number): number {
    let hash = Math.imul(context, 0x9e3779b1) ^ Math.imul(word, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const slots = this.#slots;
    const mask = slots.length / 3 - 1;
    let slot = 3 * ((hash ^ (hash >>> 13)) & mask);
    while (slots[slot]! > 0 && (slots[slot] !== context || slots[slot + 1] !== word))
      slot = slot + 3 === slots.length ? 0 : slot + 3;
    return slot;
  }
}

type Pause = () => Promise<void>;
type Marks = Pick<NGramTables, 'unknown' | 'begin' | 'end'>;

/** The automaton of all n-grams, which are no more needed then. */
export async function tablesOf(
  grams: Grams,
  words: WordIndex,
  order: number,
  marks: Marks,
  pause: Pause,
): Promise<NGramTables> {
  const byLength = await sorted(grams.count, pause, order + 1, (gram) => grams.length[gram]!);
  const { stateOf, gramOf, stateStart } = await statesOf(grams, order, byLength, pause);
  const { next, failTo } = await linksOf(grams, byLength, stateOf, gramOf, pause);
  const arcs = await arcsOf(grams, [words.count, gramOf.length], stateOf, next, pause);
  return {
    order,
    ...marks,
    wordBytes: words.bytes.slice(0, words.ends[words.count - 1]),
    wordEnds: words.ends.slice(0, words.count),
    ...arcs,
    failTo,
    failLog: Float32Array.from(gramOf, (gram) => grams.backoff[gram]!),
    start: next[marks.begin + 1]!,
    stateStart,
  };
}

/** Numbers from 0 to `count` by a small key each, those of equal keys as `before` has them. */
async function sorted(
  count: number,
  pause: Pause,
  keys: number,
  keyOf: (item: number) => number,
  before?: Uint32Array,
): Promise<Uint32Array> {
  const places = new Uint32Array(keys + 1);
  await inRanges(count, pause, (from, to) => {
    for (let item = from; item < to; item++) places[keyOf(item) + 1]!++;
  });
  for (let key = 0; key < keys; key++) places[key + 1]! += places[key]!;
  const order = new Uint32Array(count);
  await inRanges(count, pause, (from, to) => {
    for (let i = from; i < to; i++) {
      const item = before ? before[i]! : i;
      order[places[keyOf(item)]!++] = item;
    }
  });
  return order;
}

/** The n-grams that are states: those with longer ones, or a back-off. Of each n-gram one more than its state, or 0. */
async function statesOf(grams: Grams, order: number, byLength: Uint32Array, pause: Pause) {
  const { count, context, length, backoff } = grams;
  const stateOf = new Uint32Array(count);
  stateOf[0] = 1;
  await inRanges(count, pause, (from, to) => {
    for (let gram = Math.max(1, from); gram < to; gram++) {
      stateOf[context[gram]!] = 1;
      if (backoff[gram] !== 0 && length[gram]! < order) stateOf[gram] = 1;
    }
  });
  const stateStart = new Uint32Array(order);
  let states = 0;
  await inRanges(count, pause, (from, to) => {
    for (let i = from; i < to; i++) {
      const gram = byLength[i]!;
      if (stateOf[gram] === 0) continue;
      stateOf[gram] = ++states;
      // those of more words come later
      stateStart.fill(states, length[gram]! + 1);
    }
  });
  const gramOf = new Uint32Array(states);
  await inRanges(count, pause, (from, to) => {
    for (let gram = from; gram < to; gram++) if (stateOf[gram]! > 0) gramOf[stateOf[gram]! - 1] = gram;
  });
  return { stateOf, gramOf, stateStart };
}

/**
 * Of each n-gram the state after it, of each state where it fails to, and of n-grams that were filled in their probability. Shorter ones
 * first: the longest proper suffix that is a state ends with the same word behind a state that the context fails to.
 */
async function linksOf(
  grams: Grams,
  byLength: Uint32Array,
  stateOf: Uint32Array,
  gramOf: Uint32Array,
  pause: Pause,
) {
  const { count, context, word, log, backoff, filled } = grams;
  const next = new Uint32Array(count);
  const failTo = new Uint32Array(gramOf.length);
  const link = (gram: number) => {
    let suffix = 0;
    if (context[gram] !== 0) {
      const isFilled = filled.has(gram);
      let log10 = 0;
      let state = stateOf[context[gram]!]! - 1;
      let shorter = 0;
      while (shorter === 0) {
        if (isFilled) log10 += backoff[gramOf[state]!]!;
        state = failTo[state]!;
        shorter = grams.find(gramOf[state]!, word[gram]!);
      }
      suffix = next[shorter]!;
      if (isFilled) log[gram] = log10 + log[shorter]!;
    }
    const state = stateOf[gram]! - 1;
    if (state >= 0) failTo[state] = suffix;
    next[gram] = state >= 0 ? state : suffix;
  };
  await inRanges(count, pause, (from, to) => {
    for (let i = Math.max(1, from); i < to; i++) link(byLength[i]!);
  });
  return { next, failTo };
}

/** All n-grams by their contexts' states, those of a state by their words. */
async function arcsOf(
  grams: Grams,
  [words, states]: readonly [words: number, states: number],
  stateOf: Uint32Array,
  next: Uint32Array,
  pause: Pause,
) {
  const { count, context, word, log, filled } = grams;
  const ofArc = (arc: number) => arc + 1; // the empty n-gram is nobody's arc
  const byWord = await sorted(count - 1, pause, words, (arc) => word[ofArc(arc)]!);
  const stateBefore = new Uint32Array(count);
  await inRanges(count, pause, (from, to) => {
    for (let gram = from; gram < to; gram++) stateBefore[gram] = stateOf[context[gram]!]! - 1;
  });
  const byState = await sorted(count - 1, pause, states, (arc) => stateBefore[ofArc(arc)]!, byWord);
  const arcs = {
    arcStart: new Uint32Array(states + 1),
    arcWord: new Uint32Array(count - 1),
    arcNext: new Uint32Array(count - 1),
    arcLog: new Float32Array(count - 1),
  };
  const unlisted: number[] = [];
  await inRanges(count - 1, pause, (from, to) => {
    for (let arc = from; arc < to; arc++) {
      const gram = ofArc(byState[arc]!);
      arcs.arcStart[stateBefore[gram]! + 1] = arc + 1;
      arcs.arcWord[arc] = word[gram]!;
      arcs.arcNext[arc] = next[gram]!;
      arcs.arcLog[arc] = log[gram]!;
      if (filled.has(gram)) unlisted.push(arc);
    }
  });
  // a state without arcs begins where the one before it ends
  for (let state = 1; state <= states; state++)
    arcs.arcStart[state] = Math.max(arcs.arcStart[state]!, arcs.arcStart[state - 1]!);
  return { ...arcs, filled: Uint32Array.from(unlisted) };
}
