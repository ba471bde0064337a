// The words with their seconds, which can be changed, and how far they lie from a reference.
import type { TimedWord } from 'webgpu-ctc/text';
import { make } from '../../shared/dom.js';
import { plural } from '../engine/ways.js';
import type { Source } from '../sources/source.js';
import { type Summary, type TimeErrors, timeErrors, worstOf } from './time-errors.js';
import '../panels/numbers.css';
import './word-list.css';

export interface WordListEvents {
  /** Word `index` begins or ends elsewhere. */
  readonly moved: (index: number, start: number, end: number) => void;
  readonly reset: () => void;
  /** The sound from there on is asked for; undefined where there is none. */
  readonly play: ((seconds: number) => void) | undefined;
}

/** What the list is about beside the words. */
export type WordListSource = Pick<Source, 'reference' | 'frameSeconds' | 'taken'>;

/** Words that are named, of those that the other side does not have. */
const mostNamed = 8;

const signed = (ms: number) => `${ms < 0 ? '−' : '+'}${Math.abs(ms).toFixed(0)}`;

export class WordList {
  readonly #root: HTMLElement;
  readonly #events: WordListEvents;
  #words: readonly TimedWord[] = [];
  #isMoved = false;
  #source: WordListSource = {};
  #worstFirst = false;

  constructor(root: HTMLElement, events: WordListEvents) {
    this.#root = root;
    this.#events = events;
  }

  show(words: readonly TimedWord[], isMoved: boolean, source: WordListSource): void {
    this.#words = words;
    this.#isMoved = isMoved;
    this.#source = source;
    this.#fill();
  }

  #fill(): void {
    if (this.#words.length === 0) {
      this.#root.replaceChildren(make('p', {}, 'There is no path, and so no word has its time.'));
      return;
    }
    const { reset, play } = this.#events;
    const { reference } = this.#source;
    const focused = (document.activeElement as HTMLElement | null)?.dataset.edge;
    const compared = reference && this.#compare(reference.words);
    const errors = typeof compared === 'object' ? compared : undefined;
    const table = make('table');
    if (errors) table.append(this.#head());
    const body = table.createTBody();
    const order = this.#words.map((_, i) => i);
    if (errors && this.#worstFirst)
      order.sort((a, b) => worstOf(errors.errors[b]) - worstOf(errors.errors[a]) || a - b);
    for (const i of order) body.append(this.#row(i, errors));
    const back = make('button', { onclick: reset, disabled: !this.#isMoved }, 'As they were aligned');
    const how = play
      ? 'Drag the edges over the waveform, or change the seconds here.'
      : 'Change the seconds here.';
    this.#root.replaceChildren(
      make('h2', {}, 'Words'),
      ...(errors ? this.#summary(errors) : []),
      ...(typeof compared === 'string' ? [make('p', {}, compared)] : []),
      make('p', {}, `${how} Data saves them.`),
      table,
      make('div', { className: 'buttons' }, back),
    );
    if (focused) this.#root.querySelector<HTMLElement>(`[data-edge="${focused}"]`)?.focus();
  }

  /** Or why they cannot be. */
  #compare(words: NonNullable<Source['reference']>['words']): TimeErrors | string {
    try {
      return timeErrors(this.#words, words);
    } catch (error) {
      return `The reference cannot be compared: ${(error as Error).message}`;
    }
  }

  #head(): HTMLElement {
    const sort = () => {
      this.#worstFirst = !this.#worstFirst;
      this.#fill();
      this.#root.querySelector<HTMLElement>('[aria-sort] button')?.focus();
    };
    const title = this.#worstFirst ? 'In the order of the text' : 'The worst first';
    const by = make('th', { scope: 'col' }, make('button', { onclick: sort, title }, 'ref, ms'));
    by.ariaSort = this.#worstFirst ? 'descending' : 'none';
    const names = ['word', 'from, s', 'to, s'].map((name) => make('th', { scope: 'col' }, name));
    return make('thead', {}, make('tr', {}, ...names, by));
  }

  #row(i: number, errors: TimeErrors | undefined): HTMLTableRowElement {
    const { moved, play } = this.#events;
    const { text, start, end, confidence } = this.#words[i]!;
    const row = make('tr');
    const title = `Sure to ${Math.round(100 * confidence)} %`;
    const onclick = play && (() => play(start));
    row
      .insertCell()
      .append(onclick ? make('button', { onclick, title }, text) : make('span', { title }, text));
    const edge = (which: 'start' | 'end', value: number) => {
      const input = make('input', { type: 'number', step: '0.01', min: '0', value: value.toFixed(2) });
      input.ariaLabel = `${text}, ${which} in seconds`;
      input.dataset.edge = `${which}${i}`;
      input.addEventListener('change', () => {
        const before = this.#words[i - 1]?.end ?? 0;
        const after = this.#words[i + 1]?.start ?? Number.POSITIVE_INFINITY;
        const to = Math.min(after, Math.max(before, input.valueAsNumber || 0));
        if (which === 'start') moved(i, Math.min(to, end), end);
        else moved(i, start, Math.max(to, start));
      });
      row.insertCell().append(input);
    };
    edge('start', start);
    edge('end', end);
    if (errors) {
      const error = errors.errors[i];
      const edges = [error?.start, error?.end].flatMap((ms) => (ms === undefined ? [] : [signed(ms)]));
      const cell = row.insertCell();
      cell.className = 'ref';
      cell.textContent = error ? edges.join(' ') || '–' : 'none';
    }
    return row;
  }

  #summary({ starts, ends, matched, extra, missing }: TimeErrors): HTMLElement[] {
    const { reference, frameSeconds, taken } = this.#source;
    const row = (name: string, of: (summary: Summary) => string) => [
      make('th', { scope: 'row' }, name),
      ...[starts, ends].map((summary) => make('td', {}, summary ? of(summary) : '–')),
    ];
    const ms = (value: number) => `${value.toFixed(0)} ms`;
    const table = make(
      'table',
      { className: 'numbers errors' },
      make('tr', {}, make('td'), ...['begins', 'ends'].map((name) => make('th', { scope: 'col' }, name))),
      make('tr', {}, ...row('median', ({ median }) => ms(median))),
      make('tr', {}, ...row('mean', ({ mean }) => ms(mean))),
      make('tr', {}, ...row('95 % within', ({ percentile95 }) => ms(percentile95))),
      make('tr', {}, ...row('bias, + is late', ({ bias }) => `${signed(bias)} ms`)),
    );
    const listed = (words: readonly string[]) =>
      `${words.slice(0, mostNamed).join(' ')}${words.length > mostNamed ? ' …' : ''}`;
    const said = [
      `${matched} of ${plural(this.#words.length, 'word')} are matched with ${reference!.name} by their text.`,
      extra.length > 0 && `Not in it: ${listed(extra)}.`,
      missing.length > 0 && `Only in it: ${listed(missing)}.`,
      taken?.frame === 'proposed' &&
        `That a frame is ${1000 * frameSeconds!} ms is a proposal, see Data: errors that grow with time say that it is not.`,
    ].filter(Boolean);
    return [
      make(
        'p',
        {},
        'How far the words lie from the reference, whose words are the brackets over the frame numbers.',
      ),
      table,
      make('p', {}, said.join(' ')),
    ];
  }
}
