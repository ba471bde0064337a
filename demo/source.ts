// Emissions and what is known about them: those of an example, or somebody's own.
import { emissionsOf, type FileTensor, type ScoreKind, scoreKindOf } from 'webgpu-ctc/files';
import { Vocabulary } from 'webgpu-ctc/text';

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
  readonly kind?: ScoreKind;
  readonly targets?: readonly number[];
  readonly blank?: number;
}

/** What somebody loaded. */
export interface Own {
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** Which of them is looked at. */
  readonly chosen: number;
  /** Where what was detected is not right. */
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
  const { tensor, targets, blank } = own.candidates[own.chosen]!;
  const kind = own.kind ?? own.candidates[own.chosen]!.kind;
  const { data: logits, frames, classes } = emissionsOf(tensor, kind ? { kind } : {});
  const vocabulary = vocabularyOf(own.tokens, classes, blank);
  const labels = targets ?? read(logits, classes, vocabulary.blank);
  const { seconds, sound } = own;
  const frameSeconds = own.frameSeconds ?? (seconds === undefined ? undefined : seconds / frames);
  return {
    ...{ name: tensor.name, logits, frames, classes, vocabulary, own },
    text: spelled(labels, vocabulary).slice(0, longestText),
    ...(frameSeconds !== undefined && { frameSeconds }),
    ...(sound && { sound }),
  };
}

/** What the scores are taken for, and what they look like. */
export function kindsOf(own: Own): { taken: ScoreKind; detected: ScoreKind } {
  const candidate = own.candidates[own.chosen]!;
  const { data, classes } = emissionsOf(candidate.tensor, { kind: 'logits' });
  const detected = candidate.kind ?? scoreKindOf(data, classes);
  return { taken: own.kind ?? detected, detected };
}

/** Without a `vocab.json` classes go by their numbers: one types `3 1 4`. */
function vocabularyOf(tokens: Tokens | undefined, classes: number, blank = 0): Vocabulary {
  if (!tokens) {
    const numbers = Array.from({ length: classes }, (_, c) => (c === blank ? '<blank>' : String(c)));
    return Vocabulary.from(numbers);
  }
  const listed = Array.isArray(tokens) ? tokens.length : 1 + Math.max(...Object.values(tokens));
  if (listed > classes)
    throw new RangeError(
      `vocab.json: expected at most ${classes} classes, as the emissions have, got ${listed}`,
    );
  return Vocabulary.from(tokens, { classes });
}

/** The best class of each frame, repeats as one, blanks as none. */
function read(logits: Float32Array, classes: number, blank: number): number[] {
  const labels: number[] = [];
  let before = blank;
  for (let at = 0; at < logits.length; at += classes) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (logits[at + c]! > logits[at + best]!) best = c;
    if (best !== before && best !== blank) labels.push(best);
    before = best;
  }
  return labels;
}

/** Tokens that are numbers are set apart, letters are not. */
function spelled(labels: readonly number[], vocabulary: Vocabulary): string {
  const tokens = labels.map((label) => vocabulary.read(label));
  const areNumbers = tokens.every((token) => /^\d+$/.test(token));
  return tokens.join(areNumbers ? ' ' : '').trim();
}
