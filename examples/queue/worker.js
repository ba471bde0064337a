// node worker.js [options of webgpu-ctc align]: does jobs of the queue, on as many machines as you like. Paths in a job are
// relative to the folder in which the worker runs.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UnrecoverableError, Worker } from 'bullmq';
import { connection, name } from './queue.js';

/** Jobs in flight. */
const concurrency = 4;
/** What a worker had is given to another once it has been silent for so long. */
const lockDuration = Number(process.env.LOCK_MS ?? 30_000);

// one process for all jobs: a manifest that never ends, on a device that is opened once
const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const align = spawn(
  process.execPath,
  [command, 'align', '--manifest', '-', '--jobs', String(concurrency), ...process.argv.slice(2)],
  { stdio: ['pipe', 'pipe', 'inherit'] },
);
align.on('close', (code) => process.exit(code || 1));
align.stdin.on('error', () => {}); // it ended: see above

const waiting = new Map();
createInterface({ input: align.stdout }).on('line', (line) => {
  const report = JSON.parse(line);
  waiting.get(report.id)?.(report);
  waiting.delete(report.id);
});

const worker = new Worker(
  name,
  async (job) => {
    const report = await new Promise((resolve) => {
      waiting.set(job.id, resolve);
      align.stdin.write(`${JSON.stringify({ ...job.data, id: job.id })}\n`);
    });
    // another try would end in the same way
    if (report.status === 'failed') throw new UnrecoverableError(report.error);
    return report;
  },
  { connection, concurrency, lockDuration, stalledInterval: lockDuration, maxStalledCount: 5 },
);
worker.on('active', ({ id }) => console.log(`${id}: taken`));
worker.on('completed', ({ id }) => console.log(`${id}: done`));
worker.on('failed', (job, { message }) => console.log(`${job?.id}: failed: ${message}`));
worker.on('stalled', (id) => console.error(`${id}: its worker is gone, another takes it`));
worker.on('error', (error) => console.error(`queue: ${error.message}`));
