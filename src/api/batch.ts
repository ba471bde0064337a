/** One batch from beginning to end. Loaded when somebody asks for one. */
import {
  checkAxes,
  checkDtype,
  checkHostData,
  checkObject,
  checkRunOptions,
  isList,
  scoresKey,
} from '../problem/check.js';
import { wrongKind } from '../problem/errors.js';
import { checkTargets, longest } from '../problem/targets.js';
import type {
  GpuData,
  Gradient,
  HostData,
  LossInput,
  LossResult,
  Reduction,
  RunOptions,
  Shape,
  TaskInput,
  Tensor,
} from '../problem/types.js';
import type { Task, TaskShape } from './task.js';

/** `run` of a `CtcLoss`: checks, prepares, runs, frees. */
export async function runBatch<
  R extends Reduction,
  G extends Gradient,
  S extends Shape,
  D extends HostData | GpuData,
>(
  blank: number,
  prepare: (shape: TaskShape) => Promise<Task<R, G, S>>,
  input: LossInput<S, D>,
  options?: RunOptions,
): Promise<LossResult<R, G, S, D>> {
  const keys = [
    'logProbs',
    'logits',
    'targets',
    'inputLengths',
    'targetLengths',
    'gradOutput',
    'loss',
    'grad',
  ];
  const asked = checkRunOptions(options);
  checkObject('input', input, keys);
  const scores = scoresKey(input);
  const tensor = input[scores] as Tensor<S, D>;
  checkObject(scores, tensor, ['data', 'shape', 'layout', 'dtype']);
  const { data, shape, layout, dtype } = tensor;
  if (data === undefined) throw wrongKind(`${scores}.data`, 'a typed array or a GPUBuffer', data);
  const axes = checkAxes(`${scores}.shape`, `${scores}.`, shape, layout, blank);
  const elements = checkDtype(`${scores}.dtype`, dtype, data);
  // before anything of the shape's size is made
  if (isList(data)) checkHostData(scores, data, axes.frames * axes.sequences * axes.classes, elements);
  const batch = checkTargets(input.targets, input, axes, blank);
  const task = await prepare({
    ...axes,
    scores,
    dtype: elements,
    maxTargetLength: longest(batch),
    keep: [],
  });
  try {
    task.setBatch(batch);
    const { gradOutput, loss, grad } = input;
    return await task.run({ [scores]: data, gradOutput, loss, grad } as TaskInput<D>, asked);
  } finally {
    task.destroy();
  }
}
