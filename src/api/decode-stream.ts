import { checkInteger } from '../problem/check.js';
import { Chunks, type DecodeChunk } from '../problem/chunk.js';
import { checkRow } from '../problem/row-logs.js';

/** Labels of a recording, as `Reading` has them: of a stream those that have ended since it was asked before. */
export interface StreamedLabels {
  readonly ids: Int32Array;
  /** First frame of each, counted from the first one of the recording, and the one after its last. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Mean over its frames of the natural logarithm of its probability. */
  readonly scores: Float32Array;
}

/** A label that is heard, and the sum of its scores. */
interface Heard {
  readonly id: number;
  readonly start: number;
  end: number;
  sum: number;
}

/**
 * Greedy reading of one recording while it is heard, on the CPU: a label that is held over the border of two chunks is one. However it is cut,
 * the labels are the same.
 */
export class DecodeStream {
  readonly #classes: number;
  readonly #blank: number;
  readonly #chunks: Chunks;
  #held: Heard | undefined;
  #frames = 0;

  /** @internal */
  constructor(classes: number, blank: number) {
    this.#blank = blank;
    this.#classes = checkInteger('classes', classes, blank + 1);
    this.#chunks = new Chunks(this.#classes, false);
  }

  /** The labels that have ended. @throws TypeError, RangeError for what are no frames of C scores, and for a NaN; the stream then is as it was. */
  push(chunk: DecodeChunk): StreamedLabels {
    const classes = this.#classes;
    const { kind, scores } = this.#chunks.take(chunk);
    const best: [id: number, score: number][] = [];
    for (let start = 0; start < scores.length; start += classes) {
      const largest = checkRow(kind, scores, start, classes, `frame ${start / classes} of the chunk`);
      let id = 0;
      while (scores[start + id] !== largest) id++;
      let sum = 0;
      if (kind === 'logits') for (let c = 0; c < classes; c++) sum += Math.exp(scores[start + c]! - largest);
      best.push([id, kind === 'logits' ? -Math.log(sum) : kind === 'probs' ? Math.log(largest) : largest]);
    }
    const ended: Heard[] = [];
    for (const [id, score] of best) {
      if (this.#held && this.#held.id !== id) this.#leave(ended);
      if (id !== this.#blank) {
        this.#held ??= { id, start: this.#frames, end: this.#frames, sum: 0 };
        this.#held.end++;
        this.#held.sum += score;
      }
      this.#frames++;
    }
    return labelsOf(ended);
  }

  /** The rest. Nothing can be pushed after it. */
  end(): StreamedLabels {
    this.#chunks.end();
    const ended: Heard[] = [];
    if (this.#held) this.#leave(ended);
    return labelsOf(ended);
  }

  #leave(ended: Heard[]) {
    ended.push(this.#held!);
    this.#held = undefined;
  }
}

function labelsOf(heard: readonly Heard[]): StreamedLabels {
  return {
    ids: Int32Array.from(heard, ({ id }) => id),
    starts: Int32Array.from(heard, ({ start }) => start),
    ends: Int32Array.from(heard, ({ end }) => end),
    scores: Float32Array.from(heard, ({ start, end, sum }) => sum / (end - start)),
  };
}
