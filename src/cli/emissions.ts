import { existsSync } from 'node:fs';
import { type FileTensor, findInvalidScore, indexOf, scoresOf } from '../files/tensor.js';
import { readTensors } from '../files/tensors.js';
import type { Layout } from '../types.js';
import { InputError, inputError } from './failure.js';
import { readInput } from './input.js';

export const inputKinds = ['logits', 'log-probs', 'probs'] as const;
export type InputKind = (typeof inputKinds)[number];

/** What a model gave for one recording, as the library takes it. */
export interface Emissions {
  readonly scores: 'logits' | 'logProbs';
  readonly data: Float32Array<ArrayBuffer>;
  readonly frames: number;
  readonly classes: number;
  /** What the file holds, and how that is known. */
  readonly input: string;
}

/** What the numbers of a file are, as scores that the library takes. */
export type Scores = Pick<Emissions, 'scores' | 'data' | 'input'>;

/** A tensor of a file, `path:name` where the file has several. @throws InputError naming the file and what is wrong. */
export async function readTensorFile(path: string, key: string | undefined, signal: AbortSignal) {
  const colon = path.lastIndexOf(':');
  const named = key === undefined && colon > 0 && !existsSync(path) && existsSync(path.slice(0, colon));
  const [file, tensor] = named ? [path.slice(0, colon), path.slice(colon + 1)] : [path, key];
  const bytes = await readInput(file, signal);
  try {
    const tensors = readTensors(bytes, file);
    const names = [...tensors.keys()].join(', ');
    if (tensor !== undefined) {
      const read = tensors.get(tensor);
      if (!read) throw new InputError(`${file}: expected a tensor ${tensor}, got ${names || 'none'}`);
      return await read();
    }
    if (tensors.size === 1) return await [...tensors.values()][0]();
    const fitting: FileTensor[] = [];
    // what cannot be read is no candidate
    for (const read of tensors.values()) {
      const found = await read().catch(() => undefined);
      if (found && isScores(found)) fitting.push(found);
    }
    if (fitting.length === 1) return fitting[0];
    throw new InputError(
      `${file}: expected one tensor of scores, got ${names || 'none'}; choose one with ${file}:NAME`,
    );
  } catch (error) {
    throw inputError(file, error);
  }
}

const isScores = ({ data, shape }: FileTensor) =>
  data instanceof Float32Array && (shape.length === 2 || shape.length === 3);

/** One recording: [T, C], or a batch of one. @throws InputError naming the file and what is wrong. */
export async function readEmissions(
  path: string,
  options: { tensor?: string; input?: InputKind; layout?: Layout },
  signal: AbortSignal,
): Promise<Emissions> {
  const tensor = await readTensorFile(path, options.tensor, signal);
  const [frames, classes] = oneSequence(tensor, options.layout);
  const invalid = findInvalidScore(tensor);
  if (invalid)
    throw new InputError(
      `${tensor.name}: [${invalid.index.join(', ')}]: expected a score, got ${invalid.value}`,
    );
  return { ...readScores(tensor, classes, options.input), frames, classes };
}

function oneSequence({ name, shape }: FileTensor, layout: Layout | undefined): [number, number] {
  const fits = (order: Layout) =>
    (layout === undefined || layout === order) &&
    shape.length === order.length &&
    shape.every((size, axis) => (order[axis] === 'N' ? size === 1 : size > 0));
  const order = (['TC', 'TNC', 'NTC'] as const).find(fits);
  if (order) return [shape[order.indexOf('T')], shape[order.indexOf('C')]];
  const expected = { TC: '[T, C]', TNC: '[T, 1, C]', NTC: '[1, T, C]' };
  throw new InputError(
    `${name}: expected one recording, ${layout ? expected[layout] : Object.values(expected).join(' or ')}, got [${shape.join(', ')}]`,
  );
}

/** @throws InputError for integers, and for what cannot be of the kind that was asked for. */
export function readScores(tensor: FileTensor, classes: number, asked?: InputKind): Scores {
  let data: Float32Array<ArrayBuffer>;
  try {
    data = scoresOf(tensor);
  } catch (error) {
    throw inputError(tensor.name, error);
  }
  const input = asked ?? kindOf(data, classes);
  if (input === 'probs') {
    const i = data.findIndex((value) => value < 0);
    if (i >= 0)
      throw new InputError(
        `${tensor.name}: [${indexOf(i, tensor.shape).join(', ')}]: expected a probability, got ${data[i]}`,
      );
    data = data.map(Math.log);
  }
  return {
    scores: input === 'logits' ? 'logits' : 'logProbs',
    data,
    input: `${input} (${asked ? 'as asked' : 'detected'})`,
  };
}

/** Half precision, and bfloat16 more so, makes sums this wrong. */
const tolerance = 0.01;

/** What normalises itself is probabilities or their logarithms. Rows of zeros are padding and say nothing. */
export function kindOf(data: Float32Array, classes: number): InputKind {
  const could = { 'log-probs': true, probs: true };
  let normalised = 0;
  for (let at = 0; at < data.length && (could.probs || could['log-probs']); at += classes) {
    const row = data.subarray(at, at + classes);
    if (row.every((value) => value === 0)) continue;
    normalised++;
    let [sum, exponentials, least, most] = [0, 0, Infinity, -Infinity];
    for (const value of row) {
      sum += value;
      exponentials += Math.exp(value);
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    if (most > tolerance || Math.abs(exponentials - 1) > tolerance) could['log-probs'] = false;
    if (least < 0 || Math.abs(sum - 1) > tolerance) could.probs = false;
  }
  if (normalised === 0) return 'logits';
  return could['log-probs'] ? 'log-probs' : could.probs ? 'probs' : 'logits';
}
