// The rows above the lattice under a pointer or the arrow keys: what is heard in a frame, and where to paint.
import { make } from '../../shared/dom.js';
import type { EmissionRow } from './strips.js';
import { lengthOf, type Span } from './viewport.js';

/** A row in a frame. */
interface Place {
  readonly row: number;
  readonly t: number;
}

/** What the rows are drawn in. */
export interface ScoresView {
  readonly rows: readonly EmissionRow[];
  /** The frames that are seen, and how many there are. */
  readonly frames: Span;
  readonly total: number;
}

export interface ScoresEvents {
  /** A row in a frame is looked at; undefined: none is any more. `spoken`: by somebody who may not see it. */
  look(row: EmissionRow | undefined, t: number, spoken: boolean): void;
  /** Frames of a row: while they are chosen, and once more when they are. */
  paint(row: EmissionRow, first: number, end: number, done: boolean): void;
  /** The arrow keys have come to a frame that may not be seen. */
  reveal(t: number): void;
  /** Whether the rows are high enough to be told apart; else this makes them so. */
  open(): boolean;
}

export class Scores {
  readonly #plot: HTMLElement;
  readonly #view: () => ScoresView;
  readonly #events: ScoresEvents;
  readonly #box = make('i', { className: 'cursor', hidden: true });
  #editing = false;
  /** Where the keys are; from `#anchor` on frames are chosen. */
  #cursor: Place = { row: 0, t: 0 };
  #anchor = 0;
  /** Where the pointer went down to paint. */
  #start: Place | undefined;

  constructor(plot: HTMLElement, view: () => ScoresView, events: ScoresEvents) {
    this.#plot = plot;
    this.#view = view;
    this.#events = events;
    plot.append(this.#box);
    Object.assign(plot, { role: 'application', tabIndex: 0 });
    this.editing = false;
    plot.addEventListener('pointerdown', (event) => this.#press(event));
    plot.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel'] as const)
      plot.addEventListener(end, (event) => this.#paint(event, true));
    plot.addEventListener('pointerleave', () => this.#events.look(undefined, 0, false));
    plot.addEventListener('keydown', (event) => this.#type(event));
    plot.addEventListener('focus', () => plot.matches(':focus-visible') && this.#show());
    plot.addEventListener('blur', () => {
      this.#box.hidden = true;
      this.#events.look(undefined, 0, false);
    });
  }

  set editing(editing: boolean) {
    this.#editing = editing;
    this.#plot.classList.toggle('editing', editing);
    const keys = 'Arrow keys move through frames and symbols';
    this.#plot.ariaLabel = `What the recogniser hears. ${keys}${editing ? ', Shift chooses frames, Enter paints' : ''}.`;
  }

  /** After the view has changed. */
  place(): void {
    if (this.#box.hidden) return;
    const { rows, frames } = this.#view();
    const { row } = this.#cursor;
    const [first, end] = this.#chosen;
    const { clientWidth, clientHeight } = this.#plot;
    const perFrame = clientWidth / lengthOf(frames);
    const height = clientHeight / rows.length;
    Object.assign(this.#box.style, {
      left: `${(first - frames.first) * perFrame}px`,
      width: `${(end - first) * perFrame}px`,
      top: `${row * height}px`,
      height: `${height}px`,
    });
  }

  get #chosen(): [first: number, end: number] {
    const { t } = this.#cursor;
    return [Math.min(t, this.#anchor), Math.max(t, this.#anchor) + 1];
  }

  #at(event: PointerEvent): Place {
    const { left, top, width, height } = this.#plot.getBoundingClientRect();
    const { rows, frames, total } = this.#view();
    const within = (at: number, count: number) => Math.max(0, Math.min(count - 1, Math.floor(at)));
    return {
      row: within(((event.clientY - top) / height) * rows.length, rows.length),
      t: within(frames.first + ((event.clientX - left) / width) * lengthOf(frames), total),
    };
  }

  #press(event: PointerEvent): void {
    if (!this.#events.open() || !this.#editing) return;
    const place = this.#at(event);
    if (this.#view().rows[place.row]?.c === undefined) return;
    this.#plot.setPointerCapture(event.pointerId);
    this.#start = place;
    this.#paint(event, false);
  }

  #move(event: PointerEvent): void {
    const { row, t } = this.#at(event);
    this.#events.look(this.#view().rows[row], t, false);
    this.#paint(event, false);
  }

  #paint(event: PointerEvent, done: boolean): void {
    if (!this.#start) return;
    const { row, t: from } = this.#start;
    const { t } = this.#at(event);
    if (done) this.#start = undefined;
    this.#events.paint(this.#view().rows[row]!, Math.min(t, from), Math.max(t, from) + 1, done);
  }

  #type(event: KeyboardEvent): void {
    const { rows, total } = this.#view();
    const { row, t } = this.#cursor;
    const far = Math.max(1, Math.round(total / 10));
    const moves: Record<string, Place> = {
      ArrowLeft: { row, t: t - 1 },
      ArrowRight: { row, t: t + 1 },
      ArrowUp: { row: row - 1, t },
      ArrowDown: { row: row + 1, t },
      Home: { row, t: 0 },
      End: { row, t: total - 1 },
      PageUp: { row, t: t - far },
      PageDown: { row, t: t + far },
    };
    const to = moves[event.key];
    if (to) {
      const within = (at: number, count: number) => Math.max(0, Math.min(count - 1, at));
      this.#cursor = { row: within(to.row, rows.length), t: within(to.t, total) };
      if (!event.shiftKey || !this.#editing) this.#anchor = this.#cursor.t;
      this.#events.reveal(this.#cursor.t);
      this.#show();
    } else if ((event.key === 'Enter' || event.key === ' ') && this.#editing && rows[row]?.c !== undefined) {
      this.#events.paint(rows[row], ...this.#chosen, true);
    } else return;
    event.preventDefault();
  }

  #show(): void {
    const { rows, total } = this.#view();
    // another lattice may have fewer
    this.#cursor = {
      row: Math.min(this.#cursor.row, rows.length - 1),
      t: Math.min(this.#cursor.t, total - 1),
    };
    this.#anchor = Math.min(this.#anchor, total - 1);
    this.#box.hidden = false;
    this.place();
    this.#events.look(rows[this.#cursor.row], this.#cursor.t, true);
  }
}
