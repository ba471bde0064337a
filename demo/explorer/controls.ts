// Header and footer: what can be asked.

import { byId, make, notify } from '../shared/dom.js';
import type { Layer } from '../shared/layers.js';
import { type Entry, menu, slider } from '../shared/menus.js';
import { plural } from './engine/ways.js';
import type { Page } from './page.js';
import { examples } from './sources/examples.js';
import { type Edits, editLimits, noEdits, type Stroke } from './state/edits.js';
import { History, type Step } from './state/history.js';
import { fromHash, initial, longestLink, toHash } from './state/state.js';

/** Of `switch`, in its order. */
const mainLayers: readonly (readonly [Layer, string])[] = [
  ['posterior', 'Paths'],
  ['alpha', 'Forward'],
  ['beta', 'Backward'],
];

export class Controls {
  readonly #page: Page;
  readonly #word = byId<HTMLInputElement>('word');
  /** What a stroke paints. */
  #p = 0.9;
  #preview: Stroke | undefined;
  readonly #history = new History();
  /** What the browser's Back and Forward, or a link, have asked for is shown, and is no step of its own. */
  #navigating = false;

  constructor(page: Page) {
    this.#page = page;
    const { store } = page;
    byId('ask').addEventListener('submit', (event) => event.preventDefault());
    this.#word.addEventListener('input', () => {
      store.set({ text: this.#word.value, selected: undefined, highlight: undefined });
    });
    menu(byId('examples'), () =>
      examples.map(({ id, name, about }) => ({
        ...{ name, about, run: () => this.openExample(id), checked: store.state.example === id },
      })),
    );
    this.#switch();
    this.#moreMenu = menu(byId('more'), () => this.#more());
    this.#edit();
    this.#share();
    this.#overflow();
    store.listen((state, before) => {
      if (this.#word.value !== state.text) this.#word.value = state.text;
      if (state.layer !== before.layer) this.#checkLayer();
      if (state.example !== before.example || state.heard !== before.heard) {
        this.#history.clear();
        if (!this.#navigating) history.pushState(null, '', this.#hash());
      }
      history.replaceState(null, '', this.#hash());
      this.#historyButtons();
    });
    window.addEventListener('popstate', () => this.#navigate());
    page.listen(() => {
      this.#offerToHear();
      this.#tellEdits();
    });
    this.#word.value = store.state.text;
  }

  async openExample(id: string): Promise<void> {
    try {
      await this.#page.openExample(id);
      this.#showEdits();
    } catch (error) {
      notify(`The example could not be loaded: ${(error as Error).message}`);
    }
  }

  /** A link that was pasted, or the browser's Back and Forward. */
  async #navigate(): Promise<void> {
    const state = fromHash(location.hash) ?? initial;
    this.#navigating = true;
    try {
      this.#page.store.set(state);
      await this.#page.openExample(state.example, true);
      this.#showEdits();
    } catch (error) {
      notify(`The example could not be loaded: ${(error as Error).message}`);
    } finally {
      this.#navigating = false;
    }
  }

  /** From the stage: one undo step a stroke. */
  paint = (c: number, first: number, end: number, done: boolean): void => {
    const { store } = this.#page;
    if (!this.#preview) this.#history.step(store.state, 'stroke');
    const strokes = store.state.edits.strokes.filter((stroke) => stroke !== this.#preview);
    const stroke = { c, first, end, p: this.#p };
    this.#preview = done ? undefined : stroke;
    store.set({ edits: { ...store.state.edits, strokes: [...strokes, stroke] } });
  };

  #hash(): string {
    const { state } = this.#page.store;
    const isBeginning = toHash(state) === toHash({ ...initial, selected: state.selected });
    // what was loaded is not in a link, and without it the rest would be about something else
    return isBeginning || state.example === 'own' ? location.pathname + location.search : `#${toHash(state)}`;
  }

  /** On a phone the rest waits behind one button; what opens something elsewhere closes it. */
  #overflow(): void {
    const button = byId('overflow');
    const rest = byId('rest');
    const show = (open: boolean) => {
      rest.classList.toggle('opened', open);
      button.ariaExpanded = String(open);
    };
    button.addEventListener('click', () => show(!rest.classList.contains('opened')));
    for (const id of ['edit', 'words', 'share-here']) byId(id).addEventListener('click', () => show(false));
  }

  #switch(): void {
    const { store } = this.#page;
    const group = byId('layers');
    group.replaceChildren(
      ...mainLayers.map(([layer, name]) => {
        const button = document.createElement('button');
        Object.assign(button, { type: 'button', textContent: name, role: 'radio' });
        button.dataset.layer = layer;
        button.addEventListener('click', () => store.set({ layer }));
        return button;
      }),
    );
    group.addEventListener('keydown', (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const at = mainLayers.findIndex(([layer]) => layer === store.state.layer);
      const [layer] = mainLayers[(Math.max(0, at) + step + mainLayers.length) % mainLayers.length]!;
      store.set({ layer });
      group.querySelector<HTMLElement>('[aria-checked="true"]')?.focus();
    });
    this.#checkLayer();
  }

  #checkLayer(): void {
    const { layer } = this.#page.store.state;
    const buttons = [...byId('layers').children] as HTMLButtonElement[];
    const known = mainLayers.some(([name]) => name === layer);
    buttons.forEach((button, i) => {
      button.ariaChecked = String(button.dataset.layer === layer);
      button.tabIndex = button.dataset.layer === layer || (!known && i === 0) ? 0 : -1;
    });
  }

  #more(): Entry[] {
    const { store } = this.#page;
    const { layer, bestPath, samples, scale } = store.state;
    const toggle = (asked: Layer) => ({
      checked: layer === asked,
      run: () => store.set({ layer: layer === asked ? 'posterior' : asked }),
    });
    const again = (entry: { name: string; about?: string; checked: boolean; run(): void }): Entry => ({
      ...entry,
      stays: true,
      run: () => {
        entry.run();
        refresh();
      },
    });
    const refresh = () => this.#moreMenu?.refresh();
    return [
      { heading: 'Colours show' },
      again({
        name: 'Gradient',
        about: 'Softmax − posterior: how training moves the scores',
        ...toggle('gradient'),
      }),
      again({
        name: 'Probabilities',
        about: 'What the recogniser says, frame by frame',
        ...toggle('probability'),
      }),
      again({
        name: 'Change',
        about: 'What your edits did to the path mass',
        ...toggle('change'),
      }),
      again({
        ...{ name: 'Logarithmic scale', about: 'Down to one in a million', checked: scale === 'log' },
        run: () => store.set({ scale: scale === 'log' ? 'linear' : 'log' }),
      }),
      { heading: 'Lines show' },
      again({
        ...{ name: 'Best path', about: 'The likeliest of all', checked: bestPath },
        run: () => store.set({ bestPath: !bestPath }),
      }),
      again({
        ...{ name: 'Sampled paths', about: 'Eight, drawn by their probability', checked: samples > 0 },
        run: () => store.set({ samples: samples > 0 ? 0 : 8 }),
      }),
      { heading: 'View' },
      { name: 'Fit everything', run: () => this.#page.stage.fit() },
      { name: 'Zoom in', run: () => this.#page.stage.zoomBy(1.6) },
      { name: 'Zoom out', run: () => this.#page.stage.zoomBy(1 / 1.6) },
    ];
  }

  #moreMenu: { refresh(): void } | undefined;

  #edit(): void {
    const button = byId('edit');
    button.addEventListener('click', () => {
      const on = button.ariaPressed !== 'true';
      button.ariaPressed = String(on);
      this.#page.editing = on;
      byId('stage').classList.toggle('opened', on);
      byId('inspector').classList.toggle('opened', on);
      this.#showEdits();
    });
    document.addEventListener('keydown', (event) => {
      const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'text';
      if (!(event.ctrlKey || event.metaKey) || isTyping) return;
      const key = event.key.toLowerCase();
      if (key === 'y' || (key === 'z' && event.shiftKey)) this.#redo();
      else if (key === 'z') this.#undo();
    });
  }

  /** `what`: changes of one thing in quick succession are one step. */
  #change(what: string, edits: Partial<Edits>): void {
    const { store } = this.#page;
    this.#history.step(store.state, what);
    store.set({ edits: { ...store.state.edits, ...edits } });
  }

  #undo(): void {
    this.#goTo(this.#history.undo(this.#page.store.state));
  }

  #redo(): void {
    this.#goTo(this.#history.redo(this.#page.store.state));
  }

