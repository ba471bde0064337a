// Emissions and what is known about them: those of an example, or somebody's own.
import { emissionsOf, type FileTensor, type ScoreKind } from 'webgpu-ctc/files';
import { Vocabulary } from 'webgpu-ctc/text';
import { bestClasses, collapse } from '../../../learning/best-path.js';

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
  /** Of the sound. */
  readonly seconds?: number;
  /** Where it is known; else the frames share the sound's time. */
  readonly frameSeconds?: number;
}

/** A longer word field would not be looked at. */
const longestText = 2000;

/**
 * @throws RangeError, TypeError naming the file and what is wrong: a kind that the scores cannot be, a vocabulary of more classes.
 */
export function ownSource(own: Own): Source {
  const { tensor, kind, targets, blank } = own.candidates[own.chosen]!;
  const { data: logits, frames, classes } = emissionsOf(tensor, { kind: own.kind ?? kind });
  const vocabulary = vocabularyOf(own.tokens, classes, blank);
  const labels = targets ?? collapse(bestClasses({ logits, frames, classes }), vocabulary.blank);
  const { seconds, sound } = own;
  const frameSeconds = own.frameSeconds ?? (seconds === undefined ? undefined : seconds / frames);
  return {
    ...{ name: tensor.name, logits, frames, classes, vocabulary, own },
    text: spelled(labels, vocabulary).slice(0, longestText),
    ...(frameSeconds !== undefined && { frameSeconds }),
    ...(sound && { sound }),
  };
}

/** Without a `vocab.json` classes go by their numbers: one types `3 1 4`. */
function vocabularyOf(tokens: Tokens | undefined, classes: number, blank = 0): Vocabulary {
  if (!tokens) {
    const numbers = Array.from({ length: classes }, (_, c) => (c === blank ? '<blank>' : String(c)));
    return Vocabulary.from(numbers);
  }
  const listed = Array.isArray(tokens)
    ? tokens.length
    : Object.values(tokens).reduce((most, label) => Math.max(most, label + 1), 0);
  if (listed > classes)
    throw new RangeError(
      `vocab.json: expected at most ${classes} classes, as the emissions have, got ${listed}`,
    );
  return Vocabulary.from(tokens, { classes });
}

/** Tokens that are numbers are set apart, letters are not. */
function spelled(labels: readonly number[], vocabulary: Vocabulary): string {
  const tokens = labels.map((label) => vocabulary.read(label));
  const areNumbers = tokens.every((token) => /^\d+$/.test(token));
  return tokens.join(areNumbers ? ' ' : '').trim();
}
