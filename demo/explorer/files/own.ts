// What somebody loaded, as a source, with all that was assumed about it.
import { Vocabulary } from 'webgpu-ctc/text';
import { bestClasses, collapse } from '../../../learning/best-path.js';
import type { Candidate, OtherScores, Own, Source, Taken, TextFile } from '../sources/source.js';
import { textOfLabels } from '../sources/spelled.js';
import { readEmissions } from './tensors.js';

/** Of what was read, since nobody has given a text: a longer one would not be looked at. */
const longestRead = 2000;

/** Seconds that a frame has in many recognisers. */
export const usualFrame = 0.02;

/**
 * @throws RangeError, TypeError naming the file and what is wrong: a kind that the scores cannot be, a vocabulary of more classes.
 */
export function ownSource(own: Own): Source {
  const candidate = own.candidates[own.chosen]!;
  const { tensor, targets } = candidate;
  const listed = own.vocabulary && listedIn(own.vocabulary, own.language);
  const read = readEmissions(candidate, own, listed);
  const { data: logits, frames, classes, padding } = read;
  const best = mostOften(bestClasses({ logits, frames, classes }), classes);
  const blank = own.blank ?? candidate.blank;
  const { vocabulary, reason } = own.vocabulary
    ? fitted(own.vocabulary, { classes, language: own.language, blank, best })
    : numbered(classes, blank, best);
  const given = own.transcript?.text ?? own.reference?.words.map(({ text }) => text).join(' ');
  const labels = targets ?? collapse(bestClasses({ logits, frames, classes }), vocabulary.blank);
  const { seconds, sound, line, reference, frameSeconds: said } = own;
  const ofSound = seconds === undefined ? undefined : seconds / frames;
  // what is compared with seconds needs some
  const frameSeconds = said ?? ofSound ?? (reference && usualFrame);
  const taken: Taken = {
    ...{ kind: read.kind, shape: tensor.shape, layout: read.layout, items: read.items, best },
    ...(read.swapped !== undefined && { swapped: read.swapped }),
    ...{ item: Math.min(own.item ?? 0, read.items - 1), rows: frames + padding, padding },
    ...{ starred: read.starred, blankReason: reason, notes: own.vocabulary ? vocabulary.notes : [] },
    languages: own.vocabulary ? languagesIn(own.vocabulary) : [],
    frame: said !== undefined ? 'said' : ofSound !== undefined ? 'sound' : 'proposed',
  };
  const other = own.other === undefined ? undefined : otherOf(own, own.candidates[own.other]!, read);
  return {
    ...{ name: tensor.name, logits, frames, classes, vocabulary, own, taken },
    ...(other && { other }),
    text: given?.trim().replace(/\s+/gu, ' ') ?? textOfLabels(labels, vocabulary).slice(0, longestRead),
    ...(frameSeconds !== undefined && { frameSeconds }),
    ...(reference && { reference }),
    ...(sound && { sound }),
    ...(line && { line }),
  };
}

/** The scores that these are compared with: of as many frames and classes, however each of them was cut. */
function otherOf(
  { layout, item, candidates, chosen }: Own,
  { tensor, said }: Candidate,
  { frames, padding, classes }: ReturnType<typeof readEmissions>,
): OtherScores {
  const one = candidates[chosen]!.tensor;
  const isAlike = tensor.shape.join() === one.shape.join();
  const how = { ...(isAlike && layout && { layout }), ...(item !== undefined && { item }) };
  const whole = readEmissions({ tensor, ...(said && { said }) }, how);
  const sizes = [whole.frames + whole.padding, whole.classes];
  const own = [frames + padding, classes];
  if (sizes.join() !== own.join())
    throw new RangeError(
      `${tensor.name}: expected [${own.join(', ')}], as ${one.name} has, got [${sizes.join(', ')}]`,
    );
  const { data } = readEmissions({ tensor, said: whole.kind }, { ...how, inputLength: frames });
  return { name: tensor.name, logits: data };
}

