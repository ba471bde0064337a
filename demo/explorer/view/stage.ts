// The lattice with all that shares its time axis: sizes, what is seen of it, and what pointers and keys do there.

import { atRatio, pixelRatio } from '../../shared/canvas.js';
import { withPowers } from '../../shared/dom.js';
import { type Analysis, type Cell, numberOf, statesOf } from '../engine/analysis.js';
import type { Reference } from '../sources/source.js';
import type { State } from '../state/state.js';
import { drawMarks, type Marks } from './marks.js';
import { drawReference } from './reference.js';
import type { Renderer, Scene } from './scene.js';
import { Scores, type ScoresEvents } from './scores.js';
import {
  drawAxis,
  drawEmissions,
  drawReading,
  type EmissionRow,
  emissionRows,
  gutterLabels,
  type Reading,
} from './strips.js';
import { approach, banded, follow, lengthOf, pan, reveal, type Viewport, whole, zoom } from './viewport.js';

export interface StageEvents {
  hover(cell: Cell | undefined): void;
  pin(cell: Cell): void;
  highlight(label: number): void;
  /** These frames are wanted alone. */
  only(frames: Viewport['frames']): void;
  /** The wheel was turned over the lattice, and is not the lattice's yet. */
  wheel(): void;
  readonly look: ScoresEvents['look'];
  readonly paint: ScoresEvents['paint'];
}

export interface Picture {
  readonly scene: Scene;
  readonly nameOf: (c: number) => string;
  readonly frameSeconds: number | undefined;
  readonly reference: Reference | undefined;
  readonly editing: boolean;
  readonly reading: Reading;
  /** Whether what is seen follows the best path. */
  readonly follows: boolean;
  /** What is seen of a lattice of another size; undefined: all. */
  readonly view: State['view'];
}

/** More than this is looked at in parts: labels become ticks, a map shows where one is. */
const isWide = ({ problem }: Analysis) => problem.frames > mostFrames || problem.labels.length > 90;

/** A lattice that one has to look at from nearer. */
export const isLarge = ({ problem }: Analysis) => problem.frames > 60 || statesOf(problem) > 60;

/** Frames whose emissions can be told apart. */
const mostFrames = 600;
/** Classes whose rows can be told apart. */
const mostRows = 40;

export class Stage {
  readonly grid: HTMLElement;
  readonly #root: HTMLElement;
  readonly #plot: HTMLElement;
  readonly #events: StageEvents;
  readonly #scores: Scores;
  #renderer: Renderer | undefined;
  #picture: Picture | undefined;
  #marks: Marks | undefined;
  /** What each part was last drawn from. */
  readonly #drawn = new Map<string, readonly unknown[]>();
  #all: Viewport = whole(1, 1);
  #view: Viewport = this.#all;
  #rows: EmissionRow[] = [];
  readonly #onView: (() => void)[] = [];
  #frame = 0;

