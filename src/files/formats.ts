import { checkObject, isList } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { type CtmOptions, readCtm, writeCtm } from './ctm.js';
import { type Cue, readSrt, readVtt } from './cues.js';
import { type SubtitleOptions, writeSrt, writeVtt } from './subtitles.js';
import { readTextGrid, type TextGridOptions, writeTextGrid } from './textgrid.js';
import type { TimedWord } from './timed.js';

/** Options of `writeTimedText`. */
export interface TimedTextOptions extends SubtitleOptions, TextGridOptions, Partial<CtmOptions> {}

const writers = { srt: writeSrt, vtt: writeVtt, TextGrid: writeTextGrid, ctm: writeCtm };

/** A format of words with their times, called as its files end. */
export type TimedTextFormat = keyof typeof writers;

/** All of them. */
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
  const { split, language } = options;
  if (split !== undefined && split !== 'caption' && split !== 'word' && !isList(split))
    throw wrongValue('split', "'caption', 'word' or how many words each cue has", split);
  if (language !== undefined && typeof language !== 'string')
    throw wrongKind('language', 'a string', language);
  const name = fileName.replace(/^.*[/\\]/, '').replace(/\.[^.]*$/, '');
  return writers[timedTextFormat(fileName)](words, { ...options, name: options.name ?? name });
}

/** @throws RangeError for a text that is not of its format. */
const readers: Record<TimedTextFormat, (text: string, options: ReadTimedTextOptions) => Cue[]> = {
  srt: readSrt,
  vtt: readVtt,
  TextGrid: (text, { tier }) => readTextGrid(text, tier),
  ctm: (text, { name }) => readCtm(text, name),
};

/** Options of `readTimedText`. */
export interface ReadTimedTextOptions {
  /** Of a TextGrid: the name of the tier. Default: the only one, or the one called `words`. */
  readonly tier?: string | undefined;
  /** Of a CTM: the recording whose words are meant, the first field of their lines. Default: the only one. */
  readonly name?: string | undefined;
}

/** The format that a text has, whatever its file is called; undefined for text without times, and for a CTM, whose lines may be text. */
export function formatOf(text: string): TimedTextFormat | undefined {
  const start = text.slice(0, 1000).replace(/^\ufeff/, '');
  if (/^WEBVTT(?:\s|$)/.test(start)) return 'vtt';
  if (/^\s*(?:File type *= *)?"ooTextFile(?: short)?"/.test(start)) return 'TextGrid';
  return /^\s*(?:\d+\s*[\r\n]\s*)?(?:\d+:)?\d+:\d+(?:[.,]\d+)? *--> *\d/.test(start) ? 'srt' : undefined;
}

/** The cues of a text of a format. @throws RangeError naming what was expected. */
export const readCues = (format: TimedTextFormat, text: string, options: ReadTimedTextOptions = {}): Cue[] =>
  readers[format](text, options);

/**
 * What a file of subtitles (SRT, WebVTT), a TextGrid or a CTM says, and when, in the order of the file: a transcript whose times are to be
 * mended, or a reference. Bold, colours, positions and speakers are left out, and so are the empty intervals of a TextGrid. Times are what is
 * written, in seconds.
 *
 * @param fileName whose extension says the format
 * @throws TypeError, RangeError for a wrong argument; naming the line that is not of its format, so that no text is lost.
 */
export function readTimedText(fileName: string, text: string, options: ReadTimedTextOptions = {}): Cue[] {
  if (typeof fileName !== 'string' || fileName === '') throw wrongKind('fileName', 'a file name', fileName);
  if (typeof text !== 'string') throw wrongKind('text', 'the text of the file', text);
  checkObject('options', options, ['tier', 'name']);
  const { tier, name } = options;
  if (tier !== undefined && typeof tier !== 'string') throw wrongKind('tier', 'the name of a tier', tier);
  if (name !== undefined && typeof name !== 'string')
    throw wrongKind('name', 'the name of a recording', name);
  const format = timedTextFormat(fileName);
  if (tier !== undefined && format !== 'TextGrid')
    throw wrongKind('tier', 'none, as only a TextGrid has tiers', tier);
  if (name !== undefined && format !== 'ctm')
    throw wrongKind('name', 'none, as only a CTM names its recordings', name);
  return readCues(format, text, options);
}
