// Handwriting that nobody wrote: digit strings as pen strokes, of a new hand each time.

import { drawWay, type Point, type Stroke, strokesOf } from './glyphs.js';
import { features, movements } from './pen.js';
import { Random } from './random.js';

export interface Handwriting {
  readonly text: string;
  readonly strokes: readonly Stroke[];
}

/** Handwriting with its movements. */
export interface Sample extends Handwriting {
  readonly movements: Float32Array<ArrayBuffer>;
}

/** A hand: what the digits of one string have in common. Lengths are in hundredths of the usual height of a digit. */
export interface Hand {
  /** Which of the ways it writes each digit. */
  readonly ways: readonly number[];
  /** The digits that it begins at their other end, and those whose strokes it draws in another order. */
  readonly reversed: readonly boolean[];
  readonly reordered: readonly boolean[];
  /** The chances that a ring is begun anywhere, that the pen is lifted within a stroke, and that it is not lifted within a digit. */
  readonly elsewhere: number;
  readonly lifting: number;
  readonly staying: number;
  /** The chance that the pen stays down from one digit to the next. */
  readonly joining: number;
  readonly slant: number;
  /** Width over the usual width. */
  readonly width: number;
  /** Room between digits. */
  readonly gap: number;
  /** How far it misses the points that a digit goes through. */
  readonly unsteady: number;
  /** Deviation of the logarithm of a digit's size, and where digits of other sizes stand: with their tops in line 0, with their feet 1. */
  readonly uneven: number;
  readonly foot: number;
  readonly turn: number;
  /** Of the line that the digits stand on: its slope, how high its waves are, and how far digits miss it. */
  readonly drift: number;
  readonly wave: number;
  readonly lift: number;
  /** How far the pen trembles, and the length of these waves. */
  readonly tremor: number;
  readonly tremorLength: number;
  /** How often corners and bends are cut. */
  readonly haste: number;
  /** Distance of the points that the pen reports, and how far off they are. */
  readonly spacing: number;
  readonly jitter: number;
}

function drawHand(random: Random): Hand {
  const digits = Array.from({ length: 10 }, (_, digit) => digit);
  const backward = random.chance(0.1) ? 0.75 : 0.12;
  const calm = random.chance(0.4);
  return {
    ways: digits.map((digit) => drawWay(digit, random)),
    reversed: digits.map(() => random.chance(backward)),
    reordered: digits.map(() => random.chance(0.25)),
    elsewhere: 0.3,
    lifting: 0.04,
    staying: 0.06,
    joining: random.chance(0.05) ? 0.5 : 0,
    slant: random.chance(0.4) ? random.normal(0.06) : random.between(-0.45, 0.8),
    width: Math.exp(random.normal(0.28)),
    gap: random.chance(0.2) ? random.between(4, 14) : random.between(10, 60),
    unsteady: random.between(0.8, 4),
    uneven: calm || random.chance(0.5) ? 0.08 : random.between(0.08, 0.3),
    foot: random.chance(0.6) ? random.between(0.8, 1.1) : random.next(),
    turn: random.normal(0.05),
    drift: random.normal(0.06),
    wave: calm || random.chance(0.6) ? random.between(0, 5) : random.between(0, 30),
    lift: calm || random.chance(0.6) ? 4 : random.between(4, 12),
    tremor: calm || random.chance(0.55) ? 0 : random.between(0.4, 3.5),
    tremorLength: random.between(8, 35),
    haste: calm || random.chance(0.5) ? 0 : random.below(6),
    spacing: random.chance(0.35) ? random.between(10, 22) : random.between(3, 10),
    jitter: random.chance(0.6) ? random.between(0, 0.5) : random.between(0.3, 1.6),
  };
}

/** A digit that was written, and whether the pen came to it without being lifted. */
interface Written {
  readonly strokes: readonly Stroke[];
  readonly joined: boolean;
}

/** A string of digits in a hand of its own, about 100 high. `given`: what that hand has not left to chance. */
export const write = (text: string, random: Random, given: Partial<Hand> = {}): Handwriting => ({
  text,
  strokes: strokesIn(digitsIn(text, random, given)),
});

