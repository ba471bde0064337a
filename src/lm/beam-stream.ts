import { checkInteger } from '../problem/check.js';
import { Chunks, type DecodeChunk } from '../problem/chunk.js';
import { wrongValue } from '../problem/errors.js';
import type { CheckedBeam } from './beam-options.js';
import { BeamSearch } from './beam-search.js';
import { type Compiled, compile } from './compile.js';
import { Knowledge } from './knowledge.js';
import { likeliest } from './likeliest.js';
import { logsOf } from './read-scores.js';
import { type BeamReading, Reader, type Settled, type Times } from './reader.js';
import { type Frames, framesOf } from './text-graph.js';
import type { Step } from './tree.js';

/** What a greedy stream is pushed, too: frames of one recording, [T, C] in memory order, and what their numbers are. */
export type StreamChunk = DecodeChunk;

/** What is known of a recording that goes on. */
export interface StreamState {
  /** The beginning of the text that will not change any more. */
  readonly stable: string;
  /** The best text of all frames until now, as if it ended here: it begins with what is stable. */
  readonly best: string;
  /** Frames until now. */
  readonly frames: number;
}

/** Frames that are kept at least, so that a recording of so many is read as a whole; and at most, where no word can be settled. */
const kept = { least: 1024, most: 4096 } as const;

/**
 * One recording, read while it is heard. The search goes on from chunk to chunk, so that words, labels that are held and the model's context cross
 * their borders: to read chunks one by one and to join the texts is wrong. However it is cut, the readings are the same.
 *
 * Up to 1,024 frames they are those of `run`. Of a longer recording its beginning is forgotten word by word: `ctc` is then the sum of the ways
 * that the search has followed, and the times of a word are settled when it is.
 */
export class BeamStream {
  readonly #beam: CheckedBeam;
  readonly #classes: number;
  readonly #chunks: Chunks;
  readonly #search: BeamSearch;
  readonly #reader: Reader;
  /** The last frames, and the steps that all texts have in common, from where both are not settled. */
  #logs: Float64Array;
  #window = 0;
  #steps: Step[] = [];
  /** How many of them are settled already. */
  #cut = 0;
  #settled: Settled = { steps: 0, frames: 0, words: [], labels: [] };
  readonly #past: Step[] = [];

  /** @internal */
  constructor(beam: CheckedBeam, compiled: Compiled, classes = beam.known.vocabulary?.size) {
    this.#classes = checkInteger('classes', classes, beam.blank + 1);
    this.#chunks = new Chunks(this.#classes, true);
    const { vocabulary } = beam.known;
    if (vocabulary && vocabulary.size !== classes)
      throw wrongValue('classes', `${vocabulary.size}, as the vocabulary has`, classes);
    this.#beam = beam;
    const { tables, names } = vocabulary ? compiled : compile(beam.known, this.#classes);
    this.#search = new BeamSearch(new Knowledge(tables), {
      ...{ classes: this.#classes, blank: beam.blank, width: beam.width, beamLogProb: beam.beamLogProb },
    });
    this.#reader = new Reader(beam.known, tables, names, beam.blank);
    this.#logs = new Float64Array(64 * this.#classes);
  }

