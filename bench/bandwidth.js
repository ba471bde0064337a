// What memory gives at best: the speed of copies, by the driver's own command and by a shader.
import { median } from './compare.js';
import { names } from './gpu.js';

const code = /* wgsl */ `
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;

@compute @workgroup_size(64) fn copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let i = id.y * grid.x * 64 + id.x;
  copied[i] = source[i];
}`;

/**
 * Bytes read and written in a millisecond, by copies of 256 MiB: the median of five times of 50 ms or more.
 * On software adapters a shader is several times slower than the command, which is a plain `memcpy`.
 * @param {GPUDevice} device
 */
export async function bandwidth(device) {
  const { GPUBufferUsage } = await names();
  const size = 2 ** 28;
  const usage = GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST | GPUBufferUsage.STORAGE;
  const buffers = [0, 1].map(() => device.createBuffer({ size, usage }));
  const [from, to] = buffers;
  const copy = (/** @type {GPUCommandEncoder} */ encoder) => {
    encoder.copyBufferToBuffer(from, 0, to, 0, size);
  };

  const compute = { module: device.createShaderModule({ code }) };
  const pipeline = device.createComputePipeline({ layout: 'auto', compute });
  const half = size / 2; // what a binding may hold by default
  const groups = [0, half].map((offset) => {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer, offset, size: half } }));
    return device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
  });
  const shader = (/** @type {GPUCommandEncoder} */ encoder) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    for (const group of groups) {
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(2 ** 12, half / 16 / 64 / 2 ** 12);
    }
    pass.end();
  };

  const measured = { copy: await bytesPerMs(copy), shader: await bytesPerMs(shader) };
  for (const buffer of buffers) buffer.destroy();
  return measured;

  /** @param {(encoder: GPUCommandEncoder) => void} encode */
  async function bytesPerMs(encode) {
    const time = async (/** @type {number} */ copies) => {
      const start = performance.now();
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < copies; i++) encode(encoder);
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return (performance.now() - start) / copies;
    };
    await time(1); // touches the pages, compiles
    const copies = Math.min(100, Math.ceil(50 / (await time(1))));
    const times = [];
    while (times.length < 5) times.push(await time(copies));
    return (2 * size) / median(times);
  }
}
