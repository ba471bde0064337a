import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { exitCode } from '../src/cli/failure.js';
import { writeNpy } from '../src/files/npy.js';

const repository = fileURLToPath(new URL('..', import.meta.url));

interface Given {
  /** What stdin holds. */
  readonly input?: string | Uint8Array | undefined;
  /** Whether stdin stays open after that. */
  readonly open?: boolean;
  readonly env?: object;
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  /** So far. */
  readonly written: { stdout: string; stderr: string };
  readonly end: Promise<Run>;
  kill(signal: NodeJS.Signals): void;
  /** Whoever reads its stdout leaves. */
  leave(): void;
  /** Once the text is in what was written; false if the program ended without. */
  until(stream: 'stdout' | 'stderr', found: (text: string) => boolean): Promise<boolean>;
}

/** A program of the checkout, such as `dist/cli.js`. */
export function start(args: string[], { input = '', open = false, env }: Given = {}): Started {
  const child = spawn(process.execPath, args, { cwd: repository, env: { ...process.env, ...env } });
  const written = { stdout: '', stderr: '' };
  child.stdout.on('data', (text) => (written.stdout += text));
  child.stderr.on('data', (text) => (written.stderr += text));
  child.stdin.on('error', () => {}); // it need not read all
  if (open) child.stdin.write(input);
  else child.stdin.end(input);
  const end = new Promise<Run>((resolve) => child.on('close', (code) => resolve({ code, ...written })));
  return {
    written,
    end,
    kill: (signal) => child.kill(signal),
    leave: () => child.stdout.destroy(),
    until: (stream, found) =>
      new Promise((resolve) => {
        const look = () => found(written[stream]) && resolve(true);
        look();
        child[stream].on('data', look);
        end.then(() => resolve(found(written[stream])));
      }),
  };
}

/** The command of the package, to its end. */
export function cli(args: string[], options?: Given): Promise<Run> {
  return start(['dist/cli.js', ...args], options).end;
}

/** The same in a shell, with its streams elsewhere: `2>&-`. */
export function redirected(args: string[], redirection: string): Run {
  const script = `exec "$0" dist/cli.js "$@" ${redirection}`;
  const limits = { timeout: 100_000, killSignal: 'SIGKILL' } as const; // no timeout of a test ends what it waits for in one turn
  const options = { cwd: repository, encoding: 'utf8', ...limits } as const;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, process.execPath, ...args], options);
  return { code: status, stdout, stderr };
}

/** What not every system has: signals that a program answers, a device that is always full, a variable that names the drivers of WebGPU. */
export const system = {
  hasSignals: process.platform !== 'win32',
  hasFullDevice: existsSync('/dev/full'),
  namesDrivers: process.platform === 'linux',
};

export const noWebgpu = { VK_ICD_FILENAMES: '/nonexistent.json', VK_DRIVER_FILES: '/nonexistent.json' };

/** A folder of the test file's own, with dist/ up to date before the first test. */
export function workshop(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `webgpu-ctc-${name}-`));
  const place = (file: string) => join(folder, file);
  beforeAll(async () => expect(await start(['scripts/setup.mjs']).end).toMatchObject({ code: 0 }));
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    folder,
    place,
    write(file: string, content: string | Uint8Array | object): string {
      const isText = typeof content === 'string' || content instanceof Uint8Array;
      writeFileSync(place(file), isText ? content : JSON.stringify(content));
      return place(file);
    },
    npy(file: string, shape: readonly number[], values: ArrayLike<number>): string {
      writeFileSync(place(file), writeNpy(Float32Array.from(values), shape));
      return place(file);
    },
  };
}

/** A file with these tensors: rows of five numbers, or a list of integers. */
export function safetensors(tensors: Record<string, Float32Array | Int32Array>): Uint8Array {
  let end = 0;
  const header = Object.entries(tensors).map(([name, data]) => {
    const begin = end;
    end += data.byteLength;
    const [dtype, shape] =
      data instanceof Int32Array ? ['I32', [data.length]] : ['F32', [data.length / 5, 5]];
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(header)));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  const data = Object.values(tensors).map(({ buffer }) => Buffer.from(buffer as ArrayBuffer));
  return Buffer.concat([size, text, ...data]);
}

/** A .npz file of deflated arrays. */
export function npz(arrays: Record<string, Uint8Array>): Uint8Array {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const [name, array] of Object.entries(arrays)) {
    const entry = Buffer.from(`${name}.npy`);
    const packed = deflateRawSync(array);
    const head = Buffer.alloc(26);
    head.writeUInt16LE(20, 0);
    head.writeUInt16LE(8, 4);
    for (const [i, value] of [crc32(array), packed.length, array.length].entries())
      head.writeUInt32LE(value, 10 + 4 * i);
    head.writeUInt16LE(entry.length, 22);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(at, 10);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), head, more, entry]));
    locals.push(Buffer.concat([Buffer.from('PK\x03\x04'), head, entry, packed]));
    at += locals.at(-1)!.length;
  }
  const end = Buffer.from('PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0');
  end.writeUInt16LE(locals.length, 8);
  end.writeUInt16LE(locals.length, 10);
  end.writeUInt32LE(Buffer.concat(centrals).length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...locals, ...centrals, end]);
}

/** The objects of a program that prints one a line. */
export const json = (text: string) =>
  text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Scores whose best class at each frame is a letter of the word, each for some frames with a blank after. */
export function spoken(classes: readonly number[], frames: number, width: number): Float32Array {
  const scores = new Float32Array(frames * width);
  for (let t = 0; t < frames; t++) {
    const at = Math.floor((2 * classes.length * t) / frames);
    scores[t * width + (at % 2 === 0 ? 0 : classes[at >> 1]!)] = 8;
  }
  return scores;
}

/** How a command fails, without a process of its own. */
export async function failureOf(
  run: (argv: string[], signal: AbortSignal) => Promise<number>,
  argv: string[],
): Promise<{ code: number; message: string }> {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  try {
    throw new Error(`expected a failure, got the exit code ${await run(argv, new AbortController().signal)}`);
  } catch (error) {
    return { code: exitCode(error), message: (error as Error).message };
  } finally {
    told.mockRestore();
  }
}
