// The story of CTC in five steps, told over the live lattice.
import { byId, make } from '../../shared/dom.js';
import type { Page } from '../page.js';
import { initial, type State } from '../state/state.js';
import { stepsOf } from './steps.js';
import './story.css';

/** What the visitor does that leaves the story behind. */
const ownDoing: readonly (keyof State)[] = ['example', 'heard', 'text', 'edits', 'blank'];

/** Of the usual speed, so that one can read beside it. */
const slowly = 0.4;

export class Story {
  readonly #page: Page;
  readonly #root = byId('story');

  constructor(page: Page) {
    this.#page = page;
    page.store.listen((state, before) => {
      if (state.story === undefined) this.#end();
      else if (state.story !== before.story) this.#tell(state.story);
      else if (ownDoing.some((key) => state[key] !== before[key])) this.#skip();
    });
    const { story } = page.store.state;
    if (story !== undefined) this.#tell(story);
  }

  #end(): void {
    this.#root.replaceChildren();
    delete document.body.dataset.story;
  }

  #skip(): void {
    this.#page.store.set({ story: undefined });
  }

  #tell(number: number): void {
    const { store } = this.#page;
    const steps = stepsOf();
    const step = steps[number - 1]!;
    const { example, heard, text, edits, blank } = store.state;
    const focused = this.#root.contains(document.activeElement);
    document.body.dataset.story = String(number);
    store.set({ ...initial, ...{ example, heard, text, edits, blank, story: number }, ...step.shows });
    const links = steps.map(({ title }, i) => {
      const link = make('a', { href: `#story=${i + 1}`, title }, String(i + 1));
      link.ariaLabel = `Step ${i + 1}: ${title}`;
      if (i + 1 === number) link.ariaCurrent = 'step';
      return link;
    });
    const isLast = number === steps.length;
    const next = make(
      'button',
      { onclick: () => store.set({ story: isLast ? undefined : number + 1 }) },
      isLast ? 'Done' : 'Next',
    );
    const heading = make('h2', { tabIndex: -1 }, step.title);
    this.#root.replaceChildren(
      make('nav', { ariaLabel: 'Steps of the story' }, ...links),
      heading,
      make('p', {}, ...step.says),
      make(
        'div',
        { className: 'buttons' },
        next,
        ...(step.plays ? [make('button', { onclick: () => this.#play(number) }, 'Play')] : []),
        ...(isLast ? [] : [make('button', { onclick: () => this.#skip() }, 'Skip')]),
      ),
    );
    if (focused) next.focus();
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (step.plays && !still) this.#play(number);
  }

  /** From the beginning and slowly, once the lattice of the step is there. */
  async #play(number: number): Promise<void> {
    const { player, store } = this.#page;
    await this.#page.whenIdle();
    if (store.state.story !== number) return;
    player.end();
    player.play(slowly);
  }
}
