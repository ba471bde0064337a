// Who is there: a process for each adapter found, for the CPU twin, and for PyTorch.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { runnerImport } from 'vite';
import { Child } from './children.js';

/** Compilers start anew in every process: Dawn in Node keeps nothing by itself, Mesa and NVIDIA would. */
const noCache = { MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };

/** @param {{ where: 'gpu' | 'cpu', plain?: boolean, kernels?: string }} options @param {NodeJS.ProcessEnv} [env] */
export function worker(options, env = process.env) {
  return new Child(process.execPath, [join(import.meta.dirname, 'worker.js'), JSON.stringify(options)], {
    ...env,
    ...noCache,
  });
}

/**
 * @typedef {{ child: Child, name: string, contestants: string[], left?: string[], env?: NodeJS.ProcessEnv }} Team
 * The contestants of one process; `left` out are those that it has not, and why.
 */

/** @param {Child} child @param {NodeJS.ProcessEnv} [env] @returns {Promise<Team>} */
async function open(child, env) {
  try {
    return { child, env, ...(await child.ask({ do: 'open' })) };
  } catch (error) {
    child.end();
    throw error;
  }
}

/** Every adapter once, under whatever drivers it is found. @param {{ plain?: boolean, kernels?: string }} options */
export async function adapters(options) {
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES, ...rest } = process.env;
  const named = (VK_DRIVER_FILES || VK_ICD_FILENAMES || '').split(':').filter(Boolean);
  /** @type {Map<string, Team>} */
  const teams = new Map();
  for (const driver of [undefined, ...named, ...(await moreDrivers())]) {
    const env = driver ? { ...rest, VK_ICD_FILENAMES: driver } : rest;
    try {
      const team = await open(worker({ where: 'gpu', ...options }, env), env);
      if (teams.has(team.name)) team.child.end();
      else teams.set(team.name, team);
    } catch (error) {
      if (!driver || named.includes(driver))
        console.error(
          `no adapter of ${driver ?? 'the default driver'}: ${/** @type {Error} */ (error).message}`,
        );
    }
  }
  return [...teams.values()];
}

/** Manifests of installed Vulkan drivers, most of which find no device, and of SwiftShader from npm. */
async function moreDrivers() {
  if (process.platform !== 'linux') return [];
  const installed = ['/etc', '/usr/local/share', '/usr/share'].flatMap((root) => {
    try {
      const folder = join(root, 'vulkan/icd.d');
      return readdirSync(folder).map((file) => join(folder, file));
    } catch {
      return [];
    }
  });
  const { module } = await runnerImport(join(import.meta.dirname, '../src/node/unpack.ts'));
  const swiftshader = module.unpack('swiftshader', ['swiftshader.tar.br']);
  return swiftshader ? [...installed, join(swiftshader, 'vk_swiftshader_icd.json')] : installed;
}

export const cpuTwin = () => open(worker({ where: 'cpu' }));

/**
 * PyTorch, by default on all cores, in the first Python that has it: $PYTHON, python3 on the path, the system's.
 * @param {number} [threads] @returns {Promise<Team | undefined>}
 */
export async function pytorch(threads = availableParallelism()) {
  const script = [join(import.meta.dirname, 'pytorch.py'), String(threads)];
  for (const python of [process.env.PYTHON, 'python3', '/usr/bin/python3']) {
    if (!python) continue;
    try {
      return await open(new Child(python, script));
    } catch {}
  }
  console.error('no PyTorch: no python3 with torch was found');
}
