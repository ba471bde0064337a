import { existsSync } from 'node:fs';
import { asScores, type Emissions, emissionsOf, type ScoreKind, type Scores } from '../files/emissions.js';
import type { FileTensor } from '../files/tensor.js';
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

/** A tensor of a file, `path:name` where the file has several. @throws InputError naming the file and what is wrong. */
export async function readTensorFile(
  path: string,
  key: string | undefined,
  signal: AbortSignal,
  unpackedBytes?: number,
) {
  const [file, tensor] = fileOf(path, key);
  const bytes = await readInput(file, signal);
  try {
    const tensors = readTensors(bytes, file, unpackedBytes === undefined ? {} : { unpackedBytes });
    const names = [...tensors.keys()].join(', ');
    if (tensor !== undefined) {
      const read = tensors.get(tensor);
      if (!read) throw new InputError(`${file}: expected a tensor ${tensor}, got ${names || 'none'}`);
      return await read();
    }
    if (tensors.size === 1) return await [...tensors.values()][0]();
    const fitting: FileTensor[] = [];
    for (const read of tensors.values()) {
      const found = await read().catch((error: Error) => {
        // what cannot be read is no candidate; what is only too large may be the very one
        if (error.message.includes(cap)) throw error;
      });
      if (found && isScores(found)) fitting.push(found);
      if (fitting.length > 1) break;
    }
    if (fitting.length === 1) return fitting[0];
    throw new InputError(
      `${file}: expected one tensor of scores, got ${names || 'none'}; choose one with ${file}:NAME`,
    );
  } catch (error) {
    const told = inputError(file, error);
    throw told instanceof InputError ? new InputError(told.message.replace(cap, '--unpacked-mb')) : told;
  }
}

/** What the library calls the limit of what a file may unpack to. */
const cap = 'unpackedBytes';

const isScores = ({ data, shape }: FileTensor) =>
  data instanceof Float32Array && (shape.length === 2 || shape.length === 3);

/** One recording: [T, C], or a batch of one. @throws InputError naming the file and what is wrong. */
export async function readEmissions(
  path: string,
  {
    tensor: key,
    input: kind,
    layout,
    unpackedBytes,
  }: Pick<Job, 'tensor' | 'input' | 'layout' | 'unpackedBytes'>,
  signal: AbortSignal,
): Promise<Emissions & Told> {
  const tensor = await readTensorFile(path, key, signal, unpackedBytes);
  return told(tensor, kind, () => emissionsOf(tensor, { ...(kind && { kind }), ...(layout && { layout }) }));
}

/** Of rows of `classes`, however many sequences they are of. @throws InputError as `readEmissions`. */
export const scoresIn = (tensor: FileTensor, classes: number, kind: ScoreKind | undefined): Scores & Told =>
  told(tensor, kind, () => asScores(tensor, classes, kind));

interface Told {
  /** What the file holds, and how that is known. */
  readonly input: string;
}

function told<S extends Scores>(tensor: FileTensor, asked: ScoreKind | undefined, read: () => S): S & Told {
  try {
    const scores = read();
    return { ...scores, input: `${scores.kind} (${asked ? 'as asked' : 'detected'})` };
  } catch (error) {
    throw inputError(tensor.name, error);
  }
}
