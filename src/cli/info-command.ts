import { CtcError, CtcLoss } from '../entries/node.js';
import { UsageError } from './failure.js';
import { print } from './printable.js';

export const usage = 'usage: webgpu-ctc info';
export const help = `${usage}

The WebGPU adapter with its features and limits, or why there is none and what to do.`;

const limits = [
  'maxStorageBufferBindingSize',
  'maxBufferSize',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupsPerDimension',
] as const;

export async function run(argv: string[]): Promise<number> {
  if (argv.length > 0) throw new UsageError(`info: expected nothing after it, got '${argv.join(' ')}'`);
  print(await webGpuHere());
  return 0;
}

/** What WebGPU offers here, or why there is none and what to do. */
async function webGpuHere(): Promise<string> {
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
