import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { CtcLoss } from 'webgpu-ctc/node';
import { forced } from '../src/forced.js';
import { openDevice } from './device.js';

const gpu = await openDevice();
const { device } = gpu;

/** Scores that a formula makes: the same everywhere, different for each seed. */
function scoresOf(count: number, seed = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(i * i * 0.37 + seed * (i + 1)) * 2 - 3);
}
const shape = [6, 3, 5] as const;
const count = 6 * 3 * 5;
const room = { logits: shape, maxTargetLength: 3 };
const targets = [[1, 2, 2], [4], [3, 1]];
const otherTargets = [[2], [3, 4, 1], []];
/** Frames enough for a run that has a middle, where `inPieces` is used. */
const long = { logits: [600, 1, 6], maxTargetLength: 9 } as const;
const longScores = scoresOf(600 * 6);
const longTargets = [[1, 2, 3, 4, 5, 5, 4, 3, 2]];
const longInput = { logits: { data: longScores, shape: long.logits }, targets: longTargets };

const ctc = await CtcLoss.create({ device, reduction: 'none' });
const oneByOne = async (data: Float32Array, rows: number[][]) => {
  const { loss, grad } = await ctc.run({ logits: { data, shape }, targets: rows });
  return { loss, grad };
};

const longAlone = await ctc.run(longInput);

/** Cuts what runs from now on into dispatches so small that they need many submissions; or turns, on the CPU, for which a clock runs fast. */
function inPieces<Ctc extends object>(ctc: Ctc, kind: string): Ctc {
  forced.set(ctc, { tuning: { elementsPerDispatch: 60 } });
  let now = 0;
  if (kind === 'cpu') vi.spyOn(performance, 'now').mockImplementation(() => ++now);
  return ctc;
}
afterEach(() => void vi.restoreAllMocks());

