// A table of the labels, those first that fit worst, and the words coloured by their confidence.
import { make, notify, withPowers } from '../../shared/dom.js';
import { type Analysis, frameOf, numberOf } from '../engine/analysis.js';
import type { LabelFit } from '../engine/label-fits.js';
import { sayProbability } from '../engine/ways.js';
import type { Page } from '../page.js';
import { symbolOf } from '../view/path-text.js';
import type { Panel } from './panels.js';
import './numbers.css';
import './labels-panel.css';

interface Column {
  readonly name: string;
  /** What it says, in a sentence. */
  readonly about: string;
  readonly of: (fit: LabelFit) => string;
  /** Labels are sorted by it, the least first. */
  readonly by: (fit: LabelFit) => number;
}

/** Rows that are shown at first. */
const mostRows = 100;

export class LabelsPanel implements Panel {
  readonly #root: HTMLElement;
  readonly #page: Page;
  #shown: Analysis | undefined;
  #fits: readonly LabelFit[] = [];
  #sorted = 'conf.';
  #rows = mostRows;

  constructor(root: HTMLElement, page: Page) {
    this.#root = root;
    this.#page = page;
  }

  refresh(): void {
    const { analysis } = this.#page;
    if (analysis === this.#shown) {
      this.#markSelected();
      return;
    }
    this.#shown = analysis;
    this.#rows = mostRows;
    this.#load();
  }

  async #load(): Promise<void> {
    const analysis = this.#shown;
    try {
      const fits = analysis && (await this.#page.answers.labelFits());
      if (analysis !== this.#page.analysis) return;
      this.#fits = fits ?? [];
      if (fits && fits.length > 0) this.#fill();
      else this.#root.replaceChildren(make('p', {}, 'There is no path, and so no label has its frames.'));
    } catch (error) {
      notify(`The labels could not be read: ${(error as Error).message}`);
    }
  }

  #columns(): Column[] {
    const { source, nameOf, blank, analysis } = this.#page;
    const star = analysis?.problem.star?.c;
    const { frameSeconds } = source!;
    const time = (t: number) => {
      const at = frameOf(analysis!.problem, t);
      return frameSeconds === undefined ? String(at) : (at * frameSeconds).toFixed(2);
    };
    return [
      {
        ...{ name: 'label', about: 'In the order of the text.' },
        of: ({ c }) => symbolOf(c, blank, nameOf),
        by: ({ i }) => i,
      },
      {
        name: frameSeconds === undefined ? 'from–to' : 'from–to, s',
        about: `Where the best path says it, in ${frameSeconds === undefined ? 'frames' : 'seconds'}.`,
        of: ({ first, end }) => `${time(first)}–${time(end)}`,
        by: ({ first }) => first,
      },
      {
        ...{ name: 'frames', about: 'How many frames that is; the longest first.' },
        of: ({ first, end }) => String(end - first),
        by: ({ first, end }) => first - end,
      },
      {
        ...{
          name: 'conf.',
          about: 'Confidence: the geometric mean of its probabilities there; the lowest first.',
        },
        of: ({ c, confidence }) => (c === star ? '–' : sayProbability(Math.log(confidence))),
        by: ({ c, confidence }) => (c === star ? 2 : confidence),
      },
      {
        ...{
          name: 'entropy',
          about: 'Of the path mass over the states there, in nats: how unsure its place is.',
        },
        of: ({ entropy }) => entropy.toFixed(2),
        by: ({ entropy }) => -entropy,
      },
      {
        ...{ name: 'below', about: 'How far its score lies below the best of its frames, in nats a frame.' },
        of: ({ c, distance }) => (c === star ? '–' : distance.toFixed(2)),
        by: ({ c, distance }) => (c === star ? 1 : -distance),
      },
      {
        ...{
          name: 'heard',
          about: 'The symbol that is likeliest in its frames, and how likely; = is the label itself.',
        },
        of: ({ c, heard }) =>
          `${heard.c === c ? '=' : symbolOf(heard.c, blank, nameOf)} ${Math.round(100 * heard.share)} %`,
        by: ({ c, heard }) => (heard.c === c ? 1 : -heard.share),
      },
    ];
  }

