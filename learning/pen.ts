// Pen strokes as the network sees them: movements of equal length, whatever the size of the writing, the speed of the pen, the order of
// the strokes and the end at which each was begun.

import type { Stroke } from './glyphs.js';

/** Numbers of a frame: the movement right and down, whether the pen is in the air, where in the digit's height, the digit's size. */
export const features = 5;

/** The blank and ten digits; digit d is class d + 1. */
export const classes = 11;
/** Movements that a frame of the network's output stands for. */
export const stride = 4;

/** A movement, as a share of the digit's height. */
const step = 0.15;
/** How finely a stroke is smoothed, likewise: a hand that trembles by 3 % writes the same movements. */
const fine = 0.04;
/** Movements of a string that is learned, at most: 16 digits take some 330. */
export const mostMovements = 448;

/** Movements that the pen's way through the air takes at most. */
const mostInAir = 6;

/** What some strokes cover together. */
interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Strokes one above another, which are a digit as a rule. */
interface Group extends Box {
  readonly strokes: { readonly stroke: Stroke; readonly place: number; readonly box: Box }[];
}

/** Where a stroke is among the movements. */
export interface Place {
  /** Which of the strokes it is, and which of the groups from left to right it belongs to. */
  readonly stroke: number;
  readonly group: number;
  /** Its first movement, and how many they are. */
  readonly first: number;
  readonly count: number;
  /** The movements go against the pen. */
  readonly backward: boolean;
}

/** The movements of some strokes, [frames, features]. */
export const movements = (strokes: readonly Stroke[]): Float32Array<ArrayBuffer> => follow(strokes).movements;

/**
 * Follows strokes from left to right: digit after digit, each stroke from its upper end, whichever way the pen went. Lengths are
 * measured by the height of the digit that they belong to.
 */
export function follow(strokes: readonly Stroke[]): {
  movements: Float32Array<ArrayBuffer>;
  places: Place[];
} {
  const groups = groupsOf(strokes);
  const heights = groups.map(({ top, bottom }) => bottom - top).sort((a, b) => a - b);
  const widest = Math.max(...groups.map(({ right }) => right)) - (groups[0]?.left ?? 0);
  // a dot, or a line that lies, is no measure
  const usual = Math.max(heights[heights.length >> 1] ?? 0, 0.05 * widest, 1e-3);
  const numbers: number[] = [];
  const places: Place[] = [];
  let [atX, atY] = [0, 0];
  for (const [index, group] of groups.entries()) {
    const height = Math.max(group.bottom - group.top, 0.5 * usual);
    const middle = (group.top + group.bottom) / 2;
    const size = Math.log(height / usual);
    const move = (x: number, y: number, air: 0 | 1) => {
      const [across, down] = [(x - atX) / height / step, (y - atY) / height / step];
      numbers.push(limited(across), limited(down), air, limited(((atY + y) / 2 - middle) / height), size);
      [atX, atY] = [x, y];
    };
    for (const { stroke, place } of group.strokes) {
      const points = evenly(smoothed(stroke, fine * height), step * height);
      const backward = lateness(points, points.length - 2) < lateness(points, 0);
      if (backward) reverse(points);
      const [x, y] = [points[0]!, points[1]!];
      if (numbers.length > 0) {
        const [fromX, fromY] = [atX, atY];
        const length = Math.hypot(x - fromX, y - fromY) / height / step;
        const pieces = Math.min(mostInAir, Math.max(1, Math.round(length)));
        for (let i = 1; i <= pieces; i++)
          move(fromX + ((x - fromX) * i) / pieces, fromY + ((y - fromY) * i) / pieces, 1);
      }
      [atX, atY] = [x, y];
      const first = numbers.length / features;
      for (let i = 2; i < points.length; i += 2) move(points[i]!, points[i + 1]!, 0);
      places.push({ stroke: place, group: index, first, count: points.length / 2 - 1, backward });
    }
  }
  return { movements: Float32Array.from(numbers), places };
}

/** Hands begin above rather than below, and a little rather left than right: an end that is later is the end. */
const lateness = (points: readonly number[], at: number) => points[at + 1]! + 0.35 * points[at]!;

