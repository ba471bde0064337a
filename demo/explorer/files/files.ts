// What comes in from the visitor's machine: files, sounds. Nothing leaves the page.
import { byId, chooseFiles, notify, whileBusy } from '../../shared/dom.js';
import type { Entry } from '../../shared/menus.js';
import { handedOver } from '../../shared/pictures/hand-over.js';
import type { Page } from '../page.js';
import type { Pictures } from '../pictures/pictures.js';
import { Hearing } from '../sound/hearing.js';
import type { Spoken } from '../sound/spoken.js';
import type { Own, Source } from '../sources/source.js';
import { initial, type State } from '../state/state.js';
import { assumptions } from './assumptions.js';
import { type Inputs, readInputs } from './inputs.js';
import { modelIn } from './language.js';
import { ownOf, ownSource } from './own.js';
import { referenceOf } from './reference.js';
import { Saving } from './saving.js';
import type { Session } from './session.js';

/** Tensors that the menu offers to compare with. */
const mostTensors = 6;

/** Who waits for what takes long. */
interface Waiting {
  readonly signal: AbortSignal;
  readonly say: (what: string, share?: number) => void;
}

export class Files {
  readonly #page: Page;
  readonly #spoken: Spoken;
  readonly #saving: Saving;
  readonly #hearing = new Hearing();
  #pictures: Promise<Pictures> | undefined;
  /** The menu shows what is now the case. */
  readonly #changed: () => void;

  constructor(page: Page, spoken: Spoken, changed: () => void) {
    this.#page = page;
    this.#spoken = spoken;
    this.#saving = new Saving(page, spoken);
    this.#changed = changed;
  }

  /** Opens what can be opened of files that belong together, or adds it to what is loaded. */
  async load(files: readonly File[]): Promise<void> {
    await whileBusy(async (signal, say) => {
      const { source } = this.#page;
      const found = await readInputs(files, source ? [source.classes] : []);
      const [first, ...others] = found.candidates;
      if (found.language) await this.#know(found.language);
      if (found.session) await this.#restore(found.session, { signal, say });
      else if (first) await this.#openEmissions([first, ...others], found, { signal, say });
      else if (found.sound && (this.#hearing.model || found.model || !lacksSound(source)))
        await this.#recognise(found.sound, found, { signal, say });
      else if (found.picture) this.#open(await (await this.#read()).read(found.picture, { signal, say }));
      else await this.#add(found, { signal, say });
      tell(found);
    });
  }

  #loadChosen(files: readonly File[]): Promise<void> {
    // on a phone the menu lies over what is loaded
    if (byId('rest').classList.contains('opened')) byId('overflow').click();
    return this.load(files);
  }

  /** The line that the page that reads pictures has left. */
  async loadHandedOver(): Promise<void> {
    const line = handedOver();
    if (line) await this.load([line]);
  }

  #read(): Promise<Pictures> {
    this.#pictures ??= import('../pictures/pictures.js').then(({ Pictures }) => new Pictures(this.#page));
    return this.#pictures;
  }

