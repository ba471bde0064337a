// A recogniser in a worker: that of fixtures/speech, or where the worker is called `own`, a model of somebody's own.

import runtimeUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import { env, InferenceSession, Tensor } from 'onnxruntime-web/wasm';
import modelUrl from '../../../fixtures/speech/model.onnx?url';
import { serve } from '../../shared/model-worker.js';

export interface Question {
  /** At 16 kHz. */
  readonly samples: Float32Array<ArrayBuffer>;
  /** With the first sound: a model of somebody's own. */
  readonly model?: Uint8Array<ArrayBuffer>;
}

export interface Output {
  readonly name: string;
  readonly data: Float32Array<ArrayBuffer>;
  readonly shape: readonly number[];
}

const urls = self.name === 'own' ? [runtimeUrl] : [runtimeUrl, modelUrl];

serve<Question, readonly Output[]>(urls, async ([runtime, model]) => {
  Object.assign(env.wasm, { numThreads: 1, wasmBinary: runtime });
  let session = model && (await open(model));
  return async ({ samples, model: own }) => {
    session ??= await open(own!);
    const input = new Tensor('float32', samples, [1, samples.length]);
    const answer = outputsOf(await session.run({ [session.inputNames[0]!]: input }));
    return { answer, transfer: answer.map(({ data }) => data.buffer) };
  };
});

async function open(model: Uint8Array<ArrayBuffer>): Promise<InferenceSession> {
  const session = await InferenceSession.create(model);
  checkInputs(session.inputMetadata);
  return session;
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
  const isFree = (size: number | string) => !(Number(size) > 1);
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
