import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { cli, spoken, workshop } from './program.js';

const example = fileURLToPath(new URL('../examples/queue/', import.meta.url));
const missing = whatIsMissing();
if (missing) console.warn(`\ntest/queue.test.ts is skipped: ${missing}\n`);

/** The queue is no dependency of the library, so that its packages are installed here. */
function whatIsMissing(): string | undefined {
  if (spawnSync('redis-server', ['--version']).status !== 0)
    return 'there is no redis-server (Debian: apt-get install redis-server)';
  const { dependencies } = JSON.parse(readFileSync(join(example, 'package.json'), 'utf8'));
  const current = Object.entries(dependencies).every(([name, version]) => {
    const file = join(example, 'node_modules', name, 'package.json');
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
  });
  if (current) return undefined;
  try {
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const shell = process.platform === 'win32'; // where npm is a batch file
    // npm takes no other signal while a registry keeps it waiting
    const limits = { timeout: 60_000, killSignal: 'SIGKILL' } as const;
    execFileSync('npm', ['ci', ...quiet], { cwd: example, encoding: 'utf8', shell, ...limits });
    return undefined;
  } catch (error) {
    return `npm ci in examples/queue failed: ${(error as Error).message}`;
  }
}

const { folder, place, write, npy } = workshop('queue');
const running = new Set<ChildProcess>();
/** Each a group of its own, so that it dies with all it started, as its machine would. */
function launch(command: string, args: string[], env: object = {}) {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env }, detached: true });
  running.add(child);
  const program = { child, output: '', end: new Promise((resolve) => child.on('close', resolve)) };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (program.output += text));
  child.on('close', () => running.delete(child));
  return program;
}
type Program = ReturnType<typeof launch>;
const kill = (child: ChildProcess) => process.kill(-child.pid!, 'SIGKILL');
afterAll(() => running.forEach(kill));

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

test.skipIf(missing)(
  'three workers, one killed in the middle: every job is done, as without a queue',
  async () => {
    const count = 60;
    const frames = 1500;
    const vocab = write('vocab.json', { '<pad>': 0, '|': 1, a: 2, b: 3, c: 4 });
    npy('cab.npy', [frames, 5], spoken([4, 2, 3], frames, 5));
    for (const name of ['queued', 'alone']) {
      mkdirSync(place(name));
      const jobs = Array.from({ length: count }, (_, k) => {
        const text = 'cab '.repeat(40 + k);
        return JSON.stringify({ emissions: 'cab.npy', text, output: `${name}/${k}.json` });
      });
      write(`${name}.jsonl`, jobs.join('\n'));
    }
    const alone = await cli([
      'align',
      '--manifest',
      place('alone.jsonl'),
      '--vocab',
      vocab,
      '--device',
      'cpu',
    ]);
    expect(alone.code).toBe(0);

    const port = await freePort();
    launch('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]);
    const env = { REDIS_URL: `redis://127.0.0.1:${port}`, LOCK_MS: '1500' };
    const node = (script: string, args: string[]) =>
      launch(process.execPath, [join(example, script), ...args], env);
    const workers = [1, 2, 3].map(() => node('worker.js', ['--vocab', 'vocab.json', '--device', 'cpu']));
    while (!workers.every(({ output }) => output.includes('on the cpu'))) await setTimeout(20);
    const adding = node('add.js', ['queued.jsonl']);
    const finished = () => readdirSync(place('queued')).filter((file) => file.endsWith('.json')).length;
    const [killed, ...others] = workers as [Program, ...Program[]];
    const times = (word: string) => killed.output.split(`: ${word}\n`).length;
    while (finished() < count && (times('done') < 4 || times('taken') === times('done'))) await setTimeout(1);
    kill(killed.child);
    expect(finished()).toBeLessThan(count);

    expect(await adding.end, adding.output).toBe(0);
    expect(adding.output).toBe(`${count} done, 0 failed\n`);
    expect(others.map(({ output }) => output).join('')).toContain('its worker is gone, another takes it');
    const results = (name: string) =>
      readdirSync(place(name))
        .filter((file) => file.endsWith('.json'))
        .sort()
        .map((file) => [file, readFileSync(join(place(name), file), 'utf8')]);
    expect(results('queued')).toEqual(results('alone'));
  },
);