  async #openEmissions(candidates: Own['candidates'], found: Inputs, waiting: Waiting): Promise<void> {
    const sound = found.sound && (await heardIn(found.sound, waiting));
    this.#open({ candidates, chosen: 0, ...partsOf(found, candidates[0].tensor.name), ...sound });
  }

  /** Of the language, beside what is loaded: the panel about the loss says what changes. */
  async #know(file: File): Promise<void> {
    const { store } = this.#page;
    const { words, others } = store.state.known ?? { words: '', others: false };
    store.set({ known: { words, others, model: await modelIn(file) }, panel: 'loss' });
  }

  async #restore({ state: saved, own, moved, picture, model }: Session, loading: Waiting): Promise<void> {
    const known = model && { ...(saved.known ?? { words: '', others: false }), model: await modelIn(model) };
    const state = { ...saved, ...(known && { known }) };
    const line = picture && (await (await this.#read()).lineIn(picture));
    const source = own && ownSource({ ...own, ...(line && { line }) });
    this.#spoken.restore(moved);
    if (source) this.#page.open(source, state);
    else {
      this.#page.store.set(state);
      await this.#page.openExample(state.example, true, loading);
    }
  }

  async #recognise(sound: File, found: Inputs, waiting: Waiting): Promise<void> {
    const { model, vocabulary } = found;
    if (model) this.#hearing.use(model);
    if (vocabulary && this.#hearing.model) this.#hearing.vocabulary = vocabulary;
    const heard = await this.#hearing.hear(sound, waiting).catch((error) => {
      // what could not be opened hears nothing that follows
      if (model && !waiting.signal.aborted) this.#hearing.use(undefined);
      throw error;
    });
    this.#open({ ...heard, ...partsOf(found, sound.name) });
  }

  /** The visitor's own voice goes the way of any sound. */
  async #record(): Promise<void> {
    const { record } = await import('../sound/recorder.js');
    const sound = await record(this.#hearing.model);
    if (sound) await this.#hear(sound);
  }

  async #hear(sound: File): Promise<void> {
    await whileBusy((signal, say) => this.#recognise(sound, { candidates: [] }, { signal, say }));
  }

  /** What comes later belongs to what is loaded. */
  async #add(found: Inputs, waiting: Waiting): Promise<void> {
    const { source } = this.#page;
    const { model, vocabulary, language, transcript: text, timed } = found;
    if (model) this.#hearing.use(model);
    if (vocabulary && this.#hearing.model) this.#hearing.vocabulary = vocabulary;
    // it waits for a sound
    if (model && !text && !timed) return;
    if (language && !text && !timed && !vocabulary && !found.sound) return;
    if (vocabulary && !source?.own)
      throw new RangeError(
        `${vocabulary.name}: load the emissions that it belongs to first, or both at once.`,
      );
    const { sound, ...texts } = found;
    const parts = partsOf(texts, source!.name);
    const { transcript } = parts;
    if (transcript && !source?.own && !parts.reference) {
      // an example stays one, which a link can carry
      this.#page.store.set({ text: transcript.text.trim().replace(/\s+/gu, ' '), selected: undefined });
      return;
    }
    const own = source!.own ?? (await ownOf(source!));
    // an example is another source then, of the same recording
    if (!source!.own) this.#spoken.restore(this.#spoken.moved);
    const isRead = parts.vocabulary || parts.transcript || parts.reference;
    this.#change(
      { ...own, ...parts, ...(sound && (await heardIn(sound, waiting))) },
      isRead ? 'text' : 'nothing',
    );
  }

  #open(own: Own): void {
    const source = ownSource(own);
    const { known } = this.#page.store.state;
    const panel = own.reference ? { panel: 'words' as const } : {};
    this.#page.open(source, { ...initial, example: 'own', text: source.text, known, ...panel });
  }

  /**
   * Of what is loaded something else is known, or said. `anew`: the scores, and with them what was done to them; the text, and what is
   * selected in it; or nothing.
   */
  #change(own: Own, anew: 'scores' | 'text' | 'nothing'): void {
    const source = ownSource(own);
    const { state } = this.#page.store;
    const change: Partial<State> = { example: 'own', heard: undefined };
    if (anew === 'scores') {
      const { edits, blank, window, view, path } = initial;
      Object.assign(change, { edits, blank, window, view, path });
    }
    if (anew !== 'nothing')
      Object.assign(change, { text: source.text, selected: undefined, highlight: undefined });
    if (own.reference && own.reference !== this.#page.source?.reference)
      Object.assign(change, { panel: 'words' });
    this.#page.open(source, { ...state, ...change });
    this.#changed();
  }

  #attempt(run: () => void): void {
    try {
      run();
    } catch (error) {
      notify((error as Error).message);
      this.#changed();
    }
  }

  /** A recogniser of the visitor's own. */
  #model(): Entry[] {
    const { model } = this.#hearing;
    const forget = () => {
      this.#hearing.use(undefined);
      this.#changed();
    };
    return model === undefined
      ? []
      : [{ name: `Forget ${model}`, about: 'It hears what you record or open', stays: true, run: forget }];
  }

  /** Where anything may be said. */
  #stars(): Entry[] {
    const { store } = this.#page;
    const toggle = (key: 'star' | 'free', name: string, about: string): Entry => ({
      ...{ name, about, checked: store.state[key], stays: true },
      run: () => {
        store.set({ [key]: !store.state[key], selected: undefined, highlight: undefined });
        this.#changed();
      },
    });
    return [
      toggle('star', 'A * stands for anything', 'And so does what cannot be spelled'),
      toggle('free', 'Free ends', 'Anything may be said before the text and behind it'),
    ];
  }

  #comparisons(): Entry[] {
    const { store, source, answers } = this.#page;
    const own = source?.own;
    const others = own?.candidates.map((_, i) => i).filter((i) => i !== own.chosen && i !== own.other) ?? [];
    return [
      {
        ...{ name: 'With another text …', about: 'Which explains the recording better, and where' },
        run: () => store.set({ panel: 'compare', with: store.state.with ?? answers.heard }),
      },
      ...others.slice(0, mostTensors).map((i) => ({
        name: `With ${own!.candidates[i]!.tensor.name}`,
        run: () => this.#attempt(() => this.#compareWith({ ...own!, other: i })),
      })),
      {
        ...{
          name: 'With another tensor …',
          about: 'Of as many frames and classes: another model, another checkpoint',
        },
        run: () => chooseFiles((files) => this.#loadOther(files), '', false),
      },
    ];
  }

  /** Scores beside those that are looked at. */
  async #loadOther(files: readonly File[]): Promise<void> {
    await whileBusy(async () => {
      const { source } = this.#page;
      const { candidates } = await readInputs(files);
      const [other] = candidates;
      if (!other) throw new RangeError(`${files[0]?.name}: expected a tensor of scores`);
      const own = source!.own ?? (await ownOf(source!));
      this.#compareWith({ ...own, candidates: [...own.candidates, other], other: own.candidates.length });
    });
  }

  #compareWith(own: Own): void {
    this.#change(own, 'nothing');
    this.#page.store.set({ panel: 'compare' });
  }

  /** What can be loaded, changed and saved now. */
  entries(): Entry[] {
    const { source } = this.#page;
    return [
      { heading: 'Load' },
      {
        name: 'Open files …',
        about: `Emissions, a vocabulary, a text, words with their times, a sound, an ONNX model, a language model, a picture of a line of text (with a reader of ${Math.round((READER_BYTES.model + READER_BYTES.runtime) / 1e6)} MB): together or one after another. Or drop them anywhere. Nothing leaves this page.`,
        run: () => chooseFiles((files) => this.#loadChosen(files), '', true),
      },
      {
        name: 'Record …',
        about: 'Your voice, at most a minute. What the recogniser can make of it is said first',
        run: () => this.#record(),
      },
      ...this.#model(),
      ...(source?.own
        ? assumptions(source, {
            change: (own, anew) => this.#attempt(() => this.#change(own, anew)),
            hear: (sound) => this.#hear(sound),
          })
        : []),
      { heading: 'In the text' },
      ...this.#stars(),
      { heading: 'Compare' },
      ...this.#comparisons(),
      { heading: 'Save' },
      ...this.#saving.entries(),
    ];
  }
}

