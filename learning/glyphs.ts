// The digits as people write them: for each, the ways to move the pen. Written down from looking at hands.

import type { Random } from './random.js';

/** x to the right, y down. */
export type Point = readonly [x: number, y: number];
/** From the pen's touch to its lifting. */
export type Stroke = readonly Point[];

interface Way {
  /** How many hands of a hundred write it so, about. */
  readonly weight: number;
  /** Points to be joined smoothly, in hundredths of the digit's height; `^` makes a corner of a point, `|` lifts the pen. */
  readonly path: string;
}

const ways: readonly (readonly Way[])[] = [
  [
    { weight: 60, path: '@ 31 50 29 50 -80 -375' },
    { weight: 22, path: '@ 31 50 29 50 -100 375' },
    { weight: 9, path: '@ 31 50 29 50 -80 -375 | 58,6 6,94' },
    { weight: 4, path: '@ 31 50 29 50 -100 375 | 4,96 58,8' },
    { weight: 5, path: '50,12 30,0 8,18 2,50 10,86 30,100 52,84 60,50 50,14 34,4' },
    { weight: 4, path: '30,0 8,14 2,50 10,88 30,100 | 30,0 52,12 60,50 52,88 30,100' },
    { weight: 3, path: '42,6 22,0 6,18 2,54 14,94 34,100 54,84 60,46 46,8 24,4' },
  ],
  [
    { weight: 36, path: '10,0 10,100' },
    { weight: 22, path: '0,28 22,0^ 22,100' },
    { weight: 10, path: '0,52 28,0^ 28,100' },
    { weight: 8, path: '0,22 16,10 24,0^ 24,100 | 4,100 44,100' },
    { weight: 8, path: '2,30 22,0^ 22,98 | 0,100 46,98' },
    { weight: 8, path: '2,16 20,0^ 20,100' },
    { weight: 4, path: '2,26 22,0^ 22,100^ 4,100^ 42,100' },
    { weight: 3, path: '10,100 10,0' },
    { weight: 3, path: '0,14 16,0^ 18,100 | 2,100 36,100' },
    { weight: 6, path: '0,72 30,0^ 32,100' },
    { weight: 3, path: '16,0 12,50 14,100' },
  ],
  [
    { weight: 40, path: '2,24 12,5 32,0 52,12 54,30 40,56 20,82 2,100^ 60,100' },
    { weight: 22, path: '2,22 14,4 34,0 52,12 52,32 36,62 16,90 4,96 2,87 12,80 26,88 42,98 60,94' },
    { weight: 18, path: '4,14 30,0 52,14 46,38 0,100^ 58,98' },
    { weight: 6, path: '2,6 50,3^ 46,40 2,98^ 56,98' },
    { weight: 8, path: '6,10 28,0 48,10 50,28 36,56 14,84 2,98^ 20,94 40,100 60,94' },
    { weight: 6, path: '6,30 2,14 18,0 44,4 54,24 44,50 18,80 4,100^ 30,98 58,100' },
    { weight: 4, path: '2,24 12,5 32,0 52,12 54,30 40,56 20,82 2,100 | 2,100 60,100' },
    { weight: 4, path: '6,34 0,18 14,2 36,2 50,18 46,40 0,100^ 60,100' },
  ],
  [
    { weight: 40, path: '4,12 22,0 44,6 50,22 40,40 20,46^ 42,52 54,70 46,92 24,100 0,88' },
    { weight: 20, path: '4,2 48,2^ 20,40^ 42,46 54,68 44,92 22,100 0,90' },
    { weight: 14, path: '4,14 22,0 44,6 48,24 32,42 16,48 14,43 24,42 46,54 54,74 42,96 20,100 0,88' },
    { weight: 12, path: '0,10 24,0 48,8 48,30 24,46^ 50,58 54,82 28,100 0,94' },
    { weight: 8, path: '4,18 12,4 30,0 46,12 44,34 26,46 40,50 52,66 48,90 26,100 6,94' },
    { weight: 6, path: '0,4 46,0^ 24,44^ 50,58 52,84 30,100 4,94' },
    { weight: 4, path: '4,12 22,0 46,8 48,28 34,44 16,48 | 16,48 42,52 54,74 42,94 20,100 0,90' },
    { weight: 4, path: '6,22 10,4 30,0 48,14 40,36 22,44^ 46,52 52,76 34,98 12,98 2,82' },
  ],
  [
    { weight: 22, path: '26,0 2,62^ 58,62 | 42,30 40,100' },
    { weight: 14, path: '4,0 4,50^ 52,50 | 46,0 46,100' },
    { weight: 14, path: '28,0 0,64^ 58,64 | 42,8 42,100' },
    { weight: 12, path: '40,0 0,64^ 58,64 | 41,0 41,100' },
    { weight: 12, path: '58,63 2,63^ 42,0^ 42,100' },
    { weight: 8, path: '4,4 2,52^ 46,52^ 46,2^ 44,100' },
    { weight: 6, path: '42,0 42,100 | 40,2 0,62^ 58,62' },
    { weight: 6, path: '16,0 6,38 8,52 28,55 52,48 | 48,14 42,100' },
    { weight: 6, path: '12,2 2,54^ 54,50 | 46,22 40,100' },
    { weight: 5, path: '34,0 16,30 2,58 14,64 58,62 | 42,26 42,100' },
    { weight: 3, path: '6,0 4,44 18,54 50,50 | 50,0 46,100' },
    { weight: 4, path: '34,0 2,66^ 60,66 | 34,0 34,100' },
  ],
  [
    { weight: 30, path: '52,2 10,2^ 6,42^ 30,36 52,50 54,76 38,98 14,100 0,90' },
    { weight: 22, path: '10,2 6,42^ 28,36 50,48 54,72 40,96 16,100 0,90 | 10,2 54,2' },
    { weight: 6, path: '10,2 54,2 | 10,2 6,44^ 30,37 52,50 54,76 38,98 14,100 0,90' },
    { weight: 16, path: '50,2 12,2^ 8,40 28,38 50,50 54,74 38,98 10,100 0,94' },
    { weight: 10, path: '50,5 24,2 10,14 12,36 32,44 50,60 50,82 34,98 8,96' },
    { weight: 10, path: '14,0 4,46^ 34,42 50,60 46,86 22,100 0,94 | 14,0 50,4' },
    { weight: 6, path: '54,0 16,4^ 6,46^ 44,50 50,76 30,98 0,98' },
    { weight: 5, path: '56,4 40,0 18,6 10,24 14,42 38,50 52,66 46,90 26,100 4,92' },
    { weight: 4, path: '52,0 16,4 8,40^ 34,40 54,60 48,90 20,100 0,90' },
  ],
  [
    { weight: 36, path: '46,2 22,22 6,54 4,78 16,98 38,98 50,80 42,60 22,56 6,72' },
    { weight: 22, path: '40,0 14,34 2,70 12,96 34,100 48,84 42,64 24,60 8,76' },
    { weight: 14, path: '10,0 4,46 4,78 14,98 34,98 46,82 40,62 22,60 6,72' },
    { weight: 8, path: '20,0 6,40 4,74 | @ 26 76 22 24 180 375' },
    { weight: 8, path: '36,2 10,30 2,66 10,94 32,100 48,86 44,66 26,58 8,66' },
    { weight: 7, path: '42,0 12,44 4,82^ 8,64 28,56 46,68 44,92 24,100 6,86' },
    { weight: 5, path: '54,8 30,0 8,26 2,64 14,96 38,98 50,78 36,58 14,62 4,74' },
    { weight: 6, path: '50,10 34,0 14,20 4,56 8,90 30,100 50,86 50,62 30,52 8,66' },
    { weight: 4, path: '30,0 10,36 2,68 10,94 30,100 46,88 46,70 30,62 10,70 4,84' },
  ],
  [
    { weight: 30, path: '2,2 54,2^ 20,100' },
    { weight: 16, path: '2,16 4,2^ 54,2^ 22,100' },
    { weight: 18, path: '2,2 54,2^ 18,100 | 12,52 50,50' },
    { weight: 10, path: '4,14 4,2^ 54,2^ 20,100 | 14,54 48,48' },
    { weight: 10, path: '0,6 20,3 52,4^ 34,40 24,100' },
    { weight: 6, path: '0,10 14,0 34,8 54,2^ 24,100' },
    { weight: 6, path: '0,8 28,0 50,6 44,36 22,100' },
    { weight: 4, path: '0,10 14,0 34,8 54,2^ 22,100 | 46,46 10,52' },
    { weight: 4, path: '0,14 2,0^ 24,8 54,2^ 36,40 22,100' },
    { weight: 4, path: '2,2 54,2 | 54,2 20,100' },
    { weight: 3, path: '4,0 50,4^ 40,50 38,100' },
  ],
  [
    { weight: 30, path: '48,12 28,0 8,10 10,32 30,47 50,62 52,84 30,100 8,88 8,66 30,48 46,30 46,10' },
    { weight: 20, path: '30,0 8,10 10,32 30,47 50,62 52,84 30,100 8,88 8,66 30,48 48,32 48,12 32,1' },
    { weight: 10, path: '10,14 28,0 48,10 46,32 28,48 8,62 6,84 28,100 50,88 50,66 28,48 12,30 10,14' },
    { weight: 8, path: '28,48 46,32 46,10 28,0 10,10 10,32 28,48 50,64 50,88 28,100 6,88 6,64 28,48' },
    { weight: 6, path: '28,48 10,32 10,10 28,0 46,10 46,32 28,48 6,64 6,88 28,100 50,88 50,64 28,48' },
    { weight: 12, path: '@ 28 24 20 24 -80 -370 | @ 28 74 26 26 -90 -370' },
    { weight: 5, path: '@ 28 24 20 24 -80 370 | @ 28 74 26 26 -90 370' },
    { weight: 9, path: '50,8 30,0 10,12 18,36 42,56 50,80 32,100 8,88 12,62 36,44 52,20' },
    { weight: 4, path: '30,0 10,14 14,36 44,60 50,84 30,100 | 30,0 48,14 44,36 14,60 8,84 30,100' },
    { weight: 4, path: '52,4 30,0 10,12 16,36 42,56 50,80 32,100 8,88 12,64 34,44 56,0' },
  ],
  [
    { weight: 26, path: '46,24 36,3 16,2 4,20 10,42 28,48 44,34 48,10^ 46,60 42,100' },
    { weight: 16, path: '44,14 24,0 6,12 4,34 20,48 38,38 46,12^ 46,100' },
    { weight: 18, path: '46,20 30,0 8,8 4,32 20,48 42,38 48,14 48,60 36,94 8,98' },
    { weight: 12, path: '44,20 30,0 8,8 4,32 20,48 40,38 48,10^ 40,58 22,100' },
    { weight: 10, path: '@ 24 24 22 24 -10 -375 | 47,6 45,100' },
    { weight: 8, path: '30,0 8,10 6,36 24,46 44,30 46,4^ 40,100' },
    { weight: 6, path: '46,44 20,48 4,28 16,4 38,2 48,22 48,60 44,100' },
    { weight: 4, path: '46,26 28,48 6,36 8,10 30,0 46,16 46,60 42,100' },
    { weight: 5, path: '48,8 28,0 6,10 4,34 20,48 40,40 48,10 | 48,8 44,100' },
    { weight: 4, path: '46,30 28,46 6,36 6,12 26,0 46,10 48,40 40,80 16,100' },
    { weight: 4, path: '42,8 22,0 4,16 8,40 28,44 44,24 46,2^ 34,60 28,100' },
  ],
];

