import { wrongValue } from '../problem/errors.js';
import { type Chunks, joined } from './chunks.js';
import type { NGramTables } from './n-gram-tables.js';
import { inRanges, pauses } from './pauses.js';

/** What a compact file begins with; the last letter is the version. */
const magic = new TextEncoder().encode('ctc-lm 1');

/** Whether a file is one, of whatever version. */
export const isCompact = (head: Uint8Array) => magic.subarray(0, -1).every((byte, i) => head[i] === byte);
export const magicBytes = magic.length;

/** Behind the magic and the checksum of all that follows, in 32 bits each. */
const numbers = ['order', 'unknown', 'begin', 'end', 'start'] as const;
const lengths = ['words', 'letters', 'states', 'arcs', 'filled'] as const;
const headerBytes = magic.length + 4 * (1 + numbers.length + lengths.length);

/** Tables of 32 bits an element, in their order, then the letters. */
const partsOf = (order: number, [words, , states, arcs, filled]: readonly number[]) =>
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

export interface Compact {
  readonly tables: NGramTables;
  readonly counts: readonly number[];
}

/** @throws RangeError where the file is cut off, damaged, or not what it says */
export async function readCompact(chunks: Chunks): Promise<Compact> {
  const pieces: Uint8Array[] = [];
  const pause = pauses();
  for await (const piece of chunks) {
    pieces.push(piece);
    await pause();
  }
  const file = joined(pieces);
  const bytes = file.length;
  const wrong = (expected: string, got: unknown) => wrongValue('source: compact model', expected, got);
  if (file[magic.length - 1] !== magic.at(-1))
    throw wrong('version 1', String.fromCharCode(file[magic.length - 1]!));
  if (bytes < headerBytes || bytes % 4 !== 0)
    throw wrong(`whole words of 32 bits, at least ${headerBytes} bytes`, bytes);
  const words = new Uint32Array(file.buffer);
  const header = [...words.subarray(3, headerBytes / 4)];
  const [order, unknown, begin, end, start] = header as [number, number, number, number, number];
  const sizes = header.slice(numbers.length);
  const parts = partsOf(order, sizes);
  const letters = sizes[1]!;
  const whole = headerBytes + 4 * parts.reduce((sum, [, length]) => sum + length, 0) + letters;
  if (whole + (-letters & 3) !== bytes) throw wrong(`${whole + (-letters & 3)} bytes`, bytes);
  let sum = 0;
  await inRanges(words.length - 3, pause, (from, to) => {
    sum = checksum(words, from + 3, to + 3, sum);
  });
  if (sum !== words[2]) throw wrong(`the checksum ${words[2]}`, sum);
  let at = headerBytes;
  const arrays = parts.map(([name, length]) => {
    const type = name.endsWith('Log') ? Float32Array : Uint32Array;
    at += 4 * length;
    return [name, new type(file.buffer, at - 4 * length, length)] as const;
  });
  const { counts, ...some } = Object.fromEntries(arrays) as unknown as NGramTables & { counts: Uint32Array };
  const tables = { ...some, order, unknown, begin, end, start, wordBytes: file.subarray(at, at + letters) };
  if (!(await isSound(tables, pause))) throw wrong('tables that fit each other', 'others');
  return { tables, counts: [...counts] };
}

/** Of 32-bit words: a changed one always changes it. */
function checksum(words: Uint32Array, from: number, to: number, before: number): number {
  let sum = before;
  for (let i = from; i < to; i++) {
    sum = Math.imul(sum ^ words[i]!, 0x9e3779b1);
    sum ^= sum >>> 15;
  }
  return sum >>> 0;
}

/** Whether no walk through the tables leaves them, or goes round in a circle: somebody may have made the checksum fit. */
async function isSound(tables: NGramTables, pause: () => Promise<void>): Promise<boolean> {
  const { order, wordBytes, wordEnds, arcStart, arcWord, arcNext, failTo, filled, stateStart } = tables;
  const [words, states, arcs] = [wordEnds.length, failTo.length, arcWord.length];
  let sound =
    order > 0 &&
    Math.max(tables.unknown, tables.begin, tables.end) < words &&
    tables.start < states &&
    arcStart[0] === 0 &&
    arcStart[1] === words &&
    arcStart[states] === arcs &&
    wordEnds.at(-1) === wordBytes.length &&
    stateStart[0] === 0 &&
    filled.every((arc) => arc < arcs);
  await inRanges(Math.max(words, states, arcs), pause, (from, to) => {
    for (let i = from; i < Math.min(to, words); i++)
      sound &&= arcWord[i] === i && (i === 0 || wordEnds[i]! >= wordEnds[i - 1]!);
    for (let i = from; i < Math.min(to, states); i++)
      sound &&= arcStart[i + 1]! >= arcStart[i]! && (i === 0 ? failTo[0] === 0 : failTo[i]! < i);
    for (let i = from; i < Math.min(to, arcs); i++) sound &&= arcWord[i]! < words && arcNext[i]! < states;
  });
  return sound;
}