/** Whether scores were loaded whose sound may come later. */
const lacksSound = (source: Source | undefined) => source?.own !== undefined && !source.own.sound;

/** Of a name as `talk.npy: logits` the recording's own. */
const baseOf = (name: string) =>
  name
    .replace(/:.*$/s, '')
    .replace(/\.[^.]*$/, '')
    .replace(/\.(logits|log_?probs|probs)$/, '');

function partsOf({ vocabulary, transcript, timed }: Inputs | Omit<Inputs, 'sound'>, name: string) {
  const reference = timed && referenceOf(timed, baseOf(name));
  return {
    ...(vocabulary && { vocabulary }),
    ...(transcript && { transcript }),
    ...(reference && { reference }),
  };
}

async function heardIn(sound: File, { signal, say }: Waiting): Promise<Pick<Own, 'sound' | 'seconds'>> {
  say(`Decoding ${sound.name} …`);
  const { decode, sampleRate } = await import('../sound/decode.js');
  const seconds = (await decode(sound)).length / sampleRate;
  signal.throwIfAborted();
  return { sound, seconds };
}

/** What was taken for what, where that is not plain. */
function tell({ candidates, vocabulary, transcript, timed, sound, model }: Inputs): void {
  const said: string[] = [];
  if (model && !sound) said.push(`${model.name} is remembered: open a sound for it, or record one.`);
  if (candidates.length > 1)
    said.push(`${candidates.length} tensors can be emissions. Here is the first; Data has the others.`);
  if (vocabulary?.guessed) said.push(`${vocabulary.name} is taken for the vocabulary: ${vocabulary.why}.`);
  if (transcript) said.push(`${transcript.name} is taken for the text: ${transcript.why}.`);
  if (timed) said.push(`${timed.name} is the reference, and the text.`);
  if (candidates.length > 0 && !vocabulary)
    said.push('Without a vocabulary classes go by their numbers: type 3 1 4.');
  if (said.length > 0) notify(said.join(' '));
}
