export { CtcError, type CtcErrorCode } from '../problem/errors.js';
export { mergeTokens, type TokenSpan } from '../problem/spans.js';
export { STAR } from '../problem/star.js';
export type * from '../problem/types.js';
export type * from './contracts.js';
export * from './ctc-aligner.js';
export * from './ctc-decoder.js';
export * from './ctc-loss.js';
export * from './ctc-posterior.js';
