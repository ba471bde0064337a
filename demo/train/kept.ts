// What this browser keeps of a training, so that a reload goes on from there.

import { createStore, del, get, set } from 'idb-keyval';
import { networkVersion } from '../../learning/settings.js';
import type { Handwriting } from '../../learning/writer.js';

export interface Kept {
  /** A file of weights. None: nothing is learned yet. */
  readonly weights?: Uint8Array<ArrayBuffer>;
  /** The strings that the visitor has told it. */
  readonly own: readonly Handwriting[];
}

interface Stored extends Kept {
  readonly version: number;
  /** The link that it was begun from: what came by another one is no part of this. */
  readonly link: string;
}

const store = createStore('webgpu-ctc training', 'kept');

/** A visit by a link leaves alone what the visitor has taught without it. */
const keyOf = (link: string) => (link === '' ? 'own' : 'by link');

/**
 * Whether this page is the one that keeps what it learns. Of several tabs that is the one which was opened first, until it is closed:
 * they would overwrite each other's weights.
 */
export function claim(link: string): Promise<boolean> {
  // pages that did not come by HTTPS have no locks
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    // the page that is reloaded has it for a moment longer
    const signal = AbortSignal.timeout(1000);
    const held = () => {
      resolve(true);
      return new Promise<never>(() => {});
    };
    navigator.locks
      .request(`webgpu-ctc training, ${keyOf(link)}`, { signal }, held)
      .catch(() => resolve(!signal.aborted));
  });
}

/** Whether the browser keeps it: some do not, in a private window say. */
export async function keep(link: string, kept: Kept): Promise<boolean> {
  const stored: Stored = { ...kept, version: networkVersion, link };
  return (await attempt(() => set(keyOf(link), stored, store))) !== 'refused';
}

/** `outdated`: what was kept is of another network, and is dropped. */
export async function recall(link: string): Promise<Kept | 'outdated' | undefined> {
  const stored = await attempt(() => get<Stored>(keyOf(link), store));
  if (stored === 'refused' || stored?.link !== link) return undefined;
  if (stored.version === networkVersion) return stored;
  await forget(link);
  return 'outdated';
}

export async function forget(link: string): Promise<void> {
  await attempt(() => del(keyOf(link), store));
}

async function attempt<R>(run: () => Promise<R>): Promise<R | 'refused'> {
  try {
    return await run();
  } catch {
    return 'refused';
  }
}