/** The rejection of a promise that must not hang. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), 10_000);
  });
  const done = promise.then(
    () => expect.fail('it was fulfilled'),
    (error) => error,
  );
  return Promise.race([done, late]).finally(() => clearTimeout(timer));
}
const isCtcError = (code: string, message = /./) =>
  expect.objectContaining({ name: 'CtcError', code, message: expect.stringMatching(message) });

describe('what WebGPU refuses', () => {
  test('a buffer of another device is a gpu-validation error, and the task goes on', async () => {
    const stranger = await openDevice();
    const task = await ctc.prepare(room);
    task.setTargets(targets);
    const logits = stranger.buffer(scoresOf(count));
    const error = await rejection(task.run({ logits }));
    expect(error).toEqual(isCtcError('gpu-validation', /device/i));
    expect((error as Error).cause).toBeDefined();
    const { loss, grad } = await task.run({ logits: scoresOf(count) });
    expect({ loss, grad }).toEqual(await oneByOne(scoresOf(count), targets));
    task.destroy();
  });

  test('a destroyed buffer is a gpu-validation error', async () => {
    const logits = gpu.buffer(scoresOf(count));
    logits.destroy();
    expect(await rejection(ctc.run({ logits: { data: logits, shape }, targets }))).toEqual(
      isCtcError('gpu-validation', /destroyed/i),
    );
  });

  test('an allocation beyond the device rejects prepare and leaks nothing', async () => {
    const greedy = await CtcLoss.create({ device });
    forced.set(greedy, { limits: { maxBufferSize: 2 ** 40, maxStorageBufferBindingSize: 2 ** 40 } });
    const before = gpu.alive();
    const error = await rejection(greedy.prepare({ logits: [40_000, 1, 5], maxTargetLength: 1500 }));
    expect(error).toEqual(isCtcError('gpu-validation', /^prepare: (.|\n)*ctc:(fused|tiled):/));
    expect(gpu.alive()).toEqual(before);
  });
});

test('an allocation that the device has no memory for rejects prepare and leaks nothing', async () => {
  // no adapter here runs out of memory before the machine does: what the scope for it says is made up
  const [push, pop] = [device.pushErrorScope.bind(device), device.popErrorScope.bind(device)];
  const filters: GPUErrorFilter[] = [];
  const pushed = vi.spyOn(device, 'pushErrorScope').mockImplementation((filter) => {
    filters.push(filter);
    push(filter);
  });
  const popped = vi.spyOn(device, 'popErrorScope').mockImplementation(async () => {
    const filter = filters.pop();
    const error = await pop();
    return filter === 'out-of-memory' ? ({ message: 'no room' } as GPUError) : error;
  });
  const before = gpu.alive();
  const error = await rejection(ctc.prepare(room));
  pushed.mockRestore();
  popped.mockRestore();
  expect(error).toEqual(isCtcError('out-of-memory', /^prepare: no room$/));
  expect(gpu.alive()).toEqual(before);
});

describe('a lost device', () => {
  async function doomed() {
    const { device, buffer } = await openDevice();
    const ctc = await CtcLoss.create({ device });
    const task = await ctc.prepare({ ...room, keep: ['alpha'] });
    task.setTargets(targets);
    return { device, buffer, ctc, task };
  }
  const lost = isCtcError('device-lost', /^device lost \(destroyed\)/);

  test('before prepare', async () => {
    const { device, ctc } = await doomed();
    device.destroy();
    expect(await rejection(ctc.prepare(room))).toEqual(lost);
    expect(await rejection(ctc.prepare({ ...room, keep: ['posterior'] }))).toEqual(lost);
  });

  test('during prepare', async () => {
    const { device, ctc } = await doomed();
    const preparing = ctc.prepare({ logProbs: [100, 2, 7], maxTargetLength: 9, keep: ['posterior'] });
    device.destroy();
    expect(await rejection(preparing)).toEqual(lost);
  });

  test('before a run of host arrays', async () => {
    const { device, task, ctc } = await doomed();
    device.destroy();
    expect(await rejection(task.run({ logits: scoresOf(count) }))).toEqual(lost);
    expect(await rejection(ctc.run({ logits: { data: scoresOf(count), shape }, targets }))).toEqual(lost);
    expect(() => task.setTargets(otherTargets)).toThrow(lost);
    const input = { logits: gpu.buffer(4 * count), grad: gpu.buffer(4 * count) };
    expect(() => task.encode(gpu.device.createCommandEncoder(), input)).toThrow(lost);
    expect(() => task.lattice).toThrow(lost);
    task.destroy();
    ctc.destroy();
  });

  test('before a run of buffers', async () => {
    const { device, task, buffer } = await doomed();
    const logits = buffer(scoresOf(count));
    device.destroy();
    expect(await rejection(task.run({ logits }))).toEqual(lost);
  });

  test('before a read', async () => {
    const { device, task } = await doomed();
    await task.run({ logits: scoresOf(count) });
    device.destroy();
    expect(await rejection(task.read('alpha'))).toEqual(lost);
  });

  test.each(['arrays', 'buffers'])('in the middle of a run of %s', async (kind) => {
    const { device, ctc, buffer } = await doomed();
    inPieces(ctc, kind);
    // at least six submissions, two of them in flight
    const frames = 3000;
    const task = await ctc.prepare({ logits: [frames, 1, 6], maxTargetLength: 9 });
    task.setTargets(longTargets);
    const shares: number[] = [];
    const onProgress = (share: number) => {
      if (shares.push(share) === 1) device.destroy();
    };
    const scores = scoresOf(frames * 6);
    const logits = kind === 'arrays' ? scores : buffer(scores);
    const waiting = task.run({ logits });
    const running = task.run({ logits }, { onProgress });
    const queued = task.run({ logits });
    await waiting;
    expect(await rejection(running)).toEqual(lost);
    expect(shares.at(-1)).toBeLessThan(1);
    expect(await rejection(queued)).toEqual(lost);
  });

  test('that the library owns is made again', async () => {
    const first = await CtcLoss.create({ device: 'gpu', reduction: 'none' });
    (first.device as GPUDevice).destroy();
    await (first.device as GPUDevice).lost;
    expect(await rejection(first.run(longInput))).toEqual(lost);
    const second = await CtcLoss.create({ device: 'gpu', reduction: 'none' });
    expect(second.device).not.toBe(first.device);
    const { loss, backend } = await second.run({ logits: { data: scoresOf(count), shape }, targets });
    expect(backend.device).toBe('gpu');
    expect(loss).toEqual((await oneByOne(scoresOf(count), targets)).loss);
  });
});

describe('abort and progress', () => {
  test.each(['gpu', 'cpu'] as const)('the share rises to 1 on the %s', async (kind) => {
    const ctc = inPieces(await CtcLoss.create({ device: kind === 'gpu' ? device : 'cpu' }), kind);
    const shares: number[] = [];
    await ctc.run(longInput, { onProgress: (share) => shares.push(share) });
    expect(shares).toEqual([...new Set(shares)].sort((a, b) => a - b));
    expect(shares.length).toBeGreaterThan(1);
    expect(shares[0]).toBeGreaterThan(0);
    expect(shares.at(-1)).toBe(1);
    ctc.destroy();
  });

  test.each(['gpu', 'cpu'] as const)('before a run, nothing is done on the %s', async (kind) => {
    const ctc = await CtcLoss.create({ device: kind === 'gpu' ? device : 'cpu' });
    const reason = new Error('not wanted');
    const onProgress = vi.fn();
    const options = { signal: AbortSignal.abort(reason), onProgress };
    expect(await rejection(ctc.run(longInput, options))).toBe(reason);
    expect(onProgress).not.toHaveBeenCalled();
    ctc.destroy();
  });

  test.each(['gpu', 'buffers', 'cpu'] as const)('in the middle, and the task goes on: %s', async (kind) => {
    const ctc = await CtcLoss.create({ device: kind === 'cpu' ? 'cpu' : device, reduction: 'none' });
    const { loss, grad } = kind === 'cpu' ? await ctc.run(longInput) : longAlone;
    inPieces(ctc, kind);
    const task = await ctc.prepare(long);
    task.setTargets(longTargets);
    const logits = kind === 'buffers' ? gpu.buffer(longScores) : longScores;
    const controller = new AbortController();
    const onProgress = (share: number) => share < 0.5 || controller.abort('enough');
    const aborted = task.run({ logits }, { signal: controller.signal, onProgress });
    const next = task.run({ logits: longScores });
    expect(await rejection(aborted)).toBe('enough');
    const again = await task.run({ logits: longScores });
    for (const result of [await next, again]) expect(result).toMatchObject({ loss, grad });
    ctc.destroy();
  });

  test('while a run waits for its turn', async () => {
    const task = await ctc.prepare(long);
    task.setTargets(longTargets);
    const controller = new AbortController();
    const first = task.run({ logits: longScores });
    const second = task.run({ logits: longScores }, { signal: controller.signal });
    controller.abort();
    expect(await rejection(second)).toMatchObject({ name: 'AbortError' });
    expect((await first).loss[0]).toBeGreaterThan(0);
    task.destroy();
  });

  test('an error in onProgress rejects the run, and the task goes on', async () => {
    const task = await ctc.prepare(long);
    task.setTargets(longTargets);
    const mistake = new Error('mistake');
    const onProgress = () => {
      throw mistake;
    };
    expect(await rejection(task.run({ logits: longScores }, { onProgress }))).toBe(mistake);
    expect((await task.run({ logits: longScores })).loss).toEqual(longAlone.loss);
    task.destroy();
  });
});

describe('destroy', () => {
  test.each(['gpu', 'buffers', 'cpu'] as const)('during a run ends in an error: %s', async (kind) => {
    const before = gpu.alive();
    const ctc = inPieces(await CtcLoss.create({ device: kind === 'cpu' ? 'cpu' : device }), kind);
    const task = await ctc.prepare({ ...long, keep: ['alpha'] });
    task.setTargets(longTargets);
    const logits = kind === 'buffers' ? gpu.buffer(longScores) : longScores;
    const running = task.run({ logits }, { onProgress: (share) => share < 0.3 || task.destroy() });
    const queued = task.run({ logits });
    const reading = task.read('alpha');
    const errors = await Promise.all([running, queued, reading].map(rejection));
    for (const error of errors) expect(error).toEqual(isCtcError('destroyed', /^this task was destroyed$/));
    ctc.destroy();
    expect(gpu.alive()).toEqual(before);
  });

  test('at once after run and prepare', async () => {
    const before = gpu.alive();
    const ctc = await CtcLoss.create({ device });
    const task = await ctc.prepare(room);
    task.setTargets(targets);
    const running = rejection(task.run({ logits: scoresOf(count) }));
    const preparing = rejection(ctc.prepare(room));
    const inOne = rejection(ctc.run({ logits: { data: scoresOf(count), shape }, targets }));
    ctc.destroy();
    expect(await running).toEqual(isCtcError('destroyed'));
    expect(await preparing).toEqual(isCtcError('destroyed', /^this CtcLoss was destroyed$/));
    expect(await inOne).toEqual(isCtcError('destroyed'));
    expect(gpu.alive()).toEqual(before);
  });

  test.each(['arrays', 'buffers'])('at any turn of the event loop frees everything: %s', async (kind) => {
    const before = gpu.alive();
    const logits = kind === 'arrays' ? scoresOf(count) : gpu.buffer(scoresOf(count));
    const outputs = kind === 'arrays' ? {} : { grad: gpu.buffer(4 * count), loss: gpu.buffer(4) };
    for (let turns = 0; turns < 15; turns++) {
      const ctc = await CtcLoss.create({ device });
      const running = ctc
        .run({ logits: { data: logits, shape }, targets, gradOutput: 2, ...outputs })
        .catch((error) => error);
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      ctc.destroy();
      const outcome = await running;
      if (outcome instanceof Error) expect(outcome).toEqual(isCtcError('destroyed'));
      expect(gpu.alive(), `after ${turns} turns`).toEqual(before);
    }
  });

  test('may be called again, and leaves a given device alone', async () => {
    const ctc = await CtcLoss.create({ device });
    const task = await ctc.prepare(room);
    for (const it of [task, task, ctc, ctc, task]) it.destroy();
    await expect(gpu.read(gpu.buffer(Float32Array.of(7)))).resolves.toEqual(Float32Array.of(7));
  });

  test.runIf(Symbol.dispose)('is what `using` calls', async () => {
    const before = gpu.alive();
    const ctc = await CtcLoss.create({ device });
    const task = await ctc.prepare(room);
    expect(gpu.alive()).not.toEqual(before);
    task[Symbol.dispose]();
    expect(gpu.alive()).toEqual(before);
    await ctc.prepare(room);
    ctc[Symbol.dispose]();
    expect(gpu.alive()).toEqual(before);
  });
});

describe('every buffer that is made is destroyed', () => {
  const reason = 'enough';
  const ways: Record<string, (ctc: CtcLoss) => Promise<unknown>> = {
    run: (ctc) => ctc.run(longInput),
    'a task that is left': async (ctc) => {
      const task = await ctc.prepare({ ...room, keep: ['alpha', 'beta', 'posterior'] });
      task.setTargets(targets);
      await task.run({ logits: scoresOf(count), gradOutput: 2 });
      await task.run({ logits: scoresOf(count, 2) });
      await task.read('beta');
    },
    'an abort in the middle': (ctc) => {
      const controller = new AbortController();
      const onProgress = () => controller.abort(reason);
      return rejection(ctc.run(longInput, { signal: controller.signal, onProgress }));
    },
    'an abort of a run that makes outputs': (ctc) => {
      const controller = new AbortController();
      const onProgress = () => controller.abort(reason);
      const logits = { data: gpu.buffer(longScores), shape: long.logits };
      return rejection(ctc.run({ logits, targets: longTargets }, { signal: controller.signal, onProgress }));
    },
    'wrong targets': (ctc) => rejection(ctc.run({ ...longInput, targets: [[9]] })),
    'wrong scores': (ctc) => rejection(ctc.run({ logits: { data: new Float32Array(3), shape }, targets })),
    'a GPU error': async (ctc) => {
      const logits = { data: (await openDevice()).buffer(scoresOf(count)), shape };
      return rejection(ctc.run({ logits, targets }));
    },
  };
  test.each(Object.entries(ways))('%s', async (_, way) => {
    const before = gpu.alive();
    const ctc = inPieces(await CtcLoss.create({ device }), 'gpu');
    await way(ctc as CtcLoss);
    ctc.destroy();
    expect(gpu.alive()).toEqual(before);
  });

  test('but what was handed out', async () => {
    const before = gpu.alive();
    const ctc = await CtcLoss.create({ device });
    const logits = { data: gpu.buffer(scoresOf(count)), shape };
    const { loss, grad } = await ctc.run({ logits, targets });
    ctc.destroy();
    expect(gpu.alive()).toEqual([...before, 'ctc:fused:grad', 'ctc:fused:losses'].sort());
    loss.destroy();
    grad.destroy();
    expect(gpu.alive()).toEqual(before);
  });
});

test('arrays on shared memory are taken like others', async () => {
  const ctc = await CtcLoss.create({ device });
  const own = scoresOf(count);
  const shared = new Float32Array(new SharedArrayBuffer(4 * count));
  shared.set(own);
  const run = (data: Float32Array) => ctc.run({ logits: { data, shape }, targets });
  expect(await run(shared)).toEqual(await run(own));
  ctc.destroy();
});

describe('several at once', () => {
  test('tasks interleaved give what they give alone', async () => {
    const tasks = await Promise.all([ctc.prepare(room), ctc.prepare(long), ctc.prepare(room)]);
    const [a, b, c] = tasks;
    a.setTargets(targets);
    b.setTargets(longTargets);
    c.setTargets(otherTargets);
    const [one, two, three] = await Promise.all([
      a.run({ logits: scoresOf(count, 1) }),
      b.run({ logits: longScores }),
      c.run({ logits: scoresOf(count, 2) }),
    ]);
    expect(one).toMatchObject(await oneByOne(scoresOf(count, 1), targets));
    expect(three).toMatchObject(await oneByOne(scoresOf(count, 2), otherTargets));
    const { loss, grad } = longAlone;
    expect(two).toMatchObject({ loss, grad });
    for (const task of tasks) task.destroy();
  });

  test.each(['gpu', 'cpu'] as const)('each run has the targets that were set before it: %s', async (kind) => {
    const ctc = await CtcLoss.create({ device: kind === 'gpu' ? device : 'cpu', reduction: 'none' });
    const task = await ctc.prepare(room);
    const logits = scoresOf(count);
    const sets = [targets, otherTargets, [[1], [1], [1]]];
    const runs = sets.map((rows) => {
      task.setTargets(rows);
      return task.run({ logits });
    });
    task.setTargets(targets);
    const last = task.run({ logits });
    const alone = await Promise.all(
      sets.map((rows) => ctc.run({ logits: { data: logits, shape }, targets: rows })),
    );
    expect(await Promise.all(runs)).toEqual(alone);
    expect(await last).toEqual(alone[0]);
    ctc.destroy();
  });

  test('instances share a device, and kernels compiled for it', async () => {
    const [a, b] = await Promise.all([
      CtcLoss.create({ device: 'gpu' }),
      CtcLoss.create({ device: 'gpu', blank: 1 }),
    ]);
    expect(a.device).toBe(b.device);
    expect((await CtcLoss.create({ device: a.device! })).device).toBe(a.device);
    const compile = vi.spyOn(device, 'createComputePipelineAsync');
    const c = await CtcLoss.create({ device, reduction: 'none', blank: 2 });
    await c.prepare(room);
    expect(compile).not.toHaveBeenCalled();
    compile.mockRestore();
    c.destroy();
  });
});

describe('encode', () => {
  /** Losses, then a gap, then the gradient, in one buffer from `offset` on; the scores at an odd place of another. */
  async function encoded(task: Awaited<ReturnType<typeof ctc.prepare<typeof shape>>>, runs: number[]) {
    const encoder = device.createCommandEncoder();
    const outputs = runs.map((seed) => {
      const padded = new Float32Array(count + 3);
      padded.set(scoresOf(count, seed), 3);
      const logits = { buffer: gpu.buffer(padded), offset: 12 };
      const loss = { buffer: gpu.buffer(600), offset: 512 };
      const grad = { buffer: gpu.buffer(1000), offset: 20, size: 4 * count };
      task.encode(encoder, { logits, loss, grad });
      return { loss, grad };
    });
    device.queue.submit([encoder.finish()]);
    return Promise.all(
      outputs.map(async ({ loss, grad }) => ({
        loss: await gpu.read(loss.buffer, loss.offset, 12),
        grad: await gpu.read(grad.buffer, grad.offset, grad.size),
        around: [...(await gpu.read(grad.buffer, 0, 20)), ...(await gpu.read(grad.buffer, 20 + 4 * count))],
      })),
    );
  }

  test('one task encoded twice before one submit gives what two runs give, bit for bit', async () => {
    const task = await ctc.prepare(room);
    task.setTargets(targets);
    const results = await encoded(task, [1, 2]);
    for (const [i, { loss, grad, around }] of results.entries()) {
      const alone = await task.run({ logits: scoresOf(count, i + 1) });
      expect(grad).toEqual(alone.grad);
      for (const [n, value] of loss.entries()) expect(value).toBeCloseTo(alone.loss[n]!, 5);
      expect(new Set(around), 'written beside the range').toEqual(new Set([0]));
    }
    task.destroy();
  });

  test('two tasks in one encoder give what separate submissions give', async () => {
    const [a, b] = await Promise.all([ctc.prepare(room), ctc.prepare(room)]);
    a.setTargets(targets);
    b.setTargets(otherTargets);
    const logits = gpu.buffer(scoresOf(count));
    const outputs = () => ({ loss: gpu.buffer(12), grad: gpu.buffer(4 * count) });
    const results: Float32Array[][] = [];
    for (const together of [true, false]) {
      const [forA, forB] = [outputs(), outputs()];
      const first = device.createCommandEncoder();
      a.encode(first, { logits, ...forA });
      if (!together) device.queue.submit([first.finish()]);
      const second = together ? first : device.createCommandEncoder();
      b.encode(second, { logits, ...forB });
      device.queue.submit([second.finish()]);
      results.push(await Promise.all([forA.loss, forA.grad, forB.loss, forB.grad].map((it) => gpu.read(it))));
    }
    expect(results[0]).toEqual(results[1]);
    expect(results[0]![3]).toEqual((await oneByOne(scoresOf(count), otherTargets)).grad);
    a.destroy();
    b.destroy();
  });

  test('writes nothing to the queue, submits nothing, makes no buffer, reads nothing back', async () => {
    const task = await ctc.prepare(room);
    task.setTargets(targets);
    const calls = [
      vi.spyOn(device.queue, 'submit'),
      vi.spyOn(device.queue, 'writeBuffer'),
      vi.spyOn(device.queue, 'onSubmittedWorkDone'),
      vi.spyOn(device, 'createBuffer'),
      vi.spyOn(device, 'pushErrorScope'),
    ];
    const gradOutput = gpu.buffer(Float32Array.of(1, 2, 3));
    for (const call of calls) call.mockClear();
    const input = {
      logits: gpu.buffer(4 * count),
      grad: gpu.buffer(4 * count),
      loss: gpu.buffer(12),
      gradOutput,
    };
    const encoder = device.createCommandEncoder();
    task.encode(encoder, input);
    expect(calls.map((call) => call.mock.calls.length)).toEqual([0, 0, 0, 0, 0]);
    device.queue.submit([encoder.finish()]);
    await task.run({ logits: scoresOf(count) });
    expect(
      calls.map((call) => call.mock.calls.length > 0),
      'the spies see',
    ).not.toContain(false);
    for (const call of calls) call.mockRestore();
    task.destroy();
  });

  test('while a run has not ended is an error, and after it works', async () => {
    const task = await ctc.prepare(room);
    task.setTargets(targets);
    const input = { logits: gpu.buffer(4 * count), grad: gpu.buffer(4 * count), loss: gpu.buffer(12) };
    const running = task.run({ logits: scoresOf(count) });
    expect(() => task.encode(device.createCommandEncoder(), input)).toThrow(
      isCtcError('busy', /has not ended/),
    );
    await running;
    task.encode(device.createCommandEncoder(), input);
    task.destroy();
  });

  test('uses the targets that were set before it, whenever it is submitted', async () => {
    const task = await ctc.prepare(room);
    const sets = [targets, otherTargets, [[1], [1], [1]]];
    const logits = gpu.buffer(scoresOf(count));
    const encoders: GPUCommandEncoder[] = [];
    const grads = sets.map((rows) => {
      task.setTargets(rows);
      const encoder = device.createCommandEncoder();
      const grad = gpu.buffer(4 * count);
      task.encode(encoder, { logits, grad });
      encoders.push(encoder);
      return grad;
    });
    task.setTargets(targets);
    device.queue.submit(encoders.reverse().map((encoder) => encoder.finish()));
    for (const [i, grad] of grads.entries()) {
      expect(await gpu.read(grad)).toEqual((await oneByOne(scoresOf(count), sets[i]!)).grad);
    }
    task.destroy();
  });

  test('leaves a run no room before it is submitted', async () => {
    const task = await ctc.prepare(room);
    task.setTargets(targets);
    const encoder = device.createCommandEncoder();
    const grad = gpu.buffer(4 * count);
    const logits = scoresOf(count);
    task.encode(encoder, { logits: gpu.buffer(logits), grad });
    task.setTargets(otherTargets);
    expect(await rejection(task.run({ logits }))).toEqual(
      isCtcError('busy', /^1 of the encodes .* has not been/),
    );
    device.queue.submit([encoder.finish()]);
    const { loss } = await task.run({ logits });
    expect(loss).toEqual((await oneByOne(logits, otherTargets)).loss);
    expect(await gpu.read(grad)).toEqual((await oneByOne(logits, targets)).grad);
    task.destroy();
  });

  test('of a hundred steps with targets of their own takes no more room than of ten', async () => {
    const before = gpu.alive();
    const task = await ctc.prepare(room);
    const logits = gpu.buffer(scoresOf(count));
    const steps = async (count: number) => {
      for (let i = 0; i < count; i++) {
        task.setTargets(i % 2 ? targets : otherTargets);
        const encoder = device.createCommandEncoder();
        task.encode(encoder, { logits, grad });
        device.queue.submit([encoder.finish()]);
        await device.queue.onSubmittedWorkDone();
      }
      return gpu.alive().length;
    };
    const grad = gpu.buffer(4 * count);
    const ten = await steps(10);
    expect(await steps(100)).toBeLessThanOrEqual(ten + 2);
    expect(await gpu.read(grad)).toEqual((await oneByOne(scoresOf(count), targets)).grad);
    task.destroy();
    expect(gpu.alive()).toEqual(before);
  });

  test('needs no loss', async () => {
    const task = await ctc.prepare(room);
    task.setTargets(targets);
    const encoder = device.createCommandEncoder();
    const grad = gpu.buffer(4 * count);
    task.encode(encoder, { logits: gpu.buffer(scoresOf(count)), grad });
    device.queue.submit([encoder.finish()]);
    expect(await gpu.read(grad)).toEqual((await oneByOne(scoresOf(count), targets)).grad);
    task.destroy();
  });
});

