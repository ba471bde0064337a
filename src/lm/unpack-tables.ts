import { arrays, floatScalars, headerWords, hotArrays, type KnowledgeTables, scalars } from './tables.js';

const floats = new Set<string>([
  'classPrice',
  'ahead',
  'exitPrice',
  'lmLog',
  'lmFailLog',
  'gain',
  'worth',
  'end',
  'most',
]);

/** The tables in packed ones: views, no copies. */
export function unpackTables(words: Uint32Array): KnowledgeTables {
  const names = [...arrays, ...hotArrays];
  const numbers = new Float32Array(
    words.buffer as ArrayBuffer,
    words.byteOffset + 4 * scalars.length,
    floatScalars.length,
  );
  const views = names.map((name, i) => {
    const from = words[headerWords + i]!;
    const end = i + 1 < names.length ? words[headerWords + i + 1]! : words.length;
    const Kind = floats.has(name) ? Float32Array : Uint32Array;
    return [name, new Kind(words.buffer as ArrayBuffer, words.byteOffset + 4 * from, end - from)] as const;
  });
  return {
    ...Object.fromEntries(scalars.map((name, i) => [name, words[i]!])),
    ...Object.fromEntries(floatScalars.map((name, i) => [name, numbers[i]!])),
    ...Object.fromEntries(views.slice(0, arrays.length)),
    hot: Object.fromEntries(views.slice(arrays.length)),
  } as unknown as KnowledgeTables;
}
