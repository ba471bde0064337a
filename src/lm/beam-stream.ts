import { checkInteger, checkObject, isList, scoresKey, scoresKeys } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import type { CheckedBeam } from './beam-options.js';
import { BeamSearch } from './beam-search.js';
import { type Compiled, compile } from './compile.js';
import { Knowledge } from './knowledge.js';
import { Doubts, logsOf } from './read-scores.js';
import { type BeamReading, Reader, type Settled, type Times } from './reader.js';
import { type Frames, framesOf } from './text-graph.js';
import type { Step } from './tree.js';

/** Frames of one recording, [T, C] in memory order: as many as there are, none too. One of three keys, with what it says the numbers are. */
export interface StreamChunk {
  readonly logits?: ArrayLike<number> | undefined;
  readonly logProbs?: ArrayLike<number> | undefined;
  readonly probs?: ArrayLike<number> | undefined;
}

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
  readonly #doubts = new Doubts();
  #ended = false;

  /** @internal */
  constructor(beam: CheckedBeam, compiled: Compiled, classes = beam.known.vocabulary?.size) {
    this.#classes = checkInteger('classes', classes, beam.blank + 1);
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
    this.#alive();
    const logs = this.#check(chunk);
    const classes = this.#classes;
    const count = Math.min(classes, this.#beam.topTokens);
    for (let start = 0; start < logs.length; start += classes) {
      const own = logs.subarray(start, start + classes);
      const frame = own.map(Math.fround);
      this.#search.push(frame, likeliest(frame, count, this.#beam.tokenLogProb));
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
    this.#alive();
    this.#ended = true;
    const { nbest, exact } = this.#beam;
    const found = this.#search
      .hypotheses()
      .sort((a, b) => b.ctc + b.known - a.ctc - a.known)
      // as many as come out of a run, and as floats, as they do there
      .slice(0, Math.max(32, 4 * nbest))
      .map((one) => ({
        ...one,
        ctc: Math.fround(one.ctc + one.known) - one.known,
        steps: [...this.#past, ...[...this.#steps, ...one.steps].slice(this.#cut)],
      }));
    const settled = this.#settled.frames > 0 ? this.#settled : undefined;
    return this.#reader.read(found, this.#frames(), nbest, exact, settled);
  }

  #alive() {
    if (this.#ended) throw new TypeError('stream: expected one that goes on, got one that has ended');
  }

  #check(chunk: StreamChunk): Float64Array {
    checkObject('chunk', chunk, scoresKeys);
    const kind = scoresKey(chunk);
    const scores = chunk[kind] as ArrayLike<number>;
    if (!isList(scores)) throw wrongKind(kind, 'a list of scores', scores);
    if (scores.length % this.#classes !== 0)
      throw wrongValue(kind, `frames of ${this.#classes} scores`, `${scores.length} scores`);
    return logsOf(
      scores,
      kind,
      scores.length / this.#classes,
      this.#classes,
      (t) => t * this.#classes,
      0,
      this.#doubts,
    );
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

/** The likeliest classes, descending, the first of equals first. */
function likeliest(frame: Float64Array, count: number, least: number): number[] {
  const labels = Array.from(frame, (_, label) => label).sort((a, b) => frame[b]! - frame[a]! || a - b);
  return labels
    .slice(0, count)
    .filter((label, i) => frame[label]! > Number.NEGATIVE_INFINITY && (i === 0 || frame[label]! >= least));
}
