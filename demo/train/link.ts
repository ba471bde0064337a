// A training as a link: its settings, and the string that is learned, stroke by stroke.

import type { Point, Stroke } from '../../learning/glyphs.js';
import { mostDigits, type TrainerSettings } from '../../learning/settings.js';

export interface Shared {
  readonly settings: Partial<TrainerSettings>;
  readonly strokes: readonly Stroke[];
  /** The digits that the strokes are, where the visitor has told it. */
  readonly text: string | undefined;
}

/** A longer link is cut by some of the programs that people send links with. */
export const longestLink = 2000;
/** What a link can ask for, and what can be chosen on the page. */
export const limits = {
  seed: { min: 0, max: 9_999_999 },
  batch: { min: 4, max: 64 },
  rate: { min: 1e-4, max: 0.1 },
} as const;
/** Strokes that a link has room for. */
export const mostStrokes = 100;
const [mostPoints, mostUnits] = [1500, 20_000];

/** The height of all strokes together, in units that points are rounded to, and how far a line may be from where it was. */
const [unitsHigh, tolerance] = [160, 0.7];

/** The part of a URL after `#`. */
export function toHash({ settings, strokes, text }: Shared): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) parameters.set(name, String(value));
  if (strokes.some(({ length }) => length > 0)) parameters.set('ink', packed(strokes));
  if (text) parameters.set('says', text);
  return parameters.toString();
}

/** What a URL says, as far as it can be understood: whoever made it is a stranger. Undefined if it says nothing. */
export function fromHash(hash: string): Shared | undefined {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const settings: Record<string, number> = {};
  for (const [name, { min, max }] of Object.entries(limits)) {
    const written = parameters.get(name) ?? '';
    const value = name === 'rate' || /^\d+$/.test(written) ? Number(written) : Number.NaN;
    if (written !== '' && value >= min && value <= max) settings[name] = value;
  }
  const strokes = unpacked(parameters.get('ink') ?? '');
  const says = parameters.get('says') ?? '';
  const text = strokes.length > 0 && isDigits(says) ? says : undefined;
  if (strokes.length === 0 && Object.keys(settings).length === 0) return undefined;
  return { settings, strokes, text };
}

/** What a string may be said to be. */
export const isDigits = (text: string): boolean => /^[0-9]+$/.test(text) && text.length <= mostDigits;

/**
 * Of each stroke how many points it has, then the way to each point from the one before, right and down: whole numbers, in bytes
 * of seven bits from the lowest on (LEB128), written as base64url.
 */
function packed(strokes: readonly Stroke[]): string {
  const points = strokes.flat();
  const [left, top] = [0, 1].map((axis) => Math.min(...points.map((point) => point[axis]!)));
  const height = Math.max(...points.map(([, y]) => y)) - top!;
  const width = Math.max(...points.map(([x]) => x)) - left!;
  // what lies is measured by its width
  const unit = Math.max(height / unitsHigh, width / mostUnits, 1e-9);
  const bytes: number[] = [];
  const write = (value: number) => {
    let rest = value;
    for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
    bytes.push(rest);
  };
  // small numbers of either sign become small numbers
  const writeSigned = (value: number) => write(value < 0 ? -2 * value - 1 : 2 * value);
  let [atX, atY] = [0, 0];
  for (const stroke of strokes) {
    const scaled = stroke.map(([x, y]): Point => [(x - left!) / unit, (y - top!) / unit]);
    const kept = simplified(scaled).map(([x, y]): Point => [Math.round(x), Math.round(y)]);
    write(kept.length);
    for (const [x, y] of kept) {
      writeSigned(x - atX);
      writeSigned(y - atY);
      [atX, atY] = [x, y];
    }
  }
  return btoa(String.fromCharCode(...bytes)).replace(
    /[+/=]/g,
    (sign) => ({ '+': '-', '/': '_' })[sign] ?? '',
  );
}

/** The strokes, none if they are not whole or more than a string has. */
function unpacked(ink: string): Point[][] {
  if (!/^[\w-]+$/.test(ink) || ink.length > longestLink) return [];
  let bytes: string;
  try {
    bytes = atob(ink.replace(/[-_]/g, (sign) => ({ '-': '+', _: '/' })[sign]!));
  } catch {
    return [];
  }
  let at = 0;
  /** NaN where there is none. */
  const read = () => {
    let value = 0;
    for (let bits = 0; bits < 21; bits += 7) {
      const byte = bytes.charCodeAt(at++);
      value |= (byte & 127) << bits;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  const readSigned = () => {
    const value = read();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  };
  const strokes: Point[][] = [];
  let points = 0;
  let [x, y] = [0, 0];
  while (at < bytes.length) {
    const count = read();
    points += count;
    if (!(count > 0 && points <= mostPoints && strokes.length < mostStrokes)) return [];
    const stroke = Array.from({ length: count }, (): Point => {
      x += readSigned();
      y += readSigned();
      return [x, y];
    });
    const within = (value: number) => value >= 0 && value <= mostUnits;
    if (!stroke.every((point) => point.every(within))) return [];
    strokes.push(stroke);
  }
  return strokes;
}

/** The points that a line needs to stay within `tolerance` of where it was (Ramer 1972, Douglas and Peucker 1973). */
function simplified(stroke: Stroke): Stroke {
  const [first, last] = [stroke[0], stroke[stroke.length - 1]];
  if (!first || !last || stroke.length < 3) return stroke;
  let [farthest, distance] = [0, tolerance];
  for (let i = 1; i < stroke.length - 1; i++) {
    const away = distanceTo(first, last, stroke[i]!);
    if (away > distance) [farthest, distance] = [i, away];
  }
  if (farthest === 0) return [first, last];
  return [...simplified(stroke.slice(0, farthest + 1)), ...simplified(stroke.slice(farthest)).slice(1)];
}

/** From a point to the line between two others. */
function distanceTo([ax, ay]: Point, [bx, by]: Point, [x, y]: Point): number {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  const share = length === 0 ? 0 : ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length;
  const on = Math.min(1, Math.max(0, share));
  return Math.hypot(x - ax - on * (bx - ax), y - ay - on * (by - ay));
}
