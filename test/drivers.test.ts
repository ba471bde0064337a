import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findChromium, openGpu, vulkanOnThisMachine } from '../src/node/drivers.js';
import { findPackage, readTar } from '../src/node/unpack.js';

const repository = fileURLToPath(new URL('..', import.meta.url));
// Inside the repository, so that a child process finds the packages; the temporary folder is for what must not.
const scratch = mkdtempSync(join(repository, 'node_modules/.drivers-'));
const elsewhere = mkdtempSync(join(tmpdir(), 'drivers-'));
afterAll(() => {
  for (const folder of [scratch, elsewhere]) rmSync(folder, { recursive: true });
});

describe('WebGPU in this process', () => {
  test('there is a device, and the driver has a name', async () => {
    const { gpu, driver } = await openGpu();
    console.log(`Node adapter: ${driver}`);
    expect(driver).not.toBe('');
    const device = await (await gpu.requestAdapter())?.requestDevice();
    expect(device?.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(8);
    device?.destroy();
  });

  test('every call opens the same one', async () => {
    const [first, second] = await Promise.all([openGpu(), openGpu()]);
    expect(first.gpu).toBe(second.gpu);
  });
});

test('a Chromium is found, and a root user gets no sandbox', async () => {
  const { executablePath, args } = await findChromium();
  expect(existsSync(executablePath)).toBe(true);
  expect(args.includes('--no-sandbox')).toBe(process.getuid?.() === 0);
});

test('WEBGPU_CTC_CHROMIUM decides, and is checked', async () => {
  vi.stubEnv('WEBGPU_CTC_CHROMIUM', process.execPath);
  expect(await findChromium()).toMatchObject({
    executablePath: process.execPath,
    origin: 'WEBGPU_CTC_CHROMIUM',
  });
  vi.stubEnv('WEBGPU_CTC_CHROMIUM', '/no/such/chromium');
  await expect(findChromium()).rejects.toThrow('/no/such/chromium: there is no such file');
  vi.unstubAllEnvs();
});

test('a tar archive is read by its headers', () => {
  const header = (name: string, type: string, size: number) => {
    const block = Buffer.alloc(512);
    block.write(name, 0);
    block.write('0000755\0', 100);
    block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
    block.write(type, 156);
    return block;
  };
  const data = (text: string) => Buffer.concat([Buffer.from(text), Buffer.alloc(512 - text.length)]);
  const tar = Buffer.concat([
    header('lib/', '5', 0),
    header('lib/a.so', '0', 3),
    data('abc'),
    header('../b', '0', 1),
    data('b'),
    Buffer.alloc(1024),
  ]);
  const files = [...readTar(tar)].map((file) => ({ ...file, data: Buffer.from(file.data).toString() }));
  expect(files).toEqual([
    { path: 'lib/a.so', mode: 0o755, data: 'abc' },
    { path: 'b', mode: 0o755, data: 'b' },
  ]);
});

// What another process meets: its environment, its folders, its exit.
describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('in a process of its own', () => {
  beforeAll(async () => {
    const ssr = fileURLToPath(new URL('../src/node/drivers.ts', import.meta.url));
    for (const outDir of [scratch, elsewhere])
      await build({
        configFile: false,
        logLevel: 'silent',
        build: { ssr, outDir, emptyOutDir: false, minify: false },
      });
  });

  async function node(code: string, variables: NodeJS.ProcessEnv = {}, folder = scratch) {
    const { VK_ICD_FILENAMES: _, VK_DRIVER_FILES: __, ...env } = process.env;
    const script = `const drivers = await import(${JSON.stringify(join(folder, 'drivers.js'))});\n${code}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: folder,
      env: { ...env, ...variables },
    });
    const written = { output: '', errors: '' };
    child.stdout.on('data', (text) => (written.output += text));
    child.stderr.on('data', (text) => (written.errors += text));
    const status = await new Promise((resolve) =>
      child.on('close', (code, signal) => resolve(code ?? signal)),
    );
    return { ...written, status };
  }
  const printDriver =
    'console.log(await drivers.openGpu().then((open) => open.driver, (error) => error.message));';
  const printSoftware = `drivers.useSoftwareVulkan(); ${printDriver}`;
  /** As source text: another program that prints its driver. */
  const program = JSON.stringify(
    `(async () => { const drivers = await import(${JSON.stringify(join(scratch, 'drivers.js'))}); ${printDriver} })()`,
  );

  test('a living device does not keep Node from ending', async () => {
    const { output, status } = await node(
      `const adapter = await (await drivers.openGpu()).gpu.requestAdapter(); await adapter.requestDevice(); console.log('device');`,
    );
    expect({ output, status }).toEqual({ output: 'device\n', status: 0 });
  });

  test('Dawn finds the loader at the first attempt', async () => {
    expect((await node(printDriver)).errors).not.toContain("Couldn't load Vulkan");
  });

  test('a driver that the environment names is the only one tried', async () => {
    const { output } = await node(printDriver, { VK_ICD_FILENAMES: '/no/driver.json' });
    expect(output).toMatch(/no usable adapter: the environment .* names \/no\/driver.json/);
  });

  test('a child process inherits the software driver', async () => {
    const { output } =
      await node(`drivers.useSoftwareVulkan(); const { execFileSync } = await import('node:child_process');
      console.log(String(execFileSync(process.execPath, ['-e', ${program}])));`);
    expect(output).toContain('SwiftShader');
  });

  test('a worker thread gets the driver chosen on the main thread, or is told to choose there', async () => {
    const startWorker = `new (await import('node:worker_threads')).Worker(${program}, { eval: true });`;
    expect((await node(`drivers.useSoftwareVulkan(); ${startWorker}`)).output).toContain('SwiftShader');
    if (vulkanOnThisMachine().from === 'nowhere')
      expect((await node(startWorker)).output).toContain('call openGpu on the main thread first');
  });

  test('two processes may unpack the driver at the same time', async () => {
    const cache = join(scratch, 'cache');
    const both = await Promise.all([1, 2].map(() => node(printSoftware, { XDG_CACHE_HOME: cache })));
    for (const { output } of both) expect(output).toContain('SwiftShader');
    expect(readdirSync(join(cache, 'webgpu-ctc', findPackage()?.version ?? ''))).toEqual(['swiftshader']);
  });

  test('without a writable home the driver goes to the temporary folder', async () => {
    const { output } = await node(printSoftware, { XDG_CACHE_HOME: '/dev/null/cache', TMPDIR: scratch });
    expect(output).toContain('SwiftShader');
    expect(existsSync(join(scratch, `webgpu-ctc-${process.getuid?.()}`))).toBe(true);
  });

  test('without Dawn the error says what to install', async () => {
    expect((await node(printDriver, {}, elsewhere)).output).toContain('npm install webgpu');
  });
});
