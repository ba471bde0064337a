import { basename, extname } from 'node:path';
import type { BeamReading } from '../entries/lm.js';
import { segmentsOf, type TimedText } from '../entries/text.js';
import { timedTextFormat, timedTextFormats, writeTimedText } from '../files/formats.js';
import { jsonNumber } from './case.js';
import { InputError, inputError } from './failure.js';

/** What was said in one recording, and when. */
export interface Result extends TimedText {
  readonly text: string;
  /** Natural logarithm of the probability of the path. */
  readonly score: number;
  /** Seconds of the recording. */
  readonly duration: number;
  /** How many words each line of each cue of the text has, where cues are those of the text. */
  readonly cues?: readonly (readonly number[])[] | undefined;
  readonly language?: string | undefined;
  /** Of an alignment: frames in which something else than the text is heard. */
  readonly mismatched?: number;
  /** Of a beam search: the texts that it has found, the best first. */
  readonly nbest?: readonly BeamReading[] | undefined;
  /** Seconds from a frame to the next, of which `nbest` counts. */
  readonly frameSeconds?: number | undefined;
  /** What is doubtful about what was known of the text. */
  readonly notes?: readonly string[] | undefined;
}

/** What a cue of subtitles, or a line of CTM, holds; left out: captions, or words. */
export type Split = 'word' | 'char' | 'line';

const isJson = (path: string) => extname(path).toLowerCase() === '.json';

/** Of a ranking. */
export const rankingFormats = ['json', 'tsv'];

/** @throws InputError unless the extension is that of a format; by default of timed text. */
export function checkFormat(path: string, formats?: readonly string[]): void {
  const extension = extname(path).toLowerCase().slice(1);
  if (formats && !formats.includes(extension))
    throw new InputError(
      `${path}: expected a name that ends in one of ${formats.map((format) => `.${format}`).join(', ')}`,
    );
  if (formats || isJson(path)) return;
  try {
    timedTextFormat(path);
  } catch {
    const known = [...timedTextFormats, 'json'].map((format) => `.${format}`).join(', ');
    throw new InputError(`${path}: expected a name that ends in one of ${known}`);
  }
}

/** The text of a file in the format of its extension. `name` is that of the recording. */
export function contentOf(path: string, name: string, result: Result, split?: Split): string {
  if (isJson(path)) return `${JSON.stringify(jsonOf(result), null, 2)}\n`;
  const { words, characters, duration, cues, language } = result;
  const grid = timedTextFormat(path) === 'TextGrid';
  try {
    return writeTimedText(path, split === 'char' && !grid ? characters : words, {
      name: basename(name, extname(name)),
      duration,
      characters,
      language,
      split: cues ?? (split ? 'word' : 'caption'),
    });
  } catch (error) {
    throw inputError(path, error);
  }
}

export function jsonOf({ text, score, duration, words, characters, nbest, frameSeconds = 0 }: Result) {
  const round = (list: TimedText['words']) =>
    list.map(({ text, start, end, confidence, aligned, joined }) => ({
      text,
      start: rounded(start),
      end: rounded(end),
      confidence: rounded(confidence),
      aligned,
      ...(joined && { joined }),
    }));
  return {
    text,
    score: jsonNumber(score),
    duration: rounded(duration),
    segments: round(segmentsOf(words)),
    words: round(words),
    characters: round(characters),
    ...(nbest && { nbest: nbest.map((reading) => jsonOfReading(reading, frameSeconds)) }),
  };
}

function jsonOfReading(reading: BeamReading, frameSeconds: number) {
  const { text, ctc, lm, unknown, hotwords, total, probability, words } = reading;
  return {
    text,
    ...{ ctc: rounded(ctc), lm: rounded(lm), unknown, hotwords: rounded(hotwords), total: rounded(total) },
    probability: rounded(probability),
    words: words.map(({ text, start, end, confidence }) => ({
      text,
      start: rounded(start * frameSeconds),
      end: rounded(end * frameSeconds),
      confidence: rounded(confidence),
    })),
  };
}

/** 0.34 rather than 0.34000000000000002. */
const rounded = (value: number) => Number(value.toFixed(6));