/** Points as x and y in turn, the last first. */
function reverse(points: number[]) {
  points.reverse();
  for (let i = 0; i < points.length; i += 2) [points[i], points[i + 1]] = [points[i + 1]!, points[i]!];
}

const limited = (value: number) => Math.max(-3, Math.min(3, value));

/** A third of the time of `Math.hypot`, which guards against numbers that no pad has. */
const lengthOf = (x: number, y: number) => Math.sqrt(x * x + y * y);

/** A stroke without its trembling: points so far apart, each moved towards its neighbours twice. x and y in turn. */
function smoothed(stroke: Stroke, distance: number): number[] {
  const points: number[] = [stroke[0]![0], stroke[0]![1]];
  let wait = distance;
  for (let i = 1; i < stroke.length; i++) {
    const [ax, ay] = stroke[i - 1]!;
    const [bx, by] = stroke[i]!;
    const length = lengthOf(bx - ax, by - ay);
    let walked = 0;
    while (length - walked >= wait) {
      walked += wait;
      points.push(ax + ((bx - ax) * walked) / length, ay + ((by - ay) * walked) / length);
      wait = distance;
    }
    wait -= length - walked;
  }
  const [x, y] = stroke[stroke.length - 1]!;
  if (wait < 0.7 * distance || points.length === 2) points.push(x, y);
  for (let times = 0; times < 2; times++) {
    let [beforeX, beforeY] = [points[0]!, points[1]!];
    for (let i = 2; i + 2 < points.length; i += 2) {
      const [px, py] = [points[i]!, points[i + 1]!];
      points[i] = (beforeX + 2 * px + points[i + 2]!) / 4;
      points[i + 1] = (beforeY + 2 * py + points[i + 3]!) / 4;
      beforeX = px;
      beforeY = py;
    }
  }
  return points;
}

/** Points at equal distances along others, with the first; at least two. x and y in turn. */
function evenly(points: readonly number[], distance: number): number[] {
  let length = 0;
  for (let i = 2; i < points.length; i += 2)
    length += lengthOf(points[i]! - points[i - 2]!, points[i + 1]! - points[i - 1]!);
  const pieces = Math.max(1, Math.round(length / distance));
  const even = [points[0]!, points[1]!];
  let walked = 0;
  for (let i = 2; i < points.length; i += 2) {
    const [ax, ay, bx, by] = [points[i - 2]!, points[i - 1]!, points[i]!, points[i + 1]!];
    const part = lengthOf(bx - ax, by - ay);
    while (even.length < 2 * pieces && walked + part >= (length * even.length) / 2 / pieces) {
      const share = part === 0 ? 0 : ((length * even.length) / 2 / pieces - walked) / part;
      even.push(ax + (bx - ax) * share, ay + (by - ay) * share);
    }
    walked += part;
  }
  even.push(points[points.length - 2]!, points[points.length - 1]!);
  return even;
}

/** What stands apart from left to right; in a group the strokes from its upper left, in whatever order they were drawn. */
function groupsOf(strokes: readonly Stroke[]): Group[] {
  const boxes = strokes
    .map((stroke, place) => ({ stroke, place, box: boxOf(stroke) }))
    .filter(({ stroke }) => stroke.length > 0)
    .sort((a, b) => a.box.left - b.box.left);
  const groups: Group[] = [];
  for (const one of boxes) {
    const { box } = one;
    const last = groups[groups.length - 1];
    const shared = last && Math.min(last.right, box.right) - box.left;
    if (last && shared! >= 0.3 * Math.min(last.right - last.left, box.right - box.left)) {
      last.right = Math.max(last.right, box.right);
      last.top = Math.min(last.top, box.top);
      last.bottom = Math.max(last.bottom, box.bottom);
      last.strokes.push(one);
    } else groups.push({ ...box, strokes: [one] });
  }
  const order = ({ box }: { box: Box }) => box.top + box.left + 0.3 * box.bottom;
  for (const { strokes: some } of groups) some.sort((a, b) => order(a) - order(b));
  return groups;
}

function boxOf(stroke: Stroke): Box {
  const box = { left: Infinity, right: -Infinity, top: Infinity, bottom: -Infinity };
  for (const [x, y] of stroke) {
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}
