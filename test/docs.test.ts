// What README.md, docs/ and examples/README.md say: every block runs where it says, from a project that has the package installed, and
// every link leads somewhere.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../e2e/browser.js';
import { anchorsOf, type Block, blocksOf, fileIn, linksOf, patternOf, placeOf } from '../site/blocks.js';
import { writeNpy } from '../src/entries/files.js';

const repository = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(repository, file), 'utf8');

/** Commands that are not run here, and why that is enough. */
const elsewhere: Record<string, string> = {
  'npm ci && npm pack': 'test/package packs the tarball',
  'npm install ../webgpu-ctc/webgpu-ctc-0.2.0.tgz': 'test/package installs it',
  'npm install webgpu': 'a development dependency here',
  'node bench/accuracy.js': 'takes minutes',
  'git clone https://github.com/kpu/kenlm && cmake -S kenlm -B kenlm/build && make -C kenlm/build lmplz':
    'KenLM; a block before it makes the model',
  'tr A-Z a-z < my-texts.txt | sed "s/[^a-z\' ]//g" > sentences.txt': 'of a shell',
  'kenlm/build/bin/lmplz -o 3 --prune 0 0 1 < sentences.txt > model.arpa': 'KenLM',
};

/** The pages whose blocks run. */
const pages = [
  'README.md',
  ...readdirSync(join(repository, 'docs'), { encoding: 'utf8' }).map((file) => `docs/${file}`),
  'examples/README.md',
].filter((file) => file.endsWith('.md'));

/** How blocks of a language run where they say. */
const runners: Record<string, Record<string, (project: Project, block: Block) => Promise<string>>> = {
  js: {
    'In Node': (project, block) => project.runInNode(block),
    'In a page, through a bundler or an import map': (project, block) => project.runInPage(block),
    'In a page, through a bundler': (project, block) => project.runBundled(block),
    // others on its page use it
    'In a file': async (project, { place, code }) => {
      project.write(fileIn(place)!, code);
      return '';
    },
    'In Node or in a page': async (project, block) => {
      const printed = await project.runInPage(block);
      expect(await project.runInNode(block)).toBe(`${printed}\n`);
      return printed;
    },
  },
  html: {
    'In a page': (project, { line, code }) =>
      project.runPage(
        `page${line}.html`,
        code.replace(/<\/script>(?![\s\S]*<\/script>)/, 'globalThis.ended = true;\n</script>'),
      ),
  },
  sh: {
    'In a terminal': (project, { code }) => project.runCommands(code),
    'In a terminal, in a clone': ({ page }, { line, code }) => {
      const clone = new Project(`${page} ${line}`);
      symlinkSync(join(repository, 'fixtures'), join(clone.folder, 'fixtures'), 'junction');
      return clone.runCommands(code);
    },
  },
  // of other projects, whose models are downloads: `savedByPython` stands for what it saves
  python: { 'In Python': async () => '' },
  json: {
    'In a file': async (project, { place, code }) => {
      project.write(fileIn(place)!, code);
      return JSON.stringify(JSON.parse(code));
    },
  },
};

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

/** Stands in for the Python of docs/your-model.md: "a cat sat" in the numbers and with the vocabulary that each model has. */
function savedByPython(project: Project): void {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  /** Scores of the tokens that are said: 0.9 for each, the rest for the others. */
  const emissions = (tokens: readonly string[], said: readonly string[]) =>
    said.flatMap((one) => tokens.map((token) => (token === one ? 0.9 : 0.1 / (tokens.length - 1))));
  const save = (name: string, shape: number[], numbers: number[]) =>
    project.write(`${name}.npy`, writeNpy(Float32Array.from(numbers), shape));
  const spelled = (blank: string, space: string) =>
    [...'-a-_-c-a-t-_-s-a-t-'].map((letter) => (letter === '-' ? blank : letter === '_' ? space : letter));
  const frames = spelled('', '').length;

  const wav2vec2 = [
    '<pad>',
    '<s>',
    '</s>',
    '<unk>',
    '|',
    ...letters.map((letter) => letter.toUpperCase()),
    "'",
  ];
  const heard = spelled('<pad>', '|').map((token) => (token.length === 1 ? token.toUpperCase() : token));
  save(
    'wav2vec2',
    [frames, wav2vec2.length],
    emissions(wav2vec2, heard).map((p) => Math.log(p) + 3),
  );
  project.write('wav2vec2.json', JSON.stringify(Object.fromEntries(wav2vec2.map((token, i) => [token, i]))));

  const nemo = ['<unk>', '▁a', '▁c', '▁s', 'a', 't'];
  const pieces = ['▁a', 'blank', '▁c', 'a', 't', 'blank', '▁s', 'a', 'blank', 't'];
  const logProbs = emissions([...nemo, 'blank'], pieces).map(Math.log);
  save('nemo', [pieces.length, nemo.length + 1], logProbs);
  project.write('nemo.json', JSON.stringify(nemo));

  const paddle = ['0', '1', ...letters];
  save('paddle', [frames, paddle.length + 2], emissions(['blank', ...paddle, ' '], spelled('blank', ' ')));
  project.write('dict.txt', paddle.map((token) => `${token}\n`).join(''));

  const keras = ['[UNK]', ' ', ...letters, '', '<blank>'];
  const picture = emissions(keras, spelled('<blank>', ' '));
  save('keras', [2, frames, keras.length], [...picture.toReversed(), ...picture]);
  project.write('keras.json', JSON.stringify(keras));
}

