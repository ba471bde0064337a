// The picture of a line above its lattice, along the same time: a box for each character, where the best path has it.

import './strip.css';
import { begin } from '../../shared/canvas.js';
import { make } from '../../shared/dom.js';
import { boxesOf } from '../../shared/pictures/boxes.js';
import type { Box } from '../../shared/pictures/ink.js';
import { frameWidth, lineHeight } from '../../shared/pictures/line-input.js';
import { cutOut, type Line } from '../../shared/pictures/picture.js';
import { type BestPath, type Problem, statesOf } from '../engine/analysis.js';
import { type Span, scaleTo } from '../view/viewport.js';

/** CSS pixels; and of the height of the stage. */
const [lowest, highest, mostOfStage] = [24, 110, 0.15];

/** Of a box and of the one that is looked at, by the paper, whatever the page is. */
const inks = { light: ['#b84a00', '#1b4fd1'], dark: ['#ff9a52', '#7fa8ff'] } as const;

export class PictureStrip {
  readonly #stage: HTMLElement;
  readonly #canvas = make('canvas', { ariaHidden: 'true' });
  readonly #root: HTMLElement;
  readonly line: Line;
  readonly #picture: HTMLCanvasElement;
  #frames: Span = { first: 0, end: 1 };
  /** Of the labels that are seen, by their place among all. */
  #boxes: readonly { readonly label: number; readonly box: Box }[] = [];
  #chosen: number | undefined;

  /** Takes its place in the stage until it is destroyed. */
  constructor(stage: HTMLElement, line: Line) {
    this.#stage = stage;
    this.line = line;
    this.#picture = cutOut(line, 2 * highest);
    const gutter = make('div', { className: 'gutter', ariaHidden: 'true' }, 'picture');
    const plot = make('div', { className: 'plot' }, this.#canvas);
    this.#root = make('div', { id: 'picture' }, gutter, plot);
    stage.prepend(this.#root);
    stage.classList.add('pictured');
  }

  /** Another text, or other scores. @param space The label between words. */
  show(
    { alignment, problem }: { readonly alignment: BestPath | undefined; readonly problem: Problem },
    space: number | undefined,
  ): void {
    const { labels } = problem;
    const spans = new Map<number, { start: number; end: number }>();
    alignment?.states.forEach((s, t) => {
      if (s % 2 === 0 || s >= statesOf(problem) || labels[s >> 1] === space) return;
      spans.set(s >> 1, { start: spans.get(s >> 1)?.start ?? t, end: t + 1 });
    });
    const boxes = boxesOf(this.line.ink, [...spans.values()], frameWidth);
    this.#boxes = [...spans.keys()].map((label, i) => ({ label, box: boxes[i]! }));
    this.#draw();
  }

  /** The frames that the lattice below it shows. */
  look(frames: Span): void {
    this.#frames = frames;
    this.#draw();
  }

  /** The label that is looked at. */
  point(label: number | undefined): void {
    if (label === this.#chosen) return;
    this.#chosen = label;
    this.#draw();
  }

  destroy(): undefined {
    this.#root.remove();
    this.#stage.classList.remove('pictured');
  }

  #draw(): void {
    const { input, pixels } = this.line;
    // as high as its letters are in proportion, where there is room for it
    const natural = (lineHeight / frameWidth) * (this.#canvas.clientWidth / input.frames);
    const height = Math.max(lowest, Math.min(natural, highest, mostOfStage * this.#stage.clientHeight));
    this.#stage.style.setProperty('--picture', `${Math.round(height)}px`);
    const context = begin(this.#canvas);
    const { clientWidth, clientHeight } = this.#canvas;
    const at = scaleTo(this.#frames, clientWidth);
    const x = (pixel: number) => at(pixel / frameWidth);
    const y = (pixel: number) => (pixel / pixels.height) * clientHeight;
    context.imageSmoothingQuality = 'high';
    const [ink, chosenInk] = this.line.picture.paper < 128 ? inks.dark : inks.light;
    context.drawImage(this.#picture, x(0), 0, x(pixels.width) - x(0), clientHeight);
    for (const { label, box } of this.#boxes) {
      const chosen = label === this.#chosen;
      context.lineWidth = chosen ? 3 : 1.5;
      context.strokeStyle = chosen ? chosenInk : ink;
      const [left, top] = [x(box.left) - 1, y(box.top) - 1];
      context.strokeRect(left, top, x(box.right) + 1 - left, y(box.bottom) + 1 - top);
    }
  }
}
