// From a sound to what can be loaded: by the recogniser of the page, or by a model that somebody has given.
import { readEmissions } from '../files/tensors.js';
import { speechFrameSeconds, speechVocabulary } from '../sources/examples.js';
import type { Candidate, Own, TextFile } from '../sources/source.js';
import { type RecogniseOptions, Recogniser } from './recogniser.js';

export class Hearing {
  #recogniser = new Recogniser();
  /** Of the model. */
  #vocabulary: TextFile | undefined;

  /** The name of a model of the visitor's own, which is remembered. */
  get model(): string | undefined {
    return this.#recogniser.model?.name;
  }

  /** From now on sounds are heard by this; undefined: by the page's own. */
  use(model: File | undefined): void {
    this.#recogniser.close();
    this.#recogniser = new Recogniser(model);
    this.#vocabulary = undefined;
  }

  /** What comes with a model, or after it, belongs to it. */
  set vocabulary(vocabulary: TextFile) {
    this.#vocabulary = vocabulary;
  }

  /** @throws RangeError naming what is wrong; the signal's reason when it is aborted. */
  async hear(sound: File, options: RecogniseOptions): Promise<Own> {
    const isOwn = this.model !== undefined;
    const { tensors, seconds } = await this.#recogniser.recognise(sound, options);
    const [first, ...others] = isOwn
      ? scoresAmong(tensors)
      : tensors.map((tensor): Candidate => ({ tensor, said: 'logits' }));
    const vocabulary = this.#vocabulary ?? (isOwn ? undefined : await speechVocabulary());
    return {
      ...{ candidates: [first!, ...others], chosen: 0, sound, seconds },
      ...(vocabulary && { vocabulary }),
      // a model of somebody's own has frames of a length that nobody knows: they share the sound's time
      ...(!isOwn && { frameSeconds: speechFrameSeconds }),
    };
  }
}

/** What of the outputs of a model can be emissions; where nothing can, the first says why not. */
function scoresAmong(tensors: readonly Candidate['tensor'][]): Candidate[] {
  let why: unknown;
  const found = tensors.flatMap((tensor) => {
    try {
      readEmissions({ tensor });
      return [{ tensor }];
    } catch (error) {
      why ??= error;
      return [];
    }
  });
  if (found.length === 0) throw why;
  return found;
}
