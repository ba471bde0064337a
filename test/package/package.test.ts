import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, hostname } from 'node:os';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright';
import { build, minifySync, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../../e2e/browser.js';
import { App, repository } from './app.js';

const app = new App();
const { folder, installed } = app;
beforeAll(() => app.write('job.js', JOB));

/** All classes equally likely: C(T + S, 2S) of the C^T paths spell S different labels. */
const JOB = `
export async function job({ CtcLoss, CtcError }, device) {
  const ctc = await CtcLoss.create({ device, reduction: 'sum' });
  const { loss, grad, backend } = await ctc.run({
    logProbs: { data: new Float32Array(4 * 2 * 4).fill(Math.log(1 / 4)), shape: [4, 2, 4] },
    targets: [[1, 2], [3]],
    inputLengths: [4, 3],
    targetLengths: [2, 1],
  });
  ctc.destroy();
  return { loss, grad: grad.length, device: backend.device, error: new CtcError('destroyed', '') instanceof Error };
}`;
const result = (device: 'gpu' | 'cpu') => ({
  loss: expect.closeTo(Math.log((4 ** 4 / 15) * (4 ** 3 / 6)), 5),
  grad: 32,
  device,
  error: true,
});

/** What a bundler makes of a page's module. */
async function bundled(file: string, code: string): Promise<Rolldown.OutputChunk[]> {
  app.write(file, code);
  const outputs = await build({
    ...{ configFile: false, root: folder, logLevel: 'silent' },
    build: { write: false, target: 'es2022', rolldownOptions: { input: join(folder, file) } },
  });
  const { output } = [outputs].flat()[0] as Rolldown.RolldownOutput;
  return output.filter((it) => it.type === 'chunk');
}

/** Some chunks, and all that they import. */
function loadedWith(
  chunks: readonly Rolldown.OutputChunk[],
  isFirst: (chunk: Rolldown.OutputChunk) => boolean,
): Set<Rolldown.OutputChunk> {
  const loaded = new Set(chunks.filter(isFirst));
  for (const { imports } of loaded)
    for (const file of imports) loaded.add(chunks.find(({ fileName }) => fileName === file)!);
  return loaded;
}

describe('the tarball', () => {
  test('holds what `files` names, and nothing of this machine', () => {
    expect(app.packed).toEqual(
      expect.arrayContaining(['package.json', 'LICENSE', 'README.md', 'CHANGELOG.md']),
    );
    const dist = app.packed.filter((file) => /^dist\/.*\.(js|js\.map|d\.ts)$/.test(file));
    expect(app.packed.filter((file) => !dist.includes(file)).sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      ...readdirSync(join(repository, 'docs'))
        .filter((file) => file.endsWith('.md'))
        .map((file) => `docs/${file}`),
      'package.json',
    ]);
    const traces = [repository, homedir(), hostname()].filter((trace) => trace.length > 4);
    for (const file of app.packed) {
      const text = readFileSync(join(installed, file), 'utf8');
      expect(
        traces.filter((trace) => text.includes(trace)),
        file,
      ).toEqual([]);
    }
  });

  test('has a main entry of at most 15 kB once a bundler has made it small, the rest in lazy chunks', async () => {
    const chunks = await bundled('page.js', "import * as ctc from 'webgpu-ctc';\nglobalThis.ctc = ctc;");
    const first = loadedWith(chunks, ({ isEntry }) => isEntry);
    const code = Array.from(first, (chunk) => chunk.code).join('\n');
    const size = gzipSync(code, { level: 9 }).length;
    console.log(
      `a page with the library loads ${code.length} bytes minified, ${size} gzipped, and the rest when it is needed`,
    );
    expect(size).toBeLessThanOrEqual(15_000);
    const twins = chunks.filter(({ code }) => code.includes('MessageChannel'));
    expect(twins.length).toBeGreaterThan(0);
    expect(twins.filter((twin) => first.has(twin))).toEqual([]);
  });

  test('has n-gram models in 9 kB with what the library shares, and their reader of ARPA in a lazy chunk of 4 kB', async () => {
    const chunks = await bundled(
      'models.js',
      "import { NGram } from 'webgpu-ctc/lm';\nglobalThis.NGram = NGram;",
    );
    const first = loadedWith(chunks, ({ isEntry }) => isEntry);
    const sizeOf = (some: Iterable<Rolldown.OutputChunk>) =>
      gzipSync(Array.from(some, ({ code }) => code).join('\n'), { level: 9 }).length;
    const lazy = chunks.filter((chunk) => !first.has(chunk) && /arpa/.test(chunk.fileName));
    console.log(
      `a page with n-gram models loads ${sizeOf(first)} bytes, gzipped, and ${sizeOf(lazy)} for ARPA`,
    );
    expect(lazy.some(({ code }) => code.includes('-grams'))).toBe(true);
    expect(sizeOf(first)).toBeLessThanOrEqual(9_000);
    expect(sizeOf(lazy)).toBeLessThanOrEqual(4_000);
  });

  test('has beam search and all that a search can know in 16 kB beside what the library shares', async () => {
    const chunks = Array.from(readFileSync(join(installed, 'dist/lm.js'), 'utf8').matchAll(/"\.\/(.*?)"/g));
    const codes = chunks.map(
      ([, file]) =>
        minifySync(file!, readFileSync(join(installed, 'dist', file!), 'utf8'), { module: true }).code,
    );
    const size = gzipSync(codes.join('\n'), { level: 9 }).length;
    console.log(`beam search, models, lexicons and hotwords are ${size} bytes, gzipped`);
    // what it imports besides is the library's own, or loaded when it is asked for
    expect(codes.length).toBe(2);
    expect(size).toBeLessThanOrEqual(16_000);
  });

  test('says where a mistake is, in lines that one can read', async () => {
    app.write(
      'mistake.js',
      "import { ctcLoss } from 'webgpu-ctc/node';\nawait ctcLoss({ data: new Float32Array(5), shape: [2, 1, 3] }, [[1]]);",
    );
    const said = await app.run('node', ['--enable-source-maps', 'mistake.js']).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(said).toContain(
      'RangeError: logProbs: expected 6 values (the product of the shape), got Float32Array of 5',
    );
    expect(said).toMatch(/at ctcLoss .*src\/api\/ctc-loss\.ts:\d+:\d+/);
    expect(said.length).toBeLessThan(3000);
  });

  test('has types in one file for each entry, and one for what they share', () => {
    const types = app.packed.filter((file) => file.endsWith('.d.ts'));
    const entries = ['index', 'node', 'static', 'text', 'files', 'lm', 'tfjs', 'jax', 'onnxruntime'];
    expect(types.filter((file) => !file.startsWith('dist/chunks/')).sort()).toEqual(
      entries.map((name) => `dist/${name}.d.ts`).sort(),
    );
    expect(types.length).toBeLessThan(entries.length + 4);
  });
});