/** A project of somebody who reads a page, and has the package installed. */
class Project {
  readonly folder: string;

  constructor(readonly page: string) {
    this.folder = join(workshop, page.replace(/\W/g, '-'));
    mkdirSync(this.folder);
    this.write('package.json', '{ "type": "module" }');
    symlinkSync(modules, join(this.folder, 'node_modules'), 'junction');
  }

  write(file: string, content: string | Uint8Array): void {
    writeFileSync(join(this.folder, file), content);
  }

  async #execute(command: string, args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(command, args, { cwd: this.folder }).catch((error) => {
      throw new Error(`${error.message}\n${error.stdout}`);
    });
    return stdout;
  }

  runInNode({ line, code }: Block): Promise<string> {
    this.write(`block${line}.js`, code);
    return this.#execute('node', [`block${line}.js`]);
  }

  runInPage({ line, code }: Block): Promise<string> {
    const dist = './node_modules/webgpu-ctc/dist';
    const imports = {
      'webgpu-ctc': `${dist}/index.js`,
      'webgpu-ctc/text': `${dist}/text.js`,
      'webgpu-ctc/files': `${dist}/files.js`,
      'webgpu-ctc/lm': `${dist}/lm.js`,
    };
    return this.runPage(
      `block${line}.html`,
      `<!doctype html><body></body>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">${code}globalThis.ended = true;</script>`,
    );
  }

  /** What imports other packages goes through a bundler first, as in an application. */
  async runBundled({ line, code }: Block): Promise<string> {
    this.write(`block${line}.js`, code);
    await build({
      ...{ root: this.folder, base: './', configFile: false, logLevel: 'error' },
      build: {
        ...{ target: 'esnext', outDir: `bundled${line}`, minify: false },
        rolldownOptions: {
          input: join(this.folder, `block${line}.js`),
          output: { entryFileNames: 'block.js' },
        },
      },
    });
    const script = `await import('./bundled${line}/block.js'); globalThis.ended = true;`;
    return this.runPage(
      `bundled${line}.html`,
      `<!doctype html><body></body><script type="module">${script}</script>`,
    );
  }

  /** What a page prints on the console and shows. Errors, also those of the GPU, fail the test. */
  async runPage(file: string, html: string): Promise<string> {
    this.write(file, html);
    const page = await browser.newPage();
    const printed: string[] = [];
    const errors: string[] = [];
    const failed = new Promise<void>((fail) => {
      const note = (error: string) => {
        errors.push(error);
        fail();
      };
      page.on('pageerror', (error) => note(String(error)));
      page.on('console', (message) => {
        const text = message.text();
        if (/error|warning/.test(message.type())) note(text);
        // React's advertisement
        else if (!text.includes('React DevTools')) printed.push(text);
      });
    });
    await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
    try {
      const path = relative(workshop, join(this.folder, file)).replaceAll('\\', '/');
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${path}`);
      await Promise.race([failed, page.waitForFunction('globalThis.ended', null, { polling: 50 })]);
      expect(errors).toEqual([]);
      const text = await page.locator('body').innerText();
      return [...printed, text].filter(Boolean).join('\n');
    } finally {
      await page.close();
    }
  }

  async runCommands(code: string): Promise<string> {
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
      printed.push(await this.#execute('node', ['node_modules/webgpu-ctc/dist/cli.js', ...args.slice(1)]));
    }
    return printed.join('');
  }
}

const workshop = mkdtempSync(join(tmpdir(), 'webgpu-ctc-docs-'));
const modules = join(workshop, 'node_modules');
const types: Record<string, string> = { '.html': 'text/html', '.wasm': 'application/wasm' };
const server = createServer((request, response) => {
  const path = new URL(request.url ?? '/', 'http://project').pathname;
  try {
    const type = types[extname(path)] ?? 'text/javascript';
    response.writeHead(200, { 'content-type': type }).end(readFileSync(join(workshop, path)));
  } catch {
    response.writeHead(404).end();
  }
});
let browser: Awaited<ReturnType<typeof launchBrowser>>;

beforeAll(async () => {
  await promisify(execFile)('node', ['scripts/setup.mjs'], { cwd: repository });
  const transformersFolder = join(modules, '@huggingface/transformers');
  mkdirSync(transformersFolder, { recursive: true });
  writeFileSync(join(transformersFolder, 'package.json'), '{ "type": "module", "main": "index.js" }');
  writeFileSync(join(transformersFolder, 'index.js'), transformers);
  symlinkSync(
    join(repository, 'node_modules/@huggingface/tokenizers'),
    join(modules, '@huggingface/tokenizers'),
    'junction',
  );
  symlinkSync(repository, join(modules, 'webgpu-ctc'), 'junction');
  for (const name of [
    '@tensorflow',
    '@jax-js',
    'onnxruntime-web',
    'n2words',
    'react',
    'react-dom',
    'scheduler',
    '@gutenye',
  ])
    symlinkSync(join(repository, 'node_modules', name), join(modules, name), 'junction');
  browser = await launchBrowser();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
});
afterAll(async () => {
  await browser?.close();
  server.close();
  rmSync(workshop, { recursive: true });
});

describe('blocks run where they say, one after another', () => {
  for (const page of pages) {
    const blocks = blocksOf(read(page));
    if (blocks.length === 0) continue;
    test.concurrent(page, async () => {
      const project = new Project(page);
      if (page === 'docs/your-model.md') savedByPython(project);
      for (const block of blocks) {
        const where = `${page}:${block.line}`;
        const { language, place = 'nowhere', shown } = block;
        const run = runners[language]?.[place.replace(/ `.*`$/, '')];
        if (!run) throw new Error(`${where}: no way to run a block of '${language}' ${place}`);
        const printed = await run(project, block).catch((error: Error) => {
          throw new Error(`${where}: ${error.message}`, { cause: error });
        });
        if (shown !== undefined) expect(printed.trim(), where).toMatch(patternOf(shown));
      }
    });
  }
});

test('what a program imports is there where it says that it runs', () => {
  for (const page of pages)
    for (const { line, language, place, code } of blocksOf(read(page)))
      if (language === 'js' && !place?.startsWith('In a file'))
        expect(place, `${page}:${line}`).toBe(placeOf(code));
});

test('the commands run elsewhere are still in the pages', () => {
  const commands = pages.flatMap((page) =>
    blocksOf(read(page)).flatMap(({ language, code }) => (language === 'sh' ? code.trim().split('\n') : [])),
  );
  expect(Object.keys(elsewhere).filter((command) => !commands.includes(command))).toEqual([]);
});

test('every example is in the list of examples', () => {
  const list = read('examples/README.md');
  const files = readdirSync(join(repository, 'examples'), { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /\.[jt]s$/.test(file) && !file.includes('node_modules'));
  expect(files.filter((file) => !list.includes(`](${file})`))).toEqual([]);
});

describe('every link leads somewhere', () => {
  const everywhere = readdirSync(repository, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    // what changed is told as it was then
    .filter(
      (file) =>
        file.endsWith('.md') && !/(^|\/)(node_modules|dist[^/]*)\//.test(file) && file !== 'CHANGELOG.md',
    );

  test.each(everywhere)('%s', (page) => {
    const dead = linksOf(read(page))
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split('#') as [string, string?];
        const file = path === '' ? page : join(dirname(page), path);
        if (!existsSync(join(repository, file))) return true;
        return anchor !== undefined && !anchorsOf(read(file)).has(anchor);
      });
    expect(dead).toEqual([]);
  });
});
