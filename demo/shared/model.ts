// The page's side of a model that runs in a worker: what takes long there is told, and can be ended at any time.
import { sayBytes } from './download.js';
import type { Told } from './model-worker.js';

export interface AskOptions {
  /** Ends the worker, whatever it does: the next question starts another. */
  readonly signal: AbortSignal;
  /** What is going on, in words, and how much of it is done, from 0 to 1. */
  readonly say: (what: string, share?: number) => void;
  /** What is said while the model runs. */
  readonly running: string;
  /** Goes to the worker without a copy. */
  readonly transfer?: Transferable[];
}

export interface ModelOptions {
  /** As it is told: `reader`. */
  readonly name: string;
  /** Of all that it downloads. */
  readonly bytes: number;
  readonly start: () => Worker;
}

export class Model {
  readonly #options: ModelOptions;
  #worker: Worker | undefined;
  #loaded = false;
  /** Settled when it is free. */
  #free: Promise<unknown> = Promise.resolve();

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** Whether an answer needs no download. */
  get loaded(): boolean {
    return this.#loaded;
  }

  /**
   * One question at a time: the others wait.
   *
   * @throws Error with what the worker says; the signal's reason when it is aborted.
   */
  ask<Answer>(question: unknown, options: AskOptions): Promise<Answer> {
    const asked = this.#free.then(() => this.#ask<Answer>(question, options));
    this.#free = asked.catch(() => {});
    return asked;
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#loaded = false;
  }

  async #ask<Answer>(question: unknown, options: AskOptions): Promise<Answer> {
    const { signal, say, running, transfer = [] } = options;
    const { name, bytes: all, start } = this.#options;
    signal.throwIfAborted();
    this.#worker ??= start();
    const worker = this.#worker;
    const loading = (bytes: number) =>
      say(`Loading the ${name}: ${sayBytes({ bytes, total: all })} …`, bytes / all);
    let abort = () => {};
    try {
      return await new Promise<Answer>((resolve, reject) => {
        abort = () => {
          this.close();
          reject(signal.reason);
        };
        signal.addEventListener('abort', abort);
        worker.onerror = ({ message }) => {
          this.close();
          reject(new Error(message || `the ${name} could not be loaded`));
        };
        worker.onmessage = ({ data }: MessageEvent<Told<Answer>>) => {
          if (data.kind === 'loading') loading(data.bytes);
          else if (data.kind === 'failed') reject(new Error(data.message));
          else {
            this.#loaded = true;
            if (data.kind === 'done') resolve(data.answer);
            else say(running);
          }
        };
        if (!this.#loaded) loading(0);
        worker.postMessage(question, transfer);
      });
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}

/** 10,822,323 as `10.8`. */
export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
