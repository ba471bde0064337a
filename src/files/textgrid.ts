import { checkInteger } from '../problem/check.js';
import { shown, wrongKind, wrongValue } from '../problem/errors.js';
import type { Cue } from './cues.js';
import { checkSeconds, decimal, milliseconds, onTimeline, type Spoken, type TimedWord } from './timed.js';

export interface TextGridOptions {
  /** Seconds of the recording. Default: the end of the last word. */
  readonly duration?: number | undefined;
  /** For a second tier, `characters`. */
  readonly characters?: readonly TimedWord[] | undefined;
}

/**
 * A TextGrid of Praat's as long text: an interval tier `words`, and one `characters` if there are some. Intervals cover all of
 * the recording; those between words are empty.
 *
 * @throws TypeError, RangeError for a word that is none, or if `duration` is shorter than the words, or missing where there are none.
 */
export function writeTextGrid(words: readonly TimedWord[], options: TextGridOptions = {}): string {
  const tiers: [name: string, marks: Spoken[]][] = [['words', onTimeline(words)]];
  if (options.characters !== undefined)
    tiers.push(['characters', onTimeline(options.characters, 'characters')]);
  const last = [words, options.characters ?? []]
    .flat()
    .reduce((most, { end }) => Math.max(most, milliseconds(end)), 0);
  const spoken = Math.max(last, ...tiers.map(([, marks]) => marks.at(-1)?.end ?? 0));
  const { duration = spoken / 1000 } = options;
  if (typeof duration !== 'number') throw wrongKind('duration', 'seconds', duration);
  if (!(milliseconds(duration) >= Math.max(last, 1) && duration < Infinity))
    throw wrongValue(
      'duration',
      last > 0 ? `seconds ≥ ${decimal(last)} (the end of the last word)` : 'seconds > 0',
      duration,
    );
  checkSeconds('duration', duration, 0);
  const end = Math.max(spoken, milliseconds(duration));
  return [
    'File type = "ooTextFile"',
    'Object class = "TextGrid"',
    '',
    'xmin = 0',
    `xmax = ${decimal(end)}`,
    'tiers? <exists>',
    `size = ${tiers.length}`,
    'item []:',
    ...tiers.flatMap(([name, marks], i) => [
      `    item [${i + 1}]:`,
      ...tier(name, withGaps(marks, end), end),
    ]),
    '',
  ].join('\n');
}

function withGaps(marks: readonly Spoken[], end: number): Spoken[] {
  const intervals: Spoken[] = [];
  let now = 0;
  for (const mark of [...marks, { text: '', start: end, end }]) {
    if (mark.start > now) intervals.push({ text: '', start: now, end: mark.start });
    if (mark.end > mark.start) intervals.push(mark);
    now = mark.end;
  }
  return intervals;
}

function tier(name: string, intervals: readonly Spoken[], end: number): string[] {
  return [
    '        class = "IntervalTier"',
    `        name = "${name}"`,
    '        xmin = 0',
    `        xmax = ${decimal(end)}`,
    `        intervals: size = ${intervals.length}`,
    ...intervals.flatMap((interval, i) => [
      `        intervals [${i + 1}]:`,
      `            xmin = ${decimal(interval.start)}`,
      `            xmax = ${decimal(interval.end)}`,
      `            text = "${interval.text.replaceAll('"', '""')}"`,
    ]),
  ];
}

/**
 * What one tier of a TextGrid says and when, without its empty intervals: Praat's long text form, or its short one. A point begins and ends at once.
 *
 * @param tier its name. Default: the only one, or the one called `words` or `word`.
 * @throws RangeError where the text is no TextGrid; listing the tiers, where it is not clear which one is meant.
 */
export function readTextGrid(text: string, tier?: string): Cue[] {
  const tiers = tiersOf(text);
  const named = tiers.filter(({ name }) => (tier === undefined ? /^words?$/i.test(name) : name === tier));
  const [found, other] = tier === undefined && tiers.length === 1 ? tiers : named;
  if (!found || other) {
    const names = tiers.map(({ name }) => shown(name)).join(', ');
    throw wrongValue('tier', names === '' ? 'a TextGrid with tiers' : `one of ${names}`, tier);
  }
  return found.cues.filter(({ text }) => text.trim() !== '');
}

/** The numbers, and the texts in quotes: all else in such a file is there for people. */
function* partsOf(text: string): Generator<string | number> {
  // the number of a [1] is no part, nor is what follows a !
  for (const [part] of text.matchAll(/"(?:[^"]|"")*"|\[[^[\]]*\]|![^\n]*|[^\s"[\]!]+/gu)) {
    if (part.startsWith('"')) yield part.slice(1, -1).replaceAll('""', '"');
    else if (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/iu.test(part)) yield Number(part);
  }
}

function tiersOf(grid: string): { readonly name: string; readonly cues: readonly Cue[] }[] {
  const parts = partsOf(grid);
  const next = (expected: string) => {
    const { value, done } = parts.next();
    if (done) throw wrongValue('text', `a TextGrid with ${expected}`, 'its end');
    return value;
  };
  const text = (expected: string) => {
    const value = next(expected);
    if (typeof value !== 'string') throw wrongValue('text', `a TextGrid with ${expected}`, value);
    return value;
  };
  const number = (expected: string) => {
    const value = next(expected);
    if (typeof value !== 'number') throw wrongValue('text', `a TextGrid with ${expected}`, value);
    return value;
  };
  const size = (expected: string) => checkInteger(`text: ${expected}`, number(expected), 0);
  const type = text('"ooTextFile" first');
  if (!type.startsWith('ooTextFile')) throw wrongValue('text', 'a TextGrid with "ooTextFile" first', type);
  const kind = text('"TextGrid" second');
  if (kind !== 'TextGrid') throw wrongValue('text', '"TextGrid" as its object class', kind);
  number('where it begins');
  number('where it ends');
  const tiers: { name: string; cues: Cue[] }[] = [];
  const count = size('how many tiers it has');
  for (let i = 1; i <= count; i++) {
    const kind = text(`the class of tier ${i}`);
    if (kind !== 'TextTier' && kind !== 'IntervalTier')
      throw wrongValue('text', `IntervalTier or TextTier as the class of tier ${i}`, kind);
    const isPoints = kind === 'TextTier';
    const name = text(`the name of tier ${i}`);
    number(`where tier ${i} begins`);
    number(`where tier ${i} ends`);
    const cues: Cue[] = [];
    const intervals = size(`how many intervals tier ${i} has`);
    for (let j = 1; j <= intervals; j++) {
      const what = `of interval ${j} of tier ${i}`;
      const start = number(`the start ${what}`);
      const end = isPoints ? start : number(`the end ${what}`);
      cues.push({ start, end, text: text(`the text ${what}`) });
    }
    tiers.push({ name, cues });
  }
  // more than was announced, or what follows a quote that is not doubled
  const { value: more, done } = parts.next();
  if (!done) throw wrongValue('text', 'nothing after the last tier of a TextGrid', more);
  return tiers;
}
