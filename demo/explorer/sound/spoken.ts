// The sound of what is looked at, its words, and where they were moved by hand.
import type { TimedText } from 'webgpu-ctc/text';
import { byId } from '../../shared/dom.js';
import { frameOf } from '../engine/analysis.js';
import type { Page } from '../page.js';
import type { Panel } from '../panels/panels.js';
import type { Source } from '../sources/source.js';
import { Listening } from './listening.js';
import { carried, type Moved, withMoved, wordsIn } from './words.js';
import type { WordsPanel } from './words-panel.js';

export class Spoken {
  readonly #page: Page;
  readonly #listening: Listening;
  /** As they were aligned. */
  #aligned: TimedText | undefined;
  #moved: Moved = new Map();
  #toCome: Moved = new Map();
  /** Of which the words are. */
  #source: Page['source'];
  /** The words that were last aligned. */
  #words: readonly string[] = [];
  #panel: WordsPanel | undefined;

  constructor(page: Page) {
    this.#page = page;
    this.#listening = new Listening((seconds) => this.#follow(seconds));
    page.listen(() => this.#refresh());
    page.stage.listen(() => this.#look());
  }

  /** The words with their seconds, where these are known. */
  get timed(): TimedText | undefined {
    return this.#aligned && withMoved(this.#aligned, this.#moved);
  }

  /** What was moved by hand. */
  get moved(): Moved {
    return this.#moved;
  }

  /** What was moved of the source that comes next. */
  restore(moved: Moved): void {
    this.#toCome = moved;
  }

  /** After each analysis. What was moved by hand stays with its word. */
  #refresh(): void {
    const { source, whole, store } = this.#page;
    const aligned = whole && source && wordsIn(whole, source, store.state);
    if (!isSame(source, this.#source)) [this.#moved, this.#toCome] = [this.#toCome, new Map()];
    // a text that has no path for a moment: the words before it are those that were moved
    else if (aligned)
      this.#moved = carried(
        this.#moved,
        this.#words,
        aligned.words.map(({ text }) => text),
      );
    if (aligned) this.#words = aligned.words.map(({ text }) => text);
    this.#source = source;
    this.#aligned = aligned;
    const changed = source?.sound !== this.#listening.sound;
    this.#listening.sound = source?.sound;
    if (this.#panel && changed) this.#closeWords();
    this.#showWords();
  }

  #showWords(): void {
    this.#panel?.show(this.timed?.words ?? [], this.#moved.size > 0, this.#page.source ?? {});
  }

  /** The panel of the words. The waveform is there as long as it is shown. */
  async openWords(root: HTMLElement): Promise<Panel> {
    const { WordsPanel } = await import('./words-panel.js');
    return {
      refresh: () => {
        const { audio, sound } = this.#listening;
        if (!this.hasWords) return;
        byId('sound').hidden = !sound;
        this.#panel ??= new WordsPanel({
          ...{ wave: byId('wave'), list: root, audio: sound ? audio : undefined },
          moved: (i, start, end) => {
            this.#moved = new Map([...this.#moved, [i, { start, end }]]);
            this.#showWords();
          },
          reset: () => {
            this.#moved = new Map();
            this.#showWords();
          },
        });
        this.#showWords();
        this.#look();
      },
      close: () => this.#closeWords(),
    };
  }

  /** Whether something was moved that is nowhere else. */
  get isMoved(): boolean {
    return this.#moved.size > 0;
  }

  /** Of the waveform what is seen, for a picture. */
  drawOn(context: CanvasRenderingContext2D): void {
    this.#panel?.drawOn(context);
  }

  /** Whether there is anything to hear, or to compare with. */
  get hasWords(): boolean {
    const { source } = this.#page;
    return source?.sound !== undefined || source?.reference !== undefined;
  }

  #closeWords(): void {
    this.#panel?.destroy();
    this.#panel = undefined;
    byId('sound').hidden = true;
    this.#page.stage.redraw();
  }

  #look(): void {
    const { source, stage, analysis } = this.#page;
    if (!source?.frameSeconds || !analysis) return;
    const [first, end] = [stage.frames.first, stage.frames.end].map((t) => frameOf(analysis.problem, t));
    this.#panel?.look({ first: first!, end: end! }, source.frameSeconds);
  }

  #follow(seconds: number | undefined): void {
    const { source, stage, analysis } = this.#page;
    if (seconds === undefined || !source?.frameSeconds || !analysis) {
      this.#page.head = undefined;
      return;
    }
    const frame = seconds / source.frameSeconds - frameOf(analysis.problem, 0);
    this.#page.head = frame;
    if (frame >= 0 && frame < analysis.problem.frames)
      stage.follow(frame, analysis.alignment?.states[Math.floor(frame)]);
    // where only a part is shown, the next
    else if (frame >= 0 && !this.#listening.audio.paused) this.#page.turnPage(false);
  }
}

/** Whether two are of one recording, of which something else may be known. */
const isSame = (one: Source | undefined, other: Source | undefined): boolean => {
  const [own, others] = [one?.own, other?.own];
  const candidate = own?.candidates[own.chosen];
  return (
    one === other ||
    (candidate !== undefined && candidate === others?.candidates[others.chosen] && own?.item === others.item)
  );
};
