import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
import { decodeText } from '../files/decode-text.js';
import { InputError, inputError } from './failure.js';

/** The whole of a file; `-` is stdin. @throws InputError naming the file. */
export async function readInput(path: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    if (path !== '-') return await readFile(path, { signal });
    const chunks: Uint8Array[] = [];
    for await (const chunk of addAbortSignal(signal, process.stdin)) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    throw inputError(path, error);
  }
}

export async function readText(path: string, signal: AbortSignal): Promise<string> {
  const bytes = await readInput(path, signal);
  try {
    return decodeText(bytes, path);
  } catch (error) {
    throw inputError(path, error);
  }
}

/** Other encodings would give other letters, or none, and nobody would hear of it. */
const utf8 = () => new TextDecoder('utf-8', { fatal: true });

function asText(path: string, decode: () => string): string {
  try {
    return decode();
  } catch {
    throw new InputError(`${path}: expected text in UTF-8, got something else`);
  }
}

export async function readJson(path: string, signal: AbortSignal): Promise<unknown> {
  try {
    return JSON.parse(await readText(path, signal));
  } catch (error) {
    throw error instanceof SyntaxError ? new InputError(`${path}: not JSON: ${error.message}`) : error;
  }
}

const longestLine = 2 ** 24;

/** The lines of a file of any length, one at a time; `-` is stdin. @throws InputError naming the file. */
export async function* linesOf(path: string, signal: AbortSignal): AsyncGenerator<string, void> {
  // readline swallows the errors of what it reads
  const stream = path === '-' ? process.stdin : createReadStream(path);
  const decoder = utf8();
  let rest = '';
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      const text = asText(path, () => decoder.decode(chunk, { stream: true }));
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      if (rest.length > longestLine)
        throw new InputError(
          `${path}: expected lines of at most ${longestLine} characters, got a longer one`,
        );
      yield* lines;
    }
  } catch (error) {
    throw inputError(path, error);
  }
  // a letter may have been cut off at the end
  rest += asText(path, () => decoder.decode());
  if (rest !== '') yield rest;
}
