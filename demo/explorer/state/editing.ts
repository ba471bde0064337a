// Changes to the scores, each of them a step that can be undone.
import { type Edits, noEdits, type Stroke } from './edits.js';
import { History, type Step } from './history.js';
import type { Store } from './state.js';

export class Editing {
  /** The probability that a stroke paints. */
  p = 0.9;
  readonly #store: Store;
  readonly #history = new History();
  /** The stroke that is being drawn. */
  #drawn: Stroke | undefined;

  constructor(store: Store) {
    this.#store = store;
    store.listen((state, before) => {
      if (state.example !== before.example || state.heard !== before.heard) this.begin();
    });
  }

  /** What was done before is of other scores. */
  begin(): void {
    this.#history.clear();
  }

  get canUndo(): boolean {
    return this.#history.canUndo;
  }

  get canRedo(): boolean {
    return this.#history.canRedo;
  }

  /** From a pointer that goes over the frames of a class: one step for each stroke, which ends with `done`. */
  paint(c: number, first: number, end: number, done: boolean): void {
    const { state } = this.#store;
    if (!this.#drawn) this.#history.step(state, 'stroke');
    const others = state.edits.strokes.filter((stroke) => stroke !== this.#drawn);
    const stroke = { c, first, end, p: this.p };
    this.#drawn = done ? undefined : stroke;
    this.#store.set({ edits: { ...state.edits, strokes: [...others, stroke] } });
  }

  /** `what`: changes of one thing in quick succession are one step. */
  change(what: string, edits: Partial<Edits>): void {
    const { state } = this.#store;
    this.#history.step(state, what);
    this.#store.set({ edits: { ...state.edits, ...edits } });
  }

  chooseBlank(blank: number): void {
    this.#history.step(this.#store.state, 'blank');
    this.#store.set({ blank });
  }

  undo(): void {
    this.#goTo(this.#history.undo(this.#store.state));
  }

  redo(): void {
    this.#goTo(this.#history.redo(this.#store.state));
  }

  /** All edits away, as one step. */
  revert(): void {
    this.#history.step(this.#store.state, 'all');
    this.#store.set({ edits: noEdits, blank: undefined });
  }

  #goTo(step: Step | undefined): void {
    if (step) this.#store.set(step);
  }
}
