// All that is looked at as one file of JSON, and back. What comes back is a stranger's: every field is checked.
import { scoreKinds } from 'webgpu-ctc/files';
import type { Line } from '../../shared/pictures/picture.js';
import type { Moved } from '../sound/words.js';
import type { Candidate, Own, Reference, ReferenceWord, TextFile } from '../sources/source.js';
import type { Known } from '../state/known.js';
import { fromHash, initial, mostStrokes, type State, toHash } from '../state/state.js';
import { layoutsOf } from './tensors.js';

/** What the file begins with. */
export const sessionFormat = 'webgpu-ctc explorer session';
const version = 1;

/** Bytes of a sound that goes along, or of a language model, and of all scores. */
const [mostSound, mostScores] = [20e6, 256 * 2 ** 20];

export interface Session {
  readonly state: State;
  /** What was loaded; none: an example, which the page has. */
  readonly own?: Own;
  readonly moved: Moved;
  /** What was read, where it was a picture: its line is found in it again. */
  readonly picture?: File;
  /** The language model that is known. */
  readonly model?: File;
}

/** Whether a text is meant for one, whole or damaged. */
export const isSession = (text: string): boolean =>
  text
    .slice(0, 200)
    .replace(/\s/g, '')
    .startsWith(`{"format":"${sessionFormat.replace(/\s/g, '')}"`);

/** @throws RangeError for scores that are too many for a file of text. */
export async function writeSession({
  state,
  own,
  moved,
}: Session): Promise<{ json: string; isMute: boolean; lacksModel: boolean }> {
  const { strokes } = state.edits;
  if (strokes.length > mostStrokes)
    throw new RangeError(`expected at most ${mostStrokes} strokes, got ${strokes.length}`);
  const isMute = own?.sound !== undefined && own.sound.size > mostSound;
  const { words, others, model } = state.known ?? {};
  const compact = model?.nGram.write();
  const lacksModel = compact !== undefined && compact.length > mostSound;
  const json = {
    ...{ format: sessionFormat, version, view: toHash({ ...state, story: undefined }), text: state.text },
    moved: [...moved].map(([word, { start, end }]) => ({ word, start, end })),
    ...(state.known && { known: { words, others } }),
    ...(model &&
      compact &&
      !lacksModel && { model: { name: model.name, type: '', data: toBase64(compact) } }),
    ...(own && { own: await ownToJson(own, isMute) }),
    ...(own?.line && { picture: await pictureToJson(own.line) }),
  };
  return { json: JSON.stringify(json), isMute, lacksModel };
}

async function ownToJson(
  { candidates, vocabulary, transcript, sound, line: _, ...rest }: Own,
  isMute: boolean,
) {
  const bytes = candidates.reduce((sum, { tensor }) => sum + tensor.data.byteLength, 0);
  if (bytes > mostScores)
    throw new RangeError(
      `expected at most ${mostScores / 2 ** 20} MiB of scores, got ${Math.ceil(bytes / 2 ** 20)}`,
    );
  const file = (text: TextFile) => ({ name: text.name, text: text.text });
  const name = sound instanceof File ? sound.name : 'sound';
  return {
    ...rest,
    candidates: candidates.map(({ tensor: { data, exact, ...tensor }, ...about }) => ({
      ...about,
      tensor: { ...tensor, data: toBase64(data), ...(exact && { exact: toBase64(exact) }) },
    })),
    ...(vocabulary && { vocabulary: file(vocabulary) }),
    ...(transcript && { transcript: file(transcript) }),
    ...(sound &&
      !isMute && {
        sound: { name, type: sound.type, data: toBase64(new Uint8Array(await sound.arrayBuffer())) },
      }),
  };
}

/** As PNG, which keeps every pixel. */
async function pictureToJson({ picture: { image, name, width, height } }: Line) {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')!.drawImage(image, 0, 0, width, height);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
  return { name, type: 'image/png', data: toBase64(bytes) };
}

/** @throws RangeError naming the file, the field, what was expected and what came. */
export function readSession({ name, text }: TextFile): Session {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`${name}: expected a whole session, as Data saves it: ${(error as Error).message}`);
  }
  const session = new Field(json, name).fields();
  const made = session.version!.value;
  if (made !== version)
    throw new RangeError(
      `${name}: version: expected ${version}, got ${shown(made)}${Number(made) > version ? '; a newer page has saved it' : ''}`,
    );
  const view = fromHash(session.view!.string()) ?? initial;
  const own = session.own!.optional(ownFrom);
  const picture = session.picture!.optional(fileOfBytes);
  const model = session.model!.optional(fileOfBytes);
  const known = session.known!.optional(knownFrom);
  return {
    state: {
      ...{ ...view, text: session.text!.string(), known },
      ...(own && { example: 'own', heard: undefined }),
    },
    moved: new Map(
      session.moved!.list((entry) => {
        const { word, start, end } = entry.fields();
        return [word!.integer(0, 1e6), { start: start!.number(0, 1e7), end: end!.number(0, 1e7) }] as const;
      }),
    ),
    ...(own && { own }),
    ...(picture && { picture }),
    ...(model && { model }),
  };
}

function knownFrom(known: Field): Known {
  const { words, others } = known.fields();
  return { words: words!.string(), others: others!.value === true };
}

