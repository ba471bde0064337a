// From a sound to emissions, in the page: nothing is sent anywhere.
import type { FileTensor } from 'webgpu-ctc/files';
import { Model } from '../../shared/model.js';
import type { Logits } from './recogniser-worker.js';

export const sampleRate = 16_000;
/** Beyond this the lattice could not be shown. */
const longestSeconds = 600;

export interface Recognised {
  /** Logits, [frames, 1, classes]. */
  readonly tensor: FileTensor;
  readonly seconds: number;
}

export interface RecogniseOptions {
  readonly signal: AbortSignal;
  /** What is going on, in words. */
  readonly say: (what: string, share?: number) => void;
}

/**
 * The emissions of the small recogniser of fixtures/speech, which knows some 600 words of three synthetic voices.
 *
 * @throws RangeError naming the sound and what is wrong; the signal's reason when it is aborted.
 */
export async function recognise(sound: File, { signal, say }: RecogniseOptions): Promise<Recognised> {
  say(`Decoding ${sound.name} …`);
  const samples = await decode(sound);
  signal.throwIfAborted();
  const seconds = samples.length / sampleRate;
  const model = new Model({
    ...{ name: 'recogniser', bytes: RECOGNISER_BYTES },
    start: () => new Worker(new URL('./recogniser-worker.ts', import.meta.url), { type: 'module' }),
  });
  try {
    const { data, shape } = await model.ask<Logits>(samples, {
      ...{ signal, say, running: `Recognising ${sound.name} …`, transfer: [samples.buffer] },
    });
    return { tensor: { name: sound.name, dtype: 'f4', data, shape }, seconds };
  } finally {
    model.close();
  }
}

/** One channel at 16 kHz. @throws RangeError for what is no sound, and for one that is too long. */
export async function decode(sound: File): Promise<Float32Array<ArrayBuffer>> {
  const bytes = await sound.arrayBuffer();
  const buffer = await new OfflineAudioContext(1, 1, sampleRate).decodeAudioData(bytes).catch(() => {
    throw new RangeError(`${sound.name}: expected a sound that this browser can decode`);
  });
  if (buffer.duration > longestSeconds)
    throw new RangeError(
      `${sound.name}: expected at most ${longestSeconds / 60} minutes, got ${(buffer.duration / 60).toFixed(1)}`,
    );
  const samples = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const of = buffer.getChannelData(channel);
    for (let i = 0; i < samples.length; i++) samples[i]! += of[i]! / buffer.numberOfChannels;
  }
  return samples;
}
