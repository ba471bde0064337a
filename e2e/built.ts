import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { build, preview } from 'vite';

/** The pages of demo/ as anybody puts them on a server: static files, in a folder of it. Built once in a place, for all who ask. */
export async function serveBuilt(
  root: string,
): Promise<{ url: string; folder: string; close: () => Promise<void> }> {
  const folder = join(root, 'some/where');
  await once(join(root, 'some'), () => build({ mode: 'demo', logLevel: 'warn', build: { outDir: folder } }));
  const server = await preview({
    ...{ root, configFile: false, logLevel: 'warn', build: { outDir: join(root, 'some') } },
    preview: { host: '127.0.0.1', port: 0 },
  });
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the server has no local address');
  return { url: `${url}where/`, folder, close: () => server.close() };
}

/** In the first process that asks; the others wait until it is done. */
async function once(folder: string, make: () => Promise<unknown>): Promise<void> {
  const [made, failed] = [`${folder}.made`, `${folder}.failed`];
  try {
    // of several processes one makes it
    mkdirSync(folder);
  } catch {
    while (!existsSync(made) && !existsSync(failed)) await setTimeout(50);
    if (existsSync(failed))
      throw new Error('the pages of demo/ could not be built: another file of tests says why');
    return;
  }
  try {
    await make();
    writeFileSync(made, '');
  } catch (error) {
    writeFileSync(failed, '');
    throw error;
  }
}