  #fill(): void {
    const columns = this.#columns();
    const sorted = columns.find(({ name }) => name === this.#sorted) ?? columns[3]!;
    const fits = this.#fits.toSorted((a, b) => sorted.by(a) - sorted.by(b) || a.i - b.i);
    const table = make('table', { className: 'numbers labels' });
    const head = table.createTHead().insertRow();
    head.append(
      ...columns.map((column) => {
        const sort = () => {
          this.#sorted = column.name;
          this.#fill();
          this.#root.querySelector<HTMLElement>('[aria-sort="ascending"] button')?.focus();
        };
        const button = make('button', { onclick: sort, title: column.about }, column.name);
        return make('th', { scope: 'col', ariaSort: column === sorted ? 'ascending' : 'none' }, button);
      }),
    );
    const body = table.createTBody();
    const { problem } = this.#page.analysis!;
    for (const fit of fits.slice(0, this.#rows)) {
      const row = body.insertRow();
      const [name, ...others] = columns.map((column) => column.of(fit));
      const go = make('button', { onclick: () => this.#page.goToLabel(fit.i) }, name!);
      go.append(make('sub', {}, String(numberOf(problem, fit.i))));
      row.dataset.label = String(fit.i);
      row.append(
        make('th', { scope: 'row' }, go),
        ...others.map((text) => make('td', {}, ...withPowers(text))),
      );
      // the row is as good a target
      row.addEventListener('click', (event) => event.target instanceof HTMLButtonElement || go.click());
    }
    const more = () => {
      this.#rows = this.#fits.length;
      this.#fill();
    };
    const left = fits.length - this.#rows;
    this.#root.replaceChildren(
      make('h2', {}, 'How well each label fits'),
      this.#words(),
      make(
        'p',
        {},
        'Those that fit worst come first; another head sorts by another number. Click a label to go there.',
      ),
      table,
      ...(left > 0 ? [make('button', { onclick: more }, `Show ${left} more`)] : []),
      make(
        'dl',
        { className: 'meanings' },
        ...columns.flatMap(({ name, about }) => [make('dt', {}, name), make('dd', {}, about)]),
      ),
    );
    this.#markSelected();
  }

  /** The text that is shown, each word the darker the less sure it is. Without words between them, each label. */
  #words(): HTMLElement {
    const { source, nameOf, blank } = this.#page;
    const star = this.#shown?.problem.star?.c;
    const { delimiter } = source!.vocabulary;
    const hasWords = this.#fits.some(({ c }) => c === delimiter);
    const words: LabelFit[][] = [[]];
    for (const fit of this.#fits) {
      if (fit.c === delimiter) words.push([]);
      else if (hasWords) words.at(-1)!.push(fit);
      else words.push([fit]);
    }
    const line = make('p', { className: 'heard' });
    for (const word of words.filter(({ length }) => length > 0)) {
      const frames = word.reduce((sum, { first, end }) => sum + end - first, 0);
      const log = word.reduce(
        (sum, { confidence, first, end }) => sum + Math.log(confidence) * (end - first),
        0,
      );
      const confidence = Math.exp(log / frames);
      const text = word.map(({ c }) => symbolOf(c, blank, nameOf)).join('');
      const worst = word.reduce((a, b) => (b.confidence < a.confidence ? b : a));
      const isStar = word.every(({ c }) => c === star);
      const percent = `${Math.round(100 * confidence)} %`;
      const title = isStar ? 'Anything' : percent;
      const button = make('button', { onclick: () => this.#page.goToLabel(worst.i), title }, text);
      button.ariaLabel = isStar ? `${text}, anything` : `${text}, confidence ${percent}`;
      if (!isStar) button.style.setProperty('--doubt', String(1 - confidence));
      line.append(button);
    }
    return line;
  }

  #markSelected(): void {
    const s = this.#page.store.state.selected?.s ?? 0;
    for (const row of this.#root.querySelectorAll<HTMLElement>('tr[data-label]'))
      row.classList.toggle('selected', s % 2 === 1 && Number(row.dataset.label) === s >> 1);
  }
}
