import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './failure.js';

export function parse<const T extends NonNullable<ParseArgsConfig['options']>>(argv: string[], options: T) {
  try {
    return parseArgs({ args: argv, allowPositionals: true, options });
  } catch (error) {
    throw new UsageError((error as Error).message);
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
