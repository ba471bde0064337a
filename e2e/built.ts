import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';

/** The page of demo/ as anybody puts it on a server: static files, in a folder of it. */
export async function serveBuilt(): Promise<{ url: string; folder: string; close: () => Promise<void> }> {
  const root = mkdtempSync(join(tmpdir(), 'webgpu-ctc-demo-'));
  const folder = join(root, 'some/where');
  await build({ mode: 'demo', logLevel: 'warn', build: { outDir: folder } });
  const server = await preview({
    ...{ root, configFile: false, logLevel: 'warn', build: { outDir: join(root, 'some') } },
    preview: { host: '127.0.0.1', port: 0 },
  });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the server has no local address');
  return {
    ...{ url: `${url}where/`, folder },
    async close() {
      await server.close();
      rmSync(root, { recursive: true });
    },
  };
}
