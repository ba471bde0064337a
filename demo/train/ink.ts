// Which ink is read as which digit, and ink drawn so.

import { bestClasses } from '../../learning/best-path.js';
import type { Point, Stroke } from '../../learning/glyphs.js';
import { classes, features, follow, stride } from '../../learning/pen.js';
import type { PenReading } from '../../learning/settings.js';
import { palette } from '../shared/canvas.js';
import type { Theme } from '../shared/colours.js';

/** Of the digits 0 to 9: each contrasts with the card by 3.7 at least, and those of neighbouring hues differ in lightness. */
export const digitColours: Readonly<Record<Theme, readonly string[]>> = {
  light: [
    ...['#9e141e', '#559400', '#005b8a', '#c64d90', '#645500'],
    ...['#0f919c', '#752d96', '#ba6900', '#00654d', '#6971e3'],
  ],
  dark: [
    ...['#febab4', '#6fa83e', '#9fd5fe', '#d76ba4', '#e9cd49'],
    ...['#00a9b7', '#e6baff', '#d67c15', '#4aedbd', '#7f8af0'],
  ],
};

/** The colour of ink that is read as a digit, or as none. */
export const colourOfDigit = (digit: number | undefined, theme: Theme): string =>
  digit === undefined ? palette()('quiet') : digitColours[theme][digit]!;

/** A part of a stroke, from one share of its length to another, and which of the digits read it is. */
interface Part {
  readonly from: number;
  readonly to: number;
  readonly read: number | undefined;
}

export interface Attributed {
  /** The digits that are read. */
  readonly digits: readonly number[];
  /** Which of them each movement belongs to; none in the air. */
  readonly movements: readonly (number | undefined)[];
  /** Of each stroke, from its beginning to its end. */
  readonly parts: readonly (readonly Part[])[];
}

/**
 * What stands apart belongs to the digits in their order, where there are as many; else a stroke belongs to the digit that the
 * network was surest of while it followed the stroke, and to several from the middle between them on.
 */
export function attribute(strokes: readonly Stroke[], reading: PenReading): Attributed {
  const { movements: moved, places } = follow(strokes);
  const spikes = spikesOf(reading);
  const movements: (number | undefined)[] = Array.from({ length: moved.length / features }, () => undefined);
  const parts: Part[][] = strokes.map(() => []);
  const groups = 1 + Math.max(-1, ...places.map(({ group }) => group));
  for (const { stroke, group, first, count, backward } of places) {
    const middle = first + count / 2;
    const nearest = (at: number) =>
      spikes.reduce<number | undefined>(
        (best, spike, i) =>
          best === undefined || Math.abs(spike.at - at) < Math.abs(spikes[best]!.at - at) ? i : best,
        undefined,
      );
    const inside = spikes.some(({ at }) => at >= first && at < first + count);
    for (let i = first; i < first + count; i++)
      movements[i] = groups === spikes.length ? group : nearest(inside ? i + 0.5 : middle);
    for (let begin = first, i = first + 1; i <= first + count; i++) {
      if (i < first + count && movements[i] === movements[begin]) continue;
      const [from, to] = [(begin - first) / count, (i - first) / count];
      const read = movements[begin];
      parts[stroke]!.push(backward ? { from: 1 - to, to: 1 - from, read } : { from, to, read });
      begin = i;
    }
    if (backward) parts[stroke]!.reverse();
  }
  return { digits: spikes.map(({ digit }) => digit), movements, parts };
}

/** The digits that are read, and at which movement each. */
function spikesOf({ posteriors, frames }: PenReading): { digit: number; at: number }[] {
  const best = bestClasses({ logits: posteriors, frames, classes });
  const spikes: { digit: number; at: number }[] = [];
  for (let t = 0, end = 0; t < frames; t = end) {
    end = t + 1;
    while (end < frames && best[end] === best[t]) end++;
    if (best[t]! > 0) spikes.push({ digit: best[t]! - 1, at: ((t + end) / 2) * stride });
  }
  return spikes;
}

/** Below the ink: what it is read as. */
const [labelHeight, labelWidth] = [22, 12];

