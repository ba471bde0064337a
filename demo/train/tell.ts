// "It read this wrong? Tell it.": what is on the pad, and what it really says, as a string of one's own to learn from.

import type { Stroke } from '../../learning/glyphs.js';
import { features, mostMovements, movements, stride } from '../../learning/pen.js';
import { mostDigits } from '../../learning/settings.js';
import { byId, notify } from '../shared/dom.js';
import { isDigits } from './link.js';

export class Tell {
  readonly #form = byId<HTMLFormElement>('tell');
  readonly #input = this.#form.querySelector('input')!;
  /** The visitor has written into the field: a reading leaves it alone. */
  #edited = false;
  /** The visitor is in the field and may write at any moment: a reading waits. */
  #entered = false;
  #reading = '';

  /** `strokes`: what is on the pad now. `told`: its digits. */
  constructor(strokes: () => readonly Stroke[], told: (text: string) => void) {
    this.#input.addEventListener('input', () => {
      this.#edited = true;
    });
    this.#input.addEventListener('focus', () => {
      this.#entered = true;
    });
    this.#input.addEventListener('blur', () => {
      this.#entered = false;
      this.#update();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const text = this.#input.value.replace(/\s/g, '');
      const wrong = complaint(text, strokes());
      if (wrong) return notify(wrong);
      this.#edited = true;
      told(text);
    });
  }

  /** How it is read. */
  show(reading: string): void {
    this.#reading = reading.slice(0, mostDigits);
    this.#update();
  }

  #update() {
    if (!this.#edited && !this.#entered) this.#input.value = this.#reading;
  }

  /** There is other ink, whoever has the field. */
  begin(): void {
    this.#edited = false;
    this.#entered = false;
  }

  set hidden(hidden: boolean) {
    this.#form.hidden = hidden;
  }
}

/** Why nothing can be learned from it. */
export function complaint(text: string, strokes: readonly Stroke[]): string | undefined {
  if (!isDigits(text)) {
    const got = text.length > 3 * mostDigits ? `${text.length.toLocaleString('en')} characters` : text;
    return `Tell it the digits that you wrote: expected 1 to ${mostDigits} of them, got ${got || 'nothing'}.`;
  }
  const moved = movements(strokes).length / features;
  if (moved > mostMovements) return 'That is too much ink for one string: it learns from shorter ones.';
  // as `requiredFrames` of the library counts, which the page does without until its worker brings it: a quarter of what it loads
  const needed = text.length + [...text].filter((digit, i) => digit === text[i - 1]).length;
  if (needed > Math.ceil(moved / stride)) return `There is too little ink for ${text}.`;
  return undefined;
}
