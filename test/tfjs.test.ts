import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import '@tensorflow/tfjs-backend-cpu';
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { ctcLoss, disposeCtcLoss, prepareCtcLoss } from 'webgpu-ctc/tfjs';
import { openDevice, type TestDevice } from './device.js';
import { batchOf, ctcBuffers, difference, expectedOf, pretendToBePage } from './frameworks.js';
import { expectNamed } from './nasty.js';

let gpu: TestDevice;

beforeAll(async () => {
  gpu = await openDevice('subgroups');
  pretendToBePage({});
  tf.registerBackend('webgpu', () => new WebGPUBackend(gpu.device, gpu.device.adapterInfo), 3);
});

const batch = batchOf(1, [5, 30, 7], 9);
const { shape, labels, logitLengths } = batch;
const logitsOf = () => tf.tensor(batch.logits, shape);
const input = { labels, logitLengths };

describe.each(['webgpu', 'cpu'])('on the backend %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend);
    await tf.ready();
    expect(tf.getBackend()).toBe(backend);
  });
  afterEach(() => expect(tf.memory().numTensors).toBe(0));

  test.each(['none', 'sum', 'mean'] as const)(
    'loss and gradient are those of the core: %s',
    async (reduction) => {
      const expected = await expectedOf(batch, reduction);
      const logits = logitsOf();
      const loss = ctcLoss({ logits, ...input, reduction });
      expect(loss.shape).toEqual(reduction === 'none' ? [5] : []);
      expect(difference(await loss.data(), expected.losses)).toBeLessThan(1e-6);
      // weights from above, as any function of the losses gives them
      const weights = tf.tensor1d(reduction === 'none' ? [1, -2, 0, 0.5, 3] : [1.5]);
      const weighted = (x: tf.Tensor) => tf.sum(tf.mul(ctcLoss({ logits: x, ...input, reduction }), weights));
      const grad = tf.grad(weighted)(logits);
      const from = await weights.data();
      const perSequence = shape[1] * shape[2];
      const wanted = expected.grad.map(
        (g, i) => g * from[reduction === 'none' ? Math.floor(i / perSequence) : 0]!,
      );
      expect(grad.shape).toEqual(shape);
      expect(difference(await grad.data(), wanted)).toBeLessThan(1e-6);
      tf.dispose([logits, loss, weights, grad]);
    },
  );

  test('time first, another blank, [T, C], labels as padded tensors', async () => {
    tf.engine().startScope();
    const logits = logitsOf();
    const swapped = tf.transpose(logits, [1, 0, 2]);
    const first = tf.slice(logits, [0, 0, 0], [1, shape[1], shape[2]]);
    const alone = tf.reshape(first, [shape[1], shape[2]]);
    const width = Math.max(...labels.map(({ length }) => length));
    const padded = tf.tensor2d(
      labels.map((row) => [...row, ...Array(width - row.length).fill(-1)]),
      [5, width],
      'int32',
    );
    const labelLengths = tf.tensor1d(
      labels.map(({ length }) => length),
      'int32',
    );
    const expected = await expectedOf(batch);
    const timeFirst = ctcLoss({ logits: swapped, ...input, labels: padded, labelLengths, layout: 'TNC' });
    expect(difference(await timeFirst.data(), expected.losses)).toBeLessThan(1e-6);
    const gradient = tf.grad((x) => ctcLoss({ logits: x, ...input, layout: 'TNC' }))(swapped);
    const back = tf.transpose(gradient, [1, 0, 2]);
    expect(difference(await back.data(), expected.grad)).toBeLessThan(1e-6);
    const one = ctcLoss({
      logits: alone,
      labels: [labels[0]!],
      logitLengths: [logitLengths[0]!],
      reduction: 'none',
    });
    const each = await expectedOf(batch, 'none');
    expect(difference(await one.data(), [each.losses[0]!])).toBeLessThan(1e-6);
    const classes = shape[2];
    const otherBlank = labels.map((row) => row.map((label) => label - 1));
    const rolled = tf.concat([tf.slice(logits, [0, 0, 1]), tf.slice(logits, [0, 0, 0], [5, shape[1], 1])], 2);
    const last = ctcLoss({ logits: rolled, labels: otherBlank, logitLengths, blank: classes - 1 });
    expect(difference(await last.data(), expected.losses)).toBeLessThan(1e-6);
    tf.engine().endScope();
  });

  test('labels as model.fit gives them, and such as another loss has used', async () => {
    tf.engine().startScope();
    const logits = logitsOf();
    const longest = Math.max(...labels.map(({ length }) => length));
    const padded = labels.flatMap((row) => [...row, ...Array(longest - row.length).fill(-1)]);
    const labelLengths = labels.map(({ length }) => length);
    const expected = await ctcLoss({ logits, ...input }).data();
    for (const dtype of ['int32', 'float32'] as const) {
      const tensor = tf.tensor2d(padded, [labels.length, longest], dtype);
      const given = { logits, logitLengths, labels: tensor, labelLengths };
      expect(await ctcLoss(given).data()).toEqual(expected);
      // takes the values to where it computes
      await tf.add(tensor, 1).data();
      expect(await ctcLoss(given).data()).toEqual(expected);
    }
    tf.engine().endScope();
  });

  test('a hundred steps of training learn, and leak no tensor and no buffer', async () => {
    const weights = tf.tidy(() => tf.variable(tf.zeros<tf.Rank.R2>([7, 7])));
    const inputs = tf.tensor2d(batch.logits, [150, 7]);
    const optimizer = tf.train.adam(0.05);
    const loss = () =>
      ctcLoss({ logits: tf.reshape(tf.matMul(inputs, weights), shape), ...input }) as tf.Scalar;
    const step = () => optimizer.minimize(loss, true)!;
    const first = step();
    const before = tf.memory();
    const buffers = ctcBuffers(gpu).length;
    let last = first;
    for (let i = 0; i < 100; i++) {
      if (last !== first) last.dispose();
      last = tf.tidy(step);
    }
    expect(tf.memory().numTensors).toBe(before.numTensors + 1);
    expect(ctcBuffers(gpu).length).toBe(buffers);
    if (backend === 'webgpu') {
      const inGpu = (memory: tf.MemoryInfo) => (memory as unknown as { numBytesInGPU: number }).numBytesInGPU;
      expect(inGpu(tf.memory())).toBeLessThanOrEqual(inGpu(before) + 1024);
      expect(buffers).toBeGreaterThan(0);
    }
    expect((await last.data())[0]).toBeLessThan(0.9 * (await first.data())[0]!);
    optimizer.dispose();
    tf.dispose([weights, inputs, first, last]);
    disposeCtcLoss();
    expect(ctcBuffers(gpu)).toEqual([]);
  });

  test('a gradient inside of a gradient that is only looked at is right', async () => {
    const logits = logitsOf();
    const loss = (x: tf.Tensor) => ctcLoss({ logits: x, ...input });
    const gradient = tf.grad(loss);
    // what is only looked at is no part of what is differentiated
    let seen: tf.Tensor | undefined;
    const looked = (x: tf.Tensor) => {
      seen = tf.keep(gradient(x));
      return loss(x);
    };
    const [once, beside] = [gradient(logits), tf.grad(looked)(logits)];
    expect(await beside.data()).toEqual(await once.data());
    expect(await seen!.data()).toEqual(await once.data());
    tf.dispose([logits, once, beside, seen!]);
    disposeCtcLoss();
  });

  test('whatever comes, the error names the argument', async () => {
    const logits = logitsOf();
    const call = (change: object) => ctcLoss({ logits, ...input, ...change }).dispose();
    const isEmpty = (what: string) => /^an object( of (no|a) class)?$/.test(what);
    await expectNamed('input', (value) => ctcLoss(value as never), isEmpty);
    for (const key of [
      'logits',
      'labels',
      'labelLengths',
      'logitLengths',
      'blank',
      'layout',
      'reduction',
      'zeroInfinity',
    ])
      await expectNamed(key, (value) => call({ [key]: value }));
    logits.dispose();
  });

  test('what is wrong is named', () => {
    const logits = logitsOf();
    const wrong = (change: object) => () => ctcLoss({ logits, ...input, ...change });
    expect(wrong({ logits: batch.logits })).toThrow('logits: expected a tf.Tensor, got Float32Array of 1050');
    const ids = tf.tensor2d(new Int32Array(25), [5, 5], 'int32');
    expect(wrong({ logits: ids, labels: logits })).toThrow("logits: expected a float32 tensor, got 'int32'");
    const gone = logitsOf();
    gone.dispose();
    expect(wrong({ logits: gone })).toThrow('logits: expected a tensor that is not disposed');
    const goneLabels = tf.tensor2d(new Int32Array(5), [5, 1], 'int32');
    goneLabels.dispose();
    expect(wrong({ labels: goneLabels })).toThrow('labels: expected a tensor that is not disposed');
    expect(wrong({ labels: logits })).toThrow('labels: expected a tensor [N, S] of integers, or arrays');
    expect(wrong({ labels: labels.slice(1) })).toThrow(
      'labels: expected 5 rows (the batch is 5 in NTC), got 4',
    );
    expect(wrong({ labels: [...labels.slice(1), [7]] })).toThrow(
      'labels[4][0]: expected a class from 0 to 6 other than the blank (0), got 7',
    );
    expect(wrong({ logitLengths: [31, 1, 1, 1, 1] })).toThrow(
      'logitLengths[0]: expected an integer from 0 to 30 (T), got 31',
    );
    expect(wrong({ labelLengths: logitLengths })).toThrow(
      /labelLengths\[\d\]: expected at most \d+ \(its row of labels\)/,
    );
    expect(wrong({ labels: [1, 2] })).toThrow(
      'labelLengths: expected one length for each sequence, since labels is flat; got none',
    );
    expect(wrong({ layout: 'NCT' })).toThrow("layout: expected one of 'NTC', 'TNC', got 'NCT'");
    expect(wrong({ blank: 7 })).toThrow('blank: expected an integer from 0 to 6 (C − 1), got 7');
    expect(wrong({ reduction: 'average' })).toThrow(
      "reduction: expected one of 'none', 'sum', 'mean', got 'average'",
    );
    expect(wrong({ zeroInfinity: 1 })).toThrow('zeroInfinity: expected a boolean, got 1');
    expect(wrong({ targets: labels })).toThrow('input: expected the keys logits, labels');
    const flat = tf.tensor1d([1, 2, 3]);
    expect(wrong({ logits: flat })).toThrow('logits: expected the shape [N, T, C] or [T, C], got [3]');
    if (backend === 'webgpu') {
      // so large that tfjs does not add it on the host
      const large = tf.tensor2d(new Int32Array(2000).fill(1), [5, 400], 'int32');
      const sum = tf.add(large, large);
      expect(wrong({ labels: sum })).toThrow(
        'labels: expected values that are on the host, or were at an earlier call, got a tensor that is on the GPU',
      );
      tf.dispose([large, sum]);
    }
    tf.dispose([logits, ids, flat]);
  });
});