test("the caller's error scopes see the caller's errors, and those alone", async () => {
  const task = await ctc.prepare(room);
  task.setTargets(targets);
  const misuse = () => device.createBuffer({ size: 4, usage: 0x1 | 0x80 }).destroy();
  const stranger = (await openDevice()).buffer(scoresOf(count));

  device.pushErrorScope('validation');
  const good = task.run({ logits: scoresOf(count) });
  misuse();
  const bad = task.run({ logits: stranger });
  const preparing = ctc.prepare(room);
  const mine = device.popErrorScope();
  device.pushErrorScope('validation');
  expect(await rejection(bad)).toEqual(isCtcError('gpu-validation'));
  const none = device.popErrorScope();

  expect((await mine)?.message).toMatch(/usage/i);
  expect(await none).toBeNull();
  expect((await good).loss).toEqual((await oneByOne(scoresOf(count), targets)).loss);
  (await preparing).destroy();
  task.destroy();
});

describe('a program that uses the library', () => {
  const repository = fileURLToPath(new URL('..', import.meta.url));
  const node = promisify(execFile);
  beforeAll(() => node('node', ['scripts/setup.mjs'], { cwd: repository }));

  test.each([
    [
      'ends by itself',
      'await ctc.run(input); const task = await ctc.prepare({ logProbs: [4, 1, 3], maxTargetLength: 1 });',
    ],
    ['ends by itself after destroy', 'await ctc.run(input); ctc.destroy(); ctc.device.destroy();'],
    ['ends in the middle of a run', 'ctc.run(input); setTimeout(() => process.exit(0), 30);'],
    ['ends after an error', 'await ctc.run({ ...input, targets: [[7]] }).catch(() => {});'],
  ])('%s', async (_, use) => {
    const script = `import { CtcLoss } from './dist/node.js';
      const ctc = await CtcLoss.create({ device: 'gpu' });
      const input = { logProbs: { data: new Float32Array(12), shape: [4, 1, 3] }, targets: [[1]] };
      ${use}
      process.on('exit', () => console.log('end'));`;
    const options = { cwd: repository, timeout: 10_000, killSignal: 'SIGKILL' } as const;
    const { stdout } = await node('node', ['--input-type=module', '-e', script], options);
    // a driver that was compiling may have something of its own to say after that
    expect(stdout).toMatch(/^end\n/);
  });
});

afterAll(() => ctc.destroy());
