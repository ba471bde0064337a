export { CtcError, type CtcErrorCode } from '../problem/errors.js';
export { mergeTokens, type TokenSpan } from '../problem/spans.js';
export type * from '../problem/types.js';
export { CtcAligner, forcedAlign } from './aligner.js';
export type * from './contracts.js';
export { CtcLoss, ctcLoss } from './ctc-loss.js';
export { CtcPosterior } from './ctc-posterior.js';
export { CtcDecoder } from './decoder.js';
