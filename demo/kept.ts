// Bind group layouts for shaders that read the library's kept lattice.

/** Of buffers at bindings 0, 1, 2, …, for compute shaders. `hasDynamicOffset`: of the uniform among them. */
export function layoutOf(
  device: GPUDevice,
  label: string,
  types: readonly GPUBufferBindingType[],
  hasDynamicOffset = false,
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
export function keptLayout(device: GPUDevice, label: string, wgsl: string): GPUBindGroupLayout {
  const declared = [...wgsl.matchAll(/@group\(0\) @binding\(\d+\) var<(uniform|storage)/g)];
  return layoutOf(
    device,
    label,
    declared.map(([, space]) => (space === 'uniform' ? 'uniform' : 'read-only-storage')),
  );
}
