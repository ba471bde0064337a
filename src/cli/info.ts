import { CtcError, CtcLoss } from '../node.js';

const limits = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** What WebGPU offers here, or why there is none and what to do. */
export async function info(): Promise<string> {
  try {
    const { device, backend } = await CtcLoss.create({ device: 'gpu' });
    const { limits: has, features } = device as GPUDevice;
    const rows = [
      ['adapter', backend.adapter],
      ['reached through', backend.reason],
      ['features', [...features].sort().join(', ') || 'none'],
      ...limits.map((name) => [name, has[name].toLocaleString('en')]),
    ];
    return rows.map(([name, value]) => `${name!.padEnd(34)}${value}`).join('\n');
  } catch (error) {
    if (!(error instanceof CtcError)) throw error;
    return `adapter${' '.repeat(27)}none: the CPU is used\nwhy${' '.repeat(31)}${error.message}`;
  }
}
