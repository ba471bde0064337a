import { wrongValue } from '../problem/errors.js';
import { readNpy } from './npy.js';
import { type FileTensors, isTorch, torchFile } from './tensor.js';
import { readZip, type UnpackOptions } from './zip.js';

/**
 * Lists the arrays of a `.npz` file, as `np.savez` and `np.savez_compressed` write it.
 *
 * @throws RangeError naming the file and what is wrong in it; of an array when that is read.
 */
export function readNpz(bytes: Uint8Array, name: string, options?: UnpackOptions): FileTensors {
  const entries = [...readZip(bytes, name, options)];
  const arrays = entries.filter(([entry]) => entry.endsWith('.npy'));
  if (isTorch(entries.map(([entry]) => entry)))
    throw new RangeError(`${name}: expected a .npz file of NumPy's, got ${torchFile}`);
  if (entries.length > 0 && arrays.length === 0)
    throw wrongValue(name, 'a zip archive with entries that end in .npy', entries[0][0]);
  return new Map(
    arrays.map(([entry, unpack]) => {
      const key = entry.slice(0, -'.npy'.length);
      return [key, async () => readNpy(await unpack(), `${name}: ${key}`)];
    }),
  );
}
