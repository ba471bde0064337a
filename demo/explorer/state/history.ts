// Steps of editing, there and back.
import type { State } from './state.js';

/** What a step restores. */
export type Step = Pick<State, 'edits' | 'blank'>;

const most = 200;
/** Milliseconds: changes of one thing that follow each other faster are one step, as of a slider that is drawn. */
const pause = 1000;

export class History {
  readonly #past: Step[] = [];
  readonly #future: Step[] = [];
  #last = { what: '', at: Number.NEGATIVE_INFINITY };

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** Before a change: what there is. Strokes are steps of their own, however fast they follow each other. */
  step({ edits, blank }: Step, what: string, now = performance.now()): void {
    const goesOn = what !== 'stroke' && what === this.#last.what && now - this.#last.at < pause;
    this.#last = { what, at: now };
    if (goesOn) return;
    this.#past.push({ edits, blank });
    if (this.#past.length > most) this.#past.shift();
    this.#future.length = 0;
  }

  undo(now: Step): Step | undefined {
    return this.#move(now, this.#past, this.#future);
  }

  redo(now: Step): Step | undefined {
    return this.#move(now, this.#future, this.#past);
  }

  #move({ edits, blank }: Step, from: Step[], to: Step[]): Step | undefined {
    const step = from.pop();
    if (!step) return undefined;
    to.push({ edits, blank });
    this.#last = { what: '', at: Number.NEGATIVE_INFINITY };
    return step;
  }

  clear(): void {
    this.#past.length = this.#future.length = 0;
  }
}
