import type { LossInput } from '../api/ctc-loss.js';
import { scoresKey, scoresKeys } from '../problem/check.js';
import type { Shape } from '../problem/types.js';
import { InputError, inputError } from './failure.js';
import { jsonOf } from './options.js';

/** A problem as a PyTorch user dumps it: fixtures/golden/README.md says what each key means. */
export interface Case {
  readonly name: string;
  readonly blank: number;
  readonly zeroInfinity: boolean;
  readonly input: LossInput<Shape, Float32Array>;
}

const words = new Map<unknown, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);

const keys = [
  'name',
  'shape',
  ...scoresKeys,
  'targets',
  'targetsLayout',
  'inputLengths',
  'targetLengths',
  'blank',
  'zeroInfinity',
];

/** Keys that are for people, and for who checks the results. */
const remarks = ['origin', 'note', 'expected'];

/** A key without its style: PyTorch writes input_lengths. */
const plain = (key: string) => key.toLowerCase().replace(/[-_]/g, '');

/** @throws InputError naming the file and the key. */
export function parseCase(file: string, text: string): Case {
  const fail = (key: string, expected: string, got: unknown): never => {
    const shown = got === undefined ? 'nothing' : jsonOf(got);
    throw new InputError(`${file}: ${key}: expected ${expected}, got ${shown}`);
  };
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(asJson(text.replace(/^\uFEFF/, '')));
  } catch (error) {
    throw new InputError(`${file}: not JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return fail('(top level)', 'an object', json);
  for (const key of Object.keys(json)) {
    if (keys.includes(key) || remarks.includes(key)) continue;
    const meant = keys.find((known) => plain(known) === plain(key));
    throw new InputError(
      `${file}: ${key}: unknown key; ${meant ? `did you mean ${meant}?` : `known are ${keys.join(', ')}`}`,
    );
  }
  const { name = file, targets, targetsLayout, inputLengths, targetLengths } = json;
  const { blank = 0, zeroInfinity = false } = json;
  if (typeof name !== 'string') return fail('name', 'a string', name);
  const scores = (() => {
    try {
      return scoresKey(json);
    } catch (error) {
      throw inputError(file, error);
    }
  })();
  const { data, shape } = tensorOf(scores, json[scores], json.shape, fail);
  if (!Array.isArray(targets)) return fail('targets', 'an array', targets);
  if (targetsLayout !== undefined && targetsLayout !== 'padded' && targetsLayout !== 'concatenated') {
    return fail('targetsLayout', '"padded" or "concatenated"', targetsLayout);
  }
  if (targetsLayout === 'concatenated' && targets.some(Array.isArray))
    return fail('targets', 'a flat array, since targetsLayout is "concatenated"', targets);
  if (targetsLayout === 'padded' && shape.length === 3 && !targets.every(Array.isArray))
    return fail('targets', 'an array of rows, since targetsLayout is "padded"', targets);
  return {
    name,
    blank: blank as number,
    zeroInfinity: zeroInfinity as boolean,
    input: {
      ...({ [scores]: { data, shape } } as { logProbs: { data: Float32Array; shape: Shape } }),
      targets,
      ...(inputLengths !== undefined && { inputLengths: inputLengths as number[] }),
      ...(targetLengths !== undefined && { targetLengths: targetLengths as number[] }),
    },
  };
}

/** Python writes NaN and the infinities bare, outside of strings. */
const asJson = (text: string) =>
  text.replace(/"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g, (found) =>
    found.startsWith('"') ? found : `"${found}"`,
  );

/** Numbers in a flat array with a shape, or nested as `tolist()` writes them. */
function tensorOf(
  key: string,
  given: unknown,
  shape: unknown,
  fail: (key: string, expected: string, got: unknown) => never,
): { data: Float32Array<ArrayBuffer>; shape: Shape } {
  if (!Array.isArray(given)) return fail(key, 'a flat array of numbers', given);
  const sizes: number[] = [];
  for (let inner: unknown = given; Array.isArray(inner); inner = inner[0]) sizes.push(inner.length);
  const isNested = sizes.length > 1;
  if (!isNested && !Array.isArray(shape)) return fail('shape', '[T, N, C] or [T, C]', shape);
  const wanted = (shape ?? sizes) as number[];
  if (sizes.length > 3) return fail(key, 'at most three axes', given);
  for (const [i, size] of wanted.entries())
    if (!Number.isInteger(size) || size < 1) fail(`shape[${i}]`, 'an integer ≥ 1', size);
  if (isNested && wanted.join() !== sizes.join())
    return fail('shape', `[${sizes.join(', ')}], that of ${key}`, shape);
  const count = wanted.reduce((product, size) => product * size, 1);
  if (!isNested && given.length !== count)
    return fail(key, `${count} values (the product of shape)`, given.length);
  const numbers: number[] = [];
  const add = (value: unknown, axis: number, place: string) => {
    if (axis === sizes.length) {
      const number = typeof value === 'number' ? value : words.get(value);
      numbers.push(number ?? fail(place, 'a number, "NaN", "Infinity" or "-Infinity"', value));
    } else if (Array.isArray(value) && value.length === sizes[axis])
      for (const [i, item] of value.entries()) add(item, axis + 1, `${place}[${i}]`);
    else fail(place, `${sizes[axis]} values, as in the first row`, value);
  };
  add(given, 0, key);
  return { data: Float32Array.from(numbers), shape: wanted as unknown as Shape };
}

/** JSON has no NaN and no Infinity: they travel as strings. */
export function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