test('prepared, the first loss of a shape compiles nothing', async () => {
  await tf.setBackend('webgpu');
  disposeCtcLoss();
  const lengths = [3, 23, 11] as const;
  const compile = vi.spyOn(gpu.device, 'createComputePipeline');
  await prepareCtcLoss({ logits: lengths, maxLabelLength: 5, blank: 2 });
  expect(compile.mock.calls.filter(([{ label }]) => label?.startsWith('ctc:'))).toEqual([]);
  const grad = tf.grad((x: tf.Tensor) => ctcLoss({ logits: x, labels: [[1], [3, 3], [4]], blank: 2 }));
  const logits = tf.zeros([...lengths]);
  tf.dispose(grad(logits));
  expect(compile.mock.calls.filter(([{ label }]) => label?.startsWith('ctc:'))).toEqual([]);
  compile.mockRestore();
  tf.dispose(logits);
  await expect(prepareCtcLoss({ logits: [3, 4], maxLabelLength: -1 })).rejects.toThrow(
    'maxLabelLength: expected an integer ≥ 0, got -1',
  );
});

test('a step on the GPU reads nothing back, and uploads nothing but the targets', async () => {
  await tf.setBackend('webgpu');
  const logits = logitsOf();
  const step = () => tf.dispose(tf.grad((x) => ctcLoss({ logits: x, ...input }))(logits));
  step();
  const { device } = gpu;
  const writeBuffer = vi.spyOn(device.queue, 'writeBuffer');
  const createBuffer = vi.spyOn(device, 'createBuffer');
  step();
  const written = writeBuffer.mock.calls.map(([{ label }]) => label);
  expect(written.filter((label) => label.startsWith('ctc:'))).toEqual([expect.stringMatching(/:targets$/)]);
  expect(createBuffer.mock.calls.filter(([{ usage }]) => usage & GPUBufferUsage.MAP_READ)).toEqual([]);
  vi.restoreAllMocks();
  logits.dispose();
  disposeCtcLoss();
});

