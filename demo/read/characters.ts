// The characters of a text, a list for each word: one of them is looked at, and the others are reached from it by arrows.
import { make } from '../shared/dom.js';

export interface Shown {
  readonly text: string;
  /** Whether a space stands before it. */
  readonly apart: boolean;
  readonly confidence: number;
}

export interface CharactersEvents {
  /** The pointer is over one; undefined: over none. */
  hover(index: number | undefined): void;
  /** One has focus. */
  pick(index: number): void;
}

export class CharacterList {
  readonly #root: HTMLElement;
  readonly #events: CharactersEvents;
  #buttons: HTMLButtonElement[] = [];

  constructor(root: HTMLElement, events: CharactersEvents) {
    this.#root = root;
    this.#events = events;
    root.addEventListener('keydown', (event) => {
      const at = this.#buttons.indexOf(document.activeElement as HTMLButtonElement);
      const last = this.#buttons.length - 1;
      const step = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1 }[event.key];
      const to = step ?? { Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.#buttons[to]?.focus();
    });
  }

  show(characters: readonly Shown[]): void {
    this.#buttons = characters.map(({ text, confidence }, i) => {
      const sure = `${Math.round(100 * confidence)}%`;
      const button = make(
        'button',
        { ariaLabel: `${text}, sure to ${sure.replace('%', ' %')}` },
        text,
        make('i'),
      );
      button.style.setProperty('--sure', sure);
      button.tabIndex = i === 0 ? 0 : -1;
      button.addEventListener('focus', () => {
        for (const other of this.#buttons) other.tabIndex = other === button ? 0 : -1;
        this.#events.pick(i);
      });
      // Safari does not focus what is clicked
      button.addEventListener('click', () => button.focus());
      button.addEventListener('pointerenter', () => this.#events.hover(i));
      button.addEventListener('pointerleave', () => this.#events.hover(undefined));
      return button;
    });
    const lists: HTMLOListElement[] = [];
    this.#buttons.forEach((button, i) => {
      // a word goes to the next line as one, where it has room there
      if (i === 0 || characters[i]!.apart) lists.push(make('ol'));
      lists.at(-1)!.append(make('li', {}, button));
    });
    this.#root.replaceChildren(...lists);
  }

  /** Moves the focus there. */
  focus(index: number): void {
    this.#buttons[index]?.focus();
  }

  point(index: number | undefined): void {
    for (const [i, button] of this.#buttons.entries()) button.classList.toggle('chosen', i === index);
  }
}
