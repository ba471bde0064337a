/**
 * What this machine offers to run WebGPU on: a Vulkan driver for Dawn in Node, a Chromium for the browser tests.
 * Each is looked for in the same order: an environment variable, something installed, then the npm package
 * `@sparticuz/chromium`, whose archives hold SwiftShader (a software Vulkan driver) and a Chromium for Linux x64.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { findPackage, PACKAGE, unpack } from './unpack.js';

const RTLD_NOW_NODELETE = 0x1002;

/** A WebGPU entry point, whose it is and, in words, what it runs on. */
export type OpenGpu = { gpu: GPU; from: 'Dawn' | 'Deno'; driver: string };

// Dawn crashes the process later when the object that `create` returned is collected while a device lives.
let opening: Promise<OpenGpu> | undefined;

/**
 * Dawn's `navigator.gpu` for Node, on an installed driver where one works, else on SwiftShader; in Deno its own. The same object at
 * every call.
 * @throws Error that says why there is no adapter, and what to install or set.
 */
export function openGpu(): Promise<OpenGpu> {
  opening ??= findAdapter().catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function findAdapter(): Promise<OpenGpu> {
  if ('Deno' in globalThis) return ofDeno();
  const { create } = await import('webgpu').catch((cause: unknown) => {
    throw new Error('WebGPU in Node needs Dawn, the npm package "webgpu": npm install webgpu', { cause });
  });
  const tryDriver = async (origin = ''): Promise<OpenGpu | undefined> => {
    const gpu = create([]);
    const adapter = await gpu.requestAdapter();
    return adapter ? { gpu, from: 'Dawn', driver: describe(adapter.info) + origin } : undefined;
  };

  const vulkan = vulkanOnThisMachine();
  if (vulkan.from !== 'nowhere') {
    ensureVulkanLoader();
    const open = await tryDriver();
    if (open) return open;
  }
  // Installed is not usable: Dawn refuses old drivers (Debian 12's lavapipe), and Mesa installs drivers for absent GPUs.
  const software = useSoftwareVulkan();
  const open = software && (await tryDriver(` (${software})`));
  if (open) return open;
  throw new Error(whyNoGpu(vulkan));
}

function describe({ vendor, architecture, device, description }: GPUAdapterInfo): string {
  const name = device.replace(/-+$/, '') || `${vendor} ${architecture}`.trim();
  return [name, description].filter(Boolean).join(', ') || 'unnamed adapter';
}

function whyNoGpu(vulkan: Vulkan): string {
  const refused = 'WebGPU found no usable adapter:';
  if (vulkan.from === 'system')
    return `${refused} ${process.platform} offered none to Dawn. Is the graphics driver installed and up to date?`;
  const drivers = vulkan.drivers.join(', ');
  if (vulkan.from === 'environment')
    return `${refused} the environment (VK_DRIVER_FILES, VK_ICD_FILENAMES) names ${drivers}, and nothing else was tried. Check that it exists and is recent, or unset the variable.`;
  const installed =
    vulkan.from === 'installed'
      ? `Dawn refused the installed Vulkan drivers (${drivers})`
      : 'no Vulkan driver is installed';
  if (process.arch !== 'x64')
    return `${refused} ${installed}. Install one; software rendering needs a recent Mesa (package mesa-vulkan-drivers).`;
  if (!findPackage())
    return `${refused} ${installed}. Install one, or a software driver with npm: npm install --save-dev ${PACKAGE}`;
  return `${refused} ${installed}, and the software driver of ${PACKAGE} did not start.${whereToChoose()}`;
}

/** What a program can do whose loader of drivers cannot be told any more. */
function whereToChoose(): string {
  if ('Bun' in globalThis) {
    const folder = unpackSwiftShader();
    return ` Bun cannot choose it while it runs: start it with VK_ICD_FILENAMES=${folder}/vk_swiftshader_icd.json LD_LIBRARY_PATH=${folder}`;
  }
  return isMainThread
    ? ''
    : ' In a worker thread it cannot be chosen (setenv does not reach the loader): call openGpu on the main thread first, or set VK_ICD_FILENAMES.';
}

/** Deno has WebGPU of its own, wgpu, and loads no Dawn beside it. */
async function ofDeno(): Promise<OpenGpu> {
  const { gpu } = navigator;
  const adapter = await gpu.requestAdapter();
  if (adapter) return { gpu, from: 'Deno', driver: describe(adapter.info) };
  throw new Error(
    "Deno's navigator.gpu found no adapter. Install a graphics driver, or name a Vulkan driver in VK_ICD_FILENAMES.",
  );
}

/** Vulkan drivers, as paths of their manifests, and who named them. `system`: not Linux, where Dawn needs no Vulkan. */
export type Vulkan = { from: 'system' | 'environment' | 'installed' | 'nowhere'; drivers: string[] };

/** The Vulkan drivers to be had without `@sparticuz/chromium`. Looks at variables and folders only, loads nothing. */
export function vulkanOnThisMachine(): Vulkan {
  if (process.platform !== 'linux') return { from: 'system', drivers: [] };
  const named = process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES;
  if (named) return { from: 'environment', drivers: named.split(':') };
  const drivers = driverFiles();
  return { from: drivers.length ? 'installed' : 'nowhere', drivers };
}

/** The driver manifests that the Vulkan loader would find, in its own search path. */
function driverFiles(): string[] {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS = '/etc/xdg', XDG_DATA_HOME, XDG_DATA_DIRS } = process.env;
  const config = [XDG_CONFIG_HOME || join(homedir(), '.config'), ...XDG_CONFIG_DIRS.split(':'), '/etc'];
  const data = [
    XDG_DATA_HOME || join(homedir(), '.local/share'),
    ...(XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
  ];
  const folders = new Set([...config, ...data].map((root) => join(root, 'vulkan/icd.d')));
  return [...folders].flatMap(list).filter((file) => file.endsWith('.json'));
}

/**
 * Makes SwiftShader from `@sparticuz/chromium` the Vulkan driver of this process, for every Dawn instance created afterwards.
 * Returns where it is from; undefined where the package has none for this machine, or the environment names another driver.
 */
export function useSoftwareVulkan(): string | undefined {
  const swiftshader = unpackSwiftShader();
  if (!swiftshader) return undefined;
  const driver = join(swiftshader, 'vk_swiftshader_icd.json');
  const { from, drivers } = vulkanOnThisMachine();
  if (from === 'environment' && !drivers.includes(driver)) return undefined;
  process.env.VK_ICD_FILENAMES = driver;
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  ensureVulkanLoader();
  return `from ${PACKAGE} ${findPackage()?.version}`;
}

const unpackSwiftShader = () => unpack('swiftshader', ['swiftshader.tar.br']);

/**
 * Dawn opens the Vulkan loader by its bare name. Where the system has none, the package's is loaded by path beforehand:
 * the dynamic linker then finds it by its SONAME, so no LD_LIBRARY_PATH (and no new process) is needed.
 */
function ensureVulkanLoader(): void {
  if (process.platform !== 'linux' || loadLibrary('libvulkan.so.1')) return;
  const swiftshader = unpackSwiftShader();
  if (swiftshader) loadLibrary(join(swiftshader, 'libvulkan.so.1'));
}

/** Loads a plain shared library for good. Node complains that it is no addon, after the linker has kept it. */
function loadLibrary(file: string): boolean {
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW_NODELETE);
    return true;
  } catch (error) {
    return String(error).includes('did not self-register');
  }
}

