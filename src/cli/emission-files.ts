import { existsSync } from 'node:fs';
import { asScores, type Emissions, emissionsOf, type ScoreKind, type Scores } from '../files/emissions.js';
import { type FileTensor, NoScores } from '../files/tensor.js';
import { readTensors } from '../files/tensors.js';
import { InputError, inputError } from './failure.js';
import { readInput } from './input.js';
import type { Job } from './job.js';

/** The file of a path, and the tensor in it: `path:name` names both. */
export function fileOf(path: string, key: string | undefined): [file: string, tensor: string | undefined] {
  const colon = path.lastIndexOf(':');
  const named = key === undefined && colon > 0 && !existsSync(path) && existsSync(path.slice(0, colon));
  return named ? [path.slice(0, colon), path.slice(colon + 1)] : [path, key];
}

/** A tensor, and what it is called in its file, where the file names its tensors. */
export interface NamedTensor extends FileTensor {
  readonly key?: string;
}

/**
 * A tensor of a file, `path:name` where the file has several. Without a name it is the only one that can be scores.
 *
 * @throws InputError naming the file and what is wrong.
 */
export async function readTensorFile(
  path: string,
  key: string | undefined,
  signal: AbortSignal,
  unpackedBytes?: number,
): Promise<NamedTensor> {
  const [file, tensor] = fileOf(path, key);
  const bytes = await readInput(file, signal);
  try {
    const tensors = readTensors(bytes, file, unpackedBytes === undefined ? {} : { unpackedBytes });
    const names = [...tensors.keys()].join(', ');
    const named = (key: string, found: FileTensor) => (found.name === file ? found : { ...found, key });
    if (tensor !== undefined) {
      const read = tensors.get(tensor);
      if (!read) throw new InputError(`${file}: expected a tensor ${tensor}, got ${names || 'none'}`);
      return named(tensor, await read());
    }
    const choose = `; choose one with ${file}:NAME`;
    const fitting: NamedTensor[] = [];
    for (const [key, read] of tensors) {
      if (tensors.size === 1) return named(key, await read());
      const found = await read().catch((error: Error) => {
        // what is damaged, too large or of an unknown type may be the very one
        if (error instanceof NoScores) return;
        throw error instanceof RangeError ? new RangeError(`${error.message}${choose}`) : error;
      });
      if (found && isScores(found)) fitting.push(named(key, found));
      if (fitting.length > 1) break;
    }
    if (fitting.length === 1) return fitting[0]!;
    throw new InputError(`${file}: expected one tensor of scores, got ${names || 'none'}${choose}`);
  } catch (error) {
    const told = inputError(file, error);
    throw told instanceof InputError ? new InputError(told.message.replace(cap, '--unpacked-mb')) : told;
  }
}

/** What the library calls the limit of what a file may unpack to. */
const cap = 'unpackedBytes';

const isScores = ({ data, shape }: FileTensor) =>
  data instanceof Float32Array && (shape.length === 2 || shape.length === 3);

/** One recording: [T, C], or one of a batch. `classes`: those that the vocabulary lists. @throws InputError naming the file and what is wrong. */
export async function readEmissions(
  path: string,
  {
    tensor: key,
    input: kind,
    layout,
    item,
    length: inputLength,
    unpackedBytes,
  }: Pick<Job, 'tensor' | 'input' | 'layout' | 'item' | 'length' | 'unpackedBytes'>,
  classes: number,
  signal: AbortSignal,
): Promise<Emissions & Told> {
  const tensor = await readTensorFile(path, key, signal, unpackedBytes);
  return told(tensor, kind, () => emissionsOf(tensor, { kind, layout, item, inputLength, classes }));
}

/**
 * Of rows of `classes`, however many sequences they are of.
 *
 * @param isUsed whether a row is within the length of its sequence
 * @throws InputError as `readEmissions`.
 */
export const scoresIn = (
  tensor: NamedTensor,
  classes: number,
  kind: ScoreKind | undefined,
  isUsed: (row: number) => boolean,
): Scores & Told => told(tensor, kind, () => asScores(tensor, classes, kind, isUsed));

interface Told {
  /** What the file holds, and how that is known. */
  readonly input: string;
  /** The file, and what the tensor is called in it. */
  readonly source: string;
  readonly tensor?: string;
}

function told<S extends Scores>(tensor: NamedTensor, wanted: ScoreKind | undefined, read: () => S): S & Told {
  try {
    const scores = read();
    const { name: source, key } = tensor;
    const input = `${scores.kind} (${wanted ? 'as asked' : 'detected'})`;
    return { ...scores, input, source, ...(key !== undefined && { tensor: key }) };
  } catch (error) {
    throw inputError(tensor.name, error);
  }
}
