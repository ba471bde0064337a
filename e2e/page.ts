import './reportGpuErrors.js';
import { doJob, type JobCall } from './jobs.js';
import { pack, unpack } from './wire.js';

/** In a worker of its own, ended with the job. */
function doJobInWorker(call: JobCall): Promise<unknown> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  const answer = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => ('error' in data ? reject(data.error) : resolve(data.result));
    worker.onerror = ({ message }) => reject(new Error(`worker: ${message || 'its script did not load'}`));
  });
  worker.postMessage(call);
  return answer.finally(() => worker.terminate());
}

async function doPackedJob(call: string, place: 'page' | 'worker'): Promise<string> {
  const job = unpack(call) as JobCall;
  return pack(await (place === 'page' ? doJob(job) : doJobInWorker(job)));
}

export const testPage = { doJob, doJobInWorker, doPackedJob };
Object.assign(globalThis, { testPage });
