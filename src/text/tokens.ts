import { byteLetter } from './letters.js';
import type { Marks, Token } from './spelling.js';

/** How tokens say where words begin and end. */
export type Convention = 'letters' | '▁' | '##' | 'Ġ' | '</w>';

/** Letters that no text has, since they are of several characters. */
const begin = '<begin>';
const end = '<end>';

/** A token that is no text: `<s>`, `[UNK]`. */
export const isSpecial = (token: string): boolean => /^(<.+>|\[.+\])$/su.test(token);

/** `<0xE7>`: a byte of what has no token; of GPT-2's tokens one that is a part of a letter. */
export function byteOf(token: string, convention: Convention): number | undefined {
  const found = /^<0x([0-9A-F]{2})>$/i.exec(token);
  if (found) return Number.parseInt(found[1]!, 16);
  const byte = convention === 'Ġ' ? byteCharacters.get(token) : undefined;
  return byte !== undefined && byte > 0x7f ? byte : undefined;
}

/** By which convention tokens are written. */
export function conventionOf(tokens: Iterable<string>): Convention {
  const seen = { '▁': 0, '##': 0, Ġ: 0, '</w>': 0 };
  for (const token of tokens) {
    if (token.startsWith('▁')) seen['▁']++;
    if (/^##./su.test(token)) seen['##']++;
    if (/^Ġ./su.test(token)) seen.Ġ++;
    if (/.<\/w>$/su.test(token)) seen['</w>']++;
  }
  const [most] = (Object.entries(seen) as [Convention, number][]).sort((a, b) => b[1] - a[1]);
  return most![1] > 0 ? most![0] : 'letters';
}

/** What words have at their beginning and end in the tokens of a convention. */
export const marksOf: Readonly<Record<Convention, Marks>> = {
  letters: {},
  '▁': { begin },
  '##': { begin },
  Ġ: { begin },
  '</w>': { end },
};

/** A token as text, and where in a word it stands. */
export interface Written {
  readonly text: string;
  /** A word begins with it. */
  readonly begins: boolean;
  /** A word ends with it. */
  readonly ends: boolean;
}

/** What a token of a convention says. */
export function written(token: string, convention: Convention): Written {
  switch (convention) {
    case '▁': {
      const begins = token.startsWith('▁');
      return {
        text: token.replaceAll('▁', ' ').replace(/^ +/, ''),
        begins,
        ends: token.length > 1 && token.endsWith('▁'),
      };
    }
    case '##': {
      const continues = /^##./su.test(token);
      return { text: continues ? token.slice(2) : token, begins: !continues, ends: false };
    }
    case 'Ġ': {
      const text = textOfBytes(token);
      return { text: text.trim(), begins: text.startsWith(' '), ends: text.length > 1 && text.endsWith(' ') };
    }
    case '</w>': {
      const ends = token.endsWith('</w>');
      return { text: ends ? token.slice(0, -4) : token, begins: false, ends };
    }
    default:
      return { text: token, begins: false, ends: false };
  }
}

/** The bytes that GPT-2's tokenizer writes as other characters: those without a shape of their own come after the 255th. */
const byteCharacters: ReadonlyMap<string, number> = (() => {
  const map = new Map<string, number>();
  let hidden = 256;
  for (let byte = 0; byte < 256; byte++) {
    const isShown = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    map.set(String.fromCodePoint(isShown ? byte : hidden++), byte);
  }
  return map;
})();

/** A token of bytes as text; as it stands where it is no whole text. */
function textOfBytes(token: string): string {
  const bytes = Array.from(token, (character) => byteCharacters.get(character) ?? -1);
  if (bytes.includes(-1)) return token;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes));
  } catch {
    return token;
  }
}

/** A token in all the letters that it may stand for: as it is listed, composed and decomposed. */
export function* lettersOf(token: string, label: number, convention: Convention): Generator<Token> {
  const byte = byteOf(token, convention);
  if (byte !== undefined) {
    yield { label, letters: [byteLetter(byte)], cost: 0 };
    return;
  }
  const { text, begins, ends } = written(token, convention);
  const forms = [text, text.normalize('NFC'), text.normalize('NFD')];
  if (/^[\p{L}\p{M}]+$/u.test(text)) forms.push(text.normalize('NFKD'));
  for (const [i, form] of forms.entries())
    if (forms.indexOf(form) === i)
      yield {
        label,
        letters: [...(begins ? [begin] : []), ...form, ...(ends ? [end] : [])],
        cost: i === 0 ? 0 : i < 3 ? 1 : 5,
      };
}
