// The loss in numbers, the texts that have the rest of the probability, and the text beside what was heard.

import { STAR } from 'webgpu-ctc/text';
import { collapse } from '../../../learning/best-path.js';
import { make, notify, withPowers } from '../../shared/dom.js';
import type { Analysis } from '../engine/analysis.js';
import { type Piece, repairedBy, wordDifferenceOf } from '../engine/difference.js';
import type { Rival } from '../engine/rivals.js';
import { toAligner } from '../engine/star.js';
import { sayProbability } from '../engine/ways.js';
import type { Page } from '../page.js';
import { textOfLabels } from '../sources/spelled.js';
import { joined, symbolOf } from '../view/path-text.js';
import type { Panel } from './panels.js';
import { Readings } from './readings.js';
import './numbers.css';
import './loss-panel.css';

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
  readonly #readings: Readings;
  #shown: Analysis | undefined;

  constructor(root: HTMLElement, page: Page) {
    this.#root = root;
    this.#page = page;
    this.#readings = new Readings(page);
  }

  refresh(): void {
    const { analysis } = this.#page;
    if (analysis && analysis === this.#shown && !Number.isNaN(analysis.loss)) this.#readings.refresh();
    if (analysis === this.#shown) return;
    this.#shown = analysis;
    if (!analysis) {
      this.#root.replaceChildren(make('p', {}, 'There is no lattice to tell about.'));
      return;
    }
    const rest = make('section');
    const { elements, repairs } = this.#heard(analysis);
    this.#root.replaceChildren(...this.#loss(analysis), ...elements, rest);
    if (Number.isNaN(analysis.loss)) return;
    this.#root.append(this.#readings.root);
    if (analysis.problem.star) rest.append(...withStars());
    else this.#tellRest(analysis, repairs, rest);
    this.#readings.refresh();
  }

  close(): void {
    // what is compared with it may take a while: only for who looks at it
    this.#shown = undefined;
    this.#readings.close();
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
          : '−ln of the probability that all paths of the text have together, in natural units: 0 where that is 100 %. The less likely the text, the larger the loss. Training makes it smaller.',
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
  async #tellRest(analysis: Analysis, repairs: readonly Rival[], section: HTMLElement): Promise<void> {
    try {
      const rivals = await this.#page.answers.rivals(repairs);
      if (analysis !== this.#page.analysis) return;
      section.replaceChildren(...this.#rest(analysis, rivals));
      for (const { change, log } of rivals) {
        if (change.kind !== 'repaired') continue;
        const gain = log + analysis.loss;
        const place = this.#root.querySelector(`[data-piece="${change.piece}"]`);
        if (Number.isFinite(gain))
          place?.append(make('small', {}, `${gain > 0 ? '+' : ''}${gain.toFixed(1)}`));
      }
    } catch (error) {
      notify(`The other texts could not be computed: ${(error as Error).message}`);
    }
  }

  #rest({ problem, loss }: Analysis, rivals: readonly (Rival & { log: number })[]): HTMLElement[] {
    const own = Math.exp(-loss);
    const rest = sayProbability(Math.log1p(-own));
    const items = rivals
      .filter(({ change }, i) => i < mostListed || change.kind === 'same' || change.kind === 'free')
      .map((rival) => this.#item(rival, problem.labels));
    const sum = rivals.reduce((all, { log }) => all + Math.exp(log), 0);
    const near = Math.max(0, Math.min(1, sum) - own);
    const far = Math.max(0, 1 - own - near);
    const bar = make('div', { className: 'shares', ariaHidden: 'true' });
    for (const [name, share] of Object.entries({ own, near, far })) {
      const part = make('i', { className: name });
      part.style.flexGrow = String(share);
      bar.append(part);
    }
    const line = (name: string, share: number, what: string) => {
      const said = make('b', {}, ...withPowers(sayProbability(Math.log(share))));
      return make('li', {}, make('i', { className: name }), said, ` ${what}`);
    };
    const shares = make(
      'ul',
      { className: 'shares-named' },
      line('own', own, 'this text'),
      line(
        'near',
        near,
        `the ${rivals.length - 1} texts nearest to it: one letter left out, doubled or exchanged, or some words as they were heard`,
      ),
      line('far', far, 'all others, a little each: there are very many'),
    );
    return [
      make(
        'h2',
        {},
        loss < 1e-4
          ? 'Other texts'
          : loss > 9
            ? 'What has the probability instead?'
            : `What took the other ${rest}?`,
      ),
      bar,
      shares,
      make('h3', {}, 'The likeliest'),
      make('ol', { className: 'rivals' }, ...items),
    ];
  }

  #item({ change, labels, log }: Rival & { log: number }, text: readonly number[]): HTMLElement {
    const { store, source, nameOf, blank } = this.#page;
    const letter = 'at' in change ? symbolOf(text[change.at]!, blank, nameOf) : '';
    const names = {
      ...{ same: 'this text', free: 'heard', without: `without ${letter}`, doubled: `${letter} twice` },
      ...{ exchanged: `not ${letter}`, repaired: 'as heard' },
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
    const share = Math.exp(log);
    // what would be a speck is left out
    button.style.setProperty('--share', String(share < 0.005 ? 0 : share));
    button.disabled = change.kind === 'same';
    return make('li', {}, button);
  }

  /** The text beside what was heard, and what the text would be with each of the differences mended. */
  #heard({ problem, greedy }: Analysis): { elements: HTMLElement[]; repairs: Rival[] } {
    const { labels, blank, star } = problem;
    const heard = collapse(greedy, blank);
    if (labels.length * heard.length > mostCompared) return { elements: [], repairs: [] };
    const { delimiter } = this.#page.source!.vocabulary;
    const between = labels.includes(delimiter ?? -1) ? delimiter : undefined;
    const pieces = wordDifferenceOf(labels, heard, between);
    const repairs = pieces.flatMap(({ same }, piece): Rival[] =>
      same
        ? []
        : [
            {
              change: { kind: 'repaired', piece },
              labels: repairedBy(labels, heard, pieces, piece, between),
            },
          ],
    );
    const said =
      repairs.length === 0
        ? 'The best symbols of the frames read the text.'
        : `Struck: in the text. Marked: what the best symbols of the frames read there. ${star ? '' : 'The number is how much likelier, in nats, that makes the text. '}Click to go there.`;
    const parts = pieces.flatMap((piece, k) => [
      this.#piece(labels, heard, piece, k),
      between === undefined ? '' : ' ',
    ]);
    return {
      repairs,
      elements: [
        make('h2', {}, 'The text and what was heard'),
        make('p', { className: 'heard' }, ...parts),
        make('p', {}, said),
        ...(repairs.length === 0 ? [] : [this.#compare()]),
      ],
    };
  }

  #compare(): HTMLElement {
    const { store, answers } = this.#page;
    const compare = () => store.set({ panel: 'compare', with: answers.heard });
    return make('div', { className: 'buttons' }, make('button', { onclick: compare }, 'Compare the two'));
  }

  #piece(
    labels: readonly number[],
    others: readonly number[],
    { same, text, heard }: Piece,
    k: number,
  ): Node | string {
    const say = (from: readonly number[], first: number, end: number) => this.#say(from.slice(first, end));
    if (same) return say(labels, text.first, text.end);
    const button = make(
      'button',
      { onclick: () => this.#page.goToLabel(Math.min(text.first, labels.length - 1)) },
      ...(text.end > text.first ? [make('del', {}, say(labels, text.first, text.end)), ' '] : []),
      ...(heard.end > heard.first ? [make('ins', {}, say(others, heard.first, heard.end))] : []),
    );
    button.dataset.piece = String(k);
    return button;
  }

  /** Labels as one reads them. */
  #say(labels: readonly number[]): string {
    const { blank, nameOf } = this.#page;
    const symbols = labels.map((c) => symbolOf(c, blank, nameOf));
    return joined(symbols.map((symbol) => (symbol === '_' ? ' ' : symbol)));
  }
}
