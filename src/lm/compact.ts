import type { NGramTables } from './n-gram-tables.js';

/** What a compact file begins with; the last letter is the version. */
export const magic = new TextEncoder().encode('ctc-lm 1');

/** Behind the magic and the checksum of all that follows, in 32 bits each. */
export const numbers = ['order', 'unknown', 'begin', 'end', 'start'] as const;
const lengths = ['words', 'letters', 'states', 'arcs', 'filled'] as const;
export const headerBytes = magic.length + 4 * (1 + numbers.length + lengths.length);

/** Tables of 32 bits an element, in their order, then the letters. */
export const partsOf = (order: number, [words, , states, arcs, filled]: readonly number[]) =>
  [
    ['counts', order],
    ['stateStart', order],
    ['wordEnds', words!],
    ['arcStart', states! + 1],
    ['arcWord', arcs!],
    ['arcNext', arcs!],
    ['arcLog', arcs!],
    ['failTo', states!],
    ['failLog', states!],
    ['filled', filled!],
  ] as const;

export function writeCompact(tables: NGramTables, counts: readonly number[]): Uint8Array<ArrayBuffer> {
  const { order, wordEnds, wordBytes, failTo, arcWord, filled } = tables;
  const sizes = [wordEnds.length, wordBytes.length, failTo.length, arcWord.length, filled.length];
  const header = Uint32Array.of(0, ...numbers.map((name) => tables[name]), ...sizes);
  const all = { ...tables, counts: Uint32Array.from(counts) };
  const arrays = [magic, header, ...partsOf(order, sizes).map(([name]) => all[name]), wordBytes];
  const bytes = arrays.map(
    ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength),
  );
  const file = joined([...bytes, new Uint8Array(-wordBytes.length & 3)]);
  const words = new Uint32Array(file.buffer);
  words[2] = checksum(words, 3, words.length, 0);
  return file;
}

/** Of 32-bit words: a changed one always changes it. */
export function checksum(words: Uint32Array, from: number, to: number, before: number): number {
  let sum = before;
  for (let i = from; i < to; i++) {
    sum = Math.imul(sum ^ words[i]!, 0x9e3779b1);
    sum ^= sum >>> 15;
  }
  return sum >>> 0;
}

/** The bytes of some arrays, one after another. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((bytes, { length }) => bytes + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
