// Two texts over the same scores, or two recognisers' scores of the same text: which explains which better, and where.
import { make, notify, withPowers } from '../../shared/dom.js';
import { type Analysis, frameOf, numberOf } from '../engine/analysis.js';
import type { Beside } from '../engine/engine.js';
import { fitsOf, type LabelFit } from '../engine/label-fits.js';
import { sayFactor, sayProbability } from '../engine/ways.js';
import type { Page } from '../page.js';
import type { OtherScores, Source } from '../sources/source.js';
import { symbolOf } from '../view/path-text.js';
import type { Panel } from './panels.js';
import { rowsOf, type SpokenWord, wordsIn } from './word-rows.js';
import './numbers.css';
import './labels-panel.css';
import './compare-panel.css';

/** Labels that are listed at first. */
const mostRows = 60;
/** Nats below which two losses are equal: float32 has no more digits of them. */
const equal = 5e-4;

const nats = (x: number) =>
  Number.isFinite(x) ? x.toFixed(3).replace('-', '−') : x > 0 ? 'no path' : String(x);
const percent = (p: number) => withPowers(sayProbability(Math.log(p)));

export class ComparePanel implements Panel {
  readonly #root: HTMLElement;
  readonly #page: Page;
  readonly #text = make('input', {
    type: 'text',
    maxLength: 2000,
    spellcheck: false,
    ariaLabel: 'Other text',
  });
  readonly #texts = make('section');
  readonly #tensors = make('section');
  #shown: readonly unknown[] = [];
  /** What is computed last. */
  #asked = 0;
  #rows = mostRows;

  constructor(root: HTMLElement, page: Page) {
    this.#root = root;
    this.#page = page;
    this.#text.addEventListener('input', () => page.store.set({ with: this.#text.value }));
  }

  refresh(): void {
    const { analysis, store, source } = this.#page;
    const { with: other, layer } = store.state;
    const shown = [analysis, other, source?.other, layer];
    if (shown.every((value, i) => value === this.#shown[i]) && this.#shown.length > 0) return;
    this.#shown = shown;
    this.#rows = mostRows;
    if (other !== undefined && this.#text.value !== other) this.#text.value = other;
    if (!this.#root.contains(this.#texts)) this.#root.replaceChildren(this.#texts, this.#tensors);
    this.#texts.hidden = other === undefined;
    this.#tensors.hidden = !source?.other;
    this.#compare(analysis);
  }

  close(): void {
    this.#shown = [];
    this.#page.difference = undefined;
  }

  async #compare(analysis: Analysis | undefined): Promise<void> {
    const { store, source } = this.#page;
    const { with: other } = store.state;
    const asked = ++this.#asked;
    const isNew = () => asked !== this.#asked || analysis !== this.#page.analysis;
    if (!analysis) return;
    try {
      const problem = this.#page.answers.problem();
      const one = await this.#page.answers.beside(problem);
      if (other !== undefined) {
        const two = await this.#page.answers.beside(this.#page.answers.problem({ text: other }));
        if (isNew()) return;
        this.#showTexts(analysis, one, two, other);
      }
      if (source?.other) {
        const two = await this.#page.answers.beside(
          this.#page.answers.problem({ scores: source.other.logits }),
        );
        if (isNew()) return;
        this.#showTensors(one, two, source.other);
      }
    } catch (error) {
      if (!isNew()) notify(`They could not be compared: ${(error as Error).message}`);
    }
  }

  // two texts

  #showTexts(analysis: Analysis, one: Beside, two: Beside, other: string): void {
    const { store, source } = this.#page;
    const { text } = store.state;
    const stop = () => store.set({ with: undefined, panel: 'loss' });
    const swap = () => store.set({ text: other, with: text, selected: undefined, highlight: undefined });
    const isBoth = Number.isFinite(one.loss) && Number.isFinite(two.loss);
    this.#page.difference = isBoth
      ? { version: analysis.version, values: differenceIn(analysis, one, two), labels: ownLabels(two) }
      : undefined;
    const stars = one.problem.star || two.problem.star;
    const isPart = analysis.problem.frames < one.problem.frames;
    const focused = document.activeElement === this.#text;
    this.#texts.replaceChildren(
      make('h2', {}, 'Two texts'),
      make('label', { className: 'other' }, 'Beside the text above: ', this.#text),
      ...verdict(['This text', one.loss], ['The other', two.loss], 'explains the recording better'),
      ...(stars ? [make('p', {}, 'With a * these are prices, and no probabilities.')] : []),
      ...(isPart ? [make('p', {}, 'Of the whole recording, of which a part is shown.')] : []),
      this.#words(wordsIn(source!, text, store.state, one), wordsIn(source!, other, store.state, two)),
      ...(isBoth
        ? [
            make(
              'p',
              {},
              'The rows above the lattice show where the paths of this text say a symbol more than those of the other (orange), or less (violet).',
            ),
          ]
        : []),
      make(
        'div',
        { className: 'buttons' },
        make('button', { onclick: swap }, 'Exchange'),
        make('button', { onclick: stop }, 'Stop comparing'),
      ),
    );
    if (focused) this.#text.focus();
  }

  #words(own: readonly SpokenWord[], others: readonly SpokenWord[]): HTMLElement {
    const table = make('table', { className: 'numbers beside' });
    const head = ['this text', 'conf.', 'the other', 'conf.'];
    table.createTHead().append(make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name))));
    const body = table.createTBody();
    for (const row of rowsOf(own, others)) {
      if (row === 'more') {
        body.append(make('tr', {}, make('td', { colSpan: 4 }, '…')));
        continue;
      }
      const { one, two } = row;
      const go = one && (() => this.#page.goToLabelOfAll(one.label));
      const first = one && (row.same ? one.text : make('del', {}, one.text));
      const second = two && (row.same ? two.text : make('ins', {}, two.text));
      body.append(
        make(
          'tr',
          { className: row.same ? '' : 'differs' },
          make('th', { scope: 'row' }, ...(go ? [make('button', { onclick: go }, first!)] : [])),
          make('td', {}, ...sure(one)),
          make('td', {}, ...(second ? [second] : [])),
          make('td', {}, ...sure(two)),
        ),
      );
    }
    return table;
  }

  // two tensors

  #showTensors(one: Beside, two: Beside, other: OtherScores): void {
    const { store, source } = this.#page;
    const isChange = store.state.layer === 'change';
    const show = () => store.set({ layer: isChange ? 'posterior' : 'change' });
    const layer = make('button', { onclick: show }, 'Change of the path mass');
    layer.ariaPressed = String(isChange);
    this.#tensors.replaceChildren(
      make('h2', {}, 'Two tensors'),
      make('p', {}, `A is ${source!.name}, B is ${other.name}, as it came; both of the same text.`),
      ...verdict(['A', one.loss], ['B', two.loss], 'explains the text better'),
      make(
        'div',
        { className: 'buttons' },
        layer,
        make('button', { onclick: () => this.#stop() }, 'Stop comparing'),
      ),
      ...this.#labels(one, two, () => {
        this.#rows = Number.POSITIVE_INFINITY;
        this.#showTensors(one, two, other);
      }),
    );
  }

  #labels(one: Beside, two: Beside, more: () => void): HTMLElement[] {
    if (!one.alignment || !two.alignment) return [make('p', {}, 'One of them has no path for the text.')];
    const { nameOf, blank } = this.#page;
    const others = fitsOf(two);
    const pairs = fitsOf(one).map((a, i) => ({ a, b: others[i]!, by: a.confidence - others[i]!.confidence }));
    pairs.sort((p, q) => Math.abs(q.by) - Math.abs(p.by) || p.a.i - q.a.i);
    const table = make('table', { className: 'numbers labels' });
    const head = ['label', 'frames A', 'conf. A', 'conf. B', 'A − B'];
    table.createTHead().append(make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name))));
    const body = table.createTBody();
    const frames = ({ first, end }: LabelFit) => `${first}–${end}`;
    for (const { a, b, by } of pairs.slice(0, this.#rows)) {
      const go = make(
        'button',
        { onclick: () => this.#page.goToLabelOfAll(a.i) },
        symbolOf(a.c, blank, nameOf),
      );
      go.append(make('sub', {}, String(numberOf(one.problem, a.i))));
      const cells = [[frames(a)], percent(a.confidence), percent(b.confidence), [signed(by)]];
      const row = make(
        'tr',
        {},
        make('th', { scope: 'row' }, go),
        ...cells.map((cell) => make('td', {}, ...cell)),
      );
      // the row is as good a target
      row.addEventListener('click', (event) => event.target instanceof HTMLButtonElement || go.click());
      body.append(row);
    }
    const left = pairs.length - this.#rows;
    return [
      make(
        'p',
        {},
        'Labels by how much surer one is of them: the geometric mean of the probabilities in its frames.',
      ),
      table,
      ...(left > 0 ? [make('button', { onclick: more }, `Show ${left} more`)] : []),
    ];
  }

  #stop(): void {
    const { store } = this.#page;
    const { other: _, own, ...rest } = this.#page.source!;
    const { other: __, ...kept } = own!;
    const layer = store.state.layer === 'change' ? { layer: 'posterior' as const } : {};
    const panel = store.state.with === undefined ? { panel: 'loss' as const } : {};
    this.#page.open({ ...rest, own: kept } satisfies Source, { ...layer, ...panel });
  }
}

