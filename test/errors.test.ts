import { describe, expect, test } from 'vitest';
import * as knowledge from 'webgpu-ctc/lm';
import * as library from 'webgpu-ctc/node';
import { CtcAligner, CtcLoss, CtcPosterior, ctcLoss, forcedAlign, mergeTokens } from 'webgpu-ctc/node';
import { elementBytes } from '../src/plan/plan.js';
import { sharedDevice } from './device.js';
import { expectNamed, nasty } from './nasty.js';
import {
  everyOperation,
  inputOf,
  prepareTask,
  roomOf,
  runInstance,
  setOn,
  taskInputOf,
} from './operations.js';

// biome-ignore lint/suspicious/noExplicitAny: wrong calls are the subject
type Wrong = any;
/** What is wrong, the call, the error's class or CtcError's code, its message. */
type Row = [what: string, call: () => unknown, kind: typeof Error | string, message: string | RegExp];

const gpu = await sharedDevice();
const { device } = gpu;
const storage = (bytes: number) => gpu.buffer(bytes);

const [T, N, C] = [4, 2, 5];
const bytes = T * N * C * 4;
const shape = [T, N, C] as const;
const data = new Float32Array(T * N * C).fill(Math.log(1 / C));
const logProbs = { data, shape };
const targets = [[1, 2], [3]];
const room = { logProbs: shape, maxTargetLength: 2 };

const onCpu = await CtcLoss.create({ device: 'cpu' });
const lossOnly = await CtcLoss.create({ device: 'cpu', gradient: 'none', reduction: 'none' });
const fused = await CtcLoss.create({ device: 'cpu', strategy: 'fused' });
const partial = await CtcLoss.create({ device: 'cpu', gradient: 'logProbs' });
const onGpu = await CtcLoss.create({ device, reduction: 'none' });

const task = await onCpu.prepare({ ...room, keep: ['alpha'] });
const taskOfLoss = await lossOnly.prepare(room);
const gpuTask = await onGpu.prepare(room);
const gpuTaskOfLoss = await (await CtcLoss.create({ device, gradient: 'none' })).prepare(room);
const halfTask = await onGpu.prepare({ logits: shape, dtype: 'float16', maxTargetLength: 2 });
for (const it of [task, taskOfLoss, gpuTask, gpuTaskOfLoss, halfTask]) it.setTargets(targets);
const fresh = await onCpu.prepare(room);
const freshOnGpu = await onGpu.prepare(room);
const gone = await CtcLoss.create({ device });
const orphan = await gone.prepare({ ...room, keep: ['alpha'] });
gone.destroy();

const create = (options: Wrong) => () => CtcLoss.create(options);
const run =
  (input: Wrong, ctc: Wrong = onCpu) =>
  () =>
    ctc.run({ logProbs, targets, ...input });
const scores = (tensor: Wrong) => run({ logProbs: { ...logProbs, ...tensor } });
const prepare =
  (options: Wrong, ctc: Wrong = onCpu) =>
  () =>
    ctc.prepare({ ...room, ...options });
const set = (rows: Wrong, lengths?: Wrong) => () => task.setTargets(rows, lengths);
const taskRun =
  (input: Wrong, it: Wrong = task, options?: Wrong) =>
  () =>
    it.run({ logProbs: data, ...input }, options);
const buffers = { logProbs: storage(bytes), grad: storage(bytes), loss: storage(256 + 4 * N) };
const onDevice =
  (input: Wrong, it: Wrong = gpuTask) =>
  () =>
    it.run({ ...buffers, ...input });
const encode =
  (input: Wrong, it: Wrong = gpuTask) =>
  () =>
    it.encode(device.createCommandEncoder(), { ...buffers, ...input });
const halves = () => {
  const buffer = storage(512);
  return { logProbs: { buffer, size: bytes }, grad: { buffer, offset: 256 } };
};

