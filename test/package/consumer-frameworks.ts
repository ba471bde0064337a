// As consumer.ts, in programs that train with a framework.
import { type Array as JaxArray, vjp } from '@jax-js/jax';
import type * as tf from '@tensorflow/tfjs-core';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import * as ort from 'onnxruntime-web';
import { CtcDecoder } from 'webgpu-ctc';
import { ctcLoss as jaxCtcLoss } from 'webgpu-ctc/jax';
import { scoresFrom } from 'webgpu-ctc/onnxruntime';
import { ctcLoss, disposeCtcLoss } from 'webgpu-ctc/tfjs';

const labels = [[1, 2], [3]];

export function withTensorFlow(
  network: (x: tf.Tensor) => tf.Tensor3D,
  x: tf.Tensor,
  optimizer: tf.Optimizer,
): void {
  const loss = () =>
    ctcLoss({ logits: network(x), labels, labelLengths: [2, 1], layout: 'NTC' }) as tf.Scalar;
  optimizer.minimize(loss);
  // @ts-expect-error: no name of an argument
  ctcLoss({ logits: network(x), targets: labels });
  disposeCtcLoss();
}

export async function withJax(network: (w: JaxArray) => JaxArray, weights: JaxArray): Promise<JaxArray> {
  const [logits, pullback] = vjp(network, [weights]);
  const { loss, grad } = await jaxCtcLoss({ logits, labels, logitLengths: 4, reduction: 'sum' });
  loss.dispose();
  const [gradient] = pullback(grad);
  return gradient;
}

export async function withOnnxRuntime(
  session: InferenceSession,
  input: Tensor,
): Promise<Int32Array | undefined> {
  const { logits } = await session.run({ input });
  const { scores, device, path } = await scoresFrom(logits!, { env: ort.env, layout: 'TNC', kind: 'logits' });
  if (path === 'gpu') return undefined;
  const decoder = await CtcDecoder.create({ device });
  const { readings } = await decoder.run(scores);
  decoder.destroy();
  return readings[0]!.ids;
}
