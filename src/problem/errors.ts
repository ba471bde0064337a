/** What an error is about: `CtcError` explains each. */
export type CtcErrorCode =
  | 'no-webgpu'
  | 'device-lost'
  | 'out-of-memory'
  | 'gpu-validation'
  | 'destroyed'
  | 'busy'
  | 'load-failed';

/**
 * What is neither a wrong kind (`TypeError`) nor a wrong value (`RangeError`).
 *
 * - `no-webgpu`: no adapter, or no WebGPU at all; the message says what to do
 * - `device-lost`: the device went away; make a new one
 * - `out-of-memory`: the device refused an allocation
 * - `gpu-validation`: WebGPU refused a command; the message holds its words and the place in the shader
 * - `destroyed`: the object was destroyed
 * - `load-failed`: a part of the library could not be loaded; load the page again
 * - `busy`: the task's working memory is in use by a run that has not ended, or by something encoded that has not been submitted
 */
export class CtcError extends Error {
  override readonly name = 'CtcError';
  readonly code: CtcErrorCode;

  constructor(code: CtcErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A property; undefined where reading it throws, as it does behind a proxy. */
export function peek(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined;
  }
}

/** `instanceof`; not where a proxy that was revoked does not let itself be asked. */
export function isInstance<T>(value: unknown, type: { readonly prototype: T }): value is T {
  try {
    return value instanceof (type as unknown as new () => T);
  } catch {
    return false;
  }
}

/** Own keys; none where reading them throws. */
export function keysOf(value: object): string[] | undefined {
  try {
    return Object.keys(value);
  } catch {
    return undefined;
  }
}

/** As much of a list or of a text as an error message has room for. */
const mostShown = { items: 4, keys: 12, letters: 200 } as const;

/** A value as a reader of an error message wants to see it. Whatever it is, this does not throw. */
export function shown(value: unknown, depth = 2): string {
  if (typeof value === 'string') {
    const short = value.slice(0, mostShown.letters);
    return `'${short}${short.length < value.length ? '…' : ''}'`;
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  const name = peek(peek(value, 'constructor'), 'name');
  const kind = typeof name === 'string' && name !== '' ? name : 'Object';
  const some = `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
  const length = peek(value, 'length');
  const isView = ArrayBuffer.isView(value);
  if (typeof length === 'number' && (length > mostShown.items || isView)) return `${kind} of ${length}`;
  if (isView) return some;
  if (kind === 'Array') {
    if (depth === 0) return '[…]';
    return `[${Array.from({ length: Number(length) }, (_, i) => shown(peek(value, String(i)), depth - 1)).join(', ')}]`;
  }
  if (kind.endsWith('Array')) return `a proxy of ${some}`;
  if (kind !== 'Object') return some;
  const keys = keysOf(value) ?? [];
  if (keys.length > mostShown.keys) keys.splice(mostShown.keys, Infinity, '…');
  return `{ ${keys.join(', ')} }`.replace('{  }', '{}');
}

const message = (argument: string, expected: string, got: unknown) =>
  `${argument}: expected ${expected}, got ${shown(got)}`;

export function wrongKind(argument: string, expected: string, got: unknown): TypeError {
  return new TypeError(message(argument, expected, got));
}

export function wrongValue(argument: string, expected: string, got: unknown): RangeError {
  return new RangeError(message(argument, expected, got));
}
