import { columnsOf, segmented } from './script.js';

/** Text and when it was spoken, in seconds. */
interface Timed {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * A word of a script without spaces in the words that it is made of, each with its time: that of its characters, where they are known and
 * spell the word, else by length. What is wider than `widest` columns is cut, whatever script it is of.
 */
export function unitsOf<W extends Timed>(
  word: W,
  characters: readonly Timed[],
  { language, widest = Infinity }: { readonly language?: string | undefined; readonly widest?: number },
): (W & { readonly joined?: boolean })[] {
  const texts = segmented(word.text, language).flatMap((text) => cut(text, widest));
  if (texts.length === 1) return [word];
  const times = timesOf(word, characters);
  let at = 0;
  return texts.map((text, i) => {
    const [start, end] = [times(at), times(at + text.length)];
    at += text.length;
    return { ...word, text, start, end, ...(i > 0 && { joined: true }) };
  });
}

/** When the letter at a place of a word begins; asked of places in ascending order. */
function timesOf(word: Timed, characters: readonly Timed[]): (place: number) => number {
  const known: [place: number, time: number][] = [];
  let at = 0;
  for (const { text, start } of characters) {
    const found = word.text.indexOf(text, at);
    // characters of something else: by length alone
    if (text === '' || found < 0) {
      known.length = 0;
      break;
    }
    if (start >= word.start && start <= word.end) known.push([found, start]);
    at = found + text.length;
  }
  const ends = [[0, word.start] as const, ...known, [word.text.length, word.end] as const];
  let next = 1;
  return (place) => {
    while (next < ends.length - 1 && ends[next]![0] <= place) next++;
    const [[from, before], [to, after]] = [ends[next - 1]!, ends[next]!];
    return to === from ? before : before + ((after - before) * (place - from)) / (to - from);
  };
}

/** Pieces of at most so many columns, between what is seen as one character. */
function cut(text: string, widest: number): string[] {
  if (columnsOf(text) <= widest) return [text];
  const pieces = [''];
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    if (pieces.at(-1) !== '' && columnsOf(pieces.at(-1) + segment) > widest) pieces.push('');
    pieces[pieces.length - 1] += segment;
  }
  return pieces;
}
