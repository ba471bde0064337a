import { checkObject } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { type CtmOptions, writeCtm } from './ctm.js';
import { type SubtitleOptions, writeSrt, writeVtt } from './subtitles.js';
import { type TextGridOptions, writeTextGrid } from './textgrid.js';
import type { TimedWord } from './timed.js';

export interface TimedTextOptions extends SubtitleOptions, TextGridOptions, Partial<CtmOptions> {}

const writers = { srt: writeSrt, vtt: writeVtt, TextGrid: writeTextGrid, ctm: writeCtm };

export type TimedTextFormat = keyof typeof writers;

export const timedTextFormats = Object.keys(writers) as readonly TimedTextFormat[];

/** @throws RangeError listing the formats, if the file's extension is none of theirs. */
export function timedTextFormat(fileName: string): TimedTextFormat {
  const extension = fileName.match(/\.([^./\\]*)$/)?.[1];
  const format = timedTextFormats.find((known) => known.toLowerCase() === extension?.toLowerCase());
  if (format) return format;
  const known = timedTextFormats.map((name) => `.${name}`).join(', ');
  throw wrongValue(
    fileName,
    `a file name that ends in one of ${known}`,
    extension === undefined ? 'no extension' : `.${extension}`,
  );
}

/**
 * The text of a file of words, in the format of its extension. A CTM has the file's own name in each line unless `name` is given.
 *
 * @throws TypeError, RangeError for a wrong argument; listing the formats, if the file's extension is none of theirs.
 */
export function writeTimedText(
  fileName: string,
  words: readonly TimedWord[],
  options: TimedTextOptions = {},
): string {
  if (typeof fileName !== 'string' || fileName === '') throw wrongKind('fileName', 'a file name', fileName);
  checkObject('options', options, ['split', 'duration', 'characters', 'name', 'channel', 'language']);
  const name = fileName.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '');
  return writers[timedTextFormat(fileName)](words, { ...options, name: options.name ?? name });
}
