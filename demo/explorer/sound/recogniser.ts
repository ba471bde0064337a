// From a sound to emissions, in the page: nothing is sent anywhere.
import type { FileTensor } from 'webgpu-ctc/files';
import { Model } from '../../shared/model.js';
import { decode, sampleRate } from './decode.js';
import type { Output, Question } from './recogniser-worker.js';

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
  readonly #worker: Model;

  constructor(model?: File) {
    this.model = model;
    this.#worker = new Model(
      model
        ? {
            ...{ name: 'ONNX Runtime', bytes: READER_BYTES.runtime },
            start: () =>
              new Worker(new URL('./recogniser-worker.ts', import.meta.url), { type: 'module', name: 'own' }),
          }
        : {
            ...{ name: 'recogniser', bytes: RECOGNISER_BYTES },
            start: () => new Worker(new URL('./recogniser-worker.ts', import.meta.url), { type: 'module' }),
          },
    );
  }

  /** @throws RangeError naming the sound, or the model, and what is wrong; the signal's reason when it is aborted. */
  async recognise(sound: File, { signal, say }: RecogniseOptions): Promise<Recognised> {
    say(`Decoding ${sound.name} …`);
    const samples = await decode(sound);
    signal.throwIfAborted();
    const seconds = samples.length / sampleRate;
    const outputs = await this.#run(samples, { signal, say, running: `Recognising ${sound.name} …` });
    const name = (output: string) => (outputs.length > 1 ? `${sound.name}: ${output}` : sound.name);
    return {
      tensors: outputs.map(({ name: output, data, shape }) => ({
        ...{ name: name(output), dtype: 'f4', data, shape },
      })),
      seconds,
    };
  }

  close(): void {
    this.#worker.close();
  }

  async #run(
    samples: Float32Array<ArrayBuffer>,
    options: RecogniseOptions & { readonly running: string },
  ): Promise<readonly Output[]> {
    const { model } = this;
    const own = model && !this.#worker.loaded && new Uint8Array(await model.arrayBuffer());
    const question: Question = { samples, ...(own && { model: own }) };
    const transfer = [samples.buffer, ...(own ? [own.buffer] : [])];
    try {
      return await this.#worker.ask<readonly Output[]>(question, { ...options, transfer });
    } catch (error) {
      if (!model || options.signal.aborted) throw error;
      // it would be taken for opened
      this.close();
      throw new RangeError(`${model.name}: ${(error as Error).message}`);
    }
  }
}
