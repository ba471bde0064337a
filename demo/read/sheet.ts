// The picture, with boxes over it: of its characters, and of its lines where there are several.
import { make } from '../shared/dom.js';
import type { Box } from '../shared/pictures/ink.js';
import type { Picture } from '../shared/pictures/picture.js';

/** Canvas pixels of the longest side: more are not seen. */
const mostPixels = 2400;
/** CSS pixels of a line's ink: smaller letters have no room for boxes, and a long line is scrolled. */
const leastInk = 24;

export interface SheetEvents {
  /** The pointer is over a character; undefined: over none. */
  hover(index: number | undefined): void;
  pick(index: number): void;
  pickLine(index: number): void;
}

export class Sheet {
  readonly #view: HTMLElement;
  readonly #sheet: HTMLElement;
  readonly #canvas: HTMLCanvasElement;
  readonly #boxes: HTMLElement;
  readonly #events: SheetEvents;
  #picture: Picture | undefined;
  #characters: HTMLElement[] = [];

  constructor(root: HTMLElement, events: SheetEvents) {
    this.#view = root.querySelector('.view')!;
    this.#sheet = root.querySelector('.sheet')!;
    this.#canvas = root.querySelector('canvas')!;
    this.#boxes = root.querySelector('.boxes')!;
    this.#events = events;
    // what can be scrolled is reached by keyboard
    new ResizeObserver(() => {
      this.#view.tabIndex = this.#view.scrollWidth > this.#view.clientWidth ? 0 : -1;
    }).observe(this.#sheet);
  }

  /** Another picture, or another of its lines, without boxes of characters. */
  show(picture: Picture, line: number): void {
    const { width, height, image, name } = picture;
    if (picture !== this.#picture) {
      const scale = Math.min(1, mostPixels / Math.max(width, height));
      Object.assign(this.#canvas, { width: Math.round(width * scale), height: Math.round(height * scale) });
      this.#canvas.getContext('2d')!.drawImage(image, 0, 0, this.#canvas.width, this.#canvas.height);
      // of a picture of several lines all is seen; else the line can be
      const [only, ...others] = picture.lines;
      const least = others.length > 0 ? 0 : (width * leastInk) / (only!.bottom - only!.top);
      this.#sheet.style.width = `max(${Math.min(width, least)}px, min(100%, ${width}px, ${(46 * width) / height}dvh))`;
      this.#view.scrollLeft = 0;
      this.#boxes.classList.toggle('on-dark', picture.paper < 128);
      this.#canvas.ariaLabel = `Picture: ${name}`;
      this.#picture = picture;
    }
    this.#characters = [];
    this.#boxes.replaceChildren(
      ...(picture.lines.length > 1 ? picture.lines : []).map((box, i) => {
        const onclick = () => this.#events.pickLine(i);
        return this.#place(make('i', { className: i === line ? 'line chosen' : 'line', onclick }), box);
      }),
    );
  }

  /** Boxes of characters, each with how sure the reader is of it. */
  mark(boxes: readonly { readonly box: Box; readonly confidence: number }[]): void {
    for (const old of this.#characters) old.remove();
    this.#characters = boxes.map(({ box, confidence }, i) => {
      const element = make('i', {
        className: 'character',
        onclick: () => this.#events.pick(i),
        onpointerenter: () => this.#events.hover(i),
        onpointerleave: () => this.#events.hover(undefined),
      });
      element.style.setProperty('--sure', `${Math.round(100 * confidence)}%`);
      return this.#place(element, box);
    });
    this.#boxes.append(...this.#characters);
  }

  /** The one that is looked at, which is brought into view. */
  point(index: number | undefined): void {
    for (const [i, element] of this.#characters.entries()) element.classList.toggle('chosen', i === index);
    const chosen = index === undefined ? undefined : this.#characters[index];
    if (!chosen) return;
    const { offsetLeft: left, offsetWidth: width } = chosen;
    const { scrollLeft, clientWidth } = this.#view;
    if (left < scrollLeft || left + width > scrollLeft + clientWidth)
      this.#view.scrollLeft = left - (clientWidth - width) / 2;
  }

  #place(element: HTMLElement, { left, top, right, bottom }: Box): HTMLElement {
    const { width, height } = this.#picture!;
    const share = (part: number, all: number) => `${(100 * part) / all}%`;
    Object.assign(element.style, {
      ...{ left: share(left, width), width: share(right - left, width) },
      ...{ top: share(top, height), height: share(bottom - top, height) },
    });
    return element;
  }
}
