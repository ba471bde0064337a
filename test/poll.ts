const patched = Symbol.for('webgpu-ctc: polls less');

/**
 * While anything is awaited of Dawn in Node, it asks for news by `setImmediate` without a pause, and takes a whole core for that. Where
 * a software driver needs the cores, tests take up to three times as long: a call from native code sleeps a little first.
 */
export function pollLess(): void {
  const { setImmediate: immediately } = globalThis;
  if (patched in immediately) return;
  const asleep = new Int32Array(new SharedArrayBuffer(4));
  const calmly = (call: (...given: unknown[]) => void, ...given: unknown[]) =>
    immediately(() => {
      if (Function.prototype.toString.call(call).endsWith('{ [native code] }'))
        Atomics.wait(asleep, 0, 0, 0.2);
      call(...given);
    });
  const properties = Object.getOwnPropertyDescriptors(immediately);
  globalThis.setImmediate = Object.defineProperties(calmly, {
    ...properties,
    [patched]: { value: true },
  }) as never;
}
