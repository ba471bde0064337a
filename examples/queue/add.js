// node add.js JOBS.jsonl: puts the jobs of a manifest into the queue, and waits until the workers have done them.
import { open } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { connection, name } from './queue.js';

const queue = new Queue(name, { connection });
const manifest = await open(process.argv[2]);
let line = 0;
for await (const text of manifest.readLines()) {
  line++;
  // of the same id once, so that a manifest which was added in part can be added again
  if (text.trim() !== '') await queue.add('align', JSON.parse(text), { jobId: `line-${line}` });
}

let counts;
do {
  await setTimeout(200);
  counts = await queue.getJobCounts('waiting', 'active', 'completed', 'failed');
} while (counts.waiting + counts.active > 0);
for (const job of await queue.getFailed()) console.error(`${job.id}: ${job.failedReason}`);
console.log(`${counts.completed} done, ${counts.failed} failed`);
await queue.close();
process.exitCode = counts.failed > 0 ? 2 : 0;
