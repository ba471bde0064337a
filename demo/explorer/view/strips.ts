// The rows above and below the lattice that share its time: emissions, frame numbers, what is read.

import { begin, niceStep, palette } from '../../shared/canvas.js';
import { colourOf, type Kind } from '../../shared/colours.js';
import { type Analysis, classAt, numberOf, type Problem, statesOf } from '../engine/analysis.js';
import { space } from './explain.js';
import type { Scene } from './scene.js';
import type { Span } from './viewport.js';
import { scaleTo } from './viewport.js';

export interface EmissionRow {
  readonly name: string;
  /** Undefined: all that have no row of their own. */
  readonly c: number | undefined;
  readonly kind: Kind;
}

/** A class that is no label has a row of its own where it is at least so likely in some frame. At most so many have. */
const [leastRival, mostRivals] = [0.2, 6];

/**
 * The target's classes in the order of their first use, the blank, classes that compete with them, and the rest as one.
 *
 * @param others classes that have rows whatever their scores
 */
export function emissionRows(
  { problem, logProbs }: Pick<Analysis, 'problem' | 'logProbs'>,
  nameOf: (c: number) => string,
  others: readonly number[] = [],
): EmissionRow[] {
  const { labels, blank, classes, star } = problem;
  const own = new Set([...labels, blank, ...others]);
  const most = new Float32Array(classes).fill(Number.NEGATIVE_INFINITY);
  logProbs.forEach((log, i) => {
    const c = i % classes;
    if (log > most[c]!) most[c] = log;
  });
  const rivals = [...most.keys()]
    .filter((c) => !own.has(c) && most[c]! >= Math.log(leastRival))
    .sort((a, b) => most[b]! - most[a]!)
    .slice(0, mostRivals);
  return [
    ...[...new Set(labels)]
      .filter((c) => c !== star?.c)
      .map((c) => ({ name: nameOf(c), c, kind: 'label' as const })),
    { name: '–', c: blank, kind: 'blank' },
    // a price that is high in every frame
    ...(star ? [{ name: nameOf(star.c), c: star.c, kind: 'other' as const }] : []),
    ...[...new Set(others)]
      .filter((c) => c !== blank && !labels.includes(c))
      .concat(rivals)
      .map((c) => ({ name: nameOf(c), c, kind: 'other' as const })),
    { name: rivals.length > 0 ? 'rest' : 'other', c: undefined, kind: 'other' },
  ];
}

/** A cell a frame; where frames are narrower than pixels, the largest of those under it. `last`: frames that are shown at all. */
export function drawEmissions(
  canvas: HTMLCanvasElement,
  frames: Span,
  { problem, logProbs }: Analysis,
  rows: readonly EmissionRow[],
  { theme, difference }: Pick<Scene, 'theme' | 'difference'>,
  last: number,
): void {
  const context = begin(canvas);
  const x = scaleTo(frames, canvas.clientWidth);
  const { classes } = problem;
  const own = new Set(rows.map(({ c }) => c));
  const height = canvas.clientHeight / rows.length;
  const width = x(1) - x(0);
  const perColumn = Math.max(1, Math.floor(1 / width));
  const gap = height > 8 && width > 6 ? 1 : 0;
  const shareAt = (t: number, c: number | undefined) => {
    if (difference) return c === undefined ? 0 : difference.values[t * classes + c]!;
    if (c !== undefined) return Math.exp(logProbs[t * classes + c]!);
    // a recogniser of pictures may have thousands of others
    let rest = 1;
    for (const k of own) if (k !== undefined) rest -= Math.exp(logProbs[t * classes + k]!);
    return Math.max(0, rest);
  };
  const end = Math.min(last, Math.ceil(frames.end));
  rows.forEach(({ c, kind }, row) => {
    for (let t = Math.max(0, Math.floor(frames.first)); t < end; t += perColumn) {
      let value = 0;
      for (let k = t; k < Math.min(end, t + perColumn); k++) {
        const share = shareAt(k, c);
        if (Math.abs(share) > Math.abs(value)) value = share;
      }
      const [r, g, b] = colourOf(difference ? 'change' : 'probability', value, kind, theme, 'linear');
      context.fillStyle = `rgb(${r} ${g} ${b})`;
      context.fillRect(x(t), row * height, Math.max(1, perColumn * width - gap), Math.max(1, height - gap));
    }
  });
}

/** Frame numbers, and seconds where they are known. */
export function drawAxis(
  canvas: HTMLCanvasElement,
  frames: Span,
  { frames: total, first = 0 }: Problem,
  frameSeconds?: number,
): void {
  const context = begin(canvas);
  const x = scaleTo(frames, canvas.clientWidth);
  // seconds stand beside the frames
  const step = niceStep((frameSeconds === undefined ? 48 : 112) / (x(1) - x(0)));
  context.fillStyle = palette()('quiet');
  context.font = '12px ui-sans-serif, system-ui, sans-serif';
  context.textBaseline = 'middle';
  const { clientWidth: width, clientHeight: height } = canvas;
  const end = first + Math.min(total, frames.end);
  for (let t = step * Math.ceil((first + frames.first) / step); t < end; t += step) {
    const at = x(t - first + 0.5);
    context.fillRect(at - 0.5, 0, 1, 4);
    const text = frameSeconds === undefined ? String(t) : `${t} · ${(t * frameSeconds).toFixed(2)} s`;
    const half = context.measureText(text).width / 2;
    // beside its tick where the edge leaves no room below it
    context.fillText(text, Math.max(0, Math.min(width - 2 * half, at - half)), height / 2 + 2);
  }
}

