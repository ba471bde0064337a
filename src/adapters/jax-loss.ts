/** The CTC loss beside jax-js: loss and gradient as its arrays, on its device. */

import { getWebGPUDevice, Array as JaxArray, numpy } from '@jax-js/jax';
import { checkChoice } from '../problem/check.js';
import { isInstance, peek, wrongKind } from '../problem/errors.js';
import type { Lengths, Targets } from '../problem/types.js';
import { lossesOn, lossesOnCpu, lossNow, submitLoss } from './immediate.js';
import {
  checkKeys,
  type LossArguments,
  lossShape,
  type PrepareArguments,
  problemOf,
  requestOf,
} from './loss-arguments.js';

/** What `ctcLoss` takes; the labels and lengths are the host's. */
export type CtcLossInput = LossArguments<JaxArray, Targets, Lengths>;

/** What `ctcLoss` gives. */
export interface CtcLossAndGradient {
  /** A scalar, or [N] with `reduction: 'none'`. */
  readonly loss: JaxArray;
  /** Of the loss (the sum of the losses with `reduction: 'none'`) with respect to the logits, in their shape: what a `vjp` takes. */
  readonly grad: JaxArray;
}

/**
 * The CTC loss of a batch (Graves et al. 2006), as PyTorch's `ctc_loss` of `log_softmax(logits)`, and its gradient. jax-js has no
 * gradients of one's own, so this stands between a `vjp` of the network and its pullback:
 *
 *     const [logits, pullback] = vjp((p) => network(p, inputs.ref), [params.ref]);
 *     const { loss, grad } = await ctcLoss({ logits, labels });
 *     const [gradients] = pullback(grad);
 *
 * Takes the logits over, as functions of jax-js do: pass `logits.ref` to keep them. On the device `webgpu` nothing leaves it; on
 * any other the library's CPU twin runs. Kernels compile at the first call of a shape; shapes used last keep theirs, and their
 * memory, until `disposeCtcLoss`.
 *
 * @throws TypeError, RangeError naming the argument, sequence and position; CtcError `device-lost`, and `out-of-memory`, of which the
 * device tells after the call that met it: the next call throws it.
 */
export function ctcLoss(input: CtcLossInput): Promise<CtcLossAndGradient> {
  const aval = isInstance(peek(input, 'logits'), JaxArray) ? undefined : peek(peek(input, 'logits'), 'aval');
  // at once: what traces has no use for a promise, and would leave its rejection to nobody
  if (typeof aval === 'object' && aval !== null)
    throw new TypeError(
      'logits: expected an Array with numbers, got one that is being traced; call ctcLoss outside of jit and grad, between a vjp and its pullback',
    );
  return lossAndGradient(input);
}

async function lossAndGradient(input: CtcLossInput): Promise<CtcLossAndGradient> {
  checkKeys(input);
  const { logits, labels, labelLengths, logitLengths } = input;
  if (!isInstance(logits, JaxArray)) throw wrongKind('logits', 'an Array of jax-js', logits);
  try {
    for (const [name, value] of Object.entries({ labels, labelLengths, logitLengths }))
      if (isInstance(value, JaxArray))
        throw wrongKind(name, `arrays of the host, such as await ${name}.data()`, 'an Array of jax-js');
    if (logits.dtype !== numpy.float32) throw wrongKind('logits', 'float32', logits.dtype);
    const what = requestOf(logits.shape, input, labels, labelLengths, logitLengths);
    const problem = { ...what.problem, gradient: 'logits' } as const;
    const { device } = logits;
    if (device !== 'webgpu') {
      const scores = (await logits.ref.data()) as Float32Array;
      const { losses, grad } = lossNow(problem, what.batch, scores);
      const made = (values: Float32Array<ArrayBuffer>, shape: number[]) =>
        numpy.array(values, { shape, device });
      return {
        loss: made(losses, lossShape(what)),
        grad: made(grad!, logits.shape),
      };
    }
    // arrays of its own, whose buffers nobody else has seen
    const loss = numpy.zeros(lossShape(what), { device });
    const grad = numpy.zeros(logits.shape, { device });
    try {
      const [logitsBuffer, lossBuffer, gradBuffer] = await Promise.all(
        [logits, loss, grad].map((array) => array.ref.gpuBuffer()),
      );
      submitLoss(getWebGPUDevice(), problem, what.batch, {
        logits: logitsBuffer!,
        loss: lossBuffer!,
        grad: gradBuffer!,
      });
    } catch (error) {
      loss.dispose();
      grad.dispose();
      throw error;
    }
    return { loss, grad };
  } finally {
    // its buffer may be used again for what is submitted from now on
    logits.dispose();
  }
}

/**
 * Compiles the kernels of a shape of problem for jax-js' device `webgpu` while the page goes on: without it the first `ctcLoss` of a
 * shape holds the page until they are compiled.
 *
 * @throws TypeError, RangeError naming the argument; CtcError `gpu-validation`, `device-lost`.
 */
export async function prepareCtcLoss(input: PrepareArguments): Promise<void> {
  const problem = problemOf(input);
  await lossesOn(getWebGPUDevice()).prepare({ ...problem, gradient: 'logits' }, input.maxLabelLength);
}

/**
 * Frees the kernels and the memory that `ctcLoss` keeps for a device of jax-js, by default for all. They are made again when they are needed.
 */
export function disposeCtcLoss(device?: 'webgpu' | 'wasm' | 'cpu' | 'webgl'): void {
  if (device !== undefined) checkChoice('device', device, ['webgpu', 'wasm', 'cpu', 'webgl']);
  const gpu = device === undefined || device === 'webgpu' ? openDevice() : undefined;
  if (gpu) lossesOn(gpu).destroy();
  if (device !== 'webgpu') lossesOnCpu().destroy();
}

/** That of jax-js, where it has been asked for one: else it throws. */
function openDevice(): GPUDevice | undefined {
  try {
    return getWebGPUDevice();
  } catch {
    return undefined;
  }
}
