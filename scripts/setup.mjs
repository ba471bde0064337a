// Makes a fresh clone ready with nothing but Node and npm: the development dependencies, dist/, the command for npx.
// Does nothing when all are current.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`webgpu-ctc needs Node 20.19 or later; this is ${process.version}.`);
}
process.chdir(join(import.meta.dirname, '..'));

const npmInstalls = process.env.npm_lifecycle_event === 'prepare'; // then it has just done so
if (!npmInstalls && !dependenciesAreCurrent()) {
  console.log('Installing the development dependencies (once, about 120 MB to download) …');
  // Install scripts stay off: the only one, of `webgpu`, lifts a macOS quarantine that npm never sets.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  npm(['ci', '--ignore-scripts', ...quiet], 'Its message is above; is the npm registry reachable?');
}
if (!buildIsCurrent()) {
  console.log('Building dist/ …');
  npm(['run', '--silent', 'build'], 'The messages above name file and line.');
}
addCommand();

function dependenciesAreCurrent() {
  const packages = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {});
  const installed = packages('node_modules/.package-lock.json');
  const wanted = Object.entries(packages('package-lock.json')).filter(([path]) => path);
  return wanted.every(([path, { version, optional }]) => installed[path]?.version === version || optional);
}

function buildIsCurrent() {
  const built = 'dist/index.d.ts'; // the last step of the build writes it
  const sources = [
    'src',
    'shaders',
    'vite.config.ts',
    'tsconfig.json',
    'tsconfig.build.json',
    'package.json',
  ];
  return existsSync(built) && Math.max(...sources.map(newest)) <= statSync(built).mtimeMs;
}

/** A folder counts too: its time changes when a file in it is removed. */
function newest(path) {
  const stat = statSync(path);
  const inside = stat.isDirectory() ? readdirSync(path) : [];
  return Math.max(stat.mtimeMs, ...inside.map((name) => newest(join(path, name))));
}

/** Without it, `npx webgpu-ctc` installs the checkout into its cache first: slower, and two at once break each other. */
function addCommand() {
  const command = 'node_modules/.bin/webgpu-ctc';
  if (existsSync(command)) return;
  mkdirSync('node_modules/.bin', { recursive: true });
  writeFileSync(command, "#!/usr/bin/env node\nimport('../../dist/cli.js');\n", { mode: 0o755 });
  if (process.platform === 'win32') writeFileSync(`${command}.cmd`, '@node "%~dp0webgpu-ctc" %*\r\n');
}

function npm(args, hint) {
  const cli = process.env.npm_execpath;
  const { status, error } = cli?.endsWith('npm-cli.js')
    ? spawnSync(process.execPath, [cli, ...args], { stdio: 'inherit' })
    : spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (status !== 0)
    fail(`Set-up stopped: "npm ${args.join(' ')}" failed${error ? ` (${error.message})` : ''}. ${hint}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
