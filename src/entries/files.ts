/**
 * Files, as bytes and as text: emissions in `.npy`, `.npz` and `.safetensors`, subtitles, TextGrid and CTM. It needs no device and no file system.
 */
export type { Cue } from '../files/cues.js';
export {
  type Emissions,
  type EmissionsOptions,
  emissionsOf,
  type ScoreKind,
  scoreKindOf,
  scoreKinds,
} from '../files/emissions.js';
export {
  type ReadTimedTextOptions,
  readTimedText,
  type TimedTextFormat,
  type TimedTextOptions,
  timedTextFormats,
  writeTimedText,
} from '../files/formats.js';
export { writeNpy } from '../files/npy.js';
export { type FileTensor, type FileTensors, NoScores } from '../files/tensor.js';
export { readTensor, readTensors } from '../files/tensors.js';
export type { TimedWord } from '../files/timed.js';
export type { UnpackOptions } from '../files/zip.js';
