// Files that somebody drops or chooses: what they are is known by their content.
import { emissionsOf, type FileTensor, NoScores, readTensors, type ScoreKind } from 'webgpu-ctc/files';
import { isPicture } from '../../shared/pictures/file.js';
import type { Candidate, Tokens } from '../sources/source.js';

/** What was found in files that came together. */
export interface Inputs {
  readonly candidates: readonly Candidate[];
  readonly tokens?: Tokens;
  readonly sound?: File;
  readonly picture?: File;
}

/** A file beyond this is not looked at in a page. */
const largest = 1 << 30;

/** @throws RangeError naming the file, what was expected and what came. */
export async function readInputs(files: Iterable<File>): Promise<Inputs> {
  const candidates: Candidate[] = [];
  let tokens: Tokens | undefined;
  let sound: File | undefined;
  let picture: File | undefined;
  for (const file of files) {
    if (file.size > largest)
      throw new RangeError(
        `${file.name}: expected at most 1 GiB, got ${(file.size / 2 ** 30).toFixed(1)} GiB`,
      );
    if (/^(audio|video)\//.test(file.type) || /\.(wav|mp3|m4a|ogg|oga|opus|flac|webm)$/i.test(file.name)) {
      sound = file;
    } else if (isPicture(file)) picture = file;
    else if (/\.json$/i.test(file.name) || file.type === 'application/json') {
      const json = parse(await file.text(), file.name);
      if (isTokens(json)) tokens = json;
      else candidates.push(candidateOf(json, file.name));
    } else candidates.push(...(await tensorsOf(file)));
  }
  return { candidates, ...(tokens && { tokens }), ...(sound && { sound }), ...(picture && { picture }) };
}

/**
 * Those that can be the emissions of one recording. Where there are none, the first says why not. One that is damaged, too large
 * or of an unknown type may be the very one, so that no other is taken in its place.
 */
async function tensorsOf(file: File): Promise<Candidate[]> {
  const found: Candidate[] = [];
  let why: unknown;
  for (const read of readTensors(new Uint8Array(await file.arrayBuffer()), file.name).values()) {
    let tensor: FileTensor;
    try {
      tensor = await read();
    } catch (error) {
      if (!(error instanceof NoScores)) throw error;
      why ??= error;
      continue;
    }
    try {
      found.push({ tensor, kind: emissionsOf(tensor).kind });
    } catch (error) {
      why ??= error;
    }
  }
  if (found.length === 0) throw why ?? new RangeError(`${file.name}: expected a tensor of scores, got none`);
  return found;
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new RangeError(`${name}: expected JSON: ${(error as Error).message}`);
  }
}

function isTokens(json: unknown): json is Tokens {
  if (Array.isArray(json)) return json.length > 0 && json.every((token) => typeof token === 'string');
  const values = typeof json === 'object' && json ? Object.values(json) : [];
  return values.length > 0 && values.every((label) => Number.isInteger(label));
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
 * Rows of numbers, or an object with `shape` and one of `logProbs`, `logits`, `probs`, `emissions` as a flat list, such as
 * the command line's case files; `targets` and `blank` may come along.
 */
function candidateOf(json: unknown, name: string): Candidate {
  if (Array.isArray(json)) {
    const tensor = tensorOf(json, undefined, name);
    return { tensor, kind: emissionsOf(tensor).kind };
  }
  const object = (json ?? {}) as Record<string, unknown>;
  const key = Object.keys(scoreKeys).find((known) => Array.isArray(object[known]));
  if (!key)
    throw new RangeError(
      `${name}: expected rows of scores, an object with one of ${Object.keys(scoreKeys).join(', ')}, or a vocabulary { token: class }`,
    );
  const targets = [object.targets].flat(2);
  const tensor = tensorOf(object[key] as unknown[], object.shape, `${name}: ${key}`);
  return {
    ...{ tensor, kind: scoreKeys[key] ?? emissionsOf(tensor).kind },
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
