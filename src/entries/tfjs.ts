export { type CtcLossInput, ctcLoss, disposeCtcLoss } from '../adapters/tensorflow.js';
