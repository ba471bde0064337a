// What was heard beside the text: which labels go together.

/** A piece of both: labels that are the same in both, or differ. Half-open ranges of places. */
export interface Piece {
  readonly same: boolean;
  readonly text: { readonly first: number; readonly end: number };
  readonly heard: { readonly first: number; readonly end: number };
}

/** A word, or a label where there are no words: places in a list of labels. */
interface Unit {
  readonly key: string;
  readonly first: number;
  readonly end: number;
}

function unitsOf(labels: readonly number[], delimiter: number | undefined): Unit[] {
  if (delimiter === undefined) return labels.map((c, i) => ({ key: String(c), first: i, end: i + 1 }));
  const units: Unit[] = [];
  for (let first = 0; first < labels.length; ) {
    const stop = labels.indexOf(delimiter, first);
    const end = stop < 0 ? labels.length : stop;
    if (end > first) units.push({ key: labels.slice(first, end).join(), first, end });
    first = end + 1;
  }
  return units;
}

/** The same by whole words, which are easier to read. `delimiter`: the class between them; without it each label is a word. */
export function wordDifferenceOf(
  text: readonly number[],
  heard: readonly number[],
  delimiter: number | undefined,
): Piece[] {
  const [own, others] = [unitsOf(text, delimiter), unitsOf(heard, delimiter)];
  const ids = new Map<string, number>();
  const idOf = ({ key }: Unit) => {
    if (!ids.has(key)) ids.set(key, ids.size);
    return ids.get(key)!;
  };
  /** From units to labels; of none, where they would be. */
  const places = (units: readonly Unit[], { first, end }: Piece['text'], length: number) => {
    const start = units[first]?.first ?? length;
    return { first: start, end: end > first ? units[end - 1]!.end : start };
  };
  return differenceOf(own.map(idOf), others.map(idOf)).map((piece) => ({
    same: piece.same,
    text: places(own, piece.text, text.length),
    heard: places(others, piece.heard, heard.length),
  }));
}

/** The text with what was heard in the place of one of its pieces, or of none. */
export function repairedBy(
  text: readonly number[],
  heard: readonly number[],
  pieces: readonly Piece[],
  chosen: number,
  delimiter: number | undefined,
): number[] {
  const parts = pieces.map((piece, k) =>
    k === chosen
      ? heard.slice(piece.heard.first, piece.heard.end)
      : text.slice(piece.text.first, piece.text.end),
  );
  const between = delimiter === undefined ? [] : [delimiter];
  return parts
    .filter(({ length }) => length > 0)
    .flatMap((part, i) => (i === 0 ? part : [...between, ...part]));
}

/** The pieces, from left to right, with the fewest labels that are left out, added or exchanged (Levenshtein 1966). */
export function differenceOf(text: ArrayLike<number>, heard: ArrayLike<number>): Piece[] {
  const [n, m] = [text.length, heard.length];
  const width = m + 1;
  const costs = new Uint32Array((n + 1) * width);
  for (let i = n; i >= 0; i--) {
    for (let j = m; j >= 0; j--) {
      const at = i * width + j;
      if (i === n || j === m) costs[at] = n - i + (m - j);
      else if (text[i] === heard[j]) costs[at] = costs[at + width + 1]!;
      else costs[at] = 1 + Math.min(costs[at + width]!, costs[at + 1]!, costs[at + width + 1]!);
    }
  }
  const pieces: Piece[] = [];
  let [i, j] = [0, 0];
  const isSame = () => i < n && j < m && text[i] === heard[j];
  while (i < n || j < m) {
    const same = isSame();
    const [firstText, firstHeard] = [i, j];
    while ((i < n || j < m) && isSame() === same) {
      const at = i * width + j;
      if (same || (i < n && j < m && costs[at] === costs[at + width + 1]! + 1)) {
        i++;
        j++;
      } else if (i < n && costs[at] === costs[at + width]! + 1) i++;
      else j++;
    }
    pieces.push({
      same,
      text: { first: firstText, end: i },
      heard: { first: firstHeard, end: j },
    });
  }
  return pieces;
}
