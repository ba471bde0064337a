// What is drawn on: strokes of a pen, a finger or a mouse, in CSS pixels.

import type { Point, Stroke } from '../../learning/glyphs.js';
import { begin, keepDrawn, palette } from '../shared/canvas.js';

/** Milliseconds that the page's own hand takes for a digit's worth of ink. */
const writingTime = 420;

export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #changed: () => void;
  #strokes: Point[][] = [];
  #pointer: number | undefined;
  #writing = 0;
  #asked = 0;

  /** `changed`: whenever there is more or less on it. */
  constructor(canvas: HTMLCanvasElement, changed: () => void) {
    this.#canvas = canvas;
    this.#changed = changed;
    canvas.addEventListener('pointerdown', (event) => this.#down(event));
    canvas.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture'] as const)
      canvas.addEventListener(end, (event) => this.#up(event));
    keepDrawn(canvas, () => this.#resized());
  }

  get strokes(): readonly Stroke[] {
    return this.#strokes;
  }

  clear(): void {
    this.#lift();
    this.#strokes = [];
    this.#tell();
  }

  undo(): void {
    this.#lift();
    this.#strokes.pop();
    this.#tell();
  }

  /** Writes strokes of any size onto it, as a hand would, or at once where motion is not wanted. */
  write(strokes: readonly Stroke[]): void {
    this.clear();
    const fitted = fit(strokes, this.#canvas.clientWidth, this.#canvas.clientHeight);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#strokes = fitted.map((stroke) => [...stroke]);
      this.#tell();
      return;
    }
    const points = fitted.flatMap((stroke) => stroke.map((point, i) => ({ point, first: i === 0 })));
    const height = this.#canvas.clientHeight;
    const start = performance.now();
    let done = 0;
    let inked = 0;
    const frame = (now: number) => {
      // so much ink for the time
      const allowed = ((now - start) / writingTime) * height;
      while (done < points.length && inked <= allowed) {
        const { point, first } = points[done++]!;
        const stroke = first ? [] : this.#strokes[this.#strokes.length - 1]!;
        const before = stroke[stroke.length - 1];
        inked += before ? Math.hypot(point[0] - before[0], point[1] - before[1]) : 0.15 * height;
        if (first) this.#strokes.push(stroke);
        stroke.push(point);
      }
      if (done < points.length) this.#writing = requestAnimationFrame(frame);
      this.#tell();
    };
    this.#writing = requestAnimationFrame(frame);
  }

  /** Whoever is writing, the page's hand or the visitor's, has ended. */
  #lift() {
    cancelAnimationFrame(this.#writing);
    if (this.#pointer !== undefined) this.#canvas.releasePointerCapture(this.#pointer);
    this.#pointer = undefined;
  }

  #down(event: PointerEvent) {
    if (!event.isPrimary || event.button !== 0) return;
    event.preventDefault();
    this.#lift();
    this.#canvas.setPointerCapture(event.pointerId);
    this.#pointer = event.pointerId;
    this.#strokes.push([at(event)]);
    this.#tell();
  }

  #move(event: PointerEvent) {
    if (event.pointerId !== this.#pointer) return;
    const stroke = this.#strokes[this.#strokes.length - 1]!;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length > 0 ? events : [event]) {
      const point = at(one);
      const [x, y] = stroke[stroke.length - 1]!;
      // what is beside the pad cannot be seen
      if (this.#holds(point) && (point[0] !== x || point[1] !== y)) stroke.push(point);
    }
    this.#tell();
  }

  #up(event: PointerEvent) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = undefined;
    this.#tell();
  }

  #holds([x, y]: Point): boolean {
    return x >= 0 && y >= 0 && x <= this.#canvas.clientWidth && y <= this.#canvas.clientHeight;
  }

  /** Ink that a smaller pad has no room for is made smaller, rather than read and not seen. */
  #resized() {
    const { clientWidth, clientHeight } = this.#canvas;
    if (clientWidth > 0 && !this.#strokes.flat().every((point) => this.#holds(point))) {
      this.#lift();
      this.#strokes = fit(this.#strokes, clientWidth, clientHeight);
      this.#tell();
    } else this.draw();
  }

  #tell() {
    // once a frame, however often the pen reports
    cancelAnimationFrame(this.#asked);
    this.#asked = requestAnimationFrame(() => this.draw());
    this.#changed();
  }

  draw(): void {
    drawInk(this.#canvas, this.#strokes, 4);
  }
}

/** Strokes alone on a canvas. */
export function drawInk(canvas: HTMLCanvasElement, strokes: readonly Stroke[], lineWidth: number): void {
  const context = begin(canvas);
  const strokeStyle = palette()('text');
  Object.assign(context, { lineWidth, lineCap: 'round', lineJoin: 'round', strokeStyle });
  for (const stroke of strokes) {
    const [first, ...rest] = stroke;
    if (!first) continue;
    context.beginPath();
    context.moveTo(...first);
    // a touch alone is a dot
    for (const point of rest.length > 0 ? rest : [first]) context.lineTo(...point);
    context.stroke();
  }
}

const at = ({ offsetX, offsetY }: PointerEvent): Point => [offsetX, offsetY];

/** Strokes in the middle of a place, as large as there is room for. */
export function fit(strokes: readonly Stroke[], width: number, height: number, margin = 0.16): Point[][] {
  const points = strokes.flat();
  const ends = (axis: 0 | 1) => {
    const values = points.map((point) => point[axis]);
    return [Math.min(...values), Math.max(...values)] as const;
  };
  const [[left, right], [top, bottom]] = [ends(0), ends(1)];
  const room = (1 - 2 * margin) * height;
  const scale = Math.min(room / Math.max(1, bottom - top), (width - room * 0.4) / Math.max(1, right - left));
  const shift = (value: number, first: number, last: number, size: number) =>
    (value - (first + last) / 2) * scale + size / 2;
  return strokes.map((stroke) =>
    stroke.map(([x, y]) => [shift(x, left, right, width), shift(y, top, bottom, height)] as const),
  );
}
