import { CtcError } from '../problem/errors.js';

/** A mistake of the user's, told without a stack trace. */
export class InputError extends Error {}

/** A mistake in the command line, told with its usage. */
export class UsageError extends InputError {}

/** No path through the frames spells the target. */
export class ImpossibleTarget extends Error {}

export function exitCode(error: unknown): number {
  if (error instanceof InputError) return 2;
  if (error instanceof ImpossibleTarget) return 3;
  if (error instanceof CtcError && error.code === 'no-webgpu') return 4;
  return 1;
}

/** What the library calls options of its own in a hint, and the command line its options. */
const hints: readonly (readonly [of: RegExp, as: string])[] = [
  [/^source: /, ''],
  [/layout: '(\w+)' or '(\w+)' reads/, '--layout $1 or $2 reads'],
  [/layout: 'TC' takes/, '--layout TC takes'],
  [
    /kind: 'probs' takes them for that, kind: 'logits' for/,
    '--input probs takes them for that, --input logits for',
  ],
  [/expected a layout, NTC or TNC/, 'expected --layout NTC or TNC'],
  [/item: N takes/, '--item N takes'],
  [/inputLength says/, '--length says'],
  [/blank: 'first' or 'last'/, '--blank first or last'],
  [/blank: 'first'/, '--blank first'],
  [/\(blank: (\d+) for/, '(--blank $1 for'],
  [/the option blank, a class, 'first' or 'last'/, 'the option --blank: a class, first or last'],
  [/language: expected one of/, '--language: expected one of'],
];

/** What the file system refuses, in words; its code is kept for those who search for it. */
const refusals: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of its path is a file and not a folder',
  EISDIR: 'expected a file, got a folder',
  EACCES: 'there is no permission to use it',
  EPERM: 'there is no permission to use it',
  ENOSPC: 'there is no space left to write it',
};

/** What the file system and the library say of an input, with the input's name; anything else is ours. */
export function inputError(name: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof InputError) return error;
  const { code } = error as NodeJS.ErrnoException;
  const ofFile = 'syscall' in error || code === 'ERR_INVALID_ARG_VALUE' || error instanceof RangeError;
  const ofLibrary = error instanceof TypeError && error.message.includes('expected');
  if (!ofFile && !ofLibrary) return error;
  if ('syscall' in error && code !== undefined && code in refusals)
    return new InputError(`${name}: ${refusals[code]} (${code})`);
  const message = hints.reduce((text, [of, as]) => text.replace(of, as), error.message);
  return new InputError(message.startsWith(`${name}: `) ? message : `${name}: ${message}`);
}
