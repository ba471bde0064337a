import { CtcError } from '../errors.js';

/**
 * The promise, or a rejection as soon as the device is lost: after that almost every WebGPU promise
 * resolves as if all were well, or never (Dawn).
 */
export function unlessLost<T>(device: GPUDevice, promise: Promise<T>): Promise<T> {
  const lost = device.lost.then(({ reason, message }) => {
    throw new CtcError('device-lost', `device lost (${reason}): ${message}`);
  });
  return Promise.race([promise, lost]);
}

/** Runs GPU calls in error scopes; what the device reports about them rejects the promise. */
export async function inErrorScopes<T>(device: GPUDevice, what: string, calls: () => T): Promise<T> {
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
  const [internal, memory, validation] = await unlessLost(device, scopes);
  if (memory)
    throw new CtcError('out-of-memory', `${what}: ${memory.message || 'the device is out of memory'}`, {
      cause: memory,
    });
  const error = validation ?? internal;
  if (error) throw new CtcError('gpu-validation', `${what}: ${error.message}`, { cause: error });
  return result;
}
