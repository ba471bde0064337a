import { wrongValue } from '../problem/errors.js';
import type { TimedWord } from './timed.js';

/** What is shown at once: its lines, and from when to when, as it was written. */
export type Cue = Pick<TimedWord, 'text' | 'start' | 'end'>;

const clock = String.raw`((?:\d+:)?\d+:\d+(?:[.,] ?\d+)?)`;
const times = new RegExp(String.raw`^\s*${clock}\s*-->\s*${clock}(?:\s.*)?$`);

/** What is meant for times, right or wrong: a clock beside an arrow of any kind. */
const looksTimed = (line: string): boolean => /-+>|[—–―]>|[→⟶➔]/u.test(line) && /\d:\d/.test(line);

/** The number of a cue, as people write it. */
const counter = /^\s*[#№]?\s*(\d+)\s*[.):]?\s*$/;

/** Bold, colours, who speaks, where a line stands: nothing that is said. A tag may end in the next line. */
const markupOf = {
  srt: /<\/?[bius]\s*>|<\/?font\b[^<>]*>|<\/?[cv](?:\.[\w.-]+)?>|\{\\[^{}]*\}/giu,
  vtt: /<[^<>]*>/gu,
};

const references = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['nbsp', '\u00a0'],
  ['lrm', ''],
  ['rlm', ''],
]);

/** SubRip, as players read it: numbers may be missing, and a cue may have an empty line in it. @throws RangeError naming the line. */
export const readSrt = (text: string): Cue[] =>
  cuesOf(linesOf(text), 'srt').flatMap((cue) => asCue(cue, 'srt'));

/** WebVTT, https://www.w3.org/TR/webvtt1/. @throws RangeError naming the line. */
export function readVtt(text: string): Cue[] {
  const cues = cuesOf(linesOf(text), 'vtt');
  // captions that roll: what was shown is shown again above what is new
  const roll = /<(?:\d+:)?\d+:\d+\.\d+><c>/.test(text);
  return (roll ? unrolled(cues) : cues).flatMap((cue) => asCue(cue, 'vtt'));
}

/** Lines without what nobody sees. */
const linesOf = (text: string): string[] =>
  text.split(/\r*\n|\r/).map((line) => line.replace(/^[\u200b-\u200f\ufeff]+/, '').replaceAll('\0', ''));

interface Open {
  readonly start: number;
  readonly end: number;
  readonly lines: string[];
}

function cuesOf(lines: readonly string[], format: 'srt' | 'vtt'): Open[] {
  const isVtt = format === 'vtt';
  if (isVtt && !/^WEBVTT(?:[ \t]|$)/.test(lines[0]!)) throw wrongValue('line 1', 'WEBVTT', lines[0]);
  const isEmpty = (line: string) => (isVtt ? line === '' : line.trim() === '');
  const cues: Open[] = [];
  /** The number that the first cue would have, by the last one that was numbered. */
  let first: number | undefined;
  const isNext = (number: number) => first !== undefined && number === first + cues.length;
  // a paragraph of the file: what it is shows in its first line, or in the one after
  let inside: 'cue' | 'other' | undefined = isVtt ? 'other' : undefined;
  lines.forEach((line, i) => {
    const found = times.exec(line);
    // notes may have arrows in them
    if (found || (looksTimed(line) && inside !== 'other' && (line.includes('-->') || !isVtt))) {
      if (!found)
        throw wrongValue(`line ${i + 1}`, 'times, such as 00:00:01,000 --> 00:00:02,500', line.trim());
      // where the empty line between two cues is missing, the number of the second one is the last line of the first
      const below = counter.exec(cues.at(-1)?.lines.at(-1) ?? '');
      if (!isVtt && inside === 'cue' && below && isNext(Number(below[1]))) cues.at(-1)!.lines.pop();
      cues.push({ start: seconds(found[1]!), end: seconds(found[2]!), lines: [] });
      inside = 'cue';
    } else if (isEmpty(line)) inside = undefined;
    else if (inside === 'cue') cues.at(-1)!.lines.push(line);
    else if (inside === undefined) {
      const next = lines.slice(i + 1).find((other) => isVtt || !isEmpty(other));
      const named = next !== undefined && (isVtt ? times.test(next) : looksTimed(next));
      const counted = counter.exec(line);
      if (isVtt) {
        // the name of a cue
        if (named) return;
        if (!/^(?:NOTE|STYLE|REGION)(?:\s|$)/.test(line)) throw noCue(i, line);
        inside = 'other';
      } else if (counted && (named || isNext(Number(counted[1])))) {
        // also that of a cue which is missing at the end
        first = Number(counted[1]) - cues.length;
      } else if (cues.length === 0) throw noCue(i, line);
      else {
        cues.at(-1)!.lines.push(line);
        inside = 'cue';
      }
    }
  });
  return cues;
}

const noCue = (i: number, line: string) =>
  wrongValue(`line ${i + 1}`, 'a cue: a line with its times, and its text below', line.trim());

/** Without the lines at the beginning of a cue that are the last ones of the cue before. */
function unrolled(cues: readonly Open[]): Open[] {
  let shown: readonly string[] = [];
  return cues.map((cue) => {
    const lines = cue.lines.map((line) => plain(line, 'vtt').trim());
    const said = lines.filter(Boolean);
    let again = Math.min(shown.length, said.length);
    while (again > 0 && shown.slice(-again).join('\n') !== said.slice(0, again).join('\n')) again--;
    shown = said.length > 0 ? said : shown;
    return { ...cue, lines: said.slice(again) };
  });
}

/** None where nothing is said. */
function asCue({ lines, start, end }: Open, format: 'srt' | 'vtt'): Cue[] {
  const text = plain(lines.join('\n'), format)
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .join('\n');
  return text === '' ? [] : [{ text, start, end }];
}

function plain(text: string, format: 'srt' | 'vtt'): string {
  const bare = text.replace(markupOf[format], (tag) => (tag.includes('\n') ? '\n' : ''));
  if (format === 'srt') return bare;
  return bare.replace(/&(?:(\w+)|#(\d+)|#x([\da-f]+));/giu, (written, name, decimal, hexadecimal) => {
    if (name !== undefined) return references.get(name) ?? written;
    const code = decimal === undefined ? Number.parseInt(hexadecimal, 16) : Number(decimal);
    const isLetter = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000);
    return isLetter ? String.fromCodePoint(code) : written;
  });
}

/** Of hours, minutes, seconds and their decimals; hours may be missing. */
const seconds = (written: string): number =>
  written
    .replace(/, ?|\. /, '.')
    .split(':')
    .reduce((sum, part) => 60 * sum + Number(part), 0);