function ownFrom(own: Field): Own {
  const fields = own.fields();
  const candidates = fields.candidates!.list(candidateFrom);
  const [first, ...others] = candidates;
  if (!first) throw fields.candidates!.not('at least one tensor');
  const last = candidates.length - 1;
  const sound = fields.sound!.optional(fileOfBytes);
  const optional = <T>(key: string, read: (field: Field) => T) => {
    const value = fields[key]!.optional(read);
    return value === undefined ? {} : { [key]: value };
  };
  return {
    candidates: [first, ...others],
    chosen: fields.chosen!.integer(0, last),
    ...optional('other', (field) => field.integer(0, last)),
    ...optional('kind', (field) => field.oneOf(scoreKinds)),
    ...optional('layout', (field) => field.oneOf([...layoutsOf([0, 0]), ...layoutsOf([0, 0, 0])])),
    ...optional('item', (field) => field.integer(0, 1e6)),
    ...optional('inputLength', (field) => field.integer(0, 1e7)),
    ...optional('vocabulary', fileFrom),
    ...optional('language', (field) => field.string()),
    ...optional('blank', (field) => field.integer(0, 1e6)),
    ...optional('transcript', fileFrom),
    ...optional('reference', referenceFrom),
    ...optional('seconds', (field) => field.number(0, 1e7)),
    ...optional('frameSeconds', (field) => field.number(1e-6, 1e4)),
    ...(sound && { sound }),
  };
}

function candidateFrom(candidate: Field): Candidate {
  const { tensor, said, targets, blank } = candidate.fields();
  const { name, dtype, shape, data, exact } = tensor!.fields();
  const sizes = shape!.list((size) => size.integer(0, 1e9));
  const count = sizes.reduce((product, size) => product * size, 1);
  const numbers = new Float32Array(data!.bytes(4 * count).buffer);
  const digits = exact!.optional((field) => new Float64Array(field.bytes(8 * count).buffer));
  const kind = said!.optional((field) => field.oneOf(scoreKinds));
  const labels = targets!.optional((field) => field.list((label) => label.integer(0, 1e6)));
  const silence = blank!.optional((field) => field.integer(0, 1e6));
  return {
    tensor: {
      ...{ name: name!.string(), dtype: dtype!.string(), data: numbers, shape: sizes },
      ...(digits && { exact: digits }),
    },
    ...(kind && { said: kind }),
    ...(labels && { targets: labels }),
    ...(silence !== undefined && { blank: silence }),
  };
}

function fileFrom(file: Field): TextFile {
  const { name, text } = file.fields();
  return { name: name!.string(), text: text!.string() };
}

function referenceFrom(reference: Field): Reference {
  const { name, words } = reference.fields();
  const wordFrom = (word: Field): ReferenceWord => {
    const { text, start, end } = word.fields();
    const [from, to] = [start!, end!].map((field) => field.optional((one) => one.number(0, 1e7)));
    return {
      text: text!.string(),
      ...(from !== undefined && { start: from }),
      ...(to !== undefined && { end: to }),
    };
  };
  return { name: name!.string(), words: words!.list(wordFrom) };
}

function fileOfBytes(file: Field): File {
  const { name, type, data } = file.fields();
  return new File([data!.bytes()], name!.string(), { type: type!.string() });
}

/** A value of the file, and where it is. */
class Field {
  readonly value: unknown;
  readonly #place: string;

  constructor(value: unknown, place: string) {
    this.value = value;
    this.#place = place;
  }

  not(expected: string): RangeError {
    return new RangeError(`${this.#place}: expected ${expected}, got ${shown(this.value)}`);
  }

  /** By their names; what is not there is a field without a value. */
  fields(): Record<string, Field> {
    const { value } = this;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.not('an object');
    return new Proxy({} as Record<string, Field>, {
      get: (_, key: string) =>
        new Field(
          Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined,
          `${this.#place}: ${key}`,
        ),
    });
  }

  optional<T>(read: (field: Field) => T): T | undefined {
    return this.value === undefined ? undefined : read(this);
  }

  list<T>(read: (field: Field) => T): T[] {
    if (!Array.isArray(this.value)) throw this.not('a list');
    return this.value.map((value, i) => read(new Field(value, `${this.#place}[${i}]`)));
  }

  string(): string {
    if (typeof this.value !== 'string') throw this.not('text');
    return this.value;
  }

  number(least: number, most: number): number {
    const { value } = this;
    if (typeof value !== 'number' || !(value >= least && value <= most))
      throw this.not(`a number from ${least} to ${most}`);
    return value;
  }

  integer(least: number, most: number): number {
    if (!Number.isInteger(this.value)) throw this.not('a whole number');
    return this.number(least, most);
  }

  oneOf<T extends string>(names: readonly T[]): T {
    const found = names.find((name) => name === this.value);
    if (found === undefined) throw this.not(`one of ${names.join(', ')}`);
    return found;
  }

  /** Of Base64. */
  bytes(count?: number): Uint8Array<ArrayBuffer> {
    const text = this.string();
    let bytes: Uint8Array<ArrayBuffer>;
    try {
      bytes = fromBase64(text);
    } catch {
      throw this.not('bytes in Base64');
    }
    if (count !== undefined && bytes.length !== count)
      throw new RangeError(`${this.#place}: expected ${count} bytes, got ${bytes.length}`);
    return bytes;
  }
}

const shown = (value: unknown) => {
  const text = value === undefined ? 'none' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
};

/** Bytes to a step: a multiple of three, of which four letters are made without a rest. */
const step = 3 * 2 ** 13;

function toBase64({ buffer, byteOffset, byteLength }: ArrayBufferView): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  const parts: string[] = [];
  for (let at = 0; at < byteLength; at += step)
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + step))));
  return parts.join('');
}

/** @throws DOMException for what is no Base64. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}