describe('in Node', () => {
  for (const entry of ['webgpu-ctc', 'webgpu-ctc/node']) {
    test(`import '${entry}'`, async () => {
      app.write('main.js', `import * as ctc from '${entry}';\n${printJob('cpu')}`);
      expect(JSON.parse(await app.run('node', ['main.js']))).toEqual(result('cpu'));
    });

    test(`require('${entry}')`, async () => {
      app.write('main.cjs', `const ctc = require('${entry}');\n(async () => { ${printJob('cpu')} })();`);
      expect(JSON.parse(await app.run('node', ['main.cjs']))).toEqual(result('cpu'));
    });
  }

  /** What has no use for a device. All else that the core exports brings Dawn along, whichever of it a program imports alone. */
  const withoutDevice = ['CtcError', 'mergeTokens'];
  test('a bundle of any one export of webgpu-ctc/node can reach Dawn', async () => {
    const core: object = await import(join(installed, 'dist/index.js'));
    const names = Object.keys(core).filter((name) => !withoutDevice.includes(name));
    expect(names).toEqual(expect.arrayContaining(['CtcLoss', 'ctcLoss', 'CtcAligner']));
    for (const name of names) {
      app.write('alone.js', `import { ${name} } from 'webgpu-ctc/node';\nconsole.log(${name});`);
      const outputs = await build({
        ...{ configFile: false, root: folder, logLevel: 'silent' },
        build: {
          ...{ write: false, target: 'es2022', lib: { entry: join(folder, 'alone.js'), formats: ['es'] } },
          rolldownOptions: { external: ['webgpu', /^node:/] },
        },
      });
      const { output } = [outputs].flat()[0] as Rolldown.RolldownOutput;
      const reached = output.flatMap((it) => (it.type === 'chunk' ? it.dynamicImports : []));
      expect(reached, name).toContain('webgpu');
    }
  });

  test('npx webgpu-ctc', async () => {
    const logProbs = Array(4 * 2 * 4).fill(Math.log(1 / 4));
    const targets = {
      targets: [
        [1, 2],
        [3, 0],
      ],
      targetsLayout: 'padded',
      targetLengths: [2, 1],
    };
    const rest = { blank: 0, zeroInfinity: false, inputLengths: [4, 3] };
    app.write(
      'case.json',
      JSON.stringify({ name: 'equal', shape: [4, 2, 4], logProbs, ...targets, ...rest }),
    );
    const args = ['--no', '--', 'webgpu-ctc', 'loss', 'case.json', '--device', 'cpu', '--reduction', 'sum'];
    const { name, loss, grad, device } = JSON.parse(await app.run('npx', args));
    expect({ loss, grad: grad.length, device, error: name === 'equal' }).toEqual(result('cpu'));
  });

  test('WebGPU, once `webgpu` is installed', async () => {
    app.link('webgpu', '@sparticuz');
    app.write('main.js', `import * as ctc from 'webgpu-ctc/node';\n${printJob('gpu')}`);
    expect(JSON.parse(await app.run('node', ['main.js']))).toEqual(result('gpu'));
  });
});

