/** Why a kernel did not compile, at the lines of its files. Loaded when one does not. */

import type { KernelModule } from '../../kernels/kernels.js';
import { CtcError } from '../../problem/errors.js';
import { unlessLost } from './lost.js';

export async function explain(
  device: GPUDevice,
  kernel: string,
  { files }: KernelModule,
  module: GPUShaderModule,
  cause: unknown,
): Promise<CtcError> {
  const { messages } = await unlessLost(device, module.getCompilationInfo());
  const lines = messages.map(({ lineNum, message }) => `${placeOf(files, lineNum)}: ${message}`);
  return new CtcError(
    'gpu-validation',
    [`kernel ${kernel}: ${(cause as Error).message}`, ...lines].join('\n'),
    { cause },
  );
}

/** `shaders/alpha.wgsl:41` for a line of a module. */
export function placeOf(files: KernelModule['files'], line: number): string {
  let rest = line;
  for (const [name, text] of files) {
    const lines = text.split('\n').length - 1;
    if (rest <= lines) return `${name}:${rest}`;
    rest -= lines;
  }
  return `line ${line}`;
}
