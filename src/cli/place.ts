import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/** macOS and Windows take A.srt and a.srt for one file, and é for é however it is composed. */
const folds = process.platform === 'darwin' || process.platform === 'win32';
const folded = (path: string) => (folds ? path.normalize('NFC').toLowerCase() : path);

/** Where the file is that a path leads to, or would be: the same for two paths that lead to one file, by links or `..`. */
export function placeOf(path: string): string {
  try {
    return folded(realpathSync.native(path));
  } catch {
    // it is not there yet, or cannot be looked at, of which whoever opens it will tell
  }
  try {
    return folded(join(realpathSync.native(dirname(path)), basename(path)));
  } catch {
    return folded(resolve(path));
  }
}
