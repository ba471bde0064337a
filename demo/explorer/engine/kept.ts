// What shaders that read the library's kept lattice have in common.

/** Of buffers at bindings 0, 1, 2, …, for compute shaders. `hasDynamicOffset`: of the uniform among them. */
function layoutOf(
  device: GPUDevice,
  label: string,
  types: readonly GPUBufferBindingType[],
  hasDynamicOffset: boolean,
): GPUBindGroupLayout {
  return device.createBindGroupLayout({
    label,
    entries: types.map((type, binding) => ({
      ...{ binding, visibility: GPUShaderStage.COMPUTE },
      buffer: { type, hasDynamicOffset: hasDynamicOffset && type === 'uniform' },
    })),
  });
}

/** Of bind group 0, as the library's snippet declares it. */
function keptLayout(device: GPUDevice, label: string, wgsl: string): GPUBindGroupLayout {
  const declared = [...wgsl.matchAll(/@group\(0\) @binding\(\d+\) var<(uniform|storage)/g)];
  return layoutOf(
    device,
    label,
    declared.map(([, space]) => (space === 'uniform' ? 'uniform' : 'read-only-storage')),
    false,
  );
}

/** A module behind the library's snippet, with buffers of its own in bind group 1. */
export interface KeptProgram {
  readonly keptLayout: GPUBindGroupLayout;
  readonly ownLayout: GPUBindGroupLayout;
  readonly pipelineOf: (entryPoint: string) => GPUComputePipelineDescriptor;
}

/** @param own Types of its buffers. `hasDynamicOffset`: of the uniform among them. */
export function keptProgram(
  device: GPUDevice,
  name: string,
  lattice: string,
  code: string,
  own: readonly GPUBufferBindingType[],
  hasDynamicOffset = false,
): KeptProgram {
  const module = device.createShaderModule({ label: `${name}:module`, code });
  const kept = keptLayout(device, `${name}:kept`, lattice);
  const ownLayout = layoutOf(device, `${name}:own`, own, hasDynamicOffset);
  const layout = device.createPipelineLayout({ bindGroupLayouts: [kept, ownLayout] });
  const pipelineOf = (entryPoint: string) => ({
    ...{ label: `${name}:${entryPoint}`, layout, compute: { module, entryPoint } },
  });
  return { keptLayout: kept, ownLayout, pipelineOf };
}
