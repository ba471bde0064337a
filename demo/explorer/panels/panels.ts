// What there is to know beside the lattice: a tab each, loaded when it is first opened.
import { byId, make, notify } from '../../shared/dom.js';
import type { Page } from '../page.js';
import type { PanelId } from '../state/state.js';

export interface Panel {
  /** It is shown from now on, or what it is about has changed. */
  refresh(): void;
  /** It is no longer shown. */
  close?(): void;
}

export interface Tab {
  readonly id: PanelId;
  readonly name: string;
  /** Called once, with where the panel goes. */
  open(root: HTMLElement): Panel | Promise<Panel>;
  /** Whether there is anything to show in it. Without this there always is. */
  isThere?(): boolean;
}

export class Panels {
  readonly #page: Page;
  readonly #tabs: readonly Tab[];
  readonly #opened = new Map<PanelId, Promise<Panel>>();
  readonly #sheet = byId('inspector');
  readonly #handle = this.#sheet.querySelector<HTMLButtonElement>('.handle')!;
  /** The panel that is shown. */
  #shown: { readonly id: PanelId; readonly panel?: Panel } = { id: 'state' };

  constructor(page: Page, tabs: readonly Tab[]) {
    this.#page = page;
    this.#tabs = tabs;
    const list = byId('tabs');
    list.replaceChildren(...tabs.map((tab) => this.#buttonOf(tab)));
    list.addEventListener('keydown', (event) => this.#press(event));
    this.#handle.addEventListener('click', () => this.#toggleSheet());
    page.store.listen((state, before) => {
      if (state.story !== undefined && before.story === undefined) this.#openSheet(true);
      if (state.with !== before.with) this.#offer();
      if (state.panel !== before.panel) this.#show();
      else this.#shown.panel?.refresh();
    });
    page.listen(() => {
      this.#offer();
      this.#shown.panel?.refresh();
    });
    this.#offer();
    this.#show();
  }

  #buttonOf({ id, name }: Tab): HTMLButtonElement {
    const button = make('button', { id: `tab-${id}`, role: 'tab' }, name);
    button.setAttribute('aria-controls', `panel-${id}`);
    button.addEventListener('click', () => this.#page.store.set({ panel: id }));
    return button;
  }

  /** Tabs of what there is. A panel that there is no more gives way to the first. */
  #offer(): void {
    const { store } = this.#page;
    for (const tab of this.#tabs) byId(`tab-${tab.id}`).hidden = tab.isThere?.() === false;
    if (byId(`tab-${store.state.panel}`).hidden && this.#page.analysis) store.set({ panel: 'state' });
  }

  #show(): void {
    const { panel: id } = this.#page.store.state;
    if (this.#shown.id !== id) this.#shown.panel?.close?.();
    this.#shown = { id };
    for (const tab of this.#tabs) {
      const isShown = tab.id === id;
      const button = byId(`tab-${tab.id}`);
      button.ariaSelected = String(isShown);
      button.tabIndex = isShown ? 0 : -1;
      byId(`panel-${tab.id}`).hidden = !isShown;
      if (isShown) button.scrollIntoView?.({ block: 'nearest', inline: 'nearest' });
    }
    document.body.dataset.panel = id;
    if (id !== 'state' || this.#page.store.state.story !== undefined) this.#openSheet(true);
    this.#open(id);
  }

  async #open(id: PanelId): Promise<void> {
    const tab = this.#tabs.find((known) => known.id === id)!;
    let opened = this.#opened.get(id);
    if (!opened) {
      opened = Promise.resolve(tab.open(byId(`panel-${id}`)));
      this.#opened.set(id, opened);
    }
    try {
      const panel = await opened;
      if (this.#shown.id !== id) return;
      this.#shown = { id, panel };
      panel.refresh();
    } catch (error) {
      this.#opened.delete(id);
      notify(`${tab.name} could not be loaded: ${(error as Error).message}`);
    }
  }

  /** On a phone the panels are a sheet over the page. Closed, it shows a line about the selected state. */
  #toggleSheet(): void {
    const open = !this.#sheet.classList.contains('opened');
    this.#openSheet(open);
    if (!open) this.#page.store.set({ panel: 'state', story: undefined });
  }

  #openSheet(open: boolean): void {
    this.#sheet.classList.toggle('opened', open);
    this.#handle.ariaExpanded = String(open);
  }

  #press(event: KeyboardEvent): void {
    const there = this.#tabs.filter(({ id }) => !byId(`tab-${id}`).hidden);
    const at = there.findIndex(({ id }) => id === this.#page.store.state.panel);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: there.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { id } = there[(to + there.length) % there.length]!;
    this.#page.store.set({ panel: id });
    byId(`tab-${id}`).focus();
  }
}
