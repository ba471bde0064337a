// What is told of a cell, a frame or a line: of the one under the pointer, or else of the one that is selected.
import { logSumExp } from '../../../learning/best-path.js';
import { byId } from '../../shared/dom.js';
import type { Answers } from '../answers.js';
import { type Analysis, type Cell, type CellValues, frameOf, statesOf } from '../engine/analysis.js';
import { logOf } from '../engine/best-paths.js';
import { sayProbability } from '../engine/ways.js';
import type { Store } from '../state/state.js';
import { type NameOf, nameState, neighbours, sumsOf } from './explain.js';
import { CellGrid } from './grid.js';
import { Inspector } from './inspector.js';
import type { Legend } from './legend.js';
import type { Marks } from './marks.js';
import { excerptOf, textOf } from './path-text.js';
import type { Difference } from './scene.js';
import type { Stage } from './stage.js';
import type { EmissionRow } from './strips.js';

export interface LookerParts {
  readonly store: Store;
  readonly answers: Answers;
  readonly stage: Stage;
  readonly legend: Legend;
  readonly nameOf: NameOf;
  /** What lies on top of the lattice is to be drawn anew. */
  readonly changed: () => void;
}

export class Looker {
  readonly #store: Store;
  readonly #answers: Answers;
  readonly #stage: Stage;
  readonly #legend: Legend;
  readonly #nameOf: NameOf;
  readonly #changed: () => void;
  readonly #inspector: Inspector;
  readonly #grid: CellGrid;
  /** The line under the pointer. */
  #pointed: Int32Array | undefined;
  #hovered: Cell | undefined;
  #incoming: Marks['incoming'] = [];
  #speaking = 0;

