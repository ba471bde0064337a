/** What a session of ONNX Runtime Web gives, for the operations of the library: read where it is, on the GPU or not. */
export {
  type OutputTensor,
  type ScoresOptions,
  type SessionScores,
  scoresFrom,
} from '../adapters/sessions.js';
