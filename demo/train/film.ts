// The posterior of one string through the training: a film whose pictures lie under each other, and one of them large.

import type { Stroke } from '../../learning/glyphs.js';
import { classes, features, movements, stride } from '../../learning/pen.js';
import type { PenReading } from '../../learning/settings.js';
import { begin, dark, keepDrawn, oncePerFrame, palette } from '../shared/canvas.js';
import { colourOf, type Theme } from '../shared/colours.js';
import { type Attributed, attribute, colourOfDigit, drawLine, drawRead } from './ink.js';

export interface Picture extends PenReading {
  readonly steps: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Pictures that there is room for before they must be thinner. */
const roomFor = 61;

/** Room for the names of classes beside the large picture. */
const gutter = 28;

export class Film {
  readonly #root: HTMLElement;
  readonly #slider: HTMLInputElement;
  readonly #changed: () => void;
  #strokes: readonly Stroke[];
  #pictures: Picture[] = [];
  /** The picture shown large, and whether it follows the newest. */
  #shown = 0;
  #follows = true;
  readonly #drawSoon = oncePerFrame(() => this.draw());

  /** `changed`: whenever there are more or fewer pictures. */
  constructor(root: HTMLElement, strokes: readonly Stroke[], changed: () => void) {
    this.#root = root;
    this.#strokes = strokes;
    this.#changed = changed;
    this.#slider = root.querySelector('input')!;
    this.#slider.addEventListener('input', () => {
      this.#shown = this.#slider.valueAsNumber;
      this.#follows = this.#shown === this.#pictures.length - 1;
      this.draw();
    });
    const strip = this.#canvas('strip');
    const scrub = ({ offsetY, buttons, type }: PointerEvent) => {
      if (type === 'pointermove' && buttons === 0) return;
      this.#slider.value = String(Math.floor((offsetY / strip.clientHeight) * this.#lines));
      this.#slider.dispatchEvent(new Event('input'));
    };
    strip.addEventListener('pointerdown', scrub);
    strip.addEventListener('pointermove', scrub);
    keepDrawn(root, () => this.draw());
  }

  get pictures(): readonly Picture[] {
    return this.#pictures;
  }

  /** What it shows being learned. */
  get strokes(): readonly Stroke[] {
    return this.#strokes;
  }

  /** Of the film, those to come among them. */
  get #lines(): number {
    return Math.max(roomFor, this.#pictures.length);
  }

  #canvas(name: string): HTMLCanvasElement {
    return this.#root.querySelector(`canvas.${name}`)!;
  }

  /** Another string: its pictures are to come. */
  show(strokes: readonly Stroke[]): void {
    this.#strokes = strokes;
    this.clear();
  }

  add(steps: number, reading: PenReading): void {
    const before = this.#pictures.filter((picture) => picture.steps < steps);
    const after = this.#pictures.filter((picture) => picture.steps > steps);
    this.#pictures = [...before, { ...reading, steps }, ...after];
    this.#update();
  }

  /** Leaves out what was made by so many steps or more. */
  cut(steps: number): void {
    this.#pictures = this.#pictures.filter((picture) => picture.steps < steps);
    this.#update();
  }

  /** For another network. */
  clear(): void {
    this.#follows = true;
    this.cut(0);
  }

  #update() {
    const last = Math.max(0, this.#pictures.length - 1);
    this.#shown = this.#follows ? last : Math.min(this.#shown, last);
    this.#slider.max = String(last);
    this.#slider.value = String(this.#shown);
    this.#changed();
    this.#drawSoon();
  }

  draw(): void {
    const theme: Theme = dark().matches ? 'dark' : 'light';
    const picture = this.#pictures[this.#shown];
    const on = (name: string, draw: (context: CanvasRenderingContext2D, size: Size) => void) => {
      const canvas = this.#canvas(name);
      draw(begin(canvas), { width: canvas.clientWidth, height: canvas.clientHeight });
    };
    const read = attribute(
      this.#strokes,
      picture ?? { text: '', posteriors: new Float32Array(0), frames: 0 },
    );
    on('ink', (context, size) => drawRead(context, size, this.#strokes, read, theme, 3));
    on('strip', (context, size) => {
      if (picture) drawStrip(context, size, this.#pictures, this.#shown, this.#lines, theme);
    });
    on('large', (context, size) => {
      if (picture) drawPosterior(context, size, picture, this.#strokes, read, theme);
    });
    this.#root.querySelector('.says')!.textContent = picture ? saysOf(picture) : '';
    this.#slider.setAttribute('aria-valuetext', picture ? saysOf(picture) : 'no picture yet');
  }
}

export const saysOf = ({ steps, text }: Picture): string =>
  `after ${steps.toLocaleString('en')} step${steps === 1 ? '' : 's'} it reads ${text || 'nothing'}`;

/** A line for each picture: how sure it is of any digit, frame by frame. */
function drawStrip(
  context: CanvasRenderingContext2D,
  { width, height }: Size,
  pictures: readonly Picture[],
  shown: number,
  lines: number,
  theme: Theme,
) {
  const frames = pictures[0]!.frames;
  const shades = (row: number, t: number) =>
    colourOf('posterior', 1 - pictures[row]!.posteriors[t * classes]!, 'label', theme, 'linear');
  const line = height / lines;
  drawCells(context, [0, 0, width, line * pictures.length], frames, pictures.length, shades);
  const y = Math.min(height - 2, Math.round((shown + 0.5) * line));
  context.fillStyle = palette()('path');
  context.fillRect(0, y - 1, width, 2);
}

/** Cells of equal size in a rectangle: at once, where long ink would be thousands of rectangles in each picture. */
function drawCells(
  context: CanvasRenderingContext2D,
  [x, y, width, height]: readonly [x: number, y: number, width: number, height: number],
  columns: number,
  rows: number,
  colourAt: (row: number, column: number) => readonly [r: number, g: number, b: number],
) {
  const image = new ImageData(columns, rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      image.data.set([...colourAt(row, column), 255], 4 * (row * columns + column));
  }
  const small = new OffscreenCanvas(columns, rows);
  small.getContext('2d')!.putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, x, y, width, height);
}

/** Rows are the blank and the digits, columns the frames; above them the height of the pen. */
export function drawPosterior(
  context: CanvasRenderingContext2D,
  { width: whole, height }: Size,
  { posteriors, frames }: PenReading,
  strokes: readonly Stroke[],
  read: Attributed,
  theme: Theme,
): void {
  const colour = palette();
  const width = whole - gutter;
  const trace = Math.round(height * 0.16);
  const row = (height - trace) / classes;
  drawTrace(context, { width, height: trace }, frames, strokes, read, theme);
  Object.assign(context, {
    font: '12px ui-sans-serif, system-ui, sans-serif',
    textAlign: 'right',
    textBaseline: 'middle',
  });
  drawCells(context, [gutter, trace, width, height - trace], frames, classes, (c, t) =>
    colourOf('posterior', posteriors[t * classes + c]!, c === 0 ? 'blank' : 'label', theme, 'linear'),
  );
  for (let c = 0; c < classes; c++) {
    const y = trace + c * row;
    context.fillStyle = colour('quiet');
    context.fillText(c === 0 ? '–' : String(c - 1), gutter - 10, y + row / 2);
    context.fillStyle = colour('card');
    context.fillRect(gutter, Math.round(y + row) - 1, width, 1);
  }
}

function drawTrace(
  context: CanvasRenderingContext2D,
  { width, height }: Size,
  frames: number,
  strokes: readonly Stroke[],
  { digits, movements: of }: Attributed,
  theme: Theme,
) {
  const moved = movements(strokes);
  const count = moved.length / features;
  const x = (i: number) => gutter + (i / stride / frames) * width;
  const y = (i: number) => height * (0.5 + 0.7 * moved[i * features + 3]!);
  const colour = palette();
  context.lineWidth = 2;
  const colourAt = (i: number) => {
    if (moved[i * features + 2] === 1) return colour('line');
    const read = of[i];
    return colourOfDigit(read === undefined ? undefined : digits[read], theme);
  };
  for (let begin = 1, i = 2; i <= count; i++) {
    if (i < count && colourAt(i) === colourAt(begin)) continue;
    context.strokeStyle = colourAt(begin);
    const points = Array.from({ length: i - begin + 1 }, (_, j) => begin - 1 + j);
    drawLine(
      context,
      points.map((at) => [x(at + 0.5), y(at)]),
    );
    begin = i;
  }
}

/** A picture of the film by itself, for a video: what is read of the ink, how sure it is, and how far the training is. */
export function drawStill(
  canvas: HTMLCanvasElement,
  picture: Picture,
  strokes: readonly Stroke[],
  progress: number,
  theme: Theme,
): void {
  const context = canvas.getContext('2d')!;
  const colour = palette();
  const { width, height } = canvas;
  const [margin, head, ink] = [32, 64, 170];
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = colour('card');
  context.fillRect(0, 0, width, height);
  const said = saysOf(picture);
  Object.assign(context, {
    ...{ fillStyle: colour('text'), textAlign: 'left', textBaseline: 'middle' },
    font: '600 26px ui-sans-serif, system-ui, sans-serif',
  });
  context.fillText(said[0]!.toUpperCase() + said.slice(1), margin, head / 2 + 8);
  const read = attribute(strokes, picture);
  const inner = width - 2 * margin;
  context.setTransform(1, 0, 0, 1, margin, head);
  drawRead(context, { width: inner, height: ink }, strokes, read, theme, 5);
  context.setTransform(1, 0, 0, 1, margin, head + ink + 16);
  const below = height - head - ink - 16 - margin;
  drawPosterior(context, { width: inner, height: below }, picture, strokes, read, theme);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = colour('label');
  context.fillRect(0, height - 8, width * progress, 8);
}
