// The posterior of one sample through the training: a film whose pictures lie under each other, and one of them large.

import { classes, features, movements, stride } from '../../learning/pen.js';
import type { PenReading } from '../../learning/settings.js';
import { begin, dark, keepDrawn, palette } from '../shared/canvas.js';
import { colourOf, type Theme } from '../shared/colours.js';
import { drawInk, fit } from './pad.js';
import { fixedSample } from './samples.js';

interface Picture extends PenReading {
  readonly steps: number;
}

/** Pictures that there is room for before they must be thinner. */
const roomFor = 61;

/** Room for the names of classes beside the large picture. */
const gutter = 28;

export class Film {
  readonly #root: HTMLElement;
  readonly #slider: HTMLInputElement;
  #pictures: Picture[] = [];
  /** The picture shown large, and whether it follows the newest. */
  #shown = 0;
  #follows = true;
  #asked = 0;

  constructor(root: HTMLElement) {
    this.#root = root;
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

  /** Of the film, those to come among them. */
  get #lines(): number {
    return Math.max(roomFor, this.#pictures.length);
  }

  #canvas(name: string): HTMLCanvasElement {
    return this.#root.querySelector(`canvas.${name}`)!;
  }

  add(steps: number, reading: PenReading): void {
    this.cut(steps);
    this.#pictures.push({ ...reading, steps });
    if (this.#follows) this.#shown = this.#pictures.length - 1;
    this.#changed();
  }

  /** Leaves out what was made by so many steps or more. */
  cut(steps: number): void {
    this.#pictures = this.#pictures.filter((picture) => picture.steps < steps);
    this.#shown = Math.max(0, Math.min(this.#shown, this.#pictures.length - 1));
    this.#changed();
  }

  #changed() {
    this.#slider.max = String(Math.max(0, this.#pictures.length - 1));
    this.#slider.value = String(this.#shown);
    cancelAnimationFrame(this.#asked);
    this.#asked = requestAnimationFrame(() => this.draw());
  }

  /** For another network. */
  clear(): void {
    this.cut(0);
    this.#follows = true;
  }

  draw(): void {
    const theme: Theme = dark().matches ? 'dark' : 'light';
    this.#drawSample();
    const picture = this.#pictures[this.#shown];
    if (!picture) {
      for (const name of ['strip', 'large']) begin(this.#canvas(name));
      this.#root.querySelector('.says')!.textContent = '';
      return;
    }
    this.#drawStrip(theme);
    this.#drawLarge(picture, theme);
    const read = picture.text || 'nothing';
    this.#root.querySelector('.says')!.textContent =
      `after ${picture.steps} step${picture.steps === 1 ? '' : 's'} it reads ${read}`;
    this.#slider.setAttribute('aria-valuetext', `${picture.steps} steps: reads ${read}`);
  }

  #drawSample() {
    const canvas = this.#canvas('sample');
    drawInk(canvas, fit(fixedSample.strokes, canvas.clientWidth, canvas.clientHeight, 0.12), 2.5);
  }

  /** A line for each picture: how sure it is of any digit, frame by frame. */
  #drawStrip(theme: Theme) {
    const canvas = this.#canvas('strip');
    const context = begin(canvas);
    const { clientWidth: width, clientHeight: height } = canvas;
    const frames = this.#pictures[0]!.frames;
    const image = new ImageData(frames, this.#pictures.length);
    for (const [row, { posteriors }] of this.#pictures.entries()) {
      for (let t = 0; t < frames; t++) {
        const [r, g, b] = colourOf('posterior', 1 - posteriors[t * classes]!, 'label', theme, 'linear');
        image.data.set([r, g, b, 255], 4 * (row * frames + t));
      }
    }
    const small = new OffscreenCanvas(frames, this.#pictures.length);
    small.getContext('2d')!.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    const line = height / this.#lines;
    context.drawImage(small, 0, 0, width, line * this.#pictures.length);
    const y = Math.min(height - 2, Math.round((this.#shown + 0.5) * line));
    context.fillStyle = palette()('path');
    context.fillRect(0, y - 1, width, 2);
  }

  /** Rows are the blank and the digits, columns the frames; above them the height of the pen. */
  #drawLarge({ posteriors, frames }: Picture, theme: Theme) {
    const canvas = this.#canvas('large');
    const context = begin(canvas);
    const colour = palette();
    const { clientWidth, clientHeight: height } = canvas;
    const width = clientWidth - gutter;
    const trace = Math.round(height * 0.16);
    const row = (height - trace) / classes;
    this.#drawTrace(context, width, trace, frames);
    Object.assign(context, {
      font: '12px ui-sans-serif, system-ui, sans-serif',
      textAlign: 'right',
      textBaseline: 'middle',
    });
    for (let c = 0; c < classes; c++) {
      const y = trace + c * row;
      context.fillStyle = colour('quiet');
      context.fillText(c === 0 ? '–' : String(c - 1), gutter - 10, y + row / 2);
      for (let t = 0; t < frames; t++) {
        const [r, g, b] = colourOf(
          'posterior',
          posteriors[t * classes + c]!,
          c === 0 ? 'blank' : 'label',
          theme,
          'linear',
        );
        context.fillStyle = `rgb(${r} ${g} ${b})`;
        const left = Math.floor((t * width) / frames);
        context.fillRect(gutter + left, y, Math.ceil(((t + 1) * width) / frames) - left, row - 1);
      }
    }
  }

  #drawTrace(context: CanvasRenderingContext2D, width: number, height: number, frames: number) {
    const moved = movements(fixedSample.strokes);
    const count = moved.length / features;
    const x = (i: number) => gutter + (i / stride / frames) * width;
    const y = (i: number) => height * (0.5 + 0.7 * moved[i * features + 3]!);
    const colour = palette();
    context.lineWidth = 1.5;
    for (let i = 1; i < count; i++) {
      const inAir = moved[i * features + 2] === 1;
      context.strokeStyle = colour(inAir ? 'line' : 'quiet');
      context.beginPath();
      context.moveTo(x(i - 0.5), y(i - 1));
      context.lineTo(x(i + 0.5), y(i));
      context.stroke();
    }
  }
}
