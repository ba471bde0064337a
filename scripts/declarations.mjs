// The types of the package: what the compiler says of src, as one file for each entry and one for what several entries share.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const root = join(import.meta.dirname, '..');
const emitted = mkdtempSync(join(tmpdir(), 'webgpu-ctc-types-'));
try {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const project = ['-p', join(root, 'tsconfig.build.json'), '--outDir', emitted];
  const { status } = spawnSync(process.execPath, [compiler, ...project], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  const names = readdirSync(join(root, 'src/entries')).map((file) => parse(file).name);
  const bundle = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, join(emitted, 'entries', `${name}.d.ts`)])),
    external: /^[^./]/,
    plugins: [dts({ dtsOnly: true, generator: 'oxc', tsconfig: false })],
  });
  const shared = { name: 'types.d', test: /\/(problem|api)\//, minShareCount: 2 };
  await bundle.write({
    dir: join(root, 'dist'),
    entryFileNames: '[name].d.ts',
    chunkFileNames: 'chunks/[name].ts',
    codeSplitting: { groups: [shared] },
  });
} finally {
  rmSync(emitted, { recursive: true });
}
