// Handwriting that nobody wrote: digit strings as pen strokes, of a new hand each time.

import { drawWay, type Point, type Stroke, strokesOf } from './glyphs.js';
import { features, movements } from './pen.js';
import { Random } from './random.js';

export interface Handwriting {
  readonly text: string;
  readonly strokes: readonly Stroke[];
}

/** A hand: what the digits of one string have in common. */
export interface Hand {
  /** Which of the ways it writes each digit. */
  readonly ways: readonly number[];
  readonly slant: number;
  /** Width over the usual width. */
  readonly width: number;
  /** Room between digits, in hundredths of their height. */
  readonly gap: number;
  readonly unsteady: number;
  readonly turn: number;
  readonly drift: number;
  /** Distance of the points that the pen reports, and how far off they are. */
  readonly spacing: number;
  readonly jitter: number;
}

function drawHand(random: Random): Hand {
  return {
    ways: Array.from({ length: 10 }, (_, digit) => drawWay(digit, random)),
    slant: random.chance(0.4) ? random.normal(0.06) : random.between(-0.15, 0.6),
    width: Math.exp(random.normal(0.2)),
    gap: random.chance(0.2) ? random.between(5, 14) : random.between(10, 55),
    unsteady: random.between(0.8, 3.5),
    turn: random.normal(0.04),
    drift: random.normal(0.05),
    spacing: random.chance(0.35) ? random.between(10, 22) : random.between(3, 10),
    jitter: random.chance(0.6) ? random.between(0, 0.5) : random.between(0.3, 1.6),
  };
}

/** A string of digits in a hand of its own, about 100 high. `given`: what that hand has not left to chance. */
export function write(text: string, random: Random, given: Partial<Hand> = {}): Handwriting {
  const hand = { ...drawHand(random), ...given };
  const strokes: Point[][] = [];
  let x = 0;
  for (const [place, character] of [...text].entries()) {
    const digit = Number(character);
    // hands are not always the same
    const way = random.chance(0.15) ? drawWay(digit, random) : hand.ways[digit]!;
    const bent = bender(hand, random);
    const glyph = strokesOf(digit, way, random, hand.unsteady).map((stroke) => stroke.map(bent));
    const left = Math.min(...glyph.flat().map(([px, py]) => px - hand.slant * (py - 50)));
    const right = Math.max(...glyph.flat().map(([px, py]) => px - hand.slant * (py - 50)));
    const lift = random.normal(4) + hand.drift * x;
    if (place > 0) x += Math.max(2, hand.gap * Math.exp(random.normal(0.3)));
    for (const stroke of glyph) {
      strokes.push(stroke.map(([px, py]) => [x + px - hand.slant * (py - 50) - left, py + lift]));
    }
    // slanted digits stand in each other's boxes
    x += right - left - Math.min(0.8 * Math.abs(hand.slant) * 100, 0.55 * (right - left));
  }
  return { text, strokes: strokes.map((stroke) => reported(slip(stroke, random), hand, random)) };
}

/** Size, turn, and bends that a smooth hand makes: the same for all strokes of a digit. */
function bender(hand: Hand, random: Random): (point: Point) => Point {
  const size = Math.exp(random.normal(0.09));
  const width = size * hand.width * Math.exp(random.normal(0.1));
  const turn = hand.turn + random.normal(0.05);
  const wave = () => ({
    by: random.normal(2.5),
    along: random.between(0, 2 * Math.PI),
    at: random.between(0, 2 * Math.PI),
    rate: random.between(0.02, 0.06),
  });
  const [waveX, waveY] = [wave(), wave()];
  const push = ({ by, along, at, rate }: ReturnType<typeof wave>, x: number, y: number) =>
    by * Math.sin(at + rate * (x * Math.cos(along) + y * Math.sin(along)));
  const grip = random.normal(0.1);
  return ([x0, y0]) => {
    // the upper or the lower half larger
    const y1 = 100 * (y0 / 100) ** Math.exp(y0 > 0 ? grip : 0);
    const x = (x0 - 28 + push(waveX, x0, y0)) * width;
    const y = (y1 - 50 + push(waveY, x0, y0)) * size;
    return [28 + x * Math.cos(turn) - y * Math.sin(turn), 50 + x * Math.sin(turn) + y * Math.cos(turn)];
  };
}

/** A stroke that begins or ends too early or too late, or with a hook. */
function slip(stroke: Point[], random: Random): Point[] {
  let points = stroke;
  for (let end = 0; end < 2; end++) {
    points = [...points].reverse();
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
export function sample(seed: number, index: number, room: number): Handwriting {
  const random = new Random(seed, index);
  const length = random.chance(0.25) ? 1 + random.below(3) : 4 + random.below(3);
  const text = Array.from({ length }, () => random.below(10)).join('');
  for (let digits = length; ; digits--) {
    const written = write(text.slice(0, digits), new Random(seed, index, 2));
    if (digits === 1 || movements(written.strokes).length <= room * features) return written;
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
