/**
 * An n-gram model as an automaton in flat arrays. A state is a context that has longer n-grams or a back-off; state 0 is the empty one, and
 * states lie by the number of their words. All logarithms are to base 10.
 */
export interface NGramTables {
  readonly order: number;
  /** UTF-8 of word w is `wordBytes` from `wordEnds[w - 1] ?? 0` to `wordEnds[w]`. */
  readonly wordBytes: Uint8Array;
  readonly wordEnds: Uint32Array;
  /** The words `<unk>`, `<s>` and `</s>`. */
  readonly unknown: number;
  readonly begin: number;
  readonly end: number;
  /** Arcs of state s are `arcStart[s]` to `arcStart[s + 1]`, by their words. State 0 has one for each word: arc w is that of word w. */
  readonly arcStart: Uint32Array;
  readonly arcWord: Uint32Array;
  /** The state after an arc: the longest suffix of its context and word that is a state. */
  readonly arcNext: Uint32Array;
  readonly arcLog: Float32Array;
  /** Where a state has no arc for a word: the longest proper suffix that is a state, always one before it, and the back-off. */
  readonly failTo: Uint32Array;
  readonly failLog: Float32Array;
  /** The state after `<s>`. */
  readonly start: number;
  /** The first state of k words, for k from 0 to `order` − 1. */
  readonly stateStart: Uint32Array;
  /** Arcs that no n-gram stands for, ascending: a longer n-gram goes on where they lead. They have what backing off gives. */
  readonly filled: Uint32Array;
}

/** The arc of a state for a word, −1 if it has none. */
export function findArc({ arcStart, arcWord }: NGramTables, state: number, word: number): number {
  return state === 0 ? word : placeIn(arcWord, word, arcStart[state]!, arcStart[state + 1]!);
}

/** Where a value is in a part of an array that ascends, −1 if it is not there. */
export function placeIn(values: Uint32Array, value: number, from = 0, to = values.length): number {
  let [least, beyond] = [from, to];
  while (least < beyond) {
    const middle = (least + beyond) >>> 1;
    if (values[middle]! < value) least = middle + 1;
    else beyond = middle;
  }
  return least < to && values[least] === value ? least : -1;
}
