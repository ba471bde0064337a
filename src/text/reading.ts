import { checkObject } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { mergeTokens, type TokenSpan } from '../problem/spans.js';
import { segmented } from './script.js';
import { Vocabulary } from './vocabulary.js';
import { checkTiming, type TimedText, type TimedWord, type Timing, timedBy } from './words.js';

/** What was read, and when. */
export interface Reading extends TimedText {
  readonly text: string;
}

/** Options of `readingOf`. */
export interface ReadingOptions extends Timing {
  /** Of the text, as `Intl` names it, `'ja'`: where words of a script without spaces begin. Default: that of the locale. */
  readonly language?: string | undefined;
}

/** What some spans read: a label, or the bytes of a character. */
interface Read {
  readonly text: string;
  readonly spans: TokenSpan[];
}

/**
 * What the best class of each frame says (greedy, or best path decoding: Graves et al. 2006, section 3.2): repeats are one, blanks nothing,
 * delimiters spaces, bytes that follow each other a text. White space of any kind at either end of a token parts words, as in a transcript; a
 * text without spaces has the words that `Intl.Segmenter` finds.
 *
 * @param labels best class of each frame, [T]
 * @param scores its log-probability, [T]
 * @throws TypeError, RangeError for a wrong argument, such as labels of another vocabulary.
 */
export function readingOf(
  labels: ArrayLike<number>,
  scores: ArrayLike<number>,
  vocabulary: Vocabulary,
  options: ReadingOptions,
): Reading {
  if (!(vocabulary instanceof Vocabulary)) throw wrongKind('vocabulary', 'a Vocabulary', vocabulary);
  const spans = mergeTokens(labels, scores, vocabulary.blank);
  for (const { label, start } of spans)
    if (label >= vocabulary.size)
      throw wrongValue(
        `labels[${start}]`,
        `a class of the vocabulary, 0 to ${vocabulary.size - 1} (if the model has more, its option classes says how many)`,
        label,
      );
  checkObject('options', options, ['frameSeconds', 'offsetSeconds', 'language']);
  const { language, ...times } = options;
  if (language !== undefined && typeof language !== 'string')
    throw wrongKind('language', 'a string', language);
  const timing = checkTiming(times, labels.length);
  let text = '';
  const words: Read[][] = [];
  const characters: TimedWord[] = [];
  let isNew = true;
  for (const read of readsOf(spans, vocabulary)) {
    text += read.text;
    if (/^\s/u.test(read.text)) isNew = true;
    const spelled = read.text.trim();
    if (spelled === '') continue;
    characters.push(timedBy(read.spans, spelled, timing));
    if (isNew) words.push([]);
    isNew = /\s$/u.test(read.text);
    words[words.length - 1].push({ text: spelled, spans: read.spans });
  }
  const timed = words.flatMap((reads) =>
    inWords(reads, language).map((word, i) => {
      const spoken = timedBy(
        word.flatMap((read) => read.spans),
        word.map((read) => read.text).join(''),
        timing,
      );
      return i === 0 ? spoken : { ...spoken, joined: true };
    }),
  );
  return { text: text.trim(), words: timed, characters };
}

function readsOf(spans: readonly TokenSpan[], vocabulary: Vocabulary): Read[] {
  const reads: Read[] = [];
  let bytes: number[] = [];
  let ofBytes: TokenSpan[] = [];
  const end = () => {
    if (bytes.length > 0)
      reads.push({ text: new TextDecoder().decode(Uint8Array.from(bytes)), spans: ofBytes });
    [bytes, ofBytes] = [[], []];
  };
  for (const span of spans) {
    const byte = vocabulary.byte(span.label);
    if (byte === undefined) {
      end();
      reads.push({ text: vocabulary.read(span.label), spans: [span] });
      continue;
    }
    // a character begins with any byte but those that go on with one
    if ((byte & 0xc0) !== 0x80) end();
    bytes.push(byte);
    ofBytes.push(span);
  }
  end();
  return reads;
}

/** What stands between spaces, in words; a label is never cut. */
function inWords(reads: readonly Read[], language: string | undefined): Read[][] {
  const text = reads.map((read) => read.text).join('');
  const starts = new Set<number>();
  let place = 0;
  for (const word of segmented(text, language)) {
    starts.add(place);
    place += word.length;
  }
  const words: Read[][] = [];
  let at = 0;
  for (const read of reads) {
    if (words.length === 0 || starts.has(at)) words.push([]);
    words[words.length - 1].push(read);
    at += read.text.length;
  }
  return words;
}
