export {
  type CtcLossAndGradient,
  type CtcLossInput,
  ctcLoss,
  disposeCtcLoss,
  type PrepareArguments,
  prepareCtcLoss,
} from '../adapters/jax-loss.js';
