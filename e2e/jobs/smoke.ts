/** What must work before the library can: an adapter, a compute shader, a canvas. */

async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error(navigator.gpu ? 'no WebGPU adapter' : 'no navigator.gpu');
  return adapter.requestDevice();
}

export async function adapter(): Promise<string> {
  const device = await openDevice();
  const { vendor, architecture, device: name, description } = device.adapterInfo;
  device.destroy();
  return [vendor, architecture, name, description].filter(Boolean).join(' ');
}

export async function double(numbers: Float32Array<ArrayBuffer>): Promise<Float32Array> {
  const device = await openDevice();
  const module = device.createShaderModule({
    code: /* wgsl */ `
      @group(0) @binding(0) var<storage, read_write> numbers: array<f32>;
      @compute @workgroup_size(64) fn double(@builtin(global_invocation_id) id: vec3u) {
        if (id.x < arrayLength(&numbers)) { numbers[id.x] *= 2.0; }
      }`,
  });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const buffer = (usage: number) => device.createBuffer({ size: numbers.byteLength, usage });
  const data = buffer(GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC);
  const readback = buffer(GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  device.queue.writeBuffer(data, 0, numbers);

  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: data } }],
    }),
  );
  pass.dispatchWorkgroups(Math.ceil(numbers.length / 64));
  pass.end();
  encoder.copyBufferToBuffer(data, 0, readback, 0, numbers.byteLength);
  device.queue.submit([encoder.finish()]);
  await readback.mapAsync(GPUMapMode.READ);
  const doubled = new Float32Array(readback.getMappedRange()).slice();
  device.destroy();
  return doubled;
}

/** Leaves a canvas in the page, cleared by WebGPU to one colour (components from 0 to 1). */
export async function paint(colour: [number, number, number, number]): Promise<void> {
  const device = await openDevice();
  const canvas = document.body.appendChild(document.createElement('canvas'));
  const context = canvas.getContext('webgpu');
  if (!context) throw new Error('the canvas has no webgpu context');
  context.configure({ device, format: navigator.gpu.getPreferredCanvasFormat() });
  await new Promise(requestAnimationFrame);
  const encoder = device.createCommandEncoder();
  const view = context.getCurrentTexture().createView();
  encoder
    .beginRenderPass({ colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store', clearValue: colour }] })
    .end();
  device.queue.submit([encoder.finish()]);
  await device.queue.onSubmittedWorkDone();
  await new Promise(requestAnimationFrame);
}

/** The middle pixel of a PNG, as RGBA bytes: the browser decodes its own screenshots. */
export async function middlePixel(png: Uint8Array<ArrayBuffer>): Promise<number[]> {
  const image = await createImageBitmap(new Blob([png]));
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  if (!context) throw new Error('no 2d context');
  context.drawImage(image, -Math.floor(image.width / 2), -Math.floor(image.height / 2));
  return [...context.getImageData(0, 0, 1, 1).data];
}

/** Breaks a rule of WebGPU with no error scope around it. */
export async function misuse(): Promise<void> {
  const device = await openDevice();
  device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  await device.queue.onSubmittedWorkDone();
}

/** A file of the repository, as golden cases will be read. */
export async function fetchJson(path: string): Promise<unknown> {
  return (await fetch(path)).json();
}

/** Says back what it was given. */
export function echo<T>(value: T): T {
  return value;
}
