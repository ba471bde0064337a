/** What lets timers, input and other tasks run each time it is called, if they could not for 12 ms. */
export function pauses(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < 12) return;
    await new Promise<void>((resolve) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(null);
    });
    since = performance.now();
  };
}

/** Work on the numbers from 0 to `count`, a range at a time. */
export async function inRanges(
  count: number,
  pause: () => Promise<void>,
  work: (from: number, to: number) => void,
): Promise<void> {
  const size = 2 ** 15;
  for (let from = 0; from < count; from += size) {
    work(from, Math.min(count, from + size));
    await pause();
  }
}
