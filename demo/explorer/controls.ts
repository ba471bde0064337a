// Header and footer: what can be asked.

import { byId, make, notify, whileBusy } from '../shared/dom.js';
import type { Layer } from '../shared/layers.js';
import { type Entry, menu } from '../shared/menus.js';
import { frameOf } from './engine/analysis.js';
import { plural } from './engine/ways.js';
import type { Window } from './engine/window.js';
import type { Page } from './page.js';
import { examples } from './sources/examples.js';
import type { Editing } from './state/editing.js';
import { fromHash, initial, longestLink, toHash } from './state/state.js';

/** Of `switch`, in its order. */
const mainLayers: readonly (readonly [Layer, string])[] = [
  ['posterior', 'Path mass'],
  ['alpha', 'Forward'],
  ['beta', 'Backward'],
];

export class Controls {
  readonly #page: Page;
  readonly #editing: Editing;
  readonly #word = byId<HTMLInputElement>('word');
  /** What the browser's Back and Forward, or a link, have asked for is shown, and is no step of its own. */
  #navigating = false;

  constructor(page: Page, editing: Editing) {
    this.#page = page;
    this.#editing = editing;
    const { store } = page;
    byId('ask').addEventListener('submit', (event) => event.preventDefault());
    this.#word.addEventListener('input', () => {
      store.set({ text: this.#word.value, selected: undefined, highlight: undefined });
    });
    menu(byId('examples'), () =>
      examples
        .map(({ id, name, about }): Entry => {
          const checked = store.state.example === id && store.state.story === undefined;
          return { name, about, run: () => this.openExample(id), checked };
        })
        .concat({
          ...{ name: 'The story of CTC', about: 'In five steps, a minute' },
          run: () => {
            location.hash = '#story=1';
          },
        }),
    );
    this.#switch();
    this.#moreMenu = menu(byId('more'), () => this.#more());
    this.#keys();
    this.#share();
    this.#overflow();
    store.listen((state, before) => {
      if (this.#word.value !== state.text) this.#word.value = state.text;
      if (state.layer !== before.layer) this.#checkLayer();
      const isOther = state.example !== before.example || state.heard !== before.heard;
      if (isOther && !this.#navigating) history.pushState(null, '', this.#hash());
      history.replaceState(null, '', this.#hash());
    });
    window.addEventListener('popstate', () => this.#navigate());
    page.listen(() => {
      this.#inviteToStory();
      this.#tellWindow();
      this.#offerToHear();
      this.#offerStar();
      this.#tellEdits();
    });
    this.#word.value = store.state.text;
  }

  async openExample(id: string): Promise<void> {
    await whileBusy((signal, say) => this.#page.openExample(id, false, { signal, say }));
  }

  /** A link that was pasted, or the browser's Back and Forward. */
  async #navigate(): Promise<void> {
    const state = fromHash(location.hash) ?? initial;
    this.#navigating = true;
    this.#page.store.set(state);
    await whileBusy((signal, say) => this.#page.openExample(state.example, true, { signal, say }));
    this.#navigating = false;
  }

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
    byId('share-here').addEventListener('click', () => show(false));
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
    const { store, source } = this.#page;
    const { layer, bestPath, samples } = store.state;
    const { scale } = this.#page;
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
        about: source?.other ? `Beside ${source.other.name}` : 'What your edits did to the path mass',
        ...toggle('change'),
      }),
      again({
        ...{ name: 'Logarithmic scale', about: 'Down to one in a million. Key: L', checked: scale === 'log' },
        run: () => this.#otherScale(),
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
      again({
        ...{
          name: 'Follow the path',
          about: 'Move through time; the states go along',
          checked: this.#page.follows,
        },
        run: () => store.set({ follows: !this.#page.follows }),
      }),
      // a large lattice, or one that is seen in part, has buttons for the rest
      ...(byId('zoom').hidden ? [{ name: 'Zoom in', run: () => this.#page.stage.zoomBy(1.6) }] : []),
    ];
  }

  /** To who sees the page as it is at first. */
  #inviteToStory(): void {
    const { state } = this.#page.store;
    const isBeginning = toHash({ ...state, selected: undefined }) === toHash(initial);
    if (!isBeginning) return;
    byId('sentence').append(
      make('a', { href: '#story=1', className: 'invitation' }, 'New to CTC? Five steps'),
    );
  }

  /** Which frames of a longer recording are shown, and how to come to others. */
  #tellWindow(): void {
    const { analysis, whole, source, store } = this.#page;
    if (!analysis || !whole || whole.problem === analysis.problem) return;
    const { problem } = analysis;
    const all = whole.problem.frames;
    const [first, end] = [frameOf(problem, 0), frameOf(problem, problem.frames)];
    const seconds = source?.frameSeconds;
    const field = (name: string, frame: number, change: (frame: number) => Window) => {
      const shown = seconds === undefined ? frame : Number((frame * seconds).toFixed(2));
      const input = make('input', { type: 'number', min: '0', step: 'any', value: String(shown) });
      input.ariaLabel = `${name}, in ${seconds === undefined ? 'frames' : 'seconds'}`;
      input.addEventListener('change', () => {
        const to = change(
          Math.round(seconds === undefined ? input.valueAsNumber : input.valueAsNumber / seconds),
        );
        if (to.first >= 0 && to.first < to.end && to.end <= all) this.#page.lookAtFrames(to);
        else input.value = String(shown);
      });
      return input;
    };
    const [unit, total] =
      seconds === undefined
        ? ['frames', plural(all, 'frame')]
        : ['seconds', `${(all * seconds).toFixed(1)} s`];
    const turn = (backwards: boolean, name: string, isThere: boolean) =>
      make('button', { onclick: () => this.#page.turnPage(backwards), disabled: !isThere }, name);
    byId('sentence').append(
      make(
        'span',
        { className: 'window' },
        `Shown: ${unit}`,
        field('From', first, (first) => ({ first, end: Math.max(end, first + 1) })),
        'to',
        field('To', end, (end) => ({ first: Math.min(first, end - 1), end })),
        `of ${total}, a part whose loss is not that of the whole`,
      ),
      turn(true, 'Earlier', first > 0),
      turn(false, 'Later', end < all),
      ...(store.state.window
        ? [make('button', { onclick: () => this.#page.lookAtFrames(undefined) }, 'All')]
        : []),
    );
  }

  #moreMenu: { refresh(): void } | undefined;

  #keys(): void {
    document.addEventListener('keydown', (event) => {
      const isTyping = event.target instanceof HTMLInputElement && event.target.type === 'text';
      if (isTyping) return;
      const key = event.key.toLowerCase();
      if (event.ctrlKey || event.metaKey) {
        if (key === 'y' || (key === 'z' && event.shiftKey)) this.#editing.redo();
        else if (key === 'z') this.#editing.undo();
      } else if (key === 'l' && !event.altKey) this.#otherScale();
    });
  }

  #otherScale(): void {
    const { store, scale } = this.#page;
    store.set({ scale: scale === 'log' ? 'linear' : 'log' });
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
    byId('sentence').append(note, make('button', { onclick: () => this.#editing.revert() }, 'Undo all'));
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

  /** A `*` of the text is nothing that is said, unless it is asked to stand for anything. */
  #offerStar(): void {
    const { store } = this.#page;
    if (store.state.star || !/(^|\s)\*(\s|$)/.test(store.state.text)) return;
    const star = () => store.set({ star: true, selected: undefined });
    byId('sentence').append(make('button', { onclick: star }, 'Let * stand for anything'));
  }

  /** Where a made-up recogniser heard another word than is spelled. */
  #offerToHear(): void {
    const { source, store, analysis } = this.#page;
    const word = store.state.text.trim().toLowerCase();
    if (!source?.heard || word === source.heard || !/^[a-z]{1,40}$/.test(word) || !analysis) return;
    const said = make('span', {}, `The recogniser heard ${source.heard}.`);
    const hear = () => this.#page.hear(word, Math.max(source.frames, 2 * word.length + 2));
    const offer = make('button', { onclick: hear }, `Let it hear ${word.length > 14 ? 'this' : word}`);
    byId('sentence').append(said, offer);
  }
}
