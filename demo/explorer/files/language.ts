// Language models that somebody brings: known by their names, or by how an ARPA file begins.
import type { LanguageModel } from '../state/known.js';

export const isModelName = ({ name }: File): boolean => /\.(arpa|lm)(\.gz)?$/i.test(name);

/** A list of words begins otherwise. */
export const isModel = async (file: File): Promise<boolean> =>
  isModelName(file) || /^\s*\\data\\/.test(await file.slice(0, 4096).text());

/** @throws RangeError naming the file, the line and what was expected there. */
export async function modelIn(file: File): Promise<LanguageModel> {
  const { NGram } = await import('webgpu-ctc/lm');
  try {
    return { name: file.name, nGram: await NGram.read(file) };
  } catch (error) {
    throw new RangeError(`${file.name}: ${(error as Error).message}`);
  }
}
