export {
  type CtcLossInput,
  ctcLoss,
  disposeCtcLoss,
  type PrepareArguments,
  prepareCtcLoss,
} from '../adapters/tensorflow.js';
