import { checkInteger } from '../problem/check.js';
import { Chunks, type DecodeChunk } from '../problem/chunk.js';
import { wrongValue } from '../problem/errors.js';
import type { CheckedBeam } from './beam-options.js';
import { BeamSearch } from './beam-search.js';
import { type Compiled, compile } from './compile.js';
import { Knowledge } from './knowledge.js';
import { likeliest } from './likeliest.js';
import { logsOf } from './read-scores.js';
import { type BeamReading, nothingSettled, Reader, timesAt } from './reader.js';
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

/**
 * Frames that are kept: at least, so that a recording of so many is read as a whole; behind what is settled, whose times more frames might change; and
 * at most. Of silence that fills them, these at its ends.
 */
const kept = { least: 1024, behind: 256, most: 4096, silent: 8 } as const;

/**
 * One recording, read while it is heard. The search goes on from chunk to chunk, so that words, labels that are held and the model's context cross
 * their borders: to read chunks one by one and to join the texts is wrong. However it is cut, the readings are the same.
 *
 * Up to 1,024 frames they are those of `run`. Of a longer recording its beginning is forgotten, so that memory does not grow with it: what all texts
 * have in common is settled with its times, word by word. Where they differ for 4,096 frames, those that begin otherwise than the best one are
 * dropped. `ctc` is then the sum of the ways that the search has followed.
 */
export class BeamStream {
  readonly #beam: CheckedBeam;
  readonly #classes: number;
  readonly #chunks: Chunks;
  readonly #search: BeamSearch;
  readonly #reader: Reader;
  /** The last frames, and which of the recording each is. */
  #logs: Float64Array;
  #at: number[] = [];
  #frameCount = 0;
  /** What is settled, and how it reads. */
  #settled = nothingSettled;
  #text = '';
  readonly #past: Step[] = [];
  /** The steps behind it that all texts have in common. */
  #steps: Step[] = [];

  /** @internal */
  constructor(beam: CheckedBeam, compiled: Compiled, classes = beam.known.vocabulary?.size) {
    this.#classes = checkInteger('classes', classes, beam.blank + 1);
    this.#chunks = new Chunks(this.#classes, true);
    const { vocabulary } = beam.known;
    if (vocabulary && vocabulary.size !== classes)
      throw wrongValue('classes', `${vocabulary.size}, as the vocabulary has`, classes);
    this.#beam = beam;
    const own = vocabulary ? compiled : compile(beam.known, this.#classes);
    this.#search = new BeamSearch(new Knowledge(own.tables), {
      ...{ classes: this.#classes, blank: beam.blank, width: beam.width, beamLogProb: beam.beamLogProb },
    });
    this.#reader = new Reader(beam.known, own, beam.blank);
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
      // with a blank a text stays as it is
      const { blank } = this.#beam;
      const isLacking =
        labels.length > 1 && frame[blank]! > Number.NEGATIVE_INFINITY && !looked.includes(blank);
      const all = isLacking ? [...looked.subarray(0, labels.length - 1), blank] : looked;
      this.#search.push(frame, all);
      this.#keep(own);
    }
    this.#steps.push(...this.#search.commit());
    // what comes before the last word that may still grow is the same in all texts
    let grows = this.#steps.length;
    while (grows > 0 && !this.#reader.isBoundary(this.#steps, grows - 1)) grows--;
    grows = Math.max(0, grows - 1);
    const stable = ended(this.#reader.textOf(this.#text, this.#steps, undefined, true));
    const best = this.#reader.best(this.#search.hypotheses(), this.#steps.slice(grows));
    const before = best && this.#steps.slice(0, grows);
    const all = before && this.#reader.textOf(this.#text, before, Math.max(best.steps[0]?.exit ?? 0, 0));
    return {
      stable,
      best: all === undefined ? stable : ended(this.#reader.textOf(all, best!.steps, best!.exit)),
      frames: this.#frameCount,
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
        steps: [...this.#past, ...this.#steps, ...one.steps],
      }));
    const isWhole = this.#at.length === this.#frameCount;
    return this.#reader.read(found, this.#frames(), nbest, exact && isWhole, this.#settled, this.#at);
  }

  #check(chunk: StreamChunk): Float64Array {
    const classes = this.#classes;
    const { kind, scores } = this.#chunks.take(chunk);
    return logsOf(scores, kind, scores.length / classes, classes, (t) => t * classes, 'of the chunk');
  }

