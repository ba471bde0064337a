// What follows from the state: what is asked is computed, then shown.

import { collapse } from '../../learning/best-path.js';
import { dark } from '../shared/canvas.js';
import { wantedDevice } from '../shared/device.js';
import { byId, make, notify, once, withPowers } from '../shared/dom.js';
import { Answers } from './answers.js';
import { type Analysis, type Cell, frameOf, type Problem, statesOf } from './engine/analysis.js';
import { blankOf, unspelledOf } from './engine/asked.js';
import type { Path } from './engine/best-paths.js';
import type { Engine } from './engine/engine.js';
import { starName } from './engine/star.js';
import { leastFrames } from './engine/ways.js';
import type { Window } from './engine/window.js';
import { examples, heard, type Loading } from './sources/examples.js';
import type { Source } from './sources/source.js';
import { textOfLabels } from './sources/spelled.js';
import { noEdits, within } from './state/edits.js';
import { initial, type State, type Store } from './state/state.js';
import { sayAll, sayTooLarge, space } from './view/explain.js';
import { createHostRenderer } from './view/lattice-2d.js';
import { createGpuRenderer } from './view/lattice-gpu.js';
import { type ColourScale, Legend } from './view/legend.js';
import { Looker } from './view/looker.js';
import { Player, type PlayerControls, type Position, sweepsOf } from './view/player.js';
import type { Difference, Scene } from './view/scene.js';
import { isLarge, Stage } from './view/stage.js';

const computing = 'Computing …';
/** Frames times states of a lattice that is shown on a linear scale. */
const mostLinear = 2000;

export class Page {
  readonly store: Store;
  readonly answers: Answers;
  readonly stage: Stage;
  readonly player: Player;
  readonly #legend = new Legend(byId('legend'));
  readonly #looker: Looker;
  readonly #edited: () => void;
  #position: Position | undefined;
  #head: number | undefined;
  #editing = false;
  #difference: Difference | undefined;
  readonly #onAnalysis: (() => void)[] = [];
  readonly #onPlayer: (() => void)[] = [];
  readonly #onPath: (() => void)[] = [];

  constructor(
    store: Store,
    engine: Engine,
    events: {
      readonly paint: ConstructorParameters<typeof Stage>[1]['paint'];
      /** Edits are other ones now, of other scores: those before are no way back. */
      readonly edited: () => void;
    },
  ) {
    this.store = store;
    this.#edited = events.edited;
    this.stage = new Stage(byId('stage'), {
      hover: (cell) => this.#looker.hover(cell),
      pin: (cell) => {
        store.set({ selected: cell });
        this.#looker.focus();
      },
      highlight: (label) => {
        store.set({ highlight: store.state.highlight === label ? undefined : label });
      },
      only: (frames) => this.#lookAtSeen(frames),
      wheel: once(() => notify('To zoom with the wheel, click the lattice first, or hold Ctrl.')),
      look: (row, t, spoken) => this.#looker.lookAtScore(row, t, spoken, this.#shownDifference),
      paint: events.paint,
    });
    this.answers = new Answers(store, engine, {
      waiting: (waiting) => this.#wait(waiting),
      computed: (analysis, isAsked) => this.#computed(analysis, isAsked),
      refused: (problem) => this.#refuse(problem),
      replaced: (device) =>
        this.stage.use((canvas) => (device ? createGpuRenderer(canvas, device) : createHostRenderer(canvas))),
    });
    this.#looker = new Looker({
      ...{ store, answers: this.answers, stage: this.stage, legend: this.#legend, nameOf: this.nameOf },
      changed: () => this.#mark(),
    });
    const [play, scrubber, output, steps] = ['play', 'scrubber', 'progress', 'steps'].map(byId);
    this.player = new Player({ play, scrubber, output, steps } as PlayerControls, (position) => {
      this.#position = position;
      this.#show();
      for (const then of this.#onPlayer) then();
    });
    dark().addEventListener('change', () => this.#show());
    this.answers.start();
    this.#keepView();
    store.listen((state, before) => this.#follow(state, before));
  }

  /** What is seen of the lattice is in the state, once it rests: a browser bears no new address with each picture. */
  #keepView(): void {
    const { store, stage } = this;
    let resting = 0;
    stage.listen(() => {
      clearTimeout(resting);
      resting = window.setTimeout(() => {
        if (stage.view?.join() !== store.state.view?.join()) store.set({ view: stage.view });
      }, 300);
    });
  }

  #follow(state: State, before: State): void {
    const asks: (keyof State)[] = ['text', 'star', 'free', 'edits', 'blank', 'samples', 'window'];
    const asksForChange = state.layer === 'change' && before.layer !== 'change';
    if (asksForChange || asks.some((key) => state[key] !== before[key])) this.answers.refresh();
    else if (state.selected !== before.selected) {
      this.#looker.mirror();
      this.#looker.inspect();
    }
    if (state.view !== before.view) this.stage.view = state.view;
    if (state.layer !== before.layer) this.#looker.inspect();
    if (state.panel !== before.panel || state.path !== before.path) {
      // another is seen to its end first
      this.player.end();
      this.#choosePath();
    }
    this.#setUpPlayer();
    this.#show();
  }

