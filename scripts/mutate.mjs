// npm run mutate: changes single tokens of the last commit, one after another, and runs the tests that reach the changed file
// until one notices. What no test notices is shown: it changes nothing, or a test is missing.
import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { transformWithOxc } from 'vite';
import { mutantsOf } from './mutants.mjs';

const usage = `npm run mutate -- [--count 100] [--seed 1] [--resume FILE] [--only INDEX]
  --count   how many changes: every second one in a shader, the others in src
  --seed    which ones
  --resume  go on with the results in FILE, which a run that was interrupted has named
  --only    the change of that index alone, of a run of the same count and seed`;
const { values: given } = parseArgs({
  options: {
    count: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    resume: { type: 'string' },
    only: { type: 'string' },
  },
});
const integerOf = (name, least) => {
  const value = Number(given[name]);
  if (Number.isInteger(value) && value >= least) return value;
  console.error(`--${name}: expected an integer ≥ ${least}, got '${given[name]}'\n${usage}`);
  process.exit(2);
};
const [count, seed] = [integerOf('count', 1), integerOf('seed', 0)];

const repository = join(import.meta.dirname, '..');
const git = (...args) => execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trim();
const commit = git('rev-parse', 'HEAD');
if (git('status', '--porcelain', 'shaders', 'src', 'test'))
  console.log('What is not committed is left out: the last commit is changed and tested.');

/** Started programs, and copies of the checkout: neither outlives this one. */
const running = new Set();
const copies = [];
const stop = (child) => {
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {} // it has ended
};
process.on('exit', () => {
  for (const child of running) stop(child);
  for (const copy of copies) {
    rmSync(join(copy, 'node_modules'), { force: true }); // the link alone
    git('worktree', 'remove', '--force', copy);
    rmSync(dirname(copy), { recursive: true, force: true });
  }
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));

function copyCheckout() {
  const copy = join(mkdtempSync(join(tmpdir(), 'webgpu-ctc-mutate-')), 'checkout');
  git('worktree', 'add', '--quiet', '--detach', copy, commit);
  copies.push(copy);
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'), 'junction');
  return copy;
}

/** Runs a program of node_modules in a copy. `code` is undefined where it took longer than `limit` seconds. */
function run(copy, script, args, limit) {
  const start = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join('node_modules', script), ...args], {
      ...{ cwd: copy, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined },
    });
    running.add(child);
    let output = '';
    let isLate = false;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (text) => {
        output = (output + text).slice(-1e6);
      });
    const timer = setTimeout(() => {
      isLate = true;
      stop(child);
    }, 1000 * limit);
    child.on('close', (code) => {
      clearTimeout(timer);
      // what it started itself and left behind
      stop(child);
      running.delete(child);
      resolve({
        code: isLate ? undefined : (code ?? 1),
        output,
        seconds: (performance.now() - start) / 1000,
      });
    });
  });
}

