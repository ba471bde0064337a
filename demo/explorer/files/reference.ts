// Times of words that somebody has measured, from a TextGrid, a CTM or subtitles.
import { readTimedText } from 'webgpu-ctc/files';
import type { Reference, ReferenceWord, TextFile } from '../sources/source.js';
import { formatOf } from './texts.js';

/** What aligners write where nobody speaks. */
const silence = /^(<eps>|<?sil>?|sp|<p>)$/i;

/**
 * @param recording the one that is meant, of a CTM that has several
 * @throws RangeError naming the file and what is wrong in it.
 */
export function referenceOf({ name, text }: TextFile, recording: string): Reference {
  const format = formatOf(text);
  const fileName = /\.(srt|vtt|textgrid|ctm)$/i.test(name) || !format ? name : `${name}.${format}`;
  try {
    const cues = cuesIn(fileName, text, recording);
    const words = cues.flatMap((cue) => wordsIn(cue));
    if (words.length === 0) throw new RangeError('expected words with their times, got none');
    return { name, words };
  } catch (error) {
    throw new RangeError(`${name}: ${(error as Error).message}`);
  }
}

function cuesIn(fileName: string, text: string, recording: string) {
  try {
    return readTimedText(fileName, text);
  } catch (error) {
    const named = /\.ctm$/i.test(fileName) && (error as Error).message.startsWith('name: ');
    if (!named) throw error;
    return readTimedText(fileName, text, { name: recording });
  }
}

function wordsIn({ text, start, end }: ReturnType<typeof readTimedText>[number]): ReferenceWord[] {
  const words = text.split(/\s+/u).filter((word) => word !== '' && !silence.test(word));
  return words.map((word, i) => ({
    text: word,
    ...(i === 0 && { start }),
    ...(i === words.length - 1 && { end }),
  }));
}
