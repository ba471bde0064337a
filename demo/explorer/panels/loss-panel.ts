// The loss in numbers, the texts that have the rest of the probability, and the text beside what was heard.

import { STAR } from 'webgpu-ctc/text';
import { collapse } from '../../../learning/best-path.js';
import { make, notify, withPowers } from '../../shared/dom.js';
import type { Analysis } from '../engine/analysis.js';
import { type Piece, wordDifferenceOf } from '../engine/difference.js';
import type { Rival } from '../engine/rivals.js';
import { toAligner } from '../engine/star.js';
import { sayProbability } from '../engine/ways.js';
import type { Page } from '../page.js';
import { textOfLabels } from '../sources/spelled.js';
import { joined, symbolOf } from '../view/path-text.js';
import type { Panel } from './panels.js';

/** Texts that are listed. */
const mostListed = 12;
/** Labels on either side of a change that are shown. */
const around = 7;
/** Labels of text times labels heard that are compared. */
const mostCompared = 2e7;

const nats = (x: number) => (Number.isFinite(x) ? x.toFixed(x < 100 ? 3 : 1) : String(x));

const withStars = () => [
  make('h2', {}, 'Other texts'),
  make(
    'p',
    {},
    'A text with * is many texts at once. Beside others it has no probability, and so there is no list of what took the rest.',
  ),
];

export class LossPanel implements Panel {
  readonly #root: HTMLElement;
  readonly #page: Page;
  #shown: Analysis | undefined;

  constructor(root: HTMLElement, page: Page) {
    this.#root = root;
    this.#page = page;
  }

  refresh(): void {
    const { analysis } = this.#page;
    if (analysis === this.#shown) return;
    this.#shown = analysis;
    if (!analysis) {
      this.#root.replaceChildren(make('p', {}, 'There is no lattice to tell about.'));
      return;
    }
    const rest = make('section');
    this.#root.replaceChildren(...this.#loss(analysis), rest, ...this.#heard(analysis));
    if (Number.isNaN(analysis.loss)) return;
    if (analysis.problem.star) rest.append(...withStars());
    else this.#tellRest(analysis, rest);
  }

  close(): void {
    // what is compared with it may take a while: only for who looks at it
    this.#shown = undefined;
  }

  #loss({ problem, loss }: Analysis): HTMLElement[] {
    const { frames, labels, blank, star } = problem;
    const { classes } = this.#page.source!;
    const row = (name: string, value: string) =>
      make('tr', {}, make('th', { scope: 'row' }, name), make('td', {}, value));
    const each = labels.length === 0 ? [] : [row('a label', nats(loss / labels.length))];
    const table = make(
      'table',
      { className: 'numbers' },
      row('a frame', nats(loss / frames)),
      ...each,
      row('frames × classes', `${frames} × ${classes}`),
    );
    const said = toAligner(labels, problem).map((c) => (c === STAR ? 'STAR' : c));
    const targets = labels.length > 12 ? `${said.slice(0, 12).join(', ')}, …` : said.join(', ');
    const ofStar = `// webgpu-ctc: the star is the aligner's
const aligner = await CtcAligner.create(
    { blank: ${blank} });
await aligner.run({ logits, targets: [${targets}] });`;
    const ofLoss = `# PyTorch
F.ctc_loss(log_probs, torch.tensor([${targets}]),
    (${frames},), (${labels.length},), blank=${blank},
    reduction='none')   # ${nats(loss)}

// webgpu-ctc
const ctc = await CtcLoss.create(
    { blank: ${blank}, reduction: 'none' });
await ctc.run({ logProbs, targets: [${targets}] });`;
    return [
      make('h2', {}, 'The loss'),
      make('p', { className: 'large' }, make('b', {}, nats(loss)), ' nats'),
      make(
        'p',
        {},
        star
          ? '−ln of what all paths of the text add up to. It is no probability and may be below 0: a * has a price beside all symbols of a frame.'
          : '−ln of the probability that all paths of the text have together. Training makes it smaller.',
      ),
      table,
      make(
        'details',
        {},
        make('summary', {}, 'In code'),
        make('pre', { tabIndex: 0 }, star ? ofStar : ofLoss),
      ),
    ];
  }

