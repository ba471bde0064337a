// What the colours stand for: a scale for the scores above and one for the lattice, always in view.
import { legendStops, strength } from '../../shared/colours.js';
import { make } from '../../shared/dom.js';
import { isSigned, type Layer } from '../../shared/layers.js';
import { largestGradient } from '../engine/analysis.js';
import type { Scene } from './scene.js';

/** A scale as it is drawn elsewhere. */
export interface ColourScale {
  readonly name: string;
  /** From one end to the other, at equal distances. */
  readonly colours: readonly string[];
  /** What the ends stand for. */
  readonly first: string;
  readonly last: string;
}

const names: Readonly<Record<Layer, string>> = {
  posterior: 'Path mass',
  alpha: 'Forward α, beside the largest of its frame',
  beta: 'Backward β, beside the largest of its frame',
  probability: 'Probability of the symbol',
  gradient: 'Gradient: softmax − posterior',
  change: 'Change of the path mass, after your edits − before',
};

/** What lies over the lattice. */
interface Drawn {
  readonly bestPath: boolean;
  /** Other paths than the best. */
  readonly lines: boolean;
  /** What flows into the selected cell: there is one. */
  readonly ways: boolean;
}

/** Layers in which all states of a class have one value. */
const isPerClass = (layer: Layer) => layer === 'gradient' || layer === 'probability';

export class Legend {
  readonly #root: HTMLElement;
  readonly #scores = new Ramp();
  readonly #lattice = new Ramp();
  readonly #keys = make('div', { className: 'keys' });
  #shown = '';

  constructor(root: HTMLElement) {
    this.#root = root;
    root.append(this.#scores.element, this.#lattice.element, this.#keys);
  }

  show({ analysis, layer: asked, scale, theme, sweep, difference, against }: Scene, drawn: Drawn): void {
    // of a sweep that is followed by another, what it makes itself
    const layer = (sweep?.direction === 'forward' && sweep.first) || asked;
    const hasNan = Number.isNaN(analysis.loss);
    const isWithout = layer === 'gradient' && analysis.problem.star !== undefined;
    const largest = layer === 'gradient' ? largestGradient(analysis) : 1;
    // asked for with each picture of a sweep
    const said = [layer, scale, theme, hasNan, isWithout, !difference, against, largest];
    const shown = [...said, ...Object.values(drawn)].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (difference)
      this.#scores.show('Path mass of each symbol: this text − the other', 'change', 'linear', theme);
    else this.#scores.show('What is heard', 'probability', 'linear', theme);
    const by = isSigned(layer) ? '' : scale === 'log' ? ', log scale' : ', linear';
    const name = layer === 'change' && against ? `Path mass here − with ${against}` : names[layer];
    this.#lattice.show(`${name}${isWithout ? '; * has none' : ''}${by}`, layer, scale, theme, largest);
    const signed = [key('positive', 'to become less likely'), key('negative', 'to become likelier')];
    this.#keys.replaceChildren(
      ...(drawn.bestPath ? [key('line', 'best path')] : []),
      ...(drawn.lines ? [key('thin', 'other paths')] : []),
      ...(layer === 'gradient' ? signed : []),
      key('letter', 'letter'),
      key('blank', 'blank'),
      key('other', 'all others'),
      ...(isPerClass(layer) ? [] : [key('hatch', 'no path')]),
      ...(drawn.ways ? [key('ways', 'ways into the cell')] : []),
      ...(hasNan ? [key('nan', 'no number')] : []),
    );
    this.#root.title = 'Press L for the linear or the logarithmic scale.';
  }

  /** Where the value of the cell under the pointer lies, as the layer shows it. */
  set cell(value: number | undefined) {
    this.#lattice.mark(value);
  }

  /** Where the probability of the score under the pointer lies. */
  set score(probability: number | undefined) {
    this.#scores.mark(probability);
  }

  /** Of the lattice, once something is shown. */
  get scale(): ColourScale | undefined {
    return this.#lattice.scale;
  }
}

/** A labelled ramp of colours with a mark on it. */
class Ramp {
  readonly element = make('figure', { className: 'scale' });
  readonly #mark = make('i', { hidden: true });
  #scale: ColourScale | undefined;
  #layer: Layer = 'posterior';
  #by: 'log' | 'linear' = 'linear';

  get scale(): ColourScale | undefined {
    return this.#scale;
  }

  /** `largest`: the value that has the full colour, where that is not 1. */
  show(name: string, layer: Layer, scale: 'log' | 'linear', theme: Scene['theme'], largest = 1): void {
    this.#layer = layer;
    this.#by = scale;
    const stops = legendStops(layer, theme, scale);
    const colours = stops.map(({ colour }) => colour);
    const [first, middle, last] = [stops[0]!, stops[stops.length >> 1]!, stops.at(-1)!].map(({ value }) =>
      sayStop(value * largest, layer),
    ) as [string, string, string];
    this.#scale = { name, colours, first, last };
    const ramp = make('div', { className: 'ramp' }, this.#mark);
    ramp.style.background = `linear-gradient(90deg, ${colours.join(', ')})`;
    const ends = [first, middle, last].map((text) => make('span', {}, text));
    this.element.replaceChildren(
      make('figcaption', {}, name),
      ramp,
      make('div', { className: 'ends' }, ...ends),
    );
  }

  mark(value: number | undefined): void {
    const isThere = value !== undefined && Number.isFinite(value);
    this.#mark.hidden = !isThere;
    if (!isThere) return;
    const along = strength(this.#layer, value, this.#by);
    const at = isSigned(this.#layer) ? 0.5 + (Math.sign(value) * along) / 2 : along;
    this.#mark.style.left = `${100 * at}%`;
  }
}

const sayStop = (value: number, layer: Layer) =>
  layer === 'gradient' ? String(Number(value.toPrecision(2))) : `${Number((100 * value).toPrecision(1))} %`;

const key = (className: string, name: string) => make('span', {}, make('i', { className }), name);
