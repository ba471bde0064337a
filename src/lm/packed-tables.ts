// Tables as one array of words, for what runs a search in parts.

import type { KnowledgeTables } from './tables.js';

/** Numbers at the beginning of packed tables, and the arrays behind them, in this order. */
const scalars = ['flags', 'lmBegin', 'lmEnd', 'delimiter', 'mostExits'] as const;
const floatScalars = ['mostFirst', 'mostLeaving', 'mostHeard', 'mostToken'] as const;
const headerWords = scalars.length + floatScalars.length;
const arrays = [
  ...[
    'kinds',
    'symbolStart',
    'symbols',
    'classWord',
    'classPrice',
    'nodeStart',
    'nodeSymbol',
    'nodeNext',
    'ahead',
  ],
  ...['exitStart', 'exitWord', 'exitPrice', 'exitName', 'letterStart', 'letters'],
  ...['lmStart', 'lmWord', 'lmNext', 'lmLog', 'lmFail', 'lmFailLog'],
] as const;
const hotArrays = ['start', 'symbol', 'next', 'fail', 'gain', 'worth', 'end', 'most'] as const;

/** One array of words: the scalars, where each array begins, the arrays. Shaders read it by `wordOf`. */
export function packTables(tables: KnowledgeTables): Uint32Array<ArrayBuffer> {
  const parts = [
    ...arrays.map((name) => tables[name as keyof KnowledgeTables] as Uint32Array | Float32Array),
    ...hotArrays.map((name) => tables.hot[name]),
  ];
  const header = headerWords + parts.length;
  const words = new Uint32Array(header + parts.reduce((sum, { length }) => sum + length, 0));
  words.set(scalars.map((name) => tables[name]));
  words.set(new Uint32Array(Float32Array.from(floatScalars, (name) => tables[name]).buffer), scalars.length);
  let at = header;
  for (const [i, part] of parts.entries()) {
    words[headerWords + i] = at;
    words.set(new Uint32Array(part.buffer, part.byteOffset, part.length), at);
    at += part.length;
  }
  return words;
}

/** `const` lines for shaders: where a scalar is, or where it is said where an array begins. */
export function tableConstants(): Record<string, number> {
  const names = [...scalars, ...floatScalars, ...arrays, ...hotArrays.map((name) => `hot_${name}`)];
  return Object.fromEntries(names.map((name, i) => [name.replace(/[A-Z]/g, '_$&').toUpperCase(), i]));
}

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