  /** @throws TypeError, RangeError for what are no frames of C scores, and for a NaN; the stream then is as it was. */
  push(chunk: StreamChunk): StreamState {
    const logs = this.#check(chunk);
    const classes = this.#classes;
    const { topTokens, tokenLogProb } = this.#beam;
    const labels = new Int32Array(Math.min(classes, topTokens));
    for (let start = 0; start < logs.length; start += classes) {
      const own = logs.subarray(start, start + classes);
      const frame = own.map(Math.fround);
      const looked = labels
        .subarray(0, likeliest(frame, 0, classes, labels))
        .filter((c, i) => frame[c]! > Number.NEGATIVE_INFINITY && (i === 0 || frame[c]! >= tokenLogProb));
      this.#search.push(frame, looked);
      this.#keep(own);
    }
    this.#steps.push(...this.#search.commit());
    // what comes before the last word that may still grow is the same in all texts
    let grows = this.#steps.length;
    while (grows > this.#cut && !this.#reader.isBoundary(this.#steps[grows - 1]!)) grows--;
    grows = Math.max(this.#cut, grows - 1);
    const before = this.#settled.words.map(({ text }) => text);
    const textOf = (...parts: readonly string[]) =>
      [...before, ...parts].filter((text) => text !== '').join(' ');
    const best = this.#reader.best(this.#search.hypotheses(), this.#steps.slice(grows));
    const first = best?.steps[0];
    return {
      stable: textOf(this.#reader.textOf(this.#steps.slice(this.#cut))),
      best: textOf(
        this.#reader.textOf(this.#steps.slice(this.#cut, grows), first && Math.max(first.exit, 0)),
        best ? this.#reader.textOf(best.steps, best.exit) : '',
      ),
      frames: this.#settled.frames + this.#window,
    };
  }

  /** The readings of the whole recording, the best first. Nothing can be pushed after it. */
  end(): BeamReading[] {
    this.#chunks.end();
    const { nbest, texts, exact } = this.#beam;
    const found = this.#search
      .hypotheses()
      .sort((a, b) => b.ctc + b.known - a.ctc - a.known)
      // as many as come out of a run, and as floats, as they do there
      .slice(0, texts)
      .map((one) => ({
        ...one,
        ctc: Math.fround(one.ctc + one.known) - one.known,
        steps: [...this.#past, ...[...this.#steps, ...one.steps].slice(this.#cut)],
      }));
    const settled = this.#settled.frames > 0 ? this.#settled : undefined;
    return this.#reader.read(found, this.#frames(), nbest, exact, settled);
  }

  #check(chunk: StreamChunk): Float64Array {
    const classes = this.#classes;
    const { kind, scores } = this.#chunks.take(chunk);
    return logsOf(scores, kind, scores.length / classes, classes, (t) => t * classes, 'of the chunk');
  }

  /** The best text behind what is settled. */
  #best(): { steps: readonly Step[]; exit: number } | undefined {
    const best = this.#reader.best(this.#search.hypotheses(), this.#steps);
    return best && { ...best, steps: best.steps.slice(this.#cut) };
  }

  #frames(): Frames {
    return framesOf(this.#logs.slice(0, this.#window * this.#classes), this.#classes, this.#beam.blank);
  }

  /** By the number of frames alone, so that it does not matter how they come. */
  #keep(frame: Float64Array): void {
    const at = this.#window++ * this.#classes;
    if (at === this.#logs.length) {
      const larger = new Float64Array(2 * at);
      larger.set(this.#logs);
      this.#logs = larger;
    }
    this.#logs.set(frame, at);
    if (this.#window >= kept.least && this.#window % 256 === 0) this.#settle();
  }

  /** Words that all texts have in common have their times, and their frames are forgotten; if there are too many of these, those of the best text. */
  #settle(): void {
    this.#steps.push(...this.#search.commit());
    const isFull = this.#window >= kept.most;
    const best = this.#best();
    const common = this.#steps.length - this.#cut;
    let steps = best ? (isFull ? best.steps.length : common) - 1 : 0;
    while (steps > 0 && !this.#reader.isBoundary(best!.steps[steps]!)) steps--;
    if (!best || steps <= 0) {
      if (isFull) this.#forget(kept.least, 0, { words: [], labels: [] });
      return;
    }
    const { vocabulary } = this.#beam.known;
    const ended = best.steps.slice(0, steps);
    const words = vocabulary ? this.#reader.wordsIn(ended, best.steps[steps]!.exit) : 0;
    const times = this.#reader.timed(best.steps, best.exit, this.#frames());
    const end = vocabulary ? times.words[words - 1]?.end : times.labels[steps - 1]?.end;
    if (end === undefined) return;
    this.#past.push(...ended);
    this.#forget(end, steps, {
      words: times.words.slice(0, words),
      labels: times.labels.filter((label) => label.end <= end),
    });
  }

  #forget(frames: number, steps: number, { words, labels }: Times): void {
    const before = this.#settled;
    const later = <T extends { start: number; end: number }>(one: T) => ({
      ...one,
      start: one.start + before.frames,
      end: one.end + before.frames,
    });
    this.#settled = {
      steps: before.steps + steps,
      frames: before.frames + frames,
      words: [...before.words, ...words.map(later)],
      labels: [...before.labels, ...labels.map(later)],
    };
    this.#logs.copyWithin(0, frames * this.#classes, this.#window * this.#classes);
    this.#window -= frames;
    this.#cut += steps;
    const gone = Math.min(this.#cut, this.#steps.length);
    this.#steps = this.#steps.slice(gone);
    this.#cut -= gone;
  }
}
