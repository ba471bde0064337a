// What is drawn on: strokes of a pen, a finger or a mouse, in CSS pixels.

import type { Point, Stroke } from '../../learning/glyphs.js';
import { begin, keepDrawn, oncePerFrame, palette } from '../shared/canvas.js';
import { drawLine, fit, lengthOf } from './ink.js';

/** Milliseconds that the page's own hand takes for a digit's worth of ink. */
const writingTime = 420;
/** Milliseconds that it takes for all of it, at most. */
const longestWriting = 4000;

export class Pad {
  readonly #canvas: HTMLCanvasElement;
  readonly #changed: (isSame: boolean) => void;
  #strokes: Point[][] = [];
  #pointer: number | undefined;
  #writing = 0;
  /** The page's own hand has not written all of it. */
  #hand = false;
  /** All that it is about to write. */
  #whole: readonly Stroke[] = [];
  readonly #drawSoon = oncePerFrame(() => this.draw());

  /** `changed`: whenever there is more or less on it, or, `isSame`, the same in another place or size. */
  constructor(canvas: HTMLCanvasElement, changed: (isSame: boolean) => void) {
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

  /** Somebody is writing, the visitor or the page's own hand. */
  get busy(): boolean {
    return this.#pointer !== undefined || this.#hand;
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
    this.#whole = fitted;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      this.#strokes = fitted.map((stroke) => [...stroke]);
      this.#tell();
      return;
    }
    const points = fitted.flatMap((stroke) => stroke.map((point, i) => ({ point, first: i === 0 })));
    const height = this.#canvas.clientHeight;
    const whole = fitted.reduce((sum, stroke) => sum + lengthOf(stroke), 0);
    const pace = Math.max(height / writingTime, whole / longestWriting);
    const start = performance.now();
    let done = 0;
    let inked = 0;
    const frame = (now: number) => {
      // so much ink for the time
      const allowed = (now - start) * pace;
      while (done < points.length && inked <= allowed) {
        const { point, first } = points[done++]!;
        const stroke = first ? [] : this.#strokes[this.#strokes.length - 1]!;
        const before = stroke[stroke.length - 1];
        inked += before ? Math.hypot(point[0] - before[0], point[1] - before[1]) : 0.15 * height;
        if (first) this.#strokes.push(stroke);
        stroke.push(point);
      }
      this.#hand = done < points.length;
      if (this.#hand) this.#writing = requestAnimationFrame(frame);
      this.#tell();
    };
    this.#hand = true;
    this.#writing = requestAnimationFrame(frame);
  }

  /** What the page's own hand is writing is there as a whole. */
  finish(): void {
    if (!this.#hand) return;
    this.#lift();
    this.#strokes = this.#whole.map((stroke) => [...stroke]);
    this.#tell();
  }

  /** Whoever is writing, the page's hand or the visitor's, has ended. */
  #lift() {
    cancelAnimationFrame(this.#writing);
    this.#hand = false;
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
      this.#tell(true);
    } else this.draw();
  }

  /** `isSame`: it is the same ink, in another place or size. */
  #tell(isSame = false) {
    this.#drawSoon();
    this.#changed(isSame);
  }

  draw(): void {
    const context = begin(this.#canvas);
    const strokeStyle = palette()('text');
    Object.assign(context, { lineWidth: 4, lineCap: 'round', lineJoin: 'round', strokeStyle });
    for (const stroke of this.#strokes) drawLine(context, stroke);
  }
}

const at = ({ offsetX, offsetY }: PointerEvent): Point => [offsetX, offsetY];
