import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The tests of the packed build need one of the sources as they are now. */
export default function build(): void {
  const repository = fileURLToPath(new URL('..', import.meta.url));
  execFileSync(process.execPath, ['scripts/setup.mjs'], { cwd: repository, stdio: 'inherit' });
}
