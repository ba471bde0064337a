// From values to colours: the same for the shader, which gets its ends from here, and for a 2D canvas.
import { isSigned, type Layer } from './layers.js';

export type Theme = 'light' | 'dark';
export type Rgb = readonly [r: number, g: number, b: number];
type Lab = readonly [l: number, a: number, b: number];

/** What a probability of 1 is drawn in, and what 0 is: the card. The lightness between them goes one way only. */
const ends = {
  light: {
    ...{ card: '#ffffff', label: '#9a3b00', blank: '#3a424e', other: '#00594e' },
    ...{ positive: '#a84300', negative: '#5b2a9d' },
  },
  dark: {
    ...{ card: '#1d2025', label: '#ffb884', blank: '#d3d8e0', other: '#7fe3d2' },
    ...{ positive: '#ffa765', negative: '#c6a6ff' },
  },
} as const;

/** On a logarithmic scale what is below 10^-decades looks like nothing. */
export const decades = 6;

const hexToRgb = (hex: string): Rgb => {
  const n = Number.parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
};

const toLinear = (x: number) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
const fromLinear = (x: number) => (x <= 0.0031308 ? 12.92 * x : 1.055 * x ** (1 / 2.4) - 0.055);

/** Ottosson's OKLab: equal steps look equal. */
function toLab(rgb: Rgb): Lab {
  const [r, g, b] = rgb.map((x) => toLinear(x / 255)) as [number, number, number];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromLab([lightness, a, b]: Lab): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((x) => Math.round(255 * fromLinear(Math.min(1, Math.max(0, x))))) as unknown as Rgb;
}

const mix = (a: Lab, b: Lab, x: number): Lab =>
  a.map((from, i) => from + (b[i]! - from) * x) as unknown as Lab;

/** The ends in OKLab. */
const labs = Object.fromEntries(
  Object.entries(ends).map(([theme, colours]) => [
    theme,
    Object.fromEntries(Object.entries(colours).map(([name, hex]) => [name, toLab(hexToRgb(hex))])),
  ]),
) as Record<Theme, Record<keyof (typeof ends)['light'], Lab>>;

/** Where a value lies between the card and the full colour, from 0 to 1. */
export function strength(layer: Layer, value: number, scale: 'log' | 'linear'): number {
  const size = Math.abs(value);
  const x = isSigned(layer) || scale === 'linear' ? size : 1 + Math.log10(size) / decades;
  return Math.min(1, Math.max(0, x));
}

/** What a row stands for: a label of the text, the blank, or all that have no row of their own. */
export type Kind = 'label' | 'blank' | 'other';

/**
 * The colour of a value: a probability; for `gradient` a share of the largest, for `change` a difference, from −1 to 1.
 * `paled`: it is not what stands out.
 */
export function colourOf(
  layer: Layer,
  value: number,
  kind: Kind,
  theme: Theme,
  scale: 'log' | 'linear',
  paled = false,
): Rgb {
  const { card, positive, negative, [kind]: own } = labs[theme];
  const full = isSigned(layer) ? (value > 0 ? positive : negative) : own;
  return fromLab(mix(card, full, strength(layer, value, scale) * (paled ? 0.25 : 1)));
}

/** Steps of a ramp: finer than the colours of a screen. */
export const rampSteps = 1024;

/** For the shader, packed as it unpacks them: from the card to the colour of labels, of blanks, above and below zero. */
export function rampsOf(theme: Theme): Uint32Array<ArrayBuffer> {
  const { card, label, blank, positive, negative } = labs[theme];
  const ramps = new Uint32Array(4 * rampSteps);
  [label, blank, positive, negative].forEach((full, k) => {
    for (let i = 0; i < rampSteps; i++) {
      const [r, g, b] = fromLab(mix(card, full, i / (rampSteps - 1)));
      ramps[k * rampSteps + i] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
  });
  return ramps;
}

export interface Stop {
  readonly value: number;
  readonly colour: string;
}

/** From the least to the largest, evenly along the scale: for a legend. */
export function legendStops(layer: Layer, theme: Theme, scale: 'log' | 'linear'): Stop[] {
  const valueAt = (x: number) => {
    if (isSigned(layer)) return 2 * x - 1;
    return scale === 'linear' ? x : 10 ** (decades * (x - 1));
  };
  return Array.from({ length: 13 }, (_, i) => {
    const value = valueAt(i / 12);
    const [r, g, b] = colourOf(layer, value, 'label', theme, scale);
    return { value, colour: `rgb(${r} ${g} ${b})` };
  });
}

/** Fixed on the screen: what no path reaches, what is no number. */
export const hatch = {
  light: { line: hexToRgb('#d9d5cc'), nan: hexToRgb('#d6249f'), nanLine: hexToRgb('#7d0060') },
  dark: { line: hexToRgb('#3a4048'), nan: hexToRgb('#ff5cc4'), nanLine: hexToRgb('#7d0060') },
} as const;
/** CSS pixels from one line of a hatching to the next, and the width of a line. */
export const hatchSpacing = 7;
export const hatchWidth = 1.2;
