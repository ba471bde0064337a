export {
  type Emissions,
  type EmissionsOptions,
  emissionsOf,
  type ScoreKind,
  scoreKindOf,
  scoreKinds,
} from './emissions.js';
export { type TimedTextFormat, type TimedTextOptions, timedTextFormats, writeTimedText } from './formats.js';
export { writeNpy } from './npy.js';
export { type FileTensor, type FileTensors, NoScores } from './tensor.js';
export { readTensor, readTensors } from './tensors.js';
export type { TimedWord } from './timed.js';
export type { UnpackOptions } from './zip.js';
