// What the page shows, what changes it, and its form in a URL.
import { type Cell, type Layer, layers } from './analysis.js';
import { type Edits, noEdits } from './edits.js';
import { exampleIds } from './examples.js';

export interface State {
  /** Of `examples`, or `own`: what was loaded here, which no link can carry. */
  readonly example: string;
  /** What is to be spelled. */
  readonly text: string;
  readonly layer: Layer;
  readonly scale: 'log' | 'linear';
  readonly bestPath: boolean;
  /** Paths drawn from the posterior. */
  readonly samples: number;
  readonly selected: Cell | undefined;
  /** A label whose frames stand out. */
  readonly highlight: number | undefined;
  readonly edits: Edits;
  /** Where it is not that of the vocabulary. */
  readonly blank: number | undefined;
}

export const initial: State = {
  example: 'hello',
  text: 'hello',
  layer: 'posterior',
  scale: 'log',
  bestPath: true,
  samples: 0,
  selected: undefined,
  highlight: undefined,
  edits: noEdits,
  blank: undefined,
};

type Listener = (state: State, before: State) => void;

export class Store {
  #state = initial;
  readonly #listeners: Listener[] = [];

  get state(): State {
    return this.#state;
  }

  set(change: Partial<State>): void {
    const before = this.#state;
    this.#state = { ...before, ...change };
    for (const listener of this.#listeners) listener(this.#state, before);
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }
}

/** A longer link is cut by some of the programs that people send links with. */
export const longestLink = 2000;

/** The part of a URL after `#`: what differs from the beginning. */
export function toHash(state: State): string {
  const { example, text, layer, scale, bestPath, samples, selected, highlight, edits, blank } = state;
  const fields: Record<string, string | number | undefined> = {
    example: example === initial.example ? undefined : example,
    text,
    layer: layer === initial.layer ? undefined : layer,
    scale: scale === initial.scale ? undefined : scale,
    best: bestPath ? undefined : 0,
    samples: samples || undefined,
    at: selected && `${selected.t}.${selected.s}`,
    label: highlight,
    bias: edits.bias || undefined,
    temperature: edits.temperature === 1 ? undefined : edits.temperature,
    blank,
    paint: edits.strokes.map(({ c, first, end, p }) => [c, first, end, p].join('_')).join('~') || undefined,
  };
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.toString();
}

/** What a URL says, as far as it can be understood: whoever made it is a stranger. Undefined if it says nothing. */
export function fromHash(hash: string): State | undefined {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  if (![...parameters.keys()].length) return undefined;
  const text = (name: string) => parameters.get(name);
  const number = (name: string, least: number, most: number) => {
    const value = Number(text(name) ?? Number.NaN);
    return value >= least && value <= most ? value : undefined;
  };
  const integer = (name: string, most: number) => {
    const value = number(name, 0, most);
    return Number.isInteger(value) ? value : undefined;
  };
  const example = exampleIds.find((id) => id === text('example')) ?? initial.example;
  const at = text('at')?.match(/^(\d{1,6})\.(\d{1,6})$/);
  const strokes = (text('paint') ?? '').split('~').flatMap((stroke) => {
    const [c = -1, first = -1, end = -1, p = -1] = stroke.split('_').map(Number);
    const isStroke =
      [c, first, end].every(Number.isInteger) && c >= 0 && first >= 0 && end > first && p > 0 && p < 1;
    return isStroke && stroke.length < 60 ? [{ c, first, end, p }] : [];
  });
  return {
    example,
    text: (text('text') ?? initial.text).slice(0, 2000),
    layer: layers.find((layer) => layer === text('layer')) ?? initial.layer,
    scale: text('scale') === 'linear' ? 'linear' : 'log',
    bestPath: text('best') !== '0',
    samples: integer('samples', 50) ?? 0,
    selected: at ? { t: Number(at[1]), s: Number(at[2]) } : undefined,
    highlight: integer('label', 1e5),
    edits: { bias: number('bias', -20, 20) ?? 0, temperature: number('temperature', 0.1, 10) ?? 1, strokes },
    blank: integer('blank', 1e5),
  };
}
