// Emissions and what is known about them: those of an example, or somebody's own.
import type { FileTensor, ScoreKind } from 'webgpu-ctc/files';
import type { Vocabulary } from 'webgpu-ctc/text';
import type { Line } from '../../shared/pictures/picture.js';

export interface Source {
  readonly name: string;
  readonly logits: Float32Array<ArrayBuffer>;
  readonly frames: number;
  readonly classes: number;
  readonly vocabulary: Vocabulary;
  /** What is to be spelled at first. */
  readonly text: string;
  /** Of a made-up recogniser: it can be made to hear another word. */
  readonly heard?: string;
  readonly frameSeconds?: number;
  /** A URL of this page's origin, or a file. */
  readonly sound?: string | Blob;
  /** Of a picture, what was read. */
  readonly line?: Line;
  /** Of what was loaded, with what can be changed about it. */
  readonly own?: Own;
}

export type Tokens = Readonly<Record<string, number>> | readonly string[];

/** A tensor that can be emissions, and the labels that came with it. */
export interface Candidate {
  readonly tensor: FileTensor;
  /** What its scores are, said by the file or detected. */
  readonly kind: ScoreKind;
  readonly targets?: readonly number[];
  readonly blank?: number;
}

/** What somebody loaded. */
export interface Own {
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** Which of them is looked at. */
  readonly chosen: number;
  /** Where that of the candidate is not right. */
  readonly kind?: ScoreKind;
  readonly tokens?: Tokens;
  readonly sound?: Blob;
  readonly line?: Line;
  /** Of the sound. */
  readonly seconds?: number;
  /** Where it is known; else the frames share the sound's time. */
  readonly frameSeconds?: number;
}
