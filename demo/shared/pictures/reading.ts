// The page's side of the reader.
import { Model, megabytes } from '../model.js';
import type { Expected } from './expected.js';
import type { Line } from './picture.js';
import type { Characters } from './reader.js';
import type { Asked, Read } from './reader-worker.js';

export interface ReadOptions {
  readonly signal: AbortSignal;
  /** What is going on, in words, and how much of it is done, from 0 to 1. */
  readonly say: (what: string, share?: number) => void;
}

const bytes = READER_BYTES.model + READER_BYTES.runtime;

/** What is downloaded once, as it is told to who asks for it. */
export const readerMegabytes = megabytes(bytes);

/** One for all pictures: it stays loaded until it is closed. */
export const reader = new Model({
  ...{ name: 'reader', bytes },
  start: () => new Worker(new URL('./reader-worker.ts', import.meta.url), { type: 'module' }),
});

/** The line that the reader has. */
let last: Line | undefined;

/** @throws Error with what went wrong; the signal's reason when it is aborted. */
export async function readLine(line: Line, options: ReadOptions, expected?: Expected): Promise<Read> {
  const isThere = line === last && reader.loaded;
  const asked: Asked = { ...(!isThere && { line: line.input }), ...(expected && { expected }) };
  last = undefined;
  const read = await reader.ask<Read>(asked, { ...options, running: `Reading ${line.picture.name} …` });
  last = line;
  return read;
}

/** Where a text is in the line that was read last. @throws As `readLine`. */
export function alignText(text: string, options: ReadOptions): Promise<Characters> {
  const asked: Asked = { text };
  return reader.ask(asked, { ...options, running: 'Aligning …' });
}