const sure = (word: SpokenWord | undefined) =>
  word?.confidence === undefined ? [] : percent(word.confidence);

const signed = (by: number) => `${by < 0 ? '−' : '+'}${(100 * Math.abs(by)).toFixed(1)} %`;

/** Both losses, their difference, and what that says. */
function verdict(
  [one, a]: readonly [name: string, loss: number],
  [two, b]: readonly [name: string, loss: number],
  better: string,
): HTMLElement[] {
  const row = (name: string, value: string) =>
    make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, value));
  const by = b - a;
  const isKnown = Number.isFinite(by);
  const rows = [
    row(one, nats(a)),
    row(two, nats(b)),
    ...(isKnown ? [row(`${two} − ${one.replace(/^This/, 'this')}`, nats(by))] : []),
  ];
  const factor = sayFactor(Math.abs(by));
  const said =
    Number.isNaN(a) || Number.isNaN(b)
      ? ['A score that is no number makes a loss unknown.']
      : !isKnown
        ? [
            a === b
              ? 'Neither has a path.'
              : `Only ${(a < b ? one : two).replace(/^The/, 'the').replace(/^This/, 'this')} has a path.`,
          ]
        : Math.abs(by) < equal
          ? ['Both are equally probable.']
          : [
              make('b', {}, by > 0 ? one : two),
              ` ${better}: ${nats(Math.abs(by))} nats, `,
              make('b', {}, ...withPowers(factor)),
              ' times the probability.',
            ];
  return [
    make('p', { className: 'verdict' }, ...said),
    make('table', { className: 'numbers', ariaLabel: 'Losses in nats' }, ...rows),
  ];
}

/** In the frames that are shown, by class of the first text, [frames, classes]: a star is one of its own. */
function differenceIn({ problem }: Analysis, one: Beside, two: Beside): Float32Array {
  const { frames } = problem;
  const start = frameOf(problem, 0);
  const { classes, star } = one.problem;
  const [width, other] = [two.problem.classes, two.problem.star];
  return Float32Array.from({ length: frames * classes }, (_, i) => {
    const [t, c] = [start + Math.floor(i / classes), i % classes];
    const column = c === star?.c ? other?.c : c;
    return one.posterior[t * classes + c]! - (column === undefined ? 0 : two.posterior[t * width + column]!);
  });
}

/** Classes of the recogniser. */
const ownLabels = ({ problem: { labels, star } }: Beside) => labels.filter((c) => c !== star?.c);
