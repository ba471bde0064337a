// What could be read in the scores, whatever the text, and what changes once words are known: a part of the panel about the loss.
import { chooseFiles, make, notify, whileBusy, withPowers } from '../../shared/dom.js';
import { ownScores, type Problem } from '../engine/analysis.js';
import { differenceOf } from '../engine/difference.js';
import { hasNames, mostFramesRead, type Read, type Reading, readingsOf } from '../engine/readings.js';
import { sayProbability } from '../engine/ways.js';
import { isModel, modelIn } from '../files/language.js';
import type { Page } from '../page.js';
import type { Source } from '../sources/source.js';
import { type Known, wordsIn } from '../state/known.js';

/** Milliseconds after the last letter. */
const pause = 300;
/** What a model counts as words: `<s>`, `</s>` and `<unk>`. */
const marks = 3;
/** Letters of a list that is shown for editing; a longer one is told by its number of words. */
const mostShown = 20_000;
/** Letters beyond which a text has lines of its own. */
const longText = 16;
/** Of a list. */
const mostBytes = 20e6;

export class Readings {
  readonly root = make('section', { className: 'readings' });
  readonly #page: Page;
  readonly #alone = make('div');
  readonly #words = make('textarea', {
    ...{ id: 'known-words', rows: 2, spellcheck: false, placeholder: 'or drop a list here' },
  });
  readonly #others = make('input', { type: 'checkbox' });
  readonly #model = make('p', { className: 'model' });
  readonly #with = make('div', { ariaLive: 'polite' });
  readonly #more: HTMLDetailsElement;
  /** What is read is of: scores, and what is known. */
  #problem: Problem | undefined;
  #source: Source | undefined;
  #known: Known | 'nothing yet' | undefined = 'nothing yet';
  #asked = 0;
  #typing = 0;
  /** What is read of the analysis without all knowledge. */
  #before: Read | undefined;

  constructor(page: Page) {
    this.#page = page;
    const [words, others] = [this.#words, this.#others];
    words.setAttribute('autocapitalize', 'none');
    words.setAttribute('aria-describedby', 'known-how');
    words.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = window.setTimeout(() => this.#know({ words: words.value }), pause);
    });
    words.addEventListener('drop', (event) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      event.stopPropagation();
      document.body.classList.remove('dropping');
      this.#take(files);
    });
    others.addEventListener('change', () => this.#know({ others: others.checked }));
    const choose = () => chooseFiles((files) => this.#take(files), '.txt,.arpa,.gz,.lm,text/plain');
    this.#more = make(
      'details',
      {},
      make('summary', {}, 'Read it with words that are known'),
      make('label', { htmlFor: words.id }, 'Words'),
      words,
      make(
        'p',
        { id: 'known-how' },
        'Words that may be read, and no others. A language model says which words follow each other: a file .arpa, .arpa.gz or .lm.',
      ),
      make('label', { className: 'check' }, others, ' Others, too, less readily'),
      make('div', { className: 'buttons' }, make('button', { onclick: choose }, 'Open a list or a model')),
      this.#model,
      this.#with,
    );
    this.root.append(make('h2', {}, 'What could be read in it?'), this.#alone, this.#more);
  }

  /** Of the analysis that is shown, which has no score that is no number. */
  refresh(): void {
    const { analysis, store, source } = this.#page;
    const { known } = store.state;
    if (!analysis || !source) return;
    const { problem } = analysis;
    // whatever the text is
    const isOther = source !== this.#source || !this.#problem || !areScoresOf(this.#problem, problem);
    this.#problem = problem;
    this.#source = source;
    if (!isOther && known === this.#known) return;
    if (isOther) this.#before = undefined;
    this.#known = known;
    this.#fill(known);
    if (isOther) this.#alone.ariaBusy = 'true';
    this.#with.ariaBusy = 'true';
    this.#read(++this.#asked, problem, source);
  }

  close(): void {
    // what is not read yet is read when it is opened again
    if (this.#with.ariaBusy === 'true') this.#known = 'nothing yet';
    this.#asked++;
  }

  /** The fields, with what is known. */
  #fill(known: Known | undefined): void {
    const { words = '', others = false, model } = known ?? {};
    if (known) this.#more.open = true;
    this.#others.checked = others;
    // what is being typed is left alone
    if (document.activeElement !== this.#words) this.#words.value = words.length > mostShown ? '' : words;
    const parts: (Node | string)[] = [];
    if (words.length > mostShown) parts.push(`${wordsIn(words).length.toLocaleString('en')} words of a list`);
    if (model) {
      const { order, counts } = model.nGram;
      parts.push(
        `${parts.length > 0 ? '; ' : ''}${model.name}: ${Math.max(0, counts[0]! - marks).toLocaleString('en')} words, ${order}-grams`,
      );
    }
    const forget = () => this.#page.store.set({ known: undefined });
    this.#model.replaceChildren(
      ...parts,
      ...(parts.length > 0 ? [' ', make('button', { onclick: forget }, 'Forget')] : []),
    );
    this.#model.hidden = parts.length === 0;
  }

  async #read(asked: number, problem: Problem, source: Source): Promise<void> {
    const { known } = this.#page.store.state;
    const isOld = () => asked !== this.#asked;
    const most = mostFramesRead(source);
    const isLong = problem.frames > most;
    this.#more.hidden = isLong || !hasNames(source);
    if (isLong) {
      const [all, some] = [problem.frames, most].map((count) => count.toLocaleString('en'));
      this.#alone.replaceChildren(
        make(
          'p',
          {},
          `A beam search of ${all} frames would hold the page up. It looks at up to ${some} of them: zoom in, and choose Only these frames.`,
        ),
      );
      this.#alone.ariaBusy = 'false';
      this.#with.ariaBusy = 'false';
      return;
    }
    try {
      // what else changes is seen first
      await new Promise((resolve) => setTimeout(resolve));
      if (isOld()) return;
      const before = this.#before ?? (await readingsOf(problem, source));
      if (isOld()) return;
      this.#before = before;
      this.#showAlone(before);
      const read = known && hasNames(source) ? await readingsOf(problem, source, known) : undefined;
      if (!isOld()) this.#showWith(read, before);
    } catch (error) {
      if (isOld()) return;
      notify(`This could not be read: ${(error as Error).message}`);
      for (const list of [this.#alone, this.#with]) {
        list.replaceChildren();
        list.ariaBusy = 'false';
      }
    }
  }

  #showAlone({ readings }: Read): void {
    const sum = readings.reduce((all, { log }) => all + Math.exp(log), 0);
    const spaces = this.#page.source!.vocabulary.delimiter !== undefined;
    this.#alone.replaceChildren(
      make(
        'p',
        {},
        `The ${readings.length} likeliest of all texts; together they have `,
        make('b', {}, ...withPowers(sayProbability(Math.log(sum)))),
        '. A beam search finds them: it goes from frame to frame with the hundred best beginnings.',
        spaces ? ' However many spaces part two words, it is one text.' : '',
      ),
      this.#list(readings),
    );
    this.#alone.ariaBusy = 'false';
  }

  #showWith(read: Read | undefined, before: Read): void {
    this.#with.ariaBusy = 'false';
    if (!read) {
      this.#with.replaceChildren();
      return;
    }
    const { readings, notes } = read;
    const isNothing = readings.every(({ text }) => text === '');
    const isSame = readings[0]?.text === before.readings[0]?.text;
    const said = isNothing
      ? 'No text of these words has a path through the frames.'
      : `${isSame ? 'The same text comes first' : 'Another text comes first'}. Beside each is where it was before, and what the recogniser alone gives it.`;
    this.#with.replaceChildren(
      make('h3', {}, 'With what is known'),
      ...notes.map((note) => make('p', {}, note)),
      make('p', {}, said),
      ...(isNothing ? [] : [this.#list(readings, before.readings)]),
    );
  }

  #list(readings: readonly Reading[], before?: readonly Reading[]): HTMLElement {
    const [first] = before ?? readings;
    const items = readings.map((reading) => this.#item(reading, first?.text ?? '', before));
    return make('ol', { className: 'rivals' }, ...items);
  }

  /** A text, what differs in it from the first one marked. */
  #item({ text, log }: Reading, first: string, before?: readonly Reading[]): HTMLElement {
    const { store } = this.#page;
    const button = make(
      'button',
      {
        className: text.length > longText ? 'long' : '',
        onclick: () => store.set({ text, selected: undefined }),
      },
      make('code', {}, ...(text === '' ? ['(nothing)'] : marked(text, first))),
      make('span', {}, ...withPowers(sayProbability(log))),
      make('small', {}, before ? sayPlace(before.findIndex((other) => other.text === text)) : ''),
      make('i'),
    );
    const share = Math.exp(log);
    button.style.setProperty('--share', String(share < 0.005 ? 0 : share));
    return make('li', {}, button);
  }

  #know(change: Partial<Known>): void {
    const { store } = this.#page;
    // what was typed a moment ago
    const typed = this.#typing && { words: this.#words.value };
    clearTimeout(this.#typing);
    this.#typing = 0;
    const { words, others, model } = { words: '', others: false, ...store.state.known, ...typed, ...change };
    store.set({
      known: words.trim() || model ? { words, others, ...(model && { model }) } : undefined,
    });
  }

  /** A list of words, or a language model. */
  async #take([file]: readonly File[]): Promise<void> {
    if (!file) return;
    await whileBusy(async (_, say) => {
      say(`Reading ${file.name} …`);
      if (await isModel(file)) return this.#know({ model: await modelIn(file) });
      if (file.size > mostBytes)
        throw new RangeError(
          `${file.name}: expected at most 20 MB of words, got ${(file.size / 1e6).toFixed(0)} MB`,
        );
      const words = await file.text();
      if (words.includes('\0'))
        throw new RangeError(`${file.name}: expected a list of words or a language model`);
      this.#know({ words });
      this.#words.value = words.length > mostShown ? '' : words;
    });
  }
}

/** Whether two problems are of the same scores. */
function areScoresOf(one: Problem, other: Problem): boolean {
  const [a, b] = [ownScores(one).logits, ownScores(other).logits];
  return one.blank === other.blank && a.length === b.length && a.every((score, i) => score === b[i]);
}

const sayPlace = (at: number): string =>
  at < 0 ? 'new' : `was ${['first', 'second', 'third'][at] ?? `${at + 1}th`}`;

/** A text, with what another has not, in whole words where there are several, marked. */
function marked(text: string, other: string): (Node | string)[] {
  const isWords = text.includes(' ');
  const [own, others] = [text, other].map((one) => one.split(isWords ? ' ' : /(?:)/u));
  const numbers = new Map([...new Set([...own!, ...others!])].map((part, i) => [part, i]));
  const [a, b] = [own!, others!].map((parts) => parts.map((part) => numbers.get(part)!));
  return differenceOf(a!, b!).flatMap(({ same, text: { first, end } }, i) => {
    const part = own!.slice(first, end).join(isWords ? ' ' : '');
    const parts = same ? [part] : part === '' ? [] : [make('mark', {}, part)];
    return isWords && i > 0 && parts.length > 0 ? [' ', ...parts] : parts;
  });
}
