import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './failure.js';
import { nearest } from './nearest.js';

export function parse<const T extends NonNullable<ParseArgsConfig['options']>>(argv: string[], options: T) {
  const args = joined(argv, options);
  checkArguments(args, options);
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** `-o -.srt` and `--unknown -10`, which Node's parser takes for two options, as one argument. */
function joined(argv: readonly string[], options: NonNullable<ParseArgsConfig['options']>): string[] {
  const args: string[] = [];
  for (const arg of argv) {
    const before = args.at(-1) ?? '';
    const named = Object.entries(options).find(
      ([name, { short, type }]) => type === 'string' && (before === `--${name}` || before === `-${short}`),
    );
    if (named && /^-(\.[^/\\]|\d)/.test(arg)) args[args.length - 1] = `--${named[0]}=${arg}`;
    else args.push(arg);
  }
  return args;
}

/** What the parser of Node would say in its own words. */
function checkArguments(argv: readonly string[], options: NonNullable<ParseArgsConfig['options']>): void {
  const { tokens } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options,
    strict: false,
    tokens: true,
  });
  const known = Object.keys(options);
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = options[token.name];
    if (!option) {
      const meant = nearest(token.name, known);
      throw new UsageError(`${token.rawName}: unknown option${meant ? `; did you mean --${meant}?` : ''}`);
    }
    if (seen.has(token.name) && !option.multiple && option.type === 'string')
      throw new UsageError(`${token.rawName}: expected it once, got it twice`);
    seen.add(token.name);
    if (/^-[^-]/.test(token.rawName) && token.inlineValue && token.value?.startsWith('='))
      throw wrongOption(
        token.rawName,
        `a space before the value, or --${token.name}${token.value}`,
        token.value,
      );
    if (option.type === 'boolean' && token.value !== undefined)
      throw wrongOption(token.rawName, 'no value', token.value);
    // -.srt is a file on stdout
    const isOption = token.value !== undefined && !token.inlineValue && /^-[^.]/.test(token.value);
    if (option.type === 'string' && (token.value === undefined || isOption))
      throw wrongOption(
        token.rawName,
        isOption ? `a value (--${token.name}=${token.value} if that is one)` : 'a value',
        token.value,
      );
  }
}

export function wrongOption(name: string, expected: string, got: unknown): UsageError {
  const shown = got === undefined ? 'none' : typeof got === 'string' ? `'${got}'` : jsonOf(got);
  return new UsageError(`${name}: expected ${expected}, got ${shown}`);
}

/** What came as JSON, as a message shows it. */
export function jsonOf(value: unknown): string {
  const text = (() => {
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return 'what is nested too deep'; // JSON can be read deeper than it can be written
    }
  })();
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function choice<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  const found = choices.find((one) => one === value);
  if (found === undefined) throw wrongOption(name, choices.join(', '), value);
  return found;
}

/** Of megabytes, the bytes. */
export const megabytes = (name: string, value: unknown) => 1e6 * integer(name, value, 1, 1e9);

/** An integer, from the command line or from JSON. */
export function integer(name: string, value: unknown, least: number, most = Infinity): number {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(number) || (number as number) < least || (number as number) > most)
    throw wrongOption(
      name,
      `an integer ${most === Infinity ? `≥ ${least}` : `from ${least} to ${most}`}`,
      value,
    );
  return number as number;
}

/** A flag of the command line, or of a manifest. */
export function flag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw wrongOption(name, 'true or false', value);
  return value;
}

/** A finite number, from the command line or from JSON. */
export function number(name: string, value: unknown): number {
  const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof read !== 'number' || !Number.isFinite(read)) throw wrongOption(name, 'a number', value);
  return read;
}

/** No file system has names with a NUL in them. */
export function checkPath(name: string, path: string): string {
  if (path.includes('\0')) throw wrongOption(name, 'a path without NUL', path);
  return path;
}