/** What is read frame by frame: by the recogniser itself, or along a path. */
export interface Reading {
  readonly name: string;
  readonly classes: Int32Array;
  /** How many frames of it are shown. */
  readonly end: number;
}

/** The symbol of each frame; brackets join those that are read as one. */
export function drawReading(
  canvas: HTMLCanvasElement,
  frames: Span,
  { classes, end: last }: Reading,
  blank: number,
  nameOf: (c: number) => string,
): void {
  const context = begin(canvas);
  const x = scaleTo(frames, canvas.clientWidth);
  const colour = palette();
  const width = x(1) - x(0);
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.lineWidth = 1.5;
  const read: Read[] = [];
  for (let t = Math.max(0, Math.floor(frames.first)); t < Math.min(last, frames.end); ) {
    const c = classes[t]!;
    let end = t + 1;
    while (end < last && classes[end] === c) end++;
    const isBlank = c === blank;
    const name = isBlank ? '–' : nameOf(c);
    if (width >= 9 && name !== space) {
      context.font = '13px ui-sans-serif, system-ui, sans-serif';
      context.fillStyle = colour(isBlank ? 'quiet' : 'text');
      for (let k = t; k < end; k++) context.fillText(name, x(k + 0.5), 9);
    }
    if (!isBlank) {
      const inset = Math.min(3, width / 4);
      const [left, right] = [x(t) + inset, x(end) - inset];
      context.strokeStyle = colour('label');
      context.beginPath();
      context.moveTo(left, 18);
      context.lineTo(left, 23);
      context.lineTo(right, 23);
      context.lineTo(right, 18);
      context.stroke();
      read.push({ name, left, right });
    }
    t = end;
  }
  context.fillStyle = colour('label');
  drawRead(context, read, canvas.clientWidth);
}

/** What is read, and where on the canvas. */
export interface Read {
  readonly name: string;
  readonly left: number;
  readonly right: number;
}

/** A text about `x`. */
export interface Placed {
  readonly name: string;
  readonly x: number;
  readonly size: number;
}

function drawRead(context: CanvasRenderingContext2D, letters: readonly Read[], width: number): void {
  const fontOf = (size: number) => `600 ${size}px ui-sans-serif, system-ui, sans-serif`;
  const widthOf = (text: string, size: number) => {
    context.font = fontOf(size);
    return context.measureText(text).width;
  };
  for (const { name, x, size } of placeRead(letters, width, widthOf)) {
    context.font = fontOf(size);
    context.fillText(name, x, 36);
  }
}

const letterSize = 16;
const wordSizes = [13, 11];

/**
 * Each word by its letters where they have room, else as a whole, else as dots: what is left out is seen to be. Where most
 * would be dots, nothing.
 */
export function placeRead(
  letters: readonly Read[],
  width: number,
  widthOf: (text: string, size: number) => number,
): Placed[] {
  const placed: Placed[] = [];
  let end = 0;
  /** After `end`, in order; undefined where one has no room. One that the edge cuts has its place in what is seen of it. */
  const place = (reads: readonly Read[], size: number) => {
    const found: Placed[] = [];
    let before = end;
    for (const { name, left, right } of reads) {
      const x = (Math.max(0, left) + Math.min(width, right)) / 2;
      const half = widthOf(name, size) / 2;
      if (x - half >= before && x + half <= width) {
        found.push({ name, x, size });
        before = x + half + 1;
      } else if (left >= 0 && right <= width) return undefined;
    }
    return { found, before };
  };
  let dots = 0;
  const words = wordsOf(letters);
  for (const word of words) {
    const [left, right] = [word[0]!.left, word.at(-1)!.right];
    const whole = (name: string) => [{ name, left, right }];
    const name = word.map((letter) => letter.name).join('');
    let fit = place(word, letterSize);
    for (const size of wordSizes) fit ??= place(whole(name), size);
    if (!fit) {
      dots++;
      // once for several in a row
      if (placed.at(-1)?.name === '…') continue;
      fit = place(whole('…'), letterSize);
    }
    if (!fit) continue;
    placed.push(...fit.found);
    end = fit.before;
  }
  return dots > words.length / 2 ? [] : placed;
}

/** The letters of each word. A space is seen by itself. */
function wordsOf(letters: readonly Read[]): Read[][] {
  const words: Read[][] = [];
  let isNew = true;
  for (const letter of letters) {
    if (letter.name === space) isNew = true;
    else if (isNew) {
      words.push([letter]);
      isNew = false;
    } else words.at(-1)!.push(letter);
  }
  return words;
}

/** Names of the states beside their rows; ticks where rows are too low for names. */
export function gutterLabels(
  problem: Problem,
  states: Span,
  height: number,
  nameOf: (c: number) => string,
): { s: number; name: string; top: number; height: number }[] {
  const y = scaleTo(states, height);
  const row = y(1) - y(0);
  const every = row >= 11 ? 1 : 2 * niceStep(18 / (2 * row));
  const labels = [];
  for (let s = Math.max(0, Math.floor(states.first)); s < Math.min(statesOf(problem), states.end); s++) {
    if (every > 1 && s % every !== 1) continue;
    const isBlank = s % 2 === 0;
    const own = nameOf(classAt(problem, s));
    const name = isBlank
      ? '–'
      : every > 1
        ? `${own === space ? '_' : own} ${numberOf(problem, s >> 1)}`
        : own;
    // a tick is as high as its text, about the middle of its row
    const height = Math.max(row, 16);
    labels.push({ s, name, top: Math.max(0, y(s + 0.5) - height / 2), height });
  }
  return labels;
}
