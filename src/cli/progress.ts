/** Says on stderr how far the work is, if someone looks. */
export function progress(quiet: boolean): { show(text: string): void; end(): void } {
  const { stderr } = process;
  if (quiet || !stderr.isTTY) return { show() {}, end() {} };
  let shown = '';
  return {
    show(text) {
      if (text !== shown) stderr.write(`\r\x1b[K${text}`);
      shown = text;
    },
    end() {
      if (shown) stderr.write('\r\x1b[K');
      shown = '';
    },
  };
}

/** What is shown while a part of the work is done: how much, and once that says something, how long the rest will take. */
export function clock(now: () => number = () => performance.now()): (share: number) => string {
  const start = now();
  return (share) => {
    const shown = `${Math.floor(100 * share)} %`;
    const elapsed = (now() - start) / 1000;
    if (elapsed < 3 || share < 0.02 || share >= 1) return shown;
    return `${shown}, ${durationOf((elapsed * (1 - share)) / share)} left`;
  };
}

function durationOf(seconds: number): string {
  if (seconds < 59.5) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