// biome-ignore format: a table, one mistake a line
const tables: Record<string, Row[]> = {
  options: [
    ['options that are no object', create('gpu'), TypeError, "options: expected an object, got 'gpu'"],
    ['options null', create(null), TypeError, 'options: expected an object, got null'],
    ['an unknown option', create({ blanc: 1 }), TypeError, "options: expected the keys device, blank, reduction, zeroInfinity, gradient, strategy, preload, got 'blanc'"],
    ['a device by a wrong name', create({ device: 'GPU' }), RangeError, "device: expected a GPUDevice or one of 'auto', 'gpu', 'cpu', got 'GPU'"],
    ['a device that is none', create({ device: {} }), TypeError, /^device: expected a GPUDevice or one of 'auto', 'gpu', 'cpu', got \{ *\}$/],
    ['an adapter as device', create({ device: { requestDevice() {}, features: [] } }), TypeError, /^device: expected .*GPUDevice.*got \{ requestDevice, features \}$/],
    ['no device', create({ device: null }), TypeError, /^device: expected .*GPUDevice.*got null$/],
    ['null for options', create(null), TypeError, 'options: expected an object, got null'],
    ['a number as device', create({ device: 3 }), TypeError, /^device: expected .*GPUDevice.*got 3$/],
    ['a fractional blank', create({ blank: 0.5 }), RangeError, 'blank: expected an integer ≥ 0, got 0.5'],
    ['a negative blank', create({ blank: -1 }), RangeError, 'blank: expected an integer ≥ 0 (C − 1 for the last class), got -1'],
    ['a blank that is NaN', create({ blank: Number.NaN }), RangeError, 'blank: expected an integer ≥ 0, got NaN'],
    ['a blank that is a string', create({ blank: '0' }), TypeError, "blank: expected an integer ≥ 0, got '0'"],
    ['a blank that is a BigInt', create({ blank: 0n }), TypeError, 'blank: expected an integer ≥ 0, got 0n'],
    ['an unknown reduction', create({ reduction: 'average' }), RangeError, "reduction: expected one of 'none', 'sum', 'mean', got 'average'"],
    ['a reduction that is null', create({ reduction: null }), TypeError, "reduction: expected one of 'none', 'sum', 'mean', got null"],
    ['zeroInfinity as a number', create({ zeroInfinity: 1 }), TypeError, 'zeroInfinity: expected a boolean, got 1'],
    ['an unknown gradient', create({ gradient: 'true' }), RangeError, "gradient: expected one of 'logits', 'logProbs', 'none', got 'true'"],
    ['a boolean gradient', create({ gradient: true }), TypeError, "gradient: expected one of 'logits', 'logProbs', 'none', got true"],
    ['an unknown strategy', create({ strategy: 'fast' }), RangeError, "strategy: expected one of 'auto', 'step', 'fused', 'tiled', got 'fast'"],
    ['the one-liner rejects, too', () => ctcLoss(logProbs, targets, 4, [2, 1], { blanc: 1 } as Wrong), TypeError, "options: expected the keys device, blank, reduction, zeroInfinity, gradient, strategy, preload, got 'blanc'"],
  ],
  'blank and gradient meet the problem': [
    ['a blank that is no class', async () => (await CtcLoss.create({ device: 'cpu', blank: C })).run({ logProbs, targets }), RangeError, 'blank: expected an integer from 0 to 4 (C − 1), got 5'],
    ["gradient 'logProbs' of logits", () => partial.run({ logits: logProbs, targets }), RangeError, "gradient: expected 'logits' or 'none' when logits go in, got 'logProbs'"],
    ["gradient 'logProbs' of logits, prepared", () => partial.prepare({ logits: shape, maxTargetLength: 2 }), RangeError, "gradient: expected 'logits' or 'none' when logits go in, got 'logProbs'"],
  ],
  scores: [
    ['no input', () => (onCpu.run as Wrong)(), TypeError, 'input: expected an object, got undefined'],
    ['neither logProbs nor logits', run({ logProbs: undefined }), TypeError, 'expected exactly one of logits, logProbs and probs, got none'],
    ['both', run({ logits: logProbs }), TypeError, 'expected exactly one of logits, logProbs and probs, got logProbs and logits'],
    ['an unknown key', run({ target: [] }), TypeError, "input: expected the keys logProbs, logits, probs, blank, targets, inputLengths, targetLengths, gradOutput, loss, grad, results, got 'target'"],
    ['an array for a tensor', run({ logProbs: data }), TypeError, 'logProbs: expected an object, got Float32Array of 40'],
    ['a tensor without shape', scores({ shape: undefined }), TypeError, 'logProbs.shape: expected [T, N, C] in memory order, or [T, C], got undefined'],
    ['an unknown key of a tensor', scores({ stride: 1 }), TypeError, "logProbs: expected the keys data, shape, layout, dtype, got 'stride'"],
    ['one dimension', scores({ shape: [40] }), TypeError, 'logProbs.shape: expected [T, N, C] in memory order, or [T, C], got [40]'],
    ['four dimensions', scores({ shape: [4, 2, 5, 1] }), TypeError, 'logProbs.shape: expected [T, N, C] in memory order, or [T, C], got [4, 2, 5, 1]'],
    ['no frames', scores({ shape: [0, N, C], data: new Float32Array() }), RangeError, 'logProbs.shape[0] (T): expected an integer ≥ 1, got 0'],
    ['no sequences', scores({ shape: [T, 0, C], data: new Float32Array() }), RangeError, 'logProbs.shape[1] (N): expected an integer ≥ 1, got 0'],
    ['no classes', scores({ shape: [T, N, 0], data: new Float32Array() }), RangeError, 'logProbs.shape[2] (C): expected an integer ≥ 1, got 0'],
    ['a fractional size', scores({ shape: [T, N, 2.5] }), RangeError, 'logProbs.shape[2] (C): expected an integer ≥ 1, got 2.5'],
    ['a size as a string', scores({ shape: [T, N, '5'] }), TypeError, "logProbs.shape[2] (C): expected an integer ≥ 1, got '5'"],
    ['an unknown layout', scores({ layout: 'CTN' }), RangeError, "logProbs.layout: expected one of 'TNC', 'NTC', 'TC', got 'CTN'"],
    ['a layout of fewer dimensions', scores({ layout: 'TC' }), RangeError, 'logProbs.shape: expected 2 sizes for the layout TC, got [4, 2, 5]'],
    ['a layout of more dimensions', scores({ shape: [T, C], layout: 'NTC' }), RangeError, 'logProbs.shape: expected 3 sizes for the layout NTC, got [4, 5]'],
    ['data of a wrong count', scores({ data: data.subarray(1) }), RangeError, 'logProbs: expected 40 values (the product of the shape), got Float32Array of 39'],
    ['data as a plain array', scores({ data: [...data] }), TypeError, 'logProbs: expected a Float32Array, or a GPUBuffer, got Array of 40'],
    ['data in float64', scores({ data: new Float64Array(40) }), TypeError, 'logProbs: expected a Float32Array, or a GPUBuffer, got Float64Array of 40'],
    ['no data', scores({ data: undefined }), TypeError, /^logProbs.*, got undefined$/],
    ['halves without dtype', scores({ data: new Uint16Array(40) }), TypeError, /^logProbs\.dtype: expected 'float16' or 'bfloat16' for a Uint16Array/],
    ['float32 called float16', scores({ dtype: 'float16' }), RangeError, "logProbs.dtype: expected 'float32' for a Float32Array, got 'float16'"],
    ['an unknown dtype', scores({ dtype: 'f16' }), RangeError, "logProbs.dtype: expected one of 'float32', 'float16', 'bfloat16', got 'f16'"],
    ['a GPU buffer on the CPU', scores({ data: storage(bytes) }), TypeError, 'logProbs: expected a host array, since this runs on the CPU (asked for), got a GPUBuffer'],
  ],
  targets: [
    ['none', run({ targets: undefined }), TypeError, /^targets: expected .*(rows|array).*, got undefined$/],
    ['a string', run({ targets: 'cat' }), TypeError, /^targets: expected .*(rows|array).*, got 'cat'$/],
    ['a label equal to the blank', run({ targets: [[1, 2], [0]] }), RangeError, 'targets[1][0]: expected a class from 0 to 4 other than the blank (0); if it is padding, targetLengths says how many labels each sequence has, got 0'],
    ['a label ≥ C', run({ targets: [[1, 5], [3]] }), RangeError, 'targets[0][1]: expected a class from 0 to 4 other than the blank (0), got 5'],
    ['a negative label', run({ targets: [[1, -1], [3]] }), RangeError, 'targets[0][1]: expected a class from 0 to 4 other than the blank (0); if it is padding, targetLengths says how many labels each sequence has, got -1'],
    ['a fractional label', run({ targets: [[1, 1.5], [3]] }), RangeError, 'targets[0][1]: expected a class from 0 to 4 other than the blank (0), got 1.5'],
    ['a label NaN', run({ targets: [[1, Number.NaN], [3]] }), RangeError, 'targets[0][1]: expected a class from 0 to 4 other than the blank (0), got NaN'],
    ['a label as a string', run({ targets: [[1, '2'], [3]] }), RangeError, "targets[0][1]: expected a class from 0 to 4 other than the blank (0), got '2'"],
    ['a label as a BigInt', run({ targets: [[1, 5n], [3]] }), RangeError, 'targets[0][1]: expected a class from 0 to 4 other than the blank (0), got 5n'],
    ['BigInt64Array rows', run({ targets: [BigInt64Array.of(2n ** 53n + 1n), [3]] }), RangeError, 'targets[0][0]: expected a class from 0 to 4 other than the blank (0), got 9007199254740993n'],
    ['a hole', run({ targets: [[1, undefined], [3]] }), RangeError, 'targets[0][1]: expected a class from 0 to 4 other than the blank (0), got undefined'],
    ['too few rows', run({ targets: [[1]] }), RangeError, 'targets: expected 2 rows (the batch is 2 in TNC), got 1'],
    ['too many rows', run({ targets: [[1], [2], [3]] }), RangeError, 'targets: expected 2 rows (the batch is 2 in TNC), got 3'],
    ['as many rows as frames', run({ targets: [[1], [2], [3], [1]] }), RangeError, "targets: expected 2 rows (the batch is 2 in TNC), got 4; did you mean layout: 'NTC'?"],
    ['as many rows as frames in NTC', () => onCpu.run({ logProbs: { data, shape: [2, 4, C], layout: 'NTC' }, targets: [[1], [2], [3], [1]] }), RangeError, "targets: expected 2 rows (the batch is 2 in NTC), got 4; did you mean layout: 'TNC'?"],
    ['no rows', run({ targets: [] }), RangeError, 'targets: expected 2 rows (the batch is 2 in TNC), got 0'],
    ['flat, without lengths', run({ targets: [1, 2, 3] }), TypeError, 'targetLengths: expected one length for each sequence, since targets is flat; got none'],
    ['flat, lengths that do not add up', run({ targets: [1, 2, 3], targetLengths: [1, 1] }), RangeError, 'targets: expected 2 labels in all (the sum of targetLengths), got 3'],
    ['rows and numbers mixed', run({ targets: [[1], 2] }), TypeError, /^targets\[1\]: expected .*, got 2$/],
    ['padded, without data', run({ targets: { shape: [2, 2] } }), TypeError, 'targets.data: expected an array of integers, got undefined'],
    ['padded, of a wrong count', run({ targets: { data: [1, 2, 3], shape: [2, 2] } }), RangeError, 'targets.data: expected 4 values (the product of the shape), got [1, 2, 3]'],
    ['padded, of one dimension', run({ targets: { data: [1, 2, 3], shape: [3] } }), TypeError, 'targets.shape: expected [N, S], got [3]'],
    ['padded, for another batch', run({ targets: { data: [1, 2, 3], shape: [3, 1] } }), RangeError, 'targets.shape[0] (N): expected 2 rows (the batch is 2 in TNC), got 3'],
    ['padded, a negative width', run({ targets: { data: [], shape: [2, -1] } }), RangeError, 'targets.shape[1] (S): expected an integer ≥ 0, got -1'],
    ['padded, an unknown key', run({ targets: { data: [1, 2, 3, 4], shape: [2, 2], lengths: [1, 2] } }), TypeError, "targets: expected the keys data, shape, got 'lengths'"],
    ['padded, lengths longer than the rows', run({ targets: { data: [1, 2], shape: [2, 1] }, targetLengths: [1, 2] }), RangeError, 'targetLengths[1]: expected at most 1 (its row of targets), got 2'],
  ],
  lengths: [
    ['too few input lengths', run({ inputLengths: [4] }), RangeError, 'inputLengths: expected 2 lengths (the batch is 2 in TNC), got 1'],
    ['input lengths for each frame', run({ inputLengths: [1, 1, 1, 1] }), RangeError, "inputLengths: expected 2 lengths (the batch is 2 in TNC), got 4; did you mean layout: 'NTC'?"],
    ['an input length > T', run({ inputLengths: [4, 5] }), RangeError, 'inputLengths[1]: expected an integer from 0 to 4 (T), got 5'],
    ['a negative input length', run({ inputLengths: [4, -1] }), RangeError, 'inputLengths[1]: expected an integer from 0 to 4 (T), got -1'],
    ['a fractional input length', run({ inputLengths: [4, 0.5] }), RangeError, 'inputLengths[1]: expected an integer from 0 to 4 (T), got 0.5'],
    ['an input length NaN', run({ inputLengths: [4, Number.NaN] }), RangeError, 'inputLengths[1]: expected an integer from 0 to 4 (T), got NaN'],
    ['input lengths as BigInt', run({ inputLengths: BigInt64Array.of(4n, 5n) }), RangeError, 'inputLengths[1]: expected an integer from 0 to 4 (T), got 5'],
    ['input lengths as a string', run({ inputLengths: '44' }), TypeError, "inputLengths: expected an array of integers, or one integer, got '44'"],
    ['one input length for all, too long', run({ inputLengths: 5 }), RangeError, 'inputLengths: expected an integer from 0 to 4 (T), got 5'],
    ['too many target lengths', run({ targetLengths: [2, 1, 1] }), RangeError, 'targetLengths: expected 2 lengths (the batch is 2 in TNC), got 3'],
    ['a target length longer than its row', run({ targetLengths: [2, 2] }), RangeError, 'targetLengths[1]: expected at most 1 (its row of targets), got 2'],
    ['a negative target length', run({ targetLengths: [2, -1] }), RangeError, 'targetLengths[1]: expected an integer ≥ 0, got -1'],
    ['a fractional target length', run({ targetLengths: [2, 0.5] }), RangeError, 'targetLengths[1]: expected an integer ≥ 0, got 0.5'],
    ['a target length as a string', run({ targetLengths: [2, '1'] }), TypeError, "targetLengths[1]: expected an integer ≥ 0, got '1'"],
  ],
  prepare: [
    ['no options', () => (onCpu.prepare as Wrong)(), TypeError, 'options: expected an object, got undefined'],
    ['an unknown key', prepare({ targets: [] }), TypeError, "options: expected the keys logProbs, logits, probs, layout, dtype, blank, maxTargetLength, keep, got 'targets'"],
    ['neither logProbs nor logits', prepare({ logProbs: undefined }), TypeError, 'expected exactly one of logits, logProbs and probs, got none'],
    ['both', prepare({ logits: shape }), TypeError, 'expected exactly one of logits, logProbs and probs, got logProbs and logits'],
    ['a tensor for a shape', prepare({ logProbs }), TypeError, /^logProbs.*: expected \[T, N, C\] in memory order, or \[T, C\], got \{ data, shape \}$/],
    ['one dimension', prepare({ logProbs: [4] }), TypeError, /^logProbs.*: expected \[T, N, C\] in memory order, or \[T, C\], got \[4\]$/],
    ['an empty axis', prepare({ logProbs: [4, 0, 5] }), RangeError, /^logProbs.*\[1\] \(N\): expected an integer ≥ 1, got 0$/],
    ['an unknown layout', prepare({ layout: 'NCT' }), RangeError, /^(?!logProbs).*layout: expected one of 'TNC', 'NTC', 'TC', got 'NCT'$/],
    ['an unknown dtype', prepare({ dtype: 'float64' }), RangeError, /dtype: expected one of 'float32', 'float16', 'bfloat16', got 'float64'$/],
    ['no maxTargetLength', prepare({ maxTargetLength: undefined }), TypeError, 'maxTargetLength: expected an integer ≥ 0, got undefined'],
    ['a negative maxTargetLength', prepare({ maxTargetLength: -1 }), RangeError, 'maxTargetLength: expected an integer ≥ 0, got -1'],
    ['keep that is no array', prepare({ keep: 'alpha' }), TypeError, "keep: expected an array of 'alpha', 'beta', 'posterior', got 'alpha'"],
    ['keep of an unknown lattice', prepare({ keep: ['gamma'] }), RangeError, "keep[0]: expected one of 'alpha', 'beta', 'posterior', got 'gamma'"],
    ['keep of no name', prepare({ keep: [1] }), TypeError, "keep[0]: expected one of 'alpha', 'beta', 'posterior', got 1"],
    ['more frames than one binding describes', prepare({ logProbs: [2 ** 23, 1, 5] }, onGpu), RangeError, `T = 8388608: expected a size that this device can hold (134217728 bytes), got ${2 ** 23 * elementBytes.frame} bytes`],
    ['a row wider than a binding', prepare({ logProbs: [4, 2, 2 ** 26] }, onGpu), RangeError, 'C = 67108864: expected a row of at most 134217472 bytes, got 268435456'],
    ['more labels than a binding holds', prepare({ maxTargetLength: 2 ** 23 }, onGpu), RangeError, /^maxTargetLength = 8388608: expected a size that this device can hold \(134217728 bytes\), got \d{9} bytes$/],
    ['a lattice of a strategy that stores none', prepare({ keep: ['alpha'] }, fused), TypeError, "keep: expected nothing with strategy 'fused', which stores no lattice; use 'step'"],
    ['more frames than a buffer of labels holds', async () => (await CtcAligner.create({ device })).prepare({ logits: [2 ** 13, 2 ** 13, 2], maxTargetLength: 1 }), RangeError, 'T = 8192, N = 8192, C = 2 and maxTargetLength = 1: expected sizes that take at most 134217728 bytes of labels, got 268435456'],
    ['more samples than a buffer holds', async () => (await CtcPosterior.create({ device })).prepare({ logits: [1000, 10, 2], maxTargetLength: 1, samples: 10_000 }), RangeError, /^N · samples · T = 10 · 10000 · 1000: expected .*\(134217728 bytes\), got 400000000 bytes$/],
    ['more sequences than a buffer describes', prepare({ logProbs: [1, 2 ** 22, 2] }, onGpu), RangeError, 'N = 4194304: expected a size that this device can hold (268435456 bytes), got 1073741824 bytes'],
  ],
  setTargets: [
    ['a row longer than maxTargetLength', set([[1, 2, 3], [1]]), RangeError, 'targets[0]: expected at most 2 labels (maxTargetLength), got 3'],
    ['a target length beyond maxTargetLength', set([1, 2, 3, 4], { targetLengths: [3, 1] }), RangeError, 'targetLengths[0]: expected an integer from 0 to 2 (maxTargetLength), got 3'],
    ['lengths that are no object', set(targets, [4, 4]), TypeError, 'lengths: expected an object, got [4, 4]'],
    ['an unknown key', set(targets, { inputLength: 4 }), TypeError, "lengths: expected the keys inputLengths, targetLengths, got 'inputLength'"],
    ['a label out of range', set([[1], [7]]), RangeError, 'targets[1][0]: expected a class from 0 to 4 other than the blank (0), got 7'],
  ],
  'run of a task': [
    ['before setTargets', taskRun({}, fresh), TypeError, 'targets: expected a call of setTargets before this, got none'],
    ['no input', () => (task.run as Wrong)(), TypeError, 'input: expected an object, got undefined'],
    ['no scores', taskRun({ logProbs: undefined }), TypeError, 'expected exactly one of logits, logProbs and probs, got none'],
    ['logits where logProbs were prepared', taskRun({ logProbs: undefined, logits: data }), TypeError, 'logits: this task was prepared for logProbs'],
    ['an unknown key', taskRun({ targets }), TypeError, "input: expected the keys logProbs, logits, probs, gradOutput, loss, grad, results, got 'targets'"],
    ['a tensor for data', taskRun({ logProbs }), TypeError, 'logProbs: expected a Float32Array, or a GPUBuffer, got { data, shape }'],
    ['data of a wrong count', taskRun({ logProbs: new Float32Array(39) }), RangeError, 'logProbs: expected 40 values (the product of the shape), got Float32Array of 39'],
    ['float32 where float16 was prepared', taskRun({ logProbs: undefined, logits: data }, halfTask), TypeError, 'logits: expected a Float16Array or Uint16Array, or a GPUBuffer, got Float32Array of 40'],
    ['a loss buffer for host data', taskRun({ loss: storage(8) }), TypeError, 'loss: expected none, since logProbs is a host array (arrays in, arrays out)'],
    ['a grad array for host data', taskRun({ grad: new Float32Array(40) }), TypeError, 'grad: expected none, since logProbs is a host array (arrays in, arrays out)'],
    ['gradOutput of a wrong count', taskRun({ gradOutput: [1, 2] }), RangeError, "gradOutput: expected one number (reduction 'mean'), got [1, 2]"],
    ['gradOutput of one value for none', taskRun({ gradOutput: 1 }, gpuTask), RangeError, "gradOutput: expected 2 numbers (reduction 'none'), got [1]"],
    ['gradOutput that is no number', taskRun({ gradOutput: ['1'] }), TypeError, "gradOutput[0]: expected a number, got '1'"],
    ['gradOutput that is a string', taskRun({ gradOutput: '1' }), TypeError, /^gradOutput: expected .*number.*, got '1'$/],
    ['gradOutput without a gradient', taskRun({ gradOutput: [1, 1] }, taskOfLoss), TypeError, "gradOutput: expected none with gradient: 'none', got [1, 1]"],
    ['gradOutput on the GPU, running on the CPU', taskRun({ gradOutput: storage(4) }), TypeError, "gradOutput: expected one number (reduction 'mean'), got a GPUBuffer"],
    ['an unknown run option', taskRun({}, task, { abort: 1 }), TypeError, "options: expected the keys signal, onProgress, got 'abort'"],
    ['a controller for a signal', taskRun({}, task, { signal: new AbortController() }), TypeError, /^signal: expected an AbortSignal, got an? AbortController$/],
    ['null for the options of a run', () => task.run({ logProbs: data }, null as Wrong), TypeError, 'options: expected an object, got null'],
    ['null for a layout', scores({ layout: null }), TypeError, "logProbs.layout: expected one of 'TNC', 'NTC', 'TC', got null"],
    ['null for input lengths', run({ inputLengths: null }), TypeError, 'inputLengths: expected an array of integers, or one integer, got null'],
    ['onProgress that is no function', taskRun({}, task, { onProgress: true }), TypeError, 'onProgress: expected a function, got true'],
    ['reading what was not kept', () => task.read('beta'), TypeError, "read: 'beta' was not kept; prepare with keep: ['alpha', 'beta']"],
    ['reading what does not exist', () => task.read('gamma' as Wrong), RangeError, "kept: expected one of 'alpha', 'beta', 'posterior', got 'gamma'"],
    ['reading where nothing was kept', () => fresh.read('alpha'), TypeError, "read: 'alpha' was not kept; prepare with keep: ['alpha']"],
    ['the lattice where nothing was kept', () => gpuTask.lattice, TypeError, "lattice: nothing was kept; prepare with keep: ['alpha', 'beta', 'posterior']"],
  ],
  'buffers in': [
    ['scores too small', onDevice({ logProbs: storage(bytes - 4) }), RangeError, 'logProbs: expected at least 160 bytes, got 156'],
    ['a range too small', onDevice({ logProbs: { buffer: storage(bytes), offset: 4 } }), RangeError, 'logProbs: expected at least 160 bytes, got 156'],
    ['a size too small', onDevice({ logProbs: { buffer: storage(bytes), size: 16 } }), RangeError, 'logProbs: expected at least 160 bytes, got 16'],
    ['a size beyond the buffer', onDevice({ logProbs: { buffer: storage(bytes), offset: 8, size: bytes } }), RangeError, 'logProbs.size: expected an integer from 0 to 152 (what the buffer holds), got 160'],
    ['a size that is no integer', onDevice({ logProbs: { buffer: storage(bytes), size: 'all' } }), TypeError, /^logProbs\.size: expected an integer.*, got 'all'$/],
    ['a size NaN', onDevice({ logProbs: { buffer: storage(bytes), size: Number.NaN } }), RangeError, /^logProbs\.size: expected an integer.*, got NaN$/],
    ['a misaligned offset', onDevice({ logProbs: { buffer: storage(bytes + 8), offset: 2 } }), RangeError, 'logProbs.offset: expected a multiple of 4, got 2'],
    ['a negative offset', onDevice({ logProbs: { buffer: storage(bytes + 8), offset: -4 } }), RangeError, 'logProbs.offset: expected an integer from 0 to 168, got -4'],
    ['an unknown key of a range', onDevice({ logProbs: { buffer: storage(bytes), length: 4 } }), TypeError, "logProbs: expected the keys buffer, offset, size, got 'length'"],
    ['scores without STORAGE', onDevice({ logProbs: gpu.buffer(bytes, 0x8 | 0x4) }), TypeError, 'logProbs: expected a buffer with usage STORAGE, got usage 0xc'],
    ['a loss buffer too small', onDevice({ loss: storage(4) }), RangeError, 'loss: expected at least 8 bytes, got 4'],
    ['a loss at no multiple of 256', onDevice({ loss: { buffer: storage(512), offset: 4 } }), RangeError, 'loss.offset: expected a multiple of 256, got 4'],
    ['a grad too small', onDevice({ grad: storage(bytes - 4) }), RangeError, 'grad: expected at least 160 bytes, got 156'],
    ['a grad array', onDevice({ grad: new Float32Array(40) }), TypeError, 'grad: expected a GPUBuffer or { buffer, offset, size }, got Float32Array of 40'],
    ['a gradOutput too small', onDevice({ gradOutput: storage(4) }), RangeError, 'gradOutput: expected at least 8 bytes, got 4'],
    ['a gradOutput at no multiple of 256', onDevice({ gradOutput: { buffer: storage(264), offset: 8 } }), RangeError, 'gradOutput.offset: expected a multiple of 256, got 8'],
    ['a half-precision task: too small', () => halfTask.run({ logits: storage(76) }), RangeError, 'logits: expected at least 80 bytes, got 76'],
    ['one buffer as scores and grad', onDevice({ grad: buffers.logProbs }), TypeError, /^(?=.*logProbs)(?=.*grad).*buffer/],
    ['two ranges of one buffer as scores and grad', onDevice(halves()), TypeError, /^(?=.*logProbs)(?=.*grad).*buffer/],
    ['one buffer as grad and gradOutput', onDevice({ gradOutput: buffers.grad }), TypeError, /^(?=.*gradOutput)(?=.*grad\b).*buffer/],
    ['a grad where there is none', onDevice({}, gpuTaskOfLoss), TypeError, "grad: expected none with gradient: 'none', got a GPUBuffer"],
  ],
  'what was destroyed': [
    ['prepare', prepare({}, gone), 'destroyed', 'this CtcLoss was destroyed'],
    ['run', run({}, gone), 'destroyed', 'this CtcLoss was destroyed'],
    ['run of a task', taskRun({}, orphan), 'destroyed', 'this task was destroyed'],
    ['encode', encode({}, orphan), 'destroyed', 'this task was destroyed'],
    ['setTargets', () => orphan.setTargets(targets), 'destroyed', 'this task was destroyed'],
    ['read', () => orphan.read('alpha'), 'destroyed', 'this task was destroyed'],
    ['lattice', () => orphan.lattice, 'destroyed', 'this task was destroyed'],
  ],
  'on the CPU there is no': [
    ['encode', encode({}, task), 'no-webgpu', 'encode: this runs on the CPU (asked for); use run'],
    ['lattice', () => task.lattice, 'no-webgpu', 'lattice: expected a GPU device, but this runs on the CPU (asked for); use read'],
  ],
  encode: [
    ['before setTargets', encode({}, freshOnGpu), TypeError, 'targets: expected a call of setTargets before this, got none'],
    ['no encoder', () => (gpuTask.encode as Wrong)(), TypeError, 'encoder: expected a GPUCommandEncoder, got undefined'],
    ['a device for an encoder', () => gpuTask.encode(device as Wrong, buffers), TypeError, 'encoder: expected a GPUCommandEncoder, got a GPUDevice'],
    ['no input', () => (gpuTask.encode as Wrong)(device.createCommandEncoder()), TypeError, 'input: expected an object, got undefined'],
    ['host scores', encode({ logProbs: data }), TypeError, 'logProbs: expected a GPUBuffer or { buffer, offset, size }, got Float32Array of 40'],
    ['no grad', encode({ grad: undefined }), TypeError, 'grad: expected a GPUBuffer or { buffer, offset, size }, got undefined'],
    ['host gradOutput', encode({ gradOutput: [1, 1] }), TypeError, 'gradOutput: expected a GPUBuffer or { buffer, offset, size }, got [1, 1]'],
    ['one buffer as scores and grad', encode({ grad: buffers.logProbs }), TypeError, /^(?=.*logProbs)(?=.*grad).*buffer/],
    ['one buffer as grad and gradOutput', encode({ gradOutput: buffers.grad }), TypeError, /^(?=.*gradOutput)(?=.*grad\b).*buffer/],
    ['an unknown key', encode({ signal: 1 }), TypeError, "input: expected the keys logProbs, logits, probs, gradOutput, loss, grad, got 'signal'"],
  ],
};

