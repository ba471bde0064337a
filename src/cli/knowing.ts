import { createReadStream } from 'node:fs';
import { addAbortSignal, Readable } from 'node:stream';
import type { CtcReaderOptions } from '../api/contracts.js';
import type { CtcBeamDecoder, CtcBeamOptions, LexiconWord, NGram } from '../entries/lm.js';
import type { Vocabulary } from '../entries/text.js';
import type { Emissions } from '../files/emissions.js';
import type { RunOptions } from '../problem/types.js';
import type { BeamJob } from './beam-job.js';
import { InputError, inputError } from './failure.js';
import { readText } from './input.js';
import type { Job } from './job.js';
import { placeOf } from './place.js';

/** Who reads greedily does not load it. */
const loadLm = () => import('../entries/lm.js');

/** What a phrase adds that has no weight of its own, in nats: as much as in pyctcdecode. */
export const hotwordWeight = 10;

/** @throws InputError naming the file, and the line of what is wrong. */
export async function readModel(file: string, signal: AbortSignal): Promise<NGram> {
  const { NGram } = await loadLm();
  const stream = addAbortSignal(signal, file === '-' ? process.stdin : createReadStream(file));
  try {
    return await NGram.read(Readable.toWeb(stream));
  } catch (error) {
    throw inputError(file, error);
  }
}

interface Entry {
  readonly place: string;
  readonly text: string;
  readonly weight: number | undefined;
}

/** Lines of a text, and a tab and a number if there is one. */
async function readEntries(file: string, signal: AbortSignal): Promise<Entry[]> {
  const lines = (await readText(file, signal)).split(/\r\n|[\n\r\u2028\u2029]/);
  const entries = lines.flatMap((line, i): Entry[] => {
    const [text, weight, ...more] = line.split('\t').map((part) => part.trim());
    if (line.trim() === '') return [];
    const number = weight ? Number(weight) : undefined;
    if (text === '' || more.length > 0 || (number !== undefined && !Number.isFinite(number)))
      throw new InputError(
        `${file}:${i + 1}: expected a text, or a text, a tab and a number, got '${line.trim()}'`,
      );
    return [{ place: `${file}:${i + 1}`, text: text!, weight: number }];
  });
  if (entries.length === 0) throw new InputError(`${file}: expected a text in some line, got none`);
  return entries;
}

/** The first character of a text that no class reads as. */
function unspelled(text: string, letters: ReadonlySet<string>): string | undefined {
  return Array.from(text).find((letter) => letter !== ' ' && !letters.has(letter));
}

async function readHotwords(file: string, letters: ReadonlySet<string>, signal: AbortSignal) {
  const { Hotwords } = await loadLm();
  const entries = await readEntries(file, signal);
  for (const { place, text } of entries) {
    const letter = unspelled(text, letters);
    if (letter !== undefined)
      throw new InputError(
        `${place}: expected a phrase that the vocabulary can spell, got '${text}', of which it has no '${letter}'`,
      );
  }
  return new Hotwords(entries.map(({ text, weight = hotwordWeight }) => [text, weight] as const));
}

async function readLexicon(file: string, open: boolean, letters: ReadonlySet<string>, signal: AbortSignal) {
  const { Lexicon } = await loadLm();
  const entries = await readEntries(file, signal);
  for (const { place, text } of entries)
    if (/ /.test(text)) throw new InputError(`${place}: expected one word, got '${text}'`);
  const never = entries.filter(({ text }) => unspelled(text, letters) !== undefined);
  if (never.length === entries.length)
    throw new InputError(
      `${file}: expected words that the vocabulary can spell, got ${entries[0]!.text}${entries.length > 1 ? ' …' : ''}`,
    );
  const words = entries.map(({ text, weight }): LexiconWord => ({ word: text, weight }));
  const note = `${file}: ${never.length} of ${entries.length} words cannot be spelled by the vocabulary, such as ${never[0]?.text}`;
  return { lexicon: new Lexicon(words, { open }), notes: never.length > 0 ? [note] : [] };
}

/** What a decoder is made of, and what is doubtful about it. */
interface Known {
  readonly options: CtcBeamOptions;
  readonly notes: readonly string[];
}

interface Shared {
  readonly known: Promise<Known>;
  decoder?: Promise<CtcBeamDecoder>;
  users: number;
}

