// What is computed of what the state asks: one computation at a time, the latest question wins.
import { collapse } from '../../learning/best-path.js';
import { notify } from '../shared/dom.js';
import type { Layer } from '../shared/layers.js';
import { type Analysis, type BestPath, classAt, isPossible, type Problem } from './engine/analysis.js';
import { askedOf } from './engine/asked.js';
import { bestPaths, logOf, type Path, tellable } from './engine/best-paths.js';
import { type Beside, Engine } from './engine/engine.js';
import { fitsOf, type LabelFit } from './engine/label-fits.js';
import { type Rival, rivalsOf } from './engine/rivals.js';
import { isWithin, partOf, type Window, windowAt } from './engine/window.js';
import type { Source } from './sources/source.js';
import { textOfLabels } from './sources/spelled.js';
import type { Store } from './state/state.js';
import { sayTooLarge } from './view/explain.js';

/** Milliseconds after which what is computed takes long. */
const patience = 300;
/** Texts that are tried beside the one that is spelled, and the scores that they may take together. */
const [mostRivals, mostScores] = [400, 4e6];
/** Cells of what is computed beside it: nothing of them is kept. */
const mostBeside = 5e7;
/** Cells of a window that nobody has chosen. */
const mostAtOnce = 1e6;

/** Paths that are looked at one by one. */
interface LookedAt {
  /** The likeliest. */
  readonly best: readonly Path[];
  readonly chosen?: Path;
  /** Of the chosen one, in each frame. */
  readonly classes?: Int32Array;
}

export interface AnswersEvents {
  /** What is computed takes long, or does so no longer. */
  waiting(waiting: boolean): void;
  /** There is another analysis. `isAsked`: of the text that is asked for now. */
  computed(analysis: Analysis, isAsked: boolean): Promise<void>;
  /** Nothing can be shown of a problem. */
  refused(problem: Problem): void;
  /** What is drawn from now on is on another device, or on none. */
  replaced(device: GPUDevice | undefined): void;
}

