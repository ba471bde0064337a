import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../e2e/browser.js';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** Commands that are not run here, and why that is enough. */
const elsewhere: Record<string, string> = {
  'npm ci && npm pack': 'test/package packs the tarball',
  'npm install ../webgpu-ctc/webgpu-ctc-0.1.0.tgz': 'test/package installs it',
  'npm install webgpu': 'a development dependency here',
  'node bench/accuracy.js': 'takes minutes',
};

interface Block {
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** What the block prints, where the README shows it; `…` stands for anything. */
  readonly shown: string | undefined;
}

const blocks = readBlocks(readFileSync(join(repository, 'README.md'), 'utf8'));

function readBlocks(readme: string): Block[] {
  const fences = Array.from(readme.matchAll(/^```(\w+)\n([\s\S]*?)^```\n(\s*)/gm), (match) => ({
    line: readme.slice(0, match.index).split('\n').length,
    language: match[1]!,
    code: match[2]!,
    start: match.index,
    end: match.index + match[0].length,
  }));
  return fences
    .map(({ start, end, ...block }) => {
      const next = fences.find((other) => other.start === end && other.language === 'text');
      return { ...block, shown: next?.code };
    })
    .filter(({ language }) => language !== 'text');
}

/** Stands in for transformers.js, whose models are downloads: a wav2vec2 that is sure of "HI", with tensors as its release 4 has them. */
const transformers = `
  const tokens = ['<pad>', '<s>', '</s>', '<unk>', '|', 'H', 'I'];
  const said = [0, 5, 5, 0, 6, 4];
  const data = Float32Array.from({ length: said.length * tokens.length }, (_, i) =>
    Number(said[Math.floor(i / tokens.length)] === i % tokens.length) * 9);
  const ort_tensor = { dims: [1, said.length, tokens.length], type: 'float32', location: 'cpu', data };
  export const env = { backends: { onnx: { webgpu: {} } } };
  export const AutoProcessor = { from_pretrained: async () => async (samples) => ({ input_values: samples }) };
  export const AutoTokenizer = {
    from_pretrained: async () => ({ get_vocab: () => new Map(tokens.map((token, i) => [token, i])) }),
  };
  export const AutoModelForCTC = {
    from_pretrained: async () => async () => ({ logits: { dims: ort_tensor.dims, ort_tensor } }),
  };`;

/** A project that has the package installed. */
const project = mkdtempSync(join(tmpdir(), 'webgpu-ctc-readme-'));
const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://project').pathname;
  try {
    const type = extname(path) === '.html' ? 'text/html' : 'text/javascript';
    response.writeHead(200, { 'content-type': type }).end(readFileSync(join(project, path)));
  } catch {
    response.writeHead(404).end();
  }
});
let browser: Awaited<ReturnType<typeof launchBrowser>>;

