/** A session of ONNX Runtime Web on WebGPU, and the library on its output. */

import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/webgpu';
import {
  CtcAligner,
  CtcDecoder,
  CtcLoss,
  CtcPosterior,
  type GpuBuffer,
  type HostData,
  type Scores,
  type Shape,
} from 'webgpu-ctc';
import { type SessionScores, scoresFrom } from 'webgpu-ctc/onnxruntime';

const modelUrl = '/fixtures/speech/model.onnx';

/** Everything the library makes of scores, in numbers that can be compared. */
async function allOf(given: SessionScores, targets: readonly number[]) {
  const { device, path, reason } = given;
  // whichever it is
  const scores = given.scores as Scores<Shape, HostData | GpuBuffer>;
  const onDevice = { device, blank: 0 };
  const host = async (data: unknown, kind: 'float' | 'int') => {
    if (typeof data === 'number') return [data];
    if (ArrayBuffer.isView(data)) return [...(data as Float32Array)];
    const buffer = data as GPUBuffer;
    const gpu = device as GPUDevice;
    const readback = gpu.createBuffer({
      size: buffer.size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    const encoder = gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, 0, readback, 0, buffer.size);
    gpu.queue.submit([encoder.finish()]);
    await readback.mapAsync(GPUMapMode.READ);
    const bytes = readback.getMappedRange().slice(0);
    readback.destroy();
    return [...(kind === 'float' ? new Float32Array(bytes) : new Int32Array(bytes))];
  };
  const input = { ...scores, targets: [targets] };
  const ctc = await CtcLoss.create({ ...onDevice, reduction: 'sum' });
  const { loss, grad } = await ctc.run(input);
  const aligner = await CtcAligner.create(onDevice);
  const { labels } = await aligner.run(input);
  const decoder = await CtcDecoder.create(onDevice);
  const read = await decoder.run(scores);
  const posterior = await CtcPosterior.create(onDevice);
  const { durations } = await posterior.run(input);
  const { shape, layout } = (scores.logits ?? scores.logProbs)!;
  const lattice = await CtcLoss.create({ ...onDevice, gradient: 'none' });
  const prepared = await lattice.prepare({
    logits: shape,
    ...(layout && { layout }),
    maxTargetLength: targets.length,
    keep: ['posterior'],
  });
  prepared.setTargets([targets]);
  await prepared.run({ logits: scores.logits!.data });
  const kept = await prepared.read('posterior');
  const result = {
    ...{ path, reason, sameDevice: typeof device === 'object' },
    loss: (await host(loss, 'float'))[0]!,
    grad: await host(grad, 'float'),
    labels: await host(labels, 'int'),
    read: await host(read.labels, 'int'),
    durations: await host(durations, 'float'),
    lattice: [...kept],
  };
  for (const made of [ctc, aligner, decoder, posterior, lattice]) made.destroy();
  return result;
}

/** A sentence with its output left on the GPU, given to another device, and on the host since then. */
export async function sentence(samples: Float32Array, targets: number[]) {
  env.wasm.numThreads = 1;
  env.wasm.wasmPaths = { wasm: runtimeUrl };
  const model = new Uint8Array(await (await fetch(modelUrl)).arrayBuffer());
  const session = await InferenceSession.create(model, {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });
  const input = new Tensor('float32', samples, [1, samples.length]);
  const output = (await session.run({ [session.inputNames[0]!]: input }))[session.outputNames[0]!]!;
  // frames first: the model's own order
  const layout = 'TNC' as const;
  const gpu = await allOf(await scoresFrom(output, { layout, env }), targets);
  const adapter = await navigator.gpu.requestAdapter();
  const other = await adapter!.requestDevice();
  const { scores, path, reason } = await scoresFrom(output, { layout, env, device: other });
  const elsewhere = { path, reason, data: [...(scores.logits!.data as Float32Array)] };
  other.destroy();
  const left = await scoresFrom(output, { layout, env });
  const host = { ...(await allOf(left, targets)), data: [...(left.scores.logits!.data as Float32Array)] };
  output.dispose();
  await session.release();
  return { gpu, elsewhere, host };
}
