// What goes out to the visitor's machine: pictures, arrays, alignments, words.
import { timedTextFormats, writeTimedText } from 'webgpu-ctc/files';
import { byId, notify, save } from '../../shared/dom.js';
import type { Item } from '../../shared/menus.js';
import { statesOf } from '../engine/analysis.js';
import type { Page } from '../page.js';
import type { Spoken } from '../sound/spoken.js';
import { alignmentJson, saveArray, savePicture, saveText } from './exports.js';
import { writeSession } from './session.js';

const layerNames = {
  posterior: 'path mass',
  alpha: 'forward',
  beta: 'backward',
  probability: 'probabilities',
  gradient: 'gradient',
  change: 'change',
} as const;

export class Saving {
  readonly #page: Page;
  readonly #spoken: Spoken;

  constructor(page: Page, spoken: Spoken) {
    this.#page = page;
    this.#spoken = spoken;
  }

  /** What can be saved now. */
  entries(): Item[] {
    const { layer } = this.#page.store.state;
    return [
      {
        name: 'Session',
        about: 'All of this as one file: scores, text, edits, view. Open it here again',
        run: () => this.#save(() => this.#saveSession()),
      },
      { name: 'Picture', about: 'PNG, twice the size', run: () => this.#save(() => this.#savePicture()) },
      {
        name: `Layer: ${layerNames[layer]}`,
        about: `.npy, ${layer === 'gradient' ? '[frames, classes]' : '[frames, states]'}`,
        run: () => this.#save(() => this.#saveLayer()),
      },
      {
        name: 'Alignment',
        about: 'JSON: the best path, words with seconds',
        run: () => this.#save(() => this.#saveAlignment()),
      },
      ...(this.#spoken.timed
        ? timedTextFormats.map((format) => ({
            name: `Words as ${format === 'TextGrid' ? format : format.toUpperCase()}`,
            run: () => this.#save(() => this.#saveWords(format)),
          }))
        : []),
    ];
  }

  get #name(): string {
    const { source } = this.#page;
    return (source?.name ?? 'ctc').replace(/\.[^.]*$/, '').replace(/[^\p{L}\p{N} ._-]+/gu, '-');
  }

  async #save(run: () => void | Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      notify(`This could not be saved: ${(error as Error).message}`);
    }
  }

  async #saveSession(): Promise<void> {
    const { source, store } = this.#page;
    const { moved } = this.#spoken;
    const own = source?.own;
    const { json, isMute, lacksModel } = await writeSession({
      state: store.state,
      moved,
      ...(own && { own }),
    });
    save(`${this.#name}.session.json`, json, 'application/json');
    const left = [isMute ? ['The sound'] : [], lacksModel ? ['The language model'] : []].flat();
    if (left.length > 0)
      notify(left.map((what) => `${what} is larger than 20 MB and was left out.`).join(' '));
  }

  #savePicture(): Promise<void> {
    const ratio = 2;
    const said = byId('sentence').querySelector('span')?.dataset.said ?? '';
    const { stage, colourScale } = this.#page;
    const picture = stage.snapshot(ratio, (context) => this.#spoken.drawOn(context));
    return savePicture(`${this.#name}.png`, picture, ratio, said, colourScale);
  }

  async #saveLayer(): Promise<void> {
    const { analysis, store } = this.#page;
    if (!analysis) throw new Error('nothing has been computed yet');
    const { layer } = store.state;
    const { problem, grad } = analysis;
    const { frames, classes, star } = problem;
    const name = `${this.#name}.${layer}.npy`;
    // a star is no score of the recogniser's
    const own = star ? grad.filter((_, i) => i % classes !== star.c) : grad;
    if (layer === 'gradient') saveArray(name, own, [frames, star ? star.c : classes]);
    else saveArray(name, await this.#page.answers.readLayer(layer), [frames, statesOf(problem)]);
  }

  #saveAlignment(): void {
    const { analysis, whole, source, nameOf, store } = this.#page;
    if (!analysis || !whole) throw new Error('nothing has been computed yet');
    const told = {
      loss: whole === analysis ? analysis.loss : undefined,
      text: store.state.text,
      nameOf,
      frameSeconds: source?.frameSeconds,
      timed: this.#spoken.timed,
    };
    saveText(`${this.#name}.json`, alignmentJson(whole, told));
  }

  #saveWords(format: (typeof timedTextFormats)[number]): void {
    const { source, whole } = this.#page;
    const { words, characters } = this.#spoken.timed!;
    const duration = (whole?.problem.frames ?? 0) * (source?.frameSeconds ?? 0);
    const file = `${this.#name}.${format}`;
    saveText(file, writeTimedText(file, words, { duration, characters }));
  }
}
