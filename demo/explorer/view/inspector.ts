// The panel about one state: a sentence first, the numbers for who asks for them.
import { make, withPowers } from '../../shared/dom.js';
import { type Analysis, type Cell, type CellValues, frameOf } from '../engine/analysis.js';
import { sayProbability } from '../engine/ways.js';
import { type NameOf, nameState, type Sum, sayState } from './explain.js';

export class Inspector {
  readonly #root: HTMLElement;
  readonly #details: HTMLDetailsElement;

  /** `opened`: the numbers are wanted. */
  constructor(root: HTMLElement, opened: () => void) {
    this.#root = root;
    this.#details = this.#find<HTMLDetailsElement>('details');
    this.#details.addEventListener('toggle', () => this.#details.open && opened());
  }

  get showsSums(): boolean {
    return this.#details.open;
  }

  show(analysis: Analysis, cell: Cell | undefined, values: CellValues | undefined, nameOf: NameOf): void {
    const share = this.#find('.share');
    this.#details.hidden = !cell;
    share.hidden = !cell || !values;
    if (!cell) {
      this.#find('.where').textContent = '';
      this.#find('.says').textContent = 'Click a cell of the lattice, or move there with the arrow keys.';
      return;
    }
    const posterior = values?.posterior ?? 0;
    this.#find('.where').textContent =
      `Frame ${frameOf(analysis.problem, cell.t)}, ${nameState(analysis, cell.s, nameOf)}`;
    this.#find('.says').textContent = sayState(analysis, cell, posterior, nameOf);
    this.#find('.share b').replaceChildren(...withPowers(sayProbability(Math.log(posterior))));
    this.#find('.share i i').style.width = `${100 * (Number.isNaN(posterior) ? 0 : posterior)}%`;
  }

  showSums(sums: readonly Sum[]): void {
    this.#find('.terms').replaceChildren(
      ...sums.map(({ title, note, terms }) => {
        const rows = terms.map(({ what, value, total }) => {
          const className = total ? 'total' : '';
          return make(
            'tr',
            { className },
            make('td', {}, ...withPowers(what)),
            make('td', {}, ...withPowers(value)),
          );
        });
        const section = make(
          'section',
          {},
          make('h2', {}, title),
          make('p', {}, note),
          make('table', {}, ...rows),
        );
        return section;
      }),
    );
  }

  #find<E extends HTMLElement = HTMLElement>(selector: string): E {
    return this.#root.querySelector<E>(selector)!;
  }
}
