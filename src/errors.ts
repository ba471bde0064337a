export type CtcErrorCode =
  | 'no-webgpu'
  | 'device-lost'
  | 'out-of-memory'
  | 'gpu-validation'
  | 'destroyed'
  | 'busy';

/**
 * What is neither a wrong kind (`TypeError`) nor a wrong value (`RangeError`).
 *
 * - `no-webgpu`: no adapter, or no WebGPU at all; the message says what to do
 * - `device-lost`: the device went away; make a new one
 * - `out-of-memory`: the device refused an allocation
 * - `gpu-validation`: WebGPU refused a command; the message holds its words and the place in the shader
 * - `destroyed`: the object was destroyed
 * - `busy`: the task's working memory is in use by a run that has not ended
 */
export class CtcError extends Error {
  override readonly name = 'CtcError';
  readonly code: CtcErrorCode;

  constructor(code: CtcErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A value as a reader of an error message wants to see it. */
export function shown(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value.length > 80 ? `'${value.slice(0, 80)}…'` : `'${value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  const kind = kindIn(value);
  if (kind === undefined || depth > 2) return 'an object';
  const { length } = value as unknown[];
  if (length > 4 || ArrayBuffer.isView(value)) return `${kind} of ${length}`;
  if (Array.isArray(value)) return `[${value.map((one) => shown(one, depth + 1)).join(', ')}]`;
  if (kind === 'Object') return `{ ${Object.keys(value).join(', ')} }`.replace('{  }', '{}');
  return `${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

/** The name of its class; none of a proxy of what cannot be asked through one. */
function kindIn(value: object & { length?: unknown }): string | undefined {
  try {
    void value.length;
    return value.constructor?.name;
  } catch {
    return undefined;
  }
}

const message = (argument: string, expected: string, got: unknown) =>
  `${argument}: expected ${expected}, got ${shown(got)}`;

export function wrongKind(argument: string, expected: string, got: unknown): TypeError {
  return new TypeError(message(argument, expected, got));
}

export function wrongValue(argument: string, expected: string, got: unknown): RangeError {
  return new RangeError(message(argument, expected, got));
}
