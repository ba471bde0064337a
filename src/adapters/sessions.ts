/** Outputs of an ONNX Runtime Web session as scores for the loss, lattices, alignment and reading: on the session's device where they are. */

import type { Scores } from '../api/contracts.js';
import {
  checkChoice,
  checkInteger,
  checkObject,
  isDevice,
  isList,
  type ScoresKey,
} from '../problem/check.js';
import { CtcError, keysOf, peek, wrongKind, wrongValue } from '../problem/errors.js';
import type { GpuBuffer, GpuDevice, HostData, Shape } from '../problem/types.js';
import { inErrorScopes } from '../run/gpu/lost.js';

/** A tensor of ONNX Runtime or of transformers.js, or anything like it: `data`, or `gpuBuffer`, with `dims`. */
export interface OutputTensor {
  /** [N, T, C] or [T, C]; another order of three axes is said in `layout`. */
  readonly dims: readonly number[];
  /** `float32` (default) or `float16`. */
  readonly type?: string;
  /** Where it is; default: where `data` or `gpuBuffer` says. */
  readonly location?: string;
  readonly data?: unknown;
  readonly gpuBuffer?: unknown;
  getData?(): Promise<unknown>;
  /** What a tensor of transformers.js is made of. */
  readonly ort_tensor?: OutputTensor;
}

/** Options of `scoresFrom`. */
export interface ScoresOptions {
  /** What the numbers are. Default `logits`; OCR models often end in a softmax: `probs`. */
  readonly kind?: ScoresKey;
  /** Order of three axes. Default `NTC`. */
  readonly layout?: 'NTC' | 'TNC';
  /** `env` of the ONNX Runtime that made the tensor: says on which device its sessions run. */
  readonly env?: { readonly webgpu?: { readonly device?: unknown } };
  /** Go on here, whatever device the session has. Default: the session's. */
  readonly device?: GpuDevice;
}

interface Found<D extends HostData | GpuBuffer> {
  /** For `run` of a `CtcLoss`, `CtcAligner`, `CtcDecoder` or `CtcPosterior`: `run({ ...scores, targets })`. */
  readonly scores: Scores<Shape, D>;
  /** Why that path. */
  readonly reason: string;
}

/**
 * `gpu`: read where the session left them, on its `device`; dispose the tensor once the run has ended. Buffers in, buffers out. `host`:
 * from an array, on the session's device all the same, or `auto` where there is none. Arrays in, arrays out.
 */
export type SessionScores =
  | (Found<GpuBuffer> & { readonly path: 'gpu'; readonly device: GpuDevice })
  | (Found<HostData> & { readonly path: 'host'; readonly device: GpuDevice | 'auto' });

/**
 * Scores of a session's output. No device is imposed on ONNX Runtime (it ignores one that was set: its issue 26107): its own is
 * taken. Whether a buffer belongs to the device is tried; one of another device is copied over the host, and `reason` says so.
 *
 * @throws TypeError, RangeError naming the argument; CtcError `device-lost`, where the buffer's device is gone.
 */