/** One of the ways to write a digit, drawn by how common they are. */
export function drawWay(digit: number, random: Random): number {
  const list = ways[digit]!;
  let left = random.next() * list.reduce((sum, { weight }) => sum + weight, 0);
  return Math.max(
    0,
    list.findIndex(({ weight }) => {
      left -= weight;
      return left < 0;
    }),
  );
}

interface Knot {
  readonly x: number;
  readonly y: number;
  readonly corner: boolean;
}
/** A stroke through knots, or a ring. */
type Line = readonly Knot[] | Ring;
interface Ring {
  readonly x: number;
  readonly y: number;
  readonly across: number;
  readonly down: number;
  /** Degrees. */
  readonly start: number;
  readonly sweep: number;
}

const lines: readonly (readonly (readonly Line[])[])[] = ways.map((list) =>
  list.map(({ path }) => path.split('|').map((stroke) => lineOf(stroke.trim()))),
);

function lineOf(stroke: string): Line {
  const words = stroke.split(' ');
  if (words[0] === '@') {
    const [x, y, across, down, start, sweep] = words.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return { x, y, across, down, start, sweep };
  }
  return words.map((word) => {
    const [x, y] = word.replace('^', '').split(',').map(Number) as [number, number];
    return { x, y, corner: word.endsWith('^') };
  });
}