/** What Playwright's `chromium.launch` takes, and where the browser comes from. */
export type Chromium = {
  executablePath: string;
  args: string[];
  env: Record<string, string>;
  origin: string;
};

/** The first release whose plain `--headless` is the full browser; older ones lack WebGPU there. */
const OLDEST_CHROMIUM = 132;

/**
 * A Chromium in which headless WebGPU works, canvases included, and how to launch it. `WEBGPU_CTC_CHROMIUM` names one.
 * @throws Error that says where it was looked for.
 */
export async function findChromium(): Promise<Chromium> {
  const named = process.env.WEBGPU_CTC_CHROMIUM;
  if (named) {
    if (!existsSync(named)) throw new Error(`WEBGPU_CTC_CHROMIUM=${named}: there is no such file`);
    return launchOf(named, 'WEBGPU_CTC_CHROMIUM', hasHardwareVulkan());
  }
  const installed = chromiumPlaces().find(runsAsChromium);
  if (installed) return launchOf(installed, 'installed', hasHardwareVulkan());

  const folder = unpack('chromium', ['chromium.br', 'swiftshader.tar.br', 'al2023.tar.br', 'fonts.tar.br']);
  if (!folder)
    throw new Error(
      `no Chrome or Chromium ${OLDEST_CHROMIUM} or later found. Install one, set WEBGPU_CTC_CHROMIUM to its path, or on Linux x64: npm install --save-dev ${PACKAGE}`,
    );
  const chromium = launchOf(join(folder, 'chromium'), `${PACKAGE} ${findPackage()?.version}`, false);
  const libraries = [join(folder, 'lib'), process.env.LD_LIBRARY_PATH].filter(Boolean).join(':');
  Object.assign(chromium.env, { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: folder });
  return chromium;
}