  get source(): Source | undefined {
    return this.answers.source;
  }

  get analysis(): Analysis | undefined {
    return this.answers.analysis;
  }

  /** All frames and their best path, also where a window is shown. */
  get whole(): Answers['whole'] {
    return this.answers.whole;
  }

  /** Of the colours of the lattice. Linear where all that matters can be seen so. */
  get scale(): 'log' | 'linear' {
    const { scale } = this.store.state;
    if (scale || !this.analysis) return scale ?? 'linear';
    const { problem } = this.analysis;
    return problem.frames * statesOf(problem) <= mostLinear ? 'linear' : 'log';
  }

  /** Whether what is seen follows the best path: of a lattice that is looked at in parts it does. */
  get follows(): boolean {
    return this.store.state.follows ?? (this.analysis !== undefined && isLarge(this.analysis));
  }

  get colourScale(): ColourScale | undefined {
    return this.#legend.scale;
  }

  /** The path that is looked at, while one is. */
  get path(): Path | undefined {
    return this.answers.paths?.chosen;
  }

  /** The likeliest, while one path is looked at. */
  get bestPaths(): readonly Path[] {
    return this.answers.paths?.best ?? [];
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
    const { vocabulary, classes } = this.source!;
    if (c === this.blank) return 'blank';
    if (c === vocabulary.delimiter) return space;
    if (c === classes) return starName;
    return vocabulary.read(c).trim() || vocabulary.token(c) || `#${c}`;
  };

  get blank(): number {
    return blankOf(this.source!, this.store.state);
  }

  /** What the rows above the lattice show in place of the scores. */
  set difference(difference: Difference | undefined) {
    if (difference === this.#difference) return;
    this.#difference = difference;
    this.#show();
  }

  /** Selects a label in the middle of its frames on the best path, and shows it with what is around it. */
  goToLabel(i: number): void {
    const analysis = this.analysis;
    if (!analysis?.alignment || i < 0) return;
    const { states } = analysis.alignment;
    const frames = [...states.keys()].filter((t) => states[t] === 2 * i + 1);
    const cell = { t: frames[frames.length >> 1] ?? 0, s: 2 * i + 1 };
    this.store.set({ selected: cell });
    this.stage.approach(cell);
  }

  /** The same for a label of the whole text: where it is not among the frames that are shown, others are. */
  goToLabelOfAll(i: number): void {
    const problem = this.analysis?.problem;
    if (!problem) return;
    const at = i - (problem.firstLabel ?? 0);
    if (at >= 0 && at < problem.labels.length) {
      this.goToLabel(at);
      return;
    }
    const t = this.whole?.alignment?.states.indexOf(2 * i + 1) ?? -1;
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
    this.open(
      source,
      linked ? {} : { ...initial, example: id, text: source.text, known: this.store.state.known },
    );
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
    this.answers.source = source;
    const { frames, classes } = source;
    const { edits, blank, window } = { ...this.store.state, ...change };
    if (change.edits === noEdits || edits !== this.store.state.edits) this.#edited();
    this.store.set({
      ...change,
      edits: within(edits, frames, classes),
      window: window && window.first < frames ? window : undefined,
      blank: blank !== undefined && blank < classes ? blank : undefined,
    });
    this.answers.refresh();
  }

  /** Until what is asked now has been computed and shown. */
  async whenIdle(): Promise<void> {
    do await new Promise((then) => requestAnimationFrame(then));
    while (this.answers.isBusy || !this.analysis);
  }

  /** While something takes long, what is still seen is of the question before: it pales, and the sentence says so. */
  #wait(waiting: boolean): void {
    const stage = byId('stage');
    stage.ariaBusy = String(waiting);
    stage.classList.toggle('stale', waiting);
    if (waiting) byId('sentence').replaceChildren(make('span', {}, computing));
    // it failed: what is seen is what there was
    else if (byId('sentence').textContent === computing && this.analysis) this.#say();
  }

