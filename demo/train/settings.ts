// What can be changed about the training, in a menu.

import { byId, chooseFiles, make, save } from '../shared/dom.js';
import { type Entry, menu, slider } from '../shared/menus.js';
import { limits } from './link.js';
import type { Teacher } from './teacher.js';

/** What the menu asks of the page. */
export interface Wishes {
  /** Whether this browser keeps what is learned in this tab. */
  keeps(): boolean;
  /** How many strings the visitor has told it. */
  own(): number;
  forgetOwn(): void;
  /** Another training, with nothing learned. */
  startAfresh(settings: { seed: number; batch: number }): void;
  /** So many steps are in a file of the visitor's. */
  saved(steps: number): void;
}

export class Settings {
  readonly #teacher: Teacher;
  readonly #wishes: Wishes;
  readonly #menu: { refresh(): void };
  #batch: number;
  #seed: number;

  constructor(teacher: Teacher, wishes: Wishes) {
    this.#teacher = teacher;
    this.#wishes = wishes;
    this.#batch = teacher.settings.batch;
    this.#seed = teacher.settings.seed;
    this.#menu = menu(byId('settings'), () => this.#entries());
  }

  refresh(): void {
    this.#menu.refresh();
  }

  /** Shows what the training has. */
  adopt(): void {
    ({ batch: this.#batch, seed: this.#seed } = this.#teacher.settings);
    this.refresh();
  }

  #entries(): Entry[] {
    const { rate } = this.#teacher.settings;
    const [min, max] = [limits.rate.min, limits.rate.max].map(Math.log10) as [number, number];
    const exponent = { min, max, step: 0.1, value: Math.log10(rate) };
    return [
      { heading: 'Learning' },
      {
        element: slider(
          'Learning rate',
          exponent,
          (value) => (10 ** value).toPrecision(2),
          (value) => {
            this.#teacher.rate = 10 ** value;
          },
        ),
      },
      {
        element: slider(
          'Strings in a step',
          { ...limits.batch, step: 4, value: this.#batch },
          String,
          (value) => {
            this.#batch = value;
          },
        ),
      },
      { element: this.#seedInput() },
      {
        name: 'Start afresh',
        about: 'with this seed and so many strings in a step; what it has learned is forgotten',
        run: () => this.#wishes.startAfresh({ seed: this.#seed, batch: this.#batch }),
      },
      ...this.#ownEntries(),
      {
        heading: `Weights, which ${this.#wishes.keeps() ? 'this browser keeps' : 'are kept by another tab alone'}`,
      },
      { name: 'Save', about: 'as a .safetensors file', run: () => this.#save() },
      { name: 'Load …', about: 'and go on from there', run: () => this.#load() },
    ];
  }

  #seedInput(): HTMLElement {
    const input = make('input', {
      type: 'number',
      required: true,
      min: String(limits.seed.min),
      max: String(limits.seed.max),
      step: '1',
      value: String(this.#seed),
    });
    input.addEventListener('change', () => {
      if (input.reportValidity()) this.#seed = input.valueAsNumber;
    });
    return make('label', {}, 'Seed', input);
  }

  #ownEntries(): Entry[] {
    const count = this.#wishes.own();
    if (count === 0) return [];
    const about = 'what it has learned stays';
    return [
      { heading: `Your hand: ${count === 1 ? '1 string' : `${count} strings`} that you have told it` },
      { name: count === 1 ? 'Forget it' : 'Forget them', about, run: () => this.#wishes.forgetOwn() },
    ];
  }

  async #save() {
    const { steps, bytes } = await this.#teacher.save();
    save('digits.safetensors', bytes, 'application/octet-stream');
    this.#wishes.saved(steps);
  }

  #load() {
    chooseFiles(async ([file]) => {
      if (!file) return;
      this.#teacher.open({}, { bytes: new Uint8Array(await file.arrayBuffer()), name: file.name });
    }, '.safetensors');
  }
}