/** The class that is the best of the most frames. */
function mostOften(bestOf: Int32Array, classes: number): Taken['best'] {
  const wins = new Uint32Array(classes);
  for (const c of bestOf) wins[c]!++;
  const c = wins.reduce((most, count, k) => (count > wins[most]! ? k : most), 0);
  return { c, share: bestOf.length > 0 ? wins[c]! / bestOf.length : 0 };
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** How the scores speak for a blank. */
export const sayBest = ({ c, share }: Taken['best']): string =>
  `class ${c} is the best in ${percent(share)} of the frames`;

interface Named {
  readonly vocabulary: Vocabulary;
  /** Why its blank is that class. */
  readonly reason: string;
}

/** Without a vocabulary classes go by their numbers: one types `3 1 4`. */
function numbered(classes: number, given: number | undefined, best: Taken['best']): Named {
  const blank = given ?? best.c;
  const numbers = Array.from({ length: classes }, (_, c) => (c === blank ? '<blank>' : String(c)));
  return {
    vocabulary: Vocabulary.from(numbers),
    reason: given === undefined ? `by the scores: ${sayBest(best)}` : 'it was given',
  };
}

interface Fit {
  readonly classes: number;
  readonly language: string | undefined;
  readonly blank: number | undefined;
  readonly best: Taken['best'];
}

/** The vocabulary of a file. One that does not say which class is the blank has it where the scores say. */
function fitted(file: TextFile, { classes, language: asked, blank, best }: Fit): Named {
  const language = languageOf(file, asked);
  const parse = (given: number | 'first' | 'last' | undefined) =>
    Vocabulary.parse(file.text, { classes, language, blank: given });
  try {
    const vocabulary = parse(blank);
    return { vocabulary, reason: vocabulary.blankReason };
  } catch (error) {
    const told = asOf(file, error);
    if (blank !== undefined) throw told;
    const proposed = [
      ...(best.c === 0 ? ['first' as const] : best.c === classes - 1 ? ['last' as const] : []),
      best.c,
    ];
    for (const given of proposed) {
      try {
        return { vocabulary: parse(given), reason: `by the scores: ${sayBest(best)}` };
      } catch {
        // the first error says what is wrong
      }
    }
    throw told;
  }
}

/** An error that names the file. */
function asOf({ name }: TextFile, error: unknown): Error {
  const message = (error as Error).message.replace(/^(vocabulary|text): /, '');
  return new RangeError(`${name}: ${message}`);
}

/** Classes that a vocabulary lists. */
function listedIn(file: TextFile, asked: string | undefined): number {
  try {
    // whatever class that is: how many there are is asked
    return Vocabulary.parse(file.text, { language: languageOf(file, asked), blank: 0 }).size;
  } catch (error) {
    throw asOf(file, error);
  }
}

/** The languages that a vocabulary has a list for each of; none where it is one list. */
export function languagesIn({ text }: TextFile): string[] {
  if (!/^\s*\{/.test(text)) return [];
  try {
    const json: Record<string, unknown> = JSON.parse(text);
    if ((json.model as { vocab?: unknown } | undefined)?.vocab) return [];
    return Object.keys(json).filter((name) => typeof json[name] === 'object');
  } catch {
    return [];
  }
}

/** The one that was asked for; of a vocabulary with several lists else the first. */
function languageOf(file: TextFile, asked: string | undefined): string | undefined {
  const languages = languagesIn(file);
  return asked !== undefined && (languages.length === 0 || languages.includes(asked)) ? asked : languages[0];
}

/** An example as if it had been loaded: for what is added to it, which no link can carry. */
export async function ownOf(source: Source): Promise<Own> {
  const { name, logits, frames, classes, vocabulary, frameSeconds, sound } = source;
  const tokens = Array.from({ length: classes }, (_, c) => vocabulary.token(c) ?? '');
  return {
    candidates: [{ tensor: { name, dtype: 'f4', data: logits, shape: [frames, classes] }, said: 'logits' }],
    chosen: 0,
    vocabulary: { name: 'its vocabulary', text: JSON.stringify(tokens) },
    blank: vocabulary.blank,
    ...(frameSeconds !== undefined && { frameSeconds }),
    ...(sound && { sound: typeof sound === 'string' ? await (await fetch(sound)).blob() : sound }),
  };
}
