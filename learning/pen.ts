// Pen strokes as the network sees them: movements of equal length, whatever the size of the writing and the speed of the pen.

import type { Point, Stroke } from './glyphs.js';

/** Numbers of a frame: the movement right and down, whether the pen is in the air, height of the middle above the line's. */
export const features = 4;

/** The blank and ten digits; digit d is class d + 1. */
export const classes = 11;
/** Movements that a frame of the network's output stands for. */
export const stride = 4;

/** A movement, as a share of the digits' height. */
const step = 0.12;
/** Frames that the pen's way through the air takes at most. */
const mostInAir = 6;

/** The movements of some strokes, [frames, features]. */
export function movements(strokes: readonly Stroke[]): Float32Array<ArrayBuffer> {
  const drawn = strokes.filter((stroke) => stroke.length > 0);
  if (drawn.length === 0) return new Float32Array(0);
  const height = heightOf(drawn);
  const middle = (least(drawn, 1) + most(drawn, 1)) / 2;
  const frames: number[] = [];
  let at: Point | undefined;
  const move = ([x, y]: Point, air: boolean) => {
    const [fromX, fromY] = at!;
    const across = (x - fromX) / height / step;
    const down = (y - fromY) / height / step;
    frames.push(limited(across), limited(down), Number(air), ((fromY + y) / 2 - middle) / height);
    at = [x, y];
  };
  for (const stroke of drawn) {
    const first = stroke[0]!;
    if (at) {
      const [fromX, fromY] = at;
      const length = Math.hypot(first[0] - fromX, first[1] - fromY) / height / step;
      const pieces = Math.min(mostInAir, Math.max(1, Math.round(length)));
      for (let i = 1; i <= pieces; i++) {
        move([fromX + ((first[0] - fromX) * i) / pieces, fromY + ((first[1] - fromY) * i) / pieces], true);
      }
    }
    at = first;
    for (const point of evenly(stroke, step * height)) move(point, false);
  }
  return Float32Array.from(frames);
}

const limited = (value: number) => Math.max(-3, Math.min(3, value));

/** Points of a stroke at equal distances along it, without its first; at least one. */
function evenly(stroke: Stroke, distance: number): Point[] {
  let length = 0;
  for (let i = 1; i < stroke.length; i++) length += between(stroke[i - 1]!, stroke[i]!);
  const pieces = Math.max(1, Math.round(length / distance));
  const points: Point[] = [];
  let walked = 0;
  for (let i = 1; i < stroke.length; i++) {
    const [a, b] = [stroke[i - 1]!, stroke[i]!];
    const part = between(a, b);
    while (points.length < pieces - 1 && walked + part >= (length * (points.length + 1)) / pieces) {
      const share = part === 0 ? 0 : ((length * (points.length + 1)) / pieces - walked) / part;
      points.push([a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]);
    }
    walked += part;
  }
  points.push(stroke[stroke.length - 1]!);
  return points;
}

const between = (a: Point, b: Point) => Math.hypot(b[0] - a[0], b[1] - a[1]);

/** How high the digits are: the median over what stands apart from left to right. */
function heightOf(strokes: readonly Stroke[]): number {
  const boxes = strokes
    .map((stroke) => ({
      left: least([stroke], 0),
      right: most([stroke], 0),
      top: least([stroke], 1),
      bottom: most([stroke], 1),
    }))
    .sort((a, b) => a.left - b.left);
  const apart: typeof boxes = [];
  for (const box of boxes) {
    const last = apart[apart.length - 1];
    const shared = last && Math.min(last.right, box.right) - box.left;
    if (last && shared! >= 0.3 * Math.min(last.right - last.left, box.right - box.left)) {
      last.right = Math.max(last.right, box.right);
      last.top = Math.min(last.top, box.top);
      last.bottom = Math.max(last.bottom, box.bottom);
    } else apart.push({ ...box });
  }
  const heights = apart.map(({ top, bottom }) => bottom - top).sort((a, b) => a - b);
  const median = heights[Math.floor(heights.length / 2)]!;
  const widest = Math.max(...boxes.map(({ right }) => right)) - boxes[0]!.left;
  // a dot, or a line that lies
  return Math.max(median, 0.05 * widest, 1e-3);
}

const least = (strokes: readonly Stroke[], axis: 0 | 1) =>
  strokes.reduce((value, stroke) => stroke.reduce((v, point) => Math.min(v, point[axis]), value), Infinity);
const most = (strokes: readonly Stroke[], axis: 0 | 1) =>
  strokes.reduce((value, stroke) => stroke.reduce((v, point) => Math.max(v, point[axis]), value), -Infinity);