  /** Computed in one batch, and told when it is. */
  async #tellRest(analysis: Analysis, section: HTMLElement): Promise<void> {
    try {
      const rivals = await this.#page.rivals();
      if (analysis !== this.#page.analysis) return;
      section.replaceChildren(...this.#rest(analysis, rivals));
    } catch (error) {
      notify(`The other texts could not be computed: ${(error as Error).message}`);
    }
  }

  #rest({ problem, loss }: Analysis, rivals: readonly (Rival & { log: number })[]): HTMLElement[] {
    const rest = sayProbability(Math.log1p(-Math.exp(-loss)));
    const items = rivals
      .filter(({ change }, i) => i < mostListed || change.kind === 'same' || change.kind === 'free')
      .map((rival) => this.#item(rival, problem.labels));
    const sum = rivals.reduce((all, { log }) => all + Math.exp(log), 0);
    const tried = sayProbability(Math.log(Math.min(1, sum)));
    const others = `The ${rivals.length} texts that were tried, of which the likeliest are here, have ${tried} together: this one, what the best symbols read, and those with one letter left out, doubled or exchanged. All else is shared by texts that differ more.`;
    return [
      make('h2', {}, loss < 1e-4 ? 'Other texts' : `What took the other ${rest}?`),
      make('ol', { className: 'rivals' }, ...items),
      make('p', {}, ...withPowers(others)),
    ];
  }

  #item({ change, labels, log }: Rival & { log: number }, text: readonly number[]): HTMLElement {
    const { store, source, nameOf, blank } = this.#page;
    const names = {
      same: 'this text',
      free: 'heard',
      without: 'one less',
      doubled: 'doubled',
      exchanged: '',
    };
    const marks = (from: readonly number[]) => joined(from.map((c) => symbolOf(c, blank, nameOf)));
    const parts: (Node | string)[] = [];
    if ('at' in change) {
      const { at, kind } = change;
      const first = Math.max(0, at - around);
      const own = kind === 'doubled' ? labels.slice(at, at + 2) : labels.slice(at, at + 1);
      const marked = kind === 'without' ? make('del', {}, marks([text[at]!])) : make('mark', {}, marks(own));
      const after = at + (kind === 'without' ? 0 : own.length);
      parts.push(first > 0 ? '…' : '', this.#say(labels.slice(first, at)), marked);
      parts.push(this.#say(labels.slice(after, after + around)), after + around < labels.length ? '…' : '');
    } else parts.push(labels.length === 0 ? '(nothing)' : this.#say(labels));
    const button = make(
      'button',
      { onclick: () => store.set({ text: textOfLabels(labels, source!.vocabulary), selected: undefined }) },
      make('code', {}, ...parts),
      make('span', {}, ...withPowers(sayProbability(log))),
      make('small', {}, names[change.kind]),
      make('i'),
    );
    button.style.setProperty('--share', String(Math.exp(log)));
    button.disabled = change.kind === 'same';
    return make('li', {}, button);
  }

  #heard(analysis: Analysis): HTMLElement[] {
    const { problem, greedy } = analysis;
    const heard = collapse(greedy, problem.blank);
    if (problem.labels.length * heard.length > mostCompared) return [];
    const { vocabulary } = this.#page.source!;
    const hasWords = problem.labels.includes(vocabulary.delimiter ?? -1);
    const pieces = wordDifferenceOf(problem.labels, heard, hasWords ? vocabulary.delimiter : undefined);
    const wrong = pieces.filter(({ same }) => !same);
    const said =
      wrong.length === 0
        ? 'The best symbols of the frames read the text.'
        : 'Struck: in the text. Marked: what the best symbols of the frames read there. Click to go there.';
    return [
      make('h2', {}, 'The text and what was heard'),
      make(
        'p',
        { className: 'heard' },
        ...pieces.flatMap((piece) => [this.#piece(analysis, piece, heard), hasWords ? ' ' : '']),
      ),
      make('p', {}, said),
      ...(wrong.length === 0 ? [] : [this.#compare()]),
    ];
  }

  #compare(): HTMLElement {
    const { store, heard } = this.#page;
    const compare = () => store.set({ panel: 'compare', with: heard });
    return make('div', { className: 'buttons' }, make('button', { onclick: compare }, 'Compare the two'));
  }

  #piece({ problem }: Analysis, { same, text, heard }: Piece, labels: readonly number[]): Node | string {
    const say = (from: readonly number[], first: number, end: number) => this.#say(from.slice(first, end));
    if (same) return say(problem.labels, text.first, text.end);
    return make(
      'button',
      { onclick: () => this.#page.goToLabel(Math.min(text.first, problem.labels.length - 1)) },
      ...(text.end > text.first ? [make('del', {}, say(problem.labels, text.first, text.end))] : []),
      ...(heard.end > heard.first ? [make('ins', {}, say(labels, heard.first, heard.end))] : []),
    );
  }

  /** Labels as one reads them. */
  #say(labels: readonly number[]): string {
    const { blank, nameOf } = this.#page;
    const symbols = labels.map((c) => symbolOf(c, blank, nameOf));
    return joined(symbols.map((symbol) => (symbol === '_' ? ' ' : symbol)));
  }
}
