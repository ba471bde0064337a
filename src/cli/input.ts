import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { addAbortSignal } from 'node:stream';
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
  return new TextDecoder().decode(await readInput(path, signal));
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
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of addAbortSignal(signal, stream)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
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
  if (rest !== '') yield rest;
}