const filesIn = (copy, folder) =>
  readdirSync(join(copy, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(copy, join(entry.parentPath ?? entry.path, entry.name)).replaceAll('\\', '/'))
    // file systems list in orders of their own, and an index must mean the same on each
    .sort();

/** What a bare name stands for: vite.config.ts. */
const entries = {
  ...{
    'webgpu-ctc': 'src/entries/index.ts',
    'webgpu-ctc/node': 'src/entries/node.ts',
    'webgpu-ctc/static': 'src/entries/static.ts',
    'webgpu-ctc/text': 'src/entries/text.ts',
  },
  ...{
    'webgpu-ctc/files': 'src/entries/files.ts',
    'webgpu-ctc/lm': 'src/entries/lm.ts',
    'webgpu-ctc/tfjs': 'src/entries/tfjs.ts',
    'webgpu-ctc/jax': 'src/entries/jax.ts',
  },
  'webgpu-ctc/onnxruntime': 'src/entries/onnxruntime.ts',
};

/** The files that a file imports, or that the programs are built from which it starts. */
function importsOf(copy, file) {
  const text = readFileSync(join(copy, file), 'utf8');
  const names = Array.from(text.matchAll(/(?:from|import|import\()\s*'([^']+)'/g), ([, name]) => name);
  const imported = names.flatMap((name) => {
    if (entries[name]) return [entries[name]];
    if (!name.startsWith('.')) return [];
    const path = relative(copy, join(copy, dirname(file), name.replace(/\?\w+$/, ''))).replaceAll('\\', '/');
    return [path, path.replace(/\.js$/, '.ts')].filter((one) => existsSync(join(copy, one)));
  });
  const globs = Array.from(
    text.matchAll(/import\.meta\.glob\(\s*'([^'*]+)\*(\.\w+)'/g),
    ([, folder, ending]) => {
      const path = relative(copy, join(copy, dirname(file), folder)).replaceAll('\\', '/');
      return filesIn(copy, path).filter((one) => one.endsWith(ending) && dirname(one) === path);
    },
  );
  const known = [...imported, ...globs.flat()];
  return /\bdist\/|'dist'/.test(text) ? [...known, 'src/cli/main.ts', ...Object.values(entries)] : known;
}

/** Of each test file that needs no browser and no registry: how many imports away each file is. */
function reachOf(copy) {
  const known = new Map();
  const imports = (file) => {
    if (!known.has(file)) known.set(file, /\.(ts|js|mjs)$/.test(file) ? importsOf(copy, file) : []);
    return known.get(file);
  };
  const tests = [...filesIn(copy, 'test'), ...filesIn(copy, 'src')].filter(
    // the site is made of comments and declarations, which no change of a token is in
    (file) => file.endsWith('.test.ts') && !/^test\/(package\/|site\.)/.test(file),
  );
  return tests.flatMap((test) => {
    const away = new Map([[test, 0]]);
    for (const [file, distance] of away)
      for (const next of imports(file)) if (!away.has(next)) away.set(next, distance + 1);
    const isBuilt = away.has('src/cli/main.ts');
    return away.has('e2e/browser.ts') ? [] : [{ test, away, isBuilt }];
  });
}

/** The tests that were written to notice: known before there are results to learn from. */
const nets = ['test/enumeration.test.ts', 'test/kernels.test.ts', 'test/twins.test.ts', 'test/plan.test.ts'];

class Run {
  #tests;
  /** Of each test and kind of file: seconds of its runs, and how many of them noticed. */
  #seen = new Map();
  /** The most seconds in which a test has passed. */
  #passed = new Map();
  #isSound = new Map();

  constructor(tests) {
    this.#tests = tests;
  }

  #learn(kind, test, seconds, noticed) {
    const seen = this.#seen.get(kind + test) ?? { runs: 0, noticed: 0, seconds: 0 };
    this.#seen.set(kind + test, {
      runs: seen.runs + 1,
      noticed: seen.noticed + noticed,
      seconds: seen.seconds + seconds,
    });
  }

  /** The tests that reach a file, the one first that notices the most in a second. */
  #ordered(file) {
    const kind = kindOf(file);
    const worth = ({ test, away, isBuilt }) => {
      const { runs, noticed, seconds } = this.#seen.get(kind + test) ?? { runs: 0, noticed: 0, seconds: 0 };
      const chance = (noticed + (nets.includes(test) ? 2 : 0.5)) / (runs + 4) / away.get(file) ** 0.5;
      return chance / ((seconds + (isBuilt ? 40 : 10)) / (runs + 1));
    };
    return this.#tests.filter(({ away }) => away.has(file)).sort((a, b) => worth(b) - worth(a));
  }

  /** Whether a test passes on what is not changed: else what it says of a change is worth nothing. */
  async #passes(copy, { test, isBuilt }) {
    if (!this.#isSound.has(test)) {
      const sound = async () => {
        if (isBuilt) await build(copy);
        const { code } = await testOf(copy, test, 600);
        if (code !== 0) console.log(`${test} fails without a change: it is left out`);
        return code === 0;
      };
      this.#isSound.set(test, sound());
    }
    return this.#isSound.get(test);
  }

  /** Which test notices a change; undefined if none does, and null if it does not compile. */
  async noticedBy(copy, { file, at, before, after }) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    const changed = text.slice(0, at) + after + text.slice(at + before.length);
    const kind = kindOf(file);
    if (kind === 'src' && !(await isAnother(file, text, changed))) return null;
    const change = () => writeFileSync(path, changed);
    const restore = () => writeFileSync(path, text);
    try {
      change();
      if (kind === 'src' && (await run(copy, 'typescript/bin/tsc', [], 300)).code !== 0) return null;
      let isBuilt = false;
      for (const test of this.#ordered(file)) {
        if (test.isBuilt && !isBuilt) {
          if ((await build(copy)).code !== 0) return null;
          isBuilt = true;
        }
        const limit = this.#passed.has(test.test) ? 60 + 4 * this.#passed.get(test.test) : 300;
        const { code, output, seconds } = await testOf(copy, test.test, limit);
        if (kind === 'shaders' && /Error while parsing WGSL|^\s*(?:CtcError: )?kernel \w+: /m.test(output))
          return null;
        this.#learn(kind, test.test, seconds, code !== 0);
        if (code === 0) {
          this.#passed.set(test.test, Math.max(seconds, this.#passed.get(test.test) ?? 0));
          continue;
        }
        restore();
        if (await this.#passes(copy, test)) {
          const [, title = test.test] = /^ *FAIL +(.*)$/m.exec(output) ?? [];
          return code === undefined ? `${test.test}, by its time` : title;
        }
        change();
        isBuilt = false;
      }
      return undefined;
    } finally {
      restore();
    }
  }
}