function launchOf(executablePath: string, origin: string, hardware: boolean): Chromium {
  return { executablePath, origin, args: chromiumArgs(hardware), env: chromiumEnv(hardware) };
}

function chromiumPlaces(): string[] {
  const { PATH = '', PROGRAMFILES = '', LOCALAPPDATA = '' } = process.env;
  if (process.platform === 'win32') {
    const roots = [PROGRAMFILES, process.env['PROGRAMFILES(X86)'] ?? '', LOCALAPPDATA].filter(Boolean);
    return ['Google/Chrome', 'Chromium', 'Microsoft/Edge'].flatMap((name) =>
      roots.map((root) =>
        join(root, name, 'Application', name.endsWith('Edge') ? 'msedge.exe' : 'chrome.exe'),
      ),
    );
  }
  if (process.platform === 'darwin') {
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].flatMap((name) =>
      ['/Applications', join(homedir(), 'Applications')].map(
        (root) => `${root}/${name}.app/Contents/MacOS/${name}`,
      ),
    );
  }
  return ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'microsoft-edge'].flatMap(
    (name) =>
      PATH.split(':')
        .filter(Boolean)
        .map((folder) => join(folder, name)),
  );
}

function runsAsChromium(file: string): boolean {
  if (!existsSync(file)) return false;
  if (process.platform === 'win32') return true; // there `--version` opens a window
  try {
    const version = execFileSync(file, ['--version'], {
      encoding: 'utf8',
      timeout: 20_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number(/ (\d+)\./.exec(version)?.[1]) >= OLDEST_CHROMIUM;
  } catch {
    return false; // such as Ubuntu's chromium-browser, a script that asks for a snap
  }
}

function chromiumArgs(hardware: boolean): string[] {
  const args = [
    '--enable-unsafe-webgpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
    '--no-first-run',
  ];
  if (process.platform === 'linux') {
    args.push('--ignore-gpu-blocklist', '--enable-gpu', '--enable-features=Vulkan');
    if (hardware) args.push('--use-angle=vulkan', '--disable-vulkan-surface');
    // Without these a software adapter computes, but configuring a canvas loses the device.
    else args.push('--use-vulkan=swiftshader', '--use-angle=swiftshader', '--enable-unsafe-swiftshader');
  }
  if (process.getuid?.() === 0) args.push('--no-sandbox');
  return args;
}

/** Chromium brings its own SwiftShader; a driver that was chosen for Dawn must not reach it, unless it is the GPU's. */
function chromiumEnv(hardware: boolean): Record<string, string> {
  const hidden = hardware ? [] : ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'];
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !hidden.includes(entry[0]),
    ),
  );
}

/** Mesa installs the manifests of all its drivers on every machine: only a device node shows that there is a GPU. */
function hasHardwareVulkan(): boolean {
  const node =
    ['/dev/nvidia0', '/dev/dxg'].some(existsSync) ||
    list('/dev/dri').some((file) => file.includes('renderD'));
  return node && vulkanOnThisMachine().drivers.some((file) => !/lvp|lavapipe|swiftshader/.test(file));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).map((file) => join(folder, file));
  } catch {
    return [];
  }
}
