// The recogniser of fixtures/speech, in a worker.

import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import modelUrl from '../../../fixtures/speech/model.onnx?url';
import { serve } from '../../shared/model-worker.js';

/** [frames, 1, classes]. */
export interface Logits {
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

/** A question is samples at 16 kHz. */
serve<Float32Array<ArrayBuffer>, Logits>([runtimeUrl, modelUrl], async ([runtime, model]) => {
  Object.assign(env.wasm, { numThreads: 1, wasmBinary: runtime });
  const session = await InferenceSession.create(model!);
  return async (samples) => {
    const input = new Tensor('float32', samples, [1, samples.length]);
    const outputs = await session.run({ [session.inputNames[0]!]: input });
    const { data: logits, dims: shape } = outputs[session.outputNames[0]!]!;
    const data = Float32Array.from(logits as Float32Array);
    return { answer: { data, shape }, transfer: [data.buffer] };
  };
});
