/** The texts that only kept lattices need. */
export { default as posterior } from '../../shaders/posterior.wgsl?raw';
export { default as scales } from '../../shaders/scales.wgsl?raw';
