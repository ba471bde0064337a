import {
  checkDtype,
  checkObject,
  isList,
  isTaken,
  kindOf,
  type ScoresKey,
  scoresKey,
  scoresKeys,
  taken,
} from './check.js';
import { wrongKind, wrongValue } from './errors.js';
import { floatsOf } from './half.js';
import { tellDoubts } from './probabilities.js';
import type { Dtype } from './types.js';

/**
 * Frames of one recording, [T, C] in memory order: as many as there are, none too. One of three keys, with what it says the numbers are; they are in
 * an array of numbers, a `Float32Array`, a `Float64Array`, or in half precision.
 */
export interface DecodeChunk {
  readonly logits?: ArrayLike<number> | undefined;
  readonly logProbs?: ArrayLike<number> | undefined;
  readonly probs?: ArrayLike<number> | undefined;
  /** Of a `Uint16Array`: what its bits are, `float16` or `bfloat16`. */
  readonly dtype?: Dtype | undefined;
}

const kinds = ['Array', 'Float32Array', 'Float64Array', 'Float16Array', 'Uint16Array'];

/** The chunks that a stream is pushed. */
export class Chunks {
  readonly #classes: number;
  readonly #isWhole: boolean;
  #hasLooked = false;
  #ended = false;

  /** @param isWhole as `tellDoubts` has it */
  constructor(classes: number, isWhole: boolean) {
    this.#classes = classes;
    this.#isWhole = isWhole;
  }

  /**
   * The scores of a chunk, whole frames of numbers, and what they are.
   * @throws TypeError, RangeError for what are no such frames; TypeError after the end
   */
  take(chunk: DecodeChunk): { readonly kind: ScoresKey; readonly scores: ArrayLike<number> } {
    this.#checkGoesOn();
    checkObject('chunk', chunk, [...scoresKeys, 'dtype']);
    const kind = scoresKey(chunk);
    const scores = numbersOf(kind, chunk[kind], chunk.dtype);
    const classes = this.#classes;
    if (scores.length % classes !== 0)
      throw wrongValue(kind, `frames of ${classes} scores`, `${scores.length} scores`);
    if (!this.#hasLooked && scores.length > 0)
      this.#hasLooked = tellDoubts(kind, scores, classes, this.#isWhole);
    return { kind, scores };
  }

  end(): void {
    this.#checkGoesOn();
    this.#ended = true;
  }

  #checkGoesOn() {
    if (this.#ended) throw new TypeError('stream: expected one that goes on, got one that has ended');
  }
}

function numbersOf(name: string, given: unknown, chosen: Dtype | undefined): ArrayLike<number> {
  const kind = kindOf(given);
  if (!isList(given) || !kinds.includes(kind))
    throw wrongKind(name, 'an array of numbers, or a Float32Array, Float64Array or Float16Array', given);
  const dtype = checkDtype('dtype', chosen, given);
  if (dtype !== 'float32' && !kind.endsWith('16Array'))
    throw wrongValue('dtype', `'float32' for an ${kind}`, dtype);
  if (ArrayBuffer.isView(given)) {
    if (isTaken(given)) throw taken(name);
    return kind === 'Uint16Array' ? floatsOf(given as Uint16Array, dtype) : (given as Float32Array);
  }
  // as JSON has it, NaN and −Infinity are null, which counts as 0
  for (let i = 0; i < given.length; i++)
    if (typeof given[i] !== 'number') throw wrongKind(`${name}[${i}]`, 'a number', given[i]);
  return given as ArrayLike<number>;
}
