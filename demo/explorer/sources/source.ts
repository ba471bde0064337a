// Emissions and what is known about them: those of an example, or somebody's own.
import type { EmissionsOptions, FileTensor, ScoreKind } from 'webgpu-ctc/files';
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
  /** Times of words that somebody has measured. */
  readonly reference?: Reference;
  /** Other emissions of the same frames and classes, which these are compared with. */
  readonly other?: OtherScores;
  /** A URL of this page's origin, or a file. */
  readonly sound?: string | Blob;
  /** Of a picture, what was read. */
  readonly line?: Line;
  /** Of what was loaded, with what can be changed about it, and what was assumed. */
  readonly own?: Own;
  readonly taken?: Taken;
}

export interface OtherScores {
  readonly name: string;
  /** [frames, classes]. */
  readonly logits: Float32Array<ArrayBuffer>;
}

/** A file of text, as it came. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
  /** Whether its content alone says that it is what it was taken for. */
  readonly guessed?: boolean;
}

/** Order of the axes of a tensor. */
export type FileLayout = NonNullable<EmissionsOptions['layout']>;

/** A tensor that can be emissions, and the labels that came with it. */
export interface Candidate {
  readonly tensor: FileTensor;
  /** What its scores are, where the file says it. */
  readonly said?: ScoreKind;
  readonly targets?: readonly number[];
  readonly blank?: number;
}

/** A word of a reference. Where a cue has several words, its start is that of the first, its end that of the last. */
export interface ReferenceWord {
  readonly text: string;
  /** Seconds. */
  readonly start?: number;
  readonly end?: number;
}

export interface Reference {
  readonly name: string;
  readonly words: readonly ReferenceWord[];
}

/** What somebody loaded, and what they said about it. */
export interface Own {
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** Which of them is looked at. */
  readonly chosen: number;
  /** Which of them it is compared with. */
  readonly other?: number;
  // where what is assumed of the scores is not right
  readonly kind?: ScoreKind;
  readonly layout?: FileLayout;
  /** Which recording of a batch. */
  readonly item?: number;
  /** Frames of the recording: those after them are padding. */
  readonly inputLength?: number;
  readonly vocabulary?: TextFile;
  /** Of the text, and of a vocabulary that has one for each. */
  readonly language?: string;
  /** Class of the blank. */
  readonly blank?: number;
  readonly transcript?: TextFile;
  readonly reference?: Reference;
  readonly sound?: Blob;
  readonly line?: Line;
  /** Of the sound. */
  readonly seconds?: number;
  /** Where it is known; else the frames share the sound's time. */
  readonly frameSeconds?: number;
}

/** What was taken for what, and why. */
export interface Taken {
  readonly kind: ScoreKind;
  readonly shape: readonly number[];
  readonly layout: FileLayout;
  /** Why the axes are taken in another order than frames × classes. */
  readonly swapped?: string;
  /** Recordings of a batch. */
  readonly items: number;
  readonly item: number;
  /** Rows at the end that are there, and those of them that were cut off. */
  readonly rows: number;
  readonly padding: number;
  /** Whether a last column of zeros was left out. */
  readonly starred: boolean;
  /** Why that class is the blank. */
  readonly blankReason: string;
  /** The class that is the best of the most frames, and of which share of them. */
  readonly best: { readonly c: number; readonly share: number };
  /** What else was assumed about the vocabulary. */
  readonly notes: readonly string[];
  /** Those that the vocabulary has a list for, where there are several. */
  readonly languages: readonly string[];
  /** Why a frame is as long as it is said to be. */
  readonly frame: 'said' | 'sound' | 'proposed';
}
