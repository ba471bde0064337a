// What a beam search reads in the scores, whatever the text, and what it reads once words are known.
import { STAR, Vocabulary } from 'webgpu-ctc/text';
import type { Source } from '../sources/source.js';
import { textOfLabels } from '../sources/spelled.js';
import { type Known, wordsIn } from '../state/known.js';
import { ownScores, type Problem } from './analysis.js';

export interface Reading {
  readonly text: string;
  /** ln of the probability of all label sequences that read so. */
  readonly log: number;
}

export interface Read {
  /** The best first. */
  readonly readings: readonly Reading[];
  /** What is doubtful about what is known, as sentences. */
  readonly notes: readonly string[];
}

/** Texts that are followed from frame to frame, and those that are told. */
const [width, nbest] = [100, 8];
/** Frames times the classes that are looked at, and frames times all classes: they take about half a second. */
const [mostSteps, mostScores] = [20_000, 2e6];
/** Classes of a frame that are looked at. */
const topTokens = 64;
/** What a word costs that is not in the list, in nats. */
const unlisted = -6;

/** Frames that are searched at most. */
export const mostFramesRead = ({ classes }: Source): number =>
  Math.floor(Math.min(mostSteps / Math.min(classes, topTokens), mostScores / classes));

/** Whether the classes are named: without names there are no words. */
export const hasNames = ({ own }: Source): boolean => !own || own.vocabulary !== undefined;

/** @throws RangeError, TypeError, CtcError of the library. */
export async function readingsOf(problem: Problem, source: Source, known?: Known): Promise<Read> {
  const { CtcBeamDecoder, Lexicon } = await import('webgpu-ctc/lm');
  const { logits, frames, classes } = ownScores(problem);
  const tokens = hasNames(source) ? vocabularyOf(source, problem.blank) : undefined;
  const { listed, lacking } = spelledWords(known?.words ?? '', source.vocabulary);
  const lexicon =
    listed.length > 0 ? new Lexicon(listed, known!.others ? { open: true, unlisted } : {}) : undefined;
  const decoder = await CtcBeamDecoder.create({
    ...{ device: 'cpu', blank: problem.blank, width, nbest, topTokens, tokens },
    ...{ lexicon, lm: known?.model?.nGram },
  });
  try {
    const { readings } = await decoder.run({ logits: { data: logits, shape: [frames, classes] as const } });
    return {
      readings: readings[0]!.map(({ text, labels, ctc }) => ({
        text: tokens ? text : textOfLabels([...labels], source.vocabulary),
        log: ctc,
      })),
      notes: [...sayLacking(lacking), ...decoder.notes],
    };
  } finally {
    decoder.destroy();
  }
}

/** That of the source, with the blank that was chosen. */
function vocabularyOf({ vocabulary, classes }: Source, blank: number): Vocabulary {
  if (blank === vocabulary.blank) return vocabulary;
  const tokens = Array.from({ length: classes }, (_, c) => vocabulary.token(c) ?? '');
  const { delimiter } = vocabulary;
  return Vocabulary.from(tokens, { blank, delimiter: delimiter === blank ? null : (delimiter ?? null) });
}

/** Words as the classes write them: in their case, for one. */
function spelledWords(typed: string, vocabulary: Vocabulary): { listed: string[]; lacking: string[] } {
  const lacking: string[] = [];
  const listed = [...new Set(wordsIn(typed))].flatMap((word) => {
    const parts = vocabulary.spell(word);
    const written = parts
      .map(({ label }) => (label === STAR ? ' ' : vocabulary.read(label)))
      .join('')
      .trim();
    const isWord = written !== '' && !parts.some(({ label }) => label === STAR) && !/\s/u.test(written);
    if (!isWord) lacking.push(word);
    return isWord ? [written] : [];
  });
  return { listed, lacking };
}

function sayLacking(lacking: readonly string[]): string[] {
  if (lacking.length === 0) return [];
  const [some, more] = [lacking.slice(0, 3).join(', '), lacking.length - 3];
  return [`The symbols cannot spell ${some}${more > 0 ? ` and ${more} more` : ''}.`];
}
