/** The texts that every strategy needs: the way in from the caller's tensors, and out to them. */
export { default as gradient } from '../../shaders/gradient.wgsl?raw';
export { default as loss } from '../../shaders/loss.wgsl?raw';
export { default as reduce } from '../../shaders/reduce.wgsl?raw';
export { default as rows } from '../../shaders/rows.wgsl?raw';
export { default as alone } from '../../shaders/shared/alone.wgsl?raw';
export { default as emission } from '../../shaders/shared/emission.wgsl?raw';
export { default as exponential } from '../../shaders/shared/exponential.wgsl?raw';
export { default as extended } from '../../shaders/shared/extended.wgsl?raw';
export { default as fixed } from '../../shaders/shared/fixed.wgsl?raw';
export { default as frame } from '../../shaders/shared/frame.wgsl?raw';
export { default as layout } from '../../shaders/shared/layout.wgsl?raw';
export { default as normaliser } from '../../shaders/shared/normaliser.wgsl?raw';
export { default as problem } from '../../shaders/shared/problem.wgsl?raw';
export { default as sequence } from '../../shaders/shared/sequence.wgsl?raw';
export { default as together } from '../../shaders/shared/together.wgsl?raw';
export { default as total } from '../../shaders/shared/total.wgsl?raw';
export { default as values } from '../../shaders/shared/values.wgsl?raw';
