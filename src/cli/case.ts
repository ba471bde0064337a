import type { LossInput } from '../api/ctc-loss.js';
import type { Shape } from '../problem/types.js';
import { InputError } from './failure.js';
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
  'logProbs',
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
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
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
  const { name = file, shape, logProbs, targets, targetsLayout, inputLengths, targetLengths } = json;
  const { blank = 0, zeroInfinity = false } = json;
  if (typeof name !== 'string') return fail('name', 'a string', name);
  if (!Array.isArray(shape)) return fail('shape', '[T, N, C] or [T, C]', shape);
  for (const [i, size] of shape.entries()) {
    if (!Number.isInteger(size) || size < 1) fail(`shape[${i}]`, 'an integer ≥ 1', size);
  }
  if (!Array.isArray(logProbs)) return fail('logProbs', 'a flat array of numbers', logProbs);
  const count = shape.reduce((product: number, size) => product * size, 1);
  if (logProbs.length !== count) {
    throw new InputError(
      `${file}: logProbs: expected ${count} values (the product of shape), got ${logProbs.length}`,
    );
  }
  const data = Float32Array.from(logProbs, (value, i) =>
    typeof value === 'number'
      ? value
      : (words.get(value) ?? fail(`logProbs[${i}]`, 'a number, "NaN", "Infinity" or "-Infinity"', value)),
  );
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
      logProbs: { data, shape: shape as unknown as Shape },
      targets,
      ...(inputLengths !== undefined && { inputLengths: inputLengths as number[] }),
      ...(targetLengths !== undefined && { targetLengths: targetLengths as number[] }),
    },
  };
}

/** JSON has no NaN and no Infinity: they travel as strings. */
export function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