test('what the device has against its memory, said after the call, is thrown by the next', async () => {
  await tf.setBackend('webgpu');
  const logits = logitsOf();
  const { device } = gpu;
  const pop = device.popErrorScope.bind(device);
  // no adapter here runs out of memory before the machine does: the second scope that is closed is the one for it
  let closed = 0;
  const popped = vi.spyOn(device, 'popErrorScope').mockImplementation(async () => {
    const second = ++closed === 2;
    const error = await pop();
    return second ? ({ message: 'no room' } as GPUError) : error;
  });
  const call = () => ctcLoss({ logits, ...input }).dispose();
  call();
  popped.mockRestore();
  await device.queue.onSubmittedWorkDone();
  await new Promise(setImmediate);
  expect(call).toThrow(expect.objectContaining({ code: 'out-of-memory', message: 'ctcLoss: no room' }));
  // what had no room is freed, and made anew
  expect(ctcBuffers(gpu)).toEqual([]);
  call();
  disposeCtcLoss();
  logits.dispose();
});

test('a lost device is told', async () => {
  const other = await openDevice();
  tf.registerBackend('short-lived', () => new WebGPUBackend(other.device, other.device.adapterInfo));
  await tf.setBackend('short-lived');
  const logits = logitsOf();
  ctcLoss({ logits, ...input }).dispose();
  other.device.destroy();
  await other.device.lost;
  expect(() => ctcLoss({ logits, ...input })).toThrow(expect.objectContaining({ code: 'device-lost' }));
  logits.dispose();
  await tf.setBackend('cpu');
});

// at the end, since TensorFlow.js keeps what was saved for a gradient that throws
test.each(['webgpu', 'cpu'])('a gradient of the gradient throws: on the backend %s', async (backend) => {
  await tf.setBackend(backend);
  const logits = logitsOf();
  const loss = (x: tf.Tensor) => ctcLoss({ logits: x, ...input });
  const penalty = (x: tf.Tensor) => tf.sum(tf.square(tf.grad(loss)(x)));
  for (const penalised of [penalty, (x: tf.Tensor) => tf.add(loss(x), penalty(x))])
    expect(() => tf.tidy(() => tf.grad(penalised)(logits))).toThrow(
      'ctcLoss: expected one gradient, got a gradient of its',
    );
  logits.dispose();
  disposeCtcLoss();
});
