// The panel about one state: a sentence first, the numbers for who asks for them.

import { legendStops } from '../../shared/colours.js';
import { make, withPowers } from '../../shared/dom.js';
import { isSigned, type Layer } from '../../shared/layers.js';
import type { Analysis, Cell, CellValues } from '../engine/analysis.js';
import { sayProbability } from '../engine/ways.js';
import { type NameOf, nameState, type Sum, sayState } from './explain.js';
import type { Scene } from './scene.js';

export class Inspector {
  readonly #root: HTMLElement;
  readonly #details: HTMLDetailsElement;
  #scale: ColourScale | undefined;
  #legend = '';

  /** `opened`: the numbers are wanted. */
  constructor(root: HTMLElement, opened: () => void) {
    this.#root = root;
    this.#details = this.#find<HTMLDetailsElement>('details');
    this.#details.addEventListener('toggle', () => this.#details.open && opened());
    const handle = this.#find<HTMLButtonElement>('.handle');
    handle.addEventListener('click', () => {
      const open = root.classList.toggle('opened');
      handle.ariaExpanded = String(open);
    });
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
    this.#find('.where').textContent = `Frame ${cell.t}, ${nameState(analysis, cell.s, nameOf)}`;
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

  /** What the colours say, with units; what is hatched. */
  legend({ analysis, layer, scale, theme }: Scene): void {
    const hasNan = Number.isNaN(analysis.loss);
    // asked for with each picture of a sweep
    const shown = [layer, scale, theme, hasNan].join();
    if (shown === this.#legend) return;
    this.#legend = shown;
    const names = {
      posterior: ['Share of the path mass', ''],
      alpha: ['Forward α', 'of the largest in its frame'],
      beta: ['Backward β', 'of the largest in its frame'],
      probability: ['Probability of the symbol', ''],
      gradient: ['Gradient', 'softmax − posterior'],
      change: ['Change of the path mass', 'after your edits − before'],
    } as const;
    const [name, unit] = names[layer];
    const stops = legendStops(layer, theme, scale);
    const ramp = make('div', { className: 'ramp' });
    ramp.style.background = `linear-gradient(90deg, ${stops.map(({ colour }) => colour).join(', ')})`;
    const marked = [stops[0]!, stops[stops.length >> 1]!, stops[stops.length - 1]!];
    const ends = make(
      'div',
      { className: 'ends' },
      ...marked.map(({ value }) => make('span', {}, sayStop(value, layer))),
    );
    const keys = make(
      'div',
      { className: 'keys' },
      key('line', 'best path'),
      key('blank', 'blank'),
      key('hatch', 'no path'),
      ...(hasNan ? [key('nan', 'no number')] : []),
    );
    const log = !isSigned(layer) && scale === 'log' ? ', log scale' : '';
    const caption = make('figcaption', {}, `${name}${unit && `, ${unit}`}${log}`);
    const rows = make('p', {}, 'Top rows: what the recogniser hears.');
    this.#find('#legend').replaceChildren(rows, caption, ramp, ends, keys);
    const said = marked.map(({ value }) => sayStop(value, layer));
    this.#scale = {
      name: caption.textContent,
      colours: stops.map(({ colour }) => colour),
      first: said[0]!,
      last: said.at(-1)!,
    };
  }

  /** What the colours mean, once something is shown. */
  get scale(): ColourScale | undefined {
    return this.#scale;
  }

  #find<E extends HTMLElement = HTMLElement>(selector: string): E {
    return this.#root.querySelector<E>(selector)!;
  }
}

export interface ColourScale {
  readonly name: string;
  /** From one end to the other, at equal distances. */
  readonly colours: readonly string[];
  /** What the ends stand for. */
  readonly first: string;
  readonly last: string;
}

const sayStop = (value: number, layer: Layer) =>
  layer === 'gradient' ? String(value) : `${Number((100 * value).toPrecision(1))} %`;

const key = (className: string, name: string) => make('span', {}, make('i', { className }), name);
