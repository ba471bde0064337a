/** The texts that only the strategies with sweeps need: fused and tiled. */
export { default as arrivals } from '../../shaders/shared/arrivals.wgsl?raw';
export { default as block } from '../../shaders/shared/block.wgsl?raw';
export { default as four } from '../../shaders/shared/four.wgsl?raw';
export { default as middle } from '../../shaders/shared/middle.wgsl?raw';
export { default as quads } from '../../shaders/shared/quads.wgsl?raw';
export { default as subgroup } from '../../shaders/shared/subgroup.wgsl?raw';
export { default as workgroup } from '../../shaders/shared/workgroup.wgsl?raw';
export { default as spread } from '../../shaders/spread.wgsl?raw';
export { default as sweep } from '../../shaders/sweep.wgsl?raw';
