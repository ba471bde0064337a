// "Only these numbers": which of a list is on the pad, or that none of them is.

import { mostDigits, type PenReading } from '../../learning/settings.js';
import { byId, make } from '../shared/dom.js';
import type { Choice } from './choice.js';
import { isDigits } from './link.js';

/** Of a list. */
const mostNumbers = 1000;

export class Only {
  readonly #input = byId<HTMLInputElement>('numbers');
  readonly #said = byId('choice');

  /** `changed`: there is another list, or none. */
  constructor(changed: () => void) {
    this.#input.addEventListener('input', changed);
  }

  set hidden(hidden: boolean) {
    byId('only').hidden = hidden;
  }

  /** What is read of the list, or freely where there is none. Tells the rest of it. @returns '' where it is none of the list. */
  async read(reading: PenReading): Promise<string> {
    const typed = this.#input.value.split(/[\s,;]+/).filter(Boolean);
    const wrong = complaint(typed);
    this.#input.ariaInvalid = String(wrong !== undefined);
    if (wrong || typed.length === 0 || reading.frames === 0) {
      this.#said.textContent = wrong ?? '';
      return reading.text;
    }
    try {
      const { chosen } = await import('./choice.js');
      const choice = await chosen(reading, [...new Set(typed)]);
      this.#said.replaceChildren(...say(choice, reading.text));
      return choice.text ?? '';
    } catch (error) {
      this.#said.textContent = `The list could not be looked at: ${(error as Error).message}`;
      return reading.text;
    }
  }
}

function complaint(typed: readonly string[]): string | undefined {
  if (typed.length > mostNumbers)
    return `Expected at most ${mostNumbers.toLocaleString('en')} numbers, got ${typed.length.toLocaleString('en')}.`;
  const wrong = typed.find((text) => !isDigits(text));
  return wrong === undefined
    ? undefined
    : `Expected numbers of at most ${mostDigits} digits, with commas between them, got ${wrong.slice(0, 40)}.`;
}

function say({ text, p, mass }: Choice, free: string): (Node | string)[] {
  const freely = free === '' ? 'nothing' : free;
  if (text === undefined)
    return [
      make('b', {}, 'None of these'),
      `: all of them together have ${percent(mass)} of what it sees. It reads ${freely}.`,
    ];
  const rest = text === free ? '' : ` Without the list it reads ${freely}.`;
  const share = mass > 0 ? `, and ${percent(p / mass)} of what is in the list` : '';
  return [`${percent(p)} of what it sees${share}.${rest}`];
}

const percent = (share: number): string =>
  share > 0.999 ? '100 %' : share < 0.001 ? 'less than 0.1 %' : `${(100 * share).toFixed(1)} %`;
