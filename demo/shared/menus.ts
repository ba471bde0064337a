// Menus: a button that opens a popover, closed by Escape or by whatever happens elsewhere.
import { make } from './dom.js';

export interface Item {
  readonly name: string;
  readonly about?: string;
  /** Of those that are on or off. */
  readonly checked?: boolean;
  /** The menu stays open, for the next choice. */
  readonly stays?: boolean;
  run(): void;
}

export type Entry = Item | { readonly heading: string } | { readonly element: HTMLElement };

/** `entries` are asked for at each opening, and may have to be loaded. */
export function menu(
  root: HTMLElement,
  entries: () => readonly Entry[] | Promise<readonly Entry[]>,
): { refresh(): void } {
  const button = root.querySelector('button')!;
  const popover = root.querySelector<HTMLElement>('.popover')!;
  const show = (open: boolean) => {
    popover.hidden = !open;
    button.ariaExpanded = String(open);
  };
  const fill = async () => {
    const found = entries();
    const filled = found instanceof Promise ? await found : found;
    const controls = () => [...popover.querySelectorAll<HTMLElement>('button, input, select')];
    const focused = controls().indexOf(document.activeElement as HTMLElement);
    popover.replaceChildren(...filled.map((entry) => elementOf(entry, () => show(false))));
    controls()[focused]?.focus();
  };
  button.addEventListener('click', async () => {
    const open = popover.hidden !== false;
    if (open) await fill();
    show(open);
    if (open) popover.querySelector<HTMLElement>('button, input')?.focus();
  });
  root.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !popover.hidden) {
      show(false);
      button.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isField = document.activeElement?.matches('input, select');
    if (step === undefined || popover.hidden || isField) return;
    const items = [...popover.querySelectorAll<HTMLElement>('button, input, select')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    items[(at + step + items.length) % items.length]?.focus();
    event.preventDefault();
  });
  document.addEventListener('pointerdown', (event) => {
    if (!root.contains(event.target as Node)) show(false);
  });
  root.addEventListener('focusout', (event) => {
    if (event.relatedTarget && !root.contains(event.relatedTarget as Node)) show(false);
  });
  return {
    refresh: () => {
      if (!popover.hidden) fill();
    },
  };
}

function elementOf(entry: Entry, close: () => void): HTMLElement {
  if ('element' in entry) return entry.element;
  if ('heading' in entry) return make('h2', {}, entry.heading);
  const onclick = () => {
    if (!entry.stays) close();
    entry.run();
  };
  const about = entry.about ? [make('small', {}, entry.about)] : [];
  const button = make('button', { onclick }, entry.name, ...about);
  if (entry.checked !== undefined) button.ariaPressed = String(entry.checked);
  return button;
}

/** A slider with its name and its value. */
export function slider(
  name: string,
  { min, max, step, value }: { min: number; max: number; step: number; value: number },
  say: (value: number) => string,
  change: (value: number) => void,
): HTMLElement {
  const input = make('input', { type: 'range' });
  Object.assign(input, { min, max, step, value }); // numbers, and the value last
  const output = make('output', { value: say(value) });
  input.addEventListener('input', () => {
    output.value = say(input.valueAsNumber);
    change(input.valueAsNumber);
  });
  // a label belongs to the first of them
  return make('label', {}, name, input, output);
}
