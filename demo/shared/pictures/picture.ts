// A picture of a visitor's, where its lines of text are, and a line as the network takes it.

import { type Box, type Ink, inkOf, type Pixels } from './ink.js';
import { frameWidth, type LineInput, lineHeight } from './line-input.js';
import { linesIn } from './lines.js';

export interface Picture {
  readonly name: string;
  readonly image: HTMLImageElement | HTMLCanvasElement;
  readonly width: number;
  readonly height: number;
  /** The ink of each line of text, from top to bottom, in its pixels. */
  readonly lines: readonly Box[];
  /** Grey of the paper. */
  readonly paper: number;
}

/** A line, cut out and as high as the network takes it. */
export interface Line {
  readonly picture: Picture;
  /** What was cut out of the picture, in its pixels; it may reach beyond it. */
  readonly cut: Box;
  /** Pixels of the line. */
  readonly pixels: Pixels;
  readonly ink: Ink;
  readonly input: LineInput;
}

/** Lines are looked for in a picture of at most so many pixels. */
const mostPixels = 1e6;
/** Around the ink, in heights of it: with this much the reader makes the fewest mistakes, 0.8 % of Latin letters; with 0.3, 2.5 %. */
const margin = 0.15;
/** What is higher than so many widths is no line from left to right, nor a sign like |. */
const steepest = 12;
/** Pixels of the widest line: PaddleOCR takes no wider one. */
const widest = 3200;
/** PaddleOCR pads a narrower line to this width. */
const narrowest = 320;

/** @throws RangeError for what is no picture, and for one in which nothing is written. */
export async function openPicture(file: File): Promise<Picture> {
  const image = new Image();
  const url = URL.createObjectURL(file);
  try {
    image.src = url;
    await image.decode();
  } catch {
    throw new RangeError(`${file.name}: expected a picture that this browser can decode`);
  } finally {
    URL.revokeObjectURL(url);
  }
  return pictureOf(file.name, image, image.naturalWidth, image.naturalHeight);
}

/** @throws RangeError for one in which nothing is written. */
export function pictureOf(
  name: string,
  image: Picture['image'],
  width = image.width,
  height = image.height,
): Picture {
  const scale = Math.min(1, Math.sqrt(mostPixels / (width * height)));
  const all = { left: 0, top: 0, right: width, bottom: height };
  const small = drawn(image, all, Math.round(width * scale), Math.round(height * scale), 'white');
  const ink = inkOf(pixelsOf(small));
  const lines = linesIn(ink).map(({ left, top, right, bottom }) => ({
    ...{ left: left / scale, top: top / scale, right: right / scale, bottom: bottom / scale },
  }));
  if (lines.length === 0) throw new RangeError(`${name}: expected a line of text, got a picture without any`);
  return { name, image, width, height, lines, paper: Math.round(ink.paper) };
}

/** @throws RangeError for what cannot be read from left to right, and for a line that is too long. */
export function lineOf(picture: Picture, index: number): Line {
  const { name, image, paper, lines } = picture;
  const { left, top, right, bottom } = lines[index]!;
  const room = margin * (bottom - top);
  // what is of its neighbours is not its own
  const above = Math.max(top - room, lines[index - 1]?.bottom ?? Number.NEGATIVE_INFINITY);
  const below = Math.min(bottom + room, lines[index + 1]?.top ?? Number.POSITIVE_INFINITY);
  const cut = {
    left: left - room,
    top: Math.min(top, above),
    right: right + room,
    bottom: Math.max(bottom, below),
  };
  const height = cut.bottom - cut.top;
  const width = Math.ceil((lineHeight * (cut.right - cut.left)) / height);
  if ((right - left) * steepest < bottom - top)
    throw new RangeError(`${name}: expected a line from left to right, got one that goes downwards`);
  if (width > widest)
    throw new RangeError(
      `${name}: expected a line at most ${Math.floor(widest / lineHeight)} times as wide as it is high, got one of ${Math.round(width / lineHeight)} times: cut it in two`,
    );
  const pixels = pixelsOf(drawn(image, cut, width, lineHeight, greyOf(paper)));
  return { picture, cut, pixels, ink: inkOf(pixels), input: inputOf(pixels) };
}

/** From pixels of a line to those of its picture. */
export function inPicture({ cut, pixels }: Line, { left, top, right, bottom }: Box): Box {
  const x = (at: number) => cut.left + (at / pixels.width) * (cut.right - cut.left);
  const y = (at: number) => cut.top + (at / pixels.height) * (cut.bottom - cut.top);
  return { left: x(left), top: y(top), right: x(right), bottom: y(bottom) };
}

/** The line as it is in its picture, at most so many pixels high. */
export function cutOut({ picture: { image, paper }, cut }: Line, mostHeight: number): HTMLCanvasElement {
  const [width, height] = [cut.right - cut.left, cut.bottom - cut.top];
  const scale = Math.min(1, mostHeight / height);
  return drawn(image, cut, Math.round(width * scale), Math.round(height * scale), greyOf(paper)).canvas;
}

const greyOf = (paper: number) => `rgb(${paper} ${paper} ${paper})`;

/** A part of a picture in another size, on paper of one colour. */
function drawn(image: Picture['image'], from: Box, width: number, height: number, paper: string) {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, { width: Math.max(1, width), height: Math.max(1, height) });
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.scale(canvas.width / (from.right - from.left), canvas.height / (from.bottom - from.top));
  context.drawImage(image, -from.left, -from.top);
  return context;
}

const pixelsOf = (context: CanvasRenderingContext2D): Pixels =>
  context.getImageData(0, 0, context.canvas.width, context.canvas.height);

/** Channels as OpenCV has them, blue first, from −1 to 1; on the right, padding of zeros. */
function inputOf({ width, data: pixels }: Pixels): LineInput {
  const frames = Math.ceil(width / frameWidth);
  const padded = Math.max(narrowest, frames * frameWidth);
  const data = new Float32Array(3 * lineHeight * padded);
  for (let channel = 0; channel < 3; channel++)
    for (let y = 0; y < lineHeight; y++)
      for (let x = 0; x < width; x++)
        data[(channel * lineHeight + y) * padded + x] =
          pixels[4 * (y * width + x) + 2 - channel]! / 127.5 - 1;
  return { data, width: padded, frames };
}