for (const [name, rows] of Object.entries(tables)) {
  describe(name, () => {
    test.each(rows)('%s', async (_, call, kind, message) => {
      const error = await new Promise((resolve) => resolve(call())).then(
        () => expect.fail('nothing was thrown'),
        (error) => error,
      );
      if (typeof kind === 'string') expect(error).toMatchObject({ name: 'CtcError', code: kind });
      else expect(error.constructor, error.message).toBe(kind);
      if (typeof message === 'string') expect(error.message).toBe(message);
      else expect(error.message).toMatch(message);
    });
  });
}

describe('whatever comes, the error names the argument', () => {
  const size = { frames: T, sequences: N, classes: C, labels: 2 };
  const given = { targets, inputLengths: [4, 3] };
  const exported: Wrong = { ...library, ...knowledge };
  const isEmpty = (what: string) => /^an object( of (no|a) class)?$/.test(what);

  describe.each(everyOperation)('%s', (name, operation) => {
    const input = (change: object, data: unknown = new Float32Array(T * N * C)) => ({
      ...inputOf(operation, size, given, data),
      ...change,
    });
    const ofLoss = ['reduction', 'zeroInfinity', 'gradient', 'strategy'];
    const ofBeam = ['tokens', 'width', 'nbest', 'lm', 'units', 'lexicon', 'hotwords', 'weights', 'topTokens'];
    const options = {
      ...{ CtcLoss: ofLoss, CtcRanker: ['delimiter'], CtcAligner: [], CtcDecoder: [], CtcPosterior: [] },
      CtcBeamDecoder: [...ofBeam, 'tokenMinLogProb', 'beamPruneLogProb', 'exact'],
    }[name];

    test('of create', async () => {
      const make = (options: Wrong) => exported[name].create(options);
      await expectNamed('options', make, isEmpty);
      for (const key of ['device', 'blank', ...options])
        await expectNamed(
          key,
          (value) => make({ device: 'cpu', [key]: value }),
          (what, value) =>
            (key === 'weights' && isEmpty(what)) || (/LogProb$/.test(key) && what === 'a fraction'),
        );
    });

    test.each(['gpu', 'cpu'] as const)('of prepare: %s', async (kind) => {
      const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
      const keys = Object.keys(roomOf(operation, size));
      if (name === 'CtcLoss') keys.push('keep');
      for (const key of [...keys, 'layout', 'dtype']) {
        await expectNamed(key, (value) =>
          prepareTask(instance, { ...roomOf(operation, size), [key]: value } as Wrong),
        );
      }
      await expectNamed(
        'options',
        (value) => prepareTask(instance, value as Wrong),
        () => false,
      );
      instance.destroy();
    });

    test.each(['gpu', 'cpu'] as const)('of run: %s', async (kind) => {
      const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
      const call = (change: Wrong) => runInstance(instance, input(change));
      const tensor = (change: Wrong) => call({ logits: { ...(input({}).logits as object), ...change } });
      await expectNamed('input', (value) => runInstance(instance, value as Wrong));
      await expectNamed('logits', (value) => call({ logits: value }));
      await expectNamed('logits', (value) => tensor({ data: value }));
      for (const key of ['shape', 'layout', 'dtype'])
        await expectNamed(`logits.${key}`, (value) => tensor({ [key]: value }));
      await expectNamed('inputLengths', (value) => call({ inputLengths: value }));
      if (operation.candidates) {
        await expectNamed('candidates', (value) => call({ candidates: value }));
        await expectNamed('candidates', (value) => call({ candidates: [[[1]], value] }));
        await expectNamed('candidates', (value) => call({ candidates: [[[1], value], [[2]]] }));
        for (const key of ['data', 'shape'])
          await expectNamed('candidates', (value) =>
            call({ candidates: { data: [1, 2, 3, 4], shape: [2, 2], [key]: value } }),
          );
      } else if (operation.hasTargets) {
        await expectNamed('targets', (value) => call({ targets: value }));
        await expectNamed('targetLengths', (value) => call({ targetLengths: value }));
        for (const key of ['data', 'shape'])
          await expectNamed('targets', (value) =>
            call({ targets: { data: [1, 2, 3, 4], shape: [2, 2], [key]: value } }),
          );
      }
      for (const key of Object.keys(operation.asked))
        await expectNamed(key, (value) => call({ [key]: value }));
      if (name === 'CtcLoss') await expectNamed('gradOutput', (value) => call({ gradOutput: value }));
      const run = (options: Wrong) => runInstance(instance, input({}), options);
      await expectNamed('options', run, isEmpty);
      await expectNamed('signal', (signal) => run({ signal }));
      await expectNamed(
        'onProgress',
        (onProgress) => run({ onProgress }),
        (what) => what === 'a function',
      );
      instance.destroy();
    });

    test.each(['gpu', 'cpu'] as const)('of a task: %s', async (kind) => {
      const instance = await operation.create({ device: kind === 'gpu' ? device : kind });
      const task = await prepareTask(instance, roomOf(operation, size));
      if (task.setCandidates) {
        const candidates = operation.candidates!(targets);
        await expectNamed('candidates', (value) => task.setCandidates!(value));
        await expectNamed('lengths', (value) => task.setCandidates!(candidates, value as Wrong), isEmpty);
        await expectNamed('inputLengths', (value) =>
          task.setCandidates!(candidates, { inputLengths: value }),
        );
      } else if (task.setTargets) {
        await expectNamed('targets', (value) => task.setTargets!(value));
        await expectNamed('lengths', (value) => task.setTargets!(targets, value as Wrong), isEmpty);
        for (const key of ['inputLengths', 'targetLengths'])
          await expectNamed(key, (value) => task.setTargets!(targets, { [key]: value }));
      } else await expectNamed('inputLengths', (value) => task.setLengths!(value));
      setOn(task, given);
      const buffers = () =>
        Object.fromEntries(
          Object.entries(operation.outputs(size)).map(([key, bytes]) => [key, storage(bytes)]),
        );
      const logits = kind === 'gpu' ? storage(bytes) : data;
      const run = (change: Wrong) =>
        task.run({ ...taskInputOf(operation, logits), ...(kind === 'gpu' && buffers()), ...change });
      await expectNamed('input', (value) => task.run(value as Wrong));
      await expectNamed('logits', (value) => task.run(taskInputOf(operation, value)));
      if ('seed' in operation.asked) await expectNamed('seed', (seed) => run({ seed }));
      const ranges = kind === 'gpu' ? Object.keys(operation.outputs(size)) : [];
      for (const key of ranges) {
        await expectNamed(key, (value) => run({ [key]: value }));
        for (const part of ['buffer', 'offset', 'size'])
          await expectNamed(key, (value) =>
            run({ [key]: { buffer: storage(4096), offset: 0, size: 4096, [part]: value } }),
          );
      }
      if (name === 'CtcLoss') await expectNamed('gradOutput', (gradOutput) => run({ gradOutput }));
      if (operation.encodes && kind === 'gpu') {
        const all = { ...taskInputOf(operation, logits), ...buffers() };
        await expectNamed('encoder', (value) => task.encode!(value as Wrong, all));
        await expectNamed('input', (value) => task.encode!(device.createCommandEncoder(), value as Wrong));
        for (const key of ['logits', ...ranges])
          await expectNamed(key, (value) =>
            task.encode!(device.createCommandEncoder(), { ...all, [key]: value }),
          );
      }
      instance.destroy();
    });
  });

  test('of what is kept', async () => {
    const kept = await onGpu.prepare({ ...room, keep: ['alpha'] });
    await expectNamed('kept', (value) => kept.read(value as Wrong));
    await expectNamed('group', (value) => kept.lattice.wgsl(value as Wrong));
    kept.destroy();
  });

  test('of the one-liners, and of spans', async () => {
    for (const call of [ctcLoss, forcedAlign] as Wrong[]) {
      const cpu = { device: 'cpu' };
      await expectNamed('logProbs', (value) => call(value, targets, undefined, undefined, cpu));
      await expectNamed('targets', (value) => call(logProbs, value, undefined, undefined, cpu));
      await expectNamed('inputLengths', (value) => call(logProbs, targets, value, undefined, cpu));
      await expectNamed('targetLengths', (value) => call(logProbs, targets, undefined, value, cpu));
      await expectNamed('options', (value) => call(logProbs, targets, undefined, undefined, value), isEmpty);
    }
    const ones = new Float32Array(40).fill(1);
    const asLong = (value: Wrong) => (Array.isArray(value) ? value.map(() => 1) : ones);
    const unrevoked = (value: unknown) =>
      mergeTokens(value as Wrong, value === nasty['a proxy that was revoked'] ? ones : asLong(value));
    await expectNamed('labels', unrevoked, (what) => what === 'a wrong array');
    expect(() => mergeTokens([Number.NaN], [1])).toThrow(
      'labels[0]: expected a class, or a negative integer, got NaN',
    );
    expect(() => mergeTokens([1, 1], [1, '2'] as Wrong)).toThrow("scores[1]: expected a number, got '2'");
    await expectNamed(
      'scores',
      (value) => mergeTokens(ones, value as Wrong),
      (what) => what === 'a wrong array',
    );
    await expectNamed('blank', (value) => mergeTokens(ones, ones, value as Wrong));
  });
});
