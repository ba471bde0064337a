/** The loss for TensorFlow.js, as an operation that its gradients go through. */
export type { PrepareArguments } from '../adapters/loss-arguments.js';
export {
  type CtcLossInput,
  ctcLoss,
  disposeCtcLoss,
  prepareCtcLoss,
} from '../adapters/tensorflow.js';
