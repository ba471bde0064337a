// One path made concrete: what it says frame by frame, and how that becomes the text.
import { make, withPowers } from '../../shared/dom.js';
import { countPaths, sayCount, sayProbability } from '../engine/ways.js';
import type { Page } from '../page.js';
import type { PathChoice } from '../state/path.js';
import { joined, textOf } from '../view/path-text.js';
import type { Panel } from './panels.js';
import './paths-panel.css';

export class PathsPanel implements Panel {
  readonly #root: HTMLElement;
  readonly #page: Page;
  readonly #strings = make('dl', { className: 'strings' });
  #shown: readonly unknown[] = [];
  #seed = 0;

  constructor(root: HTMLElement, page: Page) {
    this.#root = root;
    this.#page = page;
    page.listenToPlayer(() => this.#spell());
    page.listenToPath(() => this.refresh());
  }

  refresh(): void {
    const { analysis, path, store } = this.#page;
    const shown = [analysis, path, store.state.selected];
    if (shown.every((value, i) => value === this.#shown[i]) && this.#shown.length > 0) return;
    this.#shown = shown;
    this.#fill();
  }

  #fill(): void {
    const { analysis, path, bestPaths, store } = this.#page;
    if (!analysis || !path) {
      this.#root.replaceChildren(
        make('p', {}, 'There is no path: no way to spell the word in these frames.'),
      );
      return;
    }
    const { problem, loss } = analysis;
    const ways = countPaths(problem.frames, problem.labels);
    const share = sayProbability(path.log + loss);
    const choose = (choice: PathChoice) => () => store.set({ path: choice });
    const { selected, path: choice } = store.state;
    this.#seed = choice.kind === 'drawn' ? choice.seed : this.#seed;
    this.#root.replaceChildren(
      make(
        'h2',
        {},
        ways === 1n ? 'The only path' : 'One path of ',
        ...withPowers(ways === 1n ? '' : sayCount(ways)),
      ),
      this.#strings,
      make(
        'p',
        {},
        'Its probability is the product of its scores, one a frame: ',
        make('b', {}, ...withPowers(sayProbability(path.log))),
        ', which is ',
        ...withPowers(share),
        ' of all paths of this text together.',
      ),
      make(
        'div',
        { className: 'buttons' },
        make('button', { onclick: () => this.#play() }, 'Play it'),
        make('button', { onclick: choose({ kind: 'drawn', seed: this.#seed + 1 }) }, 'Draw another'),
        ...(selected
          ? [
              make(
                'button',
                { onclick: choose({ kind: 'through', ...selected }) },
                'Through the selected state',
              ),
            ]
          : []),
      ),
      ...(bestPaths.length > 1 ? this.#list(loss) : []),
    );
    this.#spell();
  }

  #list(loss: number): HTMLElement[] {
    const { analysis, bestPaths, store, nameOf } = this.#page;
    const { path: choice } = store.state;
    const items = bestPaths.map(({ states, log }, rank) => {
      const button = make(
        'button',
        { onclick: () => store.set({ path: { kind: 'best', rank } }) },
        make('span', {}, ...withPowers(sayProbability(log + loss))),
        make('code', {}, joined(textOf(states, analysis!.problem, nameOf).symbols)),
      );
      button.ariaPressed = String(choice.kind === 'best' && choice.rank === rank);
      return make('li', {}, button);
    });
    const together = bestPaths.reduce((sum, { log }) => sum + Math.exp(log + loss), 0);
    const said = sayProbability(Math.log(together));
    return [
      make('h2', {}, `The ${bestPaths.length} likeliest, of all paths of this text`),
      make('ol', { className: 'ways' }, ...items),
      make('p', {}, `Together they have ${said} of them. A drawn path comes up as often as it is likely.`),
    ];
  }

  /** Up to the frame that the player has reached. */
  #spell(): void {
    const { analysis, path, position, nameOf } = this.#page;
    if (!analysis || !path) return;
    const end = position ? position.frame + 1 : path.states.length;
    const all = textOf(path.states, analysis.problem, nameOf);
    const reached = textOf(path.states, analysis.problem, nameOf, end);
    const row = (name: string, symbols: readonly string[], rest: readonly string[] = []) => [
      make('dt', {}, name),
      make('dd', {}, make('code', {}, joined(symbols), make('s', {}, joined(rest)))),
    ];
    this.#strings.replaceChildren(
      ...row('Frame by frame', reached.symbols, all.symbols.slice(end)),
      ...row('Repeats merged', reached.merged),
      ...row('Blanks dropped', reached.read),
    );
  }

  #play(): void {
    const { player } = this.#page;
    player.end();
    player.play();
  }
}
