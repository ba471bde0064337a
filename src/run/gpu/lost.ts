import { CtcError } from '../../problem/errors.js';

/** Who waits on a device, and the error once it is lost. */
interface Watch {
  readonly waiting: Set<(error: CtcError) => void>;
  error?: CtcError;
}

const watches = new WeakMap<GPUDevice, Watch>();

function watchOf(device: GPUDevice): Watch {
  let watch = watches.get(device);
  if (!watch) {
    const made: Watch = { waiting: new Set() };
    device.lost.then(({ reason, message }) => {
      made.error = new CtcError('device-lost', `device lost (${reason}): ${message}`);
      for (const reject of made.waiting) reject(made.error);
    });
    watches.set(device, made);
    watch = made;
  }
  return watch;
}

/** The error of a device that is gone, from the first call for it on. */
export const whyLost = (device: GPUDevice): CtcError | undefined => watchOf(device).error;

/**
 * The promise, or a rejection as soon as the device is lost: after that almost every WebGPU promise resolves as if all
 * were well, or never (Dawn). Not a race with `device.lost`, which would keep every promise that ever raced.
 */
export function unlessLost<T>(device: GPUDevice, promise: Promise<T>): Promise<T> {
  const watch = watchOf(device);
  return new Promise<T>((resolve, reject) => {
    if (watch.error) reject(watch.error);
    watch.waiting.add(reject);
    promise.then(resolve, reject).finally(() => watch.waiting.delete(reject));
  });
}

/** Runs GPU calls in error scopes; what the device reports about them rejects the promise. */
export async function inErrorScopes<T>(device: GPUDevice, what: string, calls: () => T): Promise<T> {
  const { result, heard } = inErrorScopesNow(device, what, calls);
  await heard;
  return result;
}

/** The same at once: the result, and a promise that what the device reports rejects. */
export function inErrorScopesNow<T>(
  device: GPUDevice,
  what: string,
  calls: () => T,
): { result: T; heard: Promise<void> } {
  // pushed, used and popped in one synchronous block: the stack belongs to the device, perhaps the caller's
  for (const filter of ['validation', 'out-of-memory', 'internal'] as const) device.pushErrorScope(filter);
  let scopes: Promise<(GPUError | null)[]>;
  let result: T;
  try {
    result = calls();
  } finally {
    scopes = Promise.all([device.popErrorScope(), device.popErrorScope(), device.popErrorScope()]);
    scopes.catch(() => {});
  }
  return { result, heard: hear(device, what, scopes) };
}

async function hear(device: GPUDevice, what: string, scopes: Promise<(GPUError | null)[]>): Promise<void> {
  const [internal, memory, validation] = await unlessLost(device, scopes);
  if (memory)
    throw new CtcError('out-of-memory', `${what}: ${memory.message || 'the device is out of memory'}`, {
      cause: memory,
    });
  const error = validation ?? internal;
  if (error) throw new CtcError('gpu-validation', `${what}: ${error.message}`, { cause: error });
}