const kindOf = (file) => file.slice(0, file.indexOf('/'));
const testOf = (copy, test, limit) =>
  run(
    copy,
    'vitest/vitest.mjs',
    ['run', test, '--bail', '1', '--maxWorkers', '1', '--reporter', 'verbose'],
    limit,
  );
const build = (copy) => run(copy, 'vite/bin/vite.js', ['build', '--logLevel', 'warn'], 300);

/** Whether a change is one once the types are gone. */
async function isAnother(file, text, changed) {
  try {
    const [a, b] = await Promise.all([text, changed].map((one) => transformWithOxc(one, file)));
    return a.code !== b.code;
  } catch {
    return false; // it does not parse
  }
}

const lanes = [copyCheckout(), copyCheckout()];
const [copy] = lanes;
const tests = reachOf(copy);
const all = ['shaders', 'src'].map((folder) => {
  const files = filesIn(copy, folder).filter(
    (file) => /\.(ts|wgsl)$/.test(file) && !/\.(d|test)\.ts$/.test(file),
  );
  const reached = files.filter((file) => tests.some(({ away }) => away.has(file)));
  for (const file of files)
    if (!reached.includes(file) && file.startsWith('shaders')) console.log(`${file}: no test reaches it`);
  return mutantsOf(
    reached.map((file) => ({ file, text: readFileSync(join(copy, file), 'utf8') })),
    seed,
  );
});

const results = given.resume ?? join(tmpdir(), `webgpu-ctc-mutants-${commit.slice(0, 7)}-${seed}.jsonl`);
const header = { commit, seed };
const done = new Map();
const runOf = new Run(tests);
if (given.resume) {
  const [first, ...lines] = readFileSync(results, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  if (first.commit !== commit || first.seed !== seed)
    throw new Error(
      `${results}: expected results of commit ${commit} and seed ${seed}, got those of ${first.commit} and ${first.seed}`,
    );
  for (const line of lines) done.set(line.index, line);
} else if (!given.only) writeFileSync(results, `${JSON.stringify(header)}\n`);
console.log(`Results go to ${results}`);

/** Index i is of the shaders if even. Where its change does not compile, it takes another that no other index takes. */
async function mutate(copy, index) {
  const mutants = all[index % 2];
  const start = performance.now();
  for (
    let place = index >> 1, compiles = false;
    !compiles && place < mutants.length;
    place += Math.ceil(count / 2)
  ) {
    const { at, ...mutant } = mutants[place];
    const noticed = await runOf.noticedBy(copy, mutants[place]);
    compiles = noticed !== null;
    if (!compiles) continue;
    const line = readFileSync(join(copy, mutant.file), 'utf8').split('\n')[mutant.line - 1];
    const seconds = Math.round((performance.now() - start) / 1000);
    const result = { index, ...mutant, noticed: noticed ?? null, seconds };
    done.set(index, result);
    if (!given.only) appendFileSync(results, `${JSON.stringify(result)}\n`);
    const { file, column, before, after } = mutant;
    console.log(
      `${index}  ${file}:${mutant.line}:${column}  ${before} → ${after || 'nothing'}  ${noticed ?? 'NOT NOTICED'}  ${seconds} s`,
    );
    if (!noticed)
      console.log(
        `    - ${line.trim()}\n    + ${(line.slice(0, column - 1) + after + line.slice(column - 1 + before.length)).trim()}`,
      );
  }
}

const indices = given.only ? [integerOf('only', 0)] : Array.from({ length: count }, (_, i) => i);
const left = indices.filter((index) => given.only || !done.has(index));
await Promise.all(
  lanes.map(async (copy) => {
    for (let index = left.shift(); index !== undefined; index = left.shift()) await mutate(copy, index);
  }),
);
const survivors = [...done.values()].filter(({ noticed }) => !noticed).sort((a, b) => a.index - b.index);
console.log(`${done.size - survivors.length} of ${done.size} noticed`);
for (const { index, file, line, column, before, after } of survivors)
  console.log(`  ${index}  ${file}:${line}:${column}  ${before} → ${after || 'nothing'}`);
process.exit(0);
