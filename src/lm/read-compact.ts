import { wrongValue } from '../problem/errors.js';
import type { Chunks } from './chunks.js';
import { checksum, headerBytes, joined, magic, numbers, partsOf } from './compact.js';
import type { NGramTables } from './n-gram-tables.js';
import { inRanges, pauses } from './pauses.js';

/** Whether a file is one, of whatever version. */
export const isCompact = (head: Uint8Array) => magic.subarray(0, -1).every((byte, i) => head[i] === byte);

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
