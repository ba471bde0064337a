import './reportGpuErrors.js';
import { doJob, type JobCall } from './jobs.js';

addEventListener('message', async ({ data }: MessageEvent<JobCall>) => {
  try {
    postMessage({ result: await doJob(data) });
  } catch (error) {
    postMessage({ error });
  }
});
