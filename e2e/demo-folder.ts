// A place for the pages of demo/, which the first test that needs them builds: one for a run of the tests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    demoFolder: string;
  }
}

export default function place({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-ctc-demo-'));
  provide('demoFolder', folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