export async function scoresFrom(given: OutputTensor, options: ScoresOptions = {}): Promise<SessionScores> {
  checkObject('options', options, ['kind', 'layout', 'env', 'device']);
  const { kind = 'logits', layout = 'NTC', env, device: own } = options;
  checkChoice('kind', kind, ['logits', 'logProbs', 'probs']);
  checkChoice('layout', layout, ['NTC', 'TNC']);
  if (own !== undefined && !isDevice(own)) throw wrongKind('device', 'a GPUDevice', own);
  if (env !== undefined && (typeof env !== 'object' || env === null))
    throw wrongKind('env', 'the env of an ONNX Runtime', env);
  const output = (peek(given, 'ort_tensor') ?? given) as OutputTensor;
  const dims = peek(output, 'dims');
  if (dims === undefined && peek(output, 'data') !== undefined)
    throw wrongKind('output.dims', 'three axes (NTC or TNC) or two (TC)', dims);
  if (typeof output !== 'object' || output === null || !isList(dims)) {
    const keys = typeof output === 'object' && output !== null && !isList(output) && keysOf(output);
    const names = keys && keys.length > 0 ? `; did you mean one of ${keys.slice(0, 12).join(', ')}?` : '';
    throw new TypeError(
      `${wrongKind('output', 'a tensor: { dims, data } or { dims, gpuBuffer }', output).message}${names}`,
    );
  }
  if (dims.length !== 2 && dims.length !== 3)
    throw wrongKind('output.dims', 'three axes (NTC or TNC) or two (TC)', dims);
  const shape = Array.from(dims, (size, i) => checkInteger(`output.dims[${i}]`, size, 1)) as
    | [number, number]
    | [number, number, number];
  const type = output.type ?? 'float32';
  if (type !== 'float32' && type !== 'float16')
    throw wrongValue('output.type', "'float32' or 'float16'", type);
  const onGpu = output.location ? output.location === 'gpu-buffer' : output.gpuBuffer !== undefined;
  if (onGpu && output.gpuBuffer === undefined)
    throw wrongKind('output.gpuBuffer', "a GPUBuffer, as its location is 'gpu-buffer'", output.gpuBuffer);
  const device = own ?? (await deviceOf(env));
  if (device !== undefined && !isDevice(device)) throw wrongKind('env.webgpu.device', 'a GPUDevice', device);
  const made = <D extends HostData | GpuBuffer>(data: D): Scores<Shape, D> => {
    const axes = shape.length === 2 ? 'TC' : layout;
    const tensor = { data, shape, layout: axes, dtype: type } as const;
    return { [kind]: tensor } as unknown as Scores<Shape, D>;
  };
  const overHost = async (reason: string) =>
    ({ scores: made(await hostData(output)), device: device ?? 'auto', path: 'host', reason }) as const;
  if (!onGpu) return overHost('the session left it on the host');
  if (!device) return overHost('no env was given to say on which device it is: copied over the host');
  if (!(await belongsTo(device as GPUDevice, output.gpuBuffer as GPUBuffer)))
    return overHost('the buffer belongs to another device: copied over the host');
  const reason = 'the buffer belongs to the device';
  return { scores: made(output.gpuBuffer as GpuBuffer), device, path: 'gpu', reason };
}

async function deviceOf(env: ScoresOptions['env']): Promise<GpuDevice | undefined> {
  try {
    return (await peek(peek(env, 'webgpu'), 'device')) as GpuDevice | undefined;
  } catch (cause) {
    throw new TypeError(
      `env.webgpu.device: expected a GPUDevice, got a promise that rejects: ${(cause as Error)?.message ?? cause}`,
      { cause },
    );
  }
}

async function hostData(output: OutputTensor): Promise<HostData> {
  const data = output.getData ? await output.getData() : output.data;
  if (ArrayBuffer.isView(data)) return data as unknown as HostData;
  throw wrongKind('output.data', 'a typed array, or a tensor with getData()', data);
}

/** Whether a bind group can hold it; a refusal is heard by nobody else. */
async function belongsTo(device: GPUDevice, buffer: GPUBuffer): Promise<boolean> {
  const label = 'ctc:onnxruntime';
  const entry = { binding: 0, visibility: 4, buffer: { type: 'read-only-storage' } } as const;
  const bind = () => {
    const layout = device.createBindGroupLayout({ label, entries: [entry] });
    device.createBindGroup({ label, layout, entries: [{ binding: 0, resource: { buffer } }] });
  };
  return inErrorScopes(device, 'output', bind).then(
    () => true,
    (error: unknown) => {
      // nothing can be read from it any more
      if (error instanceof CtcError && error.code === 'device-lost') throw error;
      return false;
    },
  );
}
