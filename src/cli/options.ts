import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './failure.js';
import { nearest } from './nearest.js';

export function parse<const T extends NonNullable<ParseArgsConfig['options']>>(argv: string[], options: T) {
  checkArguments(argv, options);
  try {
    return parseArgs({ args: argv, allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
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
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = options[token.name];
    if (!option) {
      const meant = nearest(token.name, known);
      throw new UsageError(`${token.rawName}: unknown option${meant ? `; did you mean --${meant}?` : ''}`);
    }
    if (option.type === 'boolean' && token.value !== undefined)
      throw wrongOption(token.rawName, 'no value', token.value);
    const isOption =
      token.value !== undefined && !token.inlineValue && /^-./.test(token.value) && token.value !== '-';
    if (option.type === 'string' && (token.value === undefined || isOption))
      throw wrongOption(
        token.rawName,
        isOption ? `a value (${token.rawName}=${token.value} if that is one)` : 'a value',
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
