// The tools that change the scores.
import { make } from '../../shared/dom.js';
import { slider } from '../../shared/menus.js';
import type { Page } from '../page.js';
import type { Source } from '../sources/source.js';
import type { Editing } from '../state/editing.js';
import { editLimits } from '../state/edits.js';
import { classField } from './class-field.js';
import type { Panel } from './panels.js';

export class EditPanel implements Panel {
  readonly #root: HTMLElement;
  readonly #page: Page;
  readonly #editing: Editing;
  readonly #undo: HTMLButtonElement;
  readonly #redo: HTMLButtonElement;
  /** What the panel was filled from; what was changed in it is in it already. */
  #shown: {
    readonly source?: Source | undefined;
    readonly blank?: number;
    bias?: number;
    temperature?: number;
  } = {};

  constructor(root: HTMLElement, page: Page, editing: Editing) {
    this.#root = root;
    this.#page = page;
    this.#editing = editing;
    this.#undo = make('button', { onclick: () => editing.undo() }, 'Undo');
    this.#redo = make('button', { onclick: () => editing.redo() }, 'Redo');
  }

  refresh(): void {
    this.#page.editing = true;
    this.#undo.disabled = !this.#editing.canUndo;
    this.#redo.disabled = !this.#editing.canRedo;
    const { source, blank, store } = this.#page;
    const { bias, temperature } = store.state.edits;
    const before = this.#shown;
    const isSame = source === before.source && blank === before.blank;
    if (!source || (isSame && bias === before.bias && temperature === before.temperature)) return;
    this.#shown = { source, blank, bias, temperature };
    this.#fill();
  }

  close(): void {
    this.#page.editing = false;
  }

  #fill(): void {
    const editing = this.#editing;
    const { edits } = this.#page.store.state;
    const percent = (p: number) => `${Math.round(100 * p)} %`;
    const revert = make('button', { onclick: () => editing.revert() }, 'As they were');
    this.#root.replaceChildren(
      make('h2', {}, 'Edit the scores'),
      make(
        'p',
        {},
        'Draw over a row above the lattice: the symbol gets this probability in those frames. With the keyboard: Tab to the rows, arrows to a frame, Enter paints it.',
      ),
      slider('Paint with', { ...editLimits.p, step: 0.01, value: editing.p }, percent, (p) => {
        editing.p = p;
      }),
      slider(
        'Blank bias',
        { ...editLimits.bias, step: 0.1, value: edits.bias },
        (x) => x.toFixed(1),
        (bias) => {
          this.#shown.bias = bias;
          editing.change('bias', { bias });
        },
      ),
      slider(
        'Temperature',
        { ...editLimits.temperature, step: 0.05, value: edits.temperature },
        (x) => x.toFixed(2),
        (temperature) => {
          this.#shown.temperature = temperature;
          editing.change('temperature', { temperature });
        },
      ),
      make(
        'label',
        {},
        'Blank',
        classField('Blank', this.#page.source!, this.#page.blank, (blank) => editing.chooseBlank(blank)),
      ),
      make('div', { className: 'buttons' }, this.#undo, this.#redo, revert),
    );
  }
}
