// A recogniser at work: that of fixtures/speech, or somebody's own. In a worker: what takes long there can be ended at any time.

import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import modelUrl from '../../../fixtures/speech/model.onnx?url';
import { download } from '../../shared/download.js';

export interface Question {
  /** At 16 kHz. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** Of the first question: a model of somebody's own. */
  readonly model?: Uint8Array<ArrayBuffer>;
}

export interface Output {
  readonly name: string;
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

export type Told =
  | { readonly kind: 'loading'; readonly bytes: number }
  | { readonly kind: 'recognising' }
  | { readonly kind: 'done'; readonly outputs: readonly Output[] }
  | { readonly kind: 'failed'; readonly message: string };

const tell = (told: Told, transfer: Transferable[] = []) => self.postMessage(told, { transfer });

let session: Promise<InferenceSession> | undefined;

self.onmessage = async ({ data: { samples, model } }: MessageEvent<Question>) => {
  try {
    session ??= load(model);
    const loaded = await session;
    tell({ kind: 'recognising' });
    const input = new Tensor('float32', samples, [1, samples.length]);
    const outputs = outputsOf(await loaded.run({ [loaded.inputNames[0]!]: input }));
    tell(
      { kind: 'done', outputs },
      outputs.map(({ data }) => data.buffer),
    );
  } catch (error) {
    tell({ kind: 'failed', message: (error as Error).message });
  }
};

async function load(own: Uint8Array<ArrayBuffer> | undefined): Promise<InferenceSession> {
  const [runtime, model] = await downloadAll(own ? [runtimeUrl] : [runtimeUrl, modelUrl]);
  Object.assign(env.wasm, { numThreads: 1, wasmBinary: runtime });
  const loaded = await InferenceSession.create(own ?? model!);
  checkInputs(loaded.inputMetadata);
  return loaded;
}

type Values = InferenceSession['inputMetadata'];

/** `features [1, 80, T] of float32`. */
const named = (values: Values) =>
  values
    .map((value) =>
      value.isTensor ? `${value.name} [${value.shape.join(', ')}] of ${value.type}` : value.name,
    )
    .join(' and ');

/** A model of anything else than a sound is no mistake, and cannot be run here. */
function checkInputs(inputs: Values): void {
  const [input] = inputs;
  const isFree = (size: number | string | undefined) => !(Number(size) > 1);
  const fits =
    inputs.length === 1 &&
    input?.isTensor &&
    input.type === 'float32' &&
    (input.shape.length === 0 || (input.shape.length === 2 && input.shape.every(isFree)));
  if (!fits)
    throw new RangeError(
      `expected one input [1, samples] of float32, the sound at 16 kHz, got ${named(inputs)}; run it elsewhere, and open what it gives`,
    );
}

/** What can be scores. */
function outputsOf(outputs: InferenceSession.ReturnType): Output[] {
  const all = Object.entries(outputs);
  const found = all.flatMap(([name, { type, data, dims }]) =>
    type === 'float32' && (dims.length === 2 || dims.length === 3)
      ? [{ name, data: Float32Array.from(data as Float32Array), shape: dims }]
      : [],
  );
  if (found.length > 0) return found;
  const got = all.map(([name, { type, dims }]) => `${name} [${dims.join(', ')}] of ${type}`).join(' and ');
  throw new RangeError(`expected an output of float32 with two or three axes, got ${got}`);
}

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
