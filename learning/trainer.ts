// Training of the recogniser with the library's loss: on one device from the movements to the new weights. The same in a page's worker
// and in Node.

import { defaultDevice, init, numpy as np, tree, vjp } from '@jax-js/jax';
import { readTensors } from 'webgpu-ctc/files';
import { ctcLoss } from 'webgpu-ctc/jax';
import { bestClasses, collapse, logSumExp } from './best-path.js';
import { editDistance } from './edit-distance.js';
import type { Stroke } from './glyphs.js';
import { forward, initialValues, type Learned, learn, type Weights, weightShapes } from './network.js';
import { classes, features, movements, stride } from './pen.js';
import type { Watched } from './phase.js';
import { Random } from './random.js';
import { defaults, type ErrorRate, mostDigits, type PenReading, type TrainerSettings } from './settings.js';
import { type SavedTensor, writeSafetensors } from './weights.js';
import { type Handwriting, type Sample, sample, varied } from './writer.js';

/** Movements that a string of training has room for; longer ones are read in multiples of it. */
export const room = 112;
/** Strings that the error rate is measured on. They are of a seed that nothing is learned from. */
export const testStrings = 128;
/** Of them are read at once. */
const together = 16;
const testSeed = 2 ** 24 - 1;

/** What read after some steps. It is on the device, until it is freed by `forget`. */
export interface Reader {
  readonly steps: number;
  readonly weights: Weights;
}

/** Digit strings as the network reads them. */
interface Batch {
  /** [strings, frames, features] */
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: [number, number, number];
  /** Frames of the output for each. */
  readonly lengths: number[];
}

export class Trainer {
  readonly device: 'webgpu' | 'wasm';
  #settings: TrainerSettings;
  /** Strings of one's own, which a quarter of each batch is then drawn from, each time a little different. */
  #own: readonly Handwriting[] = [];
  /** The loss before each step. */
  readonly losses: number[];
  readonly errors: ErrorRate[];
  #learned: Learned;
  /** What the error rate is measured on, once it was. */
  #tests: readonly Handwriting[] | undefined;

  /**
   * Opens jax-js on WebGPU, or on the CPU where there is none. `bytes`: a file of `save`, called `name` in errors, from where it
   * goes on.
   * @throws RangeError naming what is wrong in the file.
   */
  static async create(
    given: Partial<TrainerSettings> = {},
    {
      bytes,
      name = 'weights',
      device: asked = 'webgpu',
    }: { bytes?: Uint8Array; name?: string; device?: 'webgpu' | 'wasm' } = {},
  ): Promise<Trainer> {
    const found = await init('wasm', ...(asked === 'webgpu' ? [asked] : []));
    const device = asked === 'webgpu' && found.includes('webgpu') ? 'webgpu' : 'wasm';
    defaultDevice(device);
    const start = bytes
      ? await unpacked(bytes, name)
      : { values: fresh(given.seed ?? defaults.seed), losses: [], errors: [], settings: {} };
    // what is asked for comes before what was saved, but for the seed, which the weights began with
    const asking = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const settings = {
      ...defaults,
      ...start.settings,
      ...asking,
      ...(bytes && { seed: start.settings.seed! }),
    };
    const learned = Object.fromEntries(
      parts.map((part) => [
        part,
        Object.fromEntries(
          Object.entries(weightShapes).map(([name, shape]) => [
            name,
            np.array(start.values[`${part}/${name}`]!, { shape: [...shape] }),
          ]),
        ),
      ]),
    ) as unknown as Learned;
    return new Trainer(
      device,
      { seed: settings.seed, batch: settings.batch, rate: settings.rate },
      learned,
      start,
    );
  }

  private constructor(
    device: 'webgpu' | 'wasm',
    settings: TrainerSettings,
    learned: Learned,
    { losses, errors }: Pick<Trainer, 'losses' | 'errors'>,
  ) {
    this.device = device;
    this.#settings = settings;
    this.#learned = learned;
    this.losses = losses;
    this.errors = errors;
  }

  get settings(): TrainerSettings {
    return this.#settings;
  }

  /** For the steps from now on. */
  set({
    rate = this.#settings.rate,
    own = this.#own,
  }: {
    rate?: number;
    own?: readonly Handwriting[];
  }): void {
    this.#settings = { ...this.#settings, rate };
    this.#own = own;
  }

  /** Steps so far. */
  get steps(): number {
    return this.losses.length;
  }