describe('in Chromium', () => {
  const server = createServer((request, response) => {
    try {
      const file = join(folder, new URL(request.url ?? '/', 'http://app').pathname);
      const type = extname(file) === '.html' ? 'text/html' : 'text/javascript';
      response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  beforeAll(async () => {
    browser = await launchBrowser();
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  afterAll(async () => {
    await browser?.close();
    server.close();
  });

  const results = `Promise.all([job(ctc, 'cpu'), job(ctc, 'gpu')])`;
  async function outcome(path: string, before?: (page: Page) => Promise<unknown>): Promise<unknown> {
    const page = await browser.newPage();
    await before?.(page);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`);
    const seen = await page
      .waitForFunction('globalThis.outcome', null, { timeout: 30_000 })
      .then((handle) => handle.jsonValue(), String);
    await page.close();
    return typeof seen === 'string' ? [seen, ...errors] : seen;
  }

  test('a plain <script type="module">', async () => {
    app.write(
      'plain.html',
      `<!doctype html><script type="module">
import * as ctc from './node_modules/webgpu-ctc/dist/index.js';
import { job } from './job.js';
${results}.catch(String).then((outcome) => Object.assign(globalThis, { outcome }));
</script>`,
    );
    expect(await outcome('plain.html')).toEqual([result('cpu'), result('gpu')]);
  });

  test('a part that cannot be loaded is told, at each call', async () => {
    app.write(
      'offline.html',
      `<!doctype html><script type="module">
import { CtcLoss } from './node_modules/webgpu-ctc/dist/index.js';
const ctc = await CtcLoss.create({ device: 'cpu' });
const run = () => ctc.run({ logits: { data: new Float32Array(12), shape: [4, 3] }, targets: [1] });
const first = await run().catch(({ name, code }) => [name, code]);
const again = await run().then(({ loss }) => loss, String);
Object.assign(globalThis, { outcome: { first, again } });
</script>`,
    );
    const part = '**/chunks/cpu-runner*.js';
    const cut = async (page: Page) => page.route(part, (route) => route.abort());
    expect(await outcome('offline.html', cut)).toEqual({
      first: ['CtcError', 'load-failed'],
      again: expect.stringMatching(/^CtcError: a part of the library could not be loaded: .*cpu-runner/),
    });
  });

  test('with preload nothing more is loaded, for any operation on either device', async () => {
    app.write(
      'preloaded.html',
      `<!doctype html><script type="module">
import * as ctc from './node_modules/webgpu-ctc/dist/index.js';
import { job } from './job.js';
for (const device of ['cpu', 'gpu']) (await ctc.CtcLoss.create({ device, preload: true })).destroy();
await fetch('/cut');
const { CtcLoss, CtcAligner, CtcDecoder, CtcPosterior } = ctc;
const logits = { data: new Float32Array(12), shape: [4, 3] };
const targets = [1];
const done = [];
for (const device of ['cpu', 'gpu']) {
  done.push(await job(ctc, device));
  const loss = await CtcLoss.create({ device });
  const task = await loss.prepare({ logits: [4, 3], maxTargetLength: 1, keep: ['posterior'] });
  task.setTargets(targets);
  await task.run({ logits: logits.data });
  await task.read('posterior');
  await (await CtcAligner.create({ device })).run({ logits, targets });
  await (await CtcDecoder.create({ device })).run({ logits });
  await (await CtcPosterior.create({ device })).run({ logits, targets, samples: 1 });
}
Object.assign(globalThis, { outcome: done });
</script>`,
    );
    const cut = async (page: Page) =>
      page.route('**/cut', async (route) => {
        await page.route('**/*.js', (script) => script.abort());
        await route.fulfill({ status: 204 });
      });
    expect(await outcome('preloaded.html', cut)).toEqual([result('cpu'), result('gpu')]);
  });

  test('a service worker, by the entry that has no import()', async () => {
    const code = readFileSync(join(installed, 'dist/static.js'), 'utf8');
    expect(code).not.toMatch(/\bimport\s*\(|^import\b/m);
    app.write(
      'service.js',
      `import * as ctc from './node_modules/webgpu-ctc/dist/static.js';
import { readingOf, tokenise, Vocabulary } from './node_modules/webgpu-ctc/dist/text.js';
import { job } from './job.js';
addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(clients.claim()));
addEventListener('message', async ({ source }) => {
  const spelled = tokenise('a', Vocabulary.from(['<blank>', 'a'])).targets;
  ${results}.then(([cpu, gpu]) => [cpu, gpu, spelled, typeof readingOf]).catch(String).then((outcome) => source.postMessage(outcome));
});`,
    );
    app.write(
      'service.html',
      `<!doctype html><script type="module">
await navigator.serviceWorker.register('./service.js', { type: 'module' });
navigator.serviceWorker.onmessage = ({ data }) => Object.assign(globalThis, { outcome: data });
(await navigator.serviceWorker.ready).active.postMessage('go');
</script>`,
    );
    expect(await outcome('service.html')).toEqual([result('cpu'), result('gpu'), [1], 'function']);
  });

  test('a page that reads and does nothing else loads what reading needs', async () => {
    const chunks = await bundled(
      'reads.js',
      "import { CtcDecoder } from 'webgpu-ctc';\nglobalThis.decoder = CtcDecoder;",
    );
    const sizeOf = (...names: readonly RegExp[]) => {
      const wanted = loadedWith(chunks, ({ name }) => names.some((known) => known.test(name)));
      return Array.from(wanted, ({ code }) => gzipSync(code, { level: 9 }).length).reduce((a, b) => a + b, 0);
    };
    const page = sizeOf(/^reads$/);
    const onGpu = sizeOf(/^reads$/, /^gpu-runner$/, /^align-plan$/, /^reading-texts$/);
    const onCpu = sizeOf(/^reads$/, /^cpu-runner/, /^align-plan$/);
    console.log(
      `a page that reads loads ${page} bytes, gzipped, then ${onGpu} in all on a GPU, ${onCpu} on the CPU`,
    );
    expect(page).toBeGreaterThan(5000);
    expect(onGpu).toBeGreaterThan(page + 5000);
    expect(onGpu).toBeLessThanOrEqual(33_000);
    expect(onCpu).toBeLessThanOrEqual(30_500);
  });

  test('a module worker', async () => {
    app.write(
      'worker.js',
      `import * as ctc from './node_modules/webgpu-ctc/dist/index.js';
import { job } from './job.js';
${results}.catch(String).then(postMessage);`,
    );
    app.write(
      'worker.html',
      `<!doctype html><script type="module">
const worker = new Worker('./worker.js', { type: 'module' });
worker.onmessage = ({ data }) => Object.assign(globalThis, { outcome: data });
worker.onerror = ({ message }) => Object.assign(globalThis, { outcome: message });
</script>`,
    );
    expect(await outcome('worker.html')).toEqual([result('cpu'), result('gpu')]);
  });

  test('an app built with Vite', async () => {
    app.write(
      'vite/main.js',
      `import * as ctc from 'webgpu-ctc';
import { job } from '../job.js';
${results}.catch(String).then((outcome) => Object.assign(globalThis, { outcome }));`,
    );
    app.write('vite/index.html', '<!doctype html><script type="module" src="./main.js"></script>');
    await build({ configFile: false, root: join(folder, 'vite'), base: './', logLevel: 'error' });
    expect(await outcome('vite/dist/index.html')).toEqual([result('cpu'), result('gpu')]);
  });
});

describe('for TypeScript', () => {
  beforeAll(() => {
    app.link('@webgpu');
    app.link('@tensorflow', '@jax-js', 'onnxruntime-web', 'onnxruntime-common');
    for (const file of ['consumer.ts', 'consumer-dom.ts', 'consumer-frameworks.ts']) {
      cpSync(join(repository, 'test/package', file), join(folder, file));
    }
  });

  test('every type that the core declares is exported, and webgpu-ctc/node has all that webgpu-ctc has', async () => {
    const api = readdirSync(join(repository, 'src/api')).filter((file) =>
      /^(contracts|ctc-(?!beam).*|decode-stream)\.ts$/.test(file),
    );
    const declared = ['src/problem/types.ts', ...api.map((file) => `src/api/${file}`)].flatMap((file) =>
      Array.from(read(file).matchAll(/^export (?:interface|type) (\w+)/gm), ([, it]) => it!),
    );
    const core = await import(join(installed, 'dist/index.js'));
    const classes = Object.keys(core).filter((name) => /^class\b/.test(String(core[name])));
    expect(declared.length).toBeGreaterThan(40);
    expect(classes.length).toBeGreaterThan(4);
    const names = [...declared, ...classes].join(', ');
    const lines = [
      `import type { ${names} } from 'webgpu-ctc';`,
      `import type { ${names.replace(/(\w+)/g, '$1 as $1InNode')} } from 'webgpu-ctc/node';`,
      ...classes.map((name) => `export const to${name} = (it: ${name}InNode): ${name} => it;`),
    ];
    app.write('names.ts', lines.join('\n'));
    const options = {
      strict: true,
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['es2022'],
    };
    const compilerOptions = { ...options, noEmit: true, skipLibCheck: false, types: [] };
    app.write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['names.ts'] }));
    expect(await app.run('node', [join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.'])).toBe('');
  });

  for (const compiler of ['typescript-5.9', 'typescript-6.0', 'typescript']) {
    const { version } = JSON.parse(read(`node_modules/${compiler}/package.json`));
    // which files are found, and what is beside them, have nothing to do with each other
    for (const [resolution, dom] of [
      ['bundler', false],
      ['nodenext', true],
    ] as const) {
      test(`${version}, ${resolution}, ${dom ? 'with' : 'without'} the DOM library`, async () => {
        const options = {
          noEmit: true,
          strict: true,
          skipLibCheck: false,
          target: 'es2022',
          module: resolution === 'bundler' ? 'esnext' : 'nodenext',
          moduleResolution: resolution,
          lib: dom ? ['es2022', 'dom'] : ['es2022'],
          // WebGPU came into the DOM library with TypeScript 6.
          types: dom && version.startsWith('5.') ? ['@webgpu/types'] : [],
        };
        const files = ['consumer.ts', ...(dom ? ['consumer-dom.ts'] : [])];
        app.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files }));
        expect(
          await app.run('node', [join(repository, 'node_modules', compiler, 'bin/tsc'), '-p', '.']),
        ).toBe('');
      });
    }
  }
});

test('with the frameworks that it has adapters for', async () => {
  const options = {
    ...{ noEmit: true, strict: true, target: 'es2022', module: 'esnext', moduleResolution: 'bundler' },
    // their declarations are their own affair
    ...{ skipLibCheck: true, lib: ['es2023', 'dom'], types: ['@webgpu/types'] },
  };
  app.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['consumer-frameworks.ts'] }));
  expect(await app.run('node', [join(repository, 'node_modules/typescript/bin/tsc'), '-p', '.'])).toBe('');
});

const printJob = (device: 'gpu' | 'cpu') =>
  `const { job } = await import('./job.js');\nconsole.log(JSON.stringify(await job(ctc, '${device}')));`;

function read(file: string): string {
  return readFileSync(join(repository, file), 'utf8');
}