  constructor(root: HTMLElement, events: StageEvents) {
    this.#root = root;
    this.#events = events;
    this.#plot = this.#find('#lattice .plot');
    this.grid = this.#find('#grid');
    this.#listenToLattice();
    this.#scores = new Scores(
      this.#find('#emissions .plot'),
      () => ({ rows: this.#rows, frames: this.#view.frames, total: this.#all.frames.end }),
      {
        look: events.look,
        paint: events.paint,
        reveal: (t) => this.reveal({ t, s: Math.floor(this.#view.states.first) }),
        open: () => this.#openScores(),
      },
    );
    this.#listenToMap();
    this.#listenToGutter();
    this.#listenToZoom();
    const sizes = new ResizeObserver(() => this.redraw());
    // rows come and go while the stage keeps its size
    for (const part of [root, this.#plot, this.#find('#emissions .plot')]) sizes.observe(part);
    // a GPU that crashed has wiped the canvases; these events do not bubble
    root.addEventListener('contextrestored', () => this.#drawAnew(), true);
  }

  /** A canvas gives one kind of context for ever: another renderer gets other canvases. What was shown is gone with the old. */
  use(make: (canvas: HTMLCanvasElement) => Renderer): void {
    this.#renderer?.destroy();
    this.#picture = undefined;
    for (const canvas of [this.#find('.cells'), this.#find('#map canvas')])
      canvas.replaceWith(canvas.cloneNode());
    this.#drawn.clear();
    this.#renderer = make(this.#find('.cells'));
  }

  show(picture: Picture): void {
    const { problem } = picture.scene.analysis;
    const all = whole(problem.frames, statesOf(problem));
    const sameSize =
      all.frames.end === this.#all.frames.end && all.states.end === this.#all.states.end && this.#picture;
    const before = this.#picture;
    const { follows, scene } = picture;
    const { analysis, difference } = scene;
    if (analysis !== before?.scene.analysis || difference !== before.scene.difference)
      this.#rows = emissionRows(analysis, picture.nameOf, difference?.labels);
    this.#picture = picture;
    this.#all = all;
    if (!sameSize) this.#showAnew(all, picture.view);
    else if (follows && !before?.follows) this.#look(this.#view);
    const wide = isWide(picture.scene.analysis);
    this.#root.classList.remove('empty');
    this.#root.classList.toggle('wide', wide);
    this.#find('#map').hidden = !wide;
    this.#scores.editing = picture.editing;
    // many rows take some of the height of the lattice, so that they keep their names
    const share = Math.min(45, 30 + 1.6 * Math.max(0, this.#rows.length - 13));
    this.#root.style.setProperty('--scores-share', `minmax(0, ${share}fr)`);
    this.redraw();
  }

  /** Of a lattice of another size the part that is asked for, or all. */
  #showAnew(all: Viewport, view: State['view']): void {
    this.#view = all;
    this.view = view;
  }

  /** Shows nothing until there is something again. */
  clear(): void {
    this.#picture = undefined;
    this.#root.classList.add('empty');
  }

  /** What lies on top. */
  mark(marks: Marks): void {
    this.#marks = marks;
    this.redraw();
  }

  /** Called whenever other cells are seen, or elsewhere. */
  listen(then: () => void): void {
    this.#onView.push(then);
  }

  /** The frames that are seen. */
  get frames(): Viewport['frames'] {
    return this.#view.frames;
  }

  /** Whether all of the lattice is seen. */
  get isWhole(): boolean {
    const { frames, states } = this.#view;
    return lengthOf(frames) >= this.#all.frames.end && lengthOf(states) >= this.#all.states.end;
  }

  /** The part that is seen, in cells with a decimal; undefined: all. */
  get view(): State['view'] {
    if (this.isWhole) return undefined;
    const { frames, states } = this.#view;
    const round = (at: number) => Math.round(10 * at) / 10;
    return [round(frames.first), round(frames.end), round(states.first), round(states.end)];
  }

  /** What a link says is to be seen. */
  set view(view: State['view']) {
    if (view?.join() === this.view?.join()) return;
    if (!view) {
      this.fit();
      return;
    }
    const [first, end, top, bottom] = view;
    // what lies outside is no part of this lattice
    const asked = { frames: { first, end }, states: { first: top, end: bottom } };
    this.#view = pan(asked, 0, 0, this.#all);
    this.redraw();
  }

  /** Brings a cell into view. */
  reveal({ t, s }: Cell): void {
    const { frames, states } = this.#view;
    const isSeen = ({ first, end }: Viewport['frames'], at: number) => at >= first && at + 1 <= end;
    if (!isSeen(frames, t) || !isSeen(states, s)) this.#look(reveal(this.#view, t, s, this.#all), s);
  }

  /** Shows a cell in the middle, from so near that its neighbours can be told apart. */
  approach({ t, s }: Cell): void {
    this.#look(approach(this.#view, t, s, this.#all), s);
  }

  /** Turns the page where something that moves leaves the view. `state`: where it is, if anywhere. */
  follow(frame: number, state?: number): void {
    const view = follow(this.#view, frame, state, this.#all);
    if (view !== this.#view) this.#look(view);
  }

  zoomBy(factor: number, x = 0.5, y = 0.5): void {
    this.#look(zoom(this.#view, factor, x, y, this.#all));
  }

  fit(): void {
    this.#look(this.#all);
  }

  /** Of a cell, in CSS pixels of the plot. */
  boxOf({ t, s }: Cell): { left: number; top: number; width: number; height: number } {
    const { frames, states } = this.#view;
    const width = this.#plot.clientWidth / lengthOf(frames);
    const height = this.#plot.clientHeight / lengthOf(states);
    return { left: (t - frames.first) * width, top: (s - states.first) * height, width, height };
  }

  /** Some words beside a frame of the scores; undefined: none. */
  tipScores(t: number | undefined, text = ''): void {
    const plot = this.#find('#emissions .plot');
    const tip = plot.querySelector<HTMLElement>('.tip')!;
    tip.hidden = t === undefined;
    if (t === undefined) return;
    tip.replaceChildren(...withPowers(text));
    const { left, width } = this.boxOf({ t, s: 0 });
    const right = left + width + 6;
    const isRight = right + tip.offsetWidth <= plot.clientWidth;
    tip.style.left = `${isRight ? right : Math.max(0, left - tip.offsetWidth - 6)}px`;
  }

  /** On a phone the rows are low until they are touched. */
  #openScores(): boolean {
    const { classList } = this.#root;
    if (!matchMedia('(max-width: 1023px)').matches || classList.contains('opened')) return true;
    classList.add('opened');
    return false;
  }

  /** Some words beside a cell; undefined: none. */
  tip(cell: Cell | undefined, text = ''): void {
    const tip = this.#find('#lattice .tip');
    tip.hidden = !cell;
    if (!cell) return;
    tip.replaceChildren(...withPowers(text));
    const { left, top, width, height } = this.boxOf(cell);
    const room = this.#plot.clientWidth - tip.offsetWidth;
    const above = top - tip.offsetHeight - 6;
    tip.style.left = `${Math.max(0, Math.min(room, left + width / 2 - tip.offsetWidth / 2))}px`;
    tip.style.top = `${above >= 0 ? above : top + height + 6}px`;
  }

  /** Soon, and once for all that asks for it before the next frame. */
  redraw(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  /** All parts, also those that show what they showed. */
  #drawAnew(): void {
    this.#drawn.clear();
    this.redraw();
  }

  #find<E extends HTMLElement = HTMLElement>(selector: string): E & HTMLCanvasElement {
    return this.#root.querySelector(selector)!;
  }

  /** `shown`: a state that is to be seen, wherever the path is. */
  #look(view: Viewport, shown?: number): void {
    const { follows, scene } = this.#picture ?? {};
    const path = scene?.analysis.alignment?.states;
    this.#view = follows && path ? banded(view, path, this.#all, shown) : view;
    this.redraw();
  }

  /** Draws a part anew if something that it shows has changed. */
  #part(name: string, shown: readonly unknown[], draw: () => void): void {
    const before = this.#drawn.get(name);
    if (before?.length === shown.length && shown.every((value, i) => value === before[i])) return;
    this.#drawn.set(name, shown);
    draw();
  }

  #draw(): void {
    if (!this.#picture) return;
    const { scene, nameOf, frameSeconds, reference, reading } = this.#picture;
    const { analysis, theme, layer, scale, sweep, highlight, difference } = scene;
    const { problem } = analysis;
    const { frames, states } = this.#view;
    const wide = this.#root.classList.contains('wide');
    // however large a lattice is, so much of it is seen with its emissions
    const near = !wide || (lengthOf(frames) <= mostFrames && this.#rows.length <= mostRows);
    this.#root.classList.toggle('near', wide && near);
    const { clientWidth: width, clientHeight: height } = this.#plot;
    const ratio = pixelRatio();
    const across = [analysis, theme, ratio, frames.first, frames.end, width];
    const down = [states.first, states.end, height];
    const cells = [...across, ...down];
    this.#part('gutter', [analysis, highlight, ...down], () => this.#drawGutter(states));
    this.#part('lattice', [...cells, layer, scale, highlight, sweep?.direction, sweep?.frame], () =>
      this.#renderer?.draw(scene, {
        ...{ left: frames.first, right: frames.end, top: states.first, bottom: states.end, ratio },
        ...{ width: Math.round(width * ratio), height: Math.round(height * ratio) },
      }),
    );
    const marks = this.#marks;
    if (marks)
      this.#part('marks', [...cells, marks], () =>
        drawMarks(this.#find('.marks'), this.#view, analysis, marks),
      );
    this.#part('axis', [...across, frameSeconds, reference], () => {
      const canvas = this.#find('#axis canvas');
      drawAxis(canvas, frames, problem, frameSeconds);
      if (reference && frameSeconds) drawReference(canvas, frames, problem, reference, frameSeconds);
    });
    this.#part('reading', [...across, reading.end, reading.classes], () => {
      this.#find('#strip .gutter').textContent = reading.name;
      drawReading(this.#find('#strip canvas'), frames, reading, problem.blank, nameOf);
    });
    if (wide) {
      this.#part('map', [analysis, theme, ratio, width, layer, scale, highlight], () =>
        this.#renderer?.drawMap(this.#find('#map canvas'), { ...scene, sweep: undefined }),
      );
      const share = (at: number) => `${(100 * at) / problem.frames}%`;
      Object.assign(this.#find('#map i').style, {
        left: share(frames.first),
        width: share(lengthOf(frames)),
      });
    }
    if (near) {
      const plot = this.#find('#emissions .plot').clientHeight;
      // where probabilities are played, those above the lattice are
      const end = layer === 'probability' && sweep ? sweep.frame + 1 : problem.frames;
      this.#part('emissions', [...across, plot, end, difference], () => {
        drawEmissions(this.#find('#emissions canvas'), frames, analysis, this.#rows, scene, end);
        this.#nameRows();
      });
    }
    this.#scores.place();
    const zoom = this.#find('#zoom');
    zoom.hidden = !isLarge(analysis) && this.isWhole;
    zoom.querySelector<HTMLElement>('.only')!.hidden = lengthOf(frames) >= problem.frames;
    this.#part('view', cells, () => {
      for (const then of this.#onView) then();
    });
  }

  /** What is seen, with so many pixels to a CSS pixel. `more`: draws what others have drawn there, in CSS pixels of the page. */
  snapshot(ratio: number, more?: (context: CanvasRenderingContext2D) => void): HTMLCanvasElement {
    const root = this.#root.getBoundingClientRect();
    // a picture has its own words for what the colours mean
    const height = this.#find('#legend').getBoundingClientRect().top - root.top;
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width: Math.ceil(root.width * ratio), height: Math.ceil(height * ratio) });
    const context = canvas.getContext('2d')!;
    context.scale(ratio, ratio);
    context.translate(-root.left, -root.top);
    context.fillStyle = getComputedStyle(this.#root).backgroundColor;
    context.fillRect(root.left, root.top, root.width, root.height);
    const boxOf = (element: Element) => {
      const box = element.getBoundingClientRect();
      return element.checkVisibility({ visibilityProperty: true }) && box.width * box.height > 0
        ? box
        : undefined;
    };
    atRatio(ratio, () => {
      this.#drawn.clear();
      this.#draw();
      // in this same task: later a WebGPU canvas would be empty
      for (const part of this.#root.querySelectorAll('canvas')) {
        const box = boxOf(part);
        if (box) context.drawImage(part, box.left, box.top, box.width, box.height);
      }
    });
    more?.(context);
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const name of this.#root.querySelectorAll('.gutter span, .gutter button, .gutter:not(:has(*))')) {
      const box = boxOf(name);
      if (!box) continue;
      const { font, color, paddingRight } = getComputedStyle(name);
      Object.assign(context, { font, fillStyle: color });
      const text = name.textContent ?? '';
      const right = box.right - Number.parseFloat(paddingRight);
      context.fillText(text, right, box.top + box.height / 2, right - root.left);
    }
    this.#drawAnew();
    return canvas;
  }

  /** Labels are buttons: each shows the frames that carry it. One of them is reached by Tab, the others by arrows from there. */
  #drawGutter(states: Viewport['states']): void {
    const { scene, nameOf } = this.#picture!;
    const gutter = this.#find('#lattice .gutter');
    const focused = gutter.contains(document.activeElement) ? document.activeElement!.ariaLabel : undefined;
    const labels = gutterLabels(scene.analysis.problem, states, this.#plot.clientHeight, nameOf);
    gutter.replaceChildren(
      ...labels.map(({ s, name, top, height }) => {
        const element = document.createElement(s % 2 ? 'button' : 'span');
        element.textContent = name;
        Object.assign(element.style, { top: `${top}px`, height: `${height}px`, lineHeight: `${height}px` });
        if (name.length > 4) element.style.fontSize = '0.875rem';
        if (element instanceof HTMLButtonElement) {
          element.type = 'button';
          element.ariaPressed = String(scene.highlight === s >> 1);
          element.ariaLabel = `Frames of label ${numberOf(scene.analysis.problem, s >> 1)}, ${name}`;
          element.onclick = () => this.#events.highlight(s >> 1);
        } else element.ariaHidden = 'true';
        return element;
      }),
    );
    const buttons = [...gutter.querySelectorAll('button')];
    const first = buttons.find(({ ariaLabel }) => ariaLabel === focused);
    const reached = first ?? buttons.find(({ ariaPressed }) => ariaPressed === 'true') ?? buttons[0];
    for (const button of buttons) button.tabIndex = button === reached ? 0 : -1;
    first?.focus();
  }

  #listenToZoom(): void {
    const zoom = this.#find('#zoom');
    const runs = [
      () => this.zoomBy(1.6),
      () => this.zoomBy(1 / 1.6),
      () => this.fit(),
      () => this.#events.only(this.#view.frames),
    ];
    [...zoom.querySelectorAll('button')].forEach((button, i) => {
      button.addEventListener('click', runs[i]!);
    });
    // what is pressed there is no place in the lattice
    for (const event of ['pointerdown', 'pointermove', 'wheel'])
      zoom.addEventListener(event, (happened) => happened.stopPropagation());
  }

  #listenToGutter(): void {
    const gutter = this.#find('#lattice .gutter');
    gutter.addEventListener('keydown', (event) => {
      const buttons = [...gutter.querySelectorAll('button')];
      const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
      const next = to === undefined ? undefined : buttons[to];
      if (to === undefined) return;
      event.preventDefault();
      if (!next) return;
      for (const button of buttons) button.tabIndex = button === next ? 0 : -1;
      next.focus();
    });
  }

  #nameRows(): void {
    const plot = this.#find('#emissions .plot');
    const height = plot.clientHeight / this.#rows.length;
    const names = height < 9 ? [{ name: 'scores' }] : this.#rows;
    this.#find('#emissions .gutter').replaceChildren(
      ...names.map(({ name }, i) => {
        const element = document.createElement('span');
        element.textContent = name;
        const tall = height < 9 ? plot.clientHeight : height;
        const fontSize = `${Math.min(13, Math.max(9, tall))}px`;
        Object.assign(element.style, { top: `${i * tall}px`, lineHeight: `${tall}px`, fontSize });
        return element;
      }),
    );
  }

  #cellAt(event: PointerEvent | MouseEvent): Cell | undefined {
    const box = this.#plot.getBoundingClientRect();
    const { frames, states } = this.#view;
    const t = Math.floor(frames.first + ((event.clientX - box.left) / box.width) * lengthOf(frames));
    const s = Math.floor(states.first + ((event.clientY - box.top) / box.height) * lengthOf(states));
    const inside = t >= 0 && s >= 0 && t < this.#all.frames.end && s < this.#all.states.end;
    return inside ? { t, s } : undefined;
  }

  #listenToLattice(): void {
    const plot = this.#plot;
    const pointers = new Map<number, PointerEvent>();
    let dragged = false;
    const spread = () => {
      const [a, b] = [...pointers.values()];
      return Math.hypot(a!.clientX - b!.clientX, a!.clientY - b!.clientY);
    };
    plot.addEventListener('pointerdown', (event) => {
      pointers.set(event.pointerId, event);
      plot.setPointerCapture(event.pointerId);
      dragged = false;
    });
    // a drag leaves the focus where it is
    plot.addEventListener('mousedown', (event) => event.preventDefault());
    plot.addEventListener('pointermove', (event) => {
      const before = pointers.get(event.pointerId);
      if (!before) {
        this.#events.hover(this.#cellAt(event));
        return;
      }
      const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
      if (!dragged && Math.hypot(dx, dy) < 5) return;
      dragged = true;
      plot.classList.add('dragging');
      if (pointers.size === 2) {
        const was = spread();
        pointers.set(event.pointerId, event);
        const box = plot.getBoundingClientRect();
        const [a, b] = [...pointers.values()];
        const x = ((a!.clientX + b!.clientX) / 2 - box.left) / box.width;
        const y = ((a!.clientY + b!.clientY) / 2 - box.top) / box.height;
        this.zoomBy(spread() / Math.max(1, was), x, y);
        return;
      }
      pointers.set(event.pointerId, event);
      const { frames, states } = this.#view;
      const dt = (-dx / plot.clientWidth) * lengthOf(frames);
      const ds = (-dy / plot.clientHeight) * lengthOf(states);
      this.#look(pan(this.#view, dt, ds, this.#all));
    });
    const lift = (event: PointerEvent) => {
      if (!pointers.delete(event.pointerId)) return;
      plot.classList.remove('dragging');
      const cell = this.#cellAt(event);
      if (event.type === 'pointerup' && !dragged && cell) this.#events.pin(cell);
    };
    plot.addEventListener('pointerup', lift);
    plot.addEventListener('pointercancel', lift);
    plot.addEventListener('pointerleave', () => this.#events.hover(undefined));
    plot.addEventListener(
      'wheel',
      (event) => {
        // the page is the visitor's: the wheel is ours only with Ctrl, or once the lattice has focus
        if (!event.ctrlKey && !this.#root.contains(document.activeElement)) {
          this.#events.wheel();
          return;
        }
        event.preventDefault();
        const box = plot.getBoundingClientRect();
        const factor = Math.exp(-event.deltaY / (event.ctrlKey ? 150 : 500));
        this.zoomBy(factor, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      },
      { passive: false },
    );
  }

  #listenToMap(): void {
    const plot = this.#find('#map .plot');
    const move = (event: PointerEvent) => {
      if (!event.buttons) return;
      const box = plot.getBoundingClientRect();
      const { frames, states } = this.#view;
      const share = (event.clientX - box.left) / box.width;
      const dt = share * this.#all.frames.end - (frames.first + frames.end) / 2;
      // labels go with time, nearly
      const ds = share * this.#all.states.end - (states.first + states.end) / 2;
      this.#look(pan(this.#view, dt, ds, this.#all));
    };
    plot.addEventListener('pointerdown', (event) => {
      plot.setPointerCapture(event.pointerId);
      move(event);
    });
    plot.addEventListener('pointermove', move);
  }
}
