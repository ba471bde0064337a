/** The npm package that holds a software Vulkan driver and a Chromium: where it is, and its archives unpacked. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

export const PACKAGE = '@sparticuz/chromium';

/** Where npm put the package; its archives are for Linux x64. */
export function findPackage(): { bin: string; version: string } | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      const root = resolve(createRequire(from).resolve(PACKAGE), '../../..');
      return {
        bin: join(root, 'bin'),
        version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
      };
    } catch {}
  }
  return undefined;
}

/** Unpacks archives of the package into a folder of the user's cache, once per version; undefined without the package. */
export function unpack(name: string, archives: string[]): string | undefined {
  const source = findPackage();
  if (!source) return undefined;
  const failures: unknown[] = [];
  for (const cache of cacheFolders()) {
    const folder = join(cache, source.version, name);
    if (existsSync(folder)) return folder;
    try {
      return fill(folder, (draft) => {
        for (const archive of archives) {
          const bytes = brotliDecompressSync(readFileSync(join(source.bin, archive)));
          if (archive.endsWith('.tar.br'))
            for (const file of readTar(bytes)) write(join(draft, file.path), file);
          else write(join(draft, archive.slice(0, -'.br'.length)), { data: bytes, mode: 0o755 });
        }
        if (archives.includes('fonts.tar.br'))
          write(join(draft, 'fonts.conf'), { data: Buffer.from(FONTS_CONF), mode: 0o644 });
      });
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `could not unpack ${PACKAGE}: ${failures.map(String).join('; ')}`);
}

// The package's own file names folders of AWS Lambda.
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;

function* cacheFolders(): Generator<string> {
  yield join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'webgpu-ctc');
  // In the shared folder a stranger could have laid out libraries for us to load: only one of our own will do.
  const shared = join(tmpdir(), `webgpu-ctc-${process.getuid?.()}`);
  if (!existsSync(shared) || statSync(shared).uid === process.getuid?.()) yield shared;
}

/** Makes a folder appear with all its content at once, whoever else is making it at the same time. */
function fill(folder: string, content: (draft: string) => void): string {
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  const draft = mkdtempSync(`${folder}.`);
  try {
    content(draft);
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

type TarFile = { path: string; mode: number; data: Uint8Array };

/** The plain files of a tar archive (ustar: a header of 512 bytes, then the data, padded to 512). */
export function* readTar(tar: Uint8Array): Generator<TarFile> {
  const text = (from: number, length: number) =>
    Buffer.from(tar.buffer, tar.byteOffset + from, length)
      .toString('latin1')
      .replace(/\0.*/s, '');
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const data = at + 512;
    const type = text(at + 156, 1);
    if (type === '0' || type === '') {
      const path = join('/', text(at + 345, 155), text(at + 0, 100)).slice(1);
      yield { path, mode: Number.parseInt(text(at + 100, 8), 8), data: tar.subarray(data, data + size) };
    }
    at = data + Math.ceil(size / 512) * 512;
  }
}

function write(file: string, { data, mode }: Omit<TarFile, 'path'>): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data, { mode });
}
