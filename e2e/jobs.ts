/** What a test can have done in the browser: the exported functions of these modules, loaded when first asked for. */
export const jobs = {
  ctc: () => import('./jobs/ctc.js'),
  onnxruntime: () => import('./jobs/onnxruntime.js'),
  smoke: () => import('./jobs/smoke.js'),
};

type Modules = { [M in keyof typeof jobs]: Awaited<ReturnType<(typeof jobs)[M]>> };
// biome-ignore lint/suspicious/noExplicitAny: a job takes and returns what can be copied between browser and test
type Job = (...args: any[]) => unknown;

/** Runs one job by name: `run('smoke', 'double', numbers)`. Typed arrays, NaN and infinities survive the way there and back. */
export type RunJob = <M extends keyof Modules, J extends keyof Modules[M] & string>(
  module: M,
  job: J,
  ...args: Modules[M][J] extends Job ? Parameters<Modules[M][J]> : never
) => Promise<Modules[M][J] extends Job ? Awaited<ReturnType<Modules[M][J]>> : never>;

export type JobCall = { module: string; job: string; args: unknown[] };

export async function doJob({ module, job, args }: JobCall): Promise<unknown> {
  const load = (jobs as Record<string, () => Promise<Record<string, unknown>>>)[module];
  const found = (await load?.())?.[job];
  if (typeof found !== 'function') throw new Error(`no job ${module}.${job}: e2e/jobs.ts lists the modules`);
  return found(...args);
}
