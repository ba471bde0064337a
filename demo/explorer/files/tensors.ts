// Tensors that can be emissions: of NumPy's files, of safetensors, of JSON.
import { emissionsOf, type FileTensor, NoScores, readTensors, type ScoreKind } from 'webgpu-ctc/files';
import type { Candidate, FileLayout, Own } from '../sources/source.js';

/** How the axes of a tensor are taken. */
export interface Axes {
  readonly layout: FileLayout;
  /** Recordings of a batch. */
  readonly items: number;
  /** Why the classes come before the frames, where that was found out. */
  readonly swapped?: string;
}

type Emissions = ReturnType<typeof emissionsOf>;

/** Orders that the axes of a tensor can have. */
export const layoutsOf = (shape: readonly number[]): readonly FileLayout[] =>
  shape.length === 2 ? ['TC', 'CT'] : ['NTC', 'TNC', 'NCT'];

export const itemsOf = (shape: readonly number[], layout: FileLayout): number =>
  layout.includes('N') ? shape[layout.indexOf('N')]! : 1;

/** Of several sequences: those of fewer are the frames, unless one is alone. */
function usualLayout(shape: readonly number[]): FileLayout {
  if (shape.length !== 3) return 'TC';
  if (shape[1] === 1 && shape[0] !== 1) return 'TNC';
  return shape[0]! <= shape[1]! ? 'NTC' : 'TNC';
}

/**
 * The emissions of a tensor, as somebody said or as its numbers show.
 *
 * @param classes that a vocabulary lists, where there is one: what tells swapped axes
 * @throws RangeError naming the tensor and what is wrong in it.
 */
export function readEmissions(
  { tensor, said }: Candidate,
  { kind = said, layout, item, inputLength }: Pick<Own, 'kind' | 'layout' | 'item' | 'inputLength'> = {},
  classes?: number,
): Emissions & Axes {
  const { shape } = tensor;
  const usual = usualLayout(shape);
  const read = (order: FileLayout | undefined): Emissions & Axes => {
    const of = order ?? usual;
    const items = shape.length === 3 ? itemsOf(shape, of) : 1;
    // where the usual order is the only one, swapped axes are noticed
    const isPlain = order === undefined && (usual !== 'TNC' || items === 1);
    const which = items > 1 ? { item: Math.min(item ?? 0, items - 1) } : {};
    const options = { kind, classes, inputLength, ...which, ...(!isPlain && { layout: of }) };
    return { ...emissionsOf(tensor, options), layout: of, items };
  };
  try {
    return read(layout);
  } catch (error) {
    const told = /got \[\d+, \d+\], (.*): are the axes swapped/.exec((error as Error).message);
    const swapped = told?.[1];
    if (layout !== undefined || swapped === undefined) throw error;
    // rows that are normalised are frames: it is the vocabulary that does not fit
    const plain = read(usual);
    return plain.kind === 'logits' ? { ...read(shape.length === 2 ? 'CT' : 'NCT'), swapped } : plain;
  }
}

/** The axes that may be the classes. */
export const sizesOf = ({ tensor: { shape } }: Candidate): number[] => [shape.at(-1)!, shape.at(-2)!];

/**
 * Those that can be the emissions of recordings. Where there are none, the first says why not. One that is damaged, too large
 * or of an unknown type may be the very one, so that no other is taken in its place.
 */
export async function candidatesOf(bytes: Uint8Array, name: string): Promise<Candidate[]> {
  const found: Candidate[] = [];
  let why: unknown;
  for (const read of readTensors(bytes, name).values()) {
    let tensor: FileTensor;
    try {
      tensor = await read();
    } catch (error) {
      if (!(error instanceof NoScores)) throw error;
      why ??= error;
      continue;
    }
    try {
      readEmissions({ tensor });
      found.push({ tensor });
    } catch (error) {
      why ??= error;
    }
  }
  if (found.length === 0) throw why ?? new RangeError(`${name}: expected a tensor of scores, got none`);
  return found;
}

