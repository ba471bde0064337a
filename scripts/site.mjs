// npm run site: makes the site in dist-site/, static files for any web server: the documents, the reference, the explorer, the training.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runnerImport } from 'vite';

const usage = `npm run site -- [--out dist-site] [--base /] [--serve] [--check]
  --out    the folder, which is emptied first
  --base   where the site will lie on its server, such as /webgpu-ctc/: for the page of a missing address; all other links are relative
  --serve  serves it on this machine
  --check  visits every page in a browser: accessibility in light, dark, forced colours and at 200 %, and no request to elsewhere`;
const options = {
  out: { type: 'string', default: 'dist-site' },
  base: { type: 'string', default: '/' },
  serve: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};
let given;
try {
  given = parseArgs({ options }).values;
  if (!/^\/(.*\/)?$/.test(given.base))
    throw new Error(`--base: expected a path that begins and ends with a slash, got '${given.base}'`);
} catch (error) {
  console.error(`${error.message}\n${usage}`);
  process.exit(2);
}
if (given.help) {
  console.log(usage);
  process.exit(0);
}

const root = join(import.meta.dirname, '..');
process.chdir(root);
const load = async (file) =>
  (await runnerImport(join(root, 'site', file), { configFile: false, logLevel: 'error' })).module;

const start = performance.now();
const { addExplorer, writeSite } = await load('build.ts');
const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env;
const count = await writeSite(given.out, {
  base: given.base,
  repository: server && name && `${server}/${name}`,
});
addExplorer(given.out);
console.log(
  `${given.out}: ${count} files and the explorer, in ${((performance.now() - start) / 1000).toFixed(1)} s`,
);

if (given.check) {
  const { check, examplesOf } = await load('check.ts');
  const { documentsOf } = await load('documents.ts');
  const documents = documentsOf(root).filter(({ source }) => source.endsWith('.md'));
  const examples = new Map(documents.map(({ address, text }) => [address, examplesOf(text)]));
  if (!(await check(given.out, given.base, examples))) process.exitCode = 1;
}
if (given.serve) {
  const { preview } = await import('vite');
  const served = await preview({
    root,
    configFile: false,
    build: { outDir: given.out },
    preview: { port: 4173 },
  });
  served.printUrls();
}
