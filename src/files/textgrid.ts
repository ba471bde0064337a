import { wrongKind, wrongValue } from '../problem/errors.js';
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
