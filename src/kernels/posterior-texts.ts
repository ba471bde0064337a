/** The texts that only what is drawn from the posterior, or summed over it, needs. */
export { default as draw } from '../../shaders/draw.wgsl?raw';
export { default as durations } from '../../shaders/durations.wgsl?raw';
export { default as sample } from '../../shaders/sample.wgsl?raw';
export { default as random } from '../../shaders/shared/random.wgsl?raw';
