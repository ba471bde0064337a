// What follows from the state: the lattice is computed, then shown. One computation at a time, the latest question wins.

import { collapse, logSumExp } from '../../learning/best-path.js';
import { dark } from '../shared/canvas.js';
import { wantedDevice } from '../shared/device.js';
import { byId, make, notify, once, withPowers } from '../shared/dom.js';
import type { Layer } from '../shared/layers.js';
import {
  type Analysis,
  type BestPath,
  type Cell,
  type CellValues,
  classAt,
  frameOf,
  isPossible,
  type Problem,
  statesOf,
} from './engine/analysis.js';
import { bestPaths, logOf, type Path, tellable } from './engine/best-paths.js';
import { type Beside, Engine } from './engine/engine.js';
import { fitsOf, type LabelFit } from './engine/label-fits.js';
import { type Rival, rivalsOf } from './engine/rivals.js';
import { starName, withStar } from './engine/star.js';
import { leastFrames, sayProbability } from './engine/ways.js';
import { isWithin, partOf, type Window, windowAt } from './engine/window.js';
import { examples, heard, type Loading } from './sources/examples.js';
import type { Source } from './sources/source.js';
import { spelledIn, textOfLabels, unspelledIn } from './sources/spelled.js';
import { applyEdits, noEdits, within } from './state/edits.js';
import { initial, type State, type Store } from './state/state.js';
import { nameState, neighbours, sayAll, sayTooLarge, space, sumsOf } from './view/explain.js';
import { CellGrid } from './view/grid.js';
import { Inspector } from './view/inspector.js';
import { createHostRenderer } from './view/lattice-2d.js';
import { createGpuRenderer } from './view/lattice-gpu.js';
import { type ColourScale, Legend } from './view/legend.js';
import { excerptOf, textOf } from './view/path-text.js';
import { Player, type PlayerControls, type Position, sweepsOf } from './view/player.js';
import type { Difference, Scene } from './view/scene.js';
import { isLarge, Stage } from './view/stage.js';
import type { EmissionRow } from './view/strips.js';

/** Milliseconds after which what is computed takes long. */
const patience = 300;
const computing = 'Computing …';
/** Frames times states of a lattice that is shown on a linear scale. */
const mostLinear = 2000;
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

export class Page {
  readonly store: Store;
  readonly stage: Stage;
  readonly player: Player;
  readonly #inspector: Inspector;
  readonly #legend = new Legend(byId('legend'));
  readonly #grid: CellGrid;
  #engine: Engine;
  #source: Source | undefined;
  #analysis: Analysis | undefined;
  #samples: readonly Int32Array[] = [];
  /** Of what a window is shown. */
  #whole: { readonly problem: Problem; readonly alignment: BestPath } | undefined;
  #paths: LookedAt | undefined;
  /** The line under the pointer. */
  #pointed: Int32Array | undefined;
  #hovered: Cell | undefined;
  #position: Position | undefined;
  #head: number | undefined;
  #editing = false;
  #difference: Difference | undefined;
  #incoming: { from: Cell; share: number }[] = [];
  #busy = false;
  #late: ReturnType<typeof setTimeout> | undefined;
  #stale = false;
  #speaking = 0;
  readonly #onAnalysis: (() => void)[] = [];
  readonly #onPlayer: (() => void)[] = [];
  readonly #onPath: (() => void)[] = [];

