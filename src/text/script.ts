/** Scripts that are written without spaces between words. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** Of two columns: East Asian characters, and pictures. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Yi}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6\p{Emoji_Presentation}]/u;

/** Of none: marks on other characters, and what only says how to write them. */
const narrow = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

/** Columns that a text takes where every character has one or two, as in subtitles and terminals. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += narrow.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return columns;
}

/** A language as `Intl` takes it; none for what is no tag of one, such as the name that a model has for it (`cmn-script_simplified`). */
function localeOf(language: string | undefined): string | undefined {
  if (language === undefined) return undefined;
  try {
    return Intl.getCanonicalLocales(language.replaceAll('_', '-'))[0];
  } catch {
    return undefined;
  }
}

/** Intl.Segmenter knows the words of every script; one for each language. */
const segmenters = new Map<string, Intl.Segmenter>();

/**
 * The words of a text without spaces, punctuation with the word that it follows or, where it opens something, with the one that it is
 * before. A text of other scripts is one word.
 *
 * @param language as `Intl` names it, `'ja'`; by default, and for what it does not know, that of the locale
 */
export function segmented(text: string, language?: string): string[] {
  if (!unspaced.test(text)) return [text];
  const segmenter =
    segmenters.get(language ?? '') ?? new Intl.Segmenter(localeOf(language), { granularity: 'word' });
  segmenters.set(language ?? '', segmenter);
  const words: string[] = [];
  let opening = '';
  for (const { segment, isWordLike } of segmenter.segment(text)) {
    if (isWordLike || words.length === 0) {
      if (isWordLike) {
        words.push(opening + segment);
        opening = '';
      } else opening += segment;
    } else if (/^[\p{Ps}\p{Pi}]$/u.test(segment)) opening += segment;
    else if (opening !== '') opening += segment;
    else words[words.length - 1] += segment;
  }
  if (opening !== '') words.push((words.pop() ?? '') + opening);
  return words;
}

/** A full stop of any script, and what may close after it. */
const ending = /[\p{Sentence_Terminal}…][\p{Pe}\p{Pf}"'’”»]*$/u;

/** Short forms whose full stop ends no sentence. */
const abbreviations = new Set(
  'mr mrs ms dr prof st sr jr vs gen col capt lt sgt rev hon gov sen rep mt approx dept fig vol hr fr bzw ca nr mme mlle sra dra'.split(
    ' ',
  ),
);

/** Whether a word is the last of its sentence: not after "Dr.", an initial, or "a.m.". */
export function endsSentence(word: string): boolean {
  if (!ending.test(word)) return false;
  const found = /^[\p{Ps}\p{Pi}"'‘“«]*([\p{L}.]+)\.[\p{Pe}\p{Pf}"'’”»]*$/u.exec(word);
  if (!found) return true;
  const [, core = ''] = found;
  return !(
    abbreviations.has(core.toLowerCase()) ||
    /^\p{Lu}$/u.test(core) ||
    /^(?:\p{L}\.)+\p{L}$/u.test(core)
  );
}

/** What is written one after another, with a space between or none. */
export interface Part {
  readonly text: string;
  /** Whether no space stands before it. */
  readonly joined?: boolean | undefined;
}

/** Parts as one text. */
export const joinedText = (parts: readonly Part[]): string =>
  parts.reduce((text, part, i) => text + (i === 0 || part.joined ? '' : ' ') + part.text, '');
