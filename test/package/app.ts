import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';

export const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A project of somebody who installs the packed library: a folder of the test file's own. */
export class App {
  readonly folder = mkdtempSync(join(tmpdir(), 'webgpu-ctc-app-'));
  readonly installed = join(this.folder, 'node_modules/webgpu-ctc');
  /** The files of the tarball. */
  packed: string[] = [];

  constructor() {
    beforeAll(() => this.#install());
    afterAll(() => rmSync(this.folder, { recursive: true }));
  }

  async #install() {
    await this.run('node', ['scripts/setup.mjs'], { cwd: repository });
    const pack = [
      'pack',
      '--ignore-scripts',
      '--json',
      '--loglevel=error',
      '--pack-destination',
      this.folder,
    ];
    const [tarball] = JSON.parse(await this.run('npm', pack, { cwd: repository }));
    this.packed = tarball.files.map((file: { path: string }) => file.path);
    this.write('package.json', '{ "type": "module" }');
    await this.run('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${tarball.filename}`]);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true });
    writeFileSync(join(this.folder, file), text);
  }

  /** Makes development dependencies of this repository the app's, without a network. */
  link(...names: string[]): void {
    for (const name of names)
      symlinkSync(
        join(repository, 'node_modules', name),
        join(this.folder, 'node_modules', name),
        'junction',
      );
  }

  /** What a program writes to its standard output. @throws Error with all that it wrote, if it fails */
  async run(
    command: string,
    args: string[],
    { cwd = this.folder, env = process.env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<string> {
    const shell = process.platform === 'win32' && command !== 'node';
    const options = { cwd, env, shell, maxBuffer: 2 ** 26 };
    const { stdout } = await promisify(execFile)(command, args, options).catch((error) => {
      throw new Error(`${error.message}\n${error.stdout}`);
    });
    return stdout;
  }
}