beforeAll(async () => {
  await promisify(execFile)('node', ['scripts/setup.mjs'], { cwd: repository });
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(repository, join(project, 'node_modules/webgpu-ctc'), 'junction');
  symlinkSync(join(repository, 'fixtures'), join(project, 'fixtures'), 'junction');
  for (const name of ['@tensorflow', '@jax-js', 'onnxruntime-web'])
    symlinkSync(join(repository, 'node_modules', name), join(project, 'node_modules', name), 'junction');
  mkdirSync(join(project, 'node_modules/@huggingface/transformers'), { recursive: true });
  write('node_modules/@huggingface/transformers/package.json', '{ "type": "module", "main": "index.js" }');
  write('node_modules/@huggingface/transformers/index.js', transformers);
  write('package.json', '{ "type": "module" }');
  for (const { language, code } of blocks)
    if (language === 'json' && code.includes('"logProbs"')) write('case.json', code);
  browser = await launchBrowser();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(async () => {
  await browser?.close();
  server.close();
  rmSync(project, { recursive: true });
});

for (const block of blocks) {
  test.concurrent(`line ${block.line}: ${block.language}`, async () => {
    const printed = await run(block);
    if (block.shown !== undefined) expect(printed.trim()).toMatch(patternOf(block.shown));
  });
}

test('the commands run elsewhere are still in the README', () => {
  const commands = blocks.flatMap(({ language, code }) => (language === 'sh' ? code.trim().split('\n') : []));
  expect(Object.keys(elsewhere).filter((command) => !commands.includes(command))).toEqual([]);
});

async function run({ language, code, line }: Block): Promise<string> {
  switch (language) {
    case 'html':
      return runPage(`page${line}.html`, code.replace('</script>', 'globalThis.ended = true;\n</script>'));
    case 'js':
      if (code.includes("from 'webgpu-ctc/node'")) return runInNode(`block${line}.js`, code);
      return /from '(?!webgpu-ctc)/.test(code) ? runBundled(line, code) : runInPage(line, code);
    case 'sh':
      return runCommands(code);
    case 'json':
      return JSON.stringify(JSON.parse(code));
    case 'python':
      return ''; // PyTorch's side of a comparison
    default:
      throw new Error(`README.md:${line}: no way to run a block of ${language}`);
  }
}

function runInNode(file: string, code: string): Promise<string> {
  write(file, code);
  return execute('node', [file]);
}

function runInPage(line: number, code: string): Promise<string> {
  const dist = './node_modules/webgpu-ctc/dist';
  const imports = { 'webgpu-ctc': `${dist}/index.js`, 'webgpu-ctc/text': `${dist}/text.js` };
  return runPage(
    `block${line}.html`,
    `<!doctype html><body></body>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">${code}globalThis.ended = true;</script>`,
  );
}

/** What imports other packages goes through a bundler first, as in an application. */
async function runBundled(line: number, code: string): Promise<string> {
  write(`block${line}.js`, code);
  await build({
    ...{ root: project, base: './', configFile: false, logLevel: 'error' },
    build: {
      ...{ target: 'esnext', outDir: `bundled${line}`, minify: false },
      rolldownOptions: { input: join(project, `block${line}.js`), output: { entryFileNames: 'block.js' } },
    },
  });
  const script = `await import('./bundled${line}/block.js'); globalThis.ended = true;`;
  return runPage(
    `bundled${line}.html`,
    `<!doctype html><body></body><script type="module">${script}</script>`,
  );
}

/** What a page prints on the console and shows. Errors, also those of the GPU, fail the test. */
async function runPage(file: string, html: string): Promise<string> {
  write(file, html);
  const page = await browser.newPage();
  const printed: string[] = [];
  const errors: string[] = [];
  const failed = new Promise<void>((fail) => {
    const note = (error: string) => {
      errors.push(error);
      fail();
    };
    page.on('pageerror', (error) => note(String(error)));
    page.on('console', (message) =>
      /error|warning/.test(message.type()) ? note(message.text()) : printed.push(message.text()),
    );
  });
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  try {
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${file}`);
    await Promise.race([failed, page.waitForFunction('globalThis.ended', null, { polling: 50 })]);
    expect(errors).toEqual([]);
    const text = await page.locator('body').innerText();
    return [...printed, text].filter(Boolean).join('\n');
  } finally {
    await page.close();
  }
}

async function runCommands(code: string): Promise<string> {
  const printed: string[] = [];
  for (const command of code.trim().split('\n')) {
    if (elsewhere[command]) continue;
    const [name, ...args] = Array.from(
      command.matchAll(/"([^"]*)"|\S+/g),
      ([word, quoted]) => quoted ?? word,
    );
    if (name !== 'npx' || args[0] !== 'webgpu-ctc')
      throw new Error(
        `'${command}' is neither a command of the package nor in the list of those run elsewhere`,
      );
    printed.push(await execute('node', ['node_modules/webgpu-ctc/dist/cli.js', ...args.slice(1)]));
  }
  return printed.join('');
}

async function execute(command: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd: project }).catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
  return stdout;
}

/** `auto` leaves what a software GPU would do to the CPU: readers have another one. */
function patternOf(shown: string): RegExp {
  const literal = shown
    .trim()
    .split('…')
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const pattern = literal.join('[\\s\\S]*').replace('on the gpu', 'on the (gpu|cpu)');
  return new RegExp(`^${pattern}$`);
}

function write(file: string, text: string): void {
  writeFileSync(join(project, file), text);
}