/**
 * The strokes of a digit, its height 100. Whoever draws it misses each point by a little, `unsteady` of a hundredth, and closes rings
 * more or less.
 */
export function strokesOf(digit: number, way: number, random: Random, unsteady: number): Point[][] {
  return lines[digit]![way]!.map((line) => {
    const knots = 'sweep' in line ? ring(line, random) : line;
    return smooth(
      knots.map(({ x, y, corner }) => ({
        x: x + random.normal(unsteady),
        y: y + random.normal(unsteady),
        corner,
      })),
    );
  });
}

function ring({ x, y, across, down, start, sweep }: Ring, random: Random): Knot[] {
  const from = start + random.normal(25);
  const over = sweep + Math.sign(sweep) * random.normal(18);
  return Array.from({ length: 10 }, (_, i) => {
    const angle = ((from + (over * i) / 9) * Math.PI) / 180;
    return { x: x + across * Math.cos(angle), y: y + down * Math.sin(angle), corner: false };
  });
}

/** Through all points, round but at corners (Catmull and Rom 1974). */
function smooth(knots: readonly Knot[]): Point[] {
  const points: Point[] = [[knots[0]!.x, knots[0]!.y]];
  for (let i = 0; i + 1 < knots.length; i++) {
    const [b, c] = [knots[i]!, knots[i + 1]!];
    const a = i === 0 || b.corner ? b : knots[i - 1]!;
    const d = i + 2 === knots.length || c.corner ? c : knots[i + 2]!;
    const pieces = Math.max(2, Math.round(Math.hypot(c.x - b.x, c.y - b.y) / 5));
    for (let j = 1; j <= pieces; j++) {
      const t = j / pieces;
      points.push([between(a.x, b.x, c.x, d.x, t), between(a.y, b.y, c.y, d.y, t)]);
    }
  }
  return points;
}

const between = (p: number, q: number, r: number, s: number, t: number) =>
  0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t ** 2 + (3 * q - 3 * r + s - p) * t ** 3);
