/** The loss for jax-js, with the gradient that a pullback takes. */
export {
  type CtcLossAndGradient,
  type CtcLossInput,
  ctcLoss,
  disposeCtcLoss,
  prepareCtcLoss,
} from '../adapters/jax-loss.js';
export type { PrepareArguments } from '../adapters/loss-arguments.js';