  /** One step. Gives the loss before it; nothing else comes back from the device. */
  async step(): Promise<number> {
    const { batch, rate } = this.settings;
    const strings = Array.from({ length: batch }, (_, i) => this.#string(i));
    const { data, shape, lengths } = batchOf(strings);
    const moved = np.array(data, { shape });
    const [logits, pullback] = vjp(
      (weights: Weights) => forward(weights, moved.ref),
      [tree.ref(this.#learned.weights)],
    );
    moved.dispose();
    const { loss, grad } = await ctcLoss({
      ...{ logits, logitLengths: lengths, zeroInfinity: true },
      labels: strings.map(({ text }) => [...text].slice(0, mostDigits).map((digit) => Number(digit) + 1)),
    });
    const [gradients] = pullback(grad);
    pullback.dispose();
    const next = this.steps + 1;
    // the first weights say little: the average leaves them behind soon
    const keep = Math.min(0.985, next / (9 + next));
    // large steps when all is to be learned, smaller ones when little is wrong
    const share = Math.min(1, next / 30, Math.sqrt(200 / next));
    this.#learned = learn(this.#learned, gradients, np.array(rate * share), np.array(keep));
    const [value] = await loss.data();
    this.losses.push(value!);
    return value!;
  }

  #string(place: number): Handwriting | Sample {
    const { seed, batch } = this.settings;
    const index = this.steps * batch + place;
    if (this.#own.length === 0 || place % 4 !== 3) return sample(seed, index, room);
    const random = new Random(seed, index, 1);
    return varied(random.of(this.#own), random);
  }

  /** Reads pen strokes, as well as it is able now or as `reader` was. */
  async read(strokes: readonly Stroke[], reader?: Reader): Promise<PenReading> {
    if (strokes.every(({ length }) => length === 0))
      return { text: '', posteriors: new Float32Array(0), frames: 0 };
    const [reading] = await this.#readings([{ text: '', strokes }], reader);
    return reading!;
  }

  /** What reads now, to read with it later. Nothing leaves the device. */
  remember(): Reader {
    return { steps: this.steps, weights: tree.ref(this.#learned.average) };
  }

  forget({ weights }: Reader): void {
    tree.dispose(weights);
  }

  /** Wrong digits of `testStrings` fresh strings, as a share: substitutions, insertions and deletions over all digits. */
  async errorRate(): Promise<number> {
    const strings = this.#testStrings;
    let wrong = 0;
    let digits = 0;
    for (let first = 0; first < testStrings; first += together) {
      const part = strings.slice(first, first + together);
      const readings = await this.#readings(part);
      wrong += wrongIn(readings, part);
      digits += digitsOf(part);
    }
    this.errors.push({ steps: this.steps, rate: wrong / digits });
    return wrong / digits;
  }

  /** What a few fresh strings say of the phase that the training is in. */
  async watch(): Promise<Watched> {
    const part = this.#testStrings.slice(0, together);
    const readings = await this.#readings(part);
    const best = readings.flatMap(({ posteriors: logits, frames }) => [
      ...bestClasses({ logits, frames, classes }),
    ]);
    return {
      blanks: best.filter((c) => c === 0).length / best.length,
      read: readings.reduce((sum, { text }) => sum + text.length, 0) / digitsOf(part),
      wrong: wrongIn(readings, part) / digitsOf(part),
    };
  }

  get #testStrings(): readonly Handwriting[] {
    this.#tests ??= Array.from({ length: testStrings }, (_, i) => sample(testSeed, i, room));
    return this.#tests;
  }

  async #readings(strings: readonly Handwriting[], reader?: Reader): Promise<PenReading[]> {
    const { data, shape, lengths } = batchOf(strings);
    const logits = forward(tree.ref(reader?.weights ?? this.#learned.average), np.array(data, { shape }));
    const scores = (await logits.data()) as Float32Array<ArrayBuffer>;
    const width = (shape[1] / stride) * classes;
    return lengths.map((length, n) => readingOf(scores.subarray(n * width, n * width + length * classes)));
  }

  /** All that is needed to go on from here, as a .safetensors file. */
  async save(): Promise<Uint8Array<ArrayBuffer>> {
    const tensors: Record<string, SavedTensor> = {
      settings: { shape: [4], data: packed(this.settings) },
      losses: { shape: [this.losses.length], data: Float32Array.from(this.losses) },
      errors: {
        shape: [this.errors.length, 2],
        data: Float32Array.from(this.errors.flatMap(({ steps, rate }) => [steps, rate])),
      },
    };
    const { steps } = this;
    const reading = parts.flatMap((part) =>
      Object.entries(this.#learned[part]).map(async ([name, array]) => {
        const { shape } = array;
        tensors[`${part}/${name}`] = { shape, data: (await array.ref.data()) as Float32Array };
      }),
    );
    await Promise.all(reading);
    if (steps !== this.steps) throw new Error('save: a step was made meanwhile');
    return writeSafetensors(tensors);
  }

  /** Frees the weights. */
  dispose(): void {
    tree.dispose(this.#learned);
  }
}

const parts = ['weights', 'first', 'second', 'average'] as const;

function fresh(seed: number): Record<string, Float32Array<ArrayBuffer>> {
  const values = initialValues(new Random(seed));
  const all: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const [name, value] of Object.entries(values)) {
    Object.assign(all, { [`weights/${name}`]: value, [`average/${name}`]: value.slice() });
    Object.assign(all, {
      [`first/${name}`]: new Float32Array(value.length),
      [`second/${name}`]: new Float32Array(value.length),
    });
  }
  return all;
}

/** As float32, which have 24 bits: multiples of 2^24, what is left of them, and the rate in millionths. */
const packed = ({ seed, batch, rate }: TrainerSettings) =>
  Float32Array.of(Math.floor(seed / 2 ** 24), seed % 2 ** 24, batch, Math.round(rate * 1e6));

const settingsOf = ([high, low, batch, rate]: Float32Array): TrainerSettings => ({
  ...{ seed: high! * 2 ** 24 + low!, batch: batch!, rate: rate! / 1e6 },
});

/** @throws RangeError naming what is missing or of another shape. */
async function unpacked(saved: Uint8Array, file: string) {
  const tensors = readTensors(saved, file);
  const read = async (name: string, shape?: readonly number[]) => {
    const tensor = await tensors.get(name)?.();
    if (!tensor) throw new RangeError(`${file}: expected a tensor ${name}, as it is saved here; got none`);
    if (shape && String(tensor.shape) !== String(shape))
      throw new RangeError(`${file}: ${name}: expected the shape [${shape}], got [${tensor.shape}]`);
    const values = Float32Array.from(tensor.data);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0)
      throw new RangeError(`${file}: ${name}: expected numbers, got ${values[bad]} in the place ${bad}`);
    return values;
  };
  // files of version 0.1 have a seed alone
  const settings: Partial<TrainerSettings> = tensors.has('settings')
    ? settingsOf(await read('settings', [4]))
    : { seed: (await read('seed', [1]))[0]! };
  const pairs = await read('errors');
  const errors = Array.from({ length: pairs.length / 2 }, (_, i) => ({
    steps: pairs[2 * i]!,
    rate: pairs[2 * i + 1]!,
  }));
  const values: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const part of parts) {
    for (const [name, shape] of Object.entries(weightShapes))
      values[`${part}/${name}`] = await read(`${part}/${name}`, shape).catch((error: RangeError) => {
        throw new RangeError(`${error.message}; it may be of another network than this one`);
      });
  }
  return { values, settings, losses: [...(await read('losses'))], errors };
}

function batchOf(strings: readonly (Handwriting | Sample)[]): Batch {
  const moved = strings.map((string) =>
    'movements' in string ? string.movements : movements(string.strokes),
  );
  const longest = Math.max(...moved.map(({ length }) => length / features));
  const frames = room * Math.ceil(longest / room);
  const data = new Float32Array(strings.length * features * frames);
  for (const [n, numbers] of moved.entries()) data.set(numbers, n * frames * features);
  const lengths = moved.map(({ length }) => Math.ceil(length / features / stride));
  return { data, shape: [strings.length, frames, features], lengths };
}

const digitsOf = (strings: readonly Handwriting[]) => strings.reduce((sum, { text }) => sum + text.length, 0);

/** Substitutions, insertions and deletions in all. */
const wrongIn = (readings: readonly PenReading[], strings: readonly Handwriting[]) =>
  readings.reduce((sum, { text }, i) => sum + editDistance(text, strings[i]!.text), 0);

function readingOf(logits: Float32Array<ArrayBuffer>): PenReading {
  const frames = logits.length / classes;
  const digits = collapse(bestClasses({ logits, frames, classes }), 0).map((label) => label - 1);
  const normalisers = Array.from({ length: frames }, (_, t) =>
    logSumExp(logits.subarray(t * classes, (t + 1) * classes)),
  );
  const posteriors = logits.map((score, i) => Math.exp(score - normalisers[Math.floor(i / classes)]!));
  return { text: digits.join(''), posteriors, frames };
}
