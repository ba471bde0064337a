// From a sound to emissions, in the page: nothing is sent anywhere.
import type { FileTensor } from 'webgpu-ctc/files';
import { sayBytes } from '../../shared/download.js';
import { decode, sampleRate } from './decode.js';
import type { Question, Told } from './recogniser-worker.js';

export interface Recognised {
  /** What can be scores: of the page's own recogniser logits, [frames, 1, classes]. */
  readonly tensors: readonly FileTensor[];
  readonly seconds: number;
}

export interface RecogniseOptions {
  readonly signal: AbortSignal;
  /** What is going on, in words. */
  readonly say: (what: string, share?: number) => void;
}

/**
 * The small recogniser of fixtures/speech, which knows some 600 words of three synthetic voices, or a model of somebody's own. It
 * is loaded with the first sound, and stays for those that follow.
 */
export class Recogniser {
  /** Somebody's own. */
  readonly model: File | undefined;
  #worker: Worker | undefined;

  constructor(model?: File) {
    this.model = model;
  }

  /** @throws RangeError naming the sound, or the model, and what is wrong; the signal's reason when it is aborted. */
  async recognise(sound: File, { signal, say }: RecogniseOptions): Promise<Recognised> {
    say(`Decoding ${sound.name} …`);
    const samples = await decode(sound);
    signal.throwIfAborted();
    const seconds = samples.length / sampleRate;
    const { model } = this;
    const isNew = this.#worker === undefined;
    const own = isNew && model && new Uint8Array(await model.arrayBuffer());
    const worker = this.#start();
    const question: Question = { samples, ...(own && { model: own }) };
    try {
      const { outputs } = await new Promise<Extract<Told, { kind: 'done' }>>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        worker.onerror = ({ message }) => reject(new Error(message || 'the recogniser could not be loaded'));
        worker.onmessage = ({ data }: MessageEvent<Told>) => {
          if (data.kind === 'done') resolve(data);
          else if (data.kind === 'failed')
            reject(new RangeError(`${model?.name ?? sound.name}: ${data.message}`));
          else if (data.kind === 'recognising') say(`Recognising ${sound.name} …`);
          else this.#sayLoaded(say, data.bytes);
        };
        if (isNew) this.#sayLoaded(say, 0);
        worker.postMessage(question, [samples.buffer, ...(own ? [own.buffer] : [])]);
      });
      const name = (output: string) => (outputs.length > 1 ? `${sound.name}: ${output}` : sound.name);
      return {
        tensors: outputs.map(({ name: output, data, shape }) => ({
          name: name(output),
          dtype: 'f4',
          data,
          shape,
        })),
        seconds,
      };
    } catch (error) {
      // what is still under way there is not waited for
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    this.#worker ??= new Worker(new URL('./recogniser-worker.ts', import.meta.url), { type: 'module' });
    return this.#worker;
  }

  #sayLoaded(say: RecogniseOptions['say'], bytes: number): void {
    const total = this.model ? undefined : RECOGNISER_BYTES;
    const what = this.model ? 'what runs the model' : 'the recogniser';
    say(`Loading ${what}: ${sayBytes({ bytes, total })} …`, total && bytes / total);
  }
}
