import { CtcError } from './errors.js';

/** Which device a part of the library is for. */
type For = 'gpu' | 'cpu' | 'both';

/** All parts of what is loaded so far. */
const parts: { readonly of: For; readonly load: () => Promise<unknown> }[] = [];

/**
 * A part of the library that is loaded when it is first asked for. What could not be loaded (no network, or a deploy that has removed the
 * file) is asked for again at the next call; but a browser may remember until the page is loaded again that it could not fetch a file.
 *
 * @returns what loads it, or else rejects with a CtcError `load-failed`
 */
export function lazily<T>(of: For, part: () => Promise<T>): () => Promise<T> {
  const load = async () => {
    try {
      return await part();
    } catch (cause) {
      const { message } = cause as Error;
      throw new CtcError('load-failed', `a part of the library could not be loaded: ${message}`, { cause });
    }
  };
  parts.push({ of, load });
  return load;
}

/** Loads all parts for a device now. @throws CtcError `load-failed` */
export async function preload(device: 'gpu' | 'cpu'): Promise<void> {
  // a part may have parts of its own
  for (let done = 0; done < parts.length; ) {
    const next = parts.slice(done);
    done = parts.length;
    await Promise.all(next.map(({ of, load }) => of !== (device === 'gpu' ? 'cpu' : 'gpu') && load()));
  }
}
