// What the bench does with a GPUDevice besides the library.

/** Dawn crashes once what `create` returned is collected. @type {GPU | undefined} */
let gpu;

/** What Dawn has instead of globals. Loaded when it is needed, since that is a part of a first call. @returns {Promise<typeof globalThis>} */
export const names = async () => /** @type {any} */ ((await import('webgpu')).globals);

/** A WebGPU besides the library's, which has found driver and loader before. */
export async function secondGpu() {
  const { create } = await import('webgpu');
  Object.assign(globalThis, await names()); // jax-js looks for them there
  gpu ??= create([]);
  return gpu;
}

/** As a browser gives it to who asks for nothing. */
export async function plainDevice() {
  const adapter = await (await secondGpu()).requestAdapter();
  if (!adapter) throw new Error('no adapter');
  return adapter.requestDevice();
}

/** Scores on the device, room for a loss and their gradient. @param {GPUDevice} device @param {Float32Array<ArrayBuffer>} data */
export async function upload(device, data) {
  const { GPUBufferUsage } = await names();
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  device.pushErrorScope('out-of-memory');
  const [scores, grad, loss] = [data.byteLength, data.byteLength, 4].map((size) =>
    device.createBuffer({ size, usage }),
  );
  const error = await device.popErrorScope();
  if (error) throw new Error(error.message);
  const piece = 2 ** 22;
  for (let i = 0; i < data.length; i += piece) {
    device.queue.writeBuffer(scores, 4 * i, data, i, Math.min(piece, data.length - i));
    await device.queue.onSubmittedWorkDone();
  }
  const end = () => {
    for (const buffer of [scores, grad, loss]) buffer.destroy();
  };
  return { scores, grad, loss, end };
}

/** The number at the start of a buffer. @param {GPUDevice} device @param {GPUBuffer} buffer */
export async function readFloat(device, buffer) {
  const { GPUBufferUsage, GPUMapMode } = await names();
  const staging = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, 4);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const [number] = new Float32Array(staging.getMappedRange());
  staging.destroy();
  return number;
}

/** Drops, while it is on, every dispatch of kernels whose label does not match: what is left is a stage alone. @param {RegExp} kernels */
export async function dispatchOnly(kernels) {
  const pass = (await names()).GPUComputePassEncoder.prototype;
  const { setPipeline, dispatchWorkgroups } = pass;
  let on = false;
  let wanted = true;
  pass.setPipeline = function (pipeline) {
    wanted = !on || kernels.test(pipeline.label);
    setPipeline.call(this, pipeline);
  };
  pass.dispatchWorkgroups = function (...grid) {
    if (wanted) dispatchWorkgroups.apply(this, grid);
  };
  return (/** @type {boolean} */ now) => {
    on = now;
  };
}
