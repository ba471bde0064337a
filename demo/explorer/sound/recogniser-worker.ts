// The recogniser of fixtures/speech, in a worker: what takes long there can be ended at any time.

import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import modelUrl from '../../../fixtures/speech/model.onnx?url';
import { download } from '../../shared/download.js';

export type Told =
  | { readonly kind: 'loading'; readonly bytes: number }
  | { readonly kind: 'recognising' }
  | { readonly kind: 'done'; readonly logits: Float32Array<ArrayBuffer>; readonly shape: readonly number[] }
  | { readonly kind: 'failed'; readonly message: string };

const tell = (told: Told, transfer: Transferable[] = []) => self.postMessage(told, { transfer });

/** `data`: samples at 16 kHz. */
self.onmessage = async ({ data: samples }: MessageEvent<Float32Array<ArrayBuffer>>) => {
  try {
    const [runtime, model] = await downloadAll([runtimeUrl, modelUrl]);
    tell({ kind: 'recognising' });
    Object.assign(env.wasm, { numThreads: 1, wasmBinary: runtime });
    const session = await InferenceSession.create(model!);
    const input = new Tensor('float32', samples, [1, samples.length]);
    const outputs = await session.run({ [session.inputNames[0]!]: input });
    const { data, dims } = outputs[session.outputNames[0]!]!;
    const logits = Float32Array.from(data as Float32Array);
    tell({ kind: 'done', logits, shape: dims }, [logits.buffer]);
  } catch (error) {
    tell({ kind: 'failed', message: (error as Error).message });
  }
};

/** Says how much of all of it has come. */
async function downloadAll(urls: readonly string[]): Promise<Uint8Array<ArrayBuffer>[]> {
  const parts = urls.map(() => 0);
  return Promise.all(
    urls.map((url, i) =>
      download(url, {
        counted({ bytes }) {
          parts[i] = bytes;
          tell({ kind: 'loading', bytes: parts.reduce((sum, part) => sum + part, 0) });
        },
      }),
    ),
  );
}
