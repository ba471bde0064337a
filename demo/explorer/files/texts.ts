// Files of text: a vocabulary, a transcript, or words with their times.
import type { TextFile } from '../sources/source.js';

/** Of axes of tensors, one of which may be the classes of a vocabulary. */
export type Sizes = readonly number[];

/** What a text can be, and why it is taken for that. */
export interface TextKind {
  readonly kind: 'vocabulary' | 'transcript' | 'timed';
  readonly why: string;
  /** Whether its content alone says so, which may be wrong. */
  readonly guessed: boolean;
}

const names = {
  tensor: /\.(npy|npz|safetensors|pth?|bin|h5)$/i,
  timed: /\.(srt|vtt|textgrid|ctm)$/i,
  transcript: /\.(lab|trn|transcript)$/i,
  vocabulary:
    /\.(vocab|json)$|(^|[^a-z])(vocab(ulary)?|tokens?|token_list|dict(ionary)?|units|symbols|alphabet|keys?)([^a-z]|$)/i,
} as const;

/** Whether bytes are those of a text, in whatever encoding. */
export function isText(bytes: Uint8Array, name: string): boolean {
  const start = bytes.subarray(0, 4096);
  const isTensor = start[0] === 0x93 || (start[0] === 0x50 && start[1] === 0x4b && start[2]! < 8);
  if (names.tensor.test(name) || isTensor || bytes.length === 0) return false;
  if (Object.values(names).some((known) => known.test(name))) return true;
  const hasMark = (start[0] === 0xff && start[1] === 0xfe) || (start[0] === 0xfe && start[1] === 0xff);
  if (hasMark) return true;
  // no text has a zero, and none is numbers with a point alone
  return !start.includes(0) && !isTable(new TextDecoder('latin1').decode(start)) && isReadable(bytes, name);
}

const isTable = (text: string) => /^[\d\s.,;eE+-]+$/.test(text) && /\d[.,]\d/.test(text);

/** Bytes that are no UTF-8 are some other file, unless its name says that it is text. */
function isReadable(bytes: Uint8Array, name: string): boolean {
  if (/\.(txt|md)$/i.test(name)) return true;
  try {
    decodeText(bytes, name);
    return !/^(%PDF|RIFF|OggS|fLaC|ID3)/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 4)));
  } catch {
    return false;
  }
}

/** UTF-8, or UTF-16 with its mark. @throws RangeError naming the file. */
export function decodeText(bytes: Uint8Array, name: string): string {
  const mark = (bytes[0] ?? 0) * 256 + (bytes[1] ?? 0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError(`${name}: expected text in UTF-8, or in UTF-16 with its mark, got other bytes`);
  }
}

/** @throws RangeError for a text with times in a format that is not read. */
export function kindOfText({ name, text }: TextFile, sizes: Sizes): TextKind {
  const byName = (kind: TextKind['kind']) => ({ kind, why: 'by its name', guessed: false });
  if (names.timed.test(name)) return byName('timed');
  const timed = formatOf(text);
  if (timed) return { kind: 'timed', why: `it is ${timed}`, guessed: false };
  const lines = text.split(/\r?\n/).filter((line) => line !== '');
  if (lines.length > 0 && lines.every((line) => /^\d+(\.\d+)?\s+\d+(\.\d+)?\s+\S/.test(line)))
    throw new RangeError(
      `${name}: expected a text, or words with their times in a .TextGrid, .ctm, .srt or .vtt, got lines with times`,
    );
  if (names.transcript.test(name)) return byName('transcript');
  if (names.vocabulary.test(name)) return byName('vocabulary');
  const said = `${lines.length.toLocaleString('en')} line${lines.length === 1 ? '' : 's'}`;
  const isList = lines.length > 2 && lines.every((line) => /^\s?\S*([ \t]+-?[\d.e-]+)?$/.test(line));
  // a list may lack the blank and the space, or name symbols that the model has no class for
  const near = sizes.find((size) => lines.length >= size - 6 && lines.length <= size + 8);
  return isList && near !== undefined
    ? { kind: 'vocabulary', why: `${said} of a token for ${near} classes`, guessed: true }
    : { kind: 'transcript', why: said, guessed: true };
}

/** The format of a text with times that its name does not tell. */
export function formatOf(text: string): 'srt' | 'vtt' | 'TextGrid' | undefined {
  const start = text.slice(0, 1000).replace(/^\ufeff/, '');
  if (/^WEBVTT\b/.test(start)) return 'vtt';
  if (/^\s*(File type *= *)?"ooTextFile/.test(start)) return 'TextGrid';
  return /^\s*(\d+\s*\n)?\s*(\d+:)?\d+:\d+([.,]\d+)? *--> *\d/.test(start.replaceAll('\r', ''))
    ? 'srt'
    : undefined;
}
