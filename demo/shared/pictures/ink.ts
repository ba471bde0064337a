// Where there is ink in a picture, whatever its colours: what lines and characters are found by.

/** Half-open, in pixels. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** As a canvas gives it: red, green, blue and opacity of each pixel, row after row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

export interface Ink {
  readonly width: number;
  readonly height: number;
  /** From 0, the paper, to 1, [height, width]. */
  readonly amount: Float32Array<ArrayBuffer>;
  /** Grey of the paper, from 0 to 255. */
  readonly paper: number;
}

/** Where two greys are nearer than this, one is not written on the other. */
const leastContrast = 24;
/** Paper is lit evenly within this share of the longer side, and within so many pixels; blocks of it are a fourth of that wide. */
const [evenShare, evenPixels] = [1 / 12, 24];

/** Of so many pixels at least there is ink, if there is some: fewer are specks. */
const leastInk = 5e-4;

/**
 * What differs from the paper that is near. Paper is what there is more of, so that light text on dark has ink, too. At first it is what is
 * nearer to the mean of its surroundings than to what differs most; then ink is told from the mean of what of them is paper.
 */
export function inkOf({ width, height, data }: Pixels): Ink {
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i++)
    grey[i] = 0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!;
  const isPaper = new Uint8Array(grey.length).fill(1);
  const rough = differences(grey, isPaper, width);
  const farthest = farEnd(rough);
  let [sum, count] = [0, 0];
  for (let i = 0; i < rough.length; i++) {
    isPaper[i] = Number(rough[i]! / farthest < 0.5);
    sum += isPaper[i]! * grey[i]!;
    count += isPaper[i]!;
  }
  const amount = differences(grey, isPaper, width);
  const { ink, paper } = twoGroups(amount);
  for (let i = 0; i < amount.length; i++) {
    // noise about either is none: from a quarter to three quarters of the way
    const way = (amount[i]! - paper) / (ink - paper);
    amount[i] = Math.abs(ink - paper) < leastContrast ? 0 : Math.min(1, Math.max(0, 2 * way - 0.5));
  }
  return { width, height, amount, paper: sum / Math.max(1, count) };
}

/** How far each pixel is above the mean of those near it that are kept; of all that are kept, where none is near. */
function differences(grey: Float32Array, kept: Uint8Array, width: number): Float32Array<ArrayBuffer> {
  const height = grey.length / width;
  const block = Math.ceil(Math.max(evenPixels, evenShare * Math.max(width, height)) / 4);
  const [across, down] = [Math.ceil(width / block), Math.ceil(height / block)];
  const [sums, counts] = [new Float64Array(across * down), new Float64Array(across * down)];
  const blockOf = (x: number, y: number) => Math.floor(y / block) * across + Math.floor(x / block);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = blockOf(x, y);
      sums[at]! += kept[y * width + x]! * grey[y * width + x]!;
      counts[at]! += kept[y * width + x]!;
    }
  const total = (of: Float64Array) => of.reduce((all, one) => all + one, 0);
  const overall = total(sums) / Math.max(1, total(counts));
  const means = sums.map((_, at) => {
    let [sum, count] = [0, 0];
    const [column, row] = [at % across, Math.floor(at / across)];
    for (let y = Math.max(0, row - 4); y <= Math.min(down - 1, row + 4); y++)
      for (let x = Math.max(0, column - 4); x <= Math.min(across - 1, column + 4); x++) {
        sum += sums[y * across + x]!;
        count += counts[y * across + x]!;
      }
    return count > 0 ? sum / count : overall;
  });
  const above = new Float32Array(grey.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) above[y * width + x] = grey[y * width + x]! - means[blockOf(x, y)]!;
  return above;
}

/** How far ink is from the mean, above 0 or below: it is where there is less, but farther away. */
function farEnd(values: Float32Array): number {
  let cubes = 0;
  for (const value of values) cubes += value ** 3;
  const sign = cubes < 0 ? -1 : 1;
  const histogram = new Uint32Array(256);
  for (const value of values) if (sign * value > 0) histogram[Math.floor(sign * value)]!++;
  let place = 255;
  for (let beyond = 0; place > 1; place--) {
    beyond += histogram[place]!;
    if (beyond >= leastInk * values.length) break;
  }
  return sign * place;
}

/**
 * The means on both sides of the threshold that leaves the least variance on either (Otsu 1979). The larger side is paper.
 */
function twoGroups(values: Float32Array): { paper: number; ink: number } {
  const zero = 256;
  const histogram = new Uint32Array(2 * zero + 1);
  let total = 0;
  for (const value of values) {
    const whole = Math.round(value);
    histogram[whole + zero]!++;
    total += whole;
  }
  const count = values.length;
  let best = { paper: total / count, ink: total / count };
  let most = 0;
  let [below, sumBelow] = [0, 0];
  histogram.forEach((pixels, place) => {
    below += pixels;
    sumBelow += pixels * (place - zero);
    const above = count - below;
    if (below === 0 || above === 0) return;
    const [dark, light] = [sumBelow / below, (total - sumBelow) / above];
    const between = below * above * (light - dark) ** 2;
    if (between <= most) return;
    most = between;
    best = below > above ? { paper: dark, ink: light } : { paper: light, ink: dark };
  });
  return best;
}

/** Ink of each row within some columns. */
export function rowSums({ width, amount }: Ink, { left, top, right, bottom }: Box): Float64Array {
  const sums = new Float64Array(bottom - top);
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) sums[y - top]! += amount[y * width + x]!;
  return sums;
}

/** Ink of each column within some rows. */
export function columnSums({ width, amount }: Ink, { left, top, right, bottom }: Box): Float64Array {
  const sums = new Float64Array(right - left);
  for (let y = top; y < bottom; y++)
    for (let x = left; x < right; x++) sums[x - left]! += amount[y * width + x]!;
  return sums;
}

/** The part of a box that ink reaches into, where there is some. A row or column of less than `least` pixels has none. */
export function tightened(ink: Ink, box: Box, least = 0.5): Box | undefined {
  const ends = (sums: Float64Array, first: number) => {
    const from = sums.findIndex((sum) => sum >= least);
    return [first + from, first + sums.findLastIndex((sum) => sum >= least) + 1, from >= 0] as const;
  };
  const [left, right, some] = ends(columnSums(ink, box), box.left);
  if (!some) return undefined;
  const [top, bottom] = ends(rowSums(ink, { ...box, left, right }), box.top);
  return { left, top, right, bottom };
}
