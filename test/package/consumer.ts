// A program as users write it. The package test compiles it against the packed declarations.
import { CtcError, CtcLoss, ctcLoss, type GpuBuffer } from 'webgpu-ctc';
import * as node from 'webgpu-ctc/node';

const shape = [4, 2, 4] as const;
const targets = [[1, 2], [3]];
const lengths = { inputLengths: [4, 3], targetLengths: [2, 1] };

export async function onTheHost(data: Float32Array): Promise<number> {
  const ctc = await CtcLoss.create({ device: 'auto', reduction: 'sum' });
  const { loss, grad, backend } = await ctc.run({ logProbs: { data, shape }, targets, ...lengths });
  const total: number = loss;
  const gradient: Float32Array = grad;
  const device: 'gpu' | 'cpu' = backend.device;
  ctc.destroy();
  return device === 'cpu' ? total : total + gradient.length;
}

export async function onTheDevice(buffer: GpuBuffer): Promise<GpuBuffer> {
  const ctc = await node.CtcLoss.create({ device: 'gpu' });
  const { loss, grad } = await ctc.run({ logits: { data: buffer, shape }, targets, ...lengths });
  const lossBuffer: GpuBuffer = loss;
  // @ts-expect-error: buffers in, buffers out
  const array: Float32Array = grad;
  return array ? lossBuffer : grad;
}

export async function oneByOne(data: Float32Array): Promise<Float32Array> {
  const ctc = await CtcLoss.create({ reduction: 'none', gradient: 'none' });
  const result = await ctc.run({ logProbs: { data, shape }, targets, ...lengths });
  // @ts-expect-error: nobody asked for a gradient
  if (result.grad) throw new Error();
  return result.loss;
}

export const oneLiner = (data: Float32Array) =>
  ctcLoss({ data, shape }, targets, [4, 3], [2, 1], { blank: 0 }).catch((error: unknown) => {
    if (error instanceof CtcError && error.code === 'no-webgpu') return undefined;
    throw error;
  });
