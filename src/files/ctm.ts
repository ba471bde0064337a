import { wrongKind } from '../problem/errors.js';
import { decimal, onTimeline, type TimedWord } from './timed.js';

export interface CtmOptions {
  /** Of the recording: the first field of each line. */
  readonly name: string;
  /** Default `1`. */
  readonly channel?: string;
}

/** A field: spaces end one, `;;` starts a comment, and none may be empty. */
const field = (text: string) => text.replace(/\s+/g, '_').replace(/^(;;|$)/, '_');

/** NIST's time-marked conversation: a line `name channel start duration word confidence` for each word, in seconds. */
export function writeCtm(words: readonly TimedWord[], { name, channel = '1' }: CtmOptions): string {
  for (const [key, text] of Object.entries({ name, channel }))
    if (typeof text !== 'string') throw wrongKind(key, 'a string', text);
  return onTimeline(words)
    .map(({ text, start, end, confidence }) => {
      const fields = [name, channel].map(field);
      fields.push(decimal(start), decimal(end - start), field(text));
      if (confidence !== undefined) fields.push(confidence.toFixed(3));
      return `${fields.join(' ')}\n`;
    })
    .join('');
}
