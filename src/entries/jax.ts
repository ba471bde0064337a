export { type CtcLossAndGradient, type CtcLossInput, ctcLoss, disposeCtcLoss } from '../adapters/jax-loss.js';
