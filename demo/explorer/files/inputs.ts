// Files that somebody drops or chooses: what they are is known by their names and their content.
import { isPicture } from '../../shared/pictures/file.js';
import type { Candidate, TextFile } from '../sources/source.js';
import { isModelName } from './language.js';
import { isSession, readSession, type Session } from './session.js';
import { candidateOf, candidatesOf, sizesOf } from './tensors.js';
import { decodeText, isText, kindOfText, type Sizes } from './texts.js';

/** A text, and why it was taken for what it was taken for. */
export interface TakenFile extends TextFile {
  readonly why: string;
}

/** What was found in files that came together. */
export interface Inputs {
  readonly candidates: readonly Candidate[];
  readonly vocabulary?: TakenFile;
  readonly transcript?: TakenFile;
  /** Words with their times. */
  readonly timed?: TakenFile;
  readonly sound?: File;
  /** Of a line of text. */
  readonly picture?: File;
  /** An ONNX model: a recogniser of somebody's own. */
  readonly model?: File;
  /** A language model. */
  readonly language?: File;
  /** What the page has saved of itself. */
  readonly session?: Session;
}

/** A file beyond this is not looked at in a page. */
const largest = 1 << 30;

type Texts = Pick<Inputs, 'vocabulary' | 'transcript' | 'timed'>;

/**
 * @param present sizes of the axes of what is loaded already: a list of about so many tokens is its vocabulary
 * @throws RangeError naming the file, what was expected and what came.
 */
export async function readInputs(files: Iterable<File>, present: Sizes = []): Promise<Inputs> {
  const candidates: Candidate[] = [];
  const texts: TextFile[] = [];
  let sound: File | undefined;
  let model: File | undefined;
  let picture: File | undefined;
  let language: File | undefined;
  for (const file of files) {
    if (file.size > largest)
      throw new RangeError(
        `${file.name}: expected at most 1 GiB, got ${(file.size / 2 ** 30).toFixed(1)} GiB`,
      );
    if (isSound(file)) sound = onlyOne(file, sound, 'sound');
    else if (/\.onnx$/i.test(file.name)) model = onlyOne(file, model, 'model');
    else if (isModelName(file)) language = onlyOne(file, language, 'language');
    else if (isPicture(file)) picture = onlyOne(file, picture, 'picture');
    else {
      const bytes = new Uint8Array(await file.arrayBuffer());
      if (isText(bytes, file.name)) texts.push({ name: file.name, text: decodeText(bytes, file.name) });
      else candidates.push(...(await candidatesOf(bytes, file.name)));
    }
  }
  const saved = texts.find(({ text }) => isSession(text));
  if (saved) {
    if (texts.length + candidates.length > 1 || sound || model || picture || language)
      throw new RangeError(`${saved.name}: expected a session alone, got other files with it`);
    return { candidates: [], session: readSession(saved) };
  }
  const found: { -readonly [K in keyof Texts]: Texts[K] } = {};
  // JSON may be scores: first of all, since texts are told apart by the sizes of these
  const rest = texts.filter(({ name, text }) => {
    const candidate = candidateOf(text, name);
    if (candidate) candidates.push(candidate);
    return !candidate;
  });
  const sizes = candidates.length > 0 ? candidates.flatMap(sizesOf) : present;
  for (const file of rest) {
    const { kind, ...reason } = kindOfText(file, sizes);
    const other = found[kind];
    found[kind] = { ...(other && kind === 'vocabulary' ? withAdded(other, file) : file), ...reason };
    if (other && kind !== 'vocabulary') onlyOne(file, other, kind);
  }
  const others = {
    ...(sound && { sound }),
    ...(model && { model }),
    ...(picture && { picture }),
    ...(language && { language }),
  };
  return { candidates, ...found, ...others };
}

const isSound = ({ name, type }: File) =>
  /^(audio|video)\//.test(type) || /\.(wav|mp3|m4a|ogg|oga|opus|flac|webm)$/i.test(name);

const names = {
  transcript: 'text',
  timed: 'file of words with their times',
  sound: 'sound',
  model: 'model',
  picture: 'picture',
  language: 'language model',
} as const;

function onlyOne<F extends { readonly name: string }>(
  file: F,
  before: F | undefined,
  what: keyof typeof names,
): F {
  if (before) throw new RangeError(`${file.name}: expected one ${names[what]}, got ${before.name}, too`);
  return file;
}

/** A vocab.json, and the added_tokens.json that some models have beside it. */
function withAdded(one: TextFile, other: TextFile): TextFile {
  const [own, added] = /added/i.test(one.name) ? [other, one] : [one, other];
  const tokens = [own, added].map(({ text }) => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  });
  if (!/added/i.test(added.name) || tokens.some((list) => typeof list !== 'object' || Array.isArray(list)))
    throw new RangeError(`${other.name}: expected one vocabulary, got ${one.name}, too`);
  return { name: own.name, text: JSON.stringify({ ...tokens[0], ...tokens[1] }) };
}
