import { wrongValue } from '../problem/errors.js';
import type { TimedWord } from './timed.js';

/** What is shown at once: its lines, and from when to when, as it was written. */
export type Cue = Pick<TimedWord, 'text' | 'start' | 'end'>;

const times = /^\s*((?:\d+:)?\d+:\d+(?:[.,]\d+)?)\s*-->\s*((?:\d+:)?\d+:\d+(?:[.,]\d+)?)(?:\s.*)?$/;

/** Bold, colours, who speaks, where a line stands: nothing that is said. */
const markupOf = {
  srt: /<\/?(?:b|i|u|s|font|c|v)\b[^<>]*>|\{\\[^{}]*\}/giu,
  vtt: /<[^<>]*>/gu,
};

const references: Record<string, string> = { amp: '&', lt: '<', gt: '>', nbsp: '\u00a0', lrm: '', rlm: '' };

/** SubRip, as players read it: numbers may be missing, and a cue may have an empty line in it. @throws RangeError naming the line. */
export const readSrt = (text: string): Cue[] => cuesOf(text, 'srt');

/** WebVTT, https://www.w3.org/TR/webvtt1/. @throws RangeError naming the line. */
export const readVtt = (text: string): Cue[] => cuesOf(text, 'vtt');

interface Open {
  readonly start: number;
  readonly end: number;
  readonly lines: string[];
}

function cuesOf(text: string, format: 'srt' | 'vtt'): Cue[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|[\n\r]/);
  const isVtt = format === 'vtt';
  if (isVtt && !/^WEBVTT(?:[ \t]|$)/.test(lines[0]!)) throw wrongValue('line 1', 'WEBVTT', lines[0]);
  const cues: Open[] = [];
  // a paragraph of the file: what it is shows in its first line, or in the one after
  let inside: 'cue' | 'other' | undefined = isVtt ? 'other' : undefined;
  lines.forEach((line, i) => {
    if (line.trim() === '') {
      inside = undefined;
    } else if (line.includes('-->') && inside !== 'other') {
      const found = times.exec(line);
      if (!found)
        throw wrongValue(`line ${i + 1}`, 'times, such as 00:00:01,000 --> 00:00:02,500', line.trim());
      // where the empty line before it is missing, its number stands below the text of the cue before
      if (inside === 'cue' && /^\s*\d+\s*$/.test(lines[i - 1]!)) cues.at(-1)!.lines.pop();
      cues.push({ start: seconds(found[1]!), end: seconds(found[2]!), lines: [] });
      inside = 'cue';
    } else if (inside === 'cue') {
      cues.at(-1)!.lines.push(line);
    } else if (inside === undefined) {
      if (isVtt && /^(?:NOTE|STYLE|REGION)(?:\s|$)/.test(line)) inside = 'other';
      // the name of a cue, which is a number in SubRip
      else if ((isVtt || /^\s*\d+\s*$/.test(line)) && lines[i + 1]?.includes('-->')) return;
      else if (isVtt || cues.length === 0)
        throw wrongValue(`line ${i + 1}`, 'a cue: a line with its times, and its text below', line.trim());
      else {
        cues.at(-1)!.lines.push(line);
        inside = 'cue';
      }
    }
  });
  return cues
    .map(({ lines, ...times }) => ({
      text: lines
        .map((line) => plain(line, format).trim())
        .filter(Boolean)
        .join('\n'),
      ...times,
    }))
    .filter(({ text }) => text !== '');
}

function plain(line: string, format: 'srt' | 'vtt'): string {
  const text = line.replace(markupOf[format], '');
  if (format === 'srt') return text;
  return text.replace(/&(?:(\w+)|#(\d+)|#x([\da-f]+));/giu, (written, name, decimal, hexadecimal) => {
    if (name !== undefined) return references[name] ?? written;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : written;
  });
}

/** Of hours, minutes, seconds and their decimals; hours may be missing. */
const seconds = (clock: string): number =>
  clock
    .replace(',', '.')
    .split(':')
    .reduce((sum, part) => 60 * sum + Number(part), 0);