  #frames(): Frames {
    return framesOf(this.#logs.slice(0, this.#at.length * this.#classes), this.#classes, this.#beam.blank);
  }

  /** By the number of frames alone, so that it does not matter how they come. */
  #keep(frame: Float64Array): void {
    const to = this.#at.push(this.#frameCount++) * this.#classes;
    if (to > this.#logs.length) {
      const larger = new Float64Array(2 * to);
      larger.set(this.#logs);
      this.#logs = larger;
    }
    this.#logs.set(frame, to - this.#classes);
    if (this.#at.length > kept.least && this.#frameCount % 256 === 0) this.#settle();
  }

  /**
   * What all texts have in common has its times, up to where a word begins, and its frames are forgotten. If there are too many frames, silence is
   * cut short; if that does not help, texts are left that begin as the best one does, and settled where any letter begins, if need be.
   */
  #settle(): void {
    this.#steps.push(...this.#search.commit());
    const best = this.#best();
    if (best && this.#settleSome(best, kept.behind, this.#steps.length)) return;
    if (this.#at.length < kept.most || (best && this.#cutSilence(best))) return;
    const left = this.#best();
    if (!left) this.#forget(this.#at.length - kept.least);
    else if (!this.#settleSome(left, kept.least)) this.#settleSome(left, kept.least, Infinity, true);
  }

  /** The best text behind what is settled, and its path. */
  #best(): Best | undefined {
    const best = this.#reader.best(this.#search.hypotheses(), this.#steps);
    const path = best && this.#reader.path(best, this.#frames(), this.#settled);
    return path && { ...best, ...path };
  }

  /**
   * @param best the best text and its path
   * @param behind frames that stay
   * @param most steps of the best text that may be settled
   * @returns whether there was something to settle
   */
  #settleSome(best: Best, behind: number, most = Infinity, anyLetter = false): boolean {
    const { steps } = best;
    for (let count = Math.min(most, steps.length) - 1; count > 0; count--) {
      if (!this.#reader.isBoundary(steps, count, anyLetter)) continue;
      const until = best.until(count);
      const end = until?.labels.at(-1)?.end ?? 0;
      if (!until || end === 0 || end > this.#at.length - behind) continue;
      const { words, labels, isInWord } = until;
      const own = this.#steps.length;
      if (count > own) {
        this.#search.narrow(steps.slice(own, count));
        this.#steps.push(...this.#search.commit());
      }
      const first = this.#steps.splice(0, count);
      this.#past.push(...first);
      this.#text = this.#reader.textOf(this.#text, first, Math.max(steps[count]!.exit, 0));
      const { words: wordsBefore, labels: labelsBefore } = this.#settled;
      this.#settled = {
        ...{ steps: this.#past.length, isInWord },
        words: [...wordsBefore, ...words.map((word) => timesAt(word, this.#at))],
        labels: [...labelsBefore, ...labels.map((label) => timesAt(label, this.#at))],
      };
      this.#forget(end);
      return true;
    }
    return false;
  }

  /** Forgets the middle of all silence but the last, and of labels that are held. @returns whether there was some */
  #cutSilence({ spans }: Best): boolean {
    const before = this.#at.length;
    const last = before - kept.least;
    const borders = [0, ...spans.flatMap(({ start, end }) => [start, end]), last];
    for (let i = borders.length - 1; i > 0; i--) {
      const [from, to] = [borders[i - 1]! + kept.silent, Math.min(borders[i]!, last) - kept.silent];
      if (to > from) this.#forget(to - from, from);
    }
    return this.#at.length < before - kept.behind;
  }

  #forget(count: number, from = 0): void {
    const classes = this.#classes;
    this.#logs.copyWithin(from * classes, (from + count) * classes, this.#at.length * classes);
    this.#at.splice(from, count);
  }
}

/** Steps of a text with the exit of its last word, and their path. */
type Best = NonNullable<ReturnType<Reader['best']>> & NonNullable<ReturnType<Reader['path']>>;

/** A text without the space at its end, behind which a word may begin. */
const ended = (text: string) => text.replace(/ $/, '');