function digitsIn(text: string, random: Random, given: Partial<Hand>): Written[] {
  const hand = { ...drawHand(random), ...given };
  const wave = { at: random.between(0, 2 * Math.PI), rate: (2 * Math.PI) / random.between(200, 800) };
  let x = 0;
  return [...text].map((character, place) => {
    const bent = bender(hand, random);
    const glyph = drawn(Number(character), hand, random).map((stroke) =>
      trembling(cut(stroke, hand.haste), hand, random).map(bent),
    );
    // the foot of a slanted digit is not below its top
    const shear = ([px, py]: Point): Point => [px - hand.slant * (py - 50), py];
    const upright = glyph.map((stroke) => stroke.map(shear));
    const [left, right] = reachOf(upright);
    if (place > 0) x += Math.max(2, hand.gap * Math.exp(random.normal(0.3)));
    const height = random.normal(hand.lift) + hand.drift * x + hand.wave * Math.sin(wave.at + wave.rate * x);
    const strokes = upright.map((stroke) => {
      const placed = stroke.map(([px, py]): Point => [x + px - left, py + height]);
      return reported(slip(placed, random), hand, random);
    });
    // slanted digits stand in each other's boxes
    x += right - left - Math.min(0.8 * Math.abs(hand.slant) * 100, 0.55 * (right - left));
    return { strokes, joined: random.chance(hand.joining) };
  });
}

function strokesIn(digits: readonly Written[]): Stroke[] {
  const all: Stroke[] = [];
  for (const { strokes, joined } of digits) {
    const [first, ...others] = strokes;
    const last = joined ? all.pop() : undefined;
    all.push([...(last ?? []), ...first!], ...others);
  }
  return all;
}

/** The strokes of a digit as a hand draws them: in its order, from its ends. */
function drawn(digit: number, hand: Hand, random: Random): Point[][] {
  // hands are not always the same
  const way = random.chance(0.15) ? drawWay(digit, random) : hand.ways[digit]!;
  let strokes = strokesOf(digit, way, random, hand.unsteady);
  strokes = strokes.map((stroke) =>
    random.chance(hand.elsewhere) ? begunElsewhere(stroke, random) : stroke,
  );
  if (random.chance(hand.lifting)) strokes = lifted(strokes, random);
  if (random.chance(hand.staying)) strokes = [strokes.flat()];
  if (hand.reordered[digit]) strokes.reverse();
  if (!hand.reversed[digit]) return strokes;
  return strokes.map((stroke) => (random.chance(0.85) ? stroke.toReversed() : stroke));
}

/** A stroke that ends where it begins, begun anywhere; others as they are. */
function begunElsewhere(stroke: Point[], random: Random): Point[] {
  const [[ax, ay], [bx, by]] = [stroke[0]!, stroke[stroke.length - 1]!];
  if (stroke.length < 20 || Math.hypot(bx - ax, by - ay) > 25) return stroke;
  const at = random.below(stroke.length);
  return [...stroke.slice(at), ...stroke.slice(0, at + 1)];
}

/** The pen lifted once within a stroke. */
function lifted(strokes: Point[][], random: Random): Point[][] {
  const place = random.below(strokes.length);
  const stroke = strokes[place]!;
  if (stroke.length < 8) return strokes;
  const at = 3 + random.below(stroke.length - 6);
  return strokes.toSpliced(place, 1, stroke.slice(0, at + 1), stroke.slice(at));
}

/** Corners and bends cut, `times` over: each point moved towards its neighbours. */
function cut(stroke: Point[], times: number): Point[] {
  let points = stroke;
  for (let i = 0; i < times; i++) {
    points = points.map((point, at) => {
      const [before, after] = [points[at - 1], points[at + 1]];
      if (!before || !after) return point;
      return [(before[0] + 2 * point[0] + after[0]) / 4, (before[1] + 2 * point[1] + after[1]) / 4];
    });
  }
  return points;
}

/** A stroke of a trembling hand: waves of about one length, across and down. */
function trembling(stroke: Point[], { tremor, tremorLength }: Hand, random: Random): Point[] {
  if (tremor === 0) return stroke;
  const waves = Array.from({ length: 6 }, () => ({
    at: random.between(0, 2 * Math.PI),
    rate: (2 * Math.PI) / (tremorLength * random.between(0.7, 1.6)),
  }));
  let way = 0;
  // three waves together deviate by `tremor`
  const push = (first: number) =>
    waves.slice(first, first + 3).reduce((sum, { at, rate }) => sum + Math.sin(at + rate * way), 0) *
    tremor *
    Math.sqrt(2 / 3);
  return stroke.map(([x, y], i) => {
    const [beforeX, beforeY] = stroke[i - 1] ?? [x, y];
    way += Math.hypot(x - beforeX, y - beforeY);
    return [x + push(0), y + push(3)];
  });
}

