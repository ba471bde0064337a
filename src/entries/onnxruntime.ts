export {
  type OutputTensor,
  type ScoresOptions,
  type SessionScores,
  scoresFrom,
} from '../adapters/sessions.js';
