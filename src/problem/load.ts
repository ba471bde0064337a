import { CtcError } from './errors.js';

/**
 * A part of the library that is loaded when it is needed. What could not be loaded (no network, or a deploy that has removed the file) is
 * asked for again at the next call; but a browser may remember until the page is loaded again that it could not fetch a file.
 *
 * @throws CtcError `load-failed`
 */
export async function load<T>(part: () => Promise<T>): Promise<T> {
  try {
    return await part();
  } catch (cause) {
    const { message } = cause as Error;
    throw new CtcError('load-failed', `a part of the library could not be loaded: ${message}`, { cause });
  }
}