  async #computed(analysis: Analysis, isAsked: boolean): Promise<void> {
    this.#setUpPlayer();
    const { problem } = analysis;
    const { selected, highlight } = this.store.state;
    const isThere = selected && selected.t < problem.frames && selected.s < statesOf(problem);
    if (isAsked && !isThere) this.store.set({ selected: firstToLookAt(analysis) });
    if (highlight !== undefined && highlight >= problem.labels.length)
      this.store.set({ highlight: undefined });
    this.#looker.mirror();
    this.#say();
    this.#show();
    await this.#looker.examine();
    for (const then of this.#onAnalysis) then();
  }

  /** There is nothing to show; the sentence says why. */
  #refuse(problem: Problem): void {
    this.stage.clear();
    const { state } = this.store;
    // no path tells which labels a part of it has
    const why =
      leastFrames(problem.labels) > problem.frames
        ? sayAll(
            { problem, loss: Number.POSITIVE_INFINITY },
            state.text.trim(),
            unspelledOf(this.source!, state),
          )
        : [{ text: sayTooLarge(problem, this.answers.engine.mostCells) }];
    byId('sentence').textContent = why.map(({ text }) => text).join('');
  }

  /** Play follows the layer that is chosen. */
  #setUpPlayer(): void {
    const analysis = this.analysis;
    if (!analysis) return;
    const sweeps = this.path ? (['forward'] as const) : sweepsOf[this.store.state.layer];
    this.player.setUp(analysis.problem.frames, sweeps, frameOf(analysis.problem, 0));
  }

  async #choosePath(): Promise<void> {
    await this.answers.attempt(async () => {
      if (!(await this.answers.choosePath())) return;
      this.#setUpPlayer();
      this.#show();
      for (const then of this.#onPath) then();
    });
  }

  /** Frames that are seen, and no others. */
  #lookAtSeen({ first, end }: Window): void {
    const { problem } = this.analysis!;
    this.lookAtFrames({
      first: frameOf(problem, Math.floor(first)),
      end: frameOf(problem, Math.ceil(end)),
    });
  }

  /** Another window: frames of the recording. */
  lookAtFrames(window: Window | undefined): void {
    this.store.set({ window, view: undefined, selected: undefined, highlight: undefined });
  }

  /** The frames before or after those that are shown. */
  turnPage(backwards: boolean): void {
    const window = this.answers.pageBeside(backwards);
    if (window) this.lookAtFrames(window);
  }

  /** Of the analysis that is shown, and of no other. */
  get #shownDifference(): Difference | undefined {
    return this.#difference?.version === this.analysis?.version ? this.#difference : undefined;
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
      ...(this.#shownDifference && { difference: this.#shownDifference }),
      ...(this.source!.other && { against: this.source!.other.name }),
    };
  }

  #show(): void {
    const analysis = this.analysis;
    if (!analysis) return;
    const scene = this.#scene(analysis);
    const { frameSeconds } = this.source!;
    const { path } = this;
    const { problem, greedy } = analysis;
    const reading = path
      ? { name: 'path', classes: this.answers.paths!.classes! }
      : { name: 'reads', classes: greedy };
    const end = path && this.#position ? this.#position.frame + 1 : problem.frames;
    this.stage.show({
      ...{ scene, nameOf: this.nameOf, frameSeconds, editing: this.#editing },
      reference: this.source!.reference,
      reading: { ...reading, end },
      ...{ follows: this.follows, view: this.store.state.view },
    });
    this.#mark();
    this.#legend.show(scene, {
      bestPath: this.store.state.bestPath || this.path !== undefined,
      lines: this.bestPaths.length > 1 || this.answers.samples.length > 0,
      ways: this.store.state.selected !== undefined && !scene.sweep,
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
      ...{ chosen: this.path?.states, samples: this.answers.samples },
      selected: isReached ? selected : undefined,
      ...this.#looker.marks,
      ...(sweep && { incoming: [] }),
      head: this.#head ?? (sweep && sweep.frame + 0.5),
    });
  }

  #say(): void {
    const analysis = this.analysis!;
    const { problem, backend, greedy } = analysis;
    const { text } = this.store.state;
    const source = this.source!;
    const { isPart } = this.answers;
    const own = isPart ? textOfLabels(problem.labels, source.vocabulary) : text.trim();
    const parts = sayAll(analysis, own, isPart ? [] : unspelledOf(source, this.store.state));
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
