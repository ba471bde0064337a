// What can be changed about the training, in a menu.

import type { Handwriting } from '../../learning/writer.js';
import { byId, chooseFiles, make, notify, save } from '../shared/dom.js';
import { type Entry, menu, slider } from '../shared/menus.js';
import type { Pad } from './pad.js';
import type { Teacher } from './teacher.js';

export class Settings {
  readonly #teacher: Teacher;
  readonly #pad: Pad;
  readonly #menu: { refresh(): void };
  #own: Handwriting[] = [];
  #batch: number;
  #seed: number;

  constructor(teacher: Teacher, pad: Pad) {
    this.#teacher = teacher;
    this.#pad = pad;
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
    const exponent = { min: -4, max: -1, step: 0.1, value: Math.log10(rate) };
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
          { min: 4, max: 64, step: 4, value: this.#batch },
          String,
          (value) => {
            this.#batch = value;
          },
        ),
      },
      { element: this.#seedInput() },
      {
        name: 'Begin anew',
        about: 'with this seed and these strings in a step; what was learned is lost',
        run: () => this.#teacher.open({ seed: this.#seed, batch: this.#batch }),
      },
      { heading: `Your hand: ${this.#own.length === 1 ? '1 sample' : `${this.#own.length} samples`}` },
      { element: this.#ownInput() },
      { heading: 'Weights' },
      { name: 'Save', about: 'as a .safetensors file', run: () => this.#save() },
      { name: 'Load …', about: 'and go on from there', run: () => this.#load() },
    ];
  }

  #seedInput(): HTMLElement {
    const input = make('input', {
      type: 'number',
      required: true,
      min: '0',
      max: '9999999',
      step: '1',
      value: String(this.#seed),
    });
    input.addEventListener('change', () => {
      if (input.reportValidity()) this.#seed = input.valueAsNumber;
    });
    return make('label', {}, 'Seed', input);
  }

  /** What is on the pad, with what it says: a quarter of what is learned from then on. */
  #ownInput(): HTMLElement {
    const input = make('input', {
      type: 'text',
      pattern: '[0-9]{1,16}',
      placeholder: 'digits',
      autocomplete: 'off',
    });
    input.inputMode = 'numeric';
    const form = make(
      'form',
      {},
      make('label', {}, 'The pad says', input),
      make('button', { disabled: this.#pad.strokes.length === 0 }, 'Learn from it'),
    );
    form.querySelector('button')!.type = 'submit';
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (input.value === '') return;
      this.#own = [...this.#own, { text: input.value, strokes: [...this.#pad.strokes] }];
      this.#teacher.own = this.#own;
      notify(
        `Learns from ${this.#own.length === 1 ? 'it' : `${this.#own.length} of your samples`} from the next step on.`,
      );
      this.#pad.clear();
      this.#menu.refresh();
    });
    return form;
  }

  async #save() {
    save('digits.safetensors', await this.#teacher.save(), 'application/octet-stream');
  }

  #load() {
    chooseFiles(async ([file]) => {
      if (!file) return;
      this.#teacher.open({}, { bytes: new Uint8Array(await file.arrayBuffer()), name: file.name });
    }, '.safetensors');
  }
}
