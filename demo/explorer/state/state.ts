// What the page shows, what changes it, and its form in a URL.

import { type Layer, layers } from '../../shared/layers.js';
import type { Cell } from '../engine/analysis.js';
import type { Window } from '../engine/window.js';
import { exampleIds } from '../sources/examples.js';
import { type Edits, editLimits, noEdits } from './edits.js';
import { type Known, mostLinkedWords } from './known.js';
import { likeliest, type PathChoice, readPath, writePath } from './path.js';

/** Of the tabs beside the lattice. */
export const panelIds = ['state', 'paths', 'loss', 'labels', 'edit', 'words', 'compare'] as const;
export type PanelId = (typeof panelIds)[number];

export interface State {
  /** Of `examples`, or `own`: what was loaded here, which no link can carry. */
  readonly example: string;
  /** What a made-up recogniser hears, where it is not the example's word. */
  readonly heard: { readonly text: string; readonly frames: number } | undefined;
  /** What is to be spelled. */
  readonly text: string;
  /** A `*` of the text stands for anything. */
  readonly star: boolean;
  /** Anything may be said before the text and behind it. */
  readonly free: boolean;
  /** Another text, which it is compared with. */
  readonly with: string | undefined;
  readonly layer: Layer;
  /** Undefined: linear where a lattice is small, else logarithmic. */
  readonly scale: 'log' | 'linear' | undefined;
  /** Frames that the lattice is of; undefined: all, or the first of more than can be shown. */
  readonly window: Window | undefined;
  /** Frames and states that are seen, in cells; undefined: all. */
  readonly view: readonly [first: number, end: number, top: number, bottom: number] | undefined;
  /** Whether what is seen of a lattice follows the path; undefined: of a large one it does. */
  readonly follows: boolean | undefined;
  /** What is told beside the lattice. */
  readonly panel: PanelId;
  /** The step of the story that is told, from 1. */
  readonly story: number | undefined;
  /** The path that is looked at, in the panel about paths. */
  readonly path: PathChoice;
  readonly bestPath: boolean;
  /** Paths drawn from the posterior. */
  readonly samples: number;
  readonly selected: Cell | undefined;
  /** A label whose frames stand out. */
  readonly highlight: number | undefined;
  readonly edits: Edits;
  /** Where it is not that of the vocabulary. */
  readonly blank: number | undefined;
  /** What a reader of the scores may know of the language. */
  readonly known: Known | undefined;
}

