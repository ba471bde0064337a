// As consumer.ts, in a program that knows WebGPU's own types.
import { CtcLoss } from 'webgpu-ctc';
import { NGram } from 'webgpu-ctc/lm';

export async function trainStep(device: GPUDevice, data: GPUBuffer): Promise<GPUBuffer> {
  const ctc = await CtcLoss.create({ device, reduction: 'mean' });
  const { signal } = new AbortController();
  const { loss, grad } = await ctc.run({ logits: { data, shape: [4, 1, 4] }, targets: [[1, 2]] }, { signal });
  await loss.mapAsync(1);
  // @ts-expect-error: a device is more than an object
  await CtcLoss.create({ device: {} });
  return grad;
}

/** Both are what a browser gives. */
export async function orders(file: File): Promise<number[]> {
  const { body } = await fetch('model.arpa.gz');
  return body ? [(await NGram.read(file)).order, (await NGram.read(body)).order] : [];
}