  #goTo(step: Step | undefined): void {
    if (!step) return;
    this.#page.store.set(step);
    this.#showEdits();
  }

  /** All edits away, as one step. */
  #asBefore(): void {
    const { store } = this.#page;
    this.#history.step(store.state, 'all');
    store.set({ edits: noEdits, blank: undefined });
    this.#showEdits();
  }

  readonly #undoButton = make('button', { onclick: () => this.#undo() }, 'Undo');
  readonly #redoButton = make('button', { onclick: () => this.#redo() }, 'Redo');

  #historyButtons(): void {
    this.#undoButton.disabled = !this.#history.canUndo;
    this.#redoButton.disabled = !this.#history.canRedo;
  }

  /** Under the header, also while the tools are closed: that the scores are not as they came. */
  #tellEdits(): void {
    const { edits, blank } = this.#page.store.state;
    const said = [
      edits.strokes.length > 0 && plural(edits.strokes.length, 'stroke'),
      edits.bias !== 0 && `blank bias ${edits.bias.toFixed(1)}`,
      edits.temperature !== 1 && `temperature ${edits.temperature.toFixed(2)}`,
      blank !== undefined && 'another blank',
    ].filter(Boolean);
    if (said.length === 0) return;
    const note = make('span', { className: 'edited' }, `Edited: ${said.join(', ')}.`);
    byId('sentence').append(note, make('button', { onclick: () => this.#asBefore() }, 'Undo all'));
  }

  /** The tools, in the inspector. */
  #showEdits(): void {
    const panels = byId('panels');
    if (byId('edit').ariaPressed !== 'true') {
      panels.replaceChildren();
      return;
    }
    const { store, source } = this.#page;
    const { edits } = store.state;
    const percent = (p: number) => `${Math.round(100 * p)} %`;
    const heading = make('h2', {}, 'Edit the scores');
    const says = 'Draw over a row above the lattice: the symbol gets this probability in those frames.';
    const note = make('p', {}, says);
    const reset = make('button', { onclick: () => this.#asBefore() }, 'As they were');
    const buttons = make('div', { className: 'buttons' }, this.#undoButton, this.#redoButton, reset);
    this.#historyButtons();
    const classes = source?.classes ?? 0;
    const choose = (blank: number) => {
      if (!(Number.isInteger(blank) && blank >= 0 && blank < classes)) return;
      this.#history.step(store.state, 'blank');
      store.set({ blank });
    };
    const blank = make('label', {}, 'Blank', this.#blankField(classes, choose));
    panels.replaceChildren(
      heading,
      note,
      slider('Paint with', { ...editLimits.p, step: 0.01, value: this.#p }, percent, (p) => {
        this.#p = p;
      }),
      slider(
        'Blank bias',
        { ...editLimits.bias, step: 0.1, value: edits.bias },
        (x) => x.toFixed(1),
        (bias) => this.#change('bias', { bias }),
      ),
      slider(
        'Temperature',
        { ...editLimits.temperature, step: 0.05, value: edits.temperature },
        (x) => x.toFixed(2),
        (temperature) => this.#change('temperature', { temperature }),
      ),
      blank,
      buttons,
    );
  }

  /** A menu, or of more classes than one looks through a number. */
  #blankField(classes: number, choose: (blank: number) => void): HTMLElement {
    const { vocabulary } = this.#page.source!;
    if (classes > 200) {
      const input = make('input', { type: 'number' });
      Object.assign(input, { min: 0, max: classes - 1, value: this.#page.blank });
      input.ariaLabel = `Blank, a class from 0 to ${classes - 1}`;
      input.addEventListener('change', () => choose(input.valueAsNumber));
      return input;
    }
    const select = document.createElement('select');
    select.ariaLabel = 'Blank'; // a label's text would count the options in
    for (let c = 0; c < classes; c++) {
      const option = make('option', { value: String(c) }, vocabulary.token(c) ?? `class ${c}`);
      option.selected = c === this.#page.blank;
      select.append(option);
    }
    select.addEventListener('change', () => choose(Number(select.value)));
    return select;
  }

  #share(): void {
    for (const id of ['share', 'share-here']) byId(id).addEventListener('click', () => this.share());
  }

  async share(): Promise<void> {
    const { state } = this.#page.store;
    const link = new URL(`#${toHash(state)}`, location.href).href;
    if (state.example === 'own') {
      notify('What you loaded stays on this machine: a link cannot carry it. Export it from Data instead.');
      return;
    }
    if (link.length > longestLink) {
      notify(
        `This link would be ${link.length.toLocaleString('en')} characters long, and programs that send links cut them at ${longestLink.toLocaleString('en')}. Undo some strokes first.`,
      );
      return;
    }
    history.replaceState(null, '', link);
    try {
      await navigator.clipboard.writeText(link);
      notify('The link to what you see is on the clipboard.');
    } catch {
      notify('The link to what you see is in the address bar.');
    }
  }

  /** Where a made-up recogniser heard another word than is spelled. */
  #offerToHear(): void {
    const { source, store, analysis } = this.#page;
    const word = store.state.text.trim().toLowerCase();
    if (!source?.heard || word === source.heard || !/^[a-z]{1,40}$/.test(word) || !analysis) return;
    const said = make('span', {}, `The recogniser heard ${source.heard}.`);
    const hear = () => {
      this.#page.hear(word, Math.max(source.frames, 2 * word.length + 2));
      this.#showEdits();
    };
    const offer = make('button', { onclick: hear }, `Let it hear ${word.length > 14 ? 'this' : word}`);
    byId('sentence').append(said, offer);
  }
}
