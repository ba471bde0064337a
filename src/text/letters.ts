/** One way to write a part of a text. */
export interface Form {
  readonly letters: readonly string[];
  /** How far it is from what was written: 0 is that itself. */
  readonly cost: number;
  /** How many letters of what was written each of its letters is: half an æ is an a. Default 1. */
  readonly share?: number;
}

/** What a letter costs that is another than the one in the text. */
const costs = { canonical: 1, letterCase: 2, typography: 4, compatible: 5, accent: 6, bytes: 8 } as const;

/** Letters that Unicode does not decompose, and the marks of typography, by what people type for them. */
const plain = new Map(
  Object.entries({ '’': "'", '‘': "'", ʼ: "'", ʻ: "'", '`': "'", '´': "'", '‐': '-', '‑': '-', '–': '-' }),
);
for (const pair of ['æae', 'œoe', 'øo', 'łl', 'đd', 'ðd', 'þth', 'ßss', 'ıi'])
  plain.set(pair[0], pair.slice(1));

/** Marks that are written over letters of some scripts and left out by others: accents, vowels of Arabic and Hebrew, selectors of a variant. */
const accent = /^(?=\p{M})[\p{Script=Inherited}\p{Script=Arabic}\p{Script=Hebrew}\p{Me}]$/u;

/** What is pronounced: letters, vowel signs, digits, and signs that are read as words. */
const pronounced = /^(?:[\p{L}\p{M}\p{N}\p{Sc}]|[&%@+=°§#×÷±])$/u;

/** What looks like a letter or a sign to Unicode, and is not read: pictures, modifiers, the line that stretches Arabic words. */
const silent = /^[\p{Extended_Pictographic}\u02b0-\u02ff\u0640]$/u;

/** Whether somebody who reads a text aloud says this letter of it. */
export const isSaid = (letter: string): boolean =>
  pronounced.test(letter) && !silent.test(letter) && !accent.test(letter);

/** Whether it is a mark that may be left out of a spelling. */
export const isAccent = (letter: string): boolean => accent.test(letter);

/** A letter with its marks. */
export interface Cluster {
  readonly text: string;
  /** A quotation mark that looks like an apostrophe: nobody speaks it, and its label would move the start of the word. */
  readonly isQuote: boolean;
  /** Whether no letter of its word comes after it. */
  readonly isLast: boolean;
}

const quotes = /['’‘]/u;
const wordLetter = /[\p{L}\p{M}\p{N}]/u;

/** The letters of a word with their marks, in order. */
export function clustersOf(word: string): Cluster[] {
  const texts = word.match(/\P{M}\p{M}*|\p{M}+/gsu) ?? [];
  const isOfWord = texts.map((text) => wordLetter.test(text));
  const last = isOfWord.lastIndexOf(true);
  return texts.map((text, i) => ({
    text,
    isQuote: quotes.test(text) && !(isOfWord[i - 1] && isOfWord[i + 1]),
    isLast: i >= last,
  }));
}

/**
 * All ways to write a letter with its marks, the nearest first.
 *
 * @param knows whether any token of the vocabulary has a letter: what no token has is not worth a form of its own
 */
export function formsOf(
  { text, isLast }: Cluster,
  knows: (letter: string) => boolean,
  isTurkish: boolean,
): Form[] {
  const found = new Map<string, Form>();
  const said = Math.max(1, [...text].filter(isSaid).length);
  const add = (form: string, cost: number) => {
    if (found.has(form)) return;
    const letters = [...form];
    found.set(form, { letters, cost, share: said / Math.max(1, letters.filter(isSaid).length) });
  };
  /** In each case, composed and decomposed. */
  const addAll = (form: string, cost: number) => {
    const cases = [form, ...casesOf(form, isLast, isTurkish)];
    for (const [i, cased] of cases.entries()) {
      const own = cost + (i === 0 ? 0 : costs.letterCase) + 0.125 * Math.max(0, i - 1);
      add(cased, own);
      for (const normal of ['NFC', 'NFD'] as const) add(cased.normalize(normal), own + costs.canonical);
    }
  };
  addAll(text, 0);
  const [base] = text;
  const typed = plain.get(base.toLowerCase());
  if (typed !== undefined) addAll(typed + text.slice(base.length), costs.typography);
  if (!silent.test(base) && /^[\p{L}\p{N}]/u.test(base)) addAll(text.normalize('NFKD'), costs.compatible);
  const forms = [...found.values()].sort((a, b) => a.cost - b.cost);
  const bytes = bytesOf(text);
  return bytes.every(knows) ? [...forms, { letters: bytes, cost: costs.bytes }] : forms;
}

/** The other cases of a letter, as its language has them: a sigma that ends a word, and the dotless i of Turkish where it is known. */
function casesOf(form: string, isLast: boolean, isTurkish: boolean): string[] {
  const sigma = isLast ? ['ς', 'σ'] : ['σ', 'ς'];
  if (form === 'Σ') return sigma;
  if (form === 'σ' || form === 'ς') return ['Σ', ...sigma.filter((other) => other !== form)];
  const turkish = isTurkish ? { I: 'ı', İ: 'i', i: 'İ', ı: 'I' }[form] : undefined;
  const others = [form.toLowerCase(), form.toUpperCase()].filter((other) => other !== form);
  return turkish === undefined ? others : [turkish, ...others.filter((other) => other !== turkish)];
}

/** A text as the tokens of bytes have it, a letter for each. */
function bytesOf(text: string): string[] {
  return Array.from(new TextEncoder().encode(text), byteLetter);
}

/** What stands for a byte among letters: no text has a letter of several characters. */
export const byteLetter = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