/** By key of a JSON object: what the scores are; undefined is to be detected. */
const scoreKeys: Readonly<Record<string, ScoreKind | undefined>> = {
  logProbs: 'log-probs',
  log_probs: 'log-probs',
  logits: 'logits',
  probs: 'probs',
  emissions: undefined,
};

/**
 * The scores of a text of JSON: rows of numbers, or an object with `shape` and one of `logProbs`, `logits`, `probs`, `emissions` as a
 * flat list, such as the command line's case files; `targets` and `blank` may come along. Undefined for what is no JSON, or a vocabulary.
 */
export function candidateOf(text: string, name: string): Candidate | undefined {
  const isJson = /\.json$/i.test(name);
  if (!isJson && !/^\s*[[{]/.test(text)) return undefined;
  const json = parse(text, name, isJson);
  if (json === undefined || isVocabulary(json)) return undefined;
  const candidate = Array.isArray(json)
    ? { tensor: tensorOf(json, undefined, name) }
    : ofObject((json ?? {}) as Record<string, unknown>, name);
  readEmissions(candidate);
  return candidate;
}

function parse(text: string, name: string, isJson: boolean): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!isJson) return undefined;
    throw new RangeError(`${name}: expected JSON: ${(error as Error).message}`);
  }
}

/** `{ token: class }`, tokens in their order, one of these for each language, or a tokenizer.json. */
function isVocabulary(json: unknown): boolean {
  if (Array.isArray(json)) return json.length > 0 && json.every((token) => typeof token === 'string');
  const { model } = (json ?? {}) as { model?: { vocab?: unknown } };
  if (typeof model === 'object' && model?.vocab) return true;
  const values = typeof json === 'object' && json ? Object.values(json) : [];
  const isList = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(Number.isInteger);
  return values.length > 0 && (values.every(Number.isInteger) || values.every(isList));
}

function ofObject(object: Record<string, unknown>, name: string): Candidate {
  const key = Object.keys(scoreKeys).find((known) => Array.isArray(object[known]));
  if (!key)
    throw new RangeError(
      `${name}: expected rows of scores, an object with one of ${Object.keys(scoreKeys).join(', ')}, or a vocabulary { token: class }`,
    );
  const targets = [object.targets].flat(2);
  const said = scoreKeys[key];
  return {
    tensor: tensorOf(object[key] as unknown[], object.shape, `${name}: ${key}`),
    ...(said && { said }),
    ...(targets.every(Number.isInteger) && { targets: targets as number[] }),
    ...(Number.isInteger(object.blank) && { blank: object.blank as number }),
  };
}

/** As the command line writes what JSON has no number for. */
const words = new Map<unknown, number>([
  ['-Infinity', Number.NEGATIVE_INFINITY],
  [null, Number.NEGATIVE_INFINITY],
]);

function tensorOf(rows: readonly unknown[], shape: unknown, name: string): FileTensor {
  const width = Array.isArray(rows[0]) ? rows[0].length : 0;
  const sizes = Array.isArray(shape) ? (shape as number[]) : [rows.length, width];
  rows.forEach((row, t) => {
    if (width && (!Array.isArray(row) || row.length !== width))
      throw new RangeError(`${name}: [${t}]: expected a row of ${width} scores, as the first has`);
  });
  const flat = rows.flat();
  const count = sizes.reduce((product, size) => product * size, 1);
  if (flat.length !== count || count === 0)
    throw new RangeError(
      `${name}: expected ${shape ? `${count} scores for a shape of [${sizes.join(', ')}]` : 'rows of scores'}, got ${flat.length}`,
    );
  const data = Float32Array.from(flat, (value, i) => {
    const score = typeof value === 'number' ? value : words.get(value);
    if (score === undefined)
      throw new RangeError(
        `${name}: [${i}]: expected a score, got ${typeof value === 'object' ? 'a list or an object' : JSON.stringify(value)}`,
      );
    return score;
  });
  return { name, dtype: 'JSON', data, shape: sizes };
}
