import { shown, wrongKind, wrongValue } from '../problem/errors.js';
import type { Cue } from './cues.js';
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

const seconds = String.raw`(\d+\.?\d*|\.\d+)`;
/** Name, channel, start, duration, word; what may follow, such as a confidence, says nothing about the time. */
const line = new RegExp(String.raw`^(\S+)[ \t]+(\S+)[ \t]+${seconds}[ \t]+${seconds}[ \t]+(\S+)([ \t].*)?$`);

/**
 * The words of a CTM, a cue each. Lines that are empty or begin with `;;` are passed over.
 *
 * @param name of the recording, the first field of its lines. Default: the only one.
 * @throws RangeError naming the line that is none; listing the recordings, where it is not clear which one is meant.
 */
export function readCtm(text: string, name?: string): Cue[] {
  const cues = new Map<string, Cue[]>();
  text
    .replace(/^\ufeff/, '')
    .split(/\r?\n|\r/)
    .forEach((written, i) => {
      const trimmed = written.trim();
      if (trimmed === '' || trimmed.startsWith(';;')) return;
      const [, recording, , start, duration, word] = line.exec(trimmed) ?? [];
      if (recording === undefined)
        throw wrongValue(`line ${i + 1}`, 'name, channel, start, duration and a word', trimmed);
      const of = cues.get(recording) ?? [];
      cues.set(recording, of);
      of.push({ text: word!, start: Number(start), end: Number(start) + Number(duration) });
    });
  const names = [...cues.keys()];
  const listed = names.map(shown).join(', ');
  if (name === undefined && names.length > 1) throw wrongValue('name', `one of ${listed}`, name);
  const found = cues.get(name ?? names[0] ?? '');
  if (name !== undefined && !found)
    throw wrongValue('name', names.length > 0 ? `one of ${listed}` : 'a CTM with words', name);
  return found ?? [];
}
