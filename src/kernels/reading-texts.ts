/** The texts that only reading needs: the best path, the best class of each frame. */
export { default as arrive } from '../../shaders/arrive.wgsl?raw';
export { default as greedy } from '../../shaders/greedy.wgsl?raw';
export { default as cost } from '../../shaders/shared/cost.wgsl?raw';
export { default as costs } from '../../shaders/shared/costs.wgsl?raw';
export { default as distance } from '../../shaders/shared/distance.wgsl?raw';
export { default as reading } from '../../shaders/shared/reading.wgsl?raw';
export { default as ways } from '../../shaders/shared/ways.wgsl?raw';
export { default as spell } from '../../shaders/spell.wgsl?raw';
export { default as trace } from '../../shaders/trace.wgsl?raw';
export { default as viterbi } from '../../shaders/viterbi.wgsl?raw';