export class Answers {
  readonly #store: Store;
  readonly #events: AnswersEvents;
  #engine: Engine;
  #source: Source | undefined;
  #analysis: Analysis | undefined;
  #samples: readonly Int32Array[] = [];
  /** Of what a window is shown. */
  #whole: { readonly problem: Problem; readonly alignment: BestPath } | undefined;
  #paths: LookedAt | undefined;
  #busy = false;
  #late: ReturnType<typeof setTimeout> | undefined;
  #stale = false;
  #lostAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store, engine: Engine, events: AnswersEvents) {
    this.#store = store;
    this.#events = events;
    this.#engine = engine;
  }

  /** Before the first question. */
  start(): void {
    this.#use(this.#engine);
  }

  /** What is asked about. Another one is asked about once `refresh` is called. */
  get source(): Source | undefined {
    return this.#source;
  }

  set source(source: Source | undefined) {
    this.#source = source;
  }

  get analysis(): Analysis | undefined {
    return this.#analysis;
  }

  /** All frames and their best path, also where a window is shown. */
  get whole(): { readonly problem: Problem; readonly alignment: BestPath | undefined } | undefined {
    return this.#whole ?? this.#analysis;
  }

  /** Whether what is shown is a window of a longer recording. */
  get isPart(): boolean {
    return this.#whole !== undefined;
  }

  /** Paths that are drawn by their probabilities. */
  get samples(): readonly Int32Array[] {
    return this.#samples;
  }

  /** Paths to choose from and the one that is looked at, while one is. */
  get paths(): LookedAt | undefined {
    return this.#paths;
  }

  get engine(): Engine {
    return this.#engine;
  }

  get isBusy(): boolean {
    return this.#busy;
  }

  /** What the best symbols of the frames read, as one types it. */
  get heard(): string {
    const { analysis, source } = this;
    if (!analysis || !source) return '';
    return textOfLabels(collapse(analysis.greedy, analysis.problem.blank), source.vocabulary);
  }

  /** Natural logarithms, shares or probabilities, [frames, states]. */
  readLayer(layer: Exclude<Layer, 'gradient'>): Promise<Float32Array> {
    return this.#engine.read(layer, this.#analysis!);
  }

  /** Texts beside the one that is spelled, the likeliest first, with natural logarithms of their probabilities. */
  async rivals(repairs: readonly Rival[]): Promise<(Rival & { readonly log: number })[]> {
    const analysis = this.#analysis!;
    const { frames, labels } = analysis.problem;
    // classes of the text, and about as many others
    const size = frames * (2 * new Set(labels).size + 2);
    const rivals = rivalsOf(
      analysis,
      Math.min(mostRivals, Math.max(2, Math.floor(mostScores / size))),
      repairs,
    );
    const logs = await this.#engine.logsOf(
      analysis,
      rivals.map(({ labels }) => labels),
    );
    return rivals.map((rival, i) => ({ ...rival, log: logs[i]! })).sort((a, b) => b.log - a.log);
  }

  /** How well each label fits; undefined where there is no path. */
  async labelFits(): Promise<LabelFit[] | undefined> {
    const analysis = this.#analysis!;
    if (!analysis.alignment || Number.isNaN(analysis.loss)) return undefined;
    return fitsOf(analysis, await this.#engine.read('posterior', analysis));
  }

  /** Another text, or other scores, beside what is shown. @throws RangeError for what is too large. */
  async beside(problem: Problem): Promise<Beside> {
    if (!isWithin(problem, mostBeside)) throw new RangeError(sayTooLarge(problem, mostBeside));
    return this.#engine.beside(problem);
  }

  /** What the state asks of the source; of another text, or of other scores, which are unedited. */
  problem(other: Parameters<typeof askedOf>[2] = {}): Problem {
    return askedOf(this.#source!, this.#store.state, other);
  }

  /** Computes what is asked in this turn, once; while a computation runs, once more after it. */
  async refresh(): Promise<void> {
    this.#stale = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#late = setTimeout(() => this.#events.waiting(true), patience);
    await this.attempt(async () => {
      await undefined; // the rest of the turn may ask for more
      while (this.#stale && this.#source) {
        this.#stale = false;
        await this.#compute();
      }
    });
    this.#endWait();
    this.#busy = false;
    // another engine has been asked meanwhile
    if (this.#stale) this.refresh();
  }

  #endWait(): void {
    clearTimeout(this.#late);
    this.#events.waiting(false);
  }

  /** What fails because the device is gone is no news: another one is taken. All else is told. */
  async attempt(run: () => Promise<void>): Promise<void> {
    const engine = this.#engine;
    try {
      await run();
    } catch (error) {
      if (engine !== this.#engine || (await engine.isLost())) return;
      notify(`This could not be computed: ${(error as Error).message}`);
    }
  }

  async #compute(): Promise<void> {
    const source = this.#source!;
    const { text, layer, samples } = this.#store.state;
    const whole = this.problem();
    const problem = await this.#partOf(whole);
    if (!problem) {
      this.#analysis = undefined;
      this.#events.refused(whole);
      return;
    }
    const scores = (source.other ?? source).logits;
    const unedited = layer === 'change' ? this.#framesOf(this.problem({ scores }), problem) : undefined;
    const analysis = await this.#engine.analyse(problem, unedited);
    this.#samples = samples > 0 && analysis.alignment ? await this.#engine.samples(problem, samples, 1) : [];
    // of another source nothing is shown; of another text for a moment
    if (source !== this.#source) return;
    this.#analysis = analysis;
    await this.#lookAtPath(analysis);
    this.#endWait();
    await this.#events.computed(analysis, text === this.#store.state.text);
  }

  /** Looks at the path that the state asks for. False where there is another analysis by then. */
  async choosePath(): Promise<boolean> {
    const analysis = this.#analysis;
    if (analysis) await this.#lookAtPath(analysis);
    return analysis === this.#analysis;
  }

  async #lookAtPath(analysis: Analysis): Promise<void> {
    const { panel, path: choice } = this.#store.state;
    if (panel !== 'paths') {
      this.#paths = undefined;
      return;
    }
    const { problem, logProbs } = analysis;
    const best = likeliestOf(analysis);
    let chosen = choice.kind === 'best' ? (best[choice.rank] ?? best[0]) : undefined;
    if (choice.kind === 'through' && isPossible(problem, choice))
      [chosen] = bestPaths(problem, logProbs, 1, choice);
    if (choice.kind === 'drawn' && best.length > 0) {
      const [states] = await this.#engine.samples(problem, 1, choice.seed);
      chosen = { states: states!, log: logOf(problem, logProbs, states!) };
    }
    // another may have been chosen meanwhile
    if (choice !== this.#store.state.path || this.#store.state.panel !== 'paths') return;
    chosen ??= best[0];
    this.#paths = { best, ...(chosen && { chosen, classes: chosen.states.map((s) => classAt(problem, s)) }) };
  }

  /** What of a recording is shown: all of it, or a window. Undefined: there is no path to tell which labels a window has. */
  async #partOf(whole: Problem): Promise<Problem | undefined> {
    const { window } = this.#store.state;
    const { mostCells } = this.#engine;
    const fits = isWithin(whole, mostCells);
    this.#whole = undefined;
    if (!window && fits) return whole;
    const alignment = await this.#engine.bestPath(whole);
    if (!alignment) return fits ? whole : undefined;
    this.#whole = { problem: whole, alignment };
    const first = Math.min(window?.first ?? 0, whole.frames - 1);
    const most = windowAt(alignment.states, first, window ? mostCells : Math.min(mostCells, mostAtOnce));
    return partOf(whole, alignment.states, {
      first,
      end: Math.min(most.end, window?.end ?? most.end),
    });
  }

  /** Of another problem the frames that are shown of this one. */
  #framesOf(other: Problem, { first = 0, frames }: Problem): Problem {
    const window = { first, end: first + frames };
    return this.#whole ? partOf(other, this.#whole.alignment.states, window) : other;
  }

  /** The frames before or after those that are shown, some of them once more. Undefined where all are shown. */
  pageBeside(backwards: boolean): Window | undefined {
    const { alignment } = this.#whole ?? {};
    const problem = this.#analysis?.problem;
    if (!alignment || !problem) return undefined;
    const { first = 0, frames: shown } = problem;
    const overlap = Math.floor(shown / 10);
    const most = Math.min(this.#engine.mostCells, mostAtOnce);
    const start = backwards ? first + overlap : first + shown - overlap;
    const fitting = windowAt(alignment.states, Math.max(1, start), most, backwards);
    const room = fitting.end - fitting.first;
    // as many as now, where so many were asked for
    const frames = this.#store.state.window ? Math.min(shown, room) : room;
    return backwards
      ? { first: fitting.end - frames, end: fitting.end }
      : { first: fitting.first, end: fitting.first + frames };
  }

  /** For what is computed from now on. */
  #use(engine: Engine): void {
    this.#engine = engine;
    const { device } = engine;
    this.#events.replaced(device);
    device?.lost.then(() => this.#replace());
  }

  /** A lost device is replaced by another, one that is lost again at once by the CPU. */
  async #replace(): Promise<void> {
    const again = performance.now() - this.#lostAt < 5000;
    this.#lostAt = performance.now();
    notify(
      again
        ? 'The graphics device was lost again. The page goes on without it.'
        : 'The graphics device was lost. The page takes a new one.',
    );
    this.#analysis = undefined;
    this.#engine.destroy();
    this.#use(await Engine.create(again));
    this.refresh();
  }
}

const likeliest = new WeakMap<Analysis, readonly Path[]>();

/** Eight of them, or as many as there are. */
function likeliestOf(analysis: Analysis): readonly Path[] {
  const { problem, logProbs, alignment } = analysis;
  let known = likeliest.get(analysis);
  if (!known) {
    const count = tellable(problem, 8);
    known = !alignment
      ? []
      : count > 1
        ? bestPaths(problem, logProbs, count)
        : [{ ...alignment, log: alignment.score }];
    likeliest.set(analysis, known);
  }
  return known;
}
