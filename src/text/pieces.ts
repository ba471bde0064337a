/** A token that begins at a letter of a text. */
export interface Piece {
  readonly label: number;
  /** How many letters it spells. */
  readonly length: number;
}

/** As many as Unicode has code points, and one for a letter that no token has. */
const mostLetters = 0x110001;
const none = mostLetters - 1;

/**
 * The tokens that spell text, as a tree that is walked once from the end of a text to its beginning: a step for each letter,
 * however long the tokens are (Aho and Corasick 1975, with the tokens read backwards, so that it tells where they begin).
 */
export class Pieces {
  /** A number for each letter that some token has. */
  readonly #letters = new Map<string, number>();
  /** From a node by a letter to the node one letter deeper, under the number `node * mostLetters + letter`. */
  readonly #edges = new Map<number, number>();
  /** For each node the node of the longest proper ending of what it spells backwards. The root, 0, is that of nothing. */
  readonly #shorter: number[] = [0];
  /** For each node the longest token that ends what it spells backwards. */
  readonly #piece: (Piece | undefined)[] = [undefined];

  constructor(classes: ReadonlyMap<string, number>) {
    const tokens = [...classes].map(([token, label]) => {
      const letters = Array.from(token, (letter) => this.#numberOf(letter)).reverse();
      return { label, letters, node: 0 };
    });
    // by depth, since what is shorter must be known first
    let reached = tokens;
    for (let depth = 0; reached.length > 0; depth++) {
      reached = reached.filter(({ letters }) => letters.length > depth);
      for (const token of reached) token.node = this.#grow(token.node, token.letters[depth]);
      for (const { label, letters, node } of reached)
        if (letters.length === depth + 1) this.#piece[node] = { label, length: letters.length };
    }
  }

  /** For each letter the longest token that begins with it, where there is one. */
  longestAt(letters: readonly string[]): (Piece | undefined)[] {
    const found = new Array<Piece | undefined>(letters.length);
    let node = 0;
    for (let at = letters.length - 1; at >= 0; at--) {
      node = this.#step(node, this.#letters.get(letters[at]) ?? none);
      found[at] = this.#piece[node];
    }
    return found;
  }

  #numberOf(letter: string): number {
    const number = this.#letters.get(letter) ?? this.#letters.size;
    this.#letters.set(letter, number);
    return number;
  }

  /** The node of the longest ending of what a node spells, with a letter more, that is in the tree. */
  #step(node: number, letter: number): number {
    for (let from = node; ; from = this.#shorter[from]) {
      const to = this.#edges.get(from * mostLetters + letter);
      if (to !== undefined || from === 0) return to ?? 0;
    }
  }

  #grow(node: number, letter: number): number {
    const known = this.#edges.get(node * mostLetters + letter);
    if (known !== undefined) return known;
    const shorter = node === 0 ? 0 : this.#step(this.#shorter[node], letter);
    const grown = this.#shorter.length;
    this.#edges.set(node * mostLetters + letter, grown);
    this.#shorter.push(shorter);
    this.#piece.push(this.#piece[shorter]);
    return grown;
  }
}