/** How many decoders are kept for jobs to come. */
const kept = 4;

/** Decoders, one for all jobs that know the same, and models, each read once. */
export class Knowing {
  readonly #models = new Map<string, Promise<NGram>>();
  readonly #shared = new Map<string, Shared>();

  /**
   * Reads what a job knows, unless another has.
   * @returns what reads its recording, once
   * @throws InputError naming the file and what is wrong.
   */
  async of(job: Job, vocabulary: Vocabulary, signal: AbortSignal) {
    const { lm, lexicon, openLexicon } = job;
    if (lm === undefined)
      for (const key of ['units', 'alpha', 'unknown'] as const)
        if (job[key] !== undefined)
          throw new InputError(`${key}: expected with a language model, got ${job[key]} without`);
    if (openLexicon && lexicon === undefined)
      throw new InputError('open-lexicon: expected with a lexicon, got it without');
    const key = keyOf(job, vocabulary);
    const shared: Shared = this.#shared.get(key) ?? { known: this.#read(job, vocabulary, signal), users: 0 };
    this.#shared.set(key, shared);
    shared.users++;
    try {
      const { notes } = await shared.known;
      return { notes, run: this.#run.bind(this, shared) };
    } catch (error) {
      this.#shared.delete(key);
      throw error;
    }
  }

  async #read(job: BeamJob, vocabulary: Vocabulary, signal: AbortSignal): Promise<Known> {
    const { nbest, width, units, alpha, beta, unknown } = job;
    const classes = Array.from({ length: vocabulary.size }, (_, label) => label);
    const letters = new Set(
      classes.flatMap((label) => (label === vocabulary.blank ? [] : [...vocabulary.read(label)])),
    );
    const lm = job.lm === undefined ? undefined : await this.#model(job.lm, signal);
    const { lexicon, notes = [] } =
      job.lexicon === undefined
        ? {}
        : await readLexicon(job.lexicon, job.openLexicon ?? false, letters, signal);
    const hotwords =
      job.hotwords === undefined ? undefined : await readHotwords(job.hotwords, letters, signal);
    const weights = Object.entries({ alpha, beta, unknown }).filter(([, weight]) => weight !== undefined);
    return {
      options: {
        ...{ tokens: vocabulary, lm, units, lexicon, hotwords, nbest, width },
        weights: Object.fromEntries(weights),
      },
      notes: [...(lm?.warnings.map((warning) => `${job.lm}: ${warning}`) ?? []), ...notes],
    };
  }

  #model(file: string, signal: AbortSignal): Promise<NGram> {
    const place = placeOf(file);
    const model = this.#models.get(place) ?? readModel(file, signal);
    this.#models.set(place, model);
    return model;
  }

  async #run(shared: Shared, { scores }: Emissions, device: CtcReaderOptions, options: RunOptions) {
    try {
      const { CtcBeamDecoder } = await loadLm();
      const { options: knowing } = await shared.known;
      shared.decoder ??= CtcBeamDecoder.quietly({ ...knowing, ...device });
      const decoder = await shared.decoder;
      const { readings } = await decoder.run(scores, options);
      return { readings: readings[0]!, notes: decoder.notes };
    } finally {
      shared.users--;
      for (const [key, one] of this.#shared)
        if (this.#shared.size > kept && one.users === 0) {
          this.#shared.delete(key);
          destroy(one);
        }
    }
  }

  destroy(): void {
    for (const shared of this.#shared.values()) destroy(shared);
    this.#shared.clear();
  }
}

function destroy({ decoder }: Shared): void {
  decoder?.then((one) => one.destroy()).catch(() => {});
}

/** Equal where one decoder reads for both. */
function keyOf(job: Job, { size }: Vocabulary): string {
  const { lm, lexicon, hotwords, vocab, addedTokens } = job;
  const files = [lm, lexicon, hotwords, vocab, addedTokens].map((file) => file && placeOf(file));
  const { units, openLexicon, nbest, width, alpha, beta, unknown } = job;
  const { blank, delimiter, language } = job;
  return JSON.stringify([
    ...files,
    ...[units, openLexicon, nbest, width, alpha, beta, unknown],
    ...[blank, delimiter, language, size],
  ]);
}