export const initial: State = {
  example: 'hello',
  heard: undefined,
  text: 'hello',
  star: false,
  free: false,
  with: undefined,
  layer: 'posterior',
  scale: undefined,
  window: undefined,
  view: undefined,
  follows: undefined,
  panel: 'state',
  path: likeliest,
  story: undefined,
  bestPath: true,
  samples: 0,
  selected: undefined,
  highlight: undefined,
  edits: noEdits,
  blank: undefined,
  known: undefined,
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

/** Steps of the story. */
export const storySteps = 5;

/** A longer link is cut by some of the programs that people send links with. */
export const longestLink = 2000;

/** The part of a URL after `#`: what differs from the beginning. */
export function toHash(state: State): string {
  const { example, heard, text, star, free, layer, scale, bestPath, samples, selected } = state;
  const { panel, path, story, window, view, follows, highlight, edits, blank, known } = state;
  // a step of the story says all
  if (story !== undefined) return `story=${story}`;
  const fields: Record<string, string | number | undefined> = {
    example: example === initial.example ? undefined : example,
    heard: heard && `${heard.text}.${heard.frames}`,
    text,
    star: star ? 1 : undefined,
    free: free ? 1 : undefined,
    with: state.with,
    layer: layer === initial.layer ? undefined : layer,
    scale,
    window: window && `${window.first}.${window.end}`,
    view: view?.join('_'),
    follow: follows === undefined ? undefined : Number(follows),
    panel: panel === initial.panel ? undefined : panel,
    path: panel === 'paths' ? writePath(path) : undefined,
    best: bestPath ? undefined : 0,
    samples: samples || undefined,
    at: selected && `${selected.t}.${selected.s}`,
    label: highlight,
    bias: edits.bias || undefined,
    temperature: edits.temperature === 1 ? undefined : edits.temperature,
    blank,
    words: known && known.words.length <= mostLinkedWords ? known.words || undefined : undefined,
    others: known?.others ? 1 : undefined,
    paint: edits.strokes.map(({ c, first, end, p }) => [c, first, end, p].join('_')).join('~') || undefined,
  };
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.toString();
}

/** What a link can ask for. More than any example has, and little enough to be looked at once. */
const most = { heard: 200, letters: 2000, classes: 1e5, frames: 1e6, samples: 50, strokes: 1000 } as const;
export const { strokes: mostStrokes } = most;

/** Of a lattice of at most a million frames, with a decimal. */
function viewOf(written: string | null): State['view'] {
  const fields = (written ?? '').split('_', 5);
  if (fields.length !== 4 || !fields.every((field) => /^\d{1,7}(\.\d)?$/.test(field))) return undefined;
  const [first, end, top, bottom] = fields.map(Number) as [number, number, number, number];
  return first < end && top < bottom ? [first, end, top, bottom] : undefined;
}

/** What a URL says, as far as it can be understood: whoever made it is a stranger. Undefined if it says nothing. */
export function fromHash(hash: string): State | undefined {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  if (![...parameters.keys()].length) return undefined;
  const text = (name: string) => parameters.get(name);
  const integer = (written: string | null | undefined, most: number) =>
    /^\d{1,7}$/.test(written ?? '') && Number(written) <= most ? Number(written) : undefined;
  const number = (written: string | null | undefined, { min, max }: { min: number; max: number }) => {
    const value = written ? Number(written) : Number.NaN;
    return value >= min && value <= max ? value + 0 : undefined; // -0 is 0
  };
  const example = exampleIds.find((id) => id === text('example')) ?? initial.example;
  const story = integer(text('story'), storySteps);
  if (story) return { ...initial, story };
  const panel = panelIds.find((panel) => panel === text('panel')) ?? initial.panel;
  const word = text('heard')?.match(/^([a-z]{1,40})\.(\d+)$/);
  const frames = integer(word?.[2], most.heard);
  const at = text('at')?.match(/^(\d+)\.(\d+)$/);
  const [t, s] = [at?.[1], at?.[2]].map((written) => integer(written, most.frames));
  const between = text('window')?.match(/^(\d+)\.(\d+)$/);
  const [first, end] = [between?.[1], between?.[2]].map((written) => integer(written, most.frames));
  const words = text('words')?.slice(0, mostLinkedWords);
  const strokes = (text('paint') ?? '').split('~', most.strokes).flatMap((stroke) => {
    const fields = stroke.split('_', 5);
    const c = integer(fields[0], most.classes);
    const [first, end] = fields.slice(1, 3).map((written) => integer(written, most.frames));
    const p = number(fields[3], editLimits.p);
    const isWhole = c !== undefined && first !== undefined && end !== undefined && p !== undefined;
    return isWhole && first < end && fields.length === 4 ? [{ c, first, end, p }] : [];
  });
  return {
    example,
    heard: word && frames ? { text: word[1]!, frames } : undefined,
    text: (text('text') ?? initial.text).slice(0, most.letters),
    star: text('star') === '1',
    free: text('free') === '1',
    with: text('with')?.slice(0, most.letters),
    layer: layers.find((layer) => layer === text('layer')) ?? initial.layer,
    scale: (['log', 'linear'] as const).find((scale) => scale === text('scale')),
    window: first !== undefined && end !== undefined && first < end ? { first, end } : undefined,
    view: viewOf(text('view')),
    follows: ({ 0: false, 1: true } as Record<string, boolean>)[text('follow') ?? ''],
    panel,
    story: undefined,
    path: (panel === 'paths' && readPath(text('path') ?? '')) || initial.path,
    bestPath: text('best') !== '0',
    samples: integer(text('samples'), most.samples) ?? 0,
    selected: t !== undefined && s !== undefined ? { t, s } : undefined,
    highlight: integer(text('label'), most.letters),
    edits: {
      bias: number(text('bias'), editLimits.bias) ?? noEdits.bias,
      temperature: number(text('temperature'), editLimits.temperature) ?? noEdits.temperature,
      strokes,
    },
    blank: integer(text('blank'), most.classes),
    known: words ? { words, others: text('others') === '1' } : undefined,
  };
}
