import { checkInteger, checkObject, kindOf } from '../problem/check.js';
import { wrongKind, wrongValue } from '../problem/errors.js';
import { isNpy, readNpy } from './npy.js';
import { readNpz } from './npz.js';
import { isSafetensors, readSafetensors } from './safetensors.js';
import { beginning, type FileTensor, type FileTensors } from './tensor.js';
import { isZip, type UnpackOptions } from './zip.js';

/**
 * Lists the tensors of a `.npy`, `.npz` or `.safetensors` file, which it knows by its content. That of a `.npy` file has the
 * name of the file.
 *
 * @throws TypeError for a wrong argument, RangeError naming the file and what is wrong in it.
 */
export function readTensors(bytes: Uint8Array, fileName: string, options: UnpackOptions = {}): FileTensors {
  if (kindOf(bytes) !== 'Uint8Array') throw wrongKind('bytes', 'a Uint8Array', bytes);
  if (typeof fileName !== 'string' || fileName === '') throw wrongKind('fileName', 'a file name', fileName);
  checkObject('options', options, ['unpackedBytes']);
  if (options.unpackedBytes !== undefined) checkInteger('unpackedBytes', options.unpackedBytes, 0);
  if (isNpy(bytes)) return new Map([[fileName, async () => readNpy(bytes, fileName)]]);
  if (isZip(bytes)) return readNpz(bytes, fileName, options);
  if (isSafetensors(bytes)) return readSafetensors(bytes, fileName);
  throw new RangeError(
    `${fileName}: expected a .npy or .npz file of NumPy's, or a .safetensors file, got ${beginning(bytes)}`,
  );
}

/**
 * Reads one tensor of a file.
 *
 * @param key Its name there. May be left out where the file has only one.
 * @throws TypeError for a wrong argument, RangeError naming the file and what is wrong in it.
 */
export async function readTensor(
  bytes: Uint8Array,
  fileName: string,
  key?: string,
  options?: UnpackOptions,
): Promise<FileTensor> {
  const tensors = readTensors(bytes, fileName, options);
  if (key !== undefined && typeof key !== 'string') throw wrongKind('key', 'the name of a tensor', key);
  const keys = [...tensors.keys()];
  const read = tensors.get(key ?? keys[0]);
  if (read && (key !== undefined || keys.length === 1)) return read();
  const listed = keys.length > 20 ? `${keys.slice(0, 20).join(', ')}, …` : keys.join(', ');
  if (key === undefined)
    throw wrongValue(fileName, `one tensor, or the name of one of: ${listed}`, keys.length);
  throw wrongValue(fileName, `the name of a tensor in it (${listed})`, key);
}
