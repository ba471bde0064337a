/** Symbol of the space between words in the automata of `webgpu-ctc/lm`, and of a letter that no hotword has. */
export const SPACE = 0;
export const OTHER = 1;

/**
 * Hotwords as an automaton over letters, which finds the longest phrase at each place, left to right, in whole words. State 0 is where a word
 * begins, state 1 in a word of no phrase; the others are beginnings of phrases. Where no arc fits, a state fails to another one, and gains what
 * it has found until then.
 */
export interface HotwordAutomaton {
  /** Arcs of a state: from `start[s]` to `start[s + 1]`, by symbol. */
  readonly start: Uint32Array;
  readonly symbol: Uint32Array;
  readonly next: Uint32Array;
  readonly fail: Uint32Array;
  readonly gain: Float32Array;
  /** What a state is worth while its phrase is unfinished: a share of the weight, which a failure takes back. */
  readonly worth: Float32Array;
  /** What it is worth when the text ends there. */
  readonly end: Float32Array;
  /** The most by which one more symbol can raise the worth. */
  readonly most: Float32Array;
}

/** How hypotheses are told apart, and words are known. */
export const Flag = {
  /** By their labels, not by what these read as. */
  labels: 1,
  /** Words are sequences of classes of their own, rather than whatever reads as they do. */
  spelled: 2,
  /** The model's words are tokens. */
  tokens: 4,
  /** Words that are not listed are impossible. */
  closed: 8,
  lm: 16,
  hotwords: 32,
  /** Words need no delimiter between them. */
  adjacent: 64,
} as const;

/** All that is known of texts, as flat arrays, the same for the CPU and the GPU. Logarithms are natural and have their weights. */
export interface KnowledgeTables {
  readonly flags: number;
  /** What a class reads as, in symbols: from `symbolStart[c]` to `symbolStart[c + 1]`. 0 is a space. */
  readonly symbolStart: Uint32Array;
  readonly symbols: Uint32Array;
  /** Of a model of tokens: the word that a class is, and what it costs besides. */
  readonly classWord: Uint32Array;
  readonly classPrice: Float32Array;
  /** The trie of words: node 0 is where a word begins. Behind its nodes one more stands for what is in no word. */
  readonly nodeStart: Uint32Array;
  readonly nodeSymbol: Uint32Array;
  readonly nodeNext: Uint32Array;
  /** The most that a word below a node weighs, by the model without context; 0 where a word begins. */
  readonly ahead: Float32Array;
  /** Words that end in a node: from `exitStart[node]` to `exitStart[node + 1]`. */
  readonly exitStart: Uint32Array;
  /** Its word of the model, what it weighs besides, and its number among the words: `noWord` where it is not listed. */
  readonly exitWord: Uint32Array;
  readonly exitPrice: Float32Array;
  readonly exitName: Uint32Array;
  /** Where words are spelled: their letters, by number. */
  readonly letterStart: Uint32Array;
  readonly letters: Uint32Array;
  /** The model, as in `NGramTables`. */
  readonly lmStart: Uint32Array;
  readonly lmWord: Uint32Array;
  readonly lmNext: Uint32Array;
  readonly lmLog: Float32Array;
  readonly lmFail: Uint32Array;
  readonly lmFailLog: Float32Array;
  readonly lmBegin: number;
  readonly lmEnd: number;
  readonly hot: HotwordAutomaton;
  readonly delimiter: number;
  /** How each class changes what is known, one of `Kind`. */
  readonly kinds: Uint32Array;
  /** The most that the first letter of a word adds, the end of a word, what is heard of hotwords, and a token of the model. */
  readonly mostFirst: number;
  readonly mostLeaving: number;
  readonly mostHeard: number;
  readonly mostToken: number;
  /** The most words that end in one node. */
  readonly mostExits: number;
}

/** How a class changes what is known, which says by how much it can: a letter, several, a space and maybe letters, anything. */
export const Kind = { letter: 0, inside: 1, space: 2, other: 3 } as const;

/** The name of a word that is not listed. */
export const noWord = 0xffffffff;
/** No class. */
export const noClass = 0xffffffff;
