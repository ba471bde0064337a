// What comes in from the visitor's machine and what goes out to it: files, sounds, words. Nothing leaves the page otherwise.
import { scoreKinds, timedTextFormats, writeTimedText } from 'webgpu-ctc/files';
import { byId, chooseFiles, notify, whileBusy } from '../../shared/dom.js';
import type { Entry } from '../../shared/menus.js';
import { handedOver } from '../../shared/pictures/hand-over.js';
import { statesOf } from '../engine/analysis.js';
import type { Page } from '../page.js';
import type { Pictures } from '../pictures/pictures.js';
import type { Spoken } from '../sound/spoken.js';
import { speechFrameSeconds, speechTokens } from '../sources/examples.js';
import type { Own } from '../sources/source.js';
import { initial } from '../state/state.js';
import { alignmentJson, saveArray, savePicture, saveText } from './exports.js';
import { readInputs } from './inputs.js';
import { ownSource } from './own.js';

const layerNames = {
  posterior: 'path mass',
  alpha: 'forward',
  beta: 'backward',
  probability: 'probabilities',
  gradient: 'gradient',
  change: 'change',
} as const;

/** Files that come in and go out. */
export class Files {
  readonly #page: Page;
  readonly #spoken: Spoken;
  #pictures: Promise<Pictures> | undefined;

  constructor(page: Page, spoken: Spoken) {
    this.#page = page;
    this.#spoken = spoken;
  }

  /** Opens what can be opened of files that belong together. */
  async load(files: readonly File[]): Promise<void> {
    await whileBusy(async (signal, say) => {
      const { candidates, tokens, sound, picture } = await readInputs(files);
      const { source } = this.#page;
      const [first, ...others] = candidates;
      if (first) {
        if (sound) say(`Decoding ${sound.name} …`);
        const heard = sound && { sound, seconds: await secondsOf(sound) };
        signal.throwIfAborted();
        this.#open({ candidates: [first, ...others], chosen: 0, ...(tokens && { tokens }), ...heard });
        if (others.length > 0)
          notify(`${candidates.length} tensors can be emissions. Here is the first; Data has the others.`);
        else if (!tokens) notify('Without a vocab.json classes go by their numbers: type 3 1 4.');
      } else if (sound) {
        const { recognise } = await import('../sound/recogniser.js');
        const { tensor, seconds } = await recognise(sound, { signal, say });
        const known = { tokens: tokens ?? (await speechTokens()), frameSeconds: speechFrameSeconds };
        this.#open({ candidates: [{ tensor, kind: 'logits' }], chosen: 0, sound, seconds, ...known });
      } else if (picture) {
        this.#pictures ??= import('../pictures/pictures.js').then(({ Pictures }) => new Pictures(this.#page));
        this.#open(await (await this.#pictures).read(picture, { signal, say }));
      } else if (tokens) {
        if (!source?.own)
          throw new RangeError('vocab.json: load the emissions that it belongs to first, or both at once.');
        this.#open({ ...source.own, tokens });
      }
    });
  }

  /** The line that the page that reads pictures has left. */
  async loadHandedOver(): Promise<void> {
    const line = handedOver();
    if (line) await this.load([line]);
  }

  #open(own: Own): void {
    const source = ownSource(own);
    this.#page.open(source, { ...initial, example: 'own', text: source.text });
  }

  /** What can be loaded and saved now. */
  entries(): Entry[] {
    const { source } = this.#page;
    const own = source?.own;
    return [
      { heading: 'Load' },
      {
        name: 'Open files …',
        about: `Emissions (.npy, .npz, .safetensors, .json), a vocab.json, a sound, a picture of a line of text, which takes a reader of ${Math.round((READER_BYTES.model + READER_BYTES.runtime) / 1e6)} MB. Or drop them anywhere. Nothing leaves this page.`,
        run: () => chooseFiles((files) => this.load(files), '', true),
      },
      ...(own ? this.#ownEntries(own) : []),
      { heading: 'Save' },
      { name: 'Picture', about: 'PNG, twice the size', run: () => this.#save(() => this.#savePicture()) },
      {
        name: `Layer: ${layerNames[this.#page.store.state.layer]}`,
        about: `.npy, ${this.#page.store.state.layer === 'gradient' ? '[frames, classes]' : '[frames, states]'}`,
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

  /** What can be changed about what was loaded. */
  #ownEntries(own: Own): Entry[] {
    const { candidates, chosen, kind: asked, ...rest } = own;
    const detected = candidates[chosen]!.kind;
    const tensors = candidates.map(({ tensor }, i) => ({
      name: tensor.name,
      about: `[${tensor.shape.join(', ')}]`,
      checked: i === chosen,
      run: () => this.#change({ ...rest, candidates, chosen: i }),
    }));
    return [
      ...(candidates.length > 1 ? [{ heading: 'Tensor' }, ...tensors] : []),
      { heading: 'The scores are' },
      ...scoreKinds.map((kind) => ({
        name: { logits: 'Logits', 'log-probs': 'Log-probabilities', probs: 'Probabilities' }[kind],
        ...(kind === detected && { about: 'As detected' }),
        checked: kind === (asked ?? detected),
        run: () => this.#change({ ...own, kind }),
      })),
    ];
  }

  #change(own: Own): void {
    try {
      this.#open(own);
    } catch (error) {
      notify((error as Error).message);
    }
  }

  // files that go out

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

  #savePicture(): Promise<void> {
    const ratio = 2;
    const said = byId('sentence').querySelector('span')?.dataset.said ?? '';
    const { stage, colourScale } = this.#page;
    return savePicture(
      `${this.#name}.png`,
      stage.snapshot(ratio, (context) => this.#spoken.drawOn(context)),
      ratio,
      said,
      colourScale,
    );
  }

  async #saveLayer(): Promise<void> {
    const { analysis, store } = this.#page;
    if (!analysis) throw new Error('nothing has been computed yet');
    const { layer } = store.state;
    const { problem, grad } = analysis;
    const name = `${this.#name}.${layer}.npy`;
    if (layer === 'gradient') saveArray(name, grad, [problem.frames, problem.classes]);
    else saveArray(name, await this.#page.readLayer(layer), [problem.frames, statesOf(problem)]);
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

async function secondsOf(sound: File): Promise<number> {
  const { decode, sampleRate } = await import('../sound/recogniser.js');
  return (await decode(sound)).length / sampleRate;
}
