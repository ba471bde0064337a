/** The texts that only the step strategy needs. */
export { default as alpha } from '../../shaders/alpha.wgsl?raw';
export { default as beta } from '../../shaders/beta.wgsl?raw';
export { default as ends } from '../../shaders/shared/ends.wgsl?raw';
export { default as pairs } from '../../shaders/shared/pairs.wgsl?raw';