/** Size, turn, and bends that a smooth hand makes: the same for all strokes of a digit. */
function bender(hand: Hand, random: Random): (point: Point) => Point {
  const size = Math.exp(random.normal(hand.uneven));
  const width = size * hand.width * Math.exp(random.normal(0.1));
  const turn = hand.turn + random.normal(0.05);
  const [sine, cosine] = [Math.sin(turn), Math.cos(turn)];
  const down = 100 * (hand.foot - 0.5) * (1 - size);
  const [across, along] = [bend(random), bend(random)];
  // the upper or the lower half larger
  const grip = Math.exp(random.normal(0.12));
  return ([x0, y0]) => {
    const y1 = y0 > 0 ? 100 * (y0 / 100) ** grip : y0;
    const x = (x0 - 28 + across(x0, y0)) * width;
    const y = (y1 - 50 + along(x0, y0)) * size;
    return [28 + x * cosine - y * sine, 50 + down + x * sine + y * cosine];
  };
}

/** A wave over the plane. */
function bend(random: Random): (x: number, y: number) => number {
  const by = random.normal(2.5);
  const direction = random.between(0, 2 * Math.PI);
  const at = random.between(0, 2 * Math.PI);
  const rate = random.between(0.02, 0.06);
  const [rateX, rateY] = [rate * Math.cos(direction), rate * Math.sin(direction)];
  return (x, y) => by * Math.sin(at + rateX * x + rateY * y);
}

/** Where strokes begin and end from left to right. */
function reachOf(strokes: readonly Stroke[]): [left: number, right: number] {
  let [left, right] = [Infinity, -Infinity];
  for (const stroke of strokes) {
    for (const [x] of stroke) {
      if (x < left) left = x;
      if (x > right) right = x;
    }
  }
  return [left, right];
}

/** A stroke that begins or ends too early or too late, or with a hook. */
function slip(stroke: Point[], random: Random): Point[] {
  let points = stroke;
  for (let end = 0; end < 2; end++) {
    points = points.toReversed();
    if (random.chance(0.2)) points = points.slice(Math.min(points.length - 3, random.below(3)) || 0);
    if (random.chance(0.15)) {
      const [[ax, ay], [bx, by]] = [points[0]!, points[1]!];
      const longer = random.between(0.5, 2.5);
      points = [[ax + longer * (ax - bx), ay + longer * (ay - by)], ...points];
    }
    if (random.chance(0.06)) {
      const [ax, ay] = points[0]!;
      points = [[ax + random.normal(5), ay + random.normal(5)], ...points];
    }
  }
  return points;
}

/** The points of a stroke that a pen or mouse reports: fewer where it is fast, and not quite where it was. */
function reported(stroke: readonly Point[], { spacing, jitter }: Hand, random: Random): Point[] {
  const noisy = ([x, y]: Point): Point => [x + random.normal(jitter), y + random.normal(jitter)];
  const points: Point[] = [noisy(stroke[0]!)];
  let since = 0;
  let wait = spacing;
  for (let i = 1; i < stroke.length; i++) {
    const [[ax, ay], [bx, by]] = [stroke[i - 1]!, stroke[i]!];
    since += Math.hypot(bx - ax, by - ay);
    if (since < wait && i < stroke.length - 1) continue;
    points.push(noisy(stroke[i]!));
    since = 0;
    wait = spacing * random.between(0.5, 1.5);
  }
  return points;
}

/**
 * The `index`-th sample of a seed: the same text in the same hand whenever it is asked for. Of at most `room` movements, most of them
 * with nearly as many: what is padded is computed in vain.
 */
export function sample(seed: number, index: number, room: number): Sample {
  const random = new Random(seed, index);
  const length = random.chance(0.2) ? 1 + random.below(3) : 5 + random.below(3);
  const text = Array.from({ length }, () => random.below(10)).join('');
  const digits = digitsIn(text, new Random(seed, index, 2), {});
  let count = length;
  for (;;) {
    const strokes = strokesIn(digits.slice(0, count));
    const moved = movements(strokes);
    const frames = moved.length / features;
    if (count === 1 || frames <= room) return { text: text.slice(0, count), strokes, movements: moved };
    // digits are about equally long
    count = Math.max(1, Math.min(count - 1, Math.floor((count * room) / frames)));
  }
}

/** Another writing of the same: of one's own samples there are few. */
export function varied({ text, strokes }: Handwriting, random: Random): Handwriting {
  const slant = random.normal(0.08);
  const width = Math.exp(random.normal(0.08));
  const turn = random.normal(0.03);
  const heights = strokes.flat().map(([, y]) => y);
  const unsteady = 0.006 * (Math.max(...heights) - Math.min(...heights));
  return {
    text,
    strokes: strokes.map((stroke) =>
      stroke.map(([x0, y0]) => {
        const [x, y] = [width * x0 - slant * y0, y0];
        return [x - turn * y + random.normal(unsteady), y + turn * x + random.normal(unsteady)];
      }),
    ),
  };
}