/** Strokes as large as there is room for, in the colours of the digits that they are read as, and those digits below them. */
export function drawRead(
  context: CanvasRenderingContext2D,
  { width, height }: { width: number; height: number },
  strokes: readonly Stroke[],
  { digits, parts }: Attributed,
  theme: Theme,
  lineWidth: number,
): void {
  const fitted = fit(strokes, width, height - labelHeight, 0.08);
  const reach = digits.map(() => ({ left: Infinity, right: -Infinity }));
  Object.assign(context, { lineWidth, lineCap: 'round', lineJoin: 'round' });
  for (const [i, stroke] of fitted.entries()) {
    for (const { from, to, read } of parts[i]!) {
      const points = between(stroke, from, to);
      context.strokeStyle = colourOfDigit(read === undefined ? undefined : digits[read], theme);
      drawLine(context, points);
      const box = read === undefined ? undefined : reach[read];
      for (const [x] of box ? points : []) {
        box!.left = Math.min(box!.left, x);
        box!.right = Math.max(box!.right, x);
      }
    }
  }
  Object.assign(context, {
    ...{ fillStyle: palette()('text'), textAlign: 'center', textBaseline: 'bottom' },
    font: '600 15px ui-sans-serif, system-ui, sans-serif',
  });
  // what is guessed may be more than there is room for below its ink
  let free = 0;
  for (const [i, { left, right }] of reach.entries()) {
    if (left > right) continue;
    const x = Math.max((left + right) / 2, free);
    context.fillText(String(digits[i]), x, height - 1);
    free = x + labelWidth;
  }
}

/** A line through points; a touch alone is a dot. */
export function drawLine(context: CanvasRenderingContext2D, [first, ...rest]: readonly Point[]): void {
  if (!first) return;
  context.beginPath();
  context.moveTo(...first);
  for (const point of rest.length > 0 ? rest : [first]) context.lineTo(...point);
  context.stroke();
}

/** How far each point of a stroke is from the one before. */
const lengthsOf = (stroke: Stroke): number[] =>
  stroke.map(([x, y], i) => {
    const [beforeX, beforeY] = stroke[i - 1] ?? [x, y];
    return Math.hypot(x - beforeX, y - beforeY);
  });

const sum = (lengths: readonly number[]) => lengths.reduce((all, length) => all + length, 0);

export const lengthOf = (stroke: Stroke): number => sum(lengthsOf(stroke));

/** The part of a stroke from one share of its length to another. */
function between(stroke: Stroke, from: number, to: number): Point[] {
  const lengths = lengthsOf(stroke);
  const whole = sum(lengths);
  if (whole === 0) return [...stroke];
  const [begin, end] = [from * whole, to * whole];
  const points: Point[] = [];
  let way = 0;
  for (const [i, [x, y]] of stroke.entries()) {
    const length = lengths[i]!;
    const [beforeX, beforeY] = stroke[i - 1] ?? [x, y];
    for (const at of [begin, end]) {
      if (length === 0 || at < way || at > way + length) continue;
      const share = (at - way) / length;
      points.push([beforeX + (x - beforeX) * share, beforeY + (y - beforeY) * share]);
    }
    way += length;
    if (way > begin && way < end) points.push([x, y]);
  }
  return points;
}

/** Whether it is the same handwriting, of any size and in any place. */
export function sameInk(a: readonly Stroke[], b: readonly Stroke[]): boolean {
  const [one, other] = [fit(a, 1000, 1000), fit(b, 1000, 1000)];
  return (
    one.length === other.length &&
    one.every(
      (stroke, i) =>
        stroke.length === other[i]!.length &&
        stroke.every(([x, y], j) => Math.hypot(x - other[i]![j]![0], y - other[i]![j]![1]) < 0.1),
    )
  );
}

/** Strokes in the middle of a place, as large as there is room for. */
export function fit(strokes: readonly Stroke[], width: number, height: number, margin = 0.16): Point[][] {
  const points = strokes.flat();
  const ends = (axis: 0 | 1) => {
    const values = points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)] as const;
  };
  const [[left, right], [top, bottom]] = [ends(0), ends(1)];
  const room = (1 - 2 * margin) * height;
  const scale = Math.min(room / Math.max(1, bottom - top), (width - room * 0.4) / Math.max(1, right - left));
  const shift = (value: number, first: number, last: number, size: number) =>
    (value - (first + last) / 2) * scale + size / 2;
  return strokes.map((stroke) =>
    stroke.map(([x, y]) => [shift(x, left, right, width), shift(y, top, bottom, height)] as const),
  );
}