  constructor({ store, answers, stage, legend, nameOf, changed }: LookerParts) {
    this.#store = store;
    this.#answers = answers;
    this.#stage = stage;
    this.#legend = legend;
    this.#nameOf = nameOf;
    this.#changed = changed;
    this.#inspector = new Inspector(byId('panel-state'), () => this.inspect());
    this.#grid = new CellGrid(stage, (cell) => {
      this.#hovered = undefined;
      store.set({ selected: cell });
      stage.reveal(cell);
    });
  }

  /** What lies on top of the lattice because of it. */
  get marks(): Pick<Marks, 'pointed' | 'hovered' | 'incoming'> {
    return { pointed: this.#pointed, hovered: this.#hovered, incoming: this.#incoming };
  }

  /** The keyboard goes on from the selected cell. */
  focus(): void {
    this.#grid.focus();
  }

  async hover(cell: Cell | undefined): Promise<void> {
    const before = this.#hovered;
    if (cell?.t === before?.t && cell?.s === before?.s) return;
    this.#hovered = cell;
    this.#point(cell);
    this.#changed();
    await this.inspect();
  }

  inspect(): Promise<void> {
    return this.#answers.attempt(() => this.examine());
  }

  /** The likeliest symbols of a frame, with numbers. */
  lookAtScore(row: EmissionRow | undefined, t: number, spoken: boolean, difference?: Difference): void {
    const analysis = this.#answers.analysis;
    if (!row || !analysis) {
      this.#stage.tipScores(undefined);
      this.#legend.score = undefined;
      return;
    }
    const { problem, logProbs } = analysis;
    const { frameSeconds } = this.#answers.source!;
    const scores = logProbs.subarray(t * problem.classes, (t + 1) * problem.classes);
    const top = topOf(scores.subarray(0, this.#answers.source!.classes), 5).map(
      (c) => `${this.#nameOf(c)}  ${sayProbability(scores[c]!)}`,
    );
    const at = frameOf(problem, t);
    const time = frameSeconds === undefined ? '' : ` · ${(at * frameSeconds).toFixed(2)} s`;
    this.#stage.tipScores(t, [`frame ${at}${time}`, ...top].join('\n'));
    const p = row.c === undefined ? undefined : Math.exp(scores[row.c]!);
    this.#legend.score = difference && p !== undefined ? difference.values[t * problem.classes + row.c!] : p;
    if (!spoken) return;
    const own = p === undefined ? '' : `${row.name} ${sayProbability(Math.log(p))}. `;
    byId('spoken').textContent = `Frame ${at}: ${own}Likeliest: ${top.slice(0, 3).join(', ')}.`;
  }

  /** A line under the pointer says what it reads, frame by frame. */
  #point(cell: Cell | undefined): void {
    const { analysis, paths, samples } = this.#answers;
    const { bestPath } = this.#store.state;
    const likeliest = bestPath ? analysis?.alignment?.states : undefined;
    const others = paths?.best.map(({ states }) => states) ?? [];
    const lines = [paths?.chosen?.states, ...others, likeliest, ...samples];
    this.#pointed = cell && lines.find((states) => states?.[cell.t] === cell.s);
    if (!analysis || !cell || !this.#pointed) {
      this.#stage.tip(undefined);
      return;
    }
    const { symbols } = textOf(this.#pointed, analysis.problem, this.#nameOf);
    const share = sayProbability(logOf(analysis.problem, analysis.logProbs, this.#pointed));
    this.#stage.tip(cell, `${excerptOf(symbols, cell.t)}  ${share}`);
  }

  /** Tells about the cell under the pointer, or else the selected one. */
  async examine(): Promise<void> {
    const analysis = this.#answers.analysis;
    if (!analysis) return;
    const { layer } = this.#store.state;
    const cell = this.#hovered ?? this.#store.state.selected;
    if (!cell) {
      this.#inspector.show(analysis, layer, undefined, undefined, this.#nameOf);
      this.#legend.cell = undefined;
      return;
    }
    const { before, after } = neighbours(analysis, cell);
    const probed = await this.#answers.engine.probe(analysis, [cell, ...before, ...after]);
    if (analysis !== this.#answers.analysis) return;
    const [own, ...others] = probed as [CellValues, ...CellValues[]];
    const withCells = [...before, ...after].map((at, i) => ({ ...at, ...others[i]! }));
    const befores = withCells.slice(0, before.length);
    const { selected } = this.#store.state;
    // the pointer may rest on what was clicked: the same place, though not the same object
    if (selected && cell.t === selected.t && cell.s === selected.s) {
      const all = logSumExp(befores.map(({ alpha }) => alpha));
      this.#incoming = befores.map(({ t, s, alpha }) => ({
        from: { t, s },
        share: Math.exp(alpha - all) || 0,
      }));
      this.#speak(analysis, cell, own.posterior);
    }
    this.#inspector.show(analysis, layer, cell, own, this.#nameOf);
    this.#changed();
    const shown = await this.#answers.engine.shownAt(this.#store.state.layer, analysis, cell, own);
    if (analysis !== this.#answers.analysis) return;
    this.#legend.cell = shown;
    if (!this.#inspector.showsSums) return;
    const frameSum = await this.#answers.engine.sum(analysis, cell.t);
    if (analysis !== this.#answers.analysis) return;
    const values = { own, before: befores, after: withCells.slice(before.length), frameSum };
    this.#inspector.showSums(sumsOf(analysis, cell, values, this.#nameOf));
  }

  /** The grid beside the canvas goes with the cursor. */
  mirror(): void {
    const analysis = this.#answers.analysis;
    const { selected } = this.#store.state;
    if (!analysis || !selected) return;
    const { problem } = analysis;
    this.#grid.show(
      problem.frames,
      statesOf(problem),
      selected,
      ({ t, s }) => `${nameState(analysis, s, this.#nameOf)}, frame ${frameOf(problem, t)}`,
    );
  }

  /** Says where the cursor is, once it rests. */
  #speak(analysis: Analysis, { t, s }: Cell, posterior: number): void {
    clearTimeout(this.#speaking);
    const share = sayProbability(Math.log(posterior));
    const sentence = byId('inspector').querySelector('.says')!;
    this.#speaking = window.setTimeout(() => {
      if (!this.#stage.grid.contains(document.activeElement)) return;
      byId('spoken').textContent =
        `Frame ${frameOf(analysis.problem, t)}, ${nameState(analysis, s, this.#nameOf)}: ${share} of the path mass. ${sentence.textContent}`;
    }, 400);
  }
}

/** The classes of the highest scores, the highest first. */
function topOf(scores: Float32Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, count);
}