  constructor(
    store: Store,
    engine: Engine,
    events: { paint: ConstructorParameters<typeof Stage>[1]['paint'] },
  ) {
    this.store = store;
    this.#engine = engine;
    this.stage = new Stage(byId('stage'), {
      hover: (cell) => this.#hover(cell),
      pin: (cell) => {
        store.set({ selected: cell });
        this.#grid.focus();
      },
      highlight: (label) => {
        store.set({ highlight: store.state.highlight === label ? undefined : label });
      },
      only: (frames) => this.#lookAtSeen(frames),
      wheel: once(() => notify('To zoom with the wheel, click the lattice first, or hold Ctrl.')),
      look: (row, t, spoken) => this.#lookAtScore(row, t, spoken),
      paint: events.paint,
    });
    this.#grid = new CellGrid(this.stage, (cell) => {
      this.#hovered = undefined;
      store.set({ selected: cell });
      this.stage.reveal(cell);
    });
    this.#inspector = new Inspector(byId('panel-state'), () => this.#inspect());
    const [play, scrubber, output, steps] = ['play', 'scrubber', 'progress', 'steps'].map(byId);
    this.player = new Player({ play, scrubber, output, steps } as PlayerControls, (position) => {
      this.#position = position;
      this.#show();
      for (const then of this.#onPlayer) then();
    });
    dark().addEventListener('change', () => this.#show());
    this.#use(engine);
    let resting = 0;
    this.stage.listen(() => {
      // once it rests: a browser bears no new address with each picture
      clearTimeout(resting);
      resting = window.setTimeout(() => {
        const { view } = this.stage;
        if (view?.join() !== store.state.view?.join()) store.set({ view });
      }, 300);
    });
    store.listen((state, before) => {
      const asks: (keyof State)[] = ['text', 'star', 'free', 'edits', 'blank', 'samples', 'window'];
      const asksForChange = state.layer === 'change' && before.layer !== 'change';
      if (asksForChange || asks.some((key) => state[key] !== before[key])) this.refresh();
      else if (state.selected !== before.selected) {
        this.#mirror();
        this.#inspect();
      }
      if (state.view !== before.view) this.stage.view = state.view;
      if (state.layer !== before.layer) this.#inspect();
      if (state.panel !== before.panel || state.path !== before.path) {
        // another is seen to its end first
        this.player.end();
        this.#choosePath();
      }
      this.#setUpPlayer();
      this.#show();
    });
  }

  get source(): Source | undefined {
    return this.#source;
  }

  get analysis(): Analysis | undefined {
    return this.#analysis;
  }

  /** Of the colours of the lattice. Linear where all that matters can be seen so. */
  get scale(): 'log' | 'linear' {
    const { scale } = this.store.state;
    if (scale || !this.#analysis) return scale ?? 'linear';
    const { problem } = this.#analysis;
    return problem.frames * statesOf(problem) <= mostLinear ? 'linear' : 'log';
  }

  /** All frames and their best path, also where a window is shown. */
  get whole(): { readonly problem: Problem; readonly alignment: BestPath | undefined } | undefined {
    return this.#whole ?? this.#analysis;
  }

  /** Whether what is seen follows the best path: of a lattice that is looked at in parts it does. */
  get follows(): boolean {
    return this.store.state.follows ?? (this.#analysis !== undefined && isLarge(this.#analysis));
  }

  get colourScale(): ColourScale | undefined {
    return this.#legend.scale;
  }

  /** The path that is looked at, while one is. */
  get path(): Path | undefined {
    return this.#paths?.chosen;
  }

  /** The likeliest, while one path is looked at. */
  get bestPaths(): readonly Path[] {
    return this.#paths?.best ?? [];
  }

  /** What the player has reached, while it is under way. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Where the sound is, in frames. */
  set head(frame: number | undefined) {
    this.#head = frame;
    this.#mark();
  }

  set editing(editing: boolean) {
    this.#editing = editing;
    this.#show();
  }

  nameOf = (c: number): string => {
    const { vocabulary } = this.#source!;
    if (c === this.blank) return 'blank';
    if (c === vocabulary.delimiter) return space;
    if (c === this.#source!.classes) return starName;
    return vocabulary.read(c).trim() || vocabulary.token(c) || `#${c}`;
  };

  get blank(): number {
    const { blank } = this.store.state;
    const { vocabulary, classes } = this.#source!;
    return blank !== undefined && blank < classes ? blank : vocabulary.blank;
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

  /** What the best symbols of the frames read, as one types it. */
  get heard(): string {
    const { analysis, source, blank } = this;
    return analysis && source ? textOfLabels(collapse(analysis.greedy, blank), source.vocabulary) : '';
  }

  /** Another text, or other scores, beside what is shown. @throws RangeError for what is too large. */
  async beside(problem: Problem): Promise<Beside> {
    if (!isWithin(problem, mostBeside)) throw new RangeError(sayTooLarge(problem, mostBeside));
    return this.#engine.beside(problem);
  }

  /** What the rows above the lattice show in place of the scores. */
  set difference(difference: Difference | undefined) {
    if (difference === this.#difference) return;
    this.#difference = difference;
    this.#show();
  }

  /** Selects a label in the middle of its frames on the best path, and shows it with what is around it. */
  goToLabel(i: number): void {
    const analysis = this.#analysis;
    if (!analysis?.alignment || i < 0) return;
    const { states } = analysis.alignment;
    const frames = [...states.keys()].filter((t) => states[t] === 2 * i + 1);
    const cell = { t: frames[frames.length >> 1] ?? 0, s: 2 * i + 1 };
    this.store.set({ selected: cell });
    this.stage.approach(cell);
  }

  /** The same for a label of the whole text: where it is not among the frames that are shown, others are. */
  goToLabelOfAll(i: number): void {
    const problem = this.#analysis?.problem;
    if (!problem) return;
    const at = i - (problem.firstLabel ?? 0);
    if (at >= 0 && at < problem.labels.length) {
      this.goToLabel(at);
      return;
    }
    const t = this.#whole?.alignment.states.indexOf(2 * i + 1) ?? -1;
    const first = Math.max(0, t - (problem.frames >> 1));
    if (t >= 0) this.lookAtFrames({ first, end: first + problem.frames });
  }

  /** Called after each analysis. */
  listen(then: () => void): void {
    this.#onAnalysis.push(then);
  }

  /** Called whenever the player moves. */
  listenToPlayer(then: () => void): void {
    this.#onPlayer.push(then);
  }

  /** Called whenever another path is looked at. */
  listenToPath(then: () => void): void {
    this.#onPath.push(then);
  }

  /** What there was before is left behind, or, `linked`, is what a link says of it. */
  async openExample(id: string, linked = false, loading: Loading = {}): Promise<void> {
    const example = examples.find((known) => known.id === id) ?? examples[0]!;
    const { heard: word } = this.store.state;
    const source = linked && word ? heard(word.text, word.frames) : await example.open(loading);
    this.open(source, linked ? {} : { ...initial, example: id, text: source.text });
  }

  /** The made-up recogniser hears another word, and what was painted over the one before is gone. */
  hear(text: string, frames: number): void {
    this.open(heard(text, frames), {
      heard: { text, frames },
      edits: noEdits,
      selected: undefined,
      view: undefined,
    });
  }

  /** Other emissions, and what is to be seen of them. */
  open(source: Source, change: Partial<State> = {}): void {
    this.#source = source;
    const { frames, classes } = source;
    const { edits, blank, window } = { ...this.store.state, ...change };
    this.store.set({
      ...change,
      edits: within(edits, frames, classes),
      window: window && window.first < frames ? window : undefined,
      blank: blank !== undefined && blank < classes ? blank : undefined,
    });
    this.refresh();
  }

  /** Until what is asked now has been computed and shown. */
  async whenIdle(): Promise<void> {
    do await new Promise((then) => requestAnimationFrame(then));
    while (this.#busy || !this.#analysis);
  }

  /** Computes what is asked in this turn, once; while a computation runs, once more after it. */
  async refresh(): Promise<void> {
    this.#stale = true;
    if (this.#busy) return;
    this.#busy = true;
    this.#late = setTimeout(() => this.#wait(true), patience);
    await this.#attempt(async () => {
      await undefined; // the rest of the turn may ask for more
      while (this.#stale && this.#source) {
        this.#stale = false;
        await this.#compute();
      }
    });
    this.#wait(false);
    this.#busy = false;
    // another engine has been asked meanwhile
    if (this.#stale) this.refresh();
  }

  /** While something takes long, what is still seen is of the question before: it pales, and the sentence says so. */
  #wait(waiting: boolean): void {
    clearTimeout(this.#late);
    const stage = byId('stage');
    stage.ariaBusy = String(waiting);
    stage.classList.toggle('stale', waiting);
    if (waiting) byId('sentence').replaceChildren(make('span', {}, computing));
    // it failed: what is seen is what there was
    else if (byId('sentence').textContent === computing && this.#analysis) this.#say();
  }

  /** What fails because the device is gone is no news: the page takes another. All else is told. */
  async #attempt(run: () => Promise<void>): Promise<void> {
    const engine = this.#engine;
    try {
      await run();
    } catch (error) {
      if (engine !== this.#engine || (await engine.isLost())) return;
      notify(`This could not be computed: ${(error as Error).message}`);
    }
  }

  /** What the state asks of the source; of another text, or of other scores, which are unedited. */
  problem({ text, scores }: { text?: string; scores?: Float32Array<ArrayBuffer> } = {}): Problem {
    const { state } = this.store;
    const { logits: given, frames, classes, vocabulary } = this.#source!;
    const { blank } = this;
    const { targets } = spelledIn(text ?? state.text, vocabulary, state);
    const labels = targets.filter((label) => label !== blank && label < classes);
    const logits = scores ?? applyEdits(given, classes, blank, state.edits);
    return withStar({ frames, classes, blank, labels, logits });
  }

  /** What of the text has no symbol: also what a symbol spells that is the blank now. */
  #unspelled(): string[] {
    const { text, star, free } = this.store.state;
    const { vocabulary, classes } = this.#source!;
    const { targets } = spelledIn(text, vocabulary, { star, free });
    const lost = targets.filter((label) => label === this.blank || label >= classes);
    const unspelled = star || free ? [] : unspelledIn(text, vocabulary);
    return [...new Set([...unspelled, ...lost.map((label) => vocabulary.read(label))])];
  }

  async #compute(): Promise<void> {
    const source = this.#source!;
    const { text, layer } = this.store.state;
    const whole = this.problem();
    const problem = await this.#partOf(whole);
    if (!problem) {
      this.#analysis = undefined;
      this.stage.clear();
      // no path tells which labels a part of it has
      const why =
        leastFrames(whole.labels) > whole.frames
          ? sayAll({ problem: whole, loss: Number.POSITIVE_INFINITY }, text.trim(), this.#unspelled())
          : [{ text: sayTooLarge(whole, this.#engine.mostCells) }];
      byId('sentence').textContent = why.map(({ text }) => text).join('');
      return;
    }
    const scores = (source.other ?? source).logits;
    const unedited = layer === 'change' ? this.#framesOf(this.problem({ scores }), problem) : undefined;
    const analysis = await this.#engine.analyse(problem, unedited);
    const { samples: count } = this.store.state;
    this.#samples = count > 0 && analysis.alignment ? await this.#engine.samples(problem, count, 1) : [];
    // of another source nothing is shown; of another text for a moment
    if (source !== this.#source) return;
    this.#analysis = analysis;
    await this.#lookAtPath(analysis);
    this.#setUpPlayer();
    const { selected, highlight } = this.store.state;
    const states = statesOf(problem);
    const isAsked = text === this.store.state.text;
    const isThere = selected && selected.t < problem.frames && selected.s < states;
    if (isAsked && !isThere) this.store.set({ selected: firstToLookAt(analysis) });
    if (highlight !== undefined && highlight >= problem.labels.length)
      this.store.set({ highlight: undefined });
    this.#wait(false);
    this.#mirror();
    this.#say();
    this.#show();
    await this.#examine();
    for (const then of this.#onAnalysis) then();
  }

  /** Play follows the layer that is chosen. */
  #setUpPlayer(): void {
    const analysis = this.#analysis;
    if (!analysis) return;
    const sweeps = this.path ? (['forward'] as const) : sweepsOf[this.store.state.layer];
    this.player.setUp(analysis.problem.frames, sweeps, frameOf(analysis.problem, 0));
  }

  async #choosePath(): Promise<void> {
    await this.#attempt(async () => {
      const analysis = this.#analysis;
      if (analysis) await this.#lookAtPath(analysis);
      if (analysis !== this.#analysis) return;
      this.#setUpPlayer();
      this.#show();
      for (const then of this.#onPath) then();
    });
  }

  async #lookAtPath(analysis: Analysis): Promise<void> {
    const { panel, path: choice } = this.store.state;
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
    if (choice !== this.store.state.path || this.store.state.panel !== 'paths') return;
    chosen ??= best[0];
    this.#paths = { best, ...(chosen && { chosen, classes: chosen.states.map((s) => classAt(problem, s)) }) };
  }

  /** What of a recording is shown: all of it, or a window. Undefined: there is no path to tell which labels a window has. */
  async #partOf(whole: Problem): Promise<Problem | undefined> {
    const { window } = this.store.state;
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

  /** Frames that are seen, and no others. */
  #lookAtSeen({ first, end }: Window): void {
    const { problem } = this.#analysis!;
    this.lookAtFrames({
      first: frameOf(problem, Math.floor(first)),
      end: frameOf(problem, Math.ceil(end)),
    });
  }

  /** Another window: frames of the recording. */
  lookAtFrames(window: Window | undefined): void {
    this.store.set({ window, view: undefined, selected: undefined, highlight: undefined });
  }

  /** The frames before or after those that are shown, some of them once more. */
  turnPage(backwards: boolean): void {
    const { alignment } = this.#whole ?? {};
    const problem = this.#analysis?.problem;
    if (!alignment || !problem) return;
    const [first, end] = [frameOf(problem, 0), frameOf(problem, problem.frames)];
    const overlap = Math.floor(problem.frames / 10);
    const most = Math.min(this.#engine.mostCells, mostAtOnce);
    const { window } = this.store.state;
    const start = backwards ? first + overlap : end - overlap;
    const fitting = windowAt(alignment.states, Math.max(1, start), most, backwards);
    // as many as now, where so many were asked for
    const frames = window
      ? Math.min(problem.frames, fitting.end - fitting.first)
      : fitting.end - fitting.first;
    this.lookAtFrames(
      backwards
        ? { first: fitting.end - frames, end: fitting.end }
        : { first: fitting.first, end: fitting.first + frames },
    );
  }

  #scene(analysis: Analysis): Scene {
    const { layer: asked, highlight } = this.store.state;
    // what it is compared with may still be computed
    const layer = asked === 'change' && !analysis.baseline ? 'posterior' : asked;
    // a path is played over all there is
    const position = this.path ? undefined : this.#position;
    const swept = position && { ...position, ...(asked === 'posterior' && { first: 'alpha' as const }) };
    return {
      ...{ analysis, layer, scale: this.scale, theme: dark().matches ? 'dark' : 'light' },
      ...(swept && { sweep: swept }),
      ...(highlight !== undefined && { highlight }),
      ...(this.#difference?.version === analysis.version && { difference: this.#difference }),
      ...(this.#source!.other && { against: this.#source!.other.name }),
    };
  }

  #show(): void {
    const analysis = this.#analysis;
    if (!analysis) return;
    const scene = this.#scene(analysis);
    const { frameSeconds } = this.#source!;
    const { path } = this;
    const { problem, greedy } = analysis;
    const reading = path
      ? { name: 'path', classes: this.#paths!.classes! }
      : { name: 'reads', classes: greedy };
    const end = path && this.#position ? this.#position.frame + 1 : problem.frames;
    this.stage.show({
      ...{ scene, nameOf: this.nameOf, frameSeconds, editing: this.#editing },
      reference: this.#source!.reference,
      reading: { ...reading, end },
      ...{ follows: this.follows, view: this.store.state.view },
    });
    this.#mark();
    this.#legend.show(scene, {
      bestPath: this.store.state.bestPath || this.path !== undefined,
      lines: this.bestPaths.length > 1 || this.#samples.length > 0,
      ways: this.#incoming.length > 0 && !scene.sweep,
    });
  }

  #mark(): void {
    const { bestPath, selected } = this.store.state;
    const sweep = this.#position;
    const isReached =
      !sweep ||
      !selected ||
      this.path !== undefined ||
      (sweep.direction === 'forward'
        ? selected.t <= sweep.frame
        : this.store.state.layer === 'posterior' || selected.t >= sweep.frame);
    this.stage.mark({
      bestPath: bestPath && !sweep && !this.path,
      lines: this.bestPaths.map(({ states }) => states),
      ...{ chosen: this.path?.states, pointed: this.#pointed },
      ...{ samples: this.#samples, selected: isReached ? selected : undefined, hovered: this.#hovered },
      incoming: sweep ? [] : this.#incoming,
      head: this.#head ?? (sweep && sweep.frame + 0.5),
    });
  }

  #say(): void {
    const analysis = this.#analysis!;
    const { problem, backend, greedy } = analysis;
    const { text } = this.store.state;
    const own = this.#whole ? textOfLabels(problem.labels, this.#source!.vocabulary) : text.trim();
    const parts = sayAll(analysis, own, this.#whole ? [] : this.#unspelled());
    const sentence = parts.map(({ text, strong, more }) => {
      // a number and its sign stay together
      const className = [more && 'more', /^\d/.test(text) && 'number'].filter(Boolean).join(' ');
      return make(strong ? 'b' : 'span', { className }, ...withPowers(text));
    });
    const line = make('span', {}, ...sentence);
    // without markup, for a picture
    line.dataset.said = parts.map(({ text }) => text).join('');
    byId('sentence').replaceChildren(line);
    byId('backend').textContent =
      backend.device === 'gpu'
        ? `Computed on WebGPU: ${backend.adapter}.`
        : wantedDevice() === 'cpu'
          ? 'Computed on the CPU, as asked for.'
          : `Computed on the CPU, drawn without WebGPU: ${backend.reason}. Chrome, Edge, Safari 26 and Firefox 141 have it; it may be switched off.`;
    const read = collapse(greedy, problem.blank);
    byId('reading').textContent = `The best symbols read: ${read.map(this.nameOf).join(' ')}`;
  }

  async #hover(cell: Cell | undefined): Promise<void> {
    const before = this.#hovered;
    if (cell?.t === before?.t && cell?.s === before?.s) return;
    this.#hovered = cell;
    this.#point(cell);
    this.#mark();
    await this.#inspect();
  }

  /** The likeliest symbols of a frame, with numbers. */
  #lookAtScore(row: EmissionRow | undefined, t: number, spoken: boolean): void {
    const analysis = this.#analysis;
    if (!row || !analysis) {
      this.stage.tipScores(undefined);
      this.#legend.score = undefined;
      return;
    }
    const { problem, logProbs } = analysis;
    const { frameSeconds } = this.#source!;
    const scores = logProbs.subarray(t * problem.classes, (t + 1) * problem.classes);
    const top = topOf(scores.subarray(0, this.#source!.classes), 5).map(
      (c) => `${this.nameOf(c)}  ${sayProbability(scores[c]!)}`,
    );
    const at = frameOf(problem, t);
    const time = frameSeconds === undefined ? '' : ` · ${(at * frameSeconds).toFixed(2)} s`;
    this.stage.tipScores(t, [`frame ${at}${time}`, ...top].join('\n'));
    const p = row.c === undefined ? undefined : Math.exp(scores[row.c]!);
    const { difference } = this.#scene(analysis);
    this.#legend.score = difference && p !== undefined ? difference.values[t * problem.classes + row.c!] : p;
    if (!spoken) return;
    const own = p === undefined ? '' : `${row.name} ${sayProbability(Math.log(p))}. `;
    byId('spoken').textContent = `Frame ${at}: ${own}Likeliest: ${top.slice(0, 3).join(', ')}.`;
  }

  /** A line under the pointer says what it reads, frame by frame. */
  #point(cell: Cell | undefined): void {
    const analysis = this.#analysis;
    const { bestPath } = this.store.state;
    const likeliest = bestPath ? analysis?.alignment?.states : undefined;
    const lines = [
      this.path?.states,
      ...this.bestPaths.map(({ states }) => states),
      likeliest,
      ...this.#samples,
    ];
    this.#pointed = cell && lines.find((states) => states?.[cell.t] === cell.s);
    if (!analysis || !cell || !this.#pointed) {
      this.stage.tip(undefined);
      return;
    }
    const { symbols } = textOf(this.#pointed, analysis.problem, this.nameOf);
    const share = sayProbability(logOf(analysis.problem, analysis.logProbs, this.#pointed));
    this.stage.tip(cell, `${excerptOf(symbols, cell.t)}  ${share}`);
  }

  #inspect(): Promise<void> {
    return this.#attempt(() => this.#examine());
  }

  /** Tells about the cell under the pointer, or else the selected one. */
  async #examine(): Promise<void> {
    const analysis = this.#analysis;
    if (!analysis) return;
    const { layer } = this.store.state;
    const cell = this.#hovered ?? this.store.state.selected;
    if (!cell) {
      this.#inspector.show(analysis, layer, undefined, undefined, this.nameOf);
      this.#legend.cell = undefined;
      return;
    }
    const { before, after } = neighbours(analysis, cell);
    const probed = await this.#engine.probe(analysis, [cell, ...before, ...after]);
    if (analysis !== this.#analysis) return;
    const [own, ...others] = probed as [CellValues, ...CellValues[]];
    const withCells = [...before, ...after].map((at, i) => ({ ...at, ...others[i]! }));
    const befores = withCells.slice(0, before.length);
    const { selected } = this.store.state;
    // the pointer may rest on what was clicked: the same place, though not the same object
    if (selected && cell.t === selected.t && cell.s === selected.s) {
      const all = logSumExp(befores.map(({ alpha }) => alpha));
      this.#incoming = befores.map(({ t, s, alpha }) => ({
        from: { t, s },
        share: Math.exp(alpha - all) || 0,
      }));
      this.#speak(analysis, cell, own.posterior);
    }
    this.#inspector.show(analysis, layer, cell, own, this.nameOf);
    this.#mark();
    const shown = await this.#engine.shownAt(this.store.state.layer, analysis, cell, own);
    if (analysis !== this.#analysis) return;
    this.#legend.cell = shown;
    if (!this.#inspector.showsSums) return;
    const frameSum = await this.#engine.sum(analysis, cell.t);
    if (analysis !== this.#analysis) return;
    const values = { own, before: befores, after: withCells.slice(before.length), frameSum };
    this.#inspector.showSums(sumsOf(analysis, cell, values, this.nameOf));
  }

  /** The grid beside the canvas goes with the cursor. */
  #mirror(): void {
    const analysis = this.#analysis;
    const { selected } = this.store.state;
    if (!analysis || !selected) return;
    const { problem } = analysis;
    this.#grid.show(
      problem.frames,
      statesOf(problem),
      selected,
      ({ t, s }) => `${nameState(analysis, s, this.nameOf)}, frame ${frameOf(problem, t)}`,
    );
  }

  /** Says where the cursor is, once it rests. */
  #speak(analysis: Analysis, { t, s }: Cell, posterior: number): void {
    clearTimeout(this.#speaking);
    const share = sayProbability(Math.log(posterior));
    const sentence = byId('inspector').querySelector('.says')!;
    this.#speaking = window.setTimeout(() => {
      if (!this.stage.grid.contains(document.activeElement)) return;
      byId('spoken').textContent =
        `Frame ${frameOf(analysis.problem, t)}, ${nameState(analysis, s, this.nameOf)}: ${share} of the path mass. ${sentence.textContent}`;
    }, 400);
  }

  /** For what is computed and drawn from now on. */
  #use(engine: Engine): void {
    this.#engine = engine;
    const { device } = engine;
    this.stage.use((canvas) => (device ? createGpuRenderer(canvas, device) : createHostRenderer(canvas)));
    device?.lost.then(() => this.#replace());
  }

  #lostAt = Number.NEGATIVE_INFINITY;

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

/** The classes of the highest scores, the highest first. */
function topOf(scores: Float32Array, count: number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, count);
}

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

/** The blank between two labels that are the same, where the best path rests on it; else the first label at its surest. */
function firstToLookAt({ problem, alignment }: Analysis): Cell | undefined {
  const { labels } = problem;
  const path = alignment?.states;
  if (labels.length === 0) return undefined;
  const twin = labels.findIndex((label, i) => i > 0 && label === labels[i - 1]);
  const s = twin > 0 ? 2 * twin : 1;
  const frames = path ? [...path.keys()].filter((t) => path[t] === s) : [];
  return { t: frames[frames.length >> 1] ?? Math.min(problem.frames - 1, s), s };
}
