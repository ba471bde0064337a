import { checkInteger, checkObject, isList, scoresKey, scoresKeys } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { BeamSearch } from './beam-search.js';
import { type Compiled, compile } from './compile.js';
import { Knowledge } from './knowledge.js';
import type { CheckedBeam } from './options.js';
import { logsOf } from './read-scores.js';
import { type BeamReading, Reader } from './reader.js';
import { framesOf } from './text-graph.js';

/** Frames of one recording, [T, C] in memory order: as many as there are, none too. */
export type StreamChunk = {
  readonly [K in (typeof scoresKeys)[number]]?: ArrayLike<number> | undefined;
};

/** What is known of a recording that goes on. */
export interface StreamState {
  /** What will not change any more, and what of it is new: with the blank between them the two are the text so far. */
  readonly stable: string;
  /** The best text of all frames until now, as if it ended here. */
  readonly best: string;
  /** Frames until now. */
  readonly frames: number;
}

/**
 * One recording, read while it is heard. The search goes on from chunk to chunk, so that words, labels that are held and the model's context cross
 * their borders: to read chunks one by one and to join the texts is wrong.
 */
export class BeamStream {
  readonly #beam: CheckedBeam;
  readonly #compiled: Compiled;
  readonly #classes: number;
  readonly #search: BeamSearch;
  readonly #reader: Reader;
  #logs: Float64Array[] = [];
  #frames = 0;
  #ended = false;

  /** @internal */
  constructor(beam: CheckedBeam, compiled: Compiled, classes = beam.known.vocabulary?.size) {
    this.#classes = checkInteger('classes', classes, beam.blank + 1);
    const { vocabulary } = beam.known;
    if (vocabulary && vocabulary.size !== classes)
      throw wrongValue('classes', `${vocabulary.size}, as the vocabulary has`, classes);
    this.#beam = beam;
    this.#compiled = vocabulary ? compiled : compile(beam.known, this.#classes);
    const { tables, names } = this.#compiled;
    this.#search = new BeamSearch(new Knowledge(tables), {
      ...{ classes: this.#classes, blank: beam.blank, width: beam.width, beamLogProb: beam.beamLogProb },
    });
    this.#reader = new Reader(beam.known, tables, names, beam.blank);
  }

  /** @throws TypeError, RangeError for what are no frames of C scores, and for a NaN; the stream then is as it was. */
  push(chunk: StreamChunk): StreamState {
    this.#alive();
    const logs = this.#check(chunk);
    const classes = this.#classes;
    const count = Math.min(classes, this.#beam.topTokens);
    for (let start = 0; start < logs.length; start += classes) {
      const frame = logs.subarray(start, start + classes).map(Math.fround);
      this.#search.push(frame, likeliest(frame, count, this.#beam.tokenLogProb));
    }
    if (logs.length > 0) this.#logs.push(logs);
    this.#frames += logs.length / classes;
    const { best, stable } = this.#reader.progress(this.#search.hypotheses(), this.#search.agreed());
    return { stable, best, frames: this.#frames };
  }

  /** The readings of the whole recording. Nothing can be pushed after it. */
  end(): BeamReading[] {
    this.#alive();
    this.#ended = true;
    const all = new Float64Array(this.#frames * this.#classes);
    let at = 0;
    for (const logs of this.#logs) {
      all.set(logs, at);
      at += logs.length;
    }
    this.#logs = [];
    const frames = framesOf(all, this.#classes, this.#beam.blank);
    return this.#reader.read(this.#search.hypotheses(), frames, this.#beam.nbest, this.#beam.exact);
  }

  #alive() {
    if (this.#ended) throw new TypeError('stream: expected one that goes on, got one that has ended');
  }

  #check(chunk: StreamChunk): Float64Array {
    checkObject('chunk', chunk, scoresKeys);
    const kind = scoresKey(chunk);
    const scores = chunk[kind];
    if (!isList(scores)) throw wrongKind(kind, 'a list of scores', scores);
    if (scores.length % this.#classes !== 0)
      throw wrongValue(kind, `frames of ${this.#classes} scores`, `${scores.length} scores`);
    return logsOf(scores, kind, scores.length / this.#classes, this.#classes, (t) => t * this.#classes);
  }
}

/** The likeliest classes, descending, the first of equals first. */
function likeliest(frame: Float64Array, count: number, least: number): number[] {
  const labels = Array.from(frame, (_, label) => label).sort((a, b) => frame[b]! - frame[a]! || a - b);
  return labels
    .slice(0, count)
    .filter((label, i) => frame[label]! > Number.NEGATIVE_INFINITY && (i === 0 || frame[label]! >= least));
}
