// The panel about one state: a sentence first, the numbers for who asks for them.
import { make, withPowers } from '../../shared/dom.js';
import type { Layer } from '../../shared/layers.js';
import { type Analysis, type Cell, type CellValues, classAt, frameOf } from '../engine/analysis.js';
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

  /** `layer`: what is shown of the lattice is told of the cell, too. */
  show(
    analysis: Analysis,
    layer: Layer,
    cell: Cell | undefined,
    values: CellValues | undefined,
    nameOf: NameOf,
  ): void {
    this.#details.hidden = !cell;
    this.#find('.share').hidden = !cell || !values;
    if (!cell) {
      this.#find('.where').textContent = '';
      this.#find('.says').textContent = 'Click a cell of the lattice, or move there with the arrow keys.';
      return;
    }
    const posterior = values?.posterior ?? 0;
    const told = toldOf(layer, analysis, cell, values, nameOf);
    this.#find('.where').textContent =
      `Frame ${frameOf(analysis.problem, cell.t)}, ${nameState(analysis, cell.s, nameOf)}`;
    this.#find('.says').textContent = sayState(analysis, cell, posterior, nameOf);
    this.#find('.share b').replaceChildren(...withPowers(told.value));
    this.#find('.share span').textContent = told.what;
    this.#find('.share i i').style.width = `${100 * (told.share || 0)}%`;
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

/** The number of a cell in a layer, what it is, and how much of a bar it fills. */
function toldOf(
  layer: Layer,
  { problem, logProbs, grad }: Analysis,
  { t, s }: Cell,
  values: CellValues | undefined,
  nameOf: NameOf,
): { value: string; what: string; share: number } {
  const c = classAt(problem, s);
  const at = t * problem.classes + c;
  const probability = (log: number, what: string) => ({
    ...{ value: sayProbability(log), what, share: Math.exp(log) },
  });
  const { alpha = Number.NaN, beta = Number.NaN, posterior = 0 } = values ?? {};
  if (layer === 'alpha') return probability(alpha, 'is the probability of all ways to come here');
  if (layer === 'beta') return probability(beta, 'is the probability of all ways to go on from here');
  if (layer === 'probability')
    return probability(logProbs[at]!, `is how likely ${nameOf(c)} is in this frame`);
  if (layer === 'gradient' && c === problem.star?.c)
    return { value: '–', what: `${nameOf(c)} is no score, and has no gradient`, share: 0 };
  if (layer === 'gradient')
    return {
      ...{ value: grad[at]!.toFixed(4), share: Math.abs(grad[at]!) },
      what: `is the gradient of ${nameOf(c)} in this frame`,
    };
  return probability(Math.log(posterior), 'of the path mass, the probability of all paths, passes here');
}
