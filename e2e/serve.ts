import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

/** The repository on a local port, TypeScript compiled on the way: pages fetch golden cases by their path in it. */
export async function serve(): Promise<{ url: string; close: () => Promise<void> }> {
  const server = await createServer({
    root: fileURLToPath(new URL('..', import.meta.url)),
    logLevel: 'warn',
    // No hot replacement, no watching, no search for dependencies: each could reload a page in the middle of a test.
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    optimizeDeps: { noDiscovery: true },
  });
  await server.listen();
  const url = server.resolvedUrls?.local[0];
  if (!url) throw new Error('the Vite server has no local address');
  return { url, close: () => server.close() };
}
