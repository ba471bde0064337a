/**
 * The CTC loss as an operation of TensorFlow.js, with its gradient. On the `webgpu` backend it runs on that backend's device and
 * nothing leaves it; on any other the library's CPU twin runs.
 */

import {
  customGrad,
  engine,
  type KernelBackend,
  mul,
  reshape,
  Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { isInstance, wrongKind } from '../problem/errors.js';
import type { Lengths, Targets } from '../problem/types.js';
import { lossesOn, lossesOnCpu, lossNow, submitLoss } from './immediate.js';
import {
  checkKeys,
  type LossArguments,
  type LossRequest,
  lossShape,
  type PrepareArguments,
  problemOf,
  requestOf,
} from './loss-arguments.js';

/** What `ctcLoss` takes. Labels and lengths are arrays, or tensors of integers, int32 or float32, whose values are on the host or were at an earlier call. */
export type CtcLossInput = LossArguments<Tensor, Targets | Tensor, Lengths | Tensor>;

/** Of the backend `webgpu`, what is used. */
interface WebGpuBackend extends KernelBackend {
  readonly device: GPUDevice;
  readonly tensorMap: { has(id: object): boolean; get(id: object): { values?: unknown; resource?: unknown } };
  uploadToGPU(id: object): void;
  makeTensorInfo(shape: number[], dtype: 'float32'): TensorInfo;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

/** The backend in use, if it is on WebGPU. */
function webGpu(): WebGpuBackend | undefined {
  const backend = engine().backend as WebGpuBackend;
  return typeof backend?.device?.createBuffer === 'function' && 'uploadToGPU' in backend
    ? backend
    : undefined;
}

/**
 * The CTC loss of a batch (Graves et al. 2006), as PyTorch's `ctc_loss` of `log_softmax(logits)`: a scalar, or [N] with `reduction: 'none'`.
 * For `tf.variableGrads`, `optimizer.minimize` and `tf.grad`; a gradient of its gradient throws, as PyTorch's does. With no gradient asked for, none is computed.
 * Kernels compile at the first call of a shape; shapes used last keep theirs, and their memory, until `disposeCtcLoss`.
 *
 * @throws TypeError, RangeError naming the argument, sequence and position; CtcError `device-lost`, and `out-of-memory`, of which the
 * device tells after the call that met it: the next call throws it.
 */
export function ctcLoss(input: CtcLossInput): Tensor {
  checkKeys(input);
  const { logits } = input;
  if (!isInstance(logits, Tensor)) throw wrongKind('logits', 'a tf.Tensor', logits);
  for (const [name, tensor] of Object.entries(input))
    if (isInstance(tensor, Tensor) && tensor.isDisposed)
      throw wrongKind(name, 'a tensor that is not disposed', 'one that is');
  if (logits.dtype !== 'float32') throw wrongKind('logits', 'a float32 tensor', logits.dtype);
  const what = requestOf(
    logits.shape,
    input,
    hostLabels(input.labels),
    hostLengths('labelLengths', input.labelLengths),
    hostLengths('logitLengths', input.logitLengths),
  );
  const wanted = engine().isTapeOn();
  const loss = customGrad((scores, save) => {
    const { value, grad } = compute(scores as Tensor, what, wanted);
    // only inside of another gradient can there be one of this one
    const inner = engine().state.gradientDepth > 1;
    if (grad) (save as (tensors: Tensor[]) => void)(inner ? [grad, scores as Tensor] : [grad]);
    const gradFunc = (upstream: Tensor, [grad, scores]: Tensor[]) =>
      scores ? scaledOnce(upstream, grad!, scores, what) : scaled(upstream, grad!, what);
    return { value, gradFunc };
  });
  return loss(logits);
}

/** A gradient that knows that it depends on the scores, but not how: without it a gradient of the gradient would take it for a constant. */
function scaledOnce(upstream: Tensor, grad: Tensor, scores: Tensor, what: LossRequest): Tensor {
  const once = customGrad((from) => ({
    value: scaled(from as Tensor, grad, what),
    gradFunc: () => {
      throw new TypeError(
        'ctcLoss: expected one gradient, got a gradient of its gradient, of which there is none; leave the gradient out of what is differentiated',
      );
    },
  }));
  return once(upstream, scores);
}

/**
 * Compiles the kernels of a shape of problem while the page goes on: without it the first `ctcLoss` of a shape holds the page until
 * they are compiled.
 *
 * @throws TypeError, RangeError naming the argument; CtcError `gpu-validation`, `device-lost`.
 */
export async function prepareCtcLoss(input: PrepareArguments): Promise<void> {
  const problem = problemOf(input);
  const gpu = webGpu();
  if (gpu) await lossesOn(gpu.device).prepare({ ...problem, gradient: 'logits' }, input.maxLabelLength);
}

/** Frees the kernels and the memory that `ctcLoss` keeps for the backend in use. They are made again when they are needed. */
export function disposeCtcLoss(): void {
  const gpu = webGpu();
  (gpu ? lossesOn(gpu.device) : lossesOnCpu()).destroy();
}

function compute(logits: Tensor, what: LossRequest, wanted: boolean): { value: Tensor; grad?: Tensor } {
  const problem = { ...what.problem, gradient: wanted ? 'logits' : 'none' } as const;
  const backend = webGpu();
  if (!backend) {
    const run = lossNow(problem, what.batch, logits.dataSync<'float32'>());
    const made = (values: Float32Array, shape: number[]) => engine().makeTensor(values, shape, 'float32');
    return {
      value: made(run.losses, lossShape(what)),
      ...(run.grad && { grad: made(run.grad, logits.shape) }),
    };
  }
  // it may be with another backend still
  if (!backend.tensorMap.has(logits.dataId)) engine().moveData(backend, logits.dataId);
  const bufferOf = ({ dataId }: TensorInfo) => {
    backend.uploadToGPU(dataId);
    return backend.tensorMap.get(dataId).resource as GPUBuffer;
  };
  const made = (shape: number[]) =>
    engine().makeTensorFromTensorInfo(backend.makeTensorInfo(shape, 'float32'));
  const value = made(lossShape(what));
  const grad = wanted ? made(logits.shape) : undefined;
  const buffers = {
    logits: bufferOf(logits),
    loss: bufferOf(value),
    ...(grad && { grad: bufferOf(grad) }),
  };
  // what it has encoded and not yet submitted comes before
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  submitLoss(backend.device, problem, what.batch, buffers);
  return { value, ...(grad && { grad }) };
}

/** The gradient times what comes from above: one number, or one for each sequence. */
function scaled(upstream: Tensor, grad: Tensor, { problem: { layout, sequences } }: LossRequest): Tensor {
  const each = layout === 'TNC' ? [1, sequences, 1] : [sequences, 1, 1];
  return mul(grad, reshape(upstream, upstream.size === 1 ? [] : each));
}

function hostLabels(labels: Targets | Tensor): Targets {
  if (!isInstance(labels, Tensor)) return labels;
  if (labels.rank !== 2 || !/^(int32|float32)$/.test(labels.dtype))
    throw wrongKind(
      'labels',
      'a tensor [N, S] of integers, or arrays',
      `a ${labels.dtype} tensor [${labels.shape}]`,
    );
  return { data: valuesOf('labels', labels), shape: labels.shape as [number, number] };
}

function hostLengths(name: string, lengths: Lengths | Tensor | undefined): Lengths | undefined {
  if (!isInstance(lengths, Tensor)) return lengths;
  if (lengths.rank !== 1 || !/^(int32|float32)$/.test(lengths.dtype))
    throw wrongKind(
      name,
      'a tensor [N] of integers, or an array',
      `a ${lengths.dtype} tensor [${lengths.shape}]`,
    );
  return valuesOf(name, lengths);
}

/** Values that were on the host once: what a tensor holds never changes. */
const seen = new WeakMap<object, ArrayLike<number>>();

/** A tensor's values without a wait: those on the GPU would stop the page until it has caught up. */
function valuesOf(name: string, tensor: Tensor): ArrayLike<number> {
  const backend = webGpu();
  const known = seen.get(tensor.dataId);
  if (known) return known;
  if (backend?.tensorMap.has(tensor.dataId) && !backend.tensorMap.get(tensor.dataId).values) {
    throw new TypeError(
      `${name}: expected values that are on the host, or were at an earlier call, got a tensor that is on the GPU; pass an array, or what its data() gives`,
    );
  }
  const values = tensor.dataSync<'int32'>();
  seen.set(tensor.dataId, values);
  return values;
}
