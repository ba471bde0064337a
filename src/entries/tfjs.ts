export type { PrepareArguments } from '../adapters/loss-arguments.js';
export {
  type CtcLossInput,
  ctcLoss,
  disposeCtcLoss,
  prepareCtcLoss,
} from '../adapters/tensorflow.js';
